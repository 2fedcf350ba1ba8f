"""The callbacks that act on the values of epochs: EarlyStopping, ModelCheckpoint, CSVLogger and others."""

import gc
import math
import os
import re

import numpy as np
import pytest
from fed_epochs import Weights, run
from small_models import classifier, line, points

import fastkeras as keras
from fastkeras.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)

X, Y = points(23)


# --- EarlyStopping: each case was run with Keras 3.15 ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "series", "stopped", "best", "restored"),
    [
        ({}, [3, 2, 2.5, 1], 2, 1, 2),
        ({"patience": 2}, [3, 2, 2.5, 2.5, 1], 3, 1, 3),
        ({"patience": 3}, [3, 2, 2.5, 2.5, 1], 0, 4, 4),
        ({"patience": 1, "restore_best_weights": True}, [3, 2, 2.5, 2.5], 2, 1, 1),
        ({"patience": 9, "restore_best_weights": True}, [3, 2, 2.5, 2.5], 0, 1, 1),
        ({"min_delta": 0.5}, [3, 2.6, 1], 1, 0, 1),
        ({"min_delta": -0.5}, [3, 2.4, 1], 0, 2, 2),
        ({"mode": "max"}, [3, 4, 3.5, 5], 2, 1, 2),
        ({"baseline": 1.0, "patience": 2}, [3, 2, 1.5, 0.5], 0, 3, 3),
        ({"baseline": 1.0, "patience": 1}, [3, 2, 2, 0.5], 2, 1, 2),
        ({"start_from_epoch": 2}, [1, 2, 3, 4, 5], 3, 2, 3),
        ({"start_from_epoch": 1, "restore_best_weights": True}, [1, 2, 3, 4], 2, 1, 1),
        ({"patience": 0}, [2, 2], 1, 0, 1),
        ({"patience": 1}, [2, None, 3, 1], 2, 0, 2),
    ],
)
@pytest.mark.filterwarnings("ignore:EarlyStopping")
def test_early_stopping(options, series, stopped, best, restored):
    callback = EarlyStopping(**options)
    for _ in range(2):  # it may be used again
        model, _ = run(callback, series)
        assert (callback.stopped_epoch, callback.best_epoch, model.weights) == (stopped, best, [restored])
        assert model.stop_training == (stopped > 0)


def test_early_stopping_is_not_stopped_by_a_first_value_that_is_no_number():
    model, _ = run(EarlyStopping(patience=1, restore_best_weights=True), [math.nan, 3.0, 2.0, math.nan, 2.5])
    assert model.weights == [2.0]


def test_early_stopping_in_fit_says_what_it_does(capsys):
    stop = EarlyStopping("loss", patience=1, verbose=1, restore_best_weights=True)
    model = line(keras.optimizers.SGD(10.0))  # far too fast: the loss only grows
    history = model.fit([1.0, 2.0], [1.0, 5.0], epochs=9, verbose=0, callbacks=[stop])
    assert history.epoch == [0, 1]
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    )


@pytest.mark.parametrize(
    ("monitor", "direction"),
    [
        ("val_loss", -1),
        ("loss", -1),
        ("val_acc", 1),
        ("accuracy", 1),
        ("val_mae", -1),
        ("mean_squared_error", -1),
        ("val_auc", 1),
        ("AUC", 1),
        ("precision", 1),
        ("val_cosine_similarity", 1),
        ("val_binary_crossentropy", -1),
    ],
)
def test_the_direction_follows_from_the_name(monitor, direction):
    assert EarlyStopping(monitor).direction == direction
    assert EarlyStopping(monitor, mode="max").direction == 1


def test_a_direction_that_no_name_tells_must_be_given():
    with pytest.raises(ValueError, match=r"EarlyStopping: .*mode='max' or mode='min'. Received: monitor='val_score'"):
        EarlyStopping("val_score")
    with pytest.raises(ValueError, match=r"ModelCheckpoint: `mode` must be .* Received: mode='maximum'"):
        ModelCheckpoint("x.h5", mode="maximum", save_best_only=True)
    EarlyStopping("val_score", mode="min")


