"""Files: whole models, weights, architectures, and the names that files may mention."""

from fastkeras.saving.config import model_from_config, model_from_json, to_json
from fastkeras.saving.conversion import convert
from fastkeras.saving.model_file import load_model, save_model
from fastkeras.saving.objects import deserialize_keras_object, serialize_keras_object
from fastkeras.saving.weights import export, load_weights, save_weights
from fastkeras.utils.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "convert",
    "custom_object_scope",
    "deserialize_keras_object",
    "export",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
    "to_json",
]
