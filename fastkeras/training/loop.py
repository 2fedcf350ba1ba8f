"""fit, evaluate and predict."""

import numpy as np

from fastkeras.callbacks import CallbackList, History
from fastkeras.training import data
from fastkeras.training.progress import Progress, headline
from fastkeras.training.step import Meters, test_step, train_step
from fastkeras.utils import suggest


def fit(
    model,
    x=None,
    y=None,
    batch_size=32,
    epochs=1,
    verbose=1,
    callbacks=None,
    validation_split=0.0,
    validation_data=None,
    shuffle=True,
    class_weight=None,
    sample_weight=None,
    initial_epoch=0,
    **kwargs,
):
    """Trains the model and returns its History."""
    if kwargs:
        raise TypeError(suggest.unknown("argument of fit", next(iter(kwargs)), fit.__code__.co_varnames))
    compiled = model.require_compiled()
    source = data.Arrays(model, x, y, sample_weight, class_weight, batch_size, shuffle)
    compiled.bind(model)
    history = History()
    callbacks = CallbackList([*(callbacks or []), history], model, epochs, verbose, len(source))
    meters, walk = Meters(compiled), model.training_pass()
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        headline(verbose, epoch, epochs)
        progress = Progress(verbose, len(source))
        callbacks.on_epoch_begin(epoch)
        meters.reset()
        step = 0
        for xs, targets, weights in source:
            if callbacks.wants_batches:
                callbacks.on_train_batch_begin(step)
            train_step(model, walk, meters, xs, targets, weights)
            if callbacks.wants_batches:
                callbacks.on_train_batch_end(step, meters.logs())
            step += 1
            if progress.due():
                progress.draw(step, meters.logs())
            if model.stop_training:
                break
        logs = meters.logs()
        if validation_data is not None:
            logs.update(
                {
                    f"val_{k}": v
                    for k, v in evaluate(
                        model, *validation_data, batch_size=batch_size, verbose=0, return_dict=True
                    ).items()
                }
            )
        progress.finish(step, logs)
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end()
    model.history = history
    return history


def evaluate(model, x=None, y=None, batch_size=32, verbose=1, sample_weight=None, return_dict=False):
    """The loss and metrics over all samples: [loss, metrics...], the loss alone, or a dict."""
    compiled = model.require_compiled()
    source = data.Arrays(model, x, y, sample_weight, None, batch_size)
    compiled.bind(model)
    meters, walk = Meters(compiled), model.take_pass()
    progress = Progress(verbose, len(source))
    for step, (xs, targets, weights) in enumerate(source):
        test_step(model, walk, meters, xs, targets, weights)
        if progress.due():
            progress.draw(step + 1, meters.logs())
    logs = meters.logs()
    progress.finish(len(source), logs)
    model.give_pass(walk)
    if return_dict:
        return logs
    return list(logs.values()) if len(logs) > 1 else logs["loss"]


def predict(model, x, batch_size=32, verbose=0, steps=None, callbacks=None):
    """The model's outputs for all samples, as a numpy array."""
    xs = data.prepare_inputs(model, x)
    n = len(xs[0])
    size = n if batch_size is None else batch_size
    walk = model.take_pass()
    if n <= size:
        outputs, _ = walk.forward(xs)
        result = [y.copy() for y in outputs]
    else:
        result = [np.empty((n, *t.shape[1:]), np.float32) for t in model.outputs]
        for start in range(0, n, size):
            outputs, _ = walk.forward([a[start : start + size] for a in xs])
            for whole, part in zip(result, outputs, strict=True):
                whole[start : start + size] = part
    model.give_pass(walk)
    return result[0] if len(result) == 1 else result
