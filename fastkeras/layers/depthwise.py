"""DepthwiseConv1D and 2D, whose channels do not meet, and SeparableConv1D and 2D, where they meet afterwards."""

from fastkeras import activations
from fastkeras._kernels import conv as conv_kernel
from fastkeras._kernels import depthwise as kernel
from fastkeras.core.windows import borders, output_extent
from fastkeras.layers.filters import check_channels, filtered, keep_windows, spans, windows_config
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import check_places, parts, whole
from fastkeras.utils.arguments import positive_integer

_LINEAR = activations.get("linear").kernel


def _check_shape(layer, input_shape, depthwise_kernel):
    check_channels(layer, input_shape, depthwise_kernel.shape[-2] if layer.built else None)
    check_places(layer, input_shape, spans(layer) if layer.padding == "valid" else (1,) * layer.rank)


def _output_extents(layer, extents):
    axes = zip(extents, spans(layer), layer.strides, strict=True)
    return [output_extent(n, window, stride, layer.padding) for n, window, stride in axes]


def _convolve_channels(layer, x, kernel_weight, bias, f, run):
    """(y, z, undo) of y = f(z) for images x (B, H, W, C), z[..., c M + m] being the convolution of channel c with
    window m of the weight (*kernel_size, C, M), and the bias. undo(dz) adds to the weight's gradient and returns dx."""
    ones, (C, M) = (1,) * (2 - layer.rank), kernel_weight.shape[-2:]
    wide = x
    if M > 1:
        wide = run.buffer("wide", (*x.shape[:3], C * M))
        kernel.repeat(wide.reshape(-1, C * M), x.reshape(-1, C))  # wide[..., c M + m] = x[..., c]
    W_shape = (*ones, *layer.kernel_size, C * M)
    W = kernel_weight.value.reshape(W_shape)
    axes = list(zip(x.shape[1:3], ones + spans(layer), ones + layer.strides, strict=True))
    before = [borders(*axis, layer.padding)[0] for axis in axes]
    geometry = ones + layer.strides, ones + layer.dilation_rate, before
    z_shape = (len(x), *(output_extent(*axis, layer.padding) for axis in axes), C * M)
    y = run.buffer("depthwise", z_shape)
    z = run.buffer("depthwise_z", z_shape) if f.needs_input else None
    kernel.forward(y, z, wide, W, bias, *geometry, f)

    def undo(dz):
        dwide = run.buffer("dwide", wide.shape) if run.wants_dx else None
        kernel.backward(dwide, kernel_weight.grad.reshape(W_shape) if run.trains else None, dz, wide, W, *geometry)
        if M == 1 or dwide is None:
            return dwide
        dx = run.buffer("dx", x.shape)
        kernel.fold(dx.reshape(-1, C), dwide.reshape(-1, C * M))  # dx[..., c] = sum_m dwide[..., c M + m]
        return dx

    return y, z, undo


