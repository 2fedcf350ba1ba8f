"""Callbacks: which hooks are called when, and the names that values go by."""

import copy
import pickle
import sys

import numpy as np
import pytest
from fed_epochs import Weights
from small_models import classifier, line, points

import fastkeras as keras
from fastkeras.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ProgbarLogger,
    TerminateOnNaN,
)
from fastkeras.callbacks.callback import HOOKS
from fastkeras.callbacks.names import Values, resolve
from fastkeras.training.step import Meters

X, Y = points(23)


class Recorder(Callback):
    """Notes each call of a hook: its name, its number if it has one, and the names in its logs."""

    def __init__(self):
        self.calls = []


def _recording(hook):
    def method(self, *args):
        *number, logs = args
        self.calls.append((hook.removeprefix("on_"), *number, *logs))

    return method


for hook in HOOKS:
    if hook not in ("on_batch_begin", "on_batch_end"):
        setattr(Recorder, hook, _recording(hook))


# --- hooks ------------------------------------------------------------------------------------------------------------


def test_the_hooks_of_fit_in_their_order():
    recorder = Recorder()
    classifier().fit(
        X, Y, 12, epochs=2, verbose=0, validation_data=(X, Y), validation_batch_size=23, callbacks=[recorder]
    )

    def epoch(i):
        values = "loss", "acc"
        yield "epoch_begin", i
        for batch in (0, 1):
            yield "train_batch_begin", batch
            yield "train_batch_end", batch, *values
        yield ("test_begin",)
        yield "test_batch_begin", 0
        yield "test_batch_end", 0, *values
        yield "test_end", *values
        yield "epoch_end", i, *values, "val_loss", "val_acc"

    last = "loss", "acc", "val_loss", "val_acc"
    assert recorder.calls == [("train_begin",), *epoch(0), *epoch(1), ("train_end", *last)]


def test_the_hooks_of_evaluate_and_predict():
    recorder, model = Recorder(), classifier()
    model.evaluate(X, Y, 12, verbose=0, callbacks=recorder)
    batches = [call for i in (0, 1) for call in (("test_batch_begin", i), ("test_batch_end", i, "loss", "acc"))]
    assert recorder.calls == [("test_begin",), *batches, ("test_end", "loss", "acc")]
    assert recorder.params == {"epochs": 1, "steps": 2, "verbose": 0}
    recorder.calls.clear()
    model.predict(X, 12, callbacks=[[recorder], None])
    batches = [call for i in (0, 1) for call in (("predict_batch_begin", i), ("predict_batch_end", i, "outputs"))]
    assert recorder.calls == [("predict_begin",), *batches, ("predict_end",)]
    assert recorder.model is model


def test_the_outputs_of_a_batch_are_in_its_logs():
    outputs = []
    model = classifier()
    whole = model.predict(
        X, 5, callbacks=LambdaCallback(on_predict_batch_end=lambda i, logs: outputs.append(logs["outputs"]))
    )
    np.testing.assert_array_equal(np.concatenate(outputs), whole)


def test_the_older_names_of_the_batch_hooks():
    class Older(Callback):
        def __init__(self):
            self.calls = []

        def on_batch_begin(self, batch, logs=None):
            self.calls.append(batch)

        def on_batch_end(self, batch, logs=None):
            self.calls.append((batch, *logs))

    older = Older()
    classifier().fit(X, Y, 12, verbose=0, callbacks=[older])
    assert older.calls == [0, (0, "loss", "acc"), 1, (1, "loss", "acc")]


def test_logs_of_batches_are_the_averages_so_far():
    seen = []
    model = line(keras.optimizers.SGD(0.0))
    model.set_weights([[[0.0]], [0.0]])
    watch = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    model.fit([0, 0, 0], [1.0, 2.0, 4.0], batch_size=1, shuffle=False, verbose=0, callbacks=watch)
    np.testing.assert_allclose(seen, [1, 2.5, 7])


def test_hooks_that_nobody_overrides_are_not_called(monkeypatch):
    callbacks = CallbackList([EarlyStopping(), ModelCheckpoint("x.h5"), CSVLogger("x"), History()], model=Weights())
    assert callbacks.methods("on_train_batch_begin") == callbacks.methods("on_train_batch_end") == []
    assert len(callbacks.methods("on_epoch_end")) == 4
    assert len(CallbackList([TerminateOnNaN()], model=Weights()).methods("on_train_batch_end")) == 1
    calls, logs = [], Meters.logs
    monkeypatch.setattr(Meters, "logs", lambda self: calls.append(1) or logs(self))
    monkeypatch.setattr(Callback, "on_train_batch_end", None)  # to call it would be an error
    classifier().fit(X, Y, 5, verbose=0, callbacks=[EarlyStopping("loss")])
    assert len(calls) == 1, "the values are computed at the end of the epoch alone"


