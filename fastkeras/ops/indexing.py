"""Choosing elements by index, putting them in places, sorting, and parts of matrices."""

import numpy as np

from fastkeras.core.tensor import cast, getitem, made, operation, put_in_zeros, value, where
from fastkeras.ops.shapes import front, moveaxis, pad, ravel

__all__ = [
    "argpartition", "argsort", "diag", "diagflat", "diagonal", "get_item", "in_top_k", "nonzero", "one_hot", "scatter",
    "scatter_update", "select", "slice", "slice_update", "sort", "take", "take_along_axis", "top_k",
    "trace", "tril", "triu", "unique", "unravel_index",
]  # fmt: skip


get_item = getitem


@operation
def nonzero(x):
    """The places where x is not 0: a tuple with the indices along each axis, int32."""
    return tuple(made(indices.astype(np.int32)) for indices in np.nonzero(np.asarray(value(x))))


@operation
def unravel_index(indices, shape):
    """The indices along each axis, int32, of places that are counted row by row."""
    places = np.asarray(value(indices)).astype(np.intp)
    return tuple(made(part.astype(np.int32)) for part in np.unravel_index(places, shape))


@operation
def select(condlist, choicelist, default=0):
    """From the list of choices, each element from the first whose condition holds there; `default` where none does."""
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = where(condition, choice, y)
    return y


@operation
def take(x, indices, axis=None):
    """The elements with these indices along an axis, by default of all in one row. Negative ones count from the end."""
    places = np.asarray(value(indices)).astype(np.intp)
    return getitem(ravel(x), places) if axis is None else getitem(x, (*front(axis, np.ndim(value(x))), places))


@operation
def take_along_axis(x, indices, axis=None):
    """x[..., indices[..., i, ...], ...]: along an axis, by an index for each element of the result."""
    places = np.asarray(value(indices)).astype(np.intp)
    if axis is None:
        return getitem(ravel(x), places.ravel())
    axis %= places.ndim
    extents = [n if a == axis else max(n, m) for a, (n, m) in enumerate(zip(places.shape, np.shape(x), strict=True))]
    grid = np.ogrid[tuple(np.s_[:n] for n in extents)]
    key = [place * (m > 1) for place, m in zip(grid, np.shape(x), strict=True)]  # one element stands for all
    key[axis] = np.broadcast_to(places, extents)
    return getitem(x, tuple(key))


@operation
def slice(inputs, start_indices, shape):
    """The block of this shape that begins at these indices."""
    return getitem(inputs, tuple(np.s_[int(a) : int(a) + int(n)] for a, n in zip(start_indices, shape, strict=True)))


def _with(x, key, updates):
    """x, with x[key] = updates."""
    y = np.array(value(x))
    y[key] = value(updates)
    elsewhere = np.ones(y.shape, y.dtype)
    elsewhere[key] = 0
    return made(y, (x, lambda d, y: d * elsewhere), (updates, lambda d, y: getitem(d, key)))


@operation
def slice_update(inputs, start_indices, updates):
    """inputs, with the block that begins at these indices replaced by `updates`."""
    extents = np.shape(value(updates))
    return _with(
        inputs, tuple(np.s_[int(a) : int(a) + n] for a, n in zip(start_indices, extents, strict=True)), updates
    )


def _key(indices):
    """The key that places (n, ..., axes) make: one array for each axis."""
    return tuple(np.moveaxis(np.asarray(value(indices)), -1, 0))


@operation
def scatter(indices, values, shape):
    """Zeros of this shape, to which values (n, ...) are added at indices (n, axes); those of one place are summed."""
    return put_in_zeros(values, _key(indices), tuple(shape))


@operation
def scatter_update(inputs, indices, updates):
    """inputs, with the places `indices` (n, axes) replaced by updates (n, ...); no place may come twice."""
    return _with(inputs, _key(indices), updates)


@operation
def argsort(x, axis=-1):
    """The indices that sort x along the axis, int32; equal elements stay in order."""
    return made(np.argsort(value(x), axis, kind="stable").astype(np.int32))


