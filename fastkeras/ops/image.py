"""ops.image: pictures (rows, columns, channels), or batches of them, resized, padded, cut, in grey, and in patches.

data_format: "channels_last" or "channels_first", where the channels stand before the rows; by default what the user has
set, config.image_data_format().
"""

import numpy as np

from fastkeras import config
from fastkeras.core.resizing import INTERPOLATIONS, around, matrices
from fastkeras.core.tensor import cast, getitem, matmul, operation, sum_over, value
from fastkeras.ops.making import convert_to_tensor
from fastkeras.ops.shapes import concatenate, moveaxis, pad
from fastkeras.ops.windows import places_of_windows
from fastkeras.utils import suggest
from fastkeras.utils.arguments import channels_last_or_first, per_axis

__all__ = ["crop_images", "extract_patches", "pad_images", "resize", "rgb_to_grayscale"]

_PREPARED = "prepare pictures with Pillow or SciPy, or with fastkeras.preprocessing.image"
_MOVED = "affine_transform", "elastic_transform", "map_coordinates", "perspective_transform", "scale_and_translate"
# Keras's names that are not here, and why.
ABSENT = {
    **dict.fromkeys((*_MOVED, "gaussian_blur", "hsv_to_rgb", "rgb_to_hsv", "sobel_edges", "ssim"), _PREPARED),
    "extract_patches_3d": "extract_patches takes volumes too, with three numbers as `size`",
}


def __getattr__(name):
    if name in ABSENT:
        raise AttributeError(f"fastkeras.ops.image has no {name}, unlike keras.ops.image: {ABSENT[name]}")
    raise AttributeError(suggest.unknown("name in fastkeras.ops.image", name, __all__))


def _channels_last(who, function, images, data_format, ranks=(3, 4)):
    """function(images) with their channels last."""
    data_format = config.image_data_format() if data_format is None else data_format
    last = channels_last_or_first(f"ops.image.{who}", data_format)
    rank = np.ndim(value(images))
    if rank not in ranks:
        raise ValueError(
            f"ops.image.{who}: `images` must be one picture or a batch of them, with {ranks[0]} or {ranks[1]} axes. "
            f"Received: shape {np.shape(value(images))}"
        )
    if last:
        return function(images)
    front = rank - ranks[0]
    return moveaxis(function(moveaxis(images, front, -1)), -1, front)


# --- new extents -----------------------------------------------------------------------------------------------------


@operation
def resize(
    images,
    size,
    interpolation="bilinear",
    antialias=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    data_format=None,
):
    """Pictures of size (rows, columns), float32 but for "nearest", which takes pixels as they are.

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5". antialias: whether to average over all
    that a pixel of a smaller picture stands for. crop_to_aspect_ratio, pad_to_aspect_ratio: to cut off from the middle,
    or to add fill_value around, what gives the picture the ratio of `size` first.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"ops.image.resize: `interpolation` must be one of {', '.join(INTERPOLATIONS)}. Received: {interpolation!r}"
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("ops.image.resize: a picture is cut or padded to the ratio of `size`. Received: True for both")
    if fill_mode != "constant":
        raise ValueError(f"ops.image.resize: `fill_mode` must be 'constant'. Received: {fill_mode!r}")
    if np.ndim(size) != 1:
        raise ValueError(f"ops.image.resize: `size` must be (rows, columns). Received: size={size!r}")
    size = per_axis("ops.image.resize", "size", size, 2)
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None

    def resized(x):
        if 0 in x.shape[-3:-1]:
            raise ValueError(f"ops.image.resize: there are no pixels. Received: shape {x.shape}")
        kind, takes = x.dtype, interpolation == "nearest"
        y = x if kind.kind == "f" else cast(x, np.float64 if takes else np.float32)
        parts = [
            part.astype(y.dtype) for part in matrices(x.shape[-3:-1], size, interpolation, bool(antialias), aspect)
        ]
        for axis, part in zip((-3, -2), parts, strict=True):
            y = moveaxis(matmul(moveaxis(y, axis, -1), part.T), -1, axis)
        if pad_to_aspect_ratio:
            y = y + fill_value * around(*parts)[..., None]
        return cast(y, kind) if takes else y

    return _channels_last("resize", resized, convert_to_tensor(images), data_format)


def _margins(who, word, before, after, target, extent, sign):
    """(before, after), of which one may be None, to have `target` in the end."""
    if (before is None) + (after is None) + (target is None) != 1:
        raise ValueError(
            f"ops.image.{who}: of the {word} at two ends and the target extent, one must be None. "
            f"Received: {before}, {after} and {target}"
        )
    if target is not None:
        rest = sign * (target - extent) - (before if after is None else after)
        before, after = (before, rest) if after is None else (rest, after)
    if min(before, after) < 0 or extent + sign * (before + after) <= 0:
        raise ValueError(
            f"ops.image.{who}: nothing of {extent} pixels may be less than 0, nor the result empty. "
            f"Received: {word} of {before} and {after}"
        )
    return before, after


@operation
def pad_images(
    images,
    top_padding=None,
    left_padding=None,
    bottom_padding=None,
    right_padding=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Pictures with rows and columns of zeros around them. Of the rows above, below, and all in the end, one must be
    None; so of the columns."""

    def padded(x):
        *batch, rows, columns, _ = np.shape(value(x))
        vertical = _margins("pad_images", "padding", top_padding, bottom_padding, target_height, rows, 1)
        horizontal = _margins("pad_images", "padding", left_padding, right_padding, target_width, columns, 1)
        return pad(x, [*((0, 0) for _ in batch), vertical, horizontal, (0, 0)])

    return _channels_last("pad_images", padded, images, data_format)


