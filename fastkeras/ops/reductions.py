"""Over axes: sums and means are in core/tensor.py; here are extremes, products, spreads, places, and running sums."""

import numpy as np

from fastkeras.core.tensor import getitem, made, mean_over, operation, sum_over, value
from fastkeras.ops.elementwise import exp, log1p, sqrt, square  # noqa: F401
from fastkeras.ops.shapes import expand_dims, flip


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def _kept(reduced, axis, keepdims):
    """A reduced array or tensor with its axes of extent 1 again, so that it fits what was reduced."""
    return reduced if keepdims or axis is None else expand_dims(reduced, axis)


def _extreme(function, x, axis, keepdims):
    """max or min; equal extremes share the gradient, as in TensorFlow."""
    axis = _axes(axis)
    array = value(x)
    y = function(array, axis=axis, keepdims=keepdims)
    is_one = array == function(array, axis=axis, keepdims=True)
    share = is_one / is_one.sum(axis=axis, keepdims=True, dtype=np.float32)
    return made(y, (x, lambda d, y: _kept(d, axis, keepdims) * share.astype(np.float32)))


@operation
def max(x, axis=None, keepdims=False, initial=None):
    """The largest element; no smaller than `initial`. Equal ones share its gradient."""
    y = _extreme(np.max, x, axis, keepdims)
    return y if initial is None else _at_least(y, initial)


@operation
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element; no larger than `initial`. Equal ones share its gradient."""
    y = _extreme(np.min, x, axis, keepdims)
    return y if initial is None else -_at_least(-y, -initial)
