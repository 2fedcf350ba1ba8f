"""Utilities: seeds, one-hot targets, batches by number, names for what is the user's own."""

from fastkeras.random_state import set_random_seed
from fastkeras.utils import suggest
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
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "pad_sequences",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
]


def __getattr__(name):
    if name == "pad_sequences":  # which Keras has here as well; imported when it is first used
        from fastkeras.preprocessing.sequence import pad_sequences

        return pad_sequences
    raise AttributeError(suggest.unknown("name in fastkeras.utils", name, __all__))
