"""Rows: an activation in which each distinct row is stored, and computed, once."""

from typing import NamedTuple

import numpy as np

from fastkeras._kernels import rows as kernel

# What is made of a table's rows is kept from batch to batch if it has no more floats than this, 32 MB, and if a row
# takes so many products at least: it then comes from a farther cache, which 32 x 32 products do not pay for (predict of
# a SimpleRNN(32) took 1.2 times as long), and 120 x 480 do (of an LSTM(120) 0.92 times, in batches of 32 rows 0.87).
_MOST_KEPT, _LEAST_PRODUCTS = 8 << 20, 12 << 10


class Origin(NamedTuple):
    """The table of V rows that the values of a Rows come from: values = table[distinct], and table[ids] is what the
    Rows stands for. weights: for how long the table stays as it is, a core.run.SameWeights."""

    weights: object
    V: int
    distinct: np.ndarray
    ids: np.ndarray


class Rows:
    """x[b, t] = values[index[b, t]]: an activation of shape `index.shape + (D,)`.

    values: float32 (R, D), the distinct rows; index: int32 of any shape, each in [0, R). origin: an Origin, if the same
    rows may come again in later batches, or None.
    The gradient with respect to a Rows is an array (R, D): that of `values`, already summed over duplicates.
    """

    __slots__ = ("index", "origin", "values")

    def __init__(self, values, index, origin=None):
        self.values = values
        self.index = index
        self.origin = origin

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


def computed_once(x, run, width, compute):
    """(y, index): y[index[b, t]] is what `compute` makes of x[b, t]. It is called for distinct rows only: those of the
    batch or, where the weights stay the same, of all batches.

    x: Rows. compute(y, values): fills y (R, width) from values (R, D), row by row.
    """
    origin, (R, D) = x.origin, x.values.shape
    if origin is None or origin.V * width > _MOST_KEPT or D * width < _LEAST_PRODUCTS:
        y = run.buffer("rows", (R, width))
        compute(y, x.values)
        return y, x.index
    y = run.buffer("table", (origin.V, width))
    known = run.buffer("known", (origin.V,), np.bool_)
    if run.kept.get("table_of") is not origin.weights:
        run.kept["table_of"] = origin.weights
        known.fill(False)
    new = ~known[origin.distinct]
    if new.any():
        ids = origin.distinct[new]
        rows = run.buffer("rows", (len(ids), width))
        compute(rows, x.values[new])
        y[ids] = rows
        known[ids] = True
    return y, origin.ids


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
