"""CSVLogger."""

import csv
import os

from fastkeras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the values of each epoch to a CSV file: a column `epoch` and one per loss and metric, by name.

    The file is complete after each epoch. append: add to the file that is there, with no second header. A value that
    is missing in an epoch (validation_freq) is written as NA.
    """

    def __init__(self, filename, separator=",", append=False):
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file = self._writer = None

    def on_train_begin(self, logs=None):
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115 (closed at the end)
        self._writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._writer is None:
            self._start(sorted(logs))
        self._writer.writerow({"epoch": epoch, **logs})
        self._file.flush()

    def _start(self, keys):
        """The writer, and the header unless the file has one; the first epoch may be one without validation."""
        if not any(key.startswith("val_") for key in keys):
            keys = keys + [f"val_{key}" for key in keys]
        self._writer = csv.DictWriter(
            self._file, ["epoch", *keys], restval="NA", extrasaction="ignore", delimiter=self.separator
        )
        if self._file.tell() == 0:
            self._writer.writeheader()

    def on_train_end(self, logs=None):
        if self._file is not None:
            self._file.close()
            self._file = self._writer = None
