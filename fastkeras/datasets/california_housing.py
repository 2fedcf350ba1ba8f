"""Prices of houses in 20,640 districts of California: Pace and Barry (1997), "Sparse spatial autoregressions".

The features are median income, median age of the houses, rooms and bedrooms of a household, population, persons in a
household, latitude, longitude.
"""

import numpy as np

from fastkeras.datasets.files import fetch
from fastkeras.datasets.split import shuffled, split
from fastkeras.utils import suggest

_SMALL = 600  # districts


def load_data(version="large", path="california_housing.npz", test_split=0.2, seed=113, **unknown):
    """Eight features of each district, and the median price of a house in it in dollars.

    Args:
        version: 'large' for all districts, 'small' for the first 600.
        path: the file's name in the cache.
        test_split: the share that is for the test, in [0, 1).
        seed: of the order.

    Returns:
        (x_train, y_train), (x_test, y_test): x is floats (N, 8), y is floats (N,).

    Raises:
        ValueError: if `version` or `test_split` is none of those, or the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    suggest.refuse_arguments("california_housing.load_data", load_data, unknown)
    if version not in ("small", "large"):
        raise ValueError(suggest.unknown("`version` of california_housing.load_data", version, ("large", "small")))
    with np.load(fetch("california_housing.npz", path)) as data:
        x, y = data["x"], data["y"]
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    return split(*shuffled(x, y, np.random.RandomState(seed)), test_split)
