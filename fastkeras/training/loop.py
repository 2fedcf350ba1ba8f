"""fit, evaluate and predict: sources of batches (data.py), a step (step.py), and what happens around it."""

import itertools

from fastkeras.callbacks import CallbackList, LambdaCallback
from fastkeras.core.run import SameWeights
from fastkeras.training import arguments, data, own
from fastkeras.training.interrupt import Interrupt
from fastkeras.training.step import Predictions, meters_of, predict_step, result, test_step, train_step
from fastkeras.utils.messages import warn
from fastkeras.utils.progress import Progress

_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class Course:
    """Where a model's training begins, what it reports, and whether it has finished.

    source: gives the batches (data.py). epoch: the first one to train. batch: how many of its batches are done already.
    names: those that the logs of an epoch will have, or None if the model's own steps or callbacks may add others.
    finished: True in on_train_end if training came to its end or was stopped, False if an exception ended it.
    """

    def __init__(self, source, epoch, names=None):
        self.source, self.epoch, self.batch = source, epoch, 0
        self.names = names
        self.finished = False
        self._rest = None

    def go_to(self, epoch, batch, position):
        """For callbacks, in on_train_begin: begins where another process has come to. position: that of its source when
        the epoch began."""
        self.epoch, self.batch = epoch, batch
        self.source.return_to(position)
        self._rest = iter(self.source)
        for _ in itertools.islice(self._rest, batch):
            pass

    def batches(self, epoch):
        """(the batches of an epoch that are to come, how many are done)"""
        if self._rest is None or epoch != self.epoch:
            return self.source, 0
        return self._rest, self.batch


def fit(
    model,
    x=None,
    y=None,
    batch_size=32,
    epochs=1,
    verbose="auto",
    callbacks=None,
    validation_split=0.0,
    validation_data=None,
    shuffle=True,
    class_weight=None,
    sample_weight=None,
    initial_epoch=0,
    steps_per_epoch=None,
    validation_steps=None,
    validation_batch_size=None,
    validation_freq=1,
    **accepted,
):
    """Trains the model and returns its History.

    x, y: the inputs and targets: arrays, lists, frames; for several inputs or outputs a list of them, or a dict by name
        (see `compile`). Or x alone gives batches (x, y) or (x, y, sample_weight): a generator, any iterable, or a
        keras.utils.Sequence.
    batch_size: samples per step; None for all in one step.
    epochs: the number of the last epoch; initial_epoch: how many are done already.
    verbose: 1 or "auto" draws a bar, 2 prints one line per epoch, 0 nothing.
    callbacks: objects of fastkeras.callbacks, called on the way.
    validation_data: (x, y) or (x, y, sample_weight), or what gives such batches, to evaluate after each epoch;
        validation_split: the fraction of x and y, their last part, to set aside for it instead.
        validation_steps, validation_batch_size: as steps_per_epoch and batch_size; validation_freq: every so many
        epochs, or a list of epochs (counted from 1).
    shuffle: a new order of the samples (of a Sequence: of its batches) in each epoch; "batch" shuffles in batches only.
    class_weight: a dict from class to the weight of its samples in the loss, for one output; sample_weight: a weight
        for each sample, (n,), or for each step of each sample, (n, steps), or a list or dict of such, by output.
    steps_per_epoch: steps to count as an epoch, which goes on in the data where the last one stopped; a float is
        rounded up.

    Ctrl-C (KeyboardInterrupt) takes effect between two steps. However training ends, the weights are those of the last
    finished step, and model.history holds the epochs that were finished.
    """
    arguments.refuse_unknown(fit, accepted)
    epochs = range(arguments.count("initial_epoch", initial_epoch, 0), arguments.count("epochs", epochs, 0))
    batch_size = arguments.optional_count("batch_size", batch_size)
    steps_per_epoch = arguments.optional_steps("steps_per_epoch", steps_per_epoch)
    validation_steps = arguments.optional_steps("validation_steps", validation_steps)
    validation_batch_size = arguments.optional_count("validation_batch_size", validation_batch_size) or batch_size
    validation_split = arguments.fraction("validation_split", validation_split)
    validation_freq = arguments.frequency(validation_freq)
    verbose, shuffle = arguments.verbosity(verbose), arguments.shuffling(shuffle)

    if validation_split and validation_data is None and own.replaces(model, "train") != own.replaces(model, "test"):
        (x, y, sample_weight), validation_data = data.split_given(x, y, sample_weight, validation_split)
    source, validation = data.source(model, x, y, sample_weight, class_weight, batch_size, shuffle), None
    if validation_data is not None:
        validation = data.validation_source(model, validation_data, validation_batch_size)
    elif validation_split:
        source, validation = data.split(source, validation_split, validation_batch_size, weigh=class_weight is None)
    if steps_per_epoch is not None:
        source = data.Endless(source, steps_per_epoch)

    hooks = CallbackList(
        callbacks, add_history=True, model=model, epochs=epochs.stop, steps=source.steps, verbose=verbose
    )
    validate = _validator(model, validation, validation_steps, validation_freq, hooks)
    model.course = Course(source, epochs.start, _names_in_logs(model, hooks, validation is not None))
    try:
        _train(model, model.course, epochs.stop, steps_per_epoch or 1, validate, hooks, verbose)
    finally:
        model.course = None
    return model.history


