"""Callbacks: objects whose methods fit, evaluate and predict call on their way."""

from fastkeras.callbacks.backup import BackupAndRestore
from fastkeras.callbacks.callback import Callback, CallbackList, History, LambdaCallback, ProgbarLogger
from fastkeras.callbacks.checkpoint import ModelCheckpoint
from fastkeras.callbacks.csv_logger import CSVLogger
from fastkeras.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from fastkeras.callbacks.stopping import EarlyStopping, TerminateOnNaN
from fastkeras.callbacks.tensorboard import TensorBoard
from fastkeras.utils import suggest

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.callbacks", name, __all__))
