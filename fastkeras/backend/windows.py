"""Convolution and pooling. data_format None stands for that of the settings, image_data_format()."""

from fastkeras import ops
from fastkeras.config import image_data_format
from fastkeras.ops.windows import conv_transpose_to


def conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """The convolution of sequences. padding: "valid", "same", or "causal": a step sees none that come after it."""
    order = data_format or image_data_format()
    if padding == "causal":
        before, padding = (dilation_rate * (ops.shape(kernel)[0] - 1), 0), "valid"
        x = ops.pad(x, ((0, 0), (0, 0), before) if order == "channels_first" else ((0, 0), before, (0, 0)))
    return ops.conv(x, kernel, strides, padding, order, dilation_rate)


def conv2d(x, kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """The convolution of images, as ops.conv has it."""
    return ops.conv(x, kernel, strides, padding, data_format or image_data_format(), dilation_rate)


def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """What conv2d with this kernel (rows, columns, channels of the output, of x) takes to give x. output_shape: of the
    result, the samples included."""
    order, who = data_format or image_data_format(), "backend.conv2d_transpose"
    return conv_transpose_to(who, x, kernel, output_shape, strides, padding, order, dilation_rate)


def depthwise_conv2d(x, depthwise_kernel, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """The convolution of images with each channel by itself, as ops.depthwise_conv has it."""
    order = data_format or image_data_format()
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, order, dilation_rate)


def pool2d(x, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """The largest element of each window of images, or with pool_mode "avg" the mean."""
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"pool2d: `pool_mode` must be 'max' or 'avg'. Received: pool_mode={pool_mode!r}")
    pool = ops.max_pool if pool_mode == "max" else ops.average_pool
    return pool(x, pool_size, strides, padding, data_format or image_data_format())
