"""Arranging elements: new axes, joining, cutting, repeating, turning round. (reshape is in core/tensor.py.)"""

import itertools

import numpy as np

from fastkeras.core.tensor import (
    as_axes,
    broadcast_to,
    getitem,
    made,
    operation,
    reshape,
    reshaped,
    swapaxes,
    transpose,
    value,
)

__all__ = [
    "append", "array_split", "broadcast_to", "concatenate", "dsplit", "dstack", "expand_dims", "flip", "fliplr",
    "flipud", "hsplit", "hstack", "moveaxis", "pad", "ravel", "repeat", "reshape", "roll", "rot90", "split", "squeeze",
    "stack", "swapaxes", "tile", "transpose", "unstack", "vsplit", "vstack",
]  # fmt: skip


def front(axis, rank):
    """The part of a key before an axis of an array with so many axes."""
    return (slice(None),) * (axis % rank)


@operation
def expand_dims(x, axis):
    """A new axis of extent 1, or several, where `axis` says that they are in the result."""
    if isinstance(axis, int):
        array = np.asarray(value(x))
        at = axis if axis >= 0 else array.ndim + 1 + axis
        return reshaped(array.reshape(*array.shape[:at], 1, *array.shape[at:]), x)
    return reshaped(np.expand_dims(value(x), as_axes(axis)), x)


@operation
def squeeze(x, axis=None):
    """Without its axes of extent 1, or without these of them."""
    return reshaped(np.asarray(value(x)).squeeze(as_axes(axis)), x)


@operation
def ravel(x):
    """All elements in one row."""
    return reshape(x, (-1,))


@operation
def moveaxis(x, source, destination):
    """The axes `source` put at `destination`; the others keep their order."""
    return made(np.moveaxis(value(x), source, destination), (x, lambda d, y: moveaxis(d, destination, source)))


@operation
def concatenate(xs, axis=0):
    """Tensors one behind the other along an axis."""
    arrays = [np.asarray(value(x)) for x in xs]
    y = np.concatenate(arrays, axis)
    before = front(axis, y.ndim)
    links, end = [], 0
    for x, array in zip(xs, arrays, strict=True):
        start, end = end, end + array.shape[axis]
        links.append((x, lambda d, y, key=(*before, slice(start, end)): d[key]))
    return made(y, *links)


@operation
def append(x1, x2, axis=None):
    """x2 behind x1 along an axis; by default both as rows."""
    return concatenate([ravel(x1), ravel(x2)]) if axis is None else concatenate([x1, x2], axis)


@operation
def stack(x, axis=0):
    """Tensors of one shape side by side along a new axis."""
    return concatenate([expand_dims(item, axis) for item in x], axis)


@operation
def hstack(xs):
    """Tensors side by side: along axis 1, vectors along their only one."""
    return concatenate(xs, axis=0 if np.ndim(value(xs[0])) < 2 else 1)


@operation
def vstack(xs):
    """Tensors one below the other, along axis 0; vectors are rows."""
    return concatenate([reshape(x, (1, -1)) if np.ndim(value(x)) < 2 else x for x in xs], axis=0)


@operation
def dstack(xs):
    """Tensors along axis 2: matrices get one of extent 1, vectors are rows of such."""
    rows = [reshape(x, (1, -1)) if np.ndim(value(x)) < 2 else x for x in xs]
    return concatenate([expand_dims(x, 2) if np.ndim(value(x)) == 2 else x for x in rows], axis=2)


