"""tf.nn."""

import numpy as np

from fastkeras import ops, random
from fastkeras.compat.tensorflow.functions import l2_normalize, sigmoid, softplus, softsign, tanh, top_k
from fastkeras.ops.windows import conv_transpose_to

__all__ = [
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "depthwise_conv2d",
    "dropout",
    "elu",
    "embedding_lookup",
    "gelu",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "moments",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
    "top_k",
]


def relu(features, name=None):
    """max(x, 0)"""
    return ops.relu(features)


def relu6(features, name=None):
    """min(max(x, 0), 6)"""
    return ops.relu6(features)


def leaky_relu(features, alpha=0.2, name=None):
    """x where it is positive, else alpha x."""
    return ops.leaky_relu(features, alpha)


def elu(features, name=None):
    """x where it is positive, else exp(x) - 1."""
    return ops.elu(features)


def selu(features, name=None):
    """ELU with the constants of Klambauer et al., arXiv 1706.02515."""
    return ops.selu(features)


def gelu(features, approximate=False, name=None):
    """x times the normal distribution function of x, or its approximation by tanh."""
    return ops.gelu(features, approximate)


def silu(features, beta=1.0):
    """x sigmoid(beta x)"""
    return ops.multiply(features, ops.sigmoid(ops.multiply(features, beta)))


swish = silu


def softmax(logits, axis=-1, name=None):
    """exp(x) / sum exp(x) along an axis."""
    return ops.softmax(logits, axis)


def log_softmax(logits, axis=-1, name=None):
    """The logarithm of softmax."""
    return ops.log_softmax(logits, axis)


def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """max(x, 0) - x z + log(1 + exp(-|x|)) for logits x and labels z, elementwise."""
    return ops.relu(logits) - ops.multiply(logits, labels) + ops.log1p(ops.exp(-ops.abs(logits)))


def softmax_cross_entropy_with_logits(labels, logits, axis=-1, name=None):
    """-sum of labels log softmax(logits) along an axis."""
    return -ops.sum(ops.multiply(labels, ops.log_softmax(logits, axis)), axis=axis)


def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    """-log softmax(logits) of the class that each label names."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def dropout(x, rate, noise_shape=None, seed=None, name=None):
    """0 with probability `rate`, else x / (1 - rate)."""
    return random.dropout(x, rate, noise_shape, seed)


def bias_add(value, bias, data_format=None, name=None):
    """A bias for each channel, which are on the last axis; with "NC..." on the second."""
    if data_format and data_format.startswith("NC"):
        bias = ops.reshape(bias, (1, -1, *[1] * (ops.ndim(value) - 2)))
    return ops.add(value, bias)


def moments(x, axes, shift=None, keepdims=False, name=None):
    """(mean, variance) over axes."""
    return ops.moments(x, tuple(np.atleast_1d(axes).tolist()), keepdims)


def embedding_lookup(params, ids, max_norm=None, name=None):
    """params[ids]"""
    if max_norm is not None:
        raise ValueError(f"tf.nn.embedding_lookup: `max_norm` must be None. Received: max_norm={max_norm!r}")
    return ops.take(params, ids, 0)


def l2_loss(t, name=None):
    """sum x^2 / 2"""
    return ops.sum(ops.square(t)) / 2


# --- windows ---------------------------------------------------------------------------------------------------------


def _numbers(given, x, data_format):
    """Extents or strides: one number for all axes of a window, or one for each, perhaps with those of the batch and the
    channels."""
    numbers = np.atleast_1d(given).tolist()
    if len(numbers) == ops.ndim(x):
        numbers = numbers[2:] if _order(data_format) == "channels_first" else numbers[1:-1]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def _order(data_format):
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


def _lower(padding):
    return padding.lower() if isinstance(padding, str) else padding


def conv2d(input, filters, strides, padding, data_format="NHWC", dilations=None, name=None):
    """The convolution of images (batch, rows, columns, channels), or "NCHW", as ops.conv has it."""
    strides = _numbers(strides, input, data_format)
    dilations = 1 if dilations is None else _numbers(dilations, input, data_format)
    return ops.conv(input, filters, strides, _lower(padding), _order(data_format), dilations)


def conv1d(input, filters, stride, padding, data_format="NWC", dilations=None, name=None):
    """The convolution of sequences (batch, steps, channels), or "NCW"."""
    return conv2d(input, filters, stride, padding, data_format, dilations)


def conv2d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NHWC", dilations=None, name=None
):
    """What conv2d with these filters (rows, columns, channels of the output, of the input) takes to give the input."""
    strides, dilations = (_numbers(1 if given is None else given, input, data_format) for given in (strides, dilations))
    who, order = "tf.nn.conv2d_transpose", _order(data_format)
    return conv_transpose_to(who, input, filters, output_shape, strides, _lower(padding), order, dilations)


def depthwise_conv2d(input, filter, strides, padding, data_format=None, dilations=None, name=None):
    """The convolution of each channel by itself, as ops.depthwise_conv has it."""
    strides = _numbers(strides, input, data_format)
    dilations = 1 if dilations is None else _numbers(dilations, input, data_format)
    return ops.depthwise_conv(input, filter, strides, _lower(padding), _order(data_format), dilations)


def max_pool(input, ksize, strides, padding, data_format=None, name=None):
    """The largest element of each window, ksize wide."""
    ksize, strides = (_numbers(given, input, data_format) for given in (ksize, strides))
    return ops.max_pool(input, ksize, strides, _lower(padding), _order(data_format))


def avg_pool(input, ksize, strides, padding, data_format=None, name=None):
    """The mean of each window, ksize wide, of what lies in `input` alone."""
    ksize, strides = (_numbers(given, input, data_format) for given in (ksize, strides))
    return ops.average_pool(input, ksize, strides, _lower(padding), _order(data_format))


max_pool1d = max_pool2d = max_pool
avg_pool1d = avg_pool2d = avg_pool
