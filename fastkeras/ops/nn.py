"""The functions of neural networks: activations, crossentropies, moments; and as Keras has them here, windows and CTC.

An activation of float32 is our kernel, forward and back. Its formula in ops stands in for it where the kernel does not
reach: for float64, and within two tapes, where gradients must have gradients.
"""

import functools
import math

import numpy as np

from fastkeras._kernels import activations as kernels
from fastkeras.core.tensor import (
    Tensor,
    absolute,
    computed,
    log,
    made,
    mean_over,
    operation,
    reshape,
    sum_over,
    tapes,
    value,
    where,
)
from fastkeras.ops.blocks import depth_to_space, fold, space_to_depth, unfold
from fastkeras.ops.ctc import ctc_decode, ctc_loss
from fastkeras.ops.elementwise import clip, erf, exp, expm1, log1p, log10, maximum, minimum, rsqrt, sqrt, square, tanh
from fastkeras.ops.indexing import one_hot, take_along_axis
from fastkeras.ops.products import einsum
from fastkeras.ops.reductions import logsumexp, norm
from fastkeras.ops.shapes import moveaxis, split, squeeze
from fastkeras.ops.windows import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    conv,
    conv_transpose,
    depthwise_conv,
    max_pool,
    separable_conv,
)

EPSILON = 1e-7  # what Keras adds where a logarithm would meet 0
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@functools.cache
def _kernel(name, *numbers):
    return kernels.Activation(name, *numbers)


def _activation(name, numbers, formula, x):
    array = np.asarray(value(x))
    if array.dtype == np.float64 or len(tapes.recording) > 1:
        return formula(x)
    kernel, array = _kernel(name, *numbers), np.asarray(array, np.float32, order="C")
    y = np.empty(array.shape, np.float32)
    kernels.forward(y, array, kernel)
    return computed(y, (lambda d, y, x: _slope(d, y, x, kernel),), (x,), (array,))


def _slope(d, y, x, kernel):
    """What comes back through a kernel for d."""
    if isinstance(d, Tensor):
        raise NotImplementedError(
            f"ops.{kernel.name}: for a gradient of its gradient, compute it within two tapes, one inside the other"
        )
    dx = np.empty(x.shape, np.float32)
    kernels.backward(dx, np.asarray(d, np.float32, order="C"), x, y, kernel)
    return dx


@operation
def relu(x):
    """max(x, 0)"""
    return _activation("relu", (), lambda x: x * (value(x) > 0), x)


@operation
def leaky_relu(x, negative_slope=0.2):
    """x where x > 0, negative_slope x elsewhere."""
    return _activation("leaky_relu", (negative_slope,), lambda x: where(value(x) > 0, x, x * negative_slope), x)


@operation
def relu6(x):
    """min(max(x, 0), 6)"""
    return _activation("relu6", (), lambda x: x * ((value(x) > 0) & (value(x) < 6)) + 6 * (value(x) >= 6), x)


@operation
def elu(x, alpha=1.0):
    """x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert et al., arXiv 1511.07289)."""
    return _activation("elu", (alpha,), lambda x: where(value(x) > 0, x, alpha * expm1(minimum(x, 0.0))), x)


@operation
def selu(x):
    """1.0507 elu(x, 1.6733) (Klambauer et al., arXiv 1706.02515)."""
    return _activation("selu", (), lambda x: _SELU_SCALE * elu(x, _SELU_ALPHA), x)


@operation
def celu(x, alpha=1.0):
    """max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1) (Barron, arXiv 1704.07483)."""
    return _activation("celu", (alpha,), lambda x: where(value(x) > 0, x, alpha * expm1(minimum(x, 0.0) / alpha)), x)


@operation
def sigmoid(x):
    """1 / (1 + exp(-x))"""
    return _activation("sigmoid", (), lambda x: 0.5 * (1 + tanh(0.5 * x)), x)


@operation
def silu(x):
    """x sigmoid(x), also called swish (Ramachandran et al., arXiv 1710.05941)."""
    return _activation("silu", (), lambda x: x * sigmoid(x), x)


@operation
def gelu(x, approximate=True):
    """x P(X <= x) for a normal X, or its approximation by tanh (Hendrycks and Gimpel, arXiv 1606.08415)."""
    if approximate:
        root = math.sqrt(2 / math.pi)
        return _activation("gelu_tanh", (), lambda x: 0.5 * x * (1 + tanh(root * (x + 0.044715 * x**3))), x)
    return _activation("gelu", (), lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))), x)


@operation
def softplus(x):
    """log(1 + exp(x))"""
    return _activation("softplus", (), lambda x: maximum(x, 0.0) + log1p(exp(-absolute(x))), x)


@operation
def softsign(x):
    """x / (1 + |x|)"""
    return _activation("softsign", (), lambda x: x / (1 + absolute(x)), x)


@operation
def log_sigmoid(x):
    """log(sigmoid(x))"""
    return _activation("log_sigmoid", (), lambda x: -softplus(-x), x)