class DepthwiseConv(Layer):
    """y = activation(each channel of x convolved on its own + bias), over `rank` axes.

    Each of the C channels has depth_multiplier = M windows, and y has C M channels, those of channel c from c M on.
    kernel_size, strides, padding, dilation_rate and data_format are as in Conv.
    """

    rank = None
    never_read = ("groups",)

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        keep_windows(self, ("valid", "same"), kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_integer(type(self).__name__, "depth_multiplier", depth_multiplier)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def check_input_shape(self, input_shape):
        _check_shape(self, input_shape, self.kernel if self.built else None)

    def build(self, input_shape):
        _, channels = parts(input_shape, self.data_format)
        self.kernel = self.add_weight_as_told(
            "kernel", (*self.kernel_size, channels, self.depth_multiplier), prefix="depthwise"
        )
        self.bias = self.add_weight_as_told("bias", (channels * self.depth_multiplier,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        extents, channels = parts(input_shape, self.data_format)
        channels *= self.depth_multiplier
        return whole(input_shape[0], _output_extents(self, extents), channels, self.data_format)

    def forward(self, x, run):
        return filtered(self, x, run, self._sums)

    def _sums(self, x, f, run):
        return _convolve_channels(self, x, self.kernel, self.bias.value if self.use_bias else None, f, run)

    def get_config(self):
        return {
            **super().get_config(),
            **windows_config(self),
            "depth_multiplier": self.depth_multiplier,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("depthwise", "bias"),
        }


class DepthwiseConv1D(DepthwiseConv):
    """Over sequences: x (B, T, channels), kernel (kernel_size, channels, depth_multiplier).

    Arguments: those of keras.layers.DepthwiseConv1D; what they mean is told in DepthwiseConv.
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Over images: x (B, H, W, channels), kernel (rows, columns, channels, depth_multiplier).

    Arguments: those of keras.layers.DepthwiseConv2D; what they mean is told in DepthwiseConv.
    """

    rank = 2


class SeparableConv(Layer):
    """y = activation(pointwise_kernel applied to each place of (each channel of x convolved on its own) + bias).

    A convolution whose kernel is a product: far fewer weights and sums than Conv with the same windows and filters
    (Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, 2017). Arguments as in DepthwiseConv and
    Conv; padding "causal" is there for one axis, as in Keras 2.
    """

    rank = None
    never_read = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind, paddings = type(self).__name__, ("valid", "same", "causal")[: 4 - self.rank]
        self.filters = positive_integer(kind, "filters", filters)
        keep_windows(self, paddings, kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = positive_integer(kind, "depth_multiplier", depth_multiplier)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.keep_options("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.keep_options("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def check_input_shape(self, input_shape):
        _check_shape(self, input_shape, self.depthwise_kernel if self.built else None)

    def build(self, input_shape):
        _, channels = parts(input_shape, self.data_format)
        windows = (*self.kernel_size, channels, self.depth_multiplier)
        points = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self.add_weight_as_told("depthwise_kernel", windows, prefix="depthwise")
        self.pointwise_kernel = self.add_weight_as_told("pointwise_kernel", points, prefix="pointwise")
        self.bias = self.add_weight_as_told("bias", (self.filters,)) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        extents, _ = parts(input_shape, self.data_format)
        return whole(input_shape[0], _output_extents(self, extents), self.filters, self.data_format)

    def forward(self, x, run):
        return filtered(self, x, run, self._sums)

    def _sums(self, x, f, run):
        """y = f(v P + bias) for images x (B, H, W, C), as `filtered` wants it; v: the channels' own convolutions."""
        v, _, undo_channels = _convolve_channels(self, x, self.depthwise_kernel, None, _LINEAR, run)
        P_shape = (1, 1, *self.pointwise_kernel.shape[-2:])
        P = self.pointwise_kernel.value.reshape(P_shape)
        geometry = (1, 1), (1, 1), 1
        y = run.buffer("y", (*v.shape[:3], self.filters))
        z = run.buffer("z", y.shape) if f.needs_input else None
        conv_kernel.forward(y, z, v, P, self.bias.value if self.use_bias else None, *geometry, f)

        def undo(dz):
            if not (run.trains or run.wants_dx):
                return None
            dv = run.buffer("dv", v.shape)
            conv_kernel.backward(
                dv, self.pointwise_kernel.grad.reshape(P_shape) if run.trains else None, dz, v, P, *geometry
            )
            return undo_channels(dv)

        return y, z, undo

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **windows_config(self),
            "depth_multiplier": self.depth_multiplier,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.options_config("depthwise", "pointwise", "bias"),
        }


class SeparableConv1D(SeparableConv):
    """Over sequences: x (B, T, channels), depthwise_kernel (kernel_size, channels, depth_multiplier), pointwise_kernel
    (1, channels depth_multiplier, filters).

    Arguments: those of keras.layers.SeparableConv1D; what they mean is told in SeparableConv.
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """Over images: x (B, H, W, channels), depthwise_kernel (rows, columns, channels, depth_multiplier),
    pointwise_kernel (1, 1, channels depth_multiplier, filters).

    Arguments: those of keras.layers.SeparableConv2D; what they mean is told in SeparableConv.
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
