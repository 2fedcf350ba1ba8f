"""Whole models against TensorFlow's Keras: the same weights and batches give the same losses, metrics, predictions.

Live where TensorFlow is installed (the extra `compare`), and always against what it gave when
tests/write_parity_fixtures.py was run.
"""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from live import keras_module, needs_tensorflow, traced
from parity_cases import CASES, run
from parity_cases_convolution import channels_first

import fastkeras

PAIRS = [(case, peer) for case, peers in CASES.items() for peer in peers]
IDS = [f"{case.__name__}-{peer}" for case, peer in PAIRS]
FIXTURES = json.loads((Path(__file__).with_name("fixtures") / "parity.json").read_text())


def assert_agrees(ours, theirs):
    """Predictions to 1e-5 before training; loss and metrics of every epoch to 1e-4 relative; predictions after it."""
    np.testing.assert_allclose(ours["before"], theirs["before"], rtol=0, atol=1e-5)
    assert sorted(ours["history"]) == sorted(theirs["history"])  # Keras 3 sorts them, tf_keras puts loss first
    for key, values in theirs["history"].items():
        np.testing.assert_allclose(ours["history"][key], values, rtol=1e-4, atol=1e-7, err_msg=key)
    np.testing.assert_allclose(ours["evaluate"], theirs["evaluate"], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(ours["after"], theirs["after"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("case", "peer"), PAIRS, ids=IDS)
def test_results_that_tensorflow_gave(case, peer):
    assert_agrees(run(fastkeras, case), FIXTURES[f"{case.__name__}-{peer}"])


@pytest.mark.parametrize(("case", "peer"), PAIRS, ids=IDS)
@needs_tensorflow
def test_results_that_tensorflow_gives(case, peer):
    keras = keras_module(peer)
    with traced() if case is channels_first else contextlib.nullcontext():
        theirs = run(keras, case)
    assert_agrees(run(fastkeras, case), theirs)


def test_training_differs_from_case_to_case():
    """The comparison above would notice another model: no two cases agree, and training changes predictions."""
    for name, result in FIXTURES.items():
        assert np.abs(np.subtract(result["before"], result["after"])).max() > 1e-3, name
    losses = [tuple(result["history"]["loss"]) for name, result in FIXTURES.items() if name.endswith("tf_keras")]
    assert len(set(losses)) == len(losses)
