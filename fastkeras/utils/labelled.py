"""Files with labels, in a folder: what keras.utils's text_dataset_from_directory and its kin find."""

import os

import numpy as np


def files_below(folder, endings, follow_links=False):
    """The paths, from a folder on, of the files below it with one of these endings: folder by folder, in order."""
    for place, _, files in sorted(os.walk(folder, followlinks=follow_links)):
        for file in sorted(files):
            if file.lower().endswith(endings):
                yield os.path.relpath(os.path.join(place, file), folder)


def labelled_parts(
    function,
    endings,
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    verbose=True,
):
    """(class_names, [(paths, targets), ...]): the files of a folder with these endings, shuffled and split.

    There is one part, or with subset="both" that for training and that for validation. targets has a row for each path:
    int32 numbers, with label_mode "binary" float32 (n, 1), with "categorical" one-hot. Without labels, targets and
    class_names are None. function: whose arguments these are, for errors.
    """
    labels = None if label_mode is None else labels
    _check(function, labels, label_mode, class_names, shuffle, seed, validation_split, subset)
    if isinstance(labels, str):
        paths, numbers, class_names = _by_folder(function, directory, endings, class_names, follow_links)
    else:
        paths, numbers = list(files_below(directory, endings, follow_links)), labels
        class_names = None if labels is None else [str(label) for label in sorted(set(labels))]
        if labels is not None and len(labels) != len(paths):
            expected = f"`labels` must have a label for each of the {len(paths)} files"
            raise ValueError(f"{function}: {expected}. Received: {len(labels)} labels")
    if not paths:
        expected = f"there must be files *{', *'.join(endings)} in the folder"
        raise ValueError(f"{function}: {expected}. Received: {str(directory)!r}")
    if label_mode == "binary" and labels is not None and len(class_names) != 2:
        raise ValueError(f"{function}: label_mode='binary' is for two classes. Received: {class_names}")
    order = np.arange(len(paths))
    if shuffle:  # as Keras does: one seed sets the same files aside
        np.random.RandomState(np.random.randint(1e6) if seed is None else seed).shuffle(order)
    paths = [os.path.join(directory, paths[i]) for i in order]
    targets = None if labels is None else _targets(np.array(numbers), label_mode, class_names)[order]
    first = len(paths) - int((validation_split or 0) * len(paths))
    rows = {"training": slice(0, first), "validation": slice(first, None), None: slice(None)}
    wanted = ["training", "validation"] if subset == "both" else [subset]
    if verbose:
        print(f"Found {len(paths)} files{'' if labels is None else f' belonging to {len(class_names)} classes'}.")
        for name in filter(None, wanted):
            print(f"Using {len(paths[rows[name]])} files for {name}.")
    return class_names, [(paths[rows[name]], None if targets is None else targets[rows[name]]) for name in wanted]


def _check(function, labels, label_mode, class_names, shuffle, seed, validation_split, subset):
    if label_mode not in ("int", "binary", "categorical", None) or (isinstance(labels, str) and labels != "inferred"):
        raise ValueError(
            f"{function}: `labels` must be 'inferred', None or a list, and `label_mode` 'int', 'binary', 'categorical' "
            f"or None. Received: labels={labels!r}, label_mode={label_mode!r}"
        )
    if class_names is not None and not isinstance(labels, str):
        raise ValueError(
            f"{function}: `class_names` are folders, for labels='inferred'. Received: class_names={class_names}"
        )
    if bool(validation_split) != (subset is not None) or subset not in ("training", "validation", "both", None):
        raise ValueError(
            f"{function}: `validation_split` and `subset` ('training', 'validation' or 'both') go together. Received: "
            f"validation_split={validation_split!r}, subset={subset!r}"
        )
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"{function}: `validation_split` must be between 0 and 1. Received: {validation_split!r}")
    if validation_split and shuffle and seed is None:
        raise ValueError(f"{function}: `validation_split` needs the same `seed` for both parts. Received: seed=None")


def _by_folder(function, directory, endings, class_names, follow_links):
    """(paths, the number of each one's class, class_names) of the files in the folders of a folder."""
    folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
    if class_names is not None and not set(class_names) <= set(folders):
        raise ValueError(f"{function}: `class_names` must be names of folders, {folders}. Received: {class_names}")
    names = list(class_names or folders)
    paths, numbers = [], []
    for number, name in enumerate(names):
        found = [os.path.join(name, file) for file in files_below(os.path.join(directory, name), endings, follow_links)]
        paths += found
        numbers += [number] * len(found)
    return paths, numbers, names


def _targets(numbers, label_mode, class_names):
    if label_mode == "binary":
        return numbers.astype(np.float32)[:, None]
    return np.eye(len(class_names), dtype=np.float32)[numbers] if label_mode == "categorical" else numbers.astype("i4")
