"""Arithmetic, activations and losses."""

import numpy as np

from fastkeras import ops, random
from fastkeras.config import epsilon, image_data_format
from fastkeras.core.tensor import value
from fastkeras.utils.arguments import channels_last_or_first


def clip(x, min_value, max_value):
    """min(max(x, min_value), max_value); None is no bound."""
    return ops.clip(x, -np.inf if min_value is None else min_value, np.inf if max_value is None else max_value)


def cumsum(x, axis=0):
    """Running sums along an axis."""
    return ops.cumsum(x, axis)


def cumprod(x, axis=0):
    """Running products along an axis."""
    return ops.cumprod(x, axis)


def argmax(x, axis=-1):
    """The index of the largest element along an axis."""
    return ops.argmax(x, axis)


def argmin(x, axis=-1):
    """The index of the smallest element along an axis."""
    return ops.argmin(x, axis)


def dot(x, y):
    """The sum over the last axis of x and the last but one of y."""
    return ops.dot(x, y)


def batch_dot(x, y, axes=None):
    """For each sample, the sum over one axis of x and one of y: by default the last, and the last but one.

    axes: one number for both, or a pair; axis 0 is the batch. Where no axis but the batch is left, one of extent 1 is
    put behind it.
    """
    x_shape, y_shape = ops.shape(x), ops.shape(y)
    n, m = len(x_shape), len(y_shape)
    if n < 2 or m < 2:
        raise ValueError(f"batch_dot: expected a batch axis and one more. Received: shapes {x_shape}, {y_shape}")
    if axes is None:
        axes = n - 1, m - 1 if m == 2 else m - 2
    a, b = (axes, axes) if isinstance(axes, int) else axes
    a, b = a % n, b % m
    if x_shape[a] != y_shape[b] and None not in (x_shape[a], y_shape[b]):
        raise ValueError(
            f"batch_dot: axis {a} of x and axis {b} of y must have one extent. Received: shapes {x_shape}, {y_shape}"
        )
    if n <= 3 and m <= 3:
        first = ops.expand_dims(x, 1) if n == 2 else ops.moveaxis(x, a, 2)
        second = ops.expand_dims(y, 2) if m == 2 else ops.moveaxis(y, b, 1)
        product = ops.matmul(first, second)  # (batch, what is left of x, of y); of 2 axes, 1 is left
        gone = [axis for axis, axes_of_it in ((1, n), (2, m)) if axes_of_it == 2]
        return ops.squeeze(product, gone[:1]) if gone else product
    letters = "abcdefghijklmnopqrstuvwxyz"
    of_x, of_y = letters[:n], letters[0] + letters[n : n + m - 1]
    of_y = of_y[:b] + of_x[a] + of_y[b + 1 :]
    left = of_x[:a] + of_x[a + 1 :] + of_y[1:b] + of_y[b + 1 :]
    return ops.einsum(f"{of_x},{of_y}->{left}", x, y)


def bias_add(x, bias, data_format=None):
    """x + bias. bias: one number for each channel, or with all of x's axes but the batch's, channels last."""
    channels_last = channels_last_or_first("bias_add", data_format or image_data_format())
    n = ops.ndim(bias)
    if n not in (1, ops.ndim(x) - 1):
        raise ValueError(f"bias_add: `bias` must have 1 or {ops.ndim(x) - 1} axes. Received: shape {ops.shape(bias)}")
    if not channels_last and ops.ndim(x) > 2:
        bias = ops.reshape(bias, (-1,) + (1,) * (ops.ndim(x) - 2)) if n == 1 else ops.moveaxis(bias, -1, 0)
    return x + bias


def l2_normalize(x, axis=None):
    """x / its length along the axis, by default that of all elements."""
    return ops.normalize(x, axis, epsilon=1e-6)


# --- activations and losses ------------------------------------------------------------------------------------------


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """x where x >= threshold, alpha (x - threshold) below, and at most max_value."""
    simple = not alpha and not threshold
    y = ops.relu(x) if simple else ops.where(x >= threshold, x, alpha * (x - threshold))
    return y if max_value is None else ops.minimum(y, float(max_value))


def hard_sigmoid(x):
    """min(max(0.2 x + 0.5, 0), 1), as Keras 2 has it; that of Keras 3, fastkeras.ops.hard_sigmoid, is another."""
    return clip(0.2 * x + 0.5, 0.0, 1.0)


def dropout(x, level, noise_shape=None, seed=None):
    """0 with probability `level`, x / (1 - level) else."""
    return random.dropout(x, level, noise_shape, seed)


def binary_crossentropy(target, output, from_logits=False):
    """-t log(p) - (1 - t) log(1 - p), for each element."""
    return ops.binary_crossentropy(target, output, from_logits)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(t log(p)) along the axis."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """-log p(labels | y_pred), (n, 1), as ops.ctc_loss has it, for probabilities y_pred (n, T, C), the last class being
    the blank. y_true (n, L); how many steps of y_pred and labels of y_true count: both (n, 1)."""
    steps, labels = (np.asarray(value(count)).reshape(-1) for count in (input_length, label_length))
    blank = ops.shape(y_pred)[-1] - 1
    return ops.expand_dims(ops.ctc_loss(y_true, ops.log(y_pred + epsilon()), labels, steps, blank), 1)


def ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1):
    """([labels (n, T), -1 behind those of each sample], scores (n, 1)), as ops.ctc_decode has them: by the most
    probable class of each step, the last one being the blank. y_pred (n, T, C): probabilities; greedy must be True."""
    strategy = "greedy" if greedy else "beam_search"
    labels, scores = ops.ctc_decode(ops.log(y_pred + epsilon()), input_length, strategy, mask_index=-1)
    return [labels[0]], scores


def in_top_k(predictions, targets, k):
    """Whether the target is among the k largest predictions of its row."""
    return ops.in_top_k(targets, predictions, k)
