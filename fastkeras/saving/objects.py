"""Layers, losses, initializers and what else a class of the user's own may hold: as plain values for its get_config,
and back in its from_config. The form is Keras 3's:

    {"module": "keras.initializers", "class_name": "HeNormal", "config": {...}, "registered_name": None}
    {"module": None, "class_name": "Mine", "config": {...}, "registered_name": "Custom>Mine"}      of the user's own
    {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
"""

import numpy as np

from fastkeras import activations, constraints, initializers, losses, metrics, optimizers, regularizers
from fastkeras.layers.config import inner_layer_to_config, layer_from_config, reading
from fastkeras.layers.layer import Layer
from fastkeras.optimizers import schedules
from fastkeras.utils.custom_objects import get_registered_name, get_registered_object

_FAMILIES = {  # by Keras's names of their modules, the longest first; all else is a layer
    "optimizers.schedules": schedules,
    "optimizers": optimizers,
    "initializers": initializers,
    "regularizers": regularizers,
    "constraints": constraints,
    "losses": losses,
    "metrics": metrics,
}
_OF_FUNCTIONS = (activations, losses, metrics)


def serialize_keras_object(obj):
    """An object, or a list, tuple or dict with objects in it, as plain values; a TypeError for what has no get_config
    and is no function."""
    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    if isinstance(obj, (list, tuple)):
        return type(obj)(map(serialize_keras_object, obj))
    if isinstance(obj, dict):
        return {key: serialize_keras_object(item) for key, item in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, Layer):
        return inner_layer_to_config(obj)
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        cls = type(obj)
        family = next((name for name in _FAMILIES if cls.__module__.startswith(f"fastkeras.{name}")), None)
        entry = {"class_name": cls.__name__, "config": serialize_keras_object(obj.get_config())}
        if family is None:
            return {"module": None, **entry, "registered_name": get_registered_name(cls)}
        return {"module": f"keras.{family}", **entry, "registered_name": None}
    if callable(obj) and hasattr(obj, "__name__") and not isinstance(obj, type):
        name = get_registered_name(obj)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    raise TypeError(f"serialize_keras_object: expected an object with get_config(), or a function. Received: {obj!r}")


def deserialize_keras_object(config, custom_objects=None):
    """What `serialize_keras_object`, here or in Keras 3, made plain values of.

    custom_objects: {name: class or function} for what is the user's own and not registered.
    """
    with reading("The configuration", custom_objects):
        return _object(config)


def _object(config):
    if isinstance(config, (list, tuple)):
        return type(config)(map(_object, config))
    if not isinstance(config, dict):
        return config
    if "class_name" not in config:
        return {key: _object(item) for key, item in config.items()}
    name, inner = config["class_name"], config.get("config")
    if name == "__numpy__":
        return np.array(inner["value"], inner["dtype"])
    if name == "function":
        return _function(inner)
    own = get_registered_object(config.get("registered_name") or name)
    if isinstance(own, type) and not issubclass(own, Layer):
        return own.from_config(inner)
    module = str(config.get("module")).removeprefix("keras.").removeprefix("src.")
    family = next((family for place, family in _FAMILIES.items() if module.startswith(place)), None)
    return layer_from_config(config) if own is not None or family is None else family.deserialize(config)


def _function(name):
    for found in (get_registered_object(name), *(getattr(module, name, None) for module in _OF_FUNCTIONS)):
        if found is not None:
            return found
    raise ValueError(
        f"deserialize_keras_object: a function of your own must be passed as custom_objects={{{name!r}: ...}}, or "
        f"registered with saving.register_keras_serializable. Received: {name!r}"
    )
