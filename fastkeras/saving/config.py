"""The architecture of a model as JSON that Keras 2 and Keras 3 read, and back."""

import json
from contextlib import contextmanager

import numpy as np

from fastkeras.layers.config import layer_from_config, layer_to_config, reading
from fastkeras.models.model import Model
from fastkeras.utils.custom_objects import get_registered_name
from fastkeras.version import __version__

KERAS_VERSION = "2.15.0"  # the version whose layout this is
BACKEND = "tensorflow"  # whose order of axes and gates the weights have

_ONLY_KERAS_3 = {"input_axes", "output_axes"}  # not written where they are None: Keras 2 does not have them


def model_to_config(model, keras_3=False):
    """{"class_name", "config"} of plain values only, with nothing that either Keras does not know.

    Calls are written in the form that both read, or in that of Keras 3 alone: if so asked, and if some have tensors
    among their keywords, which only that form can say.
    """
    config = portable(layer_to_config(model))
    return _with_dictionaries(config) if keras_3 or _has_tensors_as_keywords(config) else config


def portable(value):
    """A configuration of plain values only, with what both Kerases know, by the names that both know."""
    if isinstance(value, dict):
        if value.get("class_name") == "LeakyReLU":  # under the name that Keras 2 has for it and Keras 3 takes as well
            config = dict(value["config"])
            config["alpha"] = config.pop("negative_slope")
            value = {**value, "config": config}
        if "recurrent_dropout" in value:  # such layers of Keras take a seed, but do not keep it in files
            value = {key: item for key, item in value.items() if key != "seed"}
        if value.get("score_mode") == "dot":  # the default, and in a .h5 file Keras 3 takes it for its function
            value = {key: item for key, item in value.items() if key != "score_mode"}
        return {str(key): portable(item) for key, item in value.items() if item is not None or key not in _ONLY_KERAS_3}
    if isinstance(value, (list, tuple)):
        return [portable(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value


def in_our_names(config, version, signature=None):
    """A configuration from a file: what Keras 1 and 2 call hard_sigmoid has another name in Keras 3, and here.

    version: of the Keras that wrote the file, or whose layout it has; None before Keras 1.2. signature: see `signed`.
    """
    old = signature is None and (version is None or str(version)[:2] in ("1.", "2."))
    try:
        return _renamed(config, _HARD_SIGMOID, _LEGACY) if old else config
    except RecursionError:
        return config  # nested too deep for any model: making it fails too, and says so


def signed(config):
    """(a configuration as it is written in Keras 2's layout, the signature of the file: {"fastkeras_version": ...}).

    A model with legacy_hard_sigmoid has it from such a file. It is written as Keras 2's again, by the name
    "hard_sigmoid" and without the signature, unless it has Keras 3's hard_sigmoid as well.
    """
    if _renamed(config, _LEGACY, None) == config or _renamed(config, _HARD_SIGMOID, None) != config:
        return config, {"fastkeras_version": __version__}
    return _renamed(config, _LEGACY, _HARD_SIGMOID), {}


_HARD_SIGMOID, _LEGACY = "hard_sigmoid", "legacy_hard_sigmoid"


def _renamed(value, old, new, key=""):
    """A configuration in which the activation `old` is called `new`."""
    if isinstance(value, dict):
        inside = value.get("class_name") == "function" and key.endswith("activation")
        return {k: _renamed(v, old, new, key if inside else k) for k, v in value.items()}
    if isinstance(value, list):
        return [_renamed(item, old, new) for item in value]
    return new if value == old and key.endswith("activation") else value


def model_from_config(config, custom_objects=None):
    """The model that a dictionary of Keras 2, Keras 3 or fastkeras describes, with new weights.

    custom_objects: {name: class or function} for what is the user's own. Raises a ValueError for anything else that is
    not a model of fastkeras's layers; what a layer does not know is left out, with one warning.
    """
    with reading("The configuration", custom_objects), explained("The configuration describes a model"):
        return any_model_from_config(config)


def any_model_from_config(config, read_vocabularies=None):
    """As `model_from_config`, within its `reading`. read_vocabularies(model): gives its layers what they need before a
    `call` of the model's own runs, to build it."""
    model = layer_from_config(config)
    if not isinstance(model, Model):
        raise ValueError(f"It is a layer, not a model. Received: {model}")
    if read_vocabularies is not None:
        read_vocabularies(model)
    if model.call is not None and isinstance(config.get("build_config"), dict):
        model.build_from_config(config["build_config"])
    return model


@contextmanager
def explained(what):
    """Whatever goes wrong in making objects from a configuration is a ValueError that begins with `what`."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{what} that cannot be made: {error}") from error


def architecture(model, keras_3=False):
    """`model_to_config` with what both Kerases expect beside it where it stands alone."""
    versions = {"keras_version": KERAS_VERSION, "backend": BACKEND}
    if model.call is not None:
        return {**_own_to_config(model), **versions}
    config = model_to_config(model, keras_3)
    module = "keras.src.models.functional" if config["class_name"] == "Functional" else "keras"
    config, signature = (config, {}) if keras_3 else signed(config)
    return {"module": module, **config, "registered_name": config["class_name"], **versions, **signature}


def _own_to_config(model):
    """The entry of a model with a `call` of its own, as Keras 3 has it: its class, its arguments, and the shape that it
    was built for."""
    cls, config = type(model), portable(layer_to_config(model)["config"])
    names = {"module": cls.__module__, "class_name": cls.__name__, "registered_name": get_registered_name(cls)}
    built = model.get_build_config()
    return {**names, "config": config, **({} if built is None else {"build_config": portable(built)})}


# Layers whose inputs after the first are states to start from, and layers that are called on a list in any case.
_TAKE_STATES = {"SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional"}
_TAKE_LISTS = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}


def _with_dictionaries(entry):
    """The entry of a layer, its calls as Keras 3 has them, which alone can tell inputs from states and other tensors:

        [[layer, call, output, keywords], ...]  ->  {"args": [tensor], "kwargs": {"initial_state": [tensor, ...]}}

    and which counts the calls of a Model from 0, where Keras 2 counts from 1 (models/config.py).
    """
    if not isinstance(entry["config"].get("layers"), list):
        return entry
    layers = [_with_dictionaries(layer) for layer in entry["config"]["layers"]]
    graphs = {layer.get("name") for layer in layers if layer["class_name"] == "Functional"}

    def tensor(place):
        name, call, output = place[:3]
        history = [name, call - (name in graphs), output]
        config = {"shape": [None], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}

    for layer in layers:
        if "inbound_nodes" in layer:
            layer["inbound_nodes"] = [_call(call, tensor, layer["class_name"]) for call in layer["inbound_nodes"]]
    return {**entry, "config": {**entry["config"], "layers": layers}}


def _call(call, tensor, class_name):
    tensors = [tensor(place) for place in call]
    keywords = {name: _keyword(value, tensor) for name, value in call[0][3].items()}
    if keywords.get("training") is False:
        keywords["training"] = 0  # False is what Keras 3 writes where no call said so (models/config.py)
    if len(tensors) == 1 and class_name not in _TAKE_LISTS:
        return {"args": tensors, "kwargs": keywords}
    if class_name in _TAKE_STATES:
        return {"args": tensors[:1], "kwargs": {"initial_state": tensors[1:], **keywords}}
    return {"args": [tensors], "kwargs": keywords}


def _keyword(value, tensor):
    if isinstance(value, list) and value and isinstance(value[0], str):
        return tensor(value)
    return [_keyword(item, tensor) for item in value] if isinstance(value, list) else value


def _has_tensors_as_keywords(entry):
    layers, found = entry["config"].get("layers"), []
    for layer in layers if isinstance(layers, list) else []:
        for call in layer.get("inbound_nodes", []):
            for value in call[0][3].values():
                _keyword(value, found.append)
    return bool(found) or any(map(_has_tensors_as_keywords, layers if isinstance(layers, list) else []))


def to_json(model, **options):
    """The architecture as JSON text, which Keras 2 and Keras 3 read as well. options: those of json.dumps."""
    return json.dumps(architecture(model), **options)


def model_from_json(json_string, custom_objects=None):
    """The model that `to_json`, here or in Keras, described, with new weights. custom_objects, errors: as for
    `model_from_config`."""
    config = parse(json_string, "The model")
    config = in_our_names(config, config.get("keras_version", "3"), config.get("fastkeras_version"))
    return model_from_config(config, custom_objects)


def parse(text, what):
    """The dictionary in JSON text; a ValueError that begins with `what` if there is none."""
    try:
        config = json.loads(text, object_hook=_without_tuples)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{what} is not described by valid JSON: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{what} must be described by a dictionary. Received: {config!r:.200}")
    return config


def _without_tuples(found):
    """TensorFlow writes tuples and shapes as {"class_name": "__tuple__" or "TensorShape", "items": [...]}."""
    return found["items"] if found.get("class_name") in ("__tuple__", "TensorShape") and "items" in found else found
