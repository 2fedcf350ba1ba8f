"""Whole models in one file: architecture, weights, arguments of compile and the optimizer's state.

"model.keras" is Keras 3's own kind (saving/keras_file.py), "model.h5" is HDF5 in the layout of Keras 2:

    attributes         model_config (saving/config.py) and training_config (saving/training_config.py), both JSON, and
                       the versions; fastkeras_version where names mean what they do in Keras 3
    model_weights      the weights in Keras 2's layout (saving/by_layer.py)
    optimizer_weights  the optimizer's iterations and what it keeps for each weight

Keras 2 and Keras 3 read the latter: tf_keras resumes training from it, Keras 3, which does so from no such file,
predicts.
"""

import json
import math
import os

import numpy as np

from fastkeras.core.variable import initial_values_from
from fastkeras.layers.config import reading
from fastkeras.saving import by_class, by_layer, hdf5, keras_file, optimizer_state
from fastkeras.saving.config import (
    BACKEND,
    KERAS_VERSION,
    any_model_from_config,
    explained,
    in_our_names,
    model_to_config,
    parse,
    signed,
)
from fastkeras.saving.memory import new_file
from fastkeras.saving.training_config import compile_from_config, compile_to_config
from fastkeras.utils import atomic, suggest
from fastkeras.utils.messages import message, warn

_ENDINGS = (".keras", ".h5", ".hdf5")
_IGNORED_ARGUMENTS = {"zipped", "save_format", "signatures", "options", "save_traces"}


def save_model(model, filepath, overwrite=True, include_optimizer=True, **ignored):
    """Writes the model to a file, whole or, whatever happens, not at all.

    filepath: ends in .keras (for Keras 3), .h5 or .hdf5 (for Keras 2 and 3); missing folders are made. overwrite: if
    False and the file exists, asks whether to overwrite it, or raises a FileExistsError where nobody can answer.
    include_optimizer: whether to write the arguments of compile and the optimizer's state too.
    """
    for name in ignored:
        if name not in _IGNORED_ARGUMENTS:
            known = {*_IGNORED_ARGUMENTS, "filepath", "overwrite", "include_optimizer"}
            raise TypeError(suggest.unknown("argument of save", name, known))
    path = _checked(filepath)
    if model.call is None:
        model.require_graph()
    elif not path.lower().endswith(".keras"):
        raise ValueError(
            f"Model '{model.name}' ({type(model).__name__}) computes by a `call` of its own, and a file of Keras 2 "
            "holds a graph of layers: save it as Keras 3 does, model.save('name.keras'), or its weights, "
            f"model.save_weights('name.weights.h5'). Received: '{path}'"
        )
    elif not model.built:
        raise ValueError(message("not_built", model=model.name))
    if model.compiled and model.graph is not None:
        model.compiled.bind(model)
    write = keras_file.write if path.lower().endswith(".keras") else _write_h5
    if atomic.may_write(path, overwrite):
        write(path, model, include_optimizer)


