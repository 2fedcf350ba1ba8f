"""Max and average pooling, over windows and over everything, of sequences and images."""

import math

from fastkeras._kernels import pooling as kernel
from fastkeras.core.peaks import Peaks, Unpooled
from fastkeras.core.rows import dense
from fastkeras.core.windows import borders, output_extent
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import (
    as_images,
    check_axes,
    check_places,
    checked_format,
    from_images,
    one_of,
    parts,
    whole,
)
from fastkeras.utils.arguments import per_axis

# The two ways to pool images x (B, H, W, C): each returns y (B, *extents, C) and its backward.
# geometry: the window, its strides, and how many places of the first window stand out in front, on each axis


def _largest(x, mask, extents, geometry, run):
    """y = max of x under each window; the first of equal ones has the gradient, as in TensorFlow.

    If x is Unpooled, no more than its maxima are made, and backward gives Peaks, where windows are few and their rows
    apart: at most a third as many as places of x.
    """
    shape = x.images if type(x) is Unpooled else x.shape
    y = run.buffer("y", (shape[0], *extents, shape[3]))
    place = run.buffer("place", y.shape, "int32") if run.wants_dx else None
    if type(x) is Unpooled:
        (rows, _), (row_stride, _), _ = geometry
        if 3 * math.prod(y.shape) <= math.prod(shape) and (row_stride >= rows or extents[0] == 1):
            x.maxima(y, place, *geometry)
            return y, lambda dy: Peaks(dy, y, place, geometry)
        x = x.array()
    kernel.max_forward(y, place, x, *geometry)

    def backward(dy):
        dx = run.buffer("dx", x.shape)
        kernel.max_backward(dx, dy, place, *geometry)
        return dx

    return y, backward


def _mean(x, mask, extents, geometry, run):
    """y = mean of x under each window, over the places that exist and are not masked; mask: (B, H, W) or None."""
    y = run.buffer("y", (len(x), *extents, x.shape[3]))
    kernel.average_forward(y, x, mask, *geometry)

    def backward(dy):
        dx = run.buffer("dx", x.shape)
        kernel.average_backward(dx, dy, mask, *geometry)
        return dx

    return y, backward


def _given_back(dx, axes, back):
    """The gradient of images in the form of a layer's input."""
    return dx if type(dx) is Peaks else back(from_images(dx, *axes))


class Pooling(Layer):
    """y = the largest, or the mean, of x under a window of pool_size places that moves by `strides` (None: by itself).

    padding "valid" keeps to x; with "same" there is a window for each `strides` places, and places outside of x do not
    count. x: (B, T, C) or (B, H, W, C), or with data_format "channels_first" the channels on axis 1.
    """

    rank = pool = None

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.pool_size = per_axis(kind, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else per_axis(kind, "strides", strides, self.rank)
        self.padding = one_of(kind, "padding", padding, ("valid", "same"))
        self.data_format = checked_format(kind, data_format)

    @property
    def takes_unpooled(self):
        is_own = type(self).forward is Pooling.forward  # a subclass may do more
        return self.pool is _largest and self.data_format == "channels_last" and is_own

    def check_input_shape(self, input_shape):
        check_axes(self, input_shape)
        check_places(self, input_shape, self.pool_size if self.padding == "valid" else (1,) * self.rank)

    def compute_output_shape(self, input_shape):
        extents, channels = parts(input_shape, self.data_format)
        axes = zip(extents, self.pool_size, self.strides, strict=True)
        return whole(input_shape[0], [output_extent(*axis, self.padding) for axis in axes], channels, self.data_format)

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        axes, ones = (self.rank, self.data_format), (1,) * (2 - self.rank)
        extents, _ = parts(x.shape, self.data_format)
        before = [borders(*axis, self.padding)[0] for axis in zip(extents, self.pool_size, self.strides, strict=True)]
        geometry = ones + self.pool_size, ones + self.strides, (*(0,) * (2 - self.rank), *before)
        wanted, _ = parts(self.compute_output_shape(x.shape), self.data_format)
        images = x if type(x) is Unpooled else as_images(x, *axes)
        y, undo = self.pool(images, None, ones + wanted, geometry, run)

        def backward(dy):
            return _given_back(undo(as_images(dy, *axes)), axes, back) if run.wants_dx else None

        return from_images(y, *axes), backward

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


class MaxPooling1D(Pooling):
    """The largest of each channel under a window over steps; see Pooling."""

    rank, pool = 1, staticmethod(_largest)


class MaxPooling2D(Pooling):
    """The largest of each channel under a window over rows and columns; see Pooling."""

    rank, pool = 2, staticmethod(_largest)


class AveragePooling1D(Pooling):
    """The mean of each channel under a window over steps; see Pooling."""

    rank, pool = 1, staticmethod(_mean)


class AveragePooling2D(Pooling):
    """The mean of each channel under a window over rows and columns; see Pooling."""

    rank, pool = 2, staticmethod(_mean)


class GlobalPooling(Layer):
    """y = the largest, or the mean, of each channel over all places of x: (B, C), or with keepdims the axes of x.

    x: (B, T, C) or (B, H, W, C), or with data_format "channels_first" the channels on axis 1.
    """

    rank = pool = None
    counts_steps = False  # whether masked steps are left out

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = checked_format(type(self).__name__, data_format)
        self.keepdims = bool(keepdims)

    @property
    def takes_unpooled(self):
        is_own = type(self).forward is GlobalPooling.forward  # a subclass may do more
        return self.pool is _largest and self.data_format == "channels_last" and is_own

    def check_input_shape(self, input_shape):
        check_axes(self, input_shape)
        check_places(self, input_shape, (1,) * self.rank)

    def compute_output_shape(self, input_shape):
        _, channels = parts(input_shape, self.data_format)
        return whole(input_shape[0], (1,) * self.rank if self.keepdims else (), channels, self.data_format)

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        axes = self.rank, self.data_format
        images = x if type(x) is Unpooled else as_images(x, *axes)
        mask = run.mask.reshape(images.shape[:3]) if self.counts_steps and run.mask is not None else None
        extents, _ = parts(x.shape, self.data_format)
        geometry = (*(1,) * (2 - self.rank), *extents), (1, 1), (0, 0)
        y, undo = self.pool(images, mask, (1, 1), geometry, run)

        def backward(dy):
            return _given_back(undo(dy.reshape(y.shape)), axes, back) if run.wants_dx else None

        return y.reshape(self.compute_output_shape(x.shape)), backward

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling1D(GlobalPooling):
    """The largest of each channel over all steps; see GlobalPooling."""

    rank, pool = 1, staticmethod(_largest)


class GlobalMaxPooling2D(GlobalPooling):
    """The largest of each channel over all rows and columns; see GlobalPooling."""

    rank, pool = 2, staticmethod(_largest)


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over all steps that are not masked; see GlobalPooling. NaN where all of them are."""

    rank, pool = 1, staticmethod(_mean)
    counts_steps = True


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel over all rows and columns; see GlobalPooling."""

    rank, pool = 2, staticmethod(_mean)


# Keras's other names
MaxPool1D, MaxPool2D, AvgPool1D, AvgPool2D = MaxPooling1D, MaxPooling2D, AveragePooling1D, AveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