@operation
def split(x, indices_or_sections, axis=0):
    """A list of pieces along an axis: so many of equal extent, or cut in front of these indices."""
    extent = np.shape(x)[axis]
    cuts = indices_or_sections
    if isinstance(cuts, (int, np.integer)):
        if extent % cuts:
            raise ValueError(f"ops.split: {extent} elements do not make {cuts} equal pieces. Received: axis={axis}")
        cuts = range(extent // cuts, extent, extent // cuts)
    bounds = [0, *(int(cut) for cut in cuts), extent]
    before = front(axis, np.ndim(value(x)))
    return [getitem(x, (*before, slice(a, b))) for a, b in itertools.pairwise(bounds)]


@operation
def array_split(x, indices_or_sections, axis=0):
    """As `split`, but the first pieces may be longer by 1 where they cannot all be equal."""
    cuts = indices_or_sections
    if isinstance(cuts, (int, np.integer)):
        length, longer = divmod(np.shape(x)[axis], cuts)
        cuts = [i * length + min(i, longer) for i in range(1, cuts)]
    return split(x, cuts, axis)


@operation
def hsplit(x, indices_or_sections):
    """`split` along axis 1, of a vector along its only one."""
    return split(x, indices_or_sections, axis=0 if np.ndim(value(x)) < 2 else 1)


@operation
def vsplit(x, indices_or_sections):
    """`split` along axis 0."""
    return split(x, indices_or_sections, axis=0)


@operation
def dsplit(x, indices_or_sections):
    """`split` along axis 2."""
    return split(x, indices_or_sections, axis=2)


@operation
def unstack(x, num=None, axis=0):
    """The list of x's parts along an axis, without it. num: how many there are, if one wants to say."""
    extent = np.shape(x)[axis]
    if num not in (None, extent):
        raise ValueError(f"ops.unstack: axis {axis} has extent {extent}. Received: num={num}")
    before = front(axis, np.ndim(value(x)))
    return [getitem(x, (*before, i)) for i in range(extent)]


@operation
def repeat(x, repeats, axis=None):
    """Each element so many times in a row, along an axis; by default of all elements in one row."""
    if axis is None:
        return repeat(ravel(x), repeats, 0)
    places = np.repeat(np.arange(np.shape(x)[axis]), value(repeats))
    return getitem(x, (*front(axis, np.ndim(value(x))), places))


@operation
def tile(x, repeats):
    """x so many times along each axis, one number for each, or the last ones alone."""
    repeats = (repeats,) if isinstance(repeats, (int, np.integer)) else tuple(repeats)
    array = np.asarray(value(x))
    shape = (1,) * (len(repeats) - array.ndim) + array.shape
    repeats = (1,) * (len(shape) - len(repeats)) + repeats
    pairs = [n for pair in zip(repeats, shape, strict=True) for n in pair]

    def gradient(d, y):
        return reshape(reshape(d, pairs).sum(axis=tuple(range(0, len(pairs), 2))), array.shape)

    return made(np.tile(array, repeats), (x, gradient))


@operation
def pad(x, pad_width, mode="constant", constant_values=None):
    """x with a margin: pad_width is (before, after) for each axis, or one for all.

    mode: "constant" (constant_values, 0 by default), or numpy's "reflect", "symmetric", "edge" or "wrap".
    """
    array = np.asarray(value(x))
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if mode != "constant":
        for axis, width in enumerate(widths):
            places = np.pad(np.arange(np.shape(x)[axis]), width, mode)
            x = getitem(x, (*front(axis, array.ndim), places))
        return x
    key = tuple(slice(a, a + n) for (a, _), n in zip(widths, array.shape, strict=True))
    filled = np.pad(array, widths, constant_values=0 if constant_values is None else constant_values)
    return made(filled, (x, lambda d, y: getitem(d, key)))


@operation
def flip(x, axis=None):
    """The elements in reverse order along an axis, or several, or all."""
    return made(np.flip(value(x), axis), (x, lambda d, y: flip(d, axis)))


@operation
def fliplr(x):
    """The columns in reverse order."""
    return flip(x, 1)


@operation
def flipud(x):
    """The rows in reverse order."""
    return flip(x, 0)


@operation
def rot90(array, k=1, axes=(0, 1)):
    """A quarter turn, k times, from the first axis to the second."""
    return made(np.rot90(value(array), k, axes), (array, lambda d, y: rot90(d, -k, axes)))


@operation
def roll(x, shift, axis=None):
    """The elements moved along an axis; those that leave at its end come in at its beginning."""
    back = tuple(-n for n in shift) if isinstance(shift, (tuple, list)) else -shift
    return made(np.roll(value(x), shift, axis), (x, lambda d, y: roll(d, back, axis)))
