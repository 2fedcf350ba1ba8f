"""Conv1D and Conv2D."""

import numpy as np

from fastkeras import activations
from fastkeras._kernels import activations as activation_kernel
from fastkeras._kernels import conv as kernel
from fastkeras._kernels import dense as dense_kernel
from fastkeras.core.rows import dense
from fastkeras.layers.core import positive_integer
from fastkeras.layers.layer import Layer

_LINEAR = activations.get("linear")
_AXES = {1: "(batch, steps, channels)", 2: "(batch, rows, columns, channels)"}


def per_axis(layer, name, value, rank):
    """A positive integer for each of `rank` axes, from one for all or a sequence."""
    values = (value,) * rank if np.ndim(value) == 0 else tuple(value)
    if len(values) != rank:
        raise ValueError(f"{layer}: `{name}` must be a positive integer or {rank} of them. Received: {name}={value!r}")
    return tuple(positive_integer(layer, name, v) for v in values)


def one_of(layer, name, value, known):
    """`value` in lower case; a ValueError that names layer and argument if it is none of `known`."""
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError(f"{layer}: `{name}` must be one of {', '.join(known)}. Received: {name}={value!r}")
    return value.lower()


def output_extent(n, window, stride, padding):
    """How many windows there are on an axis of n places (None: not known)."""
    if n is None:
        return None
    return -(-n // stride) if padding != "valid" else max(0, (n - window) // stride + 1)


def borders(n, window, stride, padding):
    """The places to add before and after an axis of n: for "same" as evenly as they go, the odd one at the end; for
    "causal" all before, so that no window looks ahead."""
    if padding == "valid":
        return 0, 0
    missing = max(0, (output_extent(n, window, stride, padding) - 1) * stride + window - n)
    return (window - 1, 0) if padding == "causal" else (missing // 2, missing - missing // 2)


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
        formats = ("channels_last", "channels_first")
        self.data_format = one_of(kind, "data_format", data_format or "channels_last", formats)
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
        return [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]

    def _parts(self, shape):
        """(the extents the window moves over, the number of channels) of a shape with its batch axis"""
        return (shape[1:-1], shape[-1]) if self.data_format == "channels_last" else (shape[2:], shape[1])

    def check_input_shape(self, input_shape):
        kind = type(self).__name__
        if len(input_shape) != self.rank + 2 or self._parts(input_shape)[1] is None:
            raise ValueError(
                f"Layer '{self.name}' ({kind}): expected an input of shape {_AXES[self.rank]} with a known number of "
                f"channels. Received: shape {tuple(input_shape)}"
            )
        extents, channels = self._parts(input_shape)
        if channels % self.groups or (self.built and channels != self.kernel.shape[-2] * self.groups):
            wanted = f"{self.kernel.shape[-2] * self.groups}" if self.built else f"a multiple of {self.groups}"
            raise ValueError(
                f"Layer '{self.name}' ({kind}): expected {wanted} input channels. Received: shape {tuple(input_shape)}"
            )
        if self.padding == "valid" and any(
            n is not None and n < w for n, w in zip(extents, self._windows(), strict=True)
        ):
            raise ValueError(
                f"Layer '{self.name}' ({kind}): a window of {tuple(self._windows())} must fit into the input. "
                f"Received: shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        channels = self._parts(input_shape)[1]
        self.kernel = self.add_weight_as_told("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_weight_as_told("bias", (self.filters,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        axes = zip(self._parts(input_shape)[0], self._windows(), self.strides, strict=True)
        extents = tuple(output_extent(n, window, stride, self.padding) for n, window, stride in axes)
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *extents)
        return (input_shape[0], *extents, self.filters)

    # --- the pass --------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        first = self.data_format == "channels_first"
        padded, undo_padding = self._padded(np.ascontiguousarray(np.moveaxis(x, 1, -1)) if first else x, run)
        W = self.kernel.value.reshape((1,) * (2 - self.rank) + self.kernel.shape)
        strides, dilation = ((1,) * (2 - self.rank) + given for given in (self.strides, self.dilation_rate))
        bias = self.bias.value if self.use_bias else None
        elementwise = self.activation.kernel is not None and not self.activation.kernel.rowwise
        f = self.activation.kernel if elementwise else _LINEAR.kernel
        y_shape = self.compute_output_shape(x.shape)
        if first:
            y_shape = (y_shape[0], *y_shape[2:], y_shape[1])
        images = (y_shape[0], *(1,) * (2 - self.rank), *y_shape[1:])
        y = run.buffer("y", images)
        z = run.buffer("z", images) if f.needs_input else None
        kernel.forward(y, z, padded, W, bias, strides, dilation, self.groups, f)  # y = f(x * W + bias)
        flat = y.reshape(-1, self.filters)
        y, undo = (flat, None) if elementwise else self._over_channels(flat, run)

        def backward(dy):
            dy = np.ascontiguousarray(np.moveaxis(dy, 1, -1)) if first else dy
            dy = dy.reshape(flat.shape)
            dz = run.buffer("dz", flat.shape)
            # forward: y = f(z)
            if elementwise:
                activation_kernel.backward(dz, dy, None if z is None else z.reshape(flat.shape), flat, f)
            else:
                dz = np.ascontiguousarray(undo(dy))
            # forward: z = x * W + bias
            dx = run.buffer("dpadded", padded.shape) if run.wants_dx else None
            dW = self.kernel.grad.reshape(W.shape) if run.trains else None
            kernel.backward(dx, dW, dz.reshape(images), padded, W, strides, dilation, self.groups)
            if run.trains and self.use_bias:
                dense_kernel.add_column_sums(self.bias.grad, dz)  # dbias += sum of dz over places
            if dx is None:
                return None
            dx = undo_padding(dx)
            return back(np.ascontiguousarray(np.moveaxis(dx, -1, 1)) if first else dx)

        y = y.reshape(y_shape)
        return (np.ascontiguousarray(np.moveaxis(y, -1, 1)) if first else y), backward

    def _padded(self, x, run):
        """x as images (B, H, W, C) with its border of zeros, and the way back for gradients."""
        shape = x.shape
        x = x.reshape(len(x), *(1,) * (2 - self.rank), *shape[1:])
        axes = zip(shape[1:-1], self._windows(), self.strides, strict=True)
        added = [(0, 0)] * (2 - self.rank) + [borders(n, w, s, self.padding) for n, w, s in axes]
        (top, bottom), (left, right) = added
        if not any((top, bottom, left, right)):
            return x, lambda dx: dx.reshape(shape)
        padded = run.buffer("padded", (len(x), x.shape[1] + top + bottom, x.shape[2] + left + right, x.shape[3]))
        kernel.pad(padded, x, top, left)

        def undo(dpadded):
            dx = run.buffer("dx", x.shape)
            kernel.crop(dx, dpadded, top, left)
            return dx.reshape(shape)

        return padded, undo

    def _over_channels(self, z, run):
        """y = activation(z) for activations that look at a whole row of channels, and the way back."""
        f = self.activation.kernel
        if f is None:
            return self.activation.forward(z)
        y = run.buffer("activated", z.shape)
        activation_kernel.forward(y, z, f)

        def undo(dy):
            dz = run.buffer("dz", z.shape)
            activation_kernel.backward(dz, dy, z, y, f)
            return dz

        return y, undo

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
