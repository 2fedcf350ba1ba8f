"""Operations on tensors under TensorFlow's names and with its arguments: tf.reduce_mean, tf.concat, tf.one_hot.

Those that take what fastkeras.ops takes are its functions (`_SAME`); the others are below. Results are tensors with
gradients, except where they are integers or truth values. `name` is taken everywhere and changes nothing.
"""

import functools

import numpy as np

from fastkeras import ops
from fastkeras.core import strings as _strings
from fastkeras.core.tensor import linked, value


def shape_of(shape):
    """A shape, given as numbers, an array or one number, as a tuple of integers."""
    return tuple(int(n) for n in np.atleast_1d(np.asarray(value(shape))))


# --- as in ops -------------------------------------------------------------------------------------------------------

_ALIKE = (
    "abs add ceil cos cosh divide equal erf exp expm1 floor greater greater_equal is_tensor less less_equal log log1p "
    "logical_and logical_not logical_or logical_xor maximum minimum multiply negative not_equal ones_like reciprocal "
    "round rsqrt sigmoid sign sin sinh softplus softsign sqrt square stop_gradient subtract tan tanh zeros_like"
)
_SAME = {
    **{name: name for name in _ALIKE.split()},
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "atan2": "arctan2",
    "floordiv": "floor_divide",
    "floormod": "mod",
    "is_finite": "isfinite",
    "is_inf": "isinf",
    "is_nan": "isnan",
    "pow": "power",
    "truediv": "true_divide",
}
_REDUCTIONS = {
    "all": "all",
    "any": "any",
    "logsumexp": "logsumexp",
    "max": "max",
    "mean": "mean",
    "min": "min",
    "prod": "prod",
    "std": "std",
    "sum": "sum",
    "variance": "var",
}


def _named(function):
    @functools.wraps(function)
    def named(*args, name=None, **kwargs):
        return function(*args, **kwargs)

    return named


def _reduction(function):
    @functools.wraps(function)
    def reduce(input_tensor, axis=None, keepdims=False, name=None):
        return function(input_tensor, axis=axis, keepdims=keepdims)

    return reduce


globals().update({name: _named(getattr(ops, now)) for name, now in _SAME.items()})
globals().update({f"reduce_{name}": _reduction(getattr(ops, now)) for name, now in _REDUCTIONS.items()})


# --- making ----------------------------------------------------------------------------------------------------------


def constant(value, dtype=None, shape=None, name="Const"):
    """A tensor; of Python's numbers float32 or int32 unless `dtype` says otherwise, of texts Strings."""
    x = convert_to_tensor(value, dtype)
    return x if shape is None else ops.reshape(ops.broadcast_to(x, shape) if x.size == 1 else x, shape_of(shape))


def convert_to_tensor(value, dtype=None, dtype_hint=None, name=None):
    """A tensor with these values."""
    if dtype == "string" or _strings.are_texts(value):
        return _strings.strings(value)
    return ops.convert_to_tensor(value, dtype)


def zeros(shape, dtype=np.float32, name=None):
    """0 everywhere."""
    return ops.zeros(shape_of(shape), dtype)


def ones(shape, dtype=np.float32, name=None):
    """1 everywhere."""
    return ops.ones(shape_of(shape), dtype)


def fill(dims, value, name=None):
    """One value everywhere."""
    return ops.broadcast_to(ops.convert_to_tensor(value), shape_of(dims))


def eye(num_rows, num_columns=None, dtype=np.float32, name=None):
    """1 on the diagonal, 0 elsewhere."""
    return ops.eye(num_rows, num_columns, dtype=dtype)


def range(start, limit=None, delta=1, dtype=None, name="range"):
    """start, start + delta, ... below limit; range(limit) starts from 0."""
    first, last = (0, start) if limit is None else (start, limit)
    return ops.convert_to_tensor(np.arange(value(first), value(last), value(delta)).tolist(), dtype)


def linspace(start, stop, num, name=None, axis=0):
    """num values from start to stop, at equal distances."""
    return ops.linspace(start, stop, num, axis=axis)


def one_hot(indices, depth, on_value=1.0, off_value=0.0, axis=-1, dtype=np.float32, name=None):
    """on_value at the place that each index names on a new axis, off_value elsewhere; nowhere for those outside."""
    hot = ops.one_hot(indices, depth, axis=axis, dtype=dtype)
    return hot if (on_value, off_value) == (1, 0) else ops.cast(hot * (on_value - off_value) + off_value, dtype)


