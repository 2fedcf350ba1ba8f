"""What fit, evaluate and predict print: to the letter in a pipe, redrawn on a terminal and in a notebook."""

import io
import re
import sys
import types
from contextlib import redirect_stdout

import numpy as np
import pytest
from small_models import classifier, line, points

from fastkeras.callbacks import LambdaCallback
from fastkeras.utils import progress
from fastkeras.utils.progress import Progress

X, Y = points(23)
FULL = r"\[={30}\]"
TIME = r"\ds \d+(us|ms|s)/step"
VALUES = r" - loss: \d\.\d{4} - acc: \d\.\d{4}"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 100 columns that is drawn on after every step; it must be made the standard output."""
    monkeypatch.setattr(progress, "_INTERVAL", -1.0)
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


class Clock:
    """Stands for the module `time`: it says what it is told."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_verbose_1_prints_a_full_bar_per_epoch_in_a_pipe(capsys):
    classifier().fit(X, Y, batch_size=4, epochs=2, verbose=1)
    expected = "".join(rf"Epoch {epoch}/2\n6/6 {FULL} - {TIME}{VALUES}\n" for epoch in (1, 2))
    assert re.fullmatch(expected, capsys.readouterr().out)


def test_the_words_of_the_bar_to_the_letter(capsys, clock):
    bar = Progress(1, 7, "Epoch 88/100")
    clock.now = 0.001
    bar.finish(7, {"loss": 0.1029, "acc": 1.0})
    assert capsys.readouterr().out == (
        "Epoch 88/100\n7/7 [==============================] - 0s 143us/step - loss: 0.1029 - acc: 1.0000\n"
    )


def test_the_words_of_one_line_to_the_letter(capsys):
    Progress(2, 7, "Epoch 88/100").finish(7, {"loss": 0.1475, "acc": 1.0})
    assert capsys.readouterr().out == "Epoch 88/100\n - 0s - loss: 0.1475 - acc: 1.0000\n"


def test_verbose_2_prints_one_line_per_epoch(capsys):
    classifier().fit(X, Y, epochs=3, verbose=2)
    expected = "".join(rf"Epoch {epoch}/3\n - 0s{VALUES}\n" for epoch in (1, 2, 3))
    assert re.fullmatch(expected, capsys.readouterr().out)


@pytest.mark.parametrize("verbose", [0, False])
def test_verbose_0_prints_nothing_at_all(capfd, verbose):
    model = classifier()
    model.fit(X, Y, epochs=2, verbose=verbose, validation_data=(X, Y))
    model.evaluate(X, Y, verbose=verbose)
    model.predict(X, verbose=verbose)
    model.train_on_batch(X, Y)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, True, "auto"])
def test_a_bar_is_the_default_for_fit_and_evaluate_and_predict_is_silent(capsys, verbose):
    model = classifier()
    for options in ({}, {"verbose": verbose}):
        model.fit(X, Y, **options)
        assert re.fullmatch(rf"Epoch 1/1\n1/1 {FULL} - {TIME}{VALUES}\n", capsys.readouterr().out)
        model.evaluate(X, Y, 10, **options)
        assert re.fullmatch(rf"3/3 {FULL} - {TIME}{VALUES}\n", capsys.readouterr().out)
    model.predict(X)
    assert capsys.readouterr().out == ""
    model.predict(X, 10, verbose=verbose)
    assert re.fullmatch(rf"3/3 {FULL} - {TIME}\n", capsys.readouterr().out)


def test_evaluate_and_predict_in_one_line(capsys):
    model = classifier()
    model.evaluate(X, Y, 10, verbose=2)
    model.predict(X, 10, verbose=2)
    assert re.fullmatch(rf"3/3 - 0s{VALUES}\n3/3 - 0s\n", capsys.readouterr().out)


@pytest.mark.parametrize("verbose", [1, 2])
def test_validation_values_stand_at_the_end_of_the_line(capsys, verbose):
    classifier().fit(X, Y, verbose=verbose, validation_split=0.2)
    line = capsys.readouterr().out.splitlines()[1]
    assert re.search(VALUES + VALUES.replace("loss", "val_loss").replace("acc", "val_acc") + "$", line)


def test_the_steps_of_an_epoch_are_those_asked_for(capsys):
    def forever():
        while True:
            yield X, Y

    classifier().fit(forever(), steps_per_epoch=12, verbose=1)
    assert "\n12/12 [===" in capsys.readouterr().out
    classifier().evaluate(forever(), steps=3, verbose=1)
    assert capsys.readouterr().out.startswith("3/3 [===")
    classifier().evaluate(X, Y, 10, steps=100, verbose=1)
    assert capsys.readouterr().out.startswith("3/3 [===")


