"""Whole models in one HDF5 file: architecture, weights, arguments of compile and the optimizer's state.

    attributes         model_config and training_config, JSON (saving/config.py), and the versions
    model_weights      the weights in Keras 2's layout (saving/weights.py)
    optimizer_weights  the optimizer's iterations and what it keeps for each weight

Keras 2 and Keras 3 read it: tf_keras resumes training from it, Keras 3, which does so from no such file, predicts.
"""

import json
import math
import os
import warnings

import numpy as np

from fastkeras.core.variable import initial_values_from
from fastkeras.layers.config import reading
from fastkeras.saving import hdf5, weights
from fastkeras.saving.config import (
    BACKEND,
    KERAS_VERSION,
    any_model_from_config,
    compile_from_config,
    compile_to_config,
    explained,
    model_to_config,
    parse,
)
from fastkeras.utils import atomic, suggest
from fastkeras.version import __version__

_ENDINGS = (".h5", ".hdf5")
_IGNORED_ARGUMENTS = {"zipped", "save_format", "signatures", "options", "save_traces"}


def save_model(model, filepath, overwrite=True, include_optimizer=True, **ignored):
    """Writes the model to an HDF5 file, whole or, whatever happens, not at all.

    filepath: ends in .h5 or .hdf5; missing folders are made. overwrite: if False and the file exists, asks whether to
    overwrite it, or raises a FileExistsError where nobody can answer. include_optimizer: whether to write the arguments
    of compile and the optimizer's state too.
    """
    for name in ignored:
        if name not in _IGNORED_ARGUMENTS:
            known = {*_IGNORED_ARGUMENTS, "filepath", "overwrite", "include_optimizer"}
            raise TypeError(suggest.unknown("argument of save", name, known))
    path = _checked(filepath)
    model.require_graph()
    if model.compiled:
        model.compiled.bind(model)
    config = json.dumps(model_to_config(model))
    training = json.dumps(compile_to_config(model.compiled)) if model.compiled and include_optimizer else None
    if not atomic.may_write(path, overwrite):
        return
    with weights.new_file(path) as file:
        file.attrs["keras_version"], file.attrs["backend"] = KERAS_VERSION, BACKEND
        file.attrs["fastkeras_version"] = __version__
        file.attrs["model_config"] = config
        weights.write_layers(file.create_group("model_weights"), model)
        if training is not None:
            file.attrs["training_config"] = training
            if model.compiled.owns_optimizer:
                weights.write_optimizer(file.create_group("optimizer_weights"), model.compiled.optimizer)


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model in an HDF5 file (.h5, .hdf5) of fastkeras, Keras 2 or Keras 3, compiled and ready to go on training.

    custom_objects: {name: class or function} for what is the user's own. compile: False leaves it uncompiled.
    safe_mode: accepted for Keras's sake; nothing in a file is ever run, whatever it says.
    Raises FileNotFoundError, and ValueError if the file is damaged or holds something that fastkeras does not have.
    """
    path = _checked(filepath)
    with hdf5.File(path) as file, reading(f"'{path}'", custom_objects):
        config = file.root.attribute("model_config")
        if config is None:
            raise ValueError(
                f"'{path}' holds no model, perhaps weights only: make the model, and read them by model.load_weights."
            )
        config = parse(config, f"The model in '{path}'")
        stored = weights.stored_layers(file.root.group("model_weights"))
        with explained(f"'{path}' describes a model"), initial_values_from(_Bounded(stored)):
            model = any_model_from_config(config)
        for variable, array in weights.match_layers(stored, model, file):
            variable.value[...] = array.read()
        if compile:
            _compile(model, file)
    return model


def _compile(model, file):
    """Compiles the model as the file says, and restores the optimizer's state."""
    text = file.root.attribute("training_config")
    if text is None:
        warnings.warn(f"'{file.path}' does not say how the model was compiled: call model.compile(...).", stacklevel=3)
        return
    config = parse(text, f"The training in '{file.path}'")
    with explained(f"'{file.path}' describes a training (compile=False leaves it out)"):
        model.compile(**compile_from_config(config))
    if model.graph is not None and "optimizer_weights" in file.root:
        state = weights.read_optimizer(file.root.group("optimizer_weights"), model.compiled.optimizer)
        if state is not None:
            model.compiled.optimizer.set_state(state)


class _Bounded:
    """Initial values for the weights of a model that is about to be filled from a file: zeros, and no more of them than
    the file could fill, with room for an error message that says what does not fit."""

    def __init__(self, stored):
        self.left = 4 * sum(math.prod(array.shape) for _, arrays in stored for array in arrays) + 2**20

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
        raise ValueError(f"The name of a model's file must end in .h5 or .hdf5. Received: '{path}'")
    if os.path.isdir(path):
        raise ValueError(f"A model is one file, whose name ends in .h5 or .hdf5. Received: '{path}', a folder")
    return path
