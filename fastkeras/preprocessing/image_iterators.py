"""Batches of pictures, from arrays, folders and tables, for ever or by number: what ImageDataGenerator gives.

numpy's global generator draws the order and the changes, in Keras's order: the same np.random.seed gives the pictures
that Keras gives. With `seed`, the generator is seeded anew before each batch.
"""

import os

import numpy as np

from fastkeras import config
from fastkeras.preprocessing.image_files import CHANNELS, ENDINGS, array_to_img, checked_format, img_to_array, load_img
from fastkeras.utils import suggest
from fastkeras.utils.labelled import files_below
from fastkeras.utils.messages import warn
from fastkeras.utils.sequence import Sequence

_CLASS_MODES = ("binary", "categorical", "input", "sparse", None)
_TABLE_MODES = (*_CLASS_MODES, "multi_output", "raw")


class Iterator(Sequence):
    """Batches by number, iterator[i], and one after the other without an end, next(iterator).

    A subclass defines _get_batches_of_transformed_samples(index_array): the batch of the samples of these numbers.
    n: how many samples there are; batch_index: the batch that next gives; reset() makes it the first. shuffle: a new
    order in each pass.
    """

    def __init__(self, n, batch_size, shuffle, seed):
        super().__init__()
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        self.index_array = None

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"{type(self).__name__} has {len(self)} batches. Received: index {index}")
        self._seed()
        if self.index_array is None:
            self._set_index_array()
        return self._batch(index)

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise ValueError(f"{type(self).__name__} has no samples. Received: n=0")
        self._seed()
        if self.batch_index == 0:
            self._set_index_array()
        index, self.batch_index = self.batch_index, (self.batch_index + 1) % len(self)
        return self._batch(index)

    def next(self):
        """next(iterator)"""
        return self.__next__()

    def reset(self):
        """Makes the first batch the next."""
        self.batch_index = 0

    def on_epoch_end(self):
        self._set_index_array()

    def _seed(self):
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def _set_index_array(self):
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _batch(self, index):
        return self._get_batches_of_transformed_samples(
            self.index_array[index * self.batch_size : (index + 1) * self.batch_size]
        )

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError(f"{type(self).__name__} must define _get_batches_of_transformed_samples(index_array)")


class _Pictures(Iterator):
    """What iterators over pictures share: each is changed by the ImageDataGenerator, and written to a folder if
    `save_to_dir` names one."""

    def __init__(self, generator, data_format, dtype, saving, *order):
        self.image_data_generator = generator
        self.data_format, self.dtype = checked_format(data_format), dtype or config.floatx()
        self.save_to_dir, self.save_prefix, self.save_format = saving
        super().__init__(*order)

    def _changed(self, x):
        """The picture x (rank 3) changed by chance and made ready."""
        generator = self.image_data_generator
        if generator is None:
            return x
        return generator.standardize(generator.apply_transform(x, generator.get_random_transform(x.shape)))

    def _save(self, pictures, index_array, numbers):
        """Writes a batch of pictures, their names ending in one of so many numbers, drawn."""
        for picture, index in zip(pictures, index_array, strict=True) if self.save_to_dir else ():
            name = f"{self.save_prefix}_{index}_{np.random.randint(numbers)}.{self.save_format}"
            array_to_img(picture, self.data_format).save(os.path.join(self.save_to_dir, name))


