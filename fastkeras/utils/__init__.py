"""Utilities: seeds, targets as one-hot rows, names."""

from fastkeras.random_state import set_random_seed
from fastkeras.utils.numerical import normalize, to_categorical

__all__ = ["normalize", "set_random_seed", "to_categorical"]
