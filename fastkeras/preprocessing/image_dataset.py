"""Pictures of a folder as a dataset: keras.utils.image_dataset_from_directory."""

import numpy as np

from fastkeras.core.resizing import INTERPOLATIONS, matrices, resized
from fastkeras.preprocessing.image_files import CHANNELS, checked_format, img_to_array, load_img
from fastkeras.utils import suggest
from fastkeras.utils.dataset import Dataset
from fastkeras.utils.labelled import labelled_parts

_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    verbose=True,
):
    """A tf.data.Dataset of batches (pictures, labels), from a folder with a folder for each class.

    Pictures are read when they are wanted: float32 (batch_size, height, width, channels), from 0 to 255; with
    batch_size=None one by one.
    labels: "inferred" from the folders, None, or a list with a number for each file, in the order of their paths.
    label_mode: "int", "binary" (floats, for two classes), "categorical" (one-hot) or None. class_names: the folders,
    by default all in alphabetical order. color_mode: "grayscale", "rgb" or "rgba". validation_split: the part set
    aside; subset: "training", "validation", or "both" for two datasets; with one seed Keras sets the same files aside.
    interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5". crop_to_aspect_ratio: resizes the largest
    part in the middle that has the shape of image_size; pad_to_aspect_ratio: the whole with black sides, as Resizing.

    The datasets know their class_names and file_paths.
    """
    for name, value, known in (("color_mode", color_mode, CHANNELS), ("interpolation", interpolation, INTERPOLATIONS)):
        if value not in known:
            raise ValueError(suggest.unknown(name, value, list(known)))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "image_dataset_from_directory: pictures are either cropped or padded. Received: crop_to_aspect_ratio=True, "
            "pad_to_aspect_ratio=True"
        )
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else None
    data_format = checked_format(data_format)

    def read(path):
        x = img_to_array(load_img(path, color_mode), "channels_last")
        if x.shape[:2] != size:
            x = resized(x[None], *matrices(x.shape[:2], size, interpolation, aspect=aspect))[0]
        return x if data_format == "channels_last" else x.transpose(2, 0, 1)

    class_names, parts = labelled_parts(
        "image_dataset_from_directory",
        _ENDINGS,
        directory,
        labels,
        label_mode,
        class_names,
        shuffle,
        seed,
        validation_split,
        subset,
        follow_links,
        verbose,
    )
    datasets = []
    for paths, targets in parts:
        datasets.append(_dataset(read, paths, targets, batch_size, shuffle and not datasets, seed))
        datasets[-1].class_names, datasets[-1].file_paths = class_names, paths
    return datasets if subset == "both" else datasets[0]


def _dataset(read, paths, targets, batch_size, shuffle, seed):
    def element(rows):
        rows = np.asarray(rows)
        x = np.stack([read(paths[i]) for i in rows]) if rows.ndim else read(paths[int(rows)])
        return x if targets is None else (x, targets[rows])

    rows = Dataset.from_tensor_slices(np.arange(len(paths)))
    rows = rows.shuffle(len(paths), seed) if shuffle else rows
    return (rows if batch_size is None else rows.batch(batch_size)).map(element)
