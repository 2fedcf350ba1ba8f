"""BackupAndRestore: a training that was killed and started again gives what an undisturbed one gives, bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_data import features

import fastkeras as keras
from fastkeras.callbacks import BackupAndRestore, Callback, LearningRateScheduler
from fastkeras.layers import GRU, LSTM, RNN, Bidirectional, Dense, Dropout, Input, LSTMCell
from fastkeras.utils import PyDataset

ROOT = Path(__file__).parent.parent


class StopAt(Callback):
    """Raises KeyboardInterrupt after a step of an epoch; with kill=True the process kills itself there instead."""

    def __init__(self, epoch, batch, kill=False):
        self.place, self.kill, self.epoch = (epoch, batch), kill, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


def dropping(optimizer=None):
    """Everything random there is: initial weights, dropout of two kinds, and the order of samples."""
    layers = [LSTM(4, dropout=0.2, recurrent_dropout=0.2, return_sequences=True), Bidirectional(GRU(3, dropout=0.3))]
    model = keras.Sequential([Input((5, 3)), *layers, Dropout(0.4), Dense(2, activation="softmax")])
    model.compile(optimizer or keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["acc"])
    return model


def data():
    return features(29, 15).reshape(29, 5, 3), np.arange(29) % 2


def drawn(model):
    """All that a process ends with: weights, the optimizer's state, and the next numbers of each random stream."""
    state = model.optimizer.state() if model.optimizer else []
    numbers = [random.random(), np.random.random(), keras.initializers.RandomNormal()((3,))]
    return [*model.get_weights(), *state, *numbers]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def trained(folder=None, stops=(), make=dropping, data=data, callbacks=(), backup=None, **fit):
    """(what it ends with, History) of a training that is stopped at each of `stops` and started again by one script.

    folder: of the backup; None for none, in an undisturbed training.
    """

    def fit_once(*more_callbacks):
        keras.utils.set_random_seed(5)
        model, (x, y) = make(), data()
        backups = [BackupAndRestore(folder, **(backup or {}))] if folder else []
        options = {"epochs": 5, "verbose": 0, **({} if y is None else {"batch_size": 4}), **fit}
        return model, model.fit(x, y, callbacks=[*callbacks, *backups, *more_callbacks], **options)

    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            fit_once(StopAt(*stop))
    model, history = fit_once()
    return drawn(model), history


SCRIPT = """
import sys
from test_backup import *

folder, stop = sys.argv[1], eval(sys.argv[2])
keras.utils.set_random_seed(5)
model = dropping()
callbacks = [BackupAndRestore(folder + "/backup", save_freq=3)] + ([StopAt(*stop, kill=True)] if stop else [])
model.fit(*data(), batch_size=4, epochs=5, verbose=0, callbacks=callbacks)
np.savez(folder + "/end.npz", *drawn(model))
"""


def test_a_process_that_was_killed_goes_on_bit_for_bit(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    for stop in [(2, 5), None]:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), repr(stop)]
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
        assert result.returncode == (-signal.SIGKILL if stop else 0), result.stderr
    with np.load(tmp_path / "end.npz") as end:
        assert same([end[name] for name in end], trained()[0])
    assert os.listdir(tmp_path) == ["end.npz"], "the backup is removed at the end"


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Nadam", "Lion", "Ftrl"])
def test_every_optimizer_goes_on(tmp_path, optimizer):
    """With a learning rate that float32 does not hold, changed on the way, and averages of the weights."""

    def make():
        return dropping(getattr(keras.optimizers, optimizer)(0.01, use_ema=True, gradient_accumulation_steps=3))

    slower = LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    options = {"make": make, "callbacks": [slower]}
    assert same(trained(tmp_path / "b", [(2, 3)], **options)[0], trained(**options)[0])


def sequence():
    class Shuffled(PyDataset):
        """Shuffles itself at the end of each epoch, as many do."""

        def __init__(self):
            super().__init__()
            (self.x, self.y), self.order = data(), np.arange(29)

        def __len__(self):
            return 7

        def __getitem__(self, i):
            rows = self.order[4 * i : 4 * i + 4]
            return self.x[rows], self.y[rows]

        def on_epoch_end(self):
            np.random.shuffle(self.order)

    return Shuffled(), None


def noisy():
    class Noisy(PyDataset):
        """Draws from Python's and numpy's streams for each batch, as those do that vary their images."""

        def __len__(self):
            return 7

        def __getitem__(self, i):
            x, y = data()
            return x[4 * i : 4 * i + 4] + np.random.random() + random.random(), y[4 * i : 4 * i + 4]

    return Noisy(), None


