"""Steps, layers and models of the user's own against Keras, live."""

import importlib

import call_cases
import pytest
import step_cases
from checks import assert_close
from live import keras_module, needs_tensorflow

import fastkeras

CASES = {**step_cases.CASES, **call_cases.CASES}


@needs_tensorflow
@pytest.mark.parametrize("name", CASES)
def test_code_of_the_users_own_computes_and_trains_as_in_keras(name):
    keras, tensorflow = keras_module(), importlib.import_module("tensorflow")
    expected = CASES[name](keras, tensorflow.GradientTape)
    got = CASES[name](fastkeras, fastkeras.GradientTape)
    assert sorted(got) == sorted(expected)
    for key, value in expected.items():
        pairs = zip(got[key], value, strict=True) if key in ("weights", "gradients") else [(got[key], value)]
        for one, other in pairs:  # the gradient of an embedding is IndexedSlices in TensorFlow
            assert_close(one, tensorflow.convert_to_tensor(other), 1e-4, key)