@operation
def crop_images(
    images,
    top_cropping=None,
    left_cropping=None,
    bottom_cropping=None,
    right_cropping=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Pictures without so many rows and columns at their ends. Of the rows above, below, and all in the end, one must
    be None; so of the columns."""

    def cut(x):
        *_, rows, columns, _ = np.shape(value(x))
        top, bottom = _margins("crop_images", "cropping", top_cropping, bottom_cropping, target_height, rows, -1)
        left, right = _margins("crop_images", "cropping", left_cropping, right_cropping, target_width, columns, -1)
        return getitem(x, (..., slice(top, rows - bottom), slice(left, columns - right), slice(None)))

    return _channels_last("crop_images", cut, images, data_format)


# --- colours and patches ---------------------------------------------------------------------------------------------


@operation
def rgb_to_grayscale(images, data_format=None):
    """0.2989 red + 0.587 green + 0.114 blue, of the type of the pictures; those of one channel as they are."""

    def grey(x):
        channels, kind = np.shape(value(x))[-1], np.asarray(value(x)).dtype
        if channels not in (1, 3):
            raise ValueError(f"ops.image.rgb_to_grayscale: expected 1 or 3 channels. Received: {channels}")
        if channels == 1:
            return cast(x, kind)
        y = sum_over(x * np.array([0.2989, 0.587, 0.114], kind if kind.kind == "f" else np.float32), -1, keepdims=True)
        return y if kind.kind == "f" else cast(y, kind)

    return _channels_last("rgb_to_grayscale", grey, images, data_format)


@operation
def extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """What lies in each window of pictures, in one row: (..., windows down, windows across, rows * columns * channels).

    size: of the windows, one number for all axes, (rows, columns), or for volumes three numbers. strides: `size` by
    default. dilation_rate: how far the pixels of a window lie apart. padding: "valid", or "same".
    """
    rank = 3 if np.size(size) == 3 else 2
    who = "ops.image.extract_patches"
    window = per_axis(who, "size", size, rank)
    strides = window if strides is None else per_axis(who, "strides", strides, rank)
    dilation = per_axis(who, "dilation_rate", dilation_rate, rank)

    def patches(x):
        is_one = np.ndim(value(x)) == rank + 1
        x = getitem(x, None) if is_one else x
        y = concatenate(
            [part for _, part in places_of_windows("image.extract_patches", x, window, strides, padding, dilation)], -1
        )
        return y[0] if is_one else y

    return _channels_last("extract_patches", patches, images, data_format, (rank + 1, rank + 2))
