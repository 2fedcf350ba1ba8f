"""Rows: an activation in which each distinct row is stored, and computed, once."""

import numpy as np

from fastkeras._kernels import rows as kernel


class Rows:
    """x[b, t] = values[index[b, t]]: an activation of shape `index.shape + (D,)`.

    values: float32 (R, D), the distinct rows; index: int32 of any shape, each in [0, R).
    The gradient with respect to a Rows is an array (R, D): that of `values`, already summed over duplicates.
    """

    __slots__ = ("index", "values")

    def __init__(self, values, index):
        self.values = values
        self.index = index

    @property
    def shape(self):
        return (*self.index.shape, self.values.shape[1])

    def __repr__(self):
        return f"<Rows shape={self.shape}, distinct={self.values.shape[0]}>"


def _unchanged(dy):
    return dy


def dense(x, run, name="dense"):
    """x as a plain array, and the function that takes a gradient of it back to the form x came in.

    The array lies in the run's buffer `name`.
    """
    if type(x) is not Rows:
        return x, _unchanged
    R, D = x.values.shape
    y = run.buffer(name, (x.index.size, D))
    kernel.gather(y, x.values, x.index)  # y_n = values[index_n]

    def backward(dy):
        dvalues = run.buffer(name + "_gradient", (R, D))
        kernel.clear(dvalues)
        kernel.scatter_add(dvalues, dy.reshape(-1, D), x.index)  # dvalues_r = sum of dy_n over index_n = r
        return dvalues

    return y.reshape(x.shape), backward


def masked(x, m, run):
    """x * m, and the function that takes a gradient of the product's rows back to those of x.

    x: Rows of shape (B, ..., D). m: (B, D), a mask that each row of the batch has for itself.

    The product is Rows over the distinct pairs of an input row and a batch row: a word that stands twice in a sentence
    is one row of it.
    """
    B, N = len(x.index), x.index.size
    index, first, second = (run.buffer(f"masked_{part}", (N,), np.int32) for part in ("index", "first", "second"))
    owner = np.repeat(np.arange(B, dtype=np.int32), N // max(B, 1))
    P = kernel.pairs(index, first, second, x.index.reshape(N), owner)
    first, second = first[:P], second[:P]
    values = run.buffer("masked", (P, x.values.shape[1]))
    kernel.gather_masked(values, x.values, m, first, second)  # values_p = x_first[p] * m_second[p]

    def backward(dvalues):
        dx = run.buffer("masked_gradient", x.values.shape)
        kernel.clear(dx)
        kernel.scatter_add_masked(dx, dvalues, m, first, second)  # dx_r = sum of dvalues_p * m_p over first[p] = r
        return dx

    return Rows(values, index.reshape(x.index.shape)), backward


def flat(x):
    """The rows of x, (N, D): its distinct ones if it is Rows, else those of all leading axes."""
    if type(x) is Rows:
        return x.values
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def like(x, y):
    """The rows y (N, D') in the form of x: row-wise layers keep the index, or the leading axes."""
    if type(x) is Rows:
        return Rows(y, x.index)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[-1])
