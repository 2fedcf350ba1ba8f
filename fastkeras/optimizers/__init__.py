"""Optimizers: how the weights follow the gradients."""

from fastkeras.optimizers import schedules
from fastkeras.optimizers.adam import Adam
from fastkeras.optimizers.optimizer import Optimizer
from fastkeras.optimizers.rmsprop import RMSprop
from fastkeras.optimizers.sgd import SGD
from fastkeras.utils import suggest
from fastkeras.utils.registry import Registry

adam, rmsprop, sgd = Adam, RMSprop, SGD  # Keras 2's names

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize"]

_REGISTRY = Registry("optimizer", "keras.optimizers", Optimizer, {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam})
get = _REGISTRY.get
serialize = _REGISTRY.serialize
deserialize = _REGISTRY.deserialize


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.optimizers", name, __all__))
