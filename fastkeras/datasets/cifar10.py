"""60,000 colour images of ten classes: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck."""

import numpy as np

from fastkeras.datasets.cifar import load_batches
from fastkeras.datasets.files import fetch

_FILES = [f"cifar-10-batches-py/{name}" for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")]


def load_data():
    """The images and their classes.

    Returns:
        (x_train, y_train), (x_test, y_test): x is uint8 (N, 32, 32, 3), y is uint8 (N, 1), N being 50,000 and 10,000.

    Raises:
        ValueError: if the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    path = fetch("cifar-10-python.tar.gz", "cifar-10-batches-py-target_archive")
    *train, test = [(x, np.array(y, np.uint8)[:, None]) for x, y in load_batches(path, _FILES, b"labels")]
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return (x_train, y_train), test
