"""Keras 2's names for training with batches that come one by one, which fit, evaluate and predict take as well."""

from fastkeras.training.loop import evaluate, fit, predict
from fastkeras.utils.messages import warn


def fit_generator(model, generator, steps_per_epoch=None, epochs=1, verbose=1, **options):
    """fit(generator, ...), under its old name."""
    _notice("fit")
    return fit(model, generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose, **options)


def evaluate_generator(model, generator, steps=None, verbose=0, **options):
    """evaluate(generator, ...), under its old name."""
    _notice("evaluate")
    return evaluate(model, generator, steps=steps, verbose=verbose, **options)


def predict_generator(model, generator, steps=None, verbose=0, **options):
    """predict(generator, ...), under its old name."""
    _notice("predict")
    return predict(model, generator, steps=steps, verbose=verbose, **options)


def _notice(name):
    warn(f"`{name}_generator` is called `{name}` now.")