def _names_in_logs(model, hooks, validated):
    """The `names` of a Course."""
    ours = all(type(c).__module__.startswith("fastkeras.callbacks.") and type(c) is not LambdaCallback
               for c in hooks.callbacks)  # fmt: skip
    if not ours or own.replaces(model, "train") or own.replaces(model, "test"):
        return None
    names = model.compiled.names
    return [*names, *(f"val_{name}" for name in names if validated), "learning_rate"]


def _validator(model, source, steps, wanted, hooks):
    """The function of epoch that gives the values of the validation after it: none if it is not `wanted` there."""

    def validate(epoch):
        if source is None or not wanted(epoch):
            return {}
        batches, total = _limited(source, steps)
        made, values = _evaluate(model, batches, hooks, Progress(0), _same_weights(source, total, hooks, "test"))
        if made == 0:
            warn("`validation_data` have come to their end; the epoch is not validated.")
            return {}
        return {f"val_{key}": value for key, value in values.items()}

    return validate


def _train(model, course, epochs, least, validate, hooks, verbose):
    """The epochs of fit: `least` is the number of steps that one must have, and `validate(epoch)` gives the values of
    the validation after it."""
    meters = meters_of(model, "train")
    total, logs = course.source.steps, {}
    model.stop_training = False
    with Interrupt() as interrupt:
        step = interrupt.protect(train_step(model, meters))
        hooks.call("on_train_begin", {})
        try:
            for epoch in range(course.epoch, epochs):
                batches, done = course.batches(epoch)
                hooks.call("on_epoch_begin", epoch, {})
                meters.reset()
                with Progress(verbose, total, f"Epoch {epoch + 1}/{epochs}") as progress:
                    steps = _each_batch("train", model, batches, step, meters.logs, hooks, progress, done)
                    if steps < least and not model.stop_training:
                        warn(f"`x` came to its end after {steps} steps of epoch {epoch + 1}.")
                        model.stop_training = True
                    if steps > done:
                        logs = meters.logs()
                        logs.update(validate(epoch))
                        progress.finish(steps, logs)
                if steps > done:
                    total = total or steps
                    hooks.call("on_epoch_end", epoch, logs)
                if model.stop_training:
                    break
            if logs:  # something was trained
                model.optimizer.finalize_variable_values()
            course.finished = True
        finally:
            hooks.call("on_train_end", logs)


