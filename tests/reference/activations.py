"""Activations: y = f(x), dx = f'(x) dy."""

import math

import numpy as np

# Keras's activations, and the numbers they are tested with
ACTIVATIONS = {
    "linear": (),
    "relu": (),
    "sigmoid": (),
    "tanh": (),
    "softmax": (),
    "log_softmax": (),
    "sparsemax": (),
    "leaky_relu": (0.3,),
    "relu6": (),
    "elu": (0.7,),
    "selu": (),
    "celu": (1.3,),
    "gelu": (),
    "gelu_tanh": (),
    "silu": (),
    "hard_silu": (),
    "mish": (),
    "softplus": (),
    "softsign": (),
    "hard_sigmoid": (),
    "legacy_hard_sigmoid": (),
    "log_sigmoid": (),
    "tanh_shrink": (),
    "hard_tanh": (),
    "hard_shrink": (0.4,),
    "soft_shrink": (0.4,),
    "threshold": (0.2, -0.7),
    "sparse_plus": (),
    "sparse_sigmoid": (),
    "squareplus": (2.5,),
    "exponential": (),
}
GENERAL_RELUS = [(0.1, None, 0.0), (0.0, 1.5, 0.0), (0.2, 2.0, 0.5), (0.3, 2.0, -0.5), (0.3, None, -0.5)]


def activation(name):
    """The function of that name, and its gradient."""
    return globals()[name], globals()[name + "_backward"]


def linear(x):
    return x


def linear_backward(dy, x):
    return dy


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


def general_relu(x, slope, maximum, threshold):
    above = x if maximum is None else np.clip(x, 0, maximum)
    return np.where(x > threshold, above, slope * (x - threshold))


def general_relu_backward(dy, x, slope, maximum, threshold):
    above = 1 if maximum is None else (x >= 0) & (x <= maximum)
    return dy * np.where(x > threshold, above, slope)


def leaky_relu(x, slope):
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dy, x, slope):
    return dy * np.where(x > 0, 1, slope)


def relu6(x):
    return np.clip(x, 0, 6)


def relu6_backward(dy, x):
    return dy * ((x > 0) & (x < 6))


def elu(x, a):
    return np.where(x > 0, x, a * np.expm1(x))


def elu_backward(dy, x, a):
    return dy * np.where(x > 0, 1, a * np.exp(x))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def selu(x):
    return SELU_SCALE * elu(x, SELU_ALPHA)


def selu_backward(dy, x):
    return SELU_SCALE * elu_backward(dy, x, SELU_ALPHA)


def celu(x, a):
    return np.maximum(x, 0) + a * np.expm1(np.minimum(x, 0) / a)


def celu_backward(dy, x, a):
    return dy * np.where(x > 0, 1, np.exp(x / a))


def gelu(x):
    return x * normal_cdf(x)


def gelu_backward(dy, x):
    return dy * (normal_cdf(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))


def normal_cdf(x):
    return (1 + np.vectorize(math.erf, otypes=[float])(x / np.sqrt(2))) / 2


def gelu_tanh(x):
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def gelu_tanh_backward(dy, x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return dy * ((1 + t) / 2 + x * (1 - t**2) / 2 * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2))


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))  # 1 / (1 + exp(-x))


def sigmoid_backward(dy, x):
    return dy * sigmoid(x) * sigmoid(-x)


def silu(x):
    return x * sigmoid(x)


def silu_backward(dy, x):
    return dy * (sigmoid(x) + x * sigmoid(x) * sigmoid(-x))


def hard_sigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def hard_sigmoid_backward(dy, x):
    return dy * ((x > -3) & (x < 3)) / 6


def legacy_hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def legacy_hard_sigmoid_backward(dy, x):
    return dy * 0.2 * ((x > -2.5) & (x < 2.5))


def hard_silu(x):
    return x * hard_sigmoid(x)


def hard_silu_backward(dy, x):
    return dy * hard_sigmoid(x) + hard_sigmoid_backward(dy, x) * x


def softplus(x):
    return np.logaddexp(0, x)


def softplus_backward(dy, x):
    return dy * sigmoid(x)


def mish(x):
    return x * np.tanh(softplus(x))


def mish_backward(dy, x):
    return dy * np.tanh(softplus(x)) + softplus_backward(tanh_backward(dy * x, softplus(x)), x)


def log_sigmoid(x):
    return -softplus(-x)


def log_sigmoid_backward(dy, x):
    return dy * sigmoid(-x)


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_backward(dy, x):
    return dy / (1 + np.abs(x)) ** 2


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)


def tanh_shrink(x):
    return x - np.tanh(x)


def tanh_shrink_backward(dy, x):
    return dy * np.tanh(x) ** 2


def hard_tanh(x):
    return np.clip(x, -1, 1)


def hard_tanh_backward(dy, x):
    return dy * ((x >= -1) & (x <= 1))


def hard_shrink(x, a):
    return np.where(np.abs(x) > a, x, 0)


def hard_shrink_backward(dy, x, a):
    return dy * (np.abs(x) > a)


def soft_shrink(x, a):
    return np.sign(x) * np.maximum(np.abs(x) - a, 0)


def soft_shrink_backward(dy, x, a):
    return dy * (np.abs(x) > a)


def threshold(x, a, otherwise):
    return np.where(x > a, x, otherwise)


def threshold_backward(dy, x, a, otherwise):
    return dy * (x > a)


def sparse_plus(x):
    return np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))


def sparse_plus_backward(dy, x):
    return dy * sparse_sigmoid(x)


def sparse_sigmoid(x):
    return np.clip((x + 1) / 2, 0, 1)


def sparse_sigmoid_backward(dy, x):
    return dy * (np.abs(x) < 1) / 2


def squareplus(x, a):
    return (x + np.sqrt(x**2 + a)) / 2


def squareplus_backward(dy, x, a):
    return dy * (1 + x / np.sqrt(x**2 + a)) / 2


def exponential(x):
    return np.exp(x)


def exponential_backward(dy, x):
    return dy * np.exp(x)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dy, x):
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(dy, x):
    return dy - softmax(x) * dy.sum(axis=-1, keepdims=True)


def sparsemax(x):
    """Martins and Astudillo, 2016, algorithm 1."""
    z = -np.sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1)
    support = (1 + k * z > np.cumsum(z, axis=-1)).sum(axis=-1, keepdims=True)
    tau = (np.take_along_axis(np.cumsum(z, axis=-1), support - 1, axis=-1) - 1) / support
    return np.maximum(x - tau, 0)


def sparsemax_backward(dy, x):
    support = sparsemax(x) > 0
    return support * (dy - (dy * support).sum(axis=-1, keepdims=True) / support.sum(axis=-1, keepdims=True))


def glu(x):
    a, b = np.split(x, 2, axis=-1)
    return a * sigmoid(b)


def glu_backward(dy, x):
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([dy * sigmoid(b), sigmoid_backward(dy * a, b)], axis=-1)


def prelu(x, a):
    """x (N, C), a slope a (C) for each column"""
    return np.where(x > 0, x, a * x)


def prelu_backward(dy, x, a):
    """(dx, da)"""
    return np.where(x > 0, dy, a * dy), np.where(x > 0, 0, x * dy).sum(0)
