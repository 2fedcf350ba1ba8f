"""Batches of sequences for the tests of recurrent kernels: an index into the rows of P, and a mask."""

import numpy as np

# (B, T, rows of P, U): primes, and one more than states are shared in (16 batch rows) and than a vector holds
SHAPES = [(2, 5, 3, 7), (1, 1, 1, 1), (5, 1, 2, 3), (37, 11, 13, 17), (17, 3, 2, 65), (0, 3, 2, 5), (3, 0, 2, 5)]


def batch(B, T, V, seed=0):
    rng = np.random.default_rng(seed)
    index = rng.integers(0, V, (B, T)).astype(np.int32)
    mask = rng.random((B, T)) < 0.6
    if B > 2:
        mask[0] = False  # a row that is padding only
        mask[1] = True
        index[2], mask[2] = index[1], mask[1]  # a row twice
    return index, mask
