"""The parity report's own logic: differences, tolerances, what is forgotten, and how it ends."""

import json
import sys
from types import SimpleNamespace

import layer_cases
import numpy as np
import pytest
from live import keras_module, needs_tensorflow
from parity_cases_dense import linear_regression
from parity_cases_recurrent import bidirectional_tagger

import fastkeras
from benchmarks import parity
from fastkeras import activations, metrics


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([1.0, 2.0], [1.0, 4.0], 0.5),
        ([1.0, -4.0], [1.0, 4.0], 2.0),
        (np.ones(3), np.ones(2), np.inf),
        ([np.ones(2)], [np.ones(2), np.ones(1)], np.inf),
        (np.float32([0, 0.25]), np.zeros(2), 0.25),
        ([np.ones(2), np.ones((1, 3))], [np.ones(2), 2 * np.ones((1, 3))], 0.5),
        (np.array([np.nan, np.inf, 1]), np.array([np.nan, np.inf, 1]), 0.0),
        (np.array([np.nan, 1]), np.array([1.0, 1]), np.inf),
        (np.array([np.inf, 1]), np.array([-np.inf, 1]), np.inf),
        (np.zeros(0), np.zeros(0), 0.0),
    ],
)
def test_a_difference_is_a_share_of_the_largest_number(ours, theirs, expected):
    assert parity.difference(ours, theirs) == expected


def test_a_line_keeps_the_largest_differences_and_knows_those_beyond():
    line = parity.Line("layers", "Dense")
    line.add(outputs=1e-7, gradients=2e-6)
    line.add(outputs=2e-7, gradients=1e-6, weights=3e-4)
    assert line.cases == 2
    assert line.differences == {"outputs": 2e-7, "gradients": 2e-6, "losses": None, "weights": 3e-4}
    assert line.beyond() == ["weights"]
    line.add(losses=np.nan, outputs=np.inf)
    assert line.beyond() == ["outputs", "losses", "weights"]


def test_layers_are_found_at_any_depth():
    model = linear_regression(fastkeras)[0]
    assert parity.layers_in(model.get_config()) == {"Dense"}
    tagger = bidirectional_tagger(fastkeras)[0]
    assert {"Bidirectional", "LSTM", "TimeDistributed"} <= parity.layers_in(tagger.get_config())


def test_an_exercise_agrees_with_itself_and_with_nothing_else():
    figures, layers = parity.exercise(fastkeras, linear_regression)
    again, _ = parity.exercise(fastkeras, linear_regression)
    other, _ = parity.exercise(fastkeras, bidirectional_tagger)
    assert figures.keys() == parity.TOLERANCES.keys()
    assert "Dense" in layers
    for figure, values in figures.items():
        assert parity.difference(values, again[figure]) == 0
        assert parity.difference(values, other[figure]) > 1
    kernel, bias = figures["gradients"]
    assert kernel.shape == (3, 1)
    assert abs(bias[0]) > 1e-3


def test_a_weight_learns_if_its_gradient_is_more_than_rounding():
    assert parity.learning([np.ones(3), np.float32([1e-8, -2e-7]), np.float32([[-2e-6]]), np.zeros(2)]) == [
        True,
        False,
        True,
        False,
    ]


def test_every_class_is_expected_once_and_reasons_name_what_there_is():
    expected = parity.expected()
    assert "Dense" in expected["layers"]
    assert "AvgPool2D" not in expected["layers"]  # another name of AveragePooling2D
    assert "Input" not in expected["layers"]  # a function
    assert {"glu", "threshold", "hard_swish"} <= set(expected["activations"]) >= set(activations._BY_NAME)
    assert "get" not in expected["activations"]
    assert {"Metric", "MeanMetricWrapper"} < set(expected["metrics"]) >= set(metrics._CLASSES)
    for kind, reasons in parity.UNCOMPARED.items():
        assert reasons.keys() <= set(expected[kind])
        assert len(expected[kind]) == len(set(expected[kind])) > 5


def test_every_layer_is_in_a_case_or_has_a_reason():
    lines = parity.Lines()
    for case in layer_cases.CASES:
        lines["layers", case[0]].add()
    assert parity.forgotten(lines, ["layers"]) == []  # the exercises have the others, when they run
    assert "layers: LSTM" in parity.forgotten(lines, ["layers", "exercises"])
    for name in parity.exercised():
        lines["layers", name].add()
    assert parity.forgotten(lines, ["layers", "exercises"]) == []
    del lines["layers", "Resizing"]
    assert parity.forgotten(lines, ["layers"]) == ["layers: Resizing"]


