"""Prices of houses in 506 suburbs of Boston: Harrison and Rubinfeld (1978), "Hedonic prices and the demand for clean
air". One of its columns, "B", rests on the assumption that segregation raises prices; california_housing is free of it.
"""

import numpy as np

from fastkeras.datasets.files import fetch
from fastkeras.datasets.split import shuffled, split
from fastkeras.utils import suggest


def load_data(path="boston_housing.npz", test_split=0.2, seed=113, **unknown):
    """13 features of each suburb, and the median price of a house in it in thousands of dollars.

    Args:
        path: the file's name in the cache.
        test_split: the share that is for the test, in [0, 1).
        seed: of the order.

    Returns:
        (x_train, y_train), (x_test, y_test): x is float64 (N, 13), y is float64 (N,).

    Raises:
        ValueError: if `test_split` is none, or the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    suggest.refuse_arguments("boston_housing.load_data", load_data, unknown)
    with np.load(fetch("boston_housing.npz", path)) as data:
        x, y = shuffled(data["x"], data["y"], np.random.RandomState(seed))
    return split(x, y, test_split)
