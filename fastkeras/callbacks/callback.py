"""The base of all callbacks, the list of them that a loop calls, and the simplest ones."""

from functools import partial

from fastkeras.callbacks.names import Values
from fastkeras.utils import suggest


class Callback:
    """The base: override the hooks you need.

    model: the model that is trained, evaluated or predicts. params: {"epochs", "steps", "verbose"}. Both are set
    before the first hook is called. `logs` is a dict: the losses and metrics so far. Hooks that no callback overrides
    cost nothing.
    """

    model = None
    params = None

    def set_model(self, model):
        """Called before the first hook, with the model that the loop runs."""
        self.model = model

    def set_params(self, params):
        """Called before the first hook, with how often the loop runs: see `params` above."""
        self.params = params

    def on_train_begin(self, logs=None):
        """When fit starts."""

    def on_train_end(self, logs=None):
        """When fit ends, whether it is done, stopped or interrupted."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch of training; epochs count from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation; what is added to `logs` is recorded in the History."""

    def on_batch_begin(self, batch, logs=None):
        """Another name of on_train_batch_begin."""

    def on_batch_end(self, batch, logs=None):
        """Another name of on_train_batch_end."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a training step; batches count from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a training step."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs=None):
        """When evaluate, or the validation in fit, starts."""

    def on_test_end(self, logs=None):
        """When evaluate, or the validation in fit, ends."""

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of evaluate or of the validation in fit."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of evaluate or of the validation in fit."""

    def on_predict_begin(self, logs=None):
        """When predict starts."""

    def on_predict_end(self, logs=None):
        """When predict ends."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of predict."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of predict; logs["outputs"] is what the model gave."""


HOOKS = frozenset(name for name in vars(Callback) if name.startswith("on_"))
_ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _overrides(callback, hook):
    """Whether the callback does something at this hook."""
    method = getattr(callback, hook, None)
    if method is None:
        return False
    if getattr(method, "__func__", method) is not getattr(Callback, hook):
        return True
    return hook in _ALIASES and _overrides(callback, _ALIASES[hook])


class CallbackList:
    """Several callbacks called as one: `callbacks.on_epoch_end(epoch, logs)` calls each in turn.

    callbacks: a callback, or a list (of lists) of them. add_history: whether a History joins them if there is none
    yet; it becomes `model.history`. add_progbar: accepted, see ProgbarLogger. params: what the callbacks find in their
    `params`.
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        self.callbacks = _flat(callbacks)
        if add_history and not any(isinstance(c, History) for c in self.callbacks):
            self.callbacks.append(History())
        self.model, self.params = model, params
        self._methods = {}
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def methods(self, hook):
        """The methods that override the hook, in order; they are looked up once."""
        if not self.callbacks:
            return ()
        found = self._methods.get(hook)
        if found is None:
            found = self._methods[hook] = [getattr(c, hook) for c in self.callbacks if _overrides(c, hook)]
        return found

    def call(self, hook, *arguments):
        """call("on_epoch_end", epoch, logs) is on_epoch_end(epoch, logs): of each callback that overrides the hook."""
        for method in self.methods(hook):
            method(*arguments)

    def __getattr__(self, hook):
        if hook not in HOOKS:
            raise AttributeError(suggest.unknown("hook", hook, HOOKS))
        return partial(self.call, hook)


def _flat(callbacks):
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
    if isinstance(callbacks, (list, tuple)):
        return [c for item in callbacks for c in _flat(item)]
    if isinstance(callbacks, type) or not hasattr(callbacks, "set_model"):
        raise TypeError(
            "`callbacks` must hold objects of subclasses of keras.callbacks.Callback (a function can be wrapped: "
            f"keras.callbacks.LambdaCallback(on_epoch_end=...)). Received: {callbacks!r}"
        )
    return [callbacks]


class History(Callback):
    """What fit returns.

    epoch: the numbers of the epochs that are done. history: a dict from each loss and metric, by the name it was
    given in compile(), to its values by epoch; another common name of it is understood ("acc" for "accuracy").
    """

    def __init__(self):
        self.epoch = []
        self.history = Values()

    def set_model(self, model):
        super().set_model(model)
        model.history = self

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            dict.setdefault(self.history, key, []).append(value)

    def plot(self, *names, to_file=None):
        """Draws the loss and the metrics over the epochs, each beside its val_ curve, and returns matplotlib's figure.

        names: those to draw; all by default. to_file: where to save the picture (*.png, *.svg, *.pdf).
        """
        from fastkeras.callbacks.curves import draw

        return draw(self.history, names, to_file)


class LambdaCallback(Callback):
    """A callback from functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs["loss"]))."""

    def __init__(self, **functions):
        for hook, function in functions.items():
            if hook not in HOOKS:
                raise TypeError(suggest.unknown("argument of LambdaCallback", hook, HOOKS))
            if function is not None:
                setattr(self, hook, function)


class ProgbarLogger(Callback):
    """Accepted for scripts that pass one: fit, evaluate and predict draw their bar themselves (see `verbose`)."""

    def __init__(self, count_mode="steps", stateful_metrics=None):
        self.count_mode = count_mode