def _write_h5(path, model, include_optimizer):
    config, signature = signed(model_to_config(model))
    training = json.dumps(compile_to_config(model.compiled)) if model.compiled and include_optimizer else None
    with new_file(path) as file:
        file.attrs["keras_version"], file.attrs["backend"] = KERAS_VERSION, BACKEND
        file.attrs.update(signature)
        file.attrs["model_config"] = json.dumps(config)
        by_layer.write_layers(file.create_group("model_weights"), model)
        if training is not None:
            file.attrs["training_config"] = training
            optimizer = model.compiled.optimizer_of(model)
            optimizer_state.write_optimizer(file.create_group("optimizer_weights"), optimizer)


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model in a file (.keras, .h5, .hdf5) of fastkeras, Keras 2 or Keras 3, compiled and ready to go on training.

    custom_objects: {name: class or function} for what is the user's own. compile: False leaves it uncompiled.
    safe_mode: accepted for Keras's sake; nothing in a file is ever run, whatever it says.
    Raises FileNotFoundError, and ValueError if the file is damaged or holds something that fastkeras does not have.
    """
    path = _checked(filepath)
    suggest.require_file(path)
    with reading(f"'{path}'", custom_objects):
        if path.lower().endswith(".keras"):
            with keras_file.opened(path) as (config, file):
                return _load_keras(config, file, compile)
        with hdf5.File(path) as file:
            return _load_h5(file, compile)


def _load_keras(config, file, compile):
    model = _made(config, file, file.size // 4, lambda model: _read_vocabularies(model, file))
    for variable, array in by_class.match_places(file, model):
        variable.value[...] = array.read()
    if compile:
        training = config.get("compile_config") or None
        if training is not None and not isinstance(training, dict):
            raise ValueError(f"'{file.path}': \"compile_config\" must be a dictionary. Received: {training!r:.200}")
        _compile(model, training, file, lambda optimizer: optimizer_state.read_numbered_optimizer(file, optimizer))
    return model


def _read_vocabularies(model, file):
    readers = [(place, layer) for place, layer, _ in by_class.places(model) if hasattr(layer, "load_vocabulary")]
    found = keras_file.vocabularies(file.path) if readers else {}
    for place, layer in readers:
        if place in found:
            kept = by_class.find(file.root, f"{place}/vars") or ()
            layer.load_vocabulary(found[place], kept.array("idf_weights").read() if "idf_weights" in kept else None)


def _load_h5(file, compile):
    config = file.root.attribute("model_config")
    if config is None:
        raise ValueError(
            f"'{file.path}' holds no model, perhaps weights only: make the model, and read them by model.load_weights."
        )
    stored = by_layer.stored_layers(file.root.group("model_weights"))
    in_file = sum(math.prod(array.shape) for _, arrays in stored.layers for array in arrays)
    config = parse(config, f"The model in '{file.path}'")
    config = in_our_names(config, stored.version, file.root.attribute("fastkeras_version"))
    model = _made(config, file, in_file)
    for variable, array in by_layer.match_layers(stored, model):
        variable.value[...] = array.read()
    if compile:
        text = file.root.attribute("training_config")
        training = None if text is None else parse(text, f"The training in '{file.path}'")
        found = "optimizer_weights" in file.root and file.root.group("optimizer_weights")
        _compile(
            model, training, file, lambda optimizer: optimizer_state.read_optimizer(found, optimizer) if found else None
        )
    return model


def _made(config, file, in_file, read_vocabularies=None):
    """The model of a configuration from a file with so many weights, still without them."""
    with explained(f"'{file.path}' describes a model"), initial_values_from(_Bounded(in_file)):
        return any_model_from_config(config, read_vocabularies)


def _compile(model, config, file, read_state):
    """Compiles the model as the file says, and restores the optimizer's state, which read_state(optimizer) gives."""
    if config is None:
        warn(f"'{file.path}' does not say how the model was compiled: call model.compile(...).")
        return
    with explained(f"'{file.path}' describes a training (compile=False leaves it out)"):
        model.compile(**compile_from_config(config))
    if model.graph is not None:
        optimizer = model.compiled.optimizer_of(model)
        state = read_state(optimizer)
        if state is not None:
            optimizer.set_state(state)


class _Bounded:
    """Initial values for the weights of a model that is about to be filled from a file: zeros, and no more of them than
    the file could fill, with room for an error message that says what does not fit."""

    def __init__(self, in_file):
        self.left = 4 * in_file + 2**20

    def __call__(self, shape):
        self.left -= math.prod(shape)
        if self.left < 0:
            raise ValueError(f"it has more weights than the file, one of shape {shape} among them")
        return np.zeros(shape, np.float32)


def _checked(filepath):
    """The path as a str, if it is one of a whole model."""
    path = atomic.user_path(filepath)
    if path.lower().endswith(".weights.h5"):
        raise ValueError(f"Weights are for save_weights and load_weights, not for whole models. Received: '{path}'")
    if not path.lower().endswith(_ENDINGS):
        raise ValueError(f"The name of a model's file must end in .keras, .h5 or .hdf5. Received: '{path}'")
    if os.path.isdir(path):
        raise ValueError(f"A model is one file, whose name ends in .keras, .h5 or .hdf5. Received: '{path}', a folder")
    return path
