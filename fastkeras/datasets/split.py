"""Shuffling, and training and test data, as Keras has them."""

import numpy as np


def shuffled(x, y, rng):
    """`x` and `y` in the order that the np.random.RandomState `rng` gives."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def split(x, y, test_split):
    """(x_train, y_train), (x_test, y_test): the last `test_split`, a share in [0, 1), is for the test."""
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be at least 0 and less than 1. Received: test_split={test_split!r}")
    train = int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])