@pytest.mark.parametrize(("slip", "meant"), [("val_los", "val_loss"), ("acuracy", "accuracy")])
def test_a_slip_in_the_name_is_pointed_out(slip, meant):
    message = rf"Did you mean '{meant}'\? .* Received: monitor='{slip}'"
    with pytest.raises(ValueError, match=message):
        EarlyStopping(slip)
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint("x.h5", slip, save_best_only=True)


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (EarlyStopping, "patience", "3"),
        (EarlyStopping, "min_delta", "min"),
        (EarlyStopping, "baseline", "0.5"),
        (EarlyStopping, "start_from_epoch", None),
        (ReduceLROnPlateau, "patience", None),
        (ReduceLROnPlateau, "factor", "0.5"),
        (ReduceLROnPlateau, "cooldown", [1]),
        (ReduceLROnPlateau, "min_lr", "1e-3"),
        (lambda **options: ModelCheckpoint("x.h5", **options), "initial_value_threshold", "1"),
    ],
)
def test_what_must_be_a_number_is_looked_at_before_the_training(make, name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be a number. Received: {name}={re.escape(repr(value))}"):
        make(**{name: value})


def test_a_value_that_is_missing_is_a_warning_that_names_what_is_there():
    stop = EarlyStopping(patience=1)
    with pytest.warns(
        UserWarning, match=r"must be one of this epoch's values: loss, acc. Did fit get `validation_data`"
    ):
        history = classifier().fit(X, Y, epochs=3, verbose=0, callbacks=[stop])
    assert history.epoch == [0, 1, 2]
    with pytest.warns(UserWarning, match="values: loss, acc, val_loss, val_acc. Received: monitor='val_precision'"):
        classifier().fit(X, Y, verbose=0, callbacks=EarlyStopping("val_precision"), validation_data=(X, Y))


def test_another_name_of_the_value_will_do(recwarn):
    stop = EarlyStopping("val_accuracy", patience=1)
    classifier().fit(X, Y, verbose=0, callbacks=[stop], validation_data=(X, Y))
    assert stop.best > 0
    assert not recwarn.list


# --- ModelCheckpoint --------------------------------------------------------------------------------------------------


def test_a_file_per_epoch_named_by_its_values(tmp_path):
    path = tmp_path / "new" / "folder" / "{epoch:02d}-{val_loss:.4f}.hdf5"
    model, _ = run(ModelCheckpoint(path), [0.5, 0.25, 0.75])
    assert model.saved == [
        ("save", str(path.parent / name)) for name in ("01-0.5000.hdf5", "02-0.2500.hdf5", "03-0.7500.hdf5")
    ]
    assert path.parent.is_dir()


@pytest.mark.parametrize(
    ("options", "name", "series", "saved"),
    [
        ({}, "val_loss", [3, 2, 2.5, 1, 1], [1, 2, 4]),
        ({"monitor": "val_acc"}, "val_acc", [0.3, 0.2, 0.4, 0.4], [1, 3]),
        ({"monitor": "val_acc"}, "val_accuracy", [0.3, 0.2, 0.4, 0.4], [1, 3]),
        ({"monitor": "val_acc", "mode": "min"}, "val_acc", [0.3, 0.2, 0.4], [1, 2]),
        ({"initial_value_threshold": 2.0}, "val_loss", [3, 2, 1], [3]),
        ({"save_weights_only": True}, "val_loss", [3, 4, 1], [1, 3]),
    ],
)
def test_only_the_best_so_far(options, name, series, saved):
    model, _ = run(ModelCheckpoint("{epoch}.weights.h5", save_best_only=True, **options), series, name)
    how = "save_weights" if options.get("save_weights_only") else "save"
    assert model.saved == [(how, f"{epoch}.weights.h5") for epoch in saved]


def test_without_the_value_everything_is_saved_with_a_warning():
    with pytest.warns(UserWarning, match="ModelCheckpoint: `monitor`"):
        model, _ = run(ModelCheckpoint("{epoch}.h5", save_best_only=True), [2, None, 3])
    assert [path for _, path in model.saved] == ["1.h5", "2.h5"]


def test_a_file_every_so_many_batches():
    checkpoint = ModelCheckpoint("{epoch}-{batch}.h5", save_freq=3)
    model = classifier()
    model.saved = []
    model.save = model.saved.append
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[checkpoint])  # five batches an epoch
    assert model.saved == ["1-3.h5", "2-1.h5", "2-4.h5"]


def test_checkpoints_say_what_they_do(capsys):
    run(ModelCheckpoint("{epoch}.h5", verbose=1, save_best_only=True), [0.5, 0.75, 0.25])
    assert capsys.readouterr().out == (
        "Epoch 1: val_loss improved from inf to 0.50000, saving model to 1.h5\n"
        "Epoch 2: val_loss did not improve from 0.50000\n"
        "Epoch 3: val_loss improved from 0.50000 to 0.25000, saving model to 3.h5\n"
    )
    run(ModelCheckpoint("x.h5", verbose=1), [0.5])
    assert capsys.readouterr().out == "Epoch 1: saving model to x.h5\n"


