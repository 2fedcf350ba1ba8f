"""Conv1D and Conv2D."""

import numpy as np

from fastkeras import activations
from fastkeras._kernels import activations as activation_kernel
from fastkeras._kernels import conv as kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras.core.rows import dense
from fastkeras.layers.core import positive_integer
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import (
    as_images,
    borders,
    check_axes,
    check_places,
    checked_format,
    from_images,
    one_of,
    output_extent,
    parts,
    per_axis,
    whole,
)

_LINEAR = activations.get("linear")


class Conv(Layer):
    """y = activation(x * kernel + bias), the convolution (a correlation, as everywhere in this field) over `rank` axes.

    The window of kernel_size places, dilation_rate apart, moves by `strides` over x; at each place its input channels
    meet all filters of their group. padding "valid" keeps to x, "same" adds zeros so that there is a window for each
    `strides` places, "causal" (one axis only) adds them in front. data_format "channels_first" takes and gives the
    channels on axis 1.
    """

    rank = None

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind, rank = type(self).__name__, self.rank
        self.filters = positive_integer(kind, "filters", filters)
        self.kernel_size = per_axis(kind, "kernel_size", kernel_size, rank)
        self.strides = per_axis(kind, "strides", strides, rank)
        self.padding = one_of(kind, "padding", padding, ("valid", "same", "causal")[: 4 - rank])
        self.data_format = checked_format(kind, data_format)
        self.dilation_rate = per_axis(kind, "dilation_rate", dilation_rate, rank)
        self.groups = positive_integer(kind, "groups", groups)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        if self.filters % self.groups:
            raise ValueError(
                f"{kind}: `filters` must be a multiple of `groups`. Received: filters={filters}, groups={groups}"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{kind}: `strides` and `dilation_rate` must not both be above 1. "
                f"Received: strides={strides}, dilation_rate={dilation_rate}"
            )

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def _windows(self):
        """The places a window spans on each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    def check_input_shape(self, input_shape):
        check_axes(self, input_shape)
        kind, (_, channels) = type(self).__name__, parts(input_shape, self.data_format)
        if channels is None:
            raise ValueError(
                f"Layer '{self.name}' ({kind}): the number of input channels must be known. "
                f"Received: shape {tuple(input_shape)}"
            )
        if channels % self.groups or (self.built and channels != self.kernel.shape[-2] * self.groups):
            wanted = f"{self.kernel.shape[-2] * self.groups}" if self.built else f"a multiple of {self.groups}"
            raise ValueError(
                f"Layer '{self.name}' ({kind}): expected {wanted} input channels. Received: shape {tuple(input_shape)}"
            )
        check_places(self, input_shape, self._windows() if self.padding == "valid" else (1,) * self.rank)

    def build(self, input_shape):
        _, channels = parts(input_shape, self.data_format)
        self.kernel = self.add_weight_as_told("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_weight_as_told("bias", (self.filters,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        extents, _ = parts(input_shape, self.data_format)
        axes = zip(extents, self._windows(), self.strides, strict=True)
        extents = [output_extent(n, window, stride, self.padding) for n, window, stride in axes]
        return whole(input_shape[0], extents, self.filters, self.data_format)

    # --- the pass --------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        axes = self.rank, self.data_format
        padded, undo_padding = self._padded(as_images(x, *axes), run)
        ones = (1,) * (2 - self.rank)
        W = self.kernel.value.reshape(ones + self.kernel.shape)
        geometry = ones + self.strides, ones + self.dilation_rate, self.groups
        extents, _ = parts(self.compute_output_shape(x.shape), self.data_format)
        y_shape = (len(x), *ones, *extents, self.filters)
        elementwise = self.activation.kernel is not None and not self.activation.kernel.rowwise
        f = self.activation.kernel if elementwise else _LINEAR.kernel
        y = run.buffer("y", y_shape)
        z = run.buffer("z", y_shape) if f.needs_input else None
        bias = self.bias.value if self.use_bias else None
        kernel.forward(y, z, padded, W, bias, *geometry, f)  # y = f(x * W + bias)
        out, undo = from_images(y, *axes), None
        if not elementwise:
            out, undo = self._over_last_axis(out, run)
        pixels = (-1, self.filters)

        def backward(dy):
            dy = as_images(dy if elementwise else undo(dy), *axes).reshape(pixels)
            # forward: y = f(z)
            dz = dy
            if f is not _LINEAR.kernel:
                dz = run.buffer("dz", dy.shape)
                z_or_null = None if z is None else z.reshape(pixels)
                activation_kernel.backward(dz, dy, z_or_null, y.reshape(pixels), f)
            # forward: z = x * W + bias
            dx = run.buffer("dpadded", padded.shape) if run.wants_dx else None
            dW = self.kernel.grad.reshape(W.shape) if run.trains else None
            kernel.backward(dx, dW, dz.reshape(y_shape), padded, W, *geometry)
            if run.trains and self.use_bias:
                dense_kernel.add_column_sums(self.bias.grad, dz)  # dbias += sum of dz over places
            return None if dx is None else back(from_images(undo_padding(dx), *axes))

        return out, backward

    def _padded(self, x, run):
        """x (B, H, W, C) with its border of zeros, and the way back for gradients."""
        axes = zip(x.shape[3 - self.rank : 3], self._windows(), self.strides, strict=True)
        added = [(0, 0)] * (2 - self.rank) + [borders(n, w, s, self.padding) for n, w, s in axes]
        (top, bottom), (left, right) = added
        if not any((top, bottom, left, right)):
            return x, lambda dx: dx
        B, H, W, C = x.shape
        padded = run.buffer("padded", (B, H + top + bottom, W + left + right, C))
        kernel.pad(padded, x, top, left)

        def undo(dpadded):
            dx = run.buffer("dx", (B, H, W, C))
            kernel.crop(dx, dpadded, top, left)
            return dx

        return padded, undo

    def _over_last_axis(self, z, run):
        """y = activation(z) for those that look at a whole row, and the way back. The row is the last axis, which is
        the channels or, with "channels_first", a row of places, as in Keras."""
        f, rows = self.activation.kernel, z.reshape(-1, z.shape[-1])
        if f is None:
            y, undo = self.activation.forward(rows)
            return y.reshape(z.shape), lambda dy: np.ascontiguousarray(undo(dy.reshape(rows.shape))).reshape(z.shape)
        y = run.buffer("activated", rows.shape)
        activation_kernel.forward(y, rows, f)

        def undo(dy):
            dz = run.buffer("dz", rows.shape)
            activation_kernel.backward(dz, dy.reshape(rows.shape), rows, y, f)
            return dz.reshape(z.shape)

        return y.reshape(z.shape), undo

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("kernel", "bias"),
        }


class Conv1D(Conv):
    """The convolution over sequences: x (B, T, channels), kernel (kernel_size, channels / groups, filters).

    Arguments: those of keras.layers.Conv1D; what they mean is told in Conv.
    """

    rank = 1


class Conv2D(Conv):
    """The convolution over images: x (B, H, W, channels), kernel (rows, columns, channels / groups, filters).

    Arguments: those of keras.layers.Conv2D; what they mean is told in Conv.
    """

    rank = 2


Convolution1D, Convolution2D = Conv1D, Conv2D
