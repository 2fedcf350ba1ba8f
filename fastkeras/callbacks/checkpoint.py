"""ModelCheckpoint."""

import os

from fastkeras.callbacks.monitor import Monitor, number
from fastkeras.callbacks.names import Values
from fastkeras.utils import suggest


class ModelCheckpoint(Monitor):
    """Saves the model while it is trained.

    filepath: where to; {epoch} and the names of losses and metrics are filled in ("{epoch:02d}-{val_loss:.4f}.h5",
    epochs count from 1), and directories are created. monitor, mode: the value that save_best_only looks at, and
    whether it should be small ("min") or large ("max"); "auto" goes by its name. verbose 1 says what is done.
    save_best_only: save only when the value is the best so far. save_weights_only: save_weights() instead of save().
    save_freq: "epoch", or a number of batches, counted on over epochs. initial_value_threshold: the value that the
    first file must beat. period: Keras 2's argument, save after every so many epochs.
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
        period=1,
        **unknown,
    ):
        suggest.refuse_arguments("ModelCheckpoint", ModelCheckpoint, unknown)
        if initial_value_threshold is not None:
            number("ModelCheckpoint", "initial_value_threshold", initial_value_threshold)
        # Without save_best_only nothing is compared, and any name will do.
        super().__init__(monitor, mode if save_best_only else "min", baseline=initial_value_threshold)
        if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool) or save_freq < 1):
            raise ValueError(
                "ModelCheckpoint: `save_freq` must be 'epoch' or a number of batches. "
                f"Received: save_freq={save_freq!r}"
            )
        if not isinstance(period, int) or isinstance(period, bool) or period < 1:
            raise ValueError(f"ModelCheckpoint: `period` must be a number of epochs. Received: period={period!r}")
        if not isinstance(filepath, (str, os.PathLike)):
            raise TypeError(f"ModelCheckpoint: `filepath` must be a path. Received: filepath={filepath!r}")
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.period = period
        self._epoch = 0
        self._batches = 0  # since the last file
        if save_freq != "epoch":
            self.on_train_batch_end = self._after_batch  # a hook that is not needed costs nothing

    def on_train_begin(self, logs=None):
        names = self.model.course.names
        if names is None:
            return
        # What cannot be filled in is refused now, not when the first epoch is over.
        if self.save_freq == "epoch":
            self._path(dict.fromkeys(names, 0.0), epoch=1)
        else:
            self._path({name: 0.0 for name in names if not name.startswith("val_")}, epoch=1, batch=1)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch" and (epoch + 1) % self.period == 0:
            self._save(self._path(logs or {}, epoch=epoch + 1), logs or {})

    def _after_batch(self, batch, logs=None):
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            if self.verbose:
                print()  # the line before is the bar's
            self._save(self._path(logs or {}, epoch=self._epoch + 1, batch=batch + 1), logs or {})

    def _path(self, logs, **numbers):
        values = Values({**logs, **numbers})
        try:
            return self.filepath.format_map(values)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: `filepath` may name {', '.join(values)}. {error.args[0]} in {self.filepath!r}"
            ) from None

    def _save(self, path, logs):
        value = self.value(logs) if self.save_best_only else None
        if value is None:
            self._say(f"saving model to {path}")
        elif self.improves(value, self.best):
            self._say(f"{self.monitor} improved from {self.best:.5f} to {value:.5f}, saving model to {path}")
        else:
            self._say(f"{self.monitor} did not improve from {self.best:.5f}")
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if value is not None:
            self.best = value  # only now: what could not be written is not the best there is

    def _say(self, message):
        if self.verbose:
            print(f"Epoch {self._epoch + 1}: {message}")
