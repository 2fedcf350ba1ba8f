"""Preparing texts and sequences for a model, with the names of Keras 2's keras.preprocessing."""

from fastkeras.preprocessing import sequence, text

__all__ = ["sequence", "text"]
