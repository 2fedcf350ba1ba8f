"""Datasets from arrays and folders: what keras.utils gives as tf.data.Dataset."""

import numpy as np

from fastkeras.utils.arguments import positive_integer
from fastkeras.utils.dataset import Dataset
from fastkeras.utils.labelled import labelled_parts

__all__ = ["text_dataset_from_directory", "timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
):
    """Batches of windows of a series, (n, sequence_length, ...), and for each the target at its first row.

    data: (rows, ...); targets: an array that is indexed as data is, or None for windows alone. A window has every
    sampling_rate-th row; windows begin sequence_stride rows apart. start_index, end_index: the rows to use.
    """
    steps = {"sequence_length": sequence_length, "sequence_stride": sequence_stride, "sampling_rate": sampling_rate}
    for name, value in steps.items():
        positive_integer("timeseries_dataset_from_array", name, value)
    start, end = start_index or 0, len(data) if end_index is None else end_index
    data = np.asarray(data)[start:end]
    count = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)[start:end]
        count = min(count, len(targets))
    if count < 1:
        raise ValueError(
            f"timeseries_dataset_from_array: no window of {sequence_length} rows, {sampling_rate} apart, fits. "
            f"Received: {len(data)} rows"
        )
    firsts = Dataset.from_tensor_slices(np.arange(0, count, sequence_stride))
    rows = np.arange(sequence_length) * sampling_rate
    if shuffle:
        firsts = firsts.shuffle(len(firsts), seed)
    if batch_size is not None:
        firsts = firsts.batch(batch_size)

    def windows(first):
        x = data[np.asarray(first)[..., None] + rows]
        return x if targets is None else (x, targets[np.asarray(first)])

    return firsts.map(windows)


def text_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    verbose=True,
):
    """Batches of texts and labels, from a folder with a folder of *.txt for each class, whose names are class_names.

    labels: "inferred" from the folders, None for texts alone, or a list with a number for each file, in the order of
    their paths. label_mode: "int", "binary" (floats, for two classes), "categorical" (one-hot) or None.
    max_length: the most characters of a text.
    validation_split: the fraction set aside; subset: "training", "validation", or "both" for two datasets; with one
    seed Keras sets the same files aside.
    """
    class_names, parts = labelled_parts(
        "text_dataset_from_directory",
        (".txt",),
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
        texts = np.array([_read(path, max_length) for path in paths], object)
        dataset = Dataset.from_tensor_slices(texts if targets is None else (texts, targets))
        dataset = dataset.shuffle(len(paths), seed) if shuffle and not datasets else dataset
        datasets.append(dataset if batch_size is None else dataset.batch(batch_size))
        datasets[-1].class_names = class_names
    return datasets if subset == "both" else datasets[0]


def _read(path, max_length):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read(max_length)
