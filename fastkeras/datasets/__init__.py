"""The data sets of keras.datasets, from where Keras takes them and in the cache folder where Keras keeps them.

A data set is a module with `load_data`, which returns (x_train, y_train), (x_test, y_test). Each file is compared with
the checksum that Keras states for it (files.py) before it is read.
"""

from fastkeras.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from fastkeras.utils import suggest

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.datasets", name, __all__))
