"""Conv1D and Conv2D."""

import math

import numpy as np

from fastkeras import activations
from fastkeras._kernels import conv as kernel
from fastkeras._kernels import rows as rows_kernel
from fastkeras._kernels.gemm import gemm
from fastkeras.core.peaks import Peaks, Unpooled
from fastkeras.core.rows import Rows
from fastkeras.core.windows import borders, output_extent
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

_SMALL = 32  # the most floats of a window for which kernel.backward_max is the faster one


def _padded(x, border, run):
    """x (B, H, W, C) with its border of zeros."""
    (top, bottom), (left, right) = border
    if not any((top, bottom, left, right)):
        return x
    B, H, W, C = x.shape
    padded = run.buffer("padded", (B, H + top + bottom, W + left + right, C))
    kernel.pad(padded, x, top, left)
    return padded


def _padded_rows(x, border, run):
    """The values of Rows x, with a row of zeros behind them if there is a border, and the index (B, H, W) with its
    border, which names that row."""
    if not any(map(any, border)):
        return x.values, x.index
    R, D = x.values.shape
    values = run.buffer("padded", (R + 1, D))
    values[:R], values[R] = x.values, 0.0
    return values, np.pad(x.index, [(0, 0), *border], constant_values=R)


def _under_taps(index, extents, size, strides, dilation):
    """(taps, B * OH * OW): the part of index (B, H, W) under each tap of the window of each pixel of y."""
    rows, columns = (
        [slice(i * d, i * d + (n - 1) * s + 1, s) for i in range(k)]
        for n, k, s, d in zip(extents, size, strides, dilation, strict=True)
    )
    return np.stack([index[:, i, j].ravel() for i in rows for j in columns])


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
    def can_give_unpooled(self):
        """Where maxima are enough to take their gradients back through the activation."""
        if type(self).forward is not Conv.forward:  # a subclass may do more
            return False
        f = self.activation.kernel
        simple = f is not None and not f.rowwise and not f.needs_input and self.activity_regularizer is None
        return simple and self.data_format == "channels_last"

    def forward(self, x, run):
        return filtered(self, x, run, self._sums, self._sums_of_rows if self._sees_rows_often(x) else None)

    def _sees_rows_often(self, x):
        """Whether each distinct row of x stands under a tap of the kernel twice or more."""
        simple = type(x) is Rows and self.groups == 1 and self.data_format == "channels_last"
        return simple and 2 * len(x.values) * math.prod(self.strides) <= x.index.size

    def _plan(self, x):
        """For images x: W (KH, KW, D, N), the bias, strides and dilation on both axes, how many places are added before
        and after each, and the shape of y."""
        ones = (1,) * (2 - self.rank)
        W = self.kernel.value.reshape(ones + self.kernel.shape)
        axes = list(zip(x.shape[1:3], ones + spans(self), ones + self.strides, strict=True))
        y_shape = (x.shape[0], *(output_extent(*axis, self.padding) for axis in axes), self.filters)
        border = [borders(*axis, self.padding) for axis in axes]
        bias = self.bias.value if self.use_bias else None
        return W, bias, (ones + self.strides, ones + self.dilation_rate), border, y_shape

    def _made_or_unpooled(self, y_shape, make, maxima, run):
        """y, or where max pooling alone reads it what makes it."""
        if not run.unpooled:
            return make()
        return Unpooled((y_shape[0], *y_shape[3 - self.rank :]), y_shape, make, maxima)

    def _sums(self, x, f, run):
        """y = f(x * W + bias) for images x (B, H, W, C), as `filtered` wants it."""
        W, bias, steps, border, y_shape = self._plan(x)
        padded = _padded(x, border, run)
        (top, _), (left, _) = border
        operands = padded, W, bias, *steps, self.groups, f
        z = run.buffer("z", y_shape) if f.needs_input else None

        def make():
            y = run.buffer("y", y_shape)
            kernel.forward(y, z, *operands)
            return y

        def maxima(m, place, *pooling):
            kernel.forward_max(m, place, *operands, *pooling)

        def undo(dz):
            dx = run.buffer("dx", x.shape) if run.wants_dx else None
            dW = self.kernel.grad.reshape(W.shape) if run.trains else None
            if type(dz) is not Peaks:
                kernel.backward(dx, dW, dz, padded, W, *steps, self.groups, top, left)
            elif dx is None or padded is x:
                self._undo_peaks(dx, dW, dz, padded, W, steps)
            else:
                dpadded = run.buffer("dpadded", padded.shape)
                self._undo_peaks(dpadded, dW, dz, padded, W, steps)
                kernel.crop(dx, dpadded, top, left)
            return dx

        return self._made_or_unpooled(y_shape, make, maxima, run), z, undo

    def _undo_peaks(self, dx, dW, dz, x, W, steps):
        """dx = and dW += the gradients for Peaks dz; either may be None."""
        if dW is not None and self.groups == 1 and W[..., 0].size <= _SMALL:
            kernel.backward_max(dW, dz.values, dz.place, x, *steps, *dz.geometry)
            dW = None
        if dx is not None or dW is not None:
            kernel.backward_peaks(dx, dW, dz.values, dz.place, x, None, W, *steps, self.groups)

    def _sums_of_rows(self, x, f, run):
        """The same for images of distinct rows (src_c/conv_rows.h): x is Rows(values (R, D), index (B, H, W))."""
        W, bias, steps, border, y_shape = self._plan(x)
        values, index = _padded_rows(x, border, run)
        R, (D, N) = len(values), W.shape[2:]
        taps = W.reshape(-1, D, N)
        under = _under_taps(index, y_shape[1:3], W.shape[:2], *steps)
        z = run.buffer("z", y_shape) if f.needs_input else None

        def operands():
            P = run.buffer("products", (len(taps), R, N))
            for P_t, W_t in zip(P, taps, strict=True):
                gemm(P_t, values, W_t)  # P_t = values W_t
            return P, under, bias, f

        def make():
            y = run.buffer("y", y_shape)
            kernel.forward_rows(y.reshape(-1, N), None if z is None else z.reshape(-1, N), *operands())
            return y

        def maxima(m, place, *pooling):
            kernel.forward_rows_max(m, place, *operands(), y_shape[1:3], *pooling)

        def undo(dz):
            dvalues = run.buffer("dvalues", values.shape) if run.wants_dx else None
            dW = self.kernel.grad.reshape(W.shape) if run.trains else None
            if type(dz) is Peaks:
                kernel.backward_peaks(dvalues, dW, dz.values, dz.place, values, index, W, *steps, 1)
            else:
                dP = run.buffer("dproducts", (R, N))
                for t, W_t in enumerate(taps):
                    dP.fill(0.0)
                    rows_kernel.scatter_add(dP, dz.reshape(-1, N), under[t])  # forward: y_m = sum_t P_t[under_tm]
                    # forward: P_t = values W_t
                    if dvalues is not None:
                        gemm(dvalues, dP, W_t, trans_b=True, accumulate=t > 0)
                    if dW is not None:
                        gemm(dW.reshape(taps.shape)[t], values, dP, trans_a=True, accumulate=True)
            return None if dvalues is None else dvalues[: len(x.values)]

        return self._made_or_unpooled(y_shape, make, maxima, run), z, undo

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
