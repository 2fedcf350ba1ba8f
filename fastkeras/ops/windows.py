"""Convolution and pooling of any number of axes, as sums and maxima over the places of a window.

Arguments are Keras's. These are for layers of your own and small arrays: layers.Conv2D and layers.MaxPooling2D compute
the same by kernels of their own, several times faster.
"""

import itertools

import numpy as np

from fastkeras.core.tensor import getitem, matmul, operation, put_in_zeros, reshape, swapaxes, value
from fastkeras.ops.elementwise import maximum
from fastkeras.ops.shapes import moveaxis, pad

__all__ = ["average_pool", "conv", "conv_transpose", "depthwise_conv", "max_pool", "separable_conv"]


def _per_axis(who, name, given, rank):
    """One positive integer for each axis, from one for all or a sequence."""
    numbers = (given,) * rank if isinstance(given, (int, np.integer)) else tuple(given)
    if len(numbers) != rank or any(n < 1 for n in numbers):
        raise ValueError(f"ops.{who}: `{name}` must be a positive integer or {rank} of them. Received: {given!r}")
    return numbers


def _places(who, x, window, strides, padding, dilation, outside):
    """For each place of the window, (its index, the elements of x that lie there, one for each window).

    x: channels last. outside: what stands around x where padding is "same".
    """
    extents = np.shape(value(x))[1:-1]
    reach = [(n - 1) * d + 1 for n, d in zip(window, dilation, strict=True)]
    if padding == "same":
        missing = [max(0, (-(-n // s) - 1) * s + r - n) for n, s, r in zip(extents, strides, reach, strict=True)]
        margins = [(m // 2, m - m // 2) for m in missing]
        if any(missing):
            x = pad(x, [(0, 0), *margins, (0, 0)], constant_values=outside)
        extents = [n + m for n, m in zip(extents, missing, strict=True)]
    elif padding != "valid":
        raise ValueError(f"ops.{who}: `padding` must be 'valid' or 'same'. Received: padding={padding!r}")
    counts = [(n - r) // s + 1 for n, r, s in zip(extents, reach, strides, strict=True)]
    if min(counts) < 1:
        raise ValueError(f"ops.{who}: a window reaches over {reach} places. Received: an array of {extents}")
    for index in itertools.product(*map(range, window)):
        starts = [i * d for i, d in zip(index, dilation, strict=True)]
        key = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, counts, strides, strict=True)]
        yield index, getitem(x, (slice(None), *key))


def _channels_last(who, function, x, data_format):
    """function(x) with x's channels last, whatever the data_format."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"ops.{who}: `data_format` must be 'channels_last' or 'channels_first'. Received: {data_format!r}"
        )
    if data_format != "channels_first":
        return function(x)
    return moveaxis(function(moveaxis(x, 1, -1)), -1, 1)


@operation
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """y_p = sum over the window's places q of x_{p stride + q dilation} kernel_q

    inputs: (batch, ..., channels), or channels_first; kernel: (..., channels, filters). padding: "valid", or "same".
    """
    *window, channels, _ = np.shape(value(kernel))
    rank = len(window)
    strides, dilation = (
        _per_axis("conv", "strides", strides, rank),
        _per_axis("conv", "dilation_rate", dilation_rate, rank),
    )

    def convolve(x):
        if np.ndim(value(x)) != rank + 2 or np.shape(value(x))[-1] != channels:
            raise ValueError(
                f"ops.conv: expected inputs with {rank + 2} axes and {channels} channels, as `kernel` has. "
                f"Received: shapes {np.shape(value(inputs))} and {np.shape(value(kernel))}"
            )
        places = _places("conv", x, window, strides, padding, dilation, 0)
        return sum(matmul(part, getitem(kernel, index)) for index, part in places)

    return _channels_last("conv", convolve, inputs, data_format)


@operation
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """What `conv` would take to give the inputs: each of their places adds a window to the result, `strides` apart.

    inputs: (batch, ..., channels), or channels_first; kernel: (..., filters, channels), window = (its extent - 1)
    dilation_rate + 1 on an axis. There, n places become (n - 1) strides + max(window, strides) with padding "valid",
    n strides with "same"; given output_padding, (n - 1) strides + (window, or for "same" window % 2) + output_padding.
    """
    *window, filters, channels = np.shape(value(kernel))
    rank = len(window)
    strides = _per_axis("conv_transpose", "strides", strides, rank)
    dilation = _per_axis("conv_transpose", "dilation_rate", dilation_rate, rank)
    extras = tuple(output_padding) if isinstance(output_padding, (tuple, list)) else (output_padding,) * rank
    if padding not in ("valid", "same"):
        raise ValueError(f"ops.conv_transpose: `padding` must be 'valid' or 'same'. Received: padding={padding!r}")

    def spread(x):
        extents = np.shape(value(x))[1:-1]
        if len(extents) != rank or np.shape(value(x))[-1] != channels:
            raise ValueError(
                f"ops.conv_transpose: expected inputs with {rank + 2} axes and {channels} channels, as `kernel` has. "
                f"Received: shapes {np.shape(value(inputs))} and {np.shape(value(kernel))}"
            )
        kept, reached = [], []
        for n, k, s, d, extra in zip(extents, window, strides, dilation, extras, strict=True):
            reach = (k - 1) * d + 1
            full = (n - 1) * s + reach
            if extra is None:
                count = n * s if padding == "same" else max(full, n * s)
            else:
                count = (n - 1) * s + (reach % 2 if padding == "same" else reach) + extra
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


@operation
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """As `conv`, but each channel by itself. kernel: (..., channels, m) gives channels * m channels."""
    *window, channels, m = np.shape(value(kernel))
    rank = len(window)
    strides = _per_axis("depthwise_conv", "strides", strides, rank)
    dilation = _per_axis("depthwise_conv", "dilation_rate", dilation_rate, rank)

    def convolve(x):
        places = _places("depthwise_conv", x, window, strides, padding, dilation, 0)
        y = sum(part[..., None] * getitem(kernel, index) for index, part in places)
        return reshape(y, (*y.shape[:-2], channels * m))

    return _channels_last("depthwise_conv", convolve, inputs, data_format)


def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """`depthwise_conv`, then `conv` with a window of one place."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


@operation
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest element of each window. strides: by default the window's extents."""
    rank = np.ndim(value(inputs)) - 2
    window = _per_axis("max_pool", "pool_size", pool_size, rank)
    strides = window if strides is None else _per_axis("max_pool", "strides", strides, rank)

    def pool(x):
        places = [part for _, part in _places("max_pool", x, window, strides, padding, (1,) * rank, -np.inf)]
        y = places[0]
        for part in places[1:]:
            y = maximum(y, part)
        return y

    return _channels_last("max_pool", pool, inputs, data_format)


@operation
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, of what lies in `inputs` alone."""
    rank = np.ndim(value(inputs)) - 2
    window = _per_axis("average_pool", "pool_size", pool_size, rank)
    strides = window if strides is None else _per_axis("average_pool", "strides", strides, rank)

    def total(x):
        return sum(part for _, part in _places("average_pool", x, window, strides, padding, (1,) * rank, 0))

    def pool(x):
        inside = np.ones((1, *np.shape(value(x))[1:-1], 1), np.float32)
        return total(x) / total(inside)

    return _channels_last("average_pool", pool, inputs, data_format)