@operation
def argpartition(x, kth, axis=-1):
    """Indices along the axis, int32, with that of the kth smallest at its place and those of smaller ones before it."""
    return made(np.argpartition(value(x), kth, axis).astype(np.int32))


@operation
def sort(x, axis=-1):
    """The elements along the axis from the smallest on."""
    if axis is None:
        x, axis = ravel(x), 0
    return take_along_axis(x, argsort(x, axis), axis)


@operation
def unique(
    x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None
):
    """The different elements of x in one row, or those that lie along an axis, in order (sorted: they always are).

    return_index, return_inverse, return_counts: then a tuple, with where each comes first, which of them each element
    is, and how often each comes, int32. size: how many to give: the first ones, or as many as there are and then
    fill_value, 0 by default (0 in the counts and the indices, too).
    """
    array = np.asarray(value(x))
    _, first, inverse, counts = np.unique(array, True, True, True, axis=axis)
    inverse = inverse.reshape(array.shape if axis is None else -1)
    found, along = take(x, first, axis), 0 if axis is None else axis % array.ndim
    if size is not None:
        size, missing = int(size), int(size) - len(first)
        if missing > 0:
            widths = [(0, missing if a == along else 0) for a in range(found.ndim)]
            found = pad(found, widths, constant_values=0 if fill_value is None else fill_value)
            first, counts = np.pad(first, (0, missing)), np.pad(counts, (0, missing))
        found, first, counts = take(found, np.arange(size), along), first[:size], counts[:size]
    more = zip((return_index, return_inverse, return_counts), (first, inverse, counts), strict=True)
    more = tuple(made(part.astype(np.int32)) for wanted, part in more if wanted)
    return (found, *more) if more else found


@operation
def top_k(x, k, sorted=True):
    """(the k largest elements of the last axis, from the largest on; their indices, int32). sorted: they always are."""
    places = np.argsort(-np.asarray(value(x)), -1, kind="stable")[..., :k].astype(np.int32)
    return take_along_axis(x, places, -1), made(places)


@operation
def in_top_k(targets, predictions, k):
    """Whether the target is among the k largest predictions of its row: (n,) and (n, classes) give (n,)."""
    scores = np.asarray(value(predictions))
    own = np.take_along_axis(scores, np.asarray(value(targets))[..., None].astype(np.intp), -1)
    return made(np.count_nonzero(scores > own, axis=-1) < k)


@operation
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place that x says along a new axis, 0 elsewhere; nothing but 0 for a number outside of it."""
    if sparse:
        raise ValueError("ops.one_hot: there are no sparse tensors here. Received: sparse=True")
    hot = np.equal(np.asarray(value(x))[..., None], np.arange(num_classes))
    return made(np.moveaxis(hot.astype(dtype or np.float32), -1, axis))


# --- parts of matrices -----------------------------------------------------------------------------------------------


@operation
def triu(x, k=0):
    """0 below the k-th diagonal of the last two axes."""
    return made(np.triu(value(x), k), (x, lambda d, y: triu(d, k)))


@operation
def tril(x, k=0):
    """0 above the k-th diagonal of the last two axes."""
    return made(np.tril(value(x), k), (x, lambda d, y: tril(d, k)))


@operation
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The elements x_{i, i + offset} of two axes, along a new last axis."""
    array = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = array.shape[-2:]
    i = np.arange(max(0, -offset), min(rows, columns - offset))
    return getitem(array, (..., i, i + offset))


@operation
def diag(x, k=0):
    """The k-th diagonal of a matrix; of a vector, the matrix that has it there and 0 elsewhere."""
    if np.ndim(value(x)) == 2:
        return diagonal(x, k)
    n = np.shape(x)[0] + abs(k)
    i = np.arange(np.shape(x)[0])
    return put_in_zeros(x, (i - min(k, 0), i + max(k, 0)), (n, n))


@operation
def diagflat(x, k=0):
    """The matrix that has all elements of x on its k-th diagonal, and 0 elsewhere."""
    return diag(ravel(x), k)


@operation
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal."""
    return cast(diagonal(x, offset, axis1, axis2).sum(axis=-1), np.asarray(value(x)).dtype)
