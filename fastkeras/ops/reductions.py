"""Over axes: extremes, products, spreads, places, norms and running sums; sums and means are in core/tensor.py."""

import numpy as np

from fastkeras.core.tensor import absolute, as_axes, kept, made, mean_over, operation, sum_over, value
from fastkeras.ops.elementwise import exp, maximum, minimum, sqrt, square
from fastkeras.ops.shapes import concatenate, flip, moveaxis, reshape

sum, mean = sum_over, mean_over


def _extreme(function, x, axis, keepdims):
    """max or min; equal extremes share the gradient, as in TensorFlow."""
    axis, array = as_axes(axis), np.asarray(value(x))

    def gradient(d, y):
        is_one = array == function(array, axis=axis, keepdims=True)
        shares = (is_one / is_one.sum(axis=axis, keepdims=True)).astype(array.dtype)
        return kept(d, array.shape, axis, keepdims) * shares

    return made(function(array, axis=axis, keepdims=keepdims), (x, gradient))


@operation
def max(x, axis=None, keepdims=False, initial=None):
    """The largest element, no smaller than `initial`. Equal ones share its gradient."""
    y = _extreme(np.max, x, axis, keepdims)
    return y if initial is None else maximum(y, initial)


@operation
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element, no larger than `initial`. Equal ones share its gradient."""
    y = _extreme(np.min, x, axis, keepdims)
    return y if initial is None else minimum(y, initial)


amax, amin = max, min


@operation
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product; the gradient of a factor is the product of the others."""
    array, axis = np.asarray(value(x)), as_axes(axis)
    kind = array.dtype if dtype is None else dtype

    def gradient(d, y):
        axes = range(array.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = [a % array.ndim for a in axes]
        ends = list(range(array.ndim - len(axes), array.ndim))
        last = moveaxis(x, axes, ends)  # the factors of each product now lie in the last axes, then in one
        lines = reshape(last, (*last.shape[: array.ndim - len(axes)], -1))
        one = np.ones_like(value(lines)[..., :1])
        before = cumprod(concatenate([one, lines[..., :-1]], -1), -1)
        after = flip(cumprod(concatenate([one, flip(lines, -1)[..., :-1]], -1), -1), -1)
        return kept(d, array.shape, axis, keepdims) * moveaxis(reshape(before * after, last.shape), ends, axes)

    return made(np.prod(array, axis=axis, keepdims=keepdims, dtype=kind), (x, gradient))


@operation
def var(x, axis=None, keepdims=False):
    """The mean of (x - mean)^2"""
    return mean_over(square(x - mean_over(x, axis, keepdims=True)), axis, keepdims)


@operation
def std(x, axis=None, keepdims=False):
    """The square root of the variance."""
    return sqrt(var(x, axis, keepdims))


@operation
def average(x, axis=None, weights=None):
    """The mean, each element weighted: sum(w x) / sum(w). weights: the shape of x, or of its one axis `axis`."""
    if weights is None:
        return mean_over(x, axis)
    if np.ndim(value(weights)) == 1 and axis is not None:
        extents = [1] * np.ndim(value(x))
        extents[axis] = -1
        weights = reshape(weights, extents)
    return sum_over(x * weights, axis) / sum_over(weights * np.ones_like(value(x)), axis)


@operation
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))), without overflow"""
    array, axis = np.asarray(value(x)), as_axes(axis)
    largest = np.max(array, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0).astype(array.dtype)
    y = np.log(np.sum(np.exp(array - largest), axis=axis, keepdims=True)) + largest
    y = y if keepdims else y.reshape(()) if axis is None else np.squeeze(y, axis)

    def gradient(d, y):
        return kept(d, array.shape, axis, keepdims) * exp(x - kept(y, array.shape, axis, keepdims))

    return made(y, (x, gradient))


@operation
def norm(x, ord=None, axis=None, keepdims=False):
    """The length of vectors: (sum |x|^ord)^(1/ord), by default with ord 2.

    ord: a number, 0 (how many are not 0), inf or -inf (the largest and the smallest |x|), or "fro", which is 2.
    axis: along which; None means all elements as one vector.
    """
    if ord in (None, 2, "fro", "euclidean"):
        return sqrt(sum_over(square(x), axis, keepdims))
    if axis is not None and not isinstance(axis, int):
        raise ValueError(f"ops.norm: norms of matrices but 'fro' are not computed. Received: ord={ord!r}, axis={axis}")
    size = absolute(x)
    if ord in (np.inf, "inf"):
        return max(size, axis, keepdims)
    if ord in (-np.inf, "-inf"):
        return min(size, axis, keepdims)
    if ord == 0:
        return sum_over((np.asarray(value(x)) != 0).astype(np.float32), axis, keepdims)
    if not isinstance(ord, (int, float)):
        raise ValueError(f"ops.norm: `ord` must be a number, inf, -inf or 'fro'. Received: ord={ord!r}")
    return size.sum(axis, keepdims=keepdims) if ord == 1 else sum_over(size**ord, axis, keepdims) ** (1 / ord)


@operation
def cumsum(x, axis=None, dtype=None):
    """Running sums along an axis, by default along all elements in one row."""
    array = np.asarray(value(x))
    if axis is None:
        return cumsum(reshape(x, (-1,)), 0, dtype)
    y = np.cumsum(array, axis, dtype or array.dtype)
    return made(y, (x, lambda d, y: flip(cumsum(flip(d, axis), axis), axis)))


@operation
def cumprod(x, axis=None, dtype=None):
    """Running products along an axis, by default of all elements in one row. Where x is 0, its gradient is nan."""
    array = np.asarray(value(x))
    if axis is None:
        return cumprod(reshape(x, (-1,)), 0, dtype)
    y = np.cumprod(array, axis, dtype or array.dtype)
    return made(y, (x, lambda d, y: flip(cumsum(flip(d * y, axis), axis), axis) / x))


# --- without a slope -------------------------------------------------------------------------------------------------


@operation
def argmax(x, axis=None, keepdims=False):
    """The index of the largest element, int32."""
    return made(np.argmax(value(x), axis, keepdims=keepdims).astype(np.int32))


@operation
def argmin(x, axis=None, keepdims=False):
    """The index of the smallest element, int32."""
    return made(np.argmin(value(x), axis, keepdims=keepdims).astype(np.int32))


@operation
def any(x, axis=None, keepdims=False):
    """Whether one element is not 0."""
    return made(np.any(value(x), axis=as_axes(axis), keepdims=keepdims))


@operation
def all(x, axis=None, keepdims=False):
    """Whether no element is 0."""
    return made(np.all(value(x), axis=as_axes(axis), keepdims=keepdims))


@operation
def count_nonzero(x, axis=None):
    """How many elements are not 0, int32."""
    return made(np.asarray(np.count_nonzero(value(x), axis=as_axes(axis)), np.int32))


__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumprod", "cumsum", "logsumexp",
    "max", "mean", "min", "norm", "prod", "std", "sum", "var",
]  # fmt: skip
