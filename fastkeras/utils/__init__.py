"""Utilities: seeds, one-hot targets, batches by number."""

from fastkeras.random_state import set_random_seed
from fastkeras.utils.numerical import normalize, to_categorical
from fastkeras.utils.sequence import PyDataset, Sequence

__all__ = ["PyDataset", "Sequence", "normalize", "set_random_seed", "to_categorical"]