@operation
def hard_sigmoid(x):
    """min(max(x + 3, 0), 6) / 6"""
    return _activation("hard_sigmoid", (), lambda x: relu6(x + 3) / 6, x)


@operation
def hard_silu(x):
    """x hard_sigmoid(x), also called hard_swish (Howard et al., arXiv 1905.02244)."""
    return _activation("hard_silu", (), lambda x: x * hard_sigmoid(x), x)


@operation
def mish(x):
    """x tanh(softplus(x)) (Misra, arXiv 1908.08681)."""
    return _activation("mish", (), lambda x: x * tanh(softplus(x)), x)


@operation
def tanh_shrink(x):
    """x - tanh(x)"""
    return _activation("tanh_shrink", (), lambda x: x - tanh(x), x)


@operation
def hard_tanh(x):
    """min(max(x, -1), 1)"""
    return _activation("hard_tanh", (), lambda x: clip(x, -1, 1), x)


@operation
def hard_shrink(x, threshold=0.5):
    """x where |x| > threshold, 0 elsewhere."""
    return _activation("hard_shrink", (threshold,), lambda x: x * (np.abs(value(x)) > threshold), x)


@operation
def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by the threshold, and 0 where |x| is not above it."""
    return _activation("soft_shrink", (threshold,), lambda x: x - clip(x, -threshold, threshold), x)


@operation
def threshold(x, threshold, default_value):
    """x where x > threshold, default_value elsewhere."""
    return _activation(
        "threshold", (threshold, default_value), lambda x: where(value(x) > threshold, x, default_value), x
    )


@operation
def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2 (Barron, arXiv 2112.11687)."""
    return _activation("squareplus", (b,), lambda x: (x + sqrt(square(x) + b)) / 2, x)


@operation
def sparse_plus(x):
    """0 up to x = -1, x from x = 1 on, (x + 1)^2 / 4 between."""
    return _activation("sparse_plus", (), lambda x: where(value(x) >= 1, x, square(x + 1) / 4 * (value(x) > -1)), x)


@operation
def sparse_sigmoid(x):
    """min(max((x + 1) / 2, 0), 1) (Blondel et al., arXiv 1901.02324)."""
    return _activation("sparse_sigmoid", (), lambda x: clip((x + 1) / 2, 0, 1), x)


@operation
def glu(x, axis=-1):
    """a sigmoid(b), a and b being the halves of x along the axis (Dauphin et al., arXiv 1612.08083)."""
    a, b = split(x, 2, axis)
    return a * sigmoid(b)


@operation
def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along the axis: positive, with sum 1."""
    array = np.asarray(value(x))
    if axis in (-1, array.ndim - 1) and array.dtype == np.float32 and len(tapes.recording) < 2:
        return _activation("softmax", (), softmax, x)
    y = np.exp(array - array.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return made(y, (x, lambda d, y: y * (d - (d * y).sum(axis=axis, keepdims=True))))


@operation
def log_softmax(x, axis=-1):
    """log(softmax(x)) along the axis."""
    if axis in (-1, np.ndim(value(x)) - 1):
        return _activation("log_softmax", (), lambda x: x - logsumexp(x, -1, keepdims=True), x)
    return x - logsumexp(x, axis, keepdims=True)


def _sparsemax(x):
    """Along the last axis: tau = (the sum of the largest k elements - 1) / k, for the largest k with all above tau."""
    array = np.asarray(value(x))
    ordered = -np.sort(-array, axis=-1)
    k = np.count_nonzero(1 + np.arange(1, array.shape[-1] + 1) * ordered > np.cumsum(ordered, -1), -1, keepdims=True)
    inside = array >= np.take_along_axis(ordered, k - 1, -1)
    return (x - (sum_over(x * inside, -1, keepdims=True) - 1) / k.astype(array.dtype)) * inside


@operation
def sparsemax(x, axis=-1):
    """max(x - tau, 0) along the axis, tau being what makes the sum 1 (Martins and Astudillo, arXiv 1602.02068)."""
    return moveaxis(_activation("sparsemax", (), _sparsemax, moveaxis(x, axis, -1)), -1, axis)


swish, hard_swish = silu, hard_silu

# --- losses ----------------------------------------------------------------------------------------------------------


def _same_shapes(who, target, output):
    if np.shape(value(target)) != np.shape(value(output)):
        raise ValueError(
            f"ops.{who}: `target` and `output` must have one shape. "
            f"Received: {np.shape(value(target))} and {np.shape(value(output))}"
        )


@operation
def binary_crossentropy(target, output, from_logits=False):
    """-t log(p) - (1 - t) log(1 - p), for each element. output: p, cut to [1e-7, 1 - 1e-7], or its logit."""
    _same_shapes("binary_crossentropy", target, output)
    if from_logits:
        return maximum(output, 0.0) - output * target + log1p(exp(-absolute(output)))
    p = clip(output, EPSILON, 1 - EPSILON)
    return -(target * log(p)) - (1.0 - target) * log(1.0 - p)


def _log_probabilities(output, from_logits, axis):
    if from_logits:
        return log_softmax(output, axis)
    return log(clip(output / sum_over(output, axis, keepdims=True), EPSILON, 1 - EPSILON))


@operation
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(t log(p)) along the axis. output: probabilities, brought to sum 1 and cut to [1e-7, 1 - 1e-7], or logits."""
    _same_shapes("categorical_crossentropy", target, output)
    return -sum_over(target * _log_probabilities(output, from_logits, axis), axis)