def cast(x, dtype, name=None):
    """x in another type."""
    return ops.cast(x, dtype)


def identity(input, name=None):
    """A tensor of the same values."""
    return convert_to_tensor(input)


# --- shapes ----------------------------------------------------------------------------------------------------------


def shape(input, out_type=None, name=None):
    """The extents, a tuple; None is one that a functional model does not know yet."""
    return ops.shape(input)


def rank(input, name=None):
    """How many axes there are, a tensor."""
    return ops.convert_to_tensor(ops.ndim(input), "int32")


def size(input, out_type=None, name=None):
    """How many elements there are."""
    return ops.size(input)


def reshape(tensor, shape, name=None):
    """The same elements in another shape, one extent of which may be -1."""
    return ops.reshape(tensor, tuple(shape) if isinstance(shape, (list, tuple)) else shape_of(shape))


def transpose(a, perm=None, conjugate=False, name=None):
    """The axes in another order, by default in reverse."""
    return ops.transpose(a, perm)


def expand_dims(input, axis, name=None):
    """A new axis of length 1."""
    return ops.expand_dims(input, axis)


def squeeze(input, axis=None, name=None):
    """Without axes of length 1: all of them, or those named."""
    return ops.squeeze(input, axis)


def concat(values, axis, name="concat"):
    """One behind the other along an axis."""
    return ops.concatenate(values, axis)


def stack(values, axis=0, name="stack"):
    """One behind the other along a new axis."""
    return ops.stack(values, axis)


def unstack(value, num=None, axis=0, name="unstack"):
    """A list of the parts along an axis."""
    return list(ops.unstack(value, num, axis))


def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    """So many equal parts, or parts of these sizes, along an axis: a list."""
    if isinstance(num_or_size_splits, int):
        return list(ops.split(value, num_or_size_splits, axis))
    return list(ops.split(value, [int(end) for end in np.cumsum(num_or_size_splits)[:-1]], axis))


def tile(input, multiples, name=None):
    """Repeated so many times along each axis."""
    return ops.tile(ops.convert_to_tensor(input), shape_of(multiples))


def repeat(input, repeats, axis=None, name=None):
    """Each element repeated."""
    return ops.repeat(ops.convert_to_tensor(input), repeats, axis)


def reverse(tensor, axis, name=None):
    """Backwards along each axis of a list."""
    return ops.flip(tensor, axis)


def roll(input, shift, axis, name=None):
    """Moved along an axis; what leaves at the end comes in at the beginning."""
    return ops.roll(input, shift, axis)


def pad(tensor, paddings, mode="CONSTANT", constant_values=0, name=None):
    """[before, after] more elements for each axis: constant_values, or as mode "REFLECT" or "SYMMETRIC" says."""
    paddings = [shape_of(pair) for pair in np.asarray(value(paddings))]
    if mode.upper() == "CONSTANT":
        return ops.pad(tensor, paddings, "constant", constant_values)
    return ops.pad(tensor, paddings, mode.lower())


# --- elements --------------------------------------------------------------------------------------------------------


def where(condition, x=None, y=None, name=None):
    """x where the condition holds, else y; without them the places where it holds, (n, axes) int64."""
    if x is None:
        return linked(np.argwhere(value(condition)))
    return ops.where(condition, x, y)


def gather(params, indices, validate_indices=None, axis=0, batch_dims=0, name=None):
    """params[indices] along an axis."""
    if batch_dims:
        raise ValueError(f"tf.gather: `batch_dims` must be 0; write ops.take_along_axis. Received: {batch_dims}")
    return ops.take(params, indices, axis)


def boolean_mask(tensor, mask, axis=None, name=None):
    """The elements on which the mask, of the first axes, holds."""
    return tensor[np.asarray(value(mask))] if isinstance(tensor, np.ndarray) else np.asarray(tensor)[value(mask)]


def unique(x, out_idx=None, name=None):
    """(the distinct elements of a list, in the order they come in; the place of each element among them)"""
    y, first, place = np.unique(value(ops.convert_to_tensor(x)), return_index=True, return_inverse=True)
    order = np.argsort(first)
    return linked(y[order]), linked(np.argsort(order)[place].astype(np.int32))


