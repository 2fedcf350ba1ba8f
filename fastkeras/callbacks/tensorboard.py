"""TensorBoard."""

import itertools
import os
import socket
import time

from fastkeras.callbacks.callback import Callback
from fastkeras.utils.messages import warn

_numbers = itertools.count()


class _EventFile:
    """A file of TensorBoard's: Event messages as records, each with its length and checksums."""

    def __init__(self, folder):
        # Parts of the extra that import no TensorFlow, even where there is one.
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._scalar, self._histogram = Event, scalar_pb, histogram_pb
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
        self._records = RecordWriter(open(os.path.join(folder, name), "wb"))  # noqa: SIM115 (closed by `close`)
        self._write(file_version="brain.Event:2")

    def _write(self, **content):
        self._records.write(self._event(wall_time=time.time(), **content).SerializeToString())

    def scalar(self, tag, value, step):
        self._write(step=step, summary=self._scalar(tag, value))

    def histogram(self, tag, array, step):
        self._write(step=step, summary=self._histogram(tag, array))

    def flush(self):
        self._records.flush()

    def close(self):
        self._records.close()


class TensorBoard(Callback):
    """Writes what TensorBoard shows: `tensorboard --logdir logs`.

        <log_dir>/train         epoch_loss, epoch_<metric>, epoch_learning_rate; by update_freq batch_loss, ...;
                                <weight>/histogram
        <log_dir>/validation    epoch_loss, epoch_<metric>; evaluation_loss_vs_iterations, ...

    log_dir: the folder. histogram_freq: after every so many epochs the distribution of each weight; 0 for never.
    update_freq: "epoch", "batch", or a number of batches, after which the averages so far are written as well.
    write_steps_per_second: writes how many steps a second takes. Pictures of the graph, of weights and embeddings, and
    profiles are not written: write_graph, write_images, embeddings_freq, embeddings_metadata and profile_batch are
    accepted, all but the first with a warning if they ask for something.

    Needs the package tensorboard, `pip install fastkeras[tensorboard]`; an ImportError says so. Files are as Keras's.
    """

    def __init__(
        self,
        log_dir="logs",
        histogram_freq=0,
        write_graph=True,
        write_images=False,
        write_steps_per_second=False,
        update_freq="epoch",
        profile_batch=0,
        embeddings_freq=0,
        embeddings_metadata=None,
    ):
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            raise ImportError(
                "The TensorBoard callback needs the package tensorboard: pip install fastkeras[tensorboard]"
            ) from None
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if update_freq not in ("epoch", "batch") and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(
                "TensorBoard: `update_freq` must be 'epoch', 'batch' or a number of batches. "
                f"Received: update_freq={update_freq!r}"
            )
        asked = {"write_images": write_images, "embeddings_freq": embeddings_freq, "profile_batch": profile_batch}
        for name, value in asked.items():
            if value:
                warn(f"TensorBoard: `{name}` is not supported. Received: {name}={value!r}")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_steps_per_second = write_steps_per_second
        self._files = {}  # {"train" or "validation": _EventFile}
        self._training = False
        self._step = self._batch_start = self._epoch_start = self._epoch_step = 0
        if self.update_freq != "epoch" or write_steps_per_second:  # a hook that is not needed costs nothing
            self.on_train_batch_begin, self.on_train_batch_end = self._before_batch, self._after_batch

    def _file(self, part):
        if part not in self._files:
            self._files[part] = _EventFile(os.path.join(self.log_dir, part))
        return self._files[part]

    def _close(self):
        while self._files:
            self._files.popitem()[1].close()

    def on_train_begin(self, logs=None):
        self._training, self._step = True, 0

    def on_train_end(self, logs=None):
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start, self._epoch_step = time.perf_counter(), self.model.optimizer.iterations

    def on_epoch_end(self, epoch, logs=None):
        values = {"learning_rate": float(self.model.optimizer.learning_rate)}
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_start
            values["steps_per_second"] = (self.model.optimizer.iterations - self._epoch_step) / seconds
        for key, value in {**(logs or {}), **values}.items():
            part = "validation" if key.startswith("val_") else "train"
            self._file(part).scalar(f"epoch_{key.removeprefix('val_')}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for variable in self.model.variables:
                self._file("train").histogram(f"{variable.path}/histogram", variable.value, epoch)
        for file in self._files.values():
            file.flush()

    def _before_batch(self, batch, logs=None):
        self._batch_start = time.perf_counter()

    def _after_batch(self, batch, logs=None):
        self._step += 1
        if self.write_steps_per_second:
            speed = 1 / (time.perf_counter() - self._batch_start)
            self._file("train").scalar("batch_steps_per_second", speed, self._step)
        if self.update_freq != "epoch" and self._step % self.update_freq == 0:
            for key, value in (logs or {}).items():
                self._file("train").scalar(f"batch_{key}", value, self._step)

    def on_test_end(self, logs=None):
        for key, value in (logs or {}).items():
            self._file("validation").scalar(f"evaluation_{key}_vs_iterations", value, self.model.optimizer.iterations)
        if not self._training:
            self._close()
