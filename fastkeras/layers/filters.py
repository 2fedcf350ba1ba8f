"""What convolutions of all kinds share: the arguments of their windows, and the pass around their sums."""

import numpy as np

from fastkeras import activations
from fastkeras._kernels import activations as activation_kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras.core.peaks import Peaks, Unpooled
from fastkeras.core.rows import Rows, dense
from fastkeras.layers.windows import as_images, check_axes, checked_format, from_images, one_of, parts
from fastkeras.utils.arguments import per_axis
from fastkeras.utils.messages import message, names_of

_LINEAR = activations.get("linear")


# --- arguments -------------------------------------------------------------------------------------------------------


def keep_windows(layer, paddings, kernel_size, strides, padding, data_format, dilation_rate):
    """Keeps what __init__ was told about the windows, checked, under Keras's names; `paddings` are those there are."""
    kind, rank = type(layer).__name__, layer.rank
    layer.kernel_size = per_axis(kind, "kernel_size", kernel_size, rank)
    layer.strides = per_axis(kind, "strides", strides, rank)
    layer.padding = one_of(kind, "padding", padding, paddings)
    layer.data_format = checked_format(kind, data_format)
    layer.dilation_rate = per_axis(kind, "dilation_rate", dilation_rate, rank)


def windows_config(layer):
    """The part of get_config that tells about windows."""
    return {
        "kernel_size": layer.kernel_size,
        "strides": layer.strides,
        "padding": layer.padding,
        "data_format": layer.data_format,
        "dilation_rate": layer.dilation_rate,
    }


def refuse_strides_with_dilation(layer):
    """Raises a ValueError that names the layer if both are above 1."""
    if max(layer.strides) > 1 and max(layer.dilation_rate) > 1:
        raise ValueError(
            f"{type(layer).__name__}: `strides` and `dilation_rate` must not both be above 1. "
            f"Received: strides={layer.strides}, dilation_rate={layer.dilation_rate}"
        )


def spans(layer):
    """The places a window spans on each axis."""
    return tuple([(k - 1) * d + 1 for k, d in zip(layer.kernel_size, layer.dilation_rate, strict=True)])


# --- shapes ----------------------------------------------------------------------------------------------------------


def check_channels(layer, input_shape, built_for=None, multiple=1):
    """Raises a ValueError that names the layer if a shape has other axes, or channels that do not fit.

    built_for: how many channels the layer's weights were made for, if they are there; multiple: of what their number
    must be one.
    """
    check_axes(layer, input_shape)
    fields = {**names_of(layer), "received": tuple(input_shape)}
    _, channels = parts(input_shape, layer.data_format)
    if channels is None:
        raise ValueError(message("channels_unknown", **fields))
    if built_for not in (None, channels):
        raise ValueError(message("channels_for_layer", count=built_for, **fields))
    if channels % multiple:
        raise ValueError(message("channels_in_groups", groups=multiple, **fields))


# --- the pass --------------------------------------------------------------------------------------------------------


def filtered(layer, x, run, sums, sums_of_rows=None):
    """(y, backward) of y = activation(z), where z, the layer's sums and its bias, has its channels last.

    sums(images, f, run) returns (y, z, undo) for images (B, H, W, C) and an elementwise f: y = f(z) (B, OH, OW, N); z,
    or None if f has no need of it; and undo(dz), which adds to the gradients of the weights, but for the bias, and
    returns that of the images, or None if it is not wanted. Where run.unpooled allows it, y may be Unpooled, and then
    dz may be Peaks.
    sums_of_rows: the same for images that are Rows with an index (B, H, W), where that pays; undo returns the gradient
    of their values.
    """
    layer.check_input_shape(x.shape)
    axes, kind = (layer.rank, layer.data_format), layer.activation.kernel
    elementwise = kind is not None and not kind.rowwise
    f = kind if elementwise else _LINEAR.kernel
    if sums_of_rows is None:
        x, back = dense(x, run)
        y, z, undo_sums = sums(as_images(x, *axes), f, run)
    else:
        y, z, undo_sums = sums_of_rows(Rows(x.values, as_images(x.index, layer.rank, "channels_last")), f, run)
    out, undo = y if type(y) is Unpooled else from_images(y, *axes), None
    if not elementwise:
        out, undo = _over_last_axis(layer.activation, out, run)
    pixels = (-1, y.shape[-1])

    def backward(dy):
        peaks = dy if type(dy) is Peaks else None
        if peaks is not None:
            dy, y_there = peaks.values, peaks.maxima
        else:
            y_there = y.array() if type(y) is Unpooled else y
            dy = as_images(dy if elementwise else undo(dy), *axes)
        # forward: y = f(z)
        dz = dy = dy.reshape(pixels)
        if f is not _LINEAR.kernel:
            dz = run.buffer("dz", dy.shape)
            activation_kernel.backward(dz, dy, None if z is None else z.reshape(pixels), y_there.reshape(pixels), f)
        # forward: z = sums + bias
        if run.trains and layer.use_bias:
            dense_kernel.add_column_sums(layer.bias.grad, dz)  # dbias += sum of dz over places
        dz = dz.reshape(y_there.shape)
        dx = undo_sums(dz if peaks is None else Peaks(dz, y_there, peaks.place, peaks.geometry))
        return dx if dx is None or sums_of_rows is not None else back(from_images(dx, *axes))

    return out, backward


def _over_last_axis(activation, z, run):
    """y = activation(z) for those that look at a whole row, and the way back. The row is the last axis, which is the
    channels or, with "channels_first", a row of places, as in Keras."""
    f, rows = activation.kernel, z.reshape(-1, z.shape[-1])
    if f is None:
        y, undo = activation.forward(rows)
        return y.reshape(z.shape), lambda dy: np.ascontiguousarray(undo(dy.reshape(rows.shape))).reshape(z.shape)
    y = run.buffer("activated", rows.shape)
    activation_kernel.forward(y, rows, f)

    def undo(dy):
        dz = run.buffer("dz", rows.shape)
        activation_kernel.backward(dz, dy.reshape(rows.shape), rows, y, f)
        return dz.reshape(z.shape)

    return y.reshape(z.shape), undo