def test_small_and_odd_values(capsys):
    Progress(2, 1).finish(
        1, {"tiny": 0.00012, "zero": 0.0, "big": 12345.678, "minus": -3e-5, "nan": np.nan, "note": "x"}
    )
    assert capsys.readouterr().out == (
        "1/1 - 0s - tiny: 1.2000e-04 - zero: 0.0000 - big: 12345.6780 - minus: -3.0000e-05 - nan: nan\n"
    )


# --- on a terminal ----------------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_bar_growing(terminal):
    with redirect_stdout(terminal):
        classifier().fit(X, Y, batch_size=4, verbose=1)
    title, rest = terminal.getvalue().split("\n", 1)
    assert title == "Epoch 1/1"
    start, *drawings = rest.split("\r")
    assert start == ""
    assert len(drawings) == 7
    bars = [re.search(r"(\d)/6 \[(.{30})\]", drawing).groups() for drawing in drawings]
    assert bars[0] == ("1", "====>" + "." * 25)
    assert bars[2] == ("3", "=" * 14 + ">" + "." * 15)
    assert bars[5] == bars[6] == ("6", "=" * 30)
    assert all(" - ETA: 0s - loss: " in drawing for drawing in drawings[:-1])
    assert re.fullmatch(rf"6/6 {FULL} - {TIME}{VALUES} *\n", drawings[-1])


def test_each_drawing_covers_the_one_before(terminal):
    with redirect_stdout(terminal):
        bar = Progress(1, 10)
        bar.draw(1, {"a_rather_long_name": 0.123456, "loss": 1.0})
        bar.draw(2, {"loss": 1.0})
        bar.finish(10, {})
    lengths = [len(drawing.rstrip("\n")) for drawing in terminal.getvalue().split("\r")[1:]]
    assert lengths[1] >= lengths[0]
    assert lengths[2] >= len("10/10 [==============================] - 0s 0us/step")


def test_a_line_never_wraps_before_it_is_finished(terminal, monkeypatch):
    with redirect_stdout(terminal):
        monkeypatch.setenv("COLUMNS", "40")
        bar = Progress(1, 100)
        bar.draw(3, {"loss": 1.0})
        bar.finish(100, {"loss": 1.0})
    first, last = terminal.getvalue().split("\r")[1:]
    assert len(first) == 39
    assert "loss: 1.0000" in last


def test_the_time_that_is_left(terminal, clock):
    with redirect_stdout(terminal):
        bar = Progress(1, 100)
        expected = [(1, 0.5, "50s"), (10, 10.0, "1:30"), (20, 2000.0, "2:13:20"), (50, 59.6, "1:00"), (99, 99.0, "1s")]
        for step, seconds, left in expected:
            clock.now = seconds
            bar.draw(step, {})
            assert terminal.getvalue().split("\r")[-1].rstrip().endswith(f" - ETA: {left}")
        for seconds, text in [(0.005, "0s 50us"), (0.5, "0s 5ms"), (150.0, "2:30 2s")]:
            clock.now = 0.0
            bar = Progress(1, 100)
            clock.now = seconds
            bar.finish(100, {})
            assert terminal.getvalue().endswith(f" - {text}/step\n")


def test_nothing_is_drawn_more_often_than_can_be_seen(terminal, monkeypatch, clock):
    with redirect_stdout(terminal):
        monkeypatch.setattr(progress, "_INTERVAL", 0.05)
        bar, drawn = Progress(1, 100), 0
        for step in range(1, 101):
            clock.now += 0.01
            if bar.due():
                drawn += 1
                bar.draw(step, {})
        assert 15 <= drawn <= 20


def test_an_unknown_number_of_steps_is_known_in_the_second_epoch(terminal):
    with redirect_stdout(terminal):

        class Batches:
            def __iter__(self):
                return iter([(X, Y)] * 3)

        classifier().fit(Batches(), epochs=2, verbose=1)
    first, second = terminal.getvalue().split("Epoch 2/2\n")
    assert re.search(rf"\r1/Unknown - {TIME}{VALUES}", first)
    assert re.search(rf"\r3/3 {FULL} - {TIME}{VALUES} *\n$", first)
    assert "\r1/3 [=========>....................] - ETA: 0s" in second


def test_a_notebook_redraws_too(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(progress, "_INTERVAL", -1.0)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    line().fit([1, 2, 3], [1, 2, 3], batch_size=1, verbose=1)
    assert stream.getvalue().count("\r") == 4


def test_an_error_leaves_the_line_of_the_bar(terminal):
    with redirect_stdout(terminal):

        def fail(batch, logs):
            if batch == 2:
                raise ArithmeticError

        with pytest.raises(ArithmeticError):
            classifier().fit(X, Y, batch_size=4, verbose=1, callbacks=LambdaCallback(on_train_batch_end=fail))
    assert terminal.getvalue().endswith("\n")
    assert terminal.getvalue().count("\n") == 2


def test_without_a_standard_output_nothing_is_printed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    classifier().fit(X, Y, verbose=1)
