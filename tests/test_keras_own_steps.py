"""Steps of the user's own against Keras, live."""

import importlib

import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow
from step_cases import CASES

import fastkeras


@needs_tensorflow
@pytest.mark.parametrize("name", CASES)
def test_steps_of_the_users_own_report_and_train_as_in_keras(name):
    keras = keras_module()
    expected = CASES[name](keras, importlib.import_module("tensorflow").GradientTape)
    got = CASES[name](fastkeras, fastkeras.GradientTape)
    assert sorted(got) == sorted(expected)
    for key, value in expected.items():
        pairs = zip(got[key], value, strict=True) if key == "weights" else [(got[key], value)]
        for one, other in pairs:
            assert_close(one, other, 1e-4)
