"""70,000 images of clothes: Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST", arXiv:1708.07747.

The ten classes are T-shirt or top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.
"""

import gzip
import os
import zlib

import numpy as np

from fastkeras.datasets.files import fetch


def load_data():
    """The images and their classes.

    Returns:
        (x_train, y_train), (x_test, y_test): x is uint8 (N, 28, 28), y is uint8 (N,), N being 60,000 and 10,000.

    Raises:
        ValueError: if a file is damaged.
        ConnectionError: if a file is not in the cache and cannot be downloaded.
    """
    y_train = _read("train-labels-idx1-ubyte.gz")
    x_train = _read("train-images-idx3-ubyte.gz")
    y_test = _read("t10k-labels-idx1-ubyte.gz")
    x_test = _read("t10k-images-idx3-ubyte.gz")
    return (x_train, y_train), (x_test, y_test)


def _read(file):
    """The array in a file of the format IDX: 0, 0, 8 (for uint8), the number of dimensions, each dimension as a
    big-endian int32, the elements (yann.lecun.com/exdb/mnist). There is no checksum but gzip's own."""
    path = fetch(file, cache_subdir=os.path.join("datasets", "fashion-mnist"))
    try:
        with gzip.open(path) as stream:
            data = bytearray(stream.read())
        dimensions = data[3]
        shape = np.frombuffer(data, ">i4", count=dimensions, offset=4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, IndexError, ValueError, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}). Delete it, and it is downloaded again.") from error
