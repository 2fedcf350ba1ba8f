"""Pictures made larger or smaller: matrices that say how much each old row, or column, counts in each new one."""

import numpy as np


def _cubic(t):
    """Keys's cubic with a = -1/2 (Cubic Convolution Interpolation for Digital Image Processing, 1981)."""
    t = np.abs(t)
    return np.where(t < 1, (1.5 * t - 2.5) * t * t + 1, np.where(t < 2, ((-0.5 * t + 2.5) * t - 4) * t + 2, 0))


def _lanczos(radius):
    """sinc(t) sinc(t / radius), cut off at the radius (Duchon, Lanczos Filtering in One and Two Dimensions, 1979)."""
    return lambda t: np.where(np.abs(t) < radius, np.sinc(t) * np.sinc(t / radius), 0)


# How much a place at distance t counts.
_KERNELS = {
    "bilinear": lambda t: np.maximum(1 - np.abs(t), 0),
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
INTERPOLATIONS = ("nearest", *_KERNELS)


def weights(n, size, interpolation, antialias=False):
    """A (size, n): how much each of n old places counts in each of `size` new ones; rows sum to 1.

    New place i lies at (i + 1/2) n / size - 1/2. antialias: where there are fewer new places than old ones, each takes
    from as much wider a neighbourhood.
    """
    if interpolation == "nearest":  # in float32, as TensorFlow computes the place: it decides which of two is nearer
        nearest = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(n / size)
        return np.eye(n, dtype=np.float32)[np.minimum(nearest.astype(np.intp), n - 1)]
    positions = (np.arange(size) + 0.5) * (n / size) - 0.5
    width = max(n / size, 1) if antialias else 1
    A = _KERNELS[interpolation]((positions[:, None] - np.arange(n)) / width)
    return (A / A.sum(axis=1, keepdims=True)).astype(np.float32)


def resized(x, rows, columns):
    """rows x columns^T for each picture and channel.

    x (B, H, W, C), rows (H', H), columns (W', W) -> (B, H', W', C)
    """
    y = np.tensordot(columns, np.tensordot(rows, x, (1, 1)), (1, 2))  # (W', H', B, C)
    return np.ascontiguousarray(y.transpose(2, 1, 0, 3))


def matrices(extents, size, interpolation, antialias=False, aspect=None):
    """rows (height, H) and columns (width, W) that make pictures of extents (H, W) ones of size (height, width).

    aspect: None stretches the whole picture; "crop" the largest part in its middle that has the shape of the result;
    "pad" the whole with as much on both sides as gives it that shape: what rows lack of the sum 1 is for what is there.
    """
    if aspect == "crop":
        parts = middle(*extents, *size)[2:]
    elif aspect == "pad":
        around = zip(extents, extents[::-1], size, size[::-1], strict=True)
        parts = [n + 2 * (max(0, other * height // width - n) // 2) for n, other, height, width in around]
    else:
        parts = extents
    axes = zip(extents, parts, size, strict=True)
    return [_of_part(n, part, weights(part, wanted, interpolation, antialias)) for n, part, wanted in axes]


def _of_part(n, part, A):
    """A (size, part), over so many places in the middle of n, or around them, as a matrix (size, n)."""
    if part >= n:
        before = (part - n) // 2
        return A[:, before : before + n]
    before = (n - part) // 2
    return np.pad(A, ((0, 0), (before, n - part - before)))


def around(rows, columns):
    """(height, width): how much what is around a picture counts in each place of the result of `matrices`."""
    return 1 - np.outer(rows.sum(axis=1), columns.sum(axis=1))


def middle(rows, columns, height, width):
    """(top, left, high, wide) of the largest part in the middle of (rows, columns) with the shape height : width."""
    high = max(1, min(rows, columns * height // width))
    wide = max(1, min(columns, rows * width // height))
    return (rows - high) // 2, (columns - wide) // 2, high, wide
