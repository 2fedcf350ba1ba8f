"""The mathematics of the whole library, as its equations stand, in float64 numpy: the specification.

Each operation is a function, and its gradient the function of the same name with `_backward`. The kernels are
held to these, and these to central differences (tests/test_reference.py). Clarity comes first, speed nowhere.
"""

import numpy as np

# --- activations: y = f(x), dx = f'(x) dy -----------------------------------------------------------------


def linear(x):
    return x


def linear_backward(dy, x):
    return dy


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_backward(dy, x):
    y = sigmoid(x)
    return dy * y * (1 - y)


def tanh(x):
    return np.tanh(x)


def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dy, x):
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


# --- matrix products: C = op(A) op(B) + bias, dA and dB from dC -------------------------------------------


def matmul(A, B, bias=0.0, trans_a=False, trans_b=False):
    return (A.T if trans_a else A) @ (B.T if trans_b else B) + bias


def matmul_backward(dC, A, B):
    """of the plain form: (dA, dB, dbias)"""
    return dC @ B.T, A.T @ dC, dC.sum(axis=0)
