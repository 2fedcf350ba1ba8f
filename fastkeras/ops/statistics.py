"""What numbers are like: quantiles, differences, correlations, how many lie where; and reductions passing over nan."""

import numpy as np

from fastkeras.core.tensor import (
    as_axes,
    made,
    matmul,
    mean_over,
    operation,
    put_in_zeros,
    reshape,
    sum_over,
    transpose,
    value,
)
from fastkeras.core.tensor import where as choose
from fastkeras.ops.elementwise import isnan, sqrt, square
from fastkeras.ops.indexing import sort, take_along_axis
from fastkeras.ops.reductions import all, argmax, argmin, cumprod, cumsum, max, min, prod
from fastkeras.ops.shapes import flip, moveaxis, pad
from fastkeras.ops.windows import conv

__all__ = [
    "bincount", "corrcoef", "correlate", "diff", "digitize", "histogram", "isin", "median", "nanargmax", "nanargmin",
    "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile",
    "nanstd", "nansum", "nanvar", "percentile", "ptp", "quantile", "searchsorted", "trapezoid",
]  # fmt: skip

# How far from the element below a place to that above it the quantile lies, for the place and the index below it.
_SHARES = {
    "linear": lambda place, below: place - below,
    "lower": lambda place, below: 0 * place,
    "higher": lambda place, below: 0 * place + 1,
    "midpoint": lambda place, below: 0 * place + 0.5,
    "nearest": lambda place, below: np.rint(place) - below,
}


def _quantile(who, x, q, axis, method, keepdims, passes_over_nan):
    """`quantile` or `nanquantile`"""
    if method not in _SHARES:
        raise ValueError(f"ops.{who}: `method` must be one of {', '.join(_SHARES)}. Received: method={method!r}")
    extents = np.shape(value(x))
    rank = len(extents)
    axes = [a % rank for a in (range(rank) if axis is None else np.atleast_1d(axis).tolist())]
    others = [a for a in range(rank) if a not in axes]
    lines = sort(reshape(transpose(x, (*others, *axes)), (*(extents[a] for a in others), -1)))
    shares = np.asarray(value(q), np.float64 if lines.dtype == np.float64 else np.float32)
    if not np.all((shares >= 0) & (shares <= 1)):
        raise ValueError(f"ops.{who}: shares must be in [0, 1], percentages in [0, 100]. Received: the share {shares}")
    count = np.full((1,) * lines.ndim, lines.shape[-1])
    if lines.dtype.kind == "f":  # what is nan has been sorted to the end
        are_nan = np.isnan(value(lines))
        if passes_over_nan:
            count = np.count_nonzero(~are_nan, axis=-1, keepdims=True)
        else:
            lines = choose(are_nan[..., -1:], np.nan, lines)
    places = shares.reshape(-1) * np.maximum(count - 1, 0).astype(shares.dtype)
    share = _SHARES[method](places, np.floor(places))
    y = take_along_axis(lines, np.floor(places), -1) * (1 - share) + take_along_axis(lines, np.ceil(places), -1) * share
    kept = [1 if a in axes else extents[a] for a in range(rank) if keepdims or a in others]
    return reshape(moveaxis(y, -1, 0), (*shares.shape, *kept))


@operation
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The number below which the share q of the elements lies: of n in order, that at the place q (n - 1).

    Between two places by method: "linear", "lower", "higher", "midpoint" or "nearest". q: one share, or several, which
    lie along a new first axis. nan where one of the elements is nan.
    """
    return _quantile("quantile", x, q, axis, method, keepdims, False)


@operation
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile`, with q from 0 to 100."""
    return quantile(x, np.asarray(value(q)) / 100, axis, method, keepdims)


@operation
def median(x, axis=None, keepdims=False):
    """The number with as many elements below as above it."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


@operation
def ptp(x, axis=None, keepdims=False):
    """The largest element less the smallest."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


@operation
def diff(a, n=1, axis=-1):
    """What each element is more than the one before it along the axis; of these the same again, n times in all."""
    y = moveaxis(a, axis, -1)
    for _ in range(n):
        y = y[..., 1:] - y[..., :-1]
    return moveaxis(y, -1, axis)


@operation
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral over an axis, of straight lines from element to element, which lie at x, or dx apart.

    x: of the shape of y, or a vector along the axis.
    """
    y = moveaxis(y, axis, -1)
    widths = dx if x is None else diff(x if np.ndim(value(x)) == 1 else moveaxis(x, axis, -1))
    return sum_over((y[..., 1:] + y[..., :-1]) * widths, -1) / 2


@operation
def corrcoef(x):
    """Pearson's correlations of the rows of x (n, samples) with each other: (n, n)"""
    centred = x - mean_over(x, -1, keepdims=True)
    rows = centred / sqrt(sum_over(square(centred), -1, keepdims=True))
    return matmul(rows, transpose(rows))


