"""70,000 images of handwritten digits: LeCun, Cortes and Burges, "The MNIST database of handwritten digits"."""

import numpy as np

from fastkeras.datasets.files import fetch
from fastkeras.utils import suggest


def load_data(path="mnist.npz", **unknown):
    """The images and the digits on them.

    Args:
        path: the file's name in the cache.

    Returns:
        (x_train, y_train), (x_test, y_test): x is uint8 (N, 28, 28), y is uint8 (N,), N being 60,000 and 10,000.

    Raises:
        ValueError: if the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    suggest.refuse_arguments("mnist.load_data", load_data, unknown)
    with np.load(fetch("mnist.npz", path)) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
