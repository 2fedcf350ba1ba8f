"""Losses and metrics: one value per row of predictions. A loss's gradient is that of sum_n dvalues_n values_n."""

import numpy as np

from reference.activations import log_softmax, sigmoid, softmax

# Probabilities are clipped to [LOW, HIGH], as float32 numbers, and have no gradient outside.

LOW, HIGH = float(np.float32(1e-7)), float(np.float32(1 - 1e-7))


def clip(p):
    return np.clip(p, LOW, HIGH)


def clip_backward(dp, p):
    return dp * ((p >= LOW) & (p <= HIGH))


def smooth_binary(t, smoothing):
    return (1 - smoothing) * t + smoothing / 2


def smooth_categorical(t, smoothing):
    return (1 - smoothing) * t + smoothing / t.shape[-1]


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def mean_squared_error(y, t):
    return ((y - t) ** 2).mean(axis=-1)


def mean_squared_error_backward(dvalues, y, t):
    return dvalues[:, None] * 2 * (y - t) / y.shape[-1]


def mean_absolute_error(y, t):
    return np.abs(y - t).mean(axis=-1)


def mean_absolute_error_backward(dvalues, y, t):
    return dvalues[:, None] * np.sign(y - t) / y.shape[-1]


def binary_crossentropy(p, t):
    p = clip(p)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(axis=-1)


def binary_crossentropy_backward(dvalues, p, t):
    c = clip(p)
    return clip_backward(dvalues[:, None] * ((1 - t) / (1 - c) - t / c) / p.shape[-1], p)


def binary_crossentropy_from_logits(z, t):
    return (np.logaddexp(0, z) - t * z).mean(axis=-1)  # -t log p - (1 - t) log(1 - p) with p = sigmoid(z)


def binary_crossentropy_from_logits_backward(dvalues, z, t):
    return dvalues[:, None] * (sigmoid(z) - t) / z.shape[-1]


def categorical_crossentropy(p, t):
    return -(t * np.log(clip(p / p.sum(axis=-1, keepdims=True)))).sum(axis=-1)


def categorical_crossentropy_backward(dvalues, p, t):
    total = p.sum(axis=-1, keepdims=True)
    q = p / total
    dq = clip_backward(-dvalues[:, None] * t / clip(q), q)
    return (dq - (dq * q).sum(axis=-1, keepdims=True)) / total


def categorical_crossentropy_from_logits(z, t):
    return -(t * log_softmax(z)).sum(axis=-1)


def categorical_crossentropy_from_logits_backward(dvalues, z, t):
    return dvalues[:, None] * (softmax(z) - t)  # for t that sums to 1; TensorFlow uses it for all others too


def sparse_categorical_crossentropy(p, labels):
    p = clip(p)
    return -np.log(p[np.arange(len(p)), labels] / p.sum(axis=-1))


def sparse_categorical_crossentropy_backward(dvalues, p, labels):
    c = clip(p)
    dc = 1 / c.sum(axis=-1, keepdims=True) - one_hot(labels, p.shape[-1]) / c
    return clip_backward(dvalues[:, None] * dc, p)


def sparse_categorical_crossentropy_from_logits(z, labels):
    return categorical_crossentropy_from_logits(z, one_hot(labels, z.shape[-1]))


def sparse_categorical_crossentropy_from_logits_backward(dvalues, z, labels):
    return categorical_crossentropy_from_logits_backward(dvalues, z, one_hot(labels, z.shape[-1]))


# --- metrics -----------------------------------------------------------------------------------------------------


def equal_accuracy(y, t):
    return (y == t).mean(axis=-1)


def binary_accuracy(y, t, threshold=0.5):
    return ((y > threshold) == t).mean(axis=-1)


def categorical_accuracy(y, t):
    return (y.argmax(axis=-1) == t.argmax(axis=-1)).astype(float)


def sparse_accuracy(y, labels):
    return (y.argmax(axis=-1) == labels).astype(float)
