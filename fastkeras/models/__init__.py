"""Models: a graph of call sites, and Sequential, its simplest case."""

import fastkeras
from fastkeras.layers.config import know
from fastkeras.models.cloning import clone_model
from fastkeras.models.crf import CRFModel
from fastkeras.models.model import Model
from fastkeras.models.sequential import Sequential
from fastkeras.utils import suggest

_IN_SAVING = ("load_model", "model_from_config", "model_from_json", "save_model")

__all__ = ["CRFModel", "Model", "Sequential", "clone_model", *_IN_SAVING]

know({"Sequential": Sequential, "Functional": Model, "Model": Model, "CRFModel": CRFModel})


def __getattr__(name):
    """The functions for files, which Keras has here as well; imported when they are first used."""
    if name in _IN_SAVING:
        return getattr(fastkeras.saving, name)
    raise AttributeError(suggest.unknown("name in fastkeras.models", name, __all__))
