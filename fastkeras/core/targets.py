"""Targets and sample weights brought into the shapes and types that losses and metrics compute on.

`who` names the loss or metric in errors; an extent of None in a shape of predictions may be anything.
"""

import numpy as np

from fastkeras.utils.arrays import to_array


def as_numbers(who, y_true, y_pred):
    """Targets as an array of numbers, and predictions as a contiguous one of float32."""
    return _numbers(who, "y_true", y_true), np.asarray(_numbers(who, "y_pred", y_pred), np.float32, order="C")


def _numbers(who, name, given):
    is_array = isinstance(given, np.ndarray) and given.dtype.kind in "fiub"
    return np.asarray(given) if is_array else to_array(name, given, who=f"{who}: ")


def of_rank(y_true, shape):
    """y_true with a last axis of one added or taken off where that gives it the rank of `shape`."""
    if y_true.ndim == len(shape) - 1 and shape[-1] == 1:
        return y_true[..., None]
    if y_true.ndim == len(shape) + 1 and y_true.shape[-1] == 1:
        return y_true[..., 0]
    return y_true


def like_predictions(who, y_true, shape, hint=""):
    """y_true as float32, if it has the predictions' shape; `hint` follows that shape in the error."""
    if not _fits(y_true.shape, shape):
        raise ValueError(
            f"{who}: the targets must have the shape of the predictions, {tuple(shape)}{hint}. "
            f"Received: shape {y_true.shape}"
        )
    return np.asarray(y_true, np.float32, order="C")


def labels(who, y_true, shape):
    """Class numbers as int32, one per row of predictions of this shape."""
    shape = tuple(shape)
    classes = y_true[..., 0] if y_true.ndim == len(shape) and y_true.shape[-1] == 1 else y_true
    if not _fits(classes.shape, shape[:-1]):
        hint = "; for one-hot targets use the name without 'sparse'" if _fits(classes.shape, shape) else ""
        raise ValueError(
            f"{who}: the targets must be integer labels of shape {shape[:-1]}, for predictions of shape {shape}{hint}. "
            f"Received: shape {y_true.shape}"
        )
    with np.errstate(invalid="ignore"):
        result = np.asarray(classes, np.int32, order="C")
    if classes.dtype != np.int32 and not np.array_equal(result, classes):
        wrong = classes[result != classes].flat[0]
        raise ValueError(f"{who}: labels must be integers from 0 on. Received: {wrong}")
    return result


def row_weights(who, sample_weight, shape):
    """One float32 weight per row, flat, from one per row or one per sample; `shape` is how the rows are laid out."""
    weights = np.asarray(sample_weight, np.float32)
    while weights.ndim > 1 and weights.shape[-1] == 1 and weights.shape != tuple(shape):
        weights = weights[..., 0]
    if weights.shape != tuple(shape[: weights.ndim]):
        raise ValueError(
            f"{who}: `sample_weight` must have shape {tuple(shape)}, or one weight per sample. "
            f"Received: shape {np.shape(sample_weight)}"
        )
    weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    return np.ascontiguousarray(np.broadcast_to(weights, shape)).reshape(-1)


def _fits(shape, wanted):
    if shape == wanted:  # nearly always
        return True
    return len(shape) == len(wanted) and all(w in (None, n) for n, w in zip(shape, wanted, strict=True))
