"""Conv1D and Conv2D."""

from fastkeras import activations
from fastkeras._kernels import conv as kernel
from fastkeras.core.peaks import Peaks
from fastkeras.layers.core import positive_integer
from fastkeras.layers.filters import (
    check_channels,
    filtered,
    keep_windows,
    refuse_strides_with_dilation,
    spans,
    windows_config,
)
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import borders, check_places, output_extent, parts, whole


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
        kind = type(self).__name__
        self.filters = positive_integer(kind, "filters", filters)
        paddings = ("valid", "same", "causal")[: 4 - self.rank]
        keep_windows(self, paddings, kernel_size, strides, padding, data_format, dilation_rate)
        self.groups = positive_integer(kind, "groups", groups)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        if self.filters % self.groups:
            raise ValueError(
                f"{kind}: `filters` must be a multiple of `groups`. Received: filters={filters}, groups={groups}"
            )
        refuse_strides_with_dilation(self)

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        check_channels(self, input_shape, self.kernel.shape[-2] * self.groups if self.built else None, self.groups)
        check_places(self, input_shape, spans(self) if self.padding == "valid" else (1,) * self.rank)

    def build(self, input_shape):
        _, channels = parts(input_shape, self.data_format)
        self.kernel = self.add_weight_as_told("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_weight_as_told("bias", (self.filters,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        extents, _ = parts(input_shape, self.data_format)
        axes = zip(extents, spans(self), self.strides, strict=True)
        extents = [output_extent(n, window, stride, self.padding) for n, window, stride in axes]
        return whole(input_shape[0], extents, self.filters, self.data_format)

    # --- the pass --------------------------------------------------------------------------------------------------

    @property
    def takes_peaks(self):
        """Where y is enough to take gradients back through the activation. A window of a few floats alone takes less
        time in products with the whole of dz."""
        f = self.activation.kernel
        simple = f is not None and not f.rowwise and not f.needs_input and self.activity_regularizer is None
        return simple and self.data_format == "channels_last" and self.built and self.kernel.value[..., 0].size >= 32

    def forward(self, x, run):
        return filtered(self, x, run, self._sums)

    def _sums(self, x, f, run):
        """y = f(x * W + bias) for images x (B, H, W, C), as `filtered` wants it."""
        ones = (1,) * (2 - self.rank)
        W = self.kernel.value.reshape(ones + self.kernel.shape)
        geometry = ones + self.strides, ones + self.dilation_rate, self.groups
        axes = list(zip(x.shape[1:3], ones + spans(self), ones + self.strides, strict=True))
        padded, undo_padding = self._padded(x, axes, run)
        y_shape = (len(x), *(output_extent(*axis, self.padding) for axis in axes), self.filters)
        y = run.buffer("y", y_shape)
        z = run.buffer("z", y_shape) if f.needs_input else None
        kernel.forward(y, z, padded, W, self.bias.value if self.use_bias else None, *geometry, f)

        def undo(dz):
            dx = run.buffer("dpadded", padded.shape) if run.wants_dx else None
            dW = self.kernel.grad.reshape(W.shape) if run.trains else None
            if type(dz) is Peaks:
                kernel.backward_peaks(dx, dW, dz.values, dz.place, padded, None, W, *geometry)
            else:
                kernel.backward(dx, dW, dz, padded, W, *geometry)
            return None if dx is None else undo_padding(dx)

        return y, z, undo

    def _padded(self, x, axes, run):
        """x (B, H, W, C) with its border of zeros, and the way back for gradients. axes: (extent, window, stride)"""
        (top, bottom), (left, right) = (borders(*axis, self.padding) for axis in axes)
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

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **windows_config(self),
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