class NumpyArrayIterator(_Pictures):
    """Batches (x, y, sample_weight), (x, y) or x of arrays.

    x: pictures (n, height, width, channels), or a pair of them and of another array (or a list of arrays) with n rows,
    which go into the batches as they are. subset: "validation" for the generator's validation_split of the samples, the
    first, "training" for the others; both must have the same classes unless ignore_class_split. save_to_dir,
    save_prefix, save_format: where and how the changed pictures are written.
    """

    def __init__(
        self,
        x,
        y,
        image_data_generator,
        batch_size=32,
        shuffle=False,
        sample_weight=None,
        seed=None,
        data_format=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        ignore_class_split=False,
        dtype=None,
    ):
        x, others = x if isinstance(x, (tuple, list)) else (x, [])
        others = [np.asarray(other) for other in (others if isinstance(others, list) else [others])]
        y, weights = (None if a is None else np.asarray(a) for a in (y, sample_weight))
        for name, array in (("x", others), ("y", [y]), ("sample_weight", [weights])):
            lengths = {len(a) for a in array if a is not None}
            if lengths - {len(x)}:
                raise ValueError(
                    f"flow: `{name}` must have {len(x)} rows, as many as the pictures. Received: {lengths}"
                )
        rows = _rows_of(subset, len(x), image_data_generator)
        if subset is not None and y is not None and not ignore_class_split:
            first = _rows_of("validation", len(x), image_data_generator).stop
            if not np.array_equal(np.unique(y[:first]), np.unique(y[first:])):
                raise ValueError(
                    "flow: the samples of `validation_split`, the first, have other classes than the rest: shuffle the "
                    f"samples before, or give ignore_class_split=True. Received: {first} of {len(x)} samples"
                )
        saving = save_to_dir, save_prefix, save_format
        self.x = np.asarray(x, dtype or config.floatx())[rows]
        super().__init__(image_data_generator, data_format, dtype, saving, len(self.x), batch_size, shuffle, seed)
        if self.x.ndim != 4:
            raise ValueError(f"flow: pictures are an array of rank 4. Received: shape {self.x.shape}")
        _warn_of_channels("flow", self.x.shape, self.data_format)
        self.x_misc = [other[rows] for other in others]
        self.y, self.sample_weight = (None if a is None else a[rows] for a in (y, weights))

    def _get_batches_of_transformed_samples(self, index_array):
        pictures = np.zeros((len(index_array), *self.x.shape[1:]), self.dtype)
        for i, row in enumerate(index_array):
            pictures[i] = self._changed(self.x[row].astype(self.dtype))
        self._save(pictures, index_array, 10_000)
        x = [pictures, *(other[index_array] for other in self.x_misc)] if self.x_misc else pictures
        if self.y is None:
            return x
        return (x, self.y[index_array], *([] if self.sample_weight is None else [self.sample_weight[index_array]]))


def _warn_of_channels(function, shape, data_format):
    channels = shape[3 if data_format == "channels_last" else 1]
    if channels not in CHANNELS.values():
        warn(
            f"{function}: pictures have 1, 3 or 4 channels, the {data_format.removeprefix('channels_')} axis. "
            f"Received: shape {shape}"
        )


def _rows_of(subset, n, generator):
    """The rows of a subset of n, a slice: the first are for validation."""
    if subset not in ("training", "validation", None):
        raise ValueError(suggest.unknown("subset", subset, ["training", "validation"]))
    if subset is None:
        return slice(0, n)
    first = int(generator.validation_split * n)
    return slice(0, first) if subset == "validation" else slice(first, n)


class _Files(_Pictures):
    """Batches of pictures in files. A subclass sets `filenames` in `directory`, and `labels` for its class_mode."""

    sample_weight = None

    def _read_how(self, target_size, color_mode, interpolation, keep_aspect_ratio):
        if color_mode not in CHANNELS:
            raise ValueError(suggest.unknown("color_mode", color_mode, list(CHANNELS)))
        channels = (CHANNELS[color_mode],)
        self.target_size, self.color_mode = tuple(target_size), color_mode
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        last = self.data_format == "channels_last"
        self.image_shape = self.target_size + channels if last else channels + self.target_size

    @property
    def filepaths(self):
        return [os.path.join(self.directory, name) for name in self.filenames]

    @property
    def samples(self):
        return len(self.filenames)

    @property
    def num_classes(self):
        return len(self.class_indices)

    def _read(self, name):
        picture = load_img(
            os.path.join(self.directory, name),
            self.color_mode,
            self.target_size,
            self.interpolation,
            self.keep_aspect_ratio,
        )
        return img_to_array(picture, self.data_format)

    def _get_batches_of_transformed_samples(self, index_array):
        x = np.zeros((len(index_array), *self.image_shape), self.dtype)
        for i, row in enumerate(index_array):
            x[i] = self._changed(self._read(self.filenames[row]))
        self._save(x, index_array, 10_000_000)
        if self.class_mode is None:
            return x
        y = x.copy() if self.class_mode == "input" else self._labels_of(index_array)
        return (x, y) if self.sample_weight is None else (x, y, self.sample_weight[index_array])

    def _labels_of(self, index_array):
        if self.class_mode == "multi_output":
            return [column[index_array] for column in self.labels]
        if self.class_mode == "raw":
            return self.labels[index_array]
        numbers = [self.classes[row] for row in index_array]
        if self.class_mode != "categorical":
            return np.array(numbers, self.dtype)
        y = np.zeros((len(numbers), self.num_classes), self.dtype)
        for i, several in enumerate(numbers):
            y[i, several] = 1
        return y


