"""Reductions of rows by segments: data (n, ...) and the id of each row's segment (n,) give (num_segments, ...).

Rows with a negative id count nowhere. num_segments: by default the largest id + 1; sorted: whether the ids are in
order, which makes no difference here.
"""

import numpy as np

from fastkeras.core.tensor import getitem, made, operation, put_in_zeros, value
from fastkeras.ops.refusals import once

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def _segments(who, data, segment_ids, num_segments):
    """(the rows that count, their ids, the shape of the result)"""
    ids, extents = np.asarray(value(segment_ids)).astype(np.intp), np.shape(value(data))
    if ids.ndim != 1 or extents[:1] != ids.shape:
        raise ValueError(
            f"ops.{who}: `segment_ids` must be a vector with an id for each row of `data`. "
            f"Received: shapes {ids.shape} and {extents}"
        )
    largest = int(ids.max(initial=-1))
    count = largest + 1 if num_segments is None else int(num_segments)
    if largest >= count:
        raise ValueError(f"ops.{who}: `segment_ids` must be below num_segments={count}. Received: {largest}")
    counts = ids >= 0
    if not counts.all():
        data, ids = getitem(data, counts), ids[counts]
    return data, ids, (count, *extents[1:])


@operation
def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    """The sum of the rows of each segment."""
    return put_in_zeros(*_segments("segment_sum", data, segment_ids, num_segments))


def _extreme(who, ufunc, worst, data, segment_ids, num_segments):
    data, ids, shape = _segments(who, data, segment_ids, num_segments)
    array = np.asarray(value(data))
    limits = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
    y = np.full(shape, getattr(limits, worst), array.dtype)
    ufunc.at(y, ids, array)

    def gradient(d, y):
        is_one = (array == np.asarray(value(y))[ids]).astype(array.dtype)
        count = np.zeros(shape, array.dtype)
        np.add.at(count, ids, is_one)
        return d[ids] * (is_one / count[ids])

    return made(y, (data, gradient))


@operation
def segment_max(data, segment_ids, num_segments=None, sorted=False):
    """The largest of each segment, the smallest number there is for one without rows. Equal ones share its gradient."""
    return _extreme("segment_max", np.maximum, "min", data, segment_ids, num_segments)


@operation
def segment_min(data, segment_ids, num_segments=None, sorted=False):
    """The smallest of each segment, the largest number there is for one without rows. Equal ones share its gradient."""
    return _extreme("segment_min", np.minimum, "max", data, segment_ids, num_segments)


@operation
def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    """The product of the rows of each segment, 1 where there is none; a row's gradient is the product of the others."""
    data, ids, shape = _segments("segment_prod", data, segment_ids, num_segments)
    array = np.asarray(value(data))

    def product(factors):
        y = np.ones(shape, array.dtype)
        np.multiply.at(y, ids, factors)
        return y

    def others(d):
        zeros = np.zeros(shape, np.intp)
        np.add.at(zeros, ids, array == 0)
        nonzero = np.where(array == 0, 1, array)
        return d[ids] * (product(nonzero)[ids] / nonzero * (zeros[ids] == (array == 0)))

    return made(product(array), (data, once("segment_prod", others)))