@operation
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log(p_t) along the axis, p as in categorical_crossentropy. target: the classes t, without that axis."""
    target = np.asarray(value(target))
    if target.ndim == np.ndim(value(output)) and target.shape[-1] == 1:
        target = target[..., 0]
    places = np.expand_dims(target.astype(np.intp), axis)
    logs = _log_probabilities(output, from_logits, axis)
    return -squeeze(take_along_axis(logs, places, axis), axis)


# --- scales ----------------------------------------------------------------------------------------------------------


@operation
def normalize(x, axis=-1, order=2, epsilon=1e-12):
    """x / max(its norm along the axis, epsilon)"""
    if order == 2:
        return x / sqrt(maximum(sum_over(square(x), axis, keepdims=True), epsilon**2))
    return x / maximum(norm(x, order, axis, keepdims=True), epsilon)


@operation
def moments(x, axes, keepdims=False, synchronized=False):
    """(the mean, the variance) over the axes"""
    mean = mean_over(x, axes, keepdims=True)
    variance = mean_over(square(x - mean), axes, keepdims)
    return mean if keepdims else squeeze(mean, axes), variance


def _along_axis(parameter, x, axis):
    """A parameter (n,) of an axis in the shape that fits x."""
    extents = [1] * np.ndim(value(x))
    extents[axis] = -1
    return reshape(parameter, extents)


@operation
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """scale (x - mean) / sqrt(variance + epsilon) + offset, all of them (n,) for the axis."""
    factor = rsqrt(_along_axis(variance, x, axis) + epsilon)
    y = (x - _along_axis(mean, x, axis)) * (factor if scale is None else factor * _along_axis(scale, x, axis))
    return y if offset is None else y + _along_axis(offset, x, axis)


@operation
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False):
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, with the mean and the variance over the axes of each sample.

    rms_scaling: gamma x / sqrt(variance + epsilon) instead. epsilon: 1e-7 by default.
    """
    epsilon = EPSILON if epsilon is None else epsilon
    mean, variance = moments(x, axis, keepdims=True)
    if rms_scaling:
        y = x * rsqrt(variance + epsilon)
        return y if gamma is None else y * gamma
    y = (x - mean) * rsqrt(variance + epsilon)
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


@operation
def rms_normalization(x, scale=1, axis=-1, epsilon=None):
    """scale x / sqrt(mean(x^2) + epsilon) over the axes (Zhang and Sennrich, arXiv 1910.07467). epsilon: 1e-7."""
    return x * rsqrt(mean_over(square(x), axis, keepdims=True) + (EPSILON if epsilon is None else epsilon)) * scale


@operation
def dot_product_attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False):
    """softmax(scale query key^T + bias) value for each head (Vaswani et al., arXiv 1706.03762).

    query: (batch, T, heads, n), key and value: (batch, S, heads, n). bias, and mask, False where a query may not look,
    broadcast to (batch, heads, T, S). scale: 1 / sqrt(n) by default. is_causal: query t looks at keys 0 to t.
    """
    scores = einsum("bthn,bshn->bhts", query, key)
    scores = scores * (1 / math.sqrt(np.shape(query)[-1]) if scale is None else scale)
    if bias is not None:
        scores = scores + bias
    may = np.True_ if mask is None else np.asarray(mask, bool)
    if is_causal:
        may = may & np.tri(*scores.shape[-2:], dtype=bool)
    if may is not np.True_:
        scores = where(may, scores, float(np.finfo(np.float32).min) / 2)
    return einsum("bhts,bshn->bthn", softmax(scores), value)


@operation
def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in decibels: 10 log10(max_val^2 / mean((x1 - x2)^2))"""
    return 20 * math.log10(max_val) - 10 * log10(mean_over(square(x1 - x2)))


@operation
def multi_hot(inputs, num_classes, axis=-1, dtype=None):
    """1 at each of the places that the last axis of the inputs names, 0 elsewhere."""
    hot = np.asarray(value(one_hot(inputs, num_classes))).max(axis=-2)
    return made(np.moveaxis(hot, -1, axis).astype(dtype or np.float32))


__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "batch_normalization", "binary_crossentropy",
    "categorical_crossentropy", "celu", "conv", "conv_transpose", "ctc_decode", "ctc_loss", "depth_to_space",
    "depthwise_conv", "dot_product_attention", "elu", "fold", "gelu", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax",
    "max_pool", "mish", "moments", "multi_hot", "normalize", "one_hot", "psnr", "relu", "relu6", "rms_normalization",
    "selu", "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "space_to_depth",
    "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish",
    "tanh_shrink", "threshold", "unfold",
]  # fmt: skip
