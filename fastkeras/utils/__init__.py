"""Utilities: seeds, one-hot targets, batches by number, names for what is the user's own."""

import importlib

from fastkeras.random_state import set_random_seed
from fastkeras.utils import suggest
from fastkeras.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from fastkeras.utils.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastkeras.utils.numerical import normalize, to_categorical
from fastkeras.utils.sequence import PyDataset, Sequence

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "Sequence",
    "custom_object_scope",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


# Imported when they are first used: the one belongs to text, the other takes the modules of the network.
_ELSEWHERE = {"get_file": "fastkeras.utils.download", "pad_sequences": "fastkeras.preprocessing.sequence"}


def __getattr__(name):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(suggest.unknown("name in fastkeras.utils", name, __all__))
