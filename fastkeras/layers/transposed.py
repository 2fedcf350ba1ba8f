"""Conv1DTranspose and Conv2DTranspose."""

import numpy as np

from fastkeras import activations
from fastkeras._kernels import conv as conv_kernel
from fastkeras._kernels import transposed as kernel
from fastkeras.core.windows import transposed_extent
from fastkeras.layers.filters import (
    check_channels,
    filtered,
    keep_windows,
    refuse_strides_with_dilation,
    spans,
    windows_config,
)
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import check_places, parts, whole
from fastkeras.utils.arguments import positive_integer

_LINEAR = activations.get("linear").kernel


class ConvTranspose(Layer):
    """y = activation(what the convolution with this kernel would take to give x, + bias), over `rank` axes.

    Each place of x adds a window of kernel_size places, dilation_rate apart, to y, and the windows of neighbours lie
    `strides` apart: the way back of Conv, which is how decoders and generators make images grow (Zeiler et al.,
    Deconvolutional Networks, 2010). With n places of x on an axis, y has, where window = (kernel_size - 1)
    dilation_rate + 1,

        padding "valid"    (n - 1) strides + max(window, strides)
        padding "same"     n strides: of the places that windows reach, as many are left out in front as behind
        output_padding     (n - 1) strides + (window, or for "same" window % 2) + output_padding

    data_format "channels_first" takes and gives the channels on axis 1.
    """

    rank = None
    never_read = ("groups",)

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
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
        self.filters = positive_integer(type(self).__name__, "filters", filters)
        keep_windows(self, ("valid", "same"), kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = None if output_padding is None else self._checked_output_padding(output_padding)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        refuse_strides_with_dilation(self)

    def _checked_output_padding(self, value):
        values = (value,) * self.rank if np.ndim(value) == 0 else tuple(value)
        integers = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values)
        if (
            len(values) != self.rank
            or not integers
            or not all(0 <= v < s for v, s in zip(values, self.strides, strict=True))
        ):
            raise ValueError(
                f"{type(self).__name__}: `output_padding` must be an integer from 0 to below the stride on each axis, "
                f"or None. Received: output_padding={value!r}, strides={self.strides}"
            )
        return tuple(int(v) for v in values)

    # --- shapes and weights ----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape):
        check_channels(self, input_shape, self.kernel.shape[-1] if self.built else None)
        check_places(self, input_shape, (1,) * self.rank)
        if 0 in self._extents(parts(input_shape, self.data_format)[0]):
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}): there would be no output. "
                f"Received: shape {tuple(input_shape)} with output_padding={self.output_padding}"
            )

    def build(self, input_shape):
        _, channels = parts(input_shape, self.data_format)
        self.kernel = self.add_weight_as_told("kernel", (*self.kernel_size, self.filters, channels))
        self.bias = self.add_weight_as_told("bias", (self.filters,)) if self.use_bias else None

    def _extents(self, extents):
        """Those of the output, for those of the input."""
        extra = self.output_padding or (None,) * self.rank
        axes = zip(extents, spans(self), self.strides, extra, strict=True)
        return tuple(transposed_extent(n, window, stride, self.padding, more) for n, window, stride, more in axes)

    def compute_output_shape(self, input_shape):
        extents, _ = parts(input_shape, self.data_format)
        return whole(input_shape[0], self._extents(extents), self.filters, self.data_format)

    # --- the pass --------------------------------------------------------------------------------------------------

    def forward(self, x, run):
        return filtered(self, x, run, self._sums)

    def _sums(self, x, f, run):
        """y = f(z) for images x (B, H, W, C), as `filtered` wants it: z[b, S p + D i - before] has the sum of
        x[b, p] W_i, and the bias."""
        ones = (1,) * (2 - self.rank)
        W = self.kernel.value.reshape(ones + self.kernel.shape)
        geometry = ones + self.strides, ones + self.dilation_rate, 1
        extents, before, reached = ones + self._extents(x.shape[3 - self.rank : 3]), [], []
        for n, extent, window, stride in zip(x.shape[1:3], extents, ones + spans(self), geometry[0], strict=True):
            reach = (n - 1) * stride + window
            before.append(max(0, reach - extent) // 2 if self.padding == "same" else 0)
            reached.append(max(reach, before[-1] + extent))
        y = run.buffer("y", (len(x), *extents, self.filters))
        z = run.buffer("z", y.shape) if f.needs_input else None
        exact = tuple(reached) == extents
        sums = (y if z is None else z) if exact else run.buffer("sums", (len(x), *reached, self.filters))
        # x for the gradient of the convolution's output; of its input, in the fourth place, the shape alone counts
        conv_kernel.backward(sums, None, x, sums, W, *geometry)
        kernel.finish(y, z, sums, self.bias.value if self.use_bias else None, *before, f)

        def undo(dz):
            dsums, dx = dz, None
            if not exact:
                dsums = run.buffer("dsums", sums.shape)
                conv_kernel.pad(dsums, dz, *before)
            # forward: sums = the gradient of the input of `* W`, for x
            if run.wants_dx:
                dx = run.buffer("dx", x.shape)
                conv_kernel.forward(dx, None, dsums, W, None, *geometry, _LINEAR)  # dx = dsums * W
            if run.trains:
                conv_kernel.backward(None, self.kernel.grad.reshape(W.shape), x, dsums, W, *geometry)
            return dx

        return y, z, undo

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **windows_config(self),
            "output_padding": self.output_padding,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("kernel", "bias"),
        }


class Conv1DTranspose(ConvTranspose):
    """The transposed convolution over sequences: x (B, T, channels), kernel (kernel_size, filters, channels).

    Arguments: those of keras.layers.Conv1DTranspose; what they mean is told in ConvTranspose.
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """The transposed convolution over images: x (B, H, W, channels), kernel (rows, columns, filters, channels).

    Arguments: those of keras.layers.Conv2DTranspose; what they mean is told in ConvTranspose.
    """

    rank = 2


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