def test_what_could_not_be_written_is_not_the_best():
    def disk_full(path):
        raise OSError("told to fail")

    checkpoint, model = ModelCheckpoint("{epoch}.h5", save_best_only=True), Weights()
    checkpoint.set_model(model)
    model.save = disk_full
    with pytest.raises(OSError, match="told to fail"):
        checkpoint.on_epoch_end(0, {"val_loss": 1.0})
    del model.save
    checkpoint.on_epoch_end(1, {"val_loss": 2.0})
    checkpoint.on_epoch_end(2, {"val_loss": 3.0})
    assert model.saved == [("save", "2.h5")]


def test_a_template_that_cannot_be_filled_names_what_can():
    with pytest.raises(
        ValueError, match=r"`filepath` may name val_loss, epoch. .*Received: 'val_lss' in '{epoch}-{val_lss}"
    ):
        run(ModelCheckpoint("{epoch}-{val_lss}.h5"), [1.0])
    for wrong in ("{}.h5", "{epoch.h5", "{epoch:.2q}.h5"):
        with pytest.raises(ValueError, match=r"`filepath` may name val_loss, epoch. .* in '{") as caught:
            run(ModelCheckpoint(wrong), [1.0])
        assert repr(wrong) in str(caught.value)
    for wrong in (0, 1.5, "batch", True):
        with pytest.raises(ValueError, match=r"`save_freq` must be .* Received: save_freq="):
            ModelCheckpoint("x.h5", save_freq=wrong)
        with pytest.raises(TypeError, match=r"ModelCheckpoint: `filepath` must be a path. Received: filepath=None"):
            ModelCheckpoint(None)
        with pytest.raises(ValueError, match=r"`period` must be a number of epochs. Received: period="):
            ModelCheckpoint("x.h5", period=wrong)


@pytest.mark.parametrize(
    ("path", "options", "received"),
    [
        ("{epoch}-{val_los:.2f}.h5", {}, "Did you mean 'val_loss'"),
        ("{epoch}-{loss:d}.h5", {}, "Unknown format code 'd'"),
        ("{epoch-{loss}.h5", {}, "in '{epoch-{loss}.h5'"),
        ("{batch}.h5", {}, "Unknown loss or metric"),
        ("{batch}-{val_loss}.h5", {"save_freq": 2}, "Unknown loss or metric"),
    ],
)
def test_a_template_is_tried_before_the_first_epoch(path, options, received):
    model, begun = classifier(), []
    watch = CSVLogger(os.devnull)  # one of ours, so that the names are known
    watch.on_epoch_begin = lambda epoch, logs: begun.append(epoch)
    with pytest.raises(ValueError, match=r"`filepath` may name .*loss.*" + re.escape(received)):
        model.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[watch, ModelCheckpoint(path, **options)])
    assert not begun


def test_a_template_may_name_what_callbacks_add(tmp_path):
    class Adds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["mine"] = 0.5

    rates = [Adds()], [LearningRateScheduler(lambda epoch: 0.5)]
    for callbacks, name in zip(rates, ("mine", "lr"), strict=True):
        checkpoint = ModelCheckpoint(str(tmp_path / f"{{{name}}}.weights.h5"), save_weights_only=True)
        classifier().fit(X, Y, verbose=0, callbacks=[*callbacks, checkpoint])
        assert (tmp_path / "0.5.weights.h5").exists()
        (tmp_path / "0.5.weights.h5").unlink()


# --- the others -------------------------------------------------------------------------------------------------------


def test_csv_files_are_keras_s(tmp_path):
    path = tmp_path / "log.csv"

    def fit(logger, **options):
        classifier().fit(X, Y, epochs=2, verbose=0, callbacks=[logger], **options)
        return [line.split(logger.separator) for line in path.read_bytes().decode().split("\r\n")]

    header, *rows, end = fit(CSVLogger(path), validation_data=(X, Y), validation_freq=2)
    assert header == ["epoch", "acc", "loss", "val_acc", "val_loss"]
    assert [row[0] for row in rows] == ["0", "1"]
    assert rows[0][3:] == ["NA", "NA"]
    assert all(0 < float(value) < 2 for value in rows[0][1:3] + rows[1][1:])
    assert end == [""]
    assert len(fit(CSVLogger(str(path), separator=";", append=True))) == 6, "rows are added, without a header"
    header, *rows, _ = fit(CSVLogger(path))
    assert len(rows) == 2, "the file is written anew"
    assert header == ["epoch", "acc", "loss", "val_acc", "val_loss"]


