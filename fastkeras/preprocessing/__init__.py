"""Preparing pictures, texts and sequences for a model, with the names of Keras 2's keras.preprocessing."""

import importlib

from fastkeras.preprocessing import sequence, text
from fastkeras.utils import suggest

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]

_ELSEWHERE = {  # imported when they are first used: few scripts need them
    "image": "fastkeras.preprocessing.image",
    "image_dataset_from_directory": "fastkeras.preprocessing.image_dataset",
    "text_dataset_from_directory": "fastkeras.preprocessing.datasets",
    "timeseries_dataset_from_array": "fastkeras.preprocessing.datasets",
}


def __getattr__(name):
    if name in _ELSEWHERE:
        module = importlib.import_module(_ELSEWHERE[name])
        return getattr(module, name, module)
    raise AttributeError(suggest.unknown("name in fastkeras.preprocessing", name, __all__))
