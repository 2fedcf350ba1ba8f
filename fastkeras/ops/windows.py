"""Convolution and pooling of any number of axes, as sums and maxima over the places of a window.

Arguments are Keras's. These are for layers of your own and small arrays: layers.Conv2D and layers.MaxPooling2D compute
the same by kernels of their own, several times faster.
"""

import functools
import itertools

import numpy as np

from fastkeras.core.tensor import add, getitem, matmul, operation, put_in_zeros, reshape, swapaxes, value
from fastkeras.core.windows import borders, output_extent, transposed_extent
from fastkeras.ops.elementwise import maximum
from fastkeras.ops.reductions import max as largest
from fastkeras.ops.reductions import mean
from fastkeras.ops.shapes import concatenate, front, moveaxis, pad, split
from fastkeras.utils.arguments import channels_last_or_first, per_axis

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "conv", "conv_transpose", "depthwise_conv",
    "max_pool", "separable_conv",
]  # fmt: skip


# --- arguments -------------------------------------------------------------------------------------------------------


def _kernel_shape(who, kernel):
    """(the window, the extents of the last two axes) of a kernel."""
    *window, inner, outer = np.shape(value(kernel)) if np.ndim(value(kernel)) > 2 else (None, None)
    if not window:
        raise ValueError(
            f"ops.{who}: `kernel` must have an axis at least for its window, then two for channels. "
            f"Received: shape {np.shape(value(kernel))}"
        )
    return window, inner, outer


def _pool_arguments(who, inputs, pool_size, strides):
    """(the window, its strides)"""
    rank = np.ndim(value(inputs)) - 2
    if rank < 1:
        raise ValueError(
            f"ops.{who}: `inputs` must have axes of samples and of channels, and one more at least. "
            f"Received: shape {np.shape(value(inputs))}"
        )
    window = per_axis(f"ops.{who}", "pool_size", pool_size, rank)
    return window, window if strides is None else per_axis(f"ops.{who}", "strides", strides, rank)


def _check_inputs(who, x, rank, channels, inputs, kernel):
    """x: the inputs with their channels last."""
    shape = np.shape(value(x))
    if len(shape) != rank + 2 or shape[-1] != channels:
        raise ValueError(
            f"ops.{who}: expected inputs with {rank + 2} axes and {channels} channels, as `kernel` has. "
            f"Received: shapes {np.shape(value(inputs))} and {np.shape(value(kernel))}"
        )


def _check_padding(who, padding):
    if padding not in ("valid", "same"):
        raise ValueError(f"ops.{who}: `padding` must be 'valid' or 'same'. Received: padding={padding!r}")


def _channels_last(who, function, x, data_format):
    """function(x) with x's channels last, whatever the data_format."""
    if data_format is None or channels_last_or_first(f"ops.{who}", data_format):
        return function(x)
    return moveaxis(function(moveaxis(x, 1, -1)), -1, 1)


# --- convolution -----------------------------------------------------------------------------------------------------


def places_of_windows(who, x, window, strides, padding, dilation):
    """For each place of the window, (its index, the elements of x that lie there, one for each window).

    x: channels last; zeros stand around it where padding is "same".
    """
    _check_padding(who, padding)
    extents = np.shape(value(x))[1:-1]
    reach = [(n - 1) * d + 1 for n, d in zip(window, dilation, strict=True)]
    margins = [borders(n, r, s, padding) for n, r, s in zip(extents, reach, strides, strict=True)]
    if any(map(any, margins)):
        x = pad(x, [(0, 0), *margins, (0, 0)])
        extents = np.shape(value(x))[1:-1]
    counts = [output_extent(n, r, s, "valid") for n, r, s in zip(extents, reach, strides, strict=True)]
    if min(counts) < 1:
        raise ValueError(f"ops.{who}: a window reaches over {reach} places. Received: an array of {list(extents)}")
    for index in itertools.product(*map(range, window)):
        starts = [i * d for i, d in zip(index, dilation, strict=True)]
        key = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, counts, strides, strict=True)]
        yield index, getitem(x, (slice(None), *key))


