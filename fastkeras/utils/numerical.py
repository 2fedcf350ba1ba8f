"""Class labels and norms: keras.utils.to_categorical and keras.utils.normalize."""

import numpy as np


def to_categorical(x, num_classes=None, dtype="float32"):
    """One-hot rows for class labels: y[..., k] = 1 where x[...] = k, else 0.

    Args:
        x: labels 0 ... num_classes - 1, an array-like of any shape; a last axis of length 1 is dropped.
        num_classes: the number of classes K; by default one more than the largest label.
        dtype: the dtype of the result.

    Returns:
        An array of x's shape and one more axis, of length K.

    Raises:
        ValueError: if labels are no integers, or there are none, and no `num_classes`.
        IndexError: if a label is not in [0, K).

    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    try:
        labels = np.array(x, dtype=np.int64)
    except (TypeError, ValueError):
        message = f"to_categorical needs integers as labels; number others first. Received: {x!r:.200}"
        raise ValueError(message) from None
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        if labels.size == 0:
            raise ValueError("to_categorical needs `num_classes` if there are no labels. Received: x=[]")
        num_classes = int(labels.max()) + 1
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size > 0:
        raise IndexError(f"to_categorical needs labels in [0, {num_classes}). Received: {outside[0]}")
    y = np.zeros((labels.size, num_classes), dtype=dtype)
    y[np.arange(labels.size), labels.reshape(-1)] = 1
    return y.reshape(*labels.shape, num_classes)


def normalize(x, axis=-1, order=2):
    """x divided by its norms along an axis: y = x / ||x||, and y = 0 where x is.

    Args:
        x: an array-like.
        axis: the axis along which norms are taken.
        order: the order of the norm, as in `numpy.linalg.norm`.

    Returns:
        An array of x's shape.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)
