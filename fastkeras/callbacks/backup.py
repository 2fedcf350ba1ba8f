"""BackupAndRestore."""

import json
import os
from contextlib import suppress

import numpy as np

from fastkeras import random_state
from fastkeras.callbacks.callback import Callback
from fastkeras.layers.inside import inside
from fastkeras.utils import atomic

_STATE = "training.json"
_PREVIOUS = "training.previous.json"


class BackupAndRestore(Callback):
    """Keeps a backup of the training, from which the next run of the script goes on if this one is ended halfway.

    However it ended, a kill or a power cut included, the run that goes on gives bit for bit what one run alone would
    have given: weights and optimizer, epochs, the order of the samples, dropout and all other random streams, and the
    states of stateful layers come back. The script must be the same, and so must its data. Of a generator that gives
    each batch once, what was read is read again and passed over. What other callbacks remember is not in the backup
    (EarlyStopping waits anew), the History has the epochs of its own run, and so have, in an epoch that was taken up
    in its middle, the values of loss and metrics.

    backup_dir: a folder for this training alone. save_freq: "epoch", or a number of batches, after which a backup is
    made, besides the one at the end of each epoch. double_checkpoint: whether to keep the backup before the last too,
    for the case that the last cannot be read. delete_checkpoint: whether to remove the backup when the training has
    come to its end; it stays if an exception or Ctrl-C ends it.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool) or save_freq < 1):
            raise ValueError(
                "BackupAndRestore: `save_freq` must be 'epoch' or a number of batches. "
                f"Received: save_freq={save_freq!r}"
            )
        self.backup_dir = atomic.user_path(backup_dir)
        if not self.backup_dir:
            raise ValueError(f"BackupAndRestore: `backup_dir` must be a folder. Received: backup_dir={backup_dir!r}")
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = self._batches = 0  # the epoch under way; batches since the last backup
        self._position = None  # of the data, at the beginning of the epoch
        if save_freq != "epoch":  # a hook that is not needed costs nothing
            self.on_train_batch_end = self._after_batch

    def _path(self, name):
        return os.path.join(self.backup_dir, name)

    # --- hooks -----------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        names = [name for name in (_STATE, _PREVIOUS) if os.path.exists(self._path(name))]
        for name in names:
            try:
                self._restore(name)
                return
            except (OSError, ValueError, KeyError, TypeError) as error:
                if name == names[-1]:
                    raise ValueError(
                        f"BackupAndRestore: the backup in '{self.backup_dir}' does not fit this training, or is "
                        f"damaged; remove it to train from the start. {error}"
                    ) from error

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        if self.save_freq != "epoch":
            self._position = self.model.course.source.position()

    def _after_batch(self, batch, logs=None):
        self._batches += 1
        if self._batches >= self.save_freq:
            self._save(self._epoch, batch + 1, self._position)

    def on_epoch_end(self, epoch, logs=None):
        self._save(epoch + 1, 0, self.model.course.source.position())

    def on_train_end(self, logs=None):
        if self.model.course.finished and self.delete_checkpoint:
            self._remove(keep=())
            with suppress(OSError):  # there is something else in it
                os.rmdir(self.backup_dir)

    # --- the backup ------------------------------------------------------------------------------------------------
    #
    # The weights, with the optimizer's state, are a file of their own for each backup, and training.json, which is
    # replaced in one step, says which is the one that counts.

    def _save(self, epoch, batch, position):
        self._batches = 0
        optimizer, generators, stateful = self.model.optimizer, *_random_and_stateful(self.model)
        weights = f"{optimizer.iterations}-{os.urandom(4).hex()}.weights.h5"
        state = {
            "weights": weights,
            "epoch": epoch,
            "batch": batch,
            "data": position,
            "learning_rate": _own_learning_rate(optimizer),
            "streams": random_state.global_state(),
            "generators": [generator.state.tolist() for generator in generators],
            "states": [layer.states and [state.tolist() for state in layer.states] for layer in stateful],
        }
        self.model.save_weights(self._path(weights))
        keep = [weights]
        if self.double_checkpoint and os.path.exists(self._path(_STATE)):
            keep.append(self._read(_STATE)["weights"])
            os.replace(self._path(_STATE), self._path(_PREVIOUS))
        atomic.write(self._path(_STATE), json.dumps(state).encode())
        self._remove(keep=(_STATE, _PREVIOUS, *keep))

    def _read(self, name):
        with open(self._path(name), encoding="utf-8") as file:
            return json.load(file)

    def _restore(self, name):
        state, model = self._read(name), self.model
        generators, stateful = _random_and_stateful(model)
        model.load_weights(self._path(os.path.basename(state["weights"])))
        if state["learning_rate"] is not None:
            model.optimizer.learning_rate = state["learning_rate"]
        for generator, numbers in zip(generators, state["generators"], strict=True):
            generator.state = numbers
        for layer, states in zip(stateful, state["states"], strict=True):
            layer.reset_states(states and [np.array(state, np.float32) for state in states])
        model.course.go_to(state["epoch"], state["batch"], state["data"])
        random_state.set_global_state(state["streams"])  # the last: data may draw from them on their way

    def _remove(self, keep):
        """Removes the files of older backups, and what a process that was killed left of its own."""
        for name in os.listdir(self.backup_dir):
            ours = name in (_STATE, _PREVIOUS) or ".weights.h5" in name or name.startswith(f".{_STATE}.")
            if ours and name not in keep:
                os.remove(self._path(name))


def _own_learning_rate(optimizer):
    """The learning rate as it is, while .weights.h5 has it in float32; None if a schedule gives it."""
    return optimizer.learning_rate if any(name == "learning_rate" for name, _ in optimizer.variables) else None


def _random_and_stateful(model):
    """(the generators of random numbers in the model's layers, the layers that carry states over), in a fixed order."""
    layers = list(dict.fromkeys(layer for part in model.sublayers() for layer in inside(part)))
    found = [value for layer in layers for value in vars(layer).values()]
    generators = {id(value): value for value in found if isinstance(value, random_state.SeedGenerator)}
    return list(generators.values()), [layer for layer in layers if hasattr(layer, "states")]