@operation
def correlate(x1, x2, mode="valid"):
    """y_k = sum over n of x1_(n + k) x2_n, for vectors.

    mode: "valid", the k at which the shorter lies within the longer; "full", all at which they meet; "same", as many of
    these, from the middle, as the longer has elements.
    """
    n, m = len(x1), len(x2)
    if n < m:
        return flip(correlate(x2, x1, mode))
    ranges = {"full": (0, n + m - 1), "same": (m - 1 - m // 2, n), "valid": (m - 1, n - m + 1)}
    if mode not in ranges:
        raise ValueError(f"ops.correlate: `mode` must be one of {', '.join(ranges)}. Received: mode={mode!r}")
    start, count = ranges[mode]
    full = conv(reshape(pad(x1, (m - 1, m - 1)), (1, -1, 1)), reshape(x2, (-1, 1, 1)))
    return reshape(full, (-1,))[start : start + count]


# --- without what is nan ---------------------------------------------------------------------------------------------


def _filled(x, filler):
    """x with another number in place of nan."""
    return choose(np.isnan(value(x)), filler, x)


def _or_nan(y, x, axis, keepdims):
    """A reduction y of x, nan where there was nothing else."""
    return choose(all(isnan(x), axis, keepdims), np.nan, y)


@operation
def nansum(x, axis=None, keepdims=False):
    """The sum of what is not nan."""
    return sum_over(_filled(x, 0), axis, keepdims)


@operation
def nanprod(x, axis=None, keepdims=False):
    """The product of what is not nan."""
    return prod(_filled(x, 1), axis, keepdims)


def _nan_mean(x, holes, axis, keepdims):
    """The mean of those x that are no holes, where it is 0; nan where all are."""
    count = np.add.reduce(~holes, axis=as_axes(axis), keepdims=keepdims)
    y = sum_over(x, axis, keepdims) / np.maximum(count, 1).astype(np.asarray(value(x)).dtype)
    return choose(count == 0, np.nan, y)


@operation
def nanmean(x, axis=None, keepdims=False):
    """The mean of what is not nan; nan where nothing is."""
    return _nan_mean(_filled(x, 0), np.isnan(value(x)), axis, keepdims)


@operation
def nanvar(x, axis=None, keepdims=False):
    """The mean of (x - mean)^2, both over what is not nan; nan where nothing is."""
    away = _filled(x - nanmean(x, axis, keepdims=True), 0)
    return _nan_mean(square(away), np.isnan(value(x)), axis, keepdims)


@operation
def nanstd(x, axis=None, keepdims=False):
    """The square root of `nanvar`."""
    return sqrt(nanvar(x, axis, keepdims))


@operation
def nanmax(x, axis=None, keepdims=False):
    """The largest element that is not nan; nan where all are."""
    return _or_nan(max(_filled(x, -np.inf), axis, keepdims), x, axis, keepdims)


@operation
def nanmin(x, axis=None, keepdims=False):
    """The smallest element that is not nan; nan where all are."""
    return _or_nan(min(_filled(x, np.inf), axis, keepdims), x, axis, keepdims)


@operation
def nancumsum(x, axis=None, dtype=None):
    """Running sums in which nan counts as 0."""
    return cumsum(_filled(x, 0), axis, dtype)


@operation
def nancumprod(x, axis=None, dtype=None):
    """Running products in which nan counts as 1."""
    return cumprod(_filled(x, 1), axis, dtype)


@operation
def nanargmax(x, axis=None, keepdims=False):
    """The index of the largest element that is not nan, int32; -1 where all are."""
    return choose(all(isnan(x), axis, keepdims), -1, argmax(_filled(x, -np.inf), axis, keepdims))


@operation
def nanargmin(x, axis=None, keepdims=False):
    """The index of the smallest element that is not nan, int32; -1 where all are."""
    return choose(all(isnan(x), axis, keepdims), -1, argmin(_filled(x, np.inf), axis, keepdims))


@operation
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` of the elements that are not nan; nan where all are."""
    return _quantile("nanquantile", x, q, axis, method, keepdims, True)


@operation
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """`nanquantile`, with q from 0 to 100."""
    return nanquantile(x, np.asarray(value(q)) / 100, axis, method, keepdims)


@operation
def nanmedian(x, axis=None, keepdims=False):
    """The number with as many elements below as above it, of those that are not nan; nan where all are."""
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


# --- how many lie where ----------------------------------------------------------------------------------------------


@operation
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each of 0, 1, ... up to the largest occurs in x (..., n): (..., m), int32, with m at least minlength.

    weights: of the shape of x; then the sum of those of each number.
    """
    if sparse:
        raise ValueError("ops.bincount: there are no sparse tensors here. Received: sparse=True")
    places = np.asarray(value(x)).astype(np.intp)
    if places.min(initial=0) < 0:
        raise ValueError(f"ops.bincount: expected numbers from 0 on. Received: {places.min()}")
    count = np.maximum(minlength, places.max(initial=-1) + 1)
    key = (*np.indices(places.shape)[:-1], places)
    each = np.ones(places.shape, np.int32) if weights is None else weights
    return put_in_zeros(each, key, (*places.shape[:-1], count))


@operation
def histogram(x, bins=10, range=None):
    """(how many elements lie in each bin, int32; the bounds of the bins, each but the last without its upper one).

    bins: so many of equal width from the smallest element to the largest, or over the range (from, to); or the bounds.
    """
    counts, bounds = np.histogram(value(x), value(bins), range)
    return made(counts.astype(np.int32)), made(bounds, (x, None))


@operation
def digitize(x, bins):
    """How many of the bounds, in increasing order, are not above each element: the number of its bin, int32."""
    return made(np.digitize(value(x), value(bins)).astype(np.int32))


@operation
def searchsorted(sorted_sequence, values, side="left"):
    """How many elements of a sorted vector are below each value (side "left"), or not above it ("right"), int32."""
    return made(np.searchsorted(value(sorted_sequence), value(values), side).astype(np.int32))


@operation
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each element of x1 is one of x2; with invert, whether it is none."""
    return made(np.isin(value(x1), value(x2), assume_unique, invert))