class DirectoryIterator(_Files):
    """Batches of the pictures in a folder with a folder for each class.

    target_size: (height, width) of all; color_mode, interpolation and keep_aspect_ratio as for load_img. classes: the
    names of the folders, by default all in alphabetical order: class_indices[name] is the number of a class, classes
    the number of each picture's. class_mode: what comes with the pictures: "categorical" one-hot rows, "binary" and
    "sparse" the numbers as floats, "input" the pictures themselves, None nothing. A folder's pictures, in the folders
    within it as well, are taken in the order of their names. subset: "validation" for the generator's validation_split
    of each folder, its first pictures, "training" for the others. save_to_dir, save_prefix, save_format: where and how
    the changed pictures are written.
    """

    def __init__(
        self,
        directory,
        image_data_generator,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        data_format=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
        dtype=None,
    ):
        if class_mode not in _CLASS_MODES:
            raise ValueError(f"`class_mode` must be one of {_CLASS_MODES}. Received: {class_mode!r}")
        self.directory, self.class_mode = directory, class_mode
        names = list(classes or sorted(entry.name for entry in os.scandir(directory) if entry.is_dir()))
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.filenames, numbers = [], []
        for number, name in enumerate(names):
            found = list(files_below(os.path.join(directory, name), ENDINGS, follow_links))
            found = found[_rows_of(subset, len(found), image_data_generator)]
            self.filenames += [os.path.join(name, file) for file in found]
            numbers += [number] * len(found)
        self.labels = self.classes = np.array(numbers, np.int32)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        saving = save_to_dir, save_prefix, save_format
        super().__init__(image_data_generator, data_format, dtype, saving, self.samples, batch_size, shuffle, seed)
        self._read_how(target_size, color_mode, interpolation, keep_aspect_ratio)


class DataFrameIterator(_Files):
    """Batches of the pictures that a table names: a DataFrame of pandas, or any object whose [name] is a column.

    x_col: the column with the names of the files in `directory`; those that are no pictures are left out, unless
    validate_filenames=False. y_col: the column with a name of a class ("categorical" takes lists of names too), or with
    class_mode "raw" the targets themselves, with "multi_output" a list of columns, a target each. weight_col: the
    column of sample weights. All else is as in DirectoryIterator.
    """

    def __init__(
        self,
        dataframe,
        directory=None,
        image_data_generator=None,
        x_col="filename",
        y_col="class",
        weight_col=None,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        data_format="channels_last",
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
        dtype=None,
        validate_filenames=True,
    ):
        if class_mode not in _TABLE_MODES:
            raise ValueError(f"`class_mode` must be one of {_TABLE_MODES}. Received: {class_mode!r}")
        self.directory, self.class_mode = directory or "", class_mode
        names = list(dataframe[x_col])
        rows = [i for i, name in enumerate(names) if not validate_filenames or self._is_picture(name)]
        if len(rows) < len(names):
            warn(
                f"flow_from_dataframe: the column {x_col!r} names {len(names) - len(rows)} files that are no pictures, "
                "or not there: they are left out."
            )
        self.class_indices, of_classes = {}, ""
        if class_mode in ("binary", "categorical", "sparse"):
            named = _class_names(dataframe[y_col], y_col, class_mode)
            known = dict.fromkeys(classes or sorted({name for i in rows for name in named[i]}))
            self.class_indices = {name: number for number, name in enumerate(known)}
            if class_mode == "binary" and self.num_classes != 2:
                raise ValueError(f"class_mode='binary' is for two classes. Received: {list(known)}")
            rows = [i for i in rows if known.keys() & named[i]]
            of_classes = f" belonging to {self.num_classes} classes"
        rows = rows[_rows_of(subset, len(rows), image_data_generator)]
        self.filenames = [names[i] for i in rows]
        if of_classes:
            numbers = [[self.class_indices[name] for name in named[i] if name in known] for i in rows]
            self.labels = self.classes = numbers if class_mode == "categorical" else [number for (number,) in numbers]
        elif class_mode == "raw":
            self.labels = np.asarray(dataframe[y_col])[rows]
        elif class_mode == "multi_output":
            self.labels = [np.array(list(dataframe[column]))[rows] for column in y_col]
        self.sample_weight = np.asarray(dataframe[weight_col])[rows] if weight_col else None
        validated = "validated" if validate_filenames else "non-validated"
        print(f"Found {self.samples} {validated} image filenames{of_classes}.")
        saving = save_to_dir, save_prefix, save_format
        super().__init__(image_data_generator, data_format, dtype, saving, self.samples, batch_size, shuffle, seed)
        self._read_how(target_size, color_mode, interpolation, keep_aspect_ratio)

    def _is_picture(self, name):
        return name.lower().endswith(ENDINGS) and os.path.isfile(os.path.join(self.directory, name))


def _class_names(column, y_col, class_mode):
    """A list of the names of classes for each row."""
    kinds = (str, list, tuple) if class_mode == "categorical" else str
    for names in column:
        if not isinstance(names, kinds):
            raise TypeError(
                f"flow_from_dataframe: with class_mode={class_mode!r}, the column {y_col!r} holds names of classes, "
                f"str: write dataframe[{y_col!r}].astype(str). Received: {names!r}"
            )
    return [[names] if isinstance(names, str) else list(names) for names in column]