def _each_batch(mode, model, batches, step, logs, hooks, progress, steps=0):
    """Calls `step` on each batch, with the hooks of the mode (train, test, predict) and the bar around it; `logs()`
    are the values so far. Returns the number of steps; `steps` were made before."""
    before, after = _BATCH_HOOKS[mode]
    begin, end = hooks.methods(before), hooks.methods(after)
    may_stop = mode == "train"
    for xs, ys, weights in batches:
        for hook in begin:
            hook(steps, {})
        step(xs, ys, weights)
        if end:
            values = logs()
            for hook in end:
                hook(steps, values)
        steps += 1
        if progress.due():
            progress.draw(steps, logs())
        if may_stop and model.stop_training:
            break
    return steps


def _same_weights(source, steps, hooks, mode):
    """A SameWeights for so many batches of the source, if neither code that makes them nor a callback has its turn in
    between, when it could change the weights; else None."""
    if type(source) is not data.Arrays or steps < 2 or any(hooks.methods(hook) for hook in _BATCH_HOOKS[mode]):
        return None
    return SameWeights(steps)


def _limited(source, steps):
    """The batches of a source, at most `steps` (None: all), and how many that will be, if it is known."""
    if steps is None:
        return source, source.steps
    return itertools.islice(source, steps), steps if source.steps is None else min(steps, source.steps)


def _evaluate(model, batches, hooks, progress, same_weights):
    """The number of steps made, and the values over them."""
    meters = meters_of(model, "test")
    with test_step(model, meters, same_weights) as step:
        hooks.call("on_test_begin", {})
        made = _each_batch("test", model, batches, step, meters.logs, hooks, progress)
    values = meters.logs()
    hooks.call("on_test_end", values)
    return made, values


def evaluate(
    model,
    x=None,
    y=None,
    batch_size=32,
    verbose="auto",
    sample_weight=None,
    steps=None,
    callbacks=None,
    return_dict=False,
    **accepted,
):
    """The loss and metrics over all samples: [loss, metric, ...], the loss alone if there are no metrics, or a dict.

    x, y, sample_weight, batch_size, verbose, callbacks: as in `fit`. steps: how many batches to look at; None for all.
    return_dict: whether to return {"loss": ..., metric: ...}.
    """
    arguments.refuse_unknown(evaluate, accepted)
    batch_size = arguments.optional_count("batch_size", batch_size)
    steps = arguments.optional_steps("steps", steps)
    verbose = arguments.verbosity(verbose)
    source = data.source(model, x, y, sample_weight, batch_size=batch_size, mode="test")
    batches, total = _limited(source, steps)
    hooks = CallbackList(callbacks, model=model, epochs=1, steps=total, verbose=verbose)
    with Progress(verbose, total) as progress:
        made, values = _evaluate(model, batches, hooks, progress, _same_weights(source, total, hooks, "test"))
        progress.finish(made, values)
    return result(values, return_dict)


def predict(model, x, batch_size=32, verbose=0, steps=None, callbacks=None, **accepted):
    """The model's outputs for all samples, as a numpy array; a list or dict of them if the model has several outputs.

    x, batch_size, callbacks: as in `fit`. verbose: as in `fit`, but 0 unless it is given. steps: how many batches to
    predict; None for all.
    """
    arguments.refuse_unknown(predict, accepted)
    batch_size = arguments.optional_count("batch_size", batch_size)
    steps = arguments.optional_steps("steps", steps)
    verbose = arguments.verbosity(verbose)
    source = data.source(model, x, batch_size=batch_size, mode="predict")
    batches, total = _limited(source, steps)
    hooks = CallbackList(callbacks, model=model, epochs=1, steps=total, verbose=verbose)
    predictions = Predictions(model)

    def logs():
        return {"outputs": predictions.last()}

    same_weights = _same_weights(source, total, hooks, "predict")
    with predict_step(model, predictions, same_weights) as step, Progress(verbose, total) as progress:
        hooks.call("on_predict_begin", {})
        made = _each_batch("predict", model, batches, step, logs, hooks, progress)
        progress.finish(made, {})
    hooks.call("on_predict_end", {})
    return predictions.whole()