def test_a_callback_needs_no_init_of_its_own():
    class Bare(Callback):
        def __init__(self):
            pass

        def on_epoch_end(self, epoch, logs=None):
            logs["epochs"] = self.params["epochs"]

    assert classifier().fit(X, Y, verbose=0, callbacks=[Bare()]).history["epochs"] == [1]


def test_a_list_of_callbacks_is_called_as_one():
    recorder = Recorder()
    callbacks = CallbackList([recorder], add_history=True, model=Weights(), epochs=3)
    callbacks.on_epoch_end(0, {"loss": 0.5})
    assert recorder.calls == [("epoch_end", 0, "loss")]
    assert callbacks.model.history.history == {"loss": [0.5]}
    assert recorder.params == {"epochs": 3}
    with pytest.raises(AttributeError, match=r"Unknown hook. Did you mean 'on_epoch_end'"):
        callbacks.on_epoch_ends(0, {})


def test_a_history_of_the_users_own_is_used():
    history, model = History(), classifier()
    assert model.fit(X, Y, verbose=0, callbacks=[history]) is history
    assert model.history is history
    model.fit(X, Y, verbose=0, epochs=2, callbacks=[history])
    assert history.epoch == [0, 1]
    assert len(history.history["loss"]) == 3


def test_lambda_callbacks_take_any_hook():
    seen = []
    lambdas = LambdaCallback(
        on_train_begin=lambda logs: seen.append("begin"),
        on_epoch_end=lambda epoch, logs: seen.append(logs["acc"]),
        on_batch_end=lambda batch, logs: seen.append(batch),
        on_test_end=None,
    )
    history = classifier().fit(X, Y, verbose=0, callbacks=[lambdas])
    assert seen == ["begin", 0, history.history["acc"][0]]


def test_a_progress_logger_is_accepted(capsys):
    classifier().fit(X, Y, callbacks=[ProgbarLogger("samples")])
    assert capsys.readouterr().out.count("1/1 [") == 1


def test_tensorboard_names_the_package_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install fastkeras\[tensorboard\]"):
        keras.callbacks.TensorBoard()


def test_ctrl_c_leaves_the_weights_of_the_last_step(tmp_path):
    """So fit promises; the best ones are in the callback. A CSV file has the epochs that were finished."""
    stop = EarlyStopping("loss", patience=9, restore_best_weights=True)
    last = []

    def interrupt(batch, logs):
        last[:] = model.get_weights()
        if len(model.history.epoch) == 3:
            raise KeyboardInterrupt

    model = line(keras.optimizers.SGD(10.0))  # far too fast: the loss only grows
    callbacks = [stop, CSVLogger(tmp_path / "log.csv"), LambdaCallback(on_batch_end=interrupt)]
    with pytest.raises(KeyboardInterrupt):
        model.fit([1.0, 2.0], [1.0, 5.0], epochs=9, verbose=0, callbacks=callbacks)
    assert all(np.array_equal(a, b) for a, b in zip(last, model.get_weights(), strict=True))
    assert stop.best_epoch == 0 and not np.array_equal(stop.best_weights[0], last[0])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("loss", ["loss"], "loss"),
        ("val_acc", ["loss", "accuracy", "val_loss", "val_accuracy"], "val_accuracy"),
        ("accuracy", ["loss", "acc", "val_acc"], "acc"),
        ("val_accuracy", ["binary_accuracy", "val_binary_accuracy"], "val_binary_accuracy"),
        ("val_mean_absolute_error", ["mae", "val_mae"], "val_mae"),
        ("mse", ["loss", "mean_squared_error"], "mean_squared_error"),
        ("val_MAE", ["val_mae"], "val_mae"),
        ("lr", ["learning_rate"], "learning_rate"),
        ("val_auc", ["val_AUC"], "val_AUC"),
        ("val_acc", ["acc"], None),
        ("acc", ["accuracy", "binary_accuracy"], None),
        ("mae", ["mse"], None),
    ],
)
def test_other_names_of_the_same(name, known, expected):
    assert resolve(name, known) == expected


def test_the_history_understands_them_and_is_a_plain_dict_otherwise():
    history = classifier(metrics=["accuracy"]).fit(X, Y, verbose=0, validation_data=(X, Y)).history
    assert history["acc"] is history["accuracy"]
    assert history["val_acc"] is history["val_accuracy"]
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert "acc" in history and "val_acc" in history and "val_mae" not in history and 3 not in history
    assert history.get("acc") is history["accuracy"] and history.get("mae") is None and history.get("mae", 3) == 3
    assert copy.deepcopy(history) == pickle.loads(pickle.dumps(history)) == dict(history) == history
    with pytest.raises(KeyError, match=r"Unknown loss or metric. Did you mean 'val_accuracy'.*Received: 'val_accurcy'"):
        history["val_accurcy"]
    assert Values({"loss": 1}).get("acc") is None
