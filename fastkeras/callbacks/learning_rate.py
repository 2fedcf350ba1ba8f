"""LearningRateScheduler and ReduceLROnPlateau."""

import inspect
import math

from fastkeras.callbacks.callback import Callback
from fastkeras.callbacks.monitor import Monitor, number
from fastkeras.utils import suggest


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch: schedule(epoch, learning_rate) or schedule(epoch) -> float.

    verbose 1 says what it is set to.
    """

    def __init__(self, schedule, verbose=0):
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _positional(schedule) > 1

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, float(optimizer.learning_rate)) if self._takes_rate else self.schedule(epoch)
        try:
            rate = float(rate)
        except (TypeError, ValueError):
            raise ValueError(f"LearningRateScheduler: `schedule` must return a number. Received: {rate!r}") from None
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _positional(function):
    """How many positional arguments the function takes; 2 if it does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 2
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 2
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when a value has not improved for `patience` epochs.

    monitor, mode, min_delta: as in EarlyStopping. cooldown: how many epochs to wait after a reduction. min_lr: the
    smallest learning rate. verbose 1 says when it is reduced.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
        **unknown,
    ):
        suggest.refuse_arguments("ReduceLROnPlateau", ReduceLROnPlateau, unknown)
        super().__init__(monitor, mode, min_delta)
        if not 0 < number("ReduceLROnPlateau", "factor", factor) < 1:
            raise ValueError(f"ReduceLROnPlateau: `factor` must lie between 0 and 1. Received: factor={factor!r}")
        self.factor = factor
        self.patience = number("ReduceLROnPlateau", "patience", patience)
        self.verbose = verbose
        self.cooldown = number("ReduceLROnPlateau", "cooldown", cooldown)
        self.min_lr = number("ReduceLROnPlateau", "min_lr", min_lr)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.best = self.worst
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self.value(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch):
        optimizer = self.model.optimizer
        rate = float(optimizer.learning_rate)
        if rate <= self.min_lr or math.isclose(rate, self.min_lr, rel_tol=1e-6):
            return
        optimizer.learning_rate = rate = max(rate * self.factor, self.min_lr)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
