"""Methods of models that Keras 3 no longer has, and predictions that are numbers if there is one."""

import functools
import itertools
import math

import numpy as np

from fastkeras import models
from fastkeras.compat import notices
from fastkeras.compat.words import say_without_effect

__all__ = ["Container", "Functional", "Network"]

Container = Functional = Network = models.Model  # what Model(inputs, outputs) was in Keras 1, late and early Keras 2

_OF_QUEUES = ("max_q_size", "nb_worker", "pickle_safe")  # how many batches to make ahead of time, and where


class Predictions(np.ndarray):
    """What predict returns: an array; if it has one element, float() and int() take it, as before numpy 2.4."""

    def __float__(self):
        return float(self.item() if self.size == 1 else np.asarray(self))

    def __int__(self):
        return int(self.item() if self.size == 1 else np.asarray(self))


def teach():
    """Gives Model what it had."""
    model = models.Model
    model.predict = _predicting(model.predict)
    model.fit_generator, model.evaluate_generator, model.predict_generator = _fit, _evaluate, _predict
    model.predict_classes, model.predict_proba, model.model = predict_classes, predict_proba, _Itself()


def _predicting(predict):
    @functools.wraps(predict)
    def predict_numbers(*args, **kwargs):
        return _numbers(predict(*args, **kwargs))

    return predict_numbers


def _numbers(y):
    if isinstance(y, np.ndarray):
        return y.view(Predictions)
    return {key: _numbers(part) for key, part in y.items()} if isinstance(y, dict) else [_numbers(part) for part in y]


def predict_proba(model, x, batch_size=32, verbose=0):
    """predict(x), as Sequential of Keras 2 called it."""
    notices.say("predict_proba(x) is predict(x) now.")
    return model.predict(x, batch_size=batch_size, verbose=verbose)


def predict_classes(model, x, batch_size=32, verbose=0):
    """The number of the likeliest class, (n,); of a model with one output unit whether it exceeds 1/2, (n, 1)."""
    y = model.predict(x, batch_size=batch_size, verbose=verbose)
    if y.shape[-1] > 1:
        notices.say("predict_classes(x) is predict(x).argmax(axis=-1) now.", "predict_classes")
        return y.argmax(axis=-1)
    notices.say("predict_classes(x) is (predict(x) > 0.5).astype('int32') now.", "predict_classes")
    return (y > 0.5).astype("int32")


class _Itself:
    """model.model, which Sequential of Keras 1 had: for scripts, unless they have an attribute of that name."""

    def __get__(self, model, owner=None):
        if model is None or not notices.called_by_script():
            raise AttributeError("model")
        notices.say("model.model is the model itself now.")
        return model


# --- generators ------------------------------------------------------------------------------------------------------


def _fit(model, generator, steps_per_epoch=None, epochs=1, verbose=1, **options):
    """fit(generator, ...); samples_per_epoch and nb_val_samples of Keras 1 count samples, not steps."""
    _told("fit", options)
    if "nb_epoch" in options:
        epochs = options.pop("nb_epoch")
        notices.say("fit_generator: nb_epoch= is epochs= now.", "nb_epoch")
    if "samples_per_epoch" in options:
        generator, steps_per_epoch = _steps("samples_per_epoch", generator, options.pop("samples_per_epoch"))
    if "nb_val_samples" in options:
        options["validation_data"], options["validation_steps"] = _steps(
            "nb_val_samples", options["validation_data"], options.pop("nb_val_samples")
        )
    return model.fit(generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose, **options)


def _evaluate(model, generator, steps=None, verbose=0, **options):
    """evaluate(generator, ...); val_samples of Keras 1 counts samples, not steps."""
    _told("evaluate", options)
    if "val_samples" in options:
        generator, steps = _steps("val_samples", generator, options.pop("val_samples"))
    return model.evaluate(generator, steps=steps, verbose=verbose, **options)


def _predict(model, generator, steps=None, verbose=0, **options):
    """predict(generator, ...); val_samples of Keras 1 counts samples, not steps."""
    _told("predict", options)
    if "val_samples" in options:
        generator, steps = _steps("val_samples", generator, options.pop("val_samples"))
    return model.predict(generator, steps=steps, verbose=verbose, **options)


def _told(method, options):
    """Says what the method is called now, and takes out of the options what has no effect."""
    notices.say(f"{method}_generator(generator, ...) is {method}(generator, ...) now.")
    for name in _OF_QUEUES:
        if name in options:
            del options[name]
            say_without_effect(f"{method}_generator", name)


def _steps(name, batches, samples):
    """(the batches, how many of them hold so many samples): as the first of them does, which is looked at."""
    batches = iter(batches)
    first = next(batches)
    x = first[0] if isinstance(first, (list, tuple)) else first
    size = len(x[0] if isinstance(x, list) else next(iter(x.values())) if isinstance(x, dict) else x)
    steps = math.ceil(samples / size)
    now = "validation_steps" if name == "nb_val_samples" else "steps_per_epoch" if "per_epoch" in name else "steps"
    notices.say(f"{name}={samples} samples are {now}={steps} batches now.", name)
    return itertools.chain([first], batches), steps
