"""Pictures in files, as Pillow's images and as arrays (height, width, channels) or (channels, height, width).

Pillow reads, writes and resizes. It comes with the extra `images`, and is imported when it is first needed.
"""

import importlib
import io
import os

import numpy as np

from fastkeras import config
from fastkeras.core.resizing import middle
from fastkeras.utils import suggest
from fastkeras.utils.arguments import channels_last_or_first
from fastkeras.utils.messages import message, warn

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
ENDINGS = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff")
_INTERPOLATIONS = ("bicubic", "bilinear", "box", "hamming", "lanczos", "nearest")
_GRAY_MODES = ("I", "I;16", "L")


def of_extra(module):
    """A module of a package that the extra `images` installs; an ImportError that says so if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(message("pictures_need_extra", module=module, received=error)) from error


def checked_format(data_format):
    """data_format, or what fastkeras.config says if it is None."""
    found = data_format or config.image_data_format()
    channels_last_or_first("preprocessing.image", found)
    return found


def load_img(
    path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False, grayscale=False
):
    """The picture in a file, as Pillow's Image.

    path: a str, bytes or path, or a file in memory (io.BytesIO). color_mode: "grayscale", "rgb" or "rgba";
    grayscale=True is Keras 2's word for the first. target_size: (height, width) to resize to, with this interpolation:
    "nearest", "bilinear", "bicubic", "box", "hamming" or "lanczos". keep_aspect_ratio: resizes the largest part in the
    middle that has the target's shape, instead of the whole.
    """
    image = of_extra("PIL.Image")
    if not isinstance(path, (str, bytes, os.PathLike, io.BytesIO)):
        raise TypeError(f"load_img: `path` must be a path or an io.BytesIO. Received: {path!r}")
    with image.open(path) as opened:
        opened.load()
        picture = opened
    color_mode = "grayscale" if grayscale else color_mode
    if color_mode not in CHANNELS:
        raise ValueError(suggest.unknown("color_mode", color_mode, list(CHANNELS)))
    if color_mode != "grayscale":
        picture = picture.convert(color_mode.upper())
    elif picture.mode not in _GRAY_MODES:
        picture = picture.convert("L")
    if target_size is None or picture.size == (target_size[1], target_size[0]):
        return picture
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(suggest.unknown("interpolation", interpolation, _INTERPOLATIONS))
    height, width = target_size
    box = None
    if keep_aspect_ratio:
        top, left, high, wide = middle(picture.height, picture.width, height, width)
        box = left, top, left + wide, top + high
    return picture.resize((width, height), image.Resampling[interpolation.upper()], box)


def img_to_array(img, data_format=None, dtype=None):
    """The values of a picture (Pillow's, or an array of rank 2 or 3 with channels last) as an array of rank 3."""
    x = np.array(img, dtype or config.floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"img_to_array: a picture has 2 or 3 axes. Received: shape {x.shape}")
    x = x.reshape((*x.shape, 1)[:3])
    return x.transpose(2, 0, 1) if checked_format(data_format) == "channels_first" else x


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """Pillow's Image of an array of rank 3 with 1, 3 or 4 channels.

    scale: moves and stretches the values to [0, 255], the least to 0 and the largest to 255; else they are taken as
    they are, without what follows the point. One channel with values over 255 makes a picture of 32-bit integers.
    """
    x = np.asarray(x, dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(f"array_to_img: a picture is an array of rank 3. Received: shape {x.shape}")
    if checked_format(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    if x.shape[2] not in CHANNELS.values():
        raise ValueError(f"array_to_img: a picture has 1, 3 or 4 channels. Received: {x.shape[2]} channels")
    if scale:
        x = x - x.min()
        x = x / (x.max() or 1) * 255
    kind = np.int32 if x.shape[2] == 1 and x.max() > 255 else np.uint8
    x = x.astype(kind)
    return of_extra("PIL.Image").fromarray(x[:, :, 0] if x.shape[2] == 1 else x)


def save_img(path, x, data_format=None, file_format=None, scale=True, **options):
    """Writes an array of rank 3 as a picture; file_format: if the name of the file does not say it.

    scale: as for array_to_img; options: of Pillow's Image.save.
    """
    picture = array_to_img(x, data_format, scale)
    if picture.mode == "RGBA" and file_format in ("jpg", "jpeg"):
        warn("save_img: JPEG knows no transparency, the fourth channel is left out.")
        picture = picture.convert("RGB")
    picture.save(path, format=file_format, **options)
