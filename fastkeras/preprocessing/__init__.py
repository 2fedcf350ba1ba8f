"""Preparing pictures, texts and sequences for a model, with the names of Keras 2's keras.preprocessing."""

import importlib

from fastkeras.preprocessing import sequence, text
from fastkeras.utils import suggest

__all__ = ["image", "sequence", "text"]


def __getattr__(name):
    if name == "image":  # imported when it is first used: few scripts need it
        return importlib.import_module("fastkeras.preprocessing.image")
    raise AttributeError(suggest.unknown("name in fastkeras.preprocessing", name, __all__))
