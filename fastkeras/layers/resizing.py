"""Layers that give images another size, Resizing and CenterCrop, and what all layers over single images share."""

import numpy as np

from fastkeras.core.resizing import INTERPOLATIONS, around, matrices, resized
from fastkeras.core.rows import dense
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import as_images, checked_format, from_images, one_of, parts, whole
from fastkeras.utils.arguments import positive_integer
from fastkeras.utils.messages import message


class ImageLayer(Layer):
    """y for images x (B, H, W, C), or for one image (H, W, C); channels are first if data_format says so.

    A subclass defines changed(x, run) -> (y, undo) for x (B, H, W, C): undo(dy) is the gradient of x.
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = checked_format(type(self).__name__, data_format)

    def check_input_shape(self, input_shape):
        if len(input_shape) not in (3, 4):
            axes = "rows, columns, channels" if self.data_format == "channels_last" else "channels, rows, columns"
            names = {"layer": self.name, "kind": type(self).__name__, "expected": f"(batch, {axes}) or ({axes})"}
            raise ValueError(message("shape_for_layer", **names, received=tuple(input_shape)))

    def extents_of(self, extents):
        """(rows, columns) of the output."""
        return extents

    def compute_output_shape(self, input_shape):
        batch = tuple(input_shape[:-3])
        extents, channels = parts((None, *input_shape[-3:]), self.data_format)
        return batch + whole(None, self.extents_of(extents), channels, self.data_format)[1:]

    def forward(self, x, run):
        x, back = dense(x, run)
        self.check_input_shape(x.shape)
        shape = x.shape
        y, undo = self.changed(as_images(x.reshape(-1, *shape[-3:]), 2, self.data_format), run)
        y = from_images(y, 2, self.data_format)

        def backward(dy):
            dx = undo(as_images(dy.reshape(y.shape), 2, self.data_format))
            return back(from_images(dx, 2, self.data_format).reshape(shape))

        return y.reshape(*shape[:-3], *y.shape[1:]), backward

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


def cut(x, top, left, height, width):
    """(y, undo): so many rows and columns of images (B, H, W, C), from the place (top, left) on."""
    rows, columns = slice(top, top + height), slice(left, left + width)

    def undo(dy):
        dx = np.zeros_like(x)
        dx[:, rows, columns] = dy
        return dx

    return np.ascontiguousarray(x[:, rows, columns]), undo


def stretched(x, size, interpolation="bilinear", antialias=False, aspect=None, fill_value=0.0):
    """(y, undo): images (B, H, W, C) resized as `matrices` says, with fill_value for what is around them."""
    rows, columns = matrices(x.shape[1:3], size, interpolation, antialias, aspect)
    y = resized(x, rows, columns)
    if fill_value and aspect == "pad":
        y += np.float32(fill_value) * around(rows, columns)[:, :, None]
    return y, lambda dy: resized(dy, rows.T, columns.T)


class Resizing(ImageLayer):
    """Images of another size: x (B, H, W, C) -> (B, height, width, C), float32.

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5"; antialias: averages over as many places
    as become one. crop_to_aspect_ratio: resizes the largest part in the middle that has the shape of the result;
    pad_to_aspect_ratio: the whole with fill_value on both sides. Else images are stretched.
    """

    def __init__(
        self,
        height,
        width,
        interpolation="bilinear",
        crop_to_aspect_ratio=False,
        pad_to_aspect_ratio=False,
        fill_mode="constant",
        fill_value=0.0,
        antialias=False,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format, **kwargs)
        self.height = positive_integer("Resizing", "height", height)
        self.width = positive_integer("Resizing", "width", width)
        self.interpolation = one_of("Resizing", "interpolation", interpolation, INTERPOLATIONS)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                "Resizing: images are either cropped or padded. Received: crop_to_aspect_ratio=True, "
                "pad_to_aspect_ratio=True"
            )
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = bool(crop_to_aspect_ratio), bool(pad_to_aspect_ratio)
        self.fill_mode = one_of("Resizing", "fill_mode", fill_mode, ("constant",))
        self.fill_value, self.antialias = fill_value, bool(antialias)

    def extents_of(self, extents):
        return self.height, self.width

    def changed(self, x, run):
        aspect = "crop" if self.crop_to_aspect_ratio else "pad" if self.pad_to_aspect_ratio else None
        size = self.height, self.width
        return stretched(x, size, self.interpolation, self.antialias, aspect, self.fill_value)

    def get_config(self):
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }


class CenterCrop(ImageLayer):
    """The middle of images: x (B, H, W, C) -> (B, height, width, C). Of smaller images, the largest part in the middle
    with that shape, resized."""

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.height = positive_integer(type(self).__name__, "height", height)
        self.width = positive_integer(type(self).__name__, "width", width)

    def extents_of(self, extents):
        return self.height, self.width

    def changed(self, x, run):
        _, H, W, _ = x.shape
        if min(H - self.height, W - self.width) < 0:
            return stretched(x, (self.height, self.width), aspect="crop")
        return cut(x, (H - self.height) // 2, (W - self.width) // 2, self.height, self.width)

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}
