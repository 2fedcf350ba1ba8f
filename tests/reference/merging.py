"""One array from several: element by element, and products summed over an axis."""

import numpy as np


def add(xs):
    return sum(xs)


def add_backward(dy, xs):
    return [dy for _ in xs]


def subtract(xs):
    return xs[0] - xs[1]


def subtract_backward(dy, xs):
    return [dy, -dy]


def average(xs):
    return sum(xs) / len(xs)


def average_backward(dy, xs):
    return [dy / len(xs) for _ in xs]


def multiply(xs):
    return np.prod(xs, axis=0)


def multiply_backward(dy, xs):
    return [dy * np.prod([other for other in xs if other is not x], axis=0) for x in xs]


def maximum(xs):
    return np.max(xs, axis=0)


def maximum_backward(dy, xs):
    """The first of the largest has the gradient."""
    winner = np.argmax(xs, axis=0)
    return [dy * (winner == i) for i in range(len(xs))]


def minimum(xs):
    return np.min(xs, axis=0)


def minimum_backward(dy, xs):
    return maximum_backward(dy, [-x for x in xs])


def dot(a, b):
    """y[b, i, j] = sum_k a[b, i, k] b[b, j, k]"""
    return np.einsum("bik,bjk->bij", a, b)


def dot_backward(dy, a, b):
    return np.einsum("bij,bjk->bik", dy, b), np.einsum("bij,bik->bjk", dy, a)