def generator():
    """Gives each batch once, and no two are alike."""
    x, y = data()
    orders = (np.random.RandomState(i).permutation(29)[:4] for i in range(1000))
    return ((x[rows], y[rows]) for rows in orders), None


@pytest.mark.parametrize(
    ("data", "fit"),
    [
        (data, {"shuffle": "batch"}),
        (data, {"shuffle": False}),
        (data, {"steps_per_epoch": 5}),
        (data, {"validation_split": 0.3, "class_weight": {0: 2.0}}),
        (sequence, {"shuffle": True}),
        (sequence, {"shuffle": False}),
        (sequence, {"steps_per_epoch": 4}),
        (noisy, {}),
        (generator, {"steps_per_epoch": 4}),
    ],
)
def test_the_data_go_on_where_they_were(tmp_path, data, fit):
    fit = {"data": data, "epochs": 3, **fit}
    stopped, _ = trained(tmp_path / "b", [(1, 3), (2, 0)], backup={"save_freq": 3}, **fit)
    assert same(stopped, trained(**fit)[0])


@pytest.mark.parametrize("kind", [LSTM, lambda units, **options: RNN(LSTMCell(units), **options)], ids=["LSTM", "RNN"])
def test_states_of_stateful_layers_go_on(tmp_path, kind):
    def make():
        layer = kind(4, stateful=True)
        model = keras.Sequential([Input(batch_shape=(4, 5, 3)), layer, Dense(2, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        made.append(layer)
        return model

    made, fit = [], {"make": make, "data": lambda: [array[:28] for array in data()], "shuffle": False}
    assert same(trained(tmp_path / "b", [(1, 2)], **fit)[0], trained(**fit)[0])
    _, stopped, undisturbed = made
    assert same(stopped.states, undisturbed.states)


def test_only_the_epochs_that_are_left_are_trained(tmp_path, capsys):
    _, history = trained(tmp_path / "b", [(3, 1)], verbose=2)
    assert history.epoch == [3, 4]
    assert capsys.readouterr().out.count("Epoch 4/5") == 2 and not (tmp_path / "b").exists()


def test_a_backup_can_be_kept_and_nothing_is_left_to_do(tmp_path):
    ends = [trained(tmp_path, backup={"delete_checkpoint": False}) for _ in range(2)]
    assert same(ends[0][0], ends[1][0])
    assert ends[1][1].epoch == []
    assert len(os.listdir(tmp_path)) == 2


def test_the_backup_before_the_last_stands_in_for_a_damaged_one(tmp_path):
    backup = {"double_checkpoint": True}
    with pytest.raises(AssertionError, match="stop here"):
        trained(tmp_path, backup=backup, callbacks=[Fail(3)])
    names = os.listdir(tmp_path)
    assert len(names) == 4 and {"training.json", "training.previous.json"} < set(names)
    last = json.loads((tmp_path / "training.json").read_text())
    (tmp_path / last["weights"]).write_bytes(b"nothing")
    end, history = trained(tmp_path, backup=backup)
    assert history.epoch == [2, 3, 4] and same(end, trained()[0])


class Fail(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        assert epoch != self.epoch, "stop here"


def test_what_is_not_a_backup_of_this_training_is_named(tmp_path):
    with pytest.raises(AssertionError, match="stop here"):
        trained(tmp_path, callbacks=[Fail(2)])

    def other():
        model = keras.Sequential([Input((5, 3)), LSTM(7), Dense(2, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    with pytest.raises(ValueError, match=rf"the backup in '{tmp_path}' does not fit this training.*expected weights"):
        trained(tmp_path, make=other)
    (tmp_path / "training.json").write_text("{}")
    with pytest.raises(ValueError, match="or is damaged; remove it to train from the start"):
        trained(tmp_path)


def test_files_of_others_stay_in_the_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    trained(tmp_path, [(1, 1)])
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_arguments_of_backup_and_restore(tmp_path):
    for save_freq in ("batch", 0, True, 1.5):
        with pytest.raises(ValueError, match="`save_freq` must be 'epoch' or a number of batches"):
            BackupAndRestore(tmp_path, save_freq)
    with pytest.raises(ValueError, match=r"`backup_dir` must be a folder\. Received: backup_dir=''"):
        BackupAndRestore("")
