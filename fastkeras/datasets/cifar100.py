"""60,000 colour images of 100 classes, five to each of 20 groups."""

import numpy as np

from fastkeras.datasets.cifar import load_batches
from fastkeras.datasets.files import fetch
from fastkeras.utils import suggest

_FILES = ["cifar-100-python/train", "cifar-100-python/test"]


def load_data(label_mode="fine", **unknown):
    """The images and their classes.

    Args:
        label_mode: 'fine' for the 100 classes, 'coarse' for the 20 groups.

    Returns:
        (x_train, y_train), (x_test, y_test): x is uint8 (N, 32, 32, 3), y is int64 (N, 1), N being 50,000 and 10,000.

    Raises:
        ValueError: if `label_mode` is none of those, or the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    suggest.refuse_arguments("cifar100.load_data", load_data, unknown)
    if label_mode not in ("fine", "coarse"):
        raise ValueError(suggest.unknown("`label_mode` of cifar100.load_data", label_mode, ("fine", "coarse")))
    path = fetch("cifar-100-python.tar.gz", "cifar-100-python-target_archive")
    train, test = [(x, np.array(y)[:, None]) for x, y in load_batches(path, _FILES, f"{label_mode}_labels".encode())]
    return train, test
