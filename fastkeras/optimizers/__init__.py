"""Optimizers: how the weights follow the gradients."""

from fastkeras.optimizers import schedules
from fastkeras.optimizers.adadelta import Adadelta
from fastkeras.optimizers.adagrad import Adagrad
from fastkeras.optimizers.adam import Adam, AdamW
from fastkeras.optimizers.adamax import Adamax
from fastkeras.optimizers.ftrl import Ftrl
from fastkeras.optimizers.lion import Lion
from fastkeras.optimizers.nadam import Nadam
from fastkeras.optimizers.optimizer import Optimizer
from fastkeras.optimizers.rmsprop import RMSprop
from fastkeras.optimizers.sgd import SGD
from fastkeras.utils import suggest
from fastkeras.utils.registry import Registry

# Keras 2's names
adadelta, adagrad, adam, adamax, nadam, rmsprop, sgd = Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop, SGD

_CLASSES = (SGD, RMSprop, Adam, AdamW, Adagrad, Nadam, Adamax, Adadelta, Lion, Ftrl)
__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_REGISTRY = Registry("optimizer", "keras.optimizers", Optimizer, {cls.__name__.lower(): cls for cls in _CLASSES})
get = _REGISTRY.get
serialize = _REGISTRY.serialize
deserialize = _REGISTRY.deserialize


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.optimizers", name, __all__))
