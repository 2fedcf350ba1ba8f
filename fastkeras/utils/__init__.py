"""Utilities: seeds, one-hot targets, batches by number, names for what is the user's own, pictures of models."""

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
    "array_to_img",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]


# Imported when they are first used: few scripts need them, and most take modules that others do without.
_ELSEWHERE = {
    "array_to_img": "fastkeras.preprocessing.image_files",
    "deserialize_keras_object": "fastkeras.saving.objects",
    "get_file": "fastkeras.utils.download",
    "image_dataset_from_directory": "fastkeras.preprocessing.image_dataset",
    "img_to_array": "fastkeras.preprocessing.image_files",
    "load_img": "fastkeras.preprocessing.image_files",
    "model_to_dot": "fastkeras.models.plotting",
    "pad_sequences": "fastkeras.preprocessing.sequence",
    "plot_model": "fastkeras.models.plotting",
    "save_img": "fastkeras.preprocessing.image_files",
    "serialize_keras_object": "fastkeras.saving.objects",
    "text_dataset_from_directory": "fastkeras.preprocessing.datasets",
    "timeseries_dataset_from_array": "fastkeras.preprocessing.datasets",
}


def __getattr__(name):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(suggest.unknown("name in fastkeras.utils", name, __all__))
