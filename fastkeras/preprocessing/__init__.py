"""Preparing texts and sequences for a model, with the names of Keras 2's keras.preprocessing."""

from fastkeras.preprocessing import sequence, text
from fastkeras.utils import suggest

__all__ = ["sequence", "text"]


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.preprocessing", name, __all__))
