"""Datasets from arrays and folders: what keras.utils gives as tf.data.Dataset."""

import os
import random

import numpy as np

from fastkeras.random_state import fresh_seed

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
    from fastkeras.compat.tensorflow.data import Dataset

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

    labels: "inferred" from the folders, or None for texts alone. label_mode: "int", "binary" (floats, for two classes),
    "categorical" (one-hot) or None. validation_split: the fraction set aside; subset: "training" or "validation",
    which of the two parts, with the same seed.
    """
    from fastkeras.compat.tensorflow.data import Dataset

    if label_mode not in ("int", "binary", "categorical", None) or labels not in ("inferred", None):
        raise ValueError(
            "text_dataset_from_directory: `labels` must be 'inferred' or None, and `label_mode` 'int', 'binary', "
            f"'categorical' or None. Received: labels={labels!r}, label_mode={label_mode!r}"
        )
    if validation_split and (subset not in ("training", "validation") or (shuffle and seed is None)):
        raise ValueError(
            "text_dataset_from_directory: `validation_split` needs `subset`, 'training' or 'validation', and the same "
            f"`seed` for both. Received: subset={subset!r}, seed={seed!r}"
        )
    folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    class_names = class_names or folders
    files = [
        (os.path.join(directory, name, file), number)
        for number, name in enumerate(class_names)
        for file in sorted(os.listdir(os.path.join(directory, name)))
        if file.endswith(".txt")
    ]
    if shuffle:
        random.Random(fresh_seed() if seed is None else seed).shuffle(files)
    if validation_split:
        first = len(files) - int(validation_split * len(files))
        files = files[:first] if subset == "training" else files[first:]
    if verbose:
        print(f"Found {len(files)} files belonging to {len(class_names)} classes.")
    texts = np.array([_read(path, max_length) for path, _ in files], object)
    if labels is None or label_mode is None:
        dataset = Dataset.from_tensor_slices(texts)
    else:
        numbers = np.array([number for _, number in files], np.int32)
        if label_mode == "binary":
            numbers = numbers.astype(np.float32)[:, None]
        elif label_mode == "categorical":
            numbers = np.eye(len(class_names), dtype=np.float32)[numbers]
        dataset = Dataset.from_tensor_slices((texts, numbers))
    if shuffle:
        dataset = dataset.shuffle(len(files), seed)
    dataset = dataset if batch_size is None else dataset.batch(batch_size)
    dataset.class_names = class_names
    return dataset


def _read(path, max_length):
    with open(path, encoding="utf-8") as file:
        return file.read(max_length) if max_length else file.read()