@operation
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """y_p = sum over the window's places q of x_{p stride + q dilation} kernel_q

    inputs: (batch, ..., channels), or channels_first; kernel: (..., channels, filters). padding: "valid", or "same".
    With g times the kernel's channels, the inputs are g groups of them, each with its part of the filters.
    """
    window, channels, filters = _kernel_shape("conv", kernel)
    rank = len(window)
    strides = per_axis("ops.conv", "strides", strides, rank)
    dilation = per_axis("ops.conv", "dilation_rate", dilation_rate, rank)

    def convolve(x, kernel):
        places = places_of_windows("conv", x, window, strides, padding, dilation)
        return sum(matmul(part, getitem(kernel, index)) for index, part in places)

    def grouped(x):
        groups = max(1, np.shape(value(x))[-1] // max(1, channels))
        if filters % groups:
            groups = 1
        _check_inputs("conv", x, rank, groups * channels, inputs, kernel)
        if groups == 1:
            return convolve(x, kernel)
        pairs = zip(split(x, groups, -1), split(kernel, groups, -1), strict=True)
        return concatenate([convolve(*pair) for pair in pairs], -1)

    return _channels_last("conv", grouped, inputs, data_format)


@operation
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """What `conv` would take to give the inputs: each of their places adds a window to the result, `strides` apart.

    inputs: (batch, ..., channels), or channels_first; kernel: (..., filters, channels), window = (its extent - 1)
    dilation_rate + 1 on an axis. There, n places become (n - 1) strides + max(window, strides) with padding "valid",
    n strides with "same"; given output_padding, (n - 1) strides + (window, or for "same" window % 2) + output_padding.
    """
    window, filters, channels = _kernel_shape("conv_transpose", kernel)
    rank = len(window)
    strides = per_axis("ops.conv_transpose", "strides", strides, rank)
    dilation = per_axis("ops.conv_transpose", "dilation_rate", dilation_rate, rank)
    extras = tuple(output_padding) if isinstance(output_padding, (tuple, list)) else (output_padding,) * rank
    _check_padding("conv_transpose", padding)

    def spread(x):
        _check_inputs("conv_transpose", x, rank, channels, inputs, kernel)
        extents = np.shape(value(x))[1:-1]
        kept, reached = [], []
        for n, k, s, d, extra in zip(extents, window, strides, dilation, extras, strict=True):
            reach = (k - 1) * d + 1
            full, count = (n - 1) * s + reach, transposed_extent(n, reach, s, padding, extra)
            start = max(0, full - count) // 2
            kept.append(slice(start, start + count))
            reached.append(max(full, start + count))
        y = 0
        for index in itertools.product(*map(range, window)):
            places = [
                slice(i * d, i * d + (n - 1) * s + 1, s)
                for i, d, n, s in zip(index, dilation, extents, strides, strict=True)
            ]
            part = matmul(x, swapaxes(getitem(kernel, index), 0, 1))
            y = y + put_in_zeros(part, (slice(None), *places), (part.shape[0], *reached, filters))
        return getitem(y, (slice(None), *kept))

    return _channels_last("conv_transpose", spread, inputs, data_format)


def conv_transpose_to(who, inputs, kernel, output_shape, strides, padding, data_format, dilation_rate=1):
    """`conv_transpose` with a result of output_shape, (batch, ..., filters) or channels_first: as `who` of Keras 2 and
    TensorFlow ask for it, by a shape whose `conv` has the extents of the inputs."""
    window = _kernel_shape("conv_transpose", kernel)[0]
    rank = len(window)
    strides, dilation = per_axis(who, "strides", strides, rank), per_axis(who, "dilation", dilation_rate, rank)
    first = 2 if data_format == "channels_first" else 1
    given = np.shape(inputs)[first : first + rank]
    wanted = [int(n) for n in output_shape[first : first + rank]]
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    axes = list(zip(wanted, given, reach, strides, strict=False))
    if len(axes) != rank or any(output_extent(want, r, s, padding) != n for want, n, r, s in axes):
        raise ValueError(
            f"{who}: with strides {strides} and padding {padding!r}, a convolution of the output must have the inputs' "
            f"extents {given}. Received: output_shape={tuple(output_shape)}"
        )
    extras = tuple(want - transposed_extent(n, r, s, padding, 0) for want, n, r, s in axes)
    return conv_transpose(inputs, kernel, strides, padding, extras, data_format, dilation_rate)


@operation
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """As `conv`, but each channel by itself. kernel: (..., channels, m) gives channels * m channels."""
    window, channels, m = _kernel_shape("depthwise_conv", kernel)
    rank = len(window)
    strides = per_axis("ops.depthwise_conv", "strides", strides, rank)
    dilation = per_axis("ops.depthwise_conv", "dilation_rate", dilation_rate, rank)

    def convolve(x):
        _check_inputs("depthwise_conv", x, rank, channels, inputs, kernel)
        places = places_of_windows("depthwise_conv", x, window, strides, padding, dilation)
        y = sum(part[..., None] * getitem(kernel, index) for index, part in places)
        return reshape(y, (*y.shape[:-2], channels * m))

    return _channels_last("depthwise_conv", convolve, inputs, data_format)


def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """`depthwise_conv`, then `conv` with a window of one place."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


# --- pooling ---------------------------------------------------------------------------------------------------------


def _pooled(who, function, x, window, strides, padding, outside):
    """function, of two arrays, over the places of each window, one axis after another.

    x: channels last. outside: what stands around x where padding is "same", and changes no result of the function.
    """
    _check_padding(who, padding)
    extents = np.shape(value(x))[1:-1]
    if min(extents) < 1 or (padding == "valid" and any(n < k for n, k in zip(extents, window, strict=True))):
        raise ValueError(
            f"ops.{who}: a window reaches over {list(window)} places. Received: an array of {list(extents)}"
        )
    for axis, (n, k, s) in reversed(list(enumerate(zip(extents, window, strides, strict=True), start=1))):
        count, (before, _) = output_extent(n, k, s, padding), borders(n, k, s, padding)
        last = (count - 1) * s  # where the last window begins, if the first does at 0
        first, end = max(0, before - last), min(k, n + before)  # the places with an element of x in some window
        margin = before - first, max(0, last + end - before - n)
        if any(margin):
            widths = [margin if a == axis else (0, 0) for a in range(len(extents) + 2)]
            x = pad(x, widths, constant_values=outside)
        keys = [(*front(axis, axis + 1), slice(i, i + last + 1, s)) for i in range(end - first)]
        x = functools.reduce(function, [getitem(x, key) for key in keys])
    return x


@operation
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest element of each window. strides: by default the window's extents."""
    window, strides = _pool_arguments("max_pool", inputs, pool_size, strides)

    kind = np.asarray(value(inputs)).dtype
    lowest = -np.inf if kind.kind == "f" else np.iinfo(kind).min

    def pool(x):
        return _pooled("max_pool", maximum, x, window, strides, padding, lowest)

    return _channels_last("max_pool", pool, inputs, data_format)


@operation
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, of what lies in `inputs` alone."""
    window, strides = _pool_arguments("average_pool", inputs, pool_size, strides)

    def total(x):
        return _pooled("average_pool", add, x, window, strides, padding, 0)

    def pool(x):
        inside = np.ones((1, *np.shape(value(x))[1:-1], 1), np.float32)
        return total(x) / total(inside)

    return _channels_last("average_pool", pool, inputs, data_format)


def _adaptive(who, function, inputs, output_size, data_format):
    """function, of an array and an axis, over output_size parts of each axis: of n places, part i of m has those from
    floor(i n / m) to ceil((i + 1) n / m) - 1."""
    rank = np.ndim(value(inputs)) - 2
    _pool_arguments(who, inputs, 1, None)
    counts = per_axis(f"ops.{who}", "output_size", output_size, rank)

    def pool(x):
        for axis, m in enumerate(counts, start=1):
            n = np.shape(value(x))[axis]
            keys = [(*front(axis, axis + 1), slice(i * n // m, -(-(i + 1) * n // m))) for i in range(m)]
            x = concatenate([function(getitem(x, key), axis, keepdims=True) for key in keys], axis)
        return x

    return _channels_last(who, pool, inputs, data_format)


@operation
def adaptive_average_pool(inputs, output_size, data_format=None):
    """The means of output_size parts of each axis, of nearly equal extents, which may overlap."""
    return _adaptive("adaptive_average_pool", mean, inputs, output_size, data_format)


@operation
def adaptive_max_pool(inputs, output_size, data_format=None):
    """The largest elements of output_size parts of each axis, of nearly equal extents, which may overlap."""
    return _adaptive("adaptive_max_pool", largest, inputs, output_size, data_format)