def run(monkeypatch, tmp_path, kind, names, **differences):
    """The end of the command where one kind of things is compared, with these differences."""

    def compare(lines, keras):
        assert keras.__version__ == "3.99"
        for name in names:
            lines[kind, name].add(**differences)

    monkeypatch.setattr(parity, "peers", lambda: {"keras": SimpleNamespace(__version__="3.99")})
    monkeypatch.setitem(parity.COMPARISONS, kind, compare)
    monkeypatch.setattr(sys, "argv", ["parity", "--only", kind, "--report", str(tmp_path / "report")])
    return parity.main()


OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")


def test_a_report_within_its_tolerances_ends_with_0(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path, "optimizers", OPTIMIZERS, weights=1e-6) == 0
    text = capsys.readouterr().out
    assert "| optimizers |    10 |    10 |       - |         - |      - |   1e-06 |" in text
    assert "| Adam       |     1 |       - |         - |      - |   1e-06 |" in text
    assert "keras 3.99; " in text
    assert "beyond" not in text
    for difference in parity.DIFFERENCES:
        assert difference in text
    assert (tmp_path / "report" / "parity.md").read_text() in text
    found = json.loads((tmp_path / "report" / "parity.json").read_text())
    assert found["tolerances"] == parity.TOLERANCES
    assert found["lines"][2]["name"] == "Adam"
    assert found["lines"][2]["differences"]["weights"] == 1e-6


def test_a_difference_beyond_its_tolerance_ends_with_1(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path, "optimizers", OPTIMIZERS, weights=2e-4) == 1
    assert "2e-04 beyond 1e-04" in capsys.readouterr().out


def test_what_nothing_compares_ends_with_1(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path, "optimizers", OPTIMIZERS[1:], weights=1e-6) == 1
    assert "Not compared, and no reason given: optimizers: Adadelta" in capsys.readouterr().out


def test_without_tensorflow_the_command_says_what_to_install(monkeypatch, capsys):
    def peers():
        raise ModuleNotFoundError("No module named 'tensorflow'")

    monkeypatch.setattr(parity, "peers", peers)
    monkeypatch.setattr(sys, "argv", ["parity"])
    with pytest.raises(SystemExit):
        parity.main()
    assert "No module named 'tensorflow': pip install -e \".[test,compare]\"" in capsys.readouterr().err


CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


def row_after_a_step(keras, clipping):
    """What a row of an embedding, 0 at first, is after one step in which it occurs twice, with gradients 6 and 2."""
    layers = [keras.Input((2,), dtype="int32"), keras.layers.Embedding(5, 1), keras.layers.Flatten()]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(1.0, **{clipping: 0.25}), "mse")
    model.set_weights([np.zeros((5, 1), np.float32)])
    model.train_on_batch(np.array([[3, 3]]), np.array([[-6.0, -2.0]], np.float32))
    return model.get_weights()[0][3, 0]


@pytest.mark.parametrize("clipping", CLIPPING)
def test_clipping_of_a_repeated_row_is_a_difference_that_is_told(clipping):
    assert row_after_a_step(fastkeras, clipping) == pytest.approx(-0.25)
    assert any(f"`{clipping}`" in text for text in parity.DIFFERENCES)


@needs_tensorflow
@pytest.mark.parametrize("clipping", CLIPPING)
def test_tensorflow_clips_the_parts_of_a_repeated_row(clipping):
    parts = {"clipvalue": -0.5}.get(clipping, -0.25 * 8 / 40**0.5)  # each for itself, or by the norm of (6, 2)
    assert row_after_a_step(keras_module(), clipping) == pytest.approx(parts)


@needs_tensorflow
@pytest.mark.parametrize("kind", ["activations", "losses", "metrics", "optimizers"])
def test_live(kind):
    lines = parity.Lines()
    parity.COMPARISONS[kind](lines, keras_module())
    assert parity.forgotten(lines, [kind]) == []
    assert [line.name for line in lines.values() if line.beyond()] == []