def test_a_csv_file_is_complete_after_each_epoch(tmp_path):
    path = tmp_path / "log.csv"

    def fail(epoch, logs):
        if epoch == 2:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        classifier().fit(X, Y, epochs=5, verbose=0, callbacks=[CSVLogger(path), LambdaCallback(on_epoch_begin=fail)])
    assert len(path.read_text().splitlines()) == 3


def test_a_csv_file_is_not_left_open(tmp_path, recwarn):
    """Even if the training fails before it begins."""

    def fail(logs):
        raise RuntimeError("not today")

    callbacks = [CSVLogger(tmp_path / "log.csv"), LambdaCallback(on_train_begin=fail)]
    with pytest.raises(RuntimeError, match="not today"):
        classifier().fit(X, Y, verbose=0, callbacks=callbacks)
    del callbacks
    gc.collect()
    assert not [warning for warning in recwarn if warning.category is ResourceWarning]
    with pytest.raises(FileNotFoundError, match="nowhere"):
        classifier().fit(X, Y, verbose=0, callbacks=[CSVLogger(tmp_path / "nowhere" / "log.csv")])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_terminate_on_nan(capsys, bad):
    def spoil(batch, logs):
        if batch == 1:
            logs["loss"] = bad

    def fit(callback):
        model = classifier()
        model.fit(X, Y, 5, epochs=3, verbose=0, callbacks=[LambdaCallback(on_batch_end=spoil), callback])
        return model

    assert fit(TerminateOnNaN()).optimizer.iterations == 2
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"
    with pytest.raises(RuntimeError, match=f"The loss of batch 1 must be a finite number. Received: {bad}"):
        fit(TerminateOnNaN(raise_error=True))


# Each case was run with Keras 3.15.
@pytest.mark.parametrize(
    ("options", "series", "rates"),
    [
        ({"patience": 1}, [2, 2, 1, 1, 1], [1, 0.5, 0.5, 0.25, 0.125]),
        ({"patience": 2}, [2, 2, 2, 2, 2], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [2, 2, 2, 2, 2], [1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "min_lr": 0.3}, [2, 2, 2, 2], [1, 0.5, 0.3, 0.3]),
        ({"patience": 1, "mode": "max"}, [1, 2, 2, 3], [1, 1, 0.5, 0.5]),
        ({"patience": 1, "min_delta": 0.5}, [2, 1.75, 1], [1, 0.5, 0.5]),
        ({"patience": 1}, [2, None, 2], [1, 1, 0.5]),
    ],
)
@pytest.mark.filterwarnings("ignore:ReduceLROnPlateau")
def test_reduce_learning_rate_on_plateau(options, series, rates):
    callback = ReduceLROnPlateau(factor=0.5, **options)
    for _ in range(2):
        np.testing.assert_allclose(run(callback, series)[1], rates)


def test_learning_rates_are_set_told_and_recorded(capsys):
    model = line(keras.optimizers.SGD(0.5))
    schedules = [LearningRateScheduler(lambda epoch, rate: rate / (epoch + 1), verbose=1)]
    history = model.fit([1], [1], epochs=3, verbose=0, callbacks=schedules)
    np.testing.assert_allclose(history.history["learning_rate"], [0.5, 0.25, 0.25 / 3])
    assert history.history["lr"] is history.history["learning_rate"]
    assert capsys.readouterr().out.startswith("Epoch 1: LearningRateScheduler setting learning rate to 0.5.\nEpoch 2: ")
    model.fit([1], [1], verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.125)])
    assert model.optimizer.learning_rate == 0.125
    with pytest.raises(ValueError, match=r"`schedule` must return a number. Received: None"):
        model.fit([1], [1], verbose=0, callbacks=[LearningRateScheduler(lambda epoch: None)])
    with pytest.raises(ValueError, match=r"`factor` must lie between 0 and 1. Received: factor=2"):
        ReduceLROnPlateau(factor=2)
    run(ReduceLROnPlateau(patience=1, verbose=1), [1, 1])
    assert capsys.readouterr().out == "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.1.\n"
