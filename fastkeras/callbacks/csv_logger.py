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
        self._columns = None  # known after the first epoch

    def on_train_begin(self, logs=None):
        self._columns = None
        with open(self.filename, "a" if self.append else "w"):
            pass  # an error, if it cannot be written, comes now

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._columns is None:
            keys = sorted(logs)
            if not any(key.startswith("val_") for key in keys):  # validation may come in a later epoch
                keys += [f"val_{key}" for key in keys]
            self._columns = ["epoch", *keys]
        with open(self.filename, "a", newline="") as file:  # for each epoch, so that none is left open
            writer = csv.DictWriter(file, self._columns, restval="NA", extrasaction="ignore", delimiter=self.separator)
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow({"epoch": epoch, **logs})