def sort(values, axis=-1, direction="ASCENDING", name=None):
    """In order along an axis; direction may be "DESCENDING"."""
    y = ops.sort(values, axis)
    return ops.flip(y, axis) if direction == "DESCENDING" else y


def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """The places of the elements in order along an axis."""
    return ops.argsort(values if direction == "ASCENDING" else ops.negative(values), axis)


def argmax(input, axis=0, output_type=np.int64, name=None):
    """The place of the largest element along an axis, the first unless another is named."""
    return ops.cast(ops.argmax(input, axis), output_type)


def argmin(input, axis=0, output_type=np.int64, name=None):
    """The place of the smallest element along an axis, the first unless another is named."""
    return ops.cast(ops.argmin(input, axis), output_type)


def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """The sums of the elements up to each one, along an axis."""
    x = ops.convert_to_tensor(x)
    x = ops.flip(x, axis) if reverse else x
    y = ops.cumsum(x, axis)
    y = y - x if exclusive else y
    return ops.flip(y, axis) if reverse else y


# --- arithmetic ------------------------------------------------------------------------------------------------------


def matmul(a, b, transpose_a=False, transpose_b=False, **name):
    """The product of matrices, over the last two axes, each transposed before if asked."""
    a, b = (ops.swapaxes(x, -1, -2) if turned else x for x, turned in ((a, transpose_a), (b, transpose_b)))
    return ops.matmul(a, b)


def tensordot(a, b, axes, name=None):
    """The sum of the products over these axes of a and b."""
    return ops.tensordot(a, b, axes)


def einsum(equation, *inputs, **name):
    """The sum of products that the equation describes."""
    return ops.einsum(equation, *inputs)


def add_n(inputs, name=None):
    """The sum of a list of tensors."""
    return functools.reduce(ops.add, inputs)


def squared_difference(x, y, name=None):
    """(x - y)^2"""
    return ops.square(ops.subtract(x, y))


def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """Brought into the interval."""
    return ops.clip(t, clip_value_min, clip_value_max)


def clip_by_norm(t, clip_norm, axes=None, name=None):
    """Scaled down to this norm if it is longer."""
    length = ops.sqrt(ops.sum(ops.square(t), axis=axes, keepdims=True))
    return ops.multiply(t, clip_norm / ops.maximum(length, clip_norm))


def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """(tensors scaled down together to this norm if they are longer; their norm)"""
    length = ops.sqrt(add_n([ops.sum(ops.square(t)) for t in t_list])) if use_norm is None else use_norm
    return [ops.multiply(t, clip_norm / ops.maximum(length, clip_norm)) for t in t_list], length


def norm(tensor, ord="euclidean", axis=None, keepdims=False, name=None):
    """The Euclidean norm, of all elements or along axes, or another order's, 1 or inf."""
    if axis is None:
        tensor = ops.reshape(tensor, (-1,))
    return ops.norm(tensor, None if ord == "euclidean" else ord, axis, keepdims)


def top_k(input, k=1, sorted=True, name=None):
    """(the k largest elements along the last axis; their places)"""
    return ops.top_k(input, k, sorted)


def l2_normalize(x, axis=None, epsilon=1e-12, name=None):
    """x / sqrt(max(sum x^2, epsilon))"""
    return ops.normalize(x, axis, epsilon=epsilon**0.5)


def confusion_matrix(labels, predictions, num_classes=None, weights=None, dtype=np.int32, name=None):
    """How often class i, the row, was taken for class j, the column."""
    labels, predictions = np.ravel(value(labels)).astype(np.int64), np.ravel(value(predictions)).astype(np.int64)
    n = num_classes or 1 + max(labels.max(initial=-1), predictions.max(initial=-1))
    matrix = np.zeros((n, n), dtype)
    np.add.at(matrix, (labels, predictions), 1 if weights is None else value(weights))
    return linked(matrix)


def while_loop(cond, body, loop_vars, maximum_iterations=None, **how):
    """loop_vars = body(*loop_vars) while cond(*loop_vars) holds."""
    return ops.while_loop(cond, body, loop_vars, maximum_iterations)


def cond(pred, true_fn=None, false_fn=None, name=None):
    """true_fn() if it holds, else false_fn()."""
    return true_fn() if value(pred) else false_fn()


__all__ = [name for name in globals() if not name.startswith("_") and name not in ("functools", "linked", "np", "ops")]
