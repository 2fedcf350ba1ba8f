"""Training as functions over a model: fit, evaluate, predict (loop.py) and the same for a single batch (on_batch.py).

Batches come from whatever people pass (data.py), checked and converted (prepare.py); a step is forward, loss and
metrics, backward and update (step.py), as model.compile() settled it (compiled.py).
"""

from fastkeras.training import own
from fastkeras.training.compiled import Compiled
from fastkeras.training.generators import evaluate_generator, fit_generator, predict_generator
from fastkeras.training.loop import evaluate, fit, predict
from fastkeras.training.on_batch import predict_on_batch, test_on_batch, train_on_batch

__all__ = [
    "Compiled",
    "evaluate",
    "evaluate_generator",
    "fit",
    "fit_generator",
    "own",
    "predict",
    "predict_generator",
    "predict_on_batch",
    "test_on_batch",
    "train_on_batch",
]
