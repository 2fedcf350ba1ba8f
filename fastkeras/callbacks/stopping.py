"""EarlyStopping and TerminateOnNaN."""

import math

from fastkeras.callbacks.callback import Callback
from fastkeras.callbacks.monitor import Monitor, number
from fastkeras.utils import suggest


class EarlyStopping(Monitor):
    """Stops training when a value no longer improves.

    monitor: the value. min_delta: the smallest change that counts. patience: how many epochs without improvement to
    wait for the next. verbose 1 says when it stops. mode: "min", "max" or "auto" (by the value's name). baseline: a
    value the model must beat for the wait to start again. restore_best_weights: whether the weights of the best epoch
    come back at the end; if Ctrl-C or another exception ends the training, they are in `best_weights` only.
    start_from_epoch: the first epoch that is looked at.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
        **unknown,
    ):
        suggest.refuse_arguments("EarlyStopping", EarlyStopping, unknown)
        super().__init__(monitor, mode, min_delta)
        self.patience = number("EarlyStopping", "patience", patience)
        self.verbose = verbose
        self.baseline = baseline if baseline is None else number("EarlyStopping", "baseline", baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = number("EarlyStopping", "start_from_epoch", start_from_epoch)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = self.worst, None

    def on_epoch_end(self, epoch, logs=None):
        value = self.value(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # so far the only ones, and the best even if the value is not a number
        self.wait += 1
        if self.improves(value, self.best):
            self.best = value
            self._keep(epoch)
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch):
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None and self.model.course.finished:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stops training when the loss is no longer a finite number; with raise_error=True by a RuntimeError."""

    def __init__(self, raise_error=False):
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss of batch {batch} must be a finite number. Received: {loss}")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
