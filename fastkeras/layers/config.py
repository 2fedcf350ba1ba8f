"""Layers as dictionaries of plain Python values, and back, in the form that both Keras 2 and Keras 3 read.

    {"class_name": "Dense", "config": what get_config() gives}

A layer that holds others has such dictionaries in its config. What is read may come from anywhere. It can only name
the classes that are known here (`know`), and those of the user's own (fastkeras.utils.custom_objects).
"""

import inspect
from contextlib import contextmanager
from contextvars import ContextVar

from fastkeras.layers import legacy
from fastkeras.layers.layer import Layer
from fastkeras.utils.custom_objects import custom_object_scope, get_registered_name, get_registered_object
from fastkeras.utils.messages import warn
from fastkeras.utils.registry import Registry

# --- classes by name -------------------------------------------------------------------------------------------------

_REGISTRY = Registry("layer", "keras.layers", Layer, {})


def know(classes):
    """Adds classes to those that files may name, {name: class}; a class is written under its first name."""
    _REGISTRY.add(classes)


def is_known(name):
    """Whether files may name it: a class of the library's, or of the user's own."""
    try:
        _REGISTRY.find(legacy.translated(name, {"mode": "sum"})[0])
    except ValueError:
        return False
    return True


def _find(name):
    try:
        return _REGISTRY.find(name)
    except ValueError as error:
        if name == "Lambda":
            raise ValueError(
                "A Lambda layer holds Python code, and code from a file is never run. Write a Layer that does the same "
                "and pass it as custom_objects={'Lambda': YourLayer}."
            ) from None
        raise ValueError(
            f"{error}. A class of your own must be passed as custom_objects={{{name!r}: ...}}, or registered with "
            "saving.register_keras_serializable."
        ) from None


# --- what is not known -----------------------------------------------------------------------------------------------

_ignored = ContextVar("ignored", default=None)  # what `reading` will warn of


@contextmanager
def reading(source, custom_objects=None):
    """Within it, a configuration may name `custom_objects`, {name: class or function}.

    At the end there is one warning for everything that was left out, since it is not known here. source: what the
    configuration comes from.
    """
    ignored = []
    outermost = _ignored.get() is None
    token = _ignored.set(ignored) if outermost else None
    try:
        with custom_object_scope(custom_objects):
            yield
    finally:
        if outermost:
            _ignored.reset(token)
    if ignored:
        warn(f"{source}: not known here, and left out: {'; '.join(ignored)}")


def _ignore(what):
    _ignored.get().append(what)


def _known_part(cls, config):
    """The configuration without what the class has no argument for; None and False mean that it is not in use."""
    known = cls._arguments()
    for key, value in config.items():
        if key not in known and key not in cls.never_read and value is not None and value is not False:
            _ignore(f"{key}={value!r:.100} of {cls.__name__} '{config.get('name')}'")
    return {key: value for key, value in config.items() if key in known}


def _computed_type(config):
    """Keras's dtype, a name or a policy, as the name of the type computed in."""
    dtype = config.get("dtype")
    name = dtype.get("config", {}).get("name") if isinstance(dtype, dict) else dtype
    if isinstance(name, str) and name not in ("float32", "float") and "float" in name:
        _ignore(f"dtype={name!r} of '{config.get('name')}' (float32 is what is computed in)")
        name = "float32"
    return name


# --- layers ----------------------------------------------------------------------------------------------------------


def layer_to_config(layer):
    """{"class_name", "config"} of a layer or model.

    Raises a ValueError if the config lacks an argument that the class's __init__ cannot do without.
    """
    cls, config = type(layer), layer.get_config()
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY) and name != "self"
        is_argument = not cls.is_model or layer.call is not None
        needed = named and parameter.default is parameter.empty and is_argument
        if needed and name not in config:
            raise ValueError(
                f"Layer '{layer.name}': get_config() of {cls.__name__} must return {name!r}, since __init__ takes it "
                f"and the layer could not be made again without. Received: {list(config)}"
            )
    name = next((name for name, known in _REGISTRY.classes.items() if known is cls), None)
    return {"class_name": name or get_registered_name(cls), "config": config}


_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}


def inner_layer_to_config(layer):
    """`layer_to_config` of a layer in another one's config, where Keras wants to know the module, or that there is none
    since the class is the user's own."""
    entry = layer_to_config(layer)
    name = entry["class_name"]
    if _REGISTRY.classes.get(name) is not type(layer):
        return {"module": None, **entry, "registered_name": name}
    return {"module": _MODULES.get(name, "keras.layers"), **entry, "registered_name": None}


def layer_from_config(entry):
    """The layer (or model) that {"class_name", "config"} describes, with new weights."""
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str) or "config" not in entry:
        raise ValueError(f"A layer must be a dictionary with `class_name` and `config`. Received: {entry!r:.200}")
    name, config = entry["class_name"], entry["config"]
    if isinstance(entry.get("registered_name"), str) and get_registered_object(entry["registered_name"]) is not None:
        name = entry["registered_name"]
    if isinstance(config, dict) and get_registered_object(name) is None:
        name, config = legacy.translated(name, config)
    cls = _find(name)
    if isinstance(config, dict) and not getattr(cls, "is_model", False):
        config = {**config, "dtype": _computed_type(config)} if "dtype" in config else dict(config)
        if cls in _REGISTRY.classes.values():
            config = _known_part(cls, config)
    layer = cls.from_config(config)
    if not isinstance(layer, Layer):
        raise ValueError(f"'{entry['class_name']}' should be a layer. Received: {layer!r:.200}")
    return layer
