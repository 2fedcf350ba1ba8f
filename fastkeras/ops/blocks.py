"""Pixels of blocks put into channels, and back: by blocks side by side, or by windows, which may overlap."""

import numpy as np

from fastkeras.core.tensor import getitem, operation, put_in_zeros, reshape, transpose, value
from fastkeras.ops.shapes import moveaxis, pad
from fastkeras.utils.arguments import channels_last_or_first, per_axis, positive_integer

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]


def _images(who, x, data_format):
    """x (batch, rows, columns, channels) with its channels last, and what gives them back their place."""
    if np.ndim(value(x)) != 4:
        raise ValueError(f"ops.{who}: `x` must have 4 axes. Received: shape {np.shape(value(x))}")
    if channels_last_or_first(f"ops.{who}", data_format):
        return x, lambda y: y
    return moveaxis(x, 1, -1), lambda y: moveaxis(y, -1, 1)


@operation
def depth_to_space(x, block_size, data_format="channels_last"):
    """(n, h, w, r r c) as (n, h r, w r, c), r being the block_size: each pixel's channels become a block of r x r."""
    r = positive_integer("ops.depth_to_space", "block_size", block_size)
    x, back = _images("depth_to_space", x, data_format)
    n, h, w, channels = np.shape(value(x))
    if channels % (r * r):
        raise ValueError(f"ops.depth_to_space: {channels} channels do not make blocks. Received: block_size={r}")
    c = channels // (r * r)
    return back(reshape(transpose(reshape(x, (n, h, w, r, r, c)), (0, 1, 3, 2, 4, 5)), (n, h * r, w * r, c)))


@operation
def space_to_depth(x, block_size, data_format="channels_last"):
    """(n, h r, w r, c) as (n, h, w, r r c): what `depth_to_space` makes its argument of."""
    r = positive_integer("ops.space_to_depth", "block_size", block_size)
    x, back = _images("space_to_depth", x, data_format)
    n, rows, columns, c = np.shape(value(x))
    if rows % r or columns % r:
        raise ValueError(f"ops.space_to_depth: {rows} x {columns} pixels do not make blocks. Received: block_size={r}")
    h, w = rows // r, columns // r
    return back(reshape(transpose(reshape(x, (n, h, r, w, r, c)), (0, 1, 3, 2, 4, 5)), (n, h, w, r * r * c)))


def _windows(who, extents, kernel_size, dilation, padding, stride):
    """(the places (window, windows) on each axis of an image with its margins, the margins)"""
    window, dilation, stride = (
        per_axis(f"ops.{who}", name, given, 2)
        for name, given in (("kernel_size", kernel_size), ("dilation", dilation), ("stride", stride))
    )
    margins = (padding,) * 2 if np.ndim(padding) == 0 else tuple(padding)
    places = []
    for n, k, d, m, s in zip(extents, window, dilation, margins, stride, strict=True):
        count = (n + 2 * m - (k - 1) * d - 1) // s + 1
        if count < 1:
            raise ValueError(
                f"ops.{who}: a window reaches over {(k - 1) * d + 1} places. Received: an axis of {n + 2 * m}"
            )
        places.append(d * np.arange(k)[:, None] + s * np.arange(count))
    return places, margins


def _key(rows, columns):
    """The key of (n, c, window rows, window columns, windows down, windows across) in (n, c, rows, columns)."""
    return slice(None), slice(None), rows[:, None, :, None], columns[:, None, :]


@operation
def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """What lies in each window of images (n, c, rows, columns), with a margin of zeros: (n, c * window, windows)."""
    _images("unfold", x, "channels_first")
    (rows, columns), (top, left) = _windows("unfold", np.shape(value(x))[2:], kernel_size, dilation, padding, stride)
    y = getitem(pad(x, [(0, 0), (0, 0), (top, top), (left, left)]), _key(rows, columns))
    n, c = y.shape[:2]
    return reshape(y, (n, c * len(rows) * len(columns), rows.shape[1] * columns.shape[1]))


@operation
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """`unfold` the other way: (n, c * window, windows) added up, each where it lay, in images of output_size."""
    extents = per_axis("ops.fold", "output_size", output_size, 2)
    (rows, columns), (top, left) = _windows("fold", extents, kernel_size, dilation, padding, stride)
    shape, window = np.shape(value(x)), len(rows) * len(columns)
    if len(shape) != 3 or shape[1] % window or shape[2] != rows.shape[1] * columns.shape[1]:
        raise ValueError(
            f"ops.fold: `x` must have shape (n, channels * {window}, {rows.shape[1] * columns.shape[1]}). "
            f"Received: shape {shape}"
        )
    n, c = shape[0], shape[1] // window
    parts = reshape(x, (n, c, len(rows), len(columns), rows.shape[1], columns.shape[1]))
    whole = put_in_zeros(parts, _key(rows, columns), (n, c, extents[0] + 2 * top, extents[1] + 2 * left))
    return whole[:, :, top : top + extents[0], left : left + extents[1]]
