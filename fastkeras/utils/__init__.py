"""Utilities: seeds, targets as one-hot rows, names."""

from fastkeras.random_state import set_random_seed

__all__ = ["set_random_seed"]
