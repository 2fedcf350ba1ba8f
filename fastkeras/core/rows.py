"""Rows: an activation in which each distinct row is stored, and computed, once."""

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
