"""Training as functions over a model: data in (data.py), one step (step.py), the loop (loop.py)."""

from fastkeras.training.compiled import Compiled
from fastkeras.training.loop import evaluate, fit, predict
from fastkeras.training.step import predict_on_batch, test_on_batch, train_on_batch

__all__ = [
    "Compiled",
    "evaluate",
    "fit",
    "predict",
    "predict_on_batch",
    "test_on_batch",
    "train_on_batch",
]
