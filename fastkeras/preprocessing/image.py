"""Pictures changed by chance while a model trains: Keras 2's keras.preprocessing.image.

Reading, writing and resizing is Pillow's (image_files.py), rotating SciPy's (image_transforms.py); the extra `images`
has both.
"""

import numpy as np

from fastkeras import config
from fastkeras.ops import image as image_ops
from fastkeras.preprocessing.image_files import array_to_img, checked_format, img_to_array, load_img, save_img
from fastkeras.preprocessing.image_iterators import DataFrameIterator, DirectoryIterator, Iterator, NumpyArrayIterator
from fastkeras.preprocessing.image_transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    drawn_zoom,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from fastkeras.utils import suggest
from fastkeras.utils.messages import warn

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]


def smart_resize(x, size, interpolation="bilinear", data_format="channels_last"):
    """One picture, or a batch, of the size (height, width): the largest part in the middle with that shape, resized.

    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """
    y = image_ops.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return np.asarray(y, np.float32) if type(x) is np.ndarray else y


_FILL_MODES = ("constant", "nearest", "reflect", "wrap")


class ImageDataGenerator:
    """Changes pictures by chance, makes them ready for a model, and gives batches of them.

    Each picture is changed as get_random_transform draws, then

        x = rescale * preprocessing_function(x)
        x = (x - mean of x) / (std of x + 1e-6)        samplewise_center, samplewise_std_normalization
        x = (x - mean) / (std + 1e-6)                  featurewise_...: of each channel, which `fit` finds
        x = x W                                        zca_whitening: W too is found by `fit`

    rotation_range, shear_range: the most degrees. width_shift_range, height_shift_range: the most places, or if less
    than 1 the largest part of the extent; an int, or a list, gives whole places, or one of the list, this way or the
    other. (As in Keras, height_shift_range moves along the columns if pictures have their channels last; see
    apply_affine_transform.) zoom_range: (least, largest) factor, or a number z for (1 - z, 1 + z). brightness_range:
    (least, largest) factor. channel_shift_range: the most that is added to all values. fill_mode, cval,
    interpolation_order: of apply_affine_transform. validation_split: the part of the samples that subset="validation"
    means.
    """

    def __init__(
        self,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        zca_epsilon=1e-6,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        brightness_range=None,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        data_format=None,
        validation_split=0.0,
        interpolation_order=1,
        dtype=None,
    ):
        if fill_mode not in _FILL_MODES:
            raise ValueError(suggest.unknown("fill_mode", fill_mode, _FILL_MODES))
        if not 0 <= validation_split < 1:
            raise ValueError(
                f"ImageDataGenerator: `validation_split` must be in [0, 1). Received: {validation_split!r}"
            )
        self.featurewise_std_normalization = featurewise_std_normalization and not zca_whitening
        self.featurewise_center = featurewise_center or featurewise_std_normalization or zca_whitening
        self.samplewise_std_normalization = samplewise_std_normalization
        self.samplewise_center = samplewise_center or samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.zoom_range = _pair("zoom_range", zoom_range, 1)
        self.brightness_range = None if brightness_range is None else _pair("brightness_range", brightness_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.validation_split = validation_split
        self.dtype = dtype or config.floatx()
        self.data_format = checked_format(data_format)
        last = self.data_format == "channels_last"
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if last else (2, 3, 1)  # of a batch
        self.mean = self.std = self.zca_whitening_matrix = None

    # --- batches -----------------------------------------------------------------------------------------------------

    def flow(self, x, y=None, batch_size=32, shuffle=True, sample_weight=None, seed=None, **options):
        """A NumpyArrayIterator over arrays; options: save_to_dir, save_prefix, save_format, subset,
        ignore_class_split."""
        form = {"data_format": self.data_format, "dtype": self.dtype}
        return NumpyArrayIterator(x, y, self, batch_size, shuffle, sample_weight, seed, **form, **options)

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        **options,
    ):
        """A DirectoryIterator over the pictures in a folder; options: save_to_dir, save_prefix, save_format,
        follow_links, subset, interpolation, keep_aspect_ratio."""
        options |= {"data_format": self.data_format, "dtype": self.dtype}
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, **options
        )

    def flow_from_dataframe(self, dataframe, directory=None, x_col="filename", y_col="class", **options):
        """A DataFrameIterator over the pictures that a table names; options: all others of DataFrameIterator."""
        options = {"data_format": self.data_format, "dtype": self.dtype, **options}
        return DataFrameIterator(dataframe, directory, self, x_col, y_col, **options)

    # --- one picture -------------------------------------------------------------------------------------------------

    def standardize(self, x):
        """Pictures made ready, a batch or one, in place where that is possible."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            x = (x.reshape(-1, len(self.zca_whitening_matrix)) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    @staticmethod
    def _fitted(name, found):
        if found is None:
            warn(f"ImageDataGenerator({name}=True) does nothing before fit(x), which measures pictures.")
        return found is not None

    def get_random_transform(self, img_shape, seed=None):
        """What apply_transform is to do to a picture of this shape, drawn: a dict."""
        if seed is not None:
            np.random.seed(seed)
        draw = np.random.uniform
        theta = draw(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _drawn_shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _drawn_shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = draw(-self.shear_range, self.shear_range) if self.shear_range else 0
        zx, zy = drawn_zoom(self.zoom_range)
        flips = np.random.random(2) < 0.5
        tint = self.channel_shift_range
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": bool(flips[0] and self.horizontal_flip),
            "flip_vertical": bool(flips[1] and self.vertical_flip),
            "channel_shift_intensity": draw(-tint, tint) if tint else None,
            "brightness": None if self.brightness_range is None else draw(*self.brightness_range),
        }

    def apply_transform(self, x, transform_parameters):
        """The picture x (rank 3) changed as a dict like that of get_random_transform says; what is not in it is not
        done."""
        told = dict(transform_parameters)
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x,
            **{name: told[name] for name in ("theta", "tx", "ty", "shear", "zx", "zy") if name in told},
            row_axis=row,
            col_axis=column,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if told.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, told["channel_shift_intensity"], channel)
        if told.get("flip_horizontal"):
            x = flip_axis(x, column)
        if told.get("flip_vertical"):
            x = flip_axis(x, row)
        if told.get("brightness") is not None:
            x = apply_brightness_shift(x, told["brightness"], False, self.data_format)
        return x

    def random_transform(self, x, seed=None):
        """The picture x (rank 3) changed by chance."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    # --- all pictures ------------------------------------------------------------------------------------------------

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Measures pictures x (rank 4), rescaled, for featurewise_... and zca_whitening.

        mean and std of each channel, and W = U diag(sqrt(n) / (s + zca_epsilon)) U^T for the n pictures as rows of X,
        their mean taken off, X^T = U diag(s) V^T. augment: measures each picture `rounds` times, changed by chance.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(f"ImageDataGenerator.fit: pictures are an array of rank 4. Received: shape {x.shape}")
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(picture) for _ in range(rounds) for picture in x])
        per_channel = {"axis": (0, self.row_axis, self.col_axis), "keepdims": True}
        if self.featurewise_center:
            self.mean = x.mean(**per_channel)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(**per_channel)[0]
        if self.zca_whitening:
            rows = x.reshape(len(x), -1)
            u, s, _ = np.linalg.svd(rows.T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T


def _pair(name, value, around=None):
    """(least, largest); a number z means (around - z, around + z) where that is given."""
    if isinstance(value, (int, float)) and around is not None:
        return [around - value, around + value]
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"ImageDataGenerator: `{name}` must be (least, largest). Received: {value!r}")
    return list(value)


def _drawn_shift(most, extent):
    """So many places of an extent, drawn from what width_shift_range may be."""
    if not np.any(most):
        return 0
    if isinstance(most, (float, np.floating)):
        shift = np.random.uniform(-most, most)
    else:
        shift = np.random.choice(most) * np.random.choice([-1, 1])
    return shift * extent if np.max(most) < 1 else shift
