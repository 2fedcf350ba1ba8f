"""The reference's gradients against central differences: signed, element by element."""

import numpy as np
import pytest
import reference
from checks import central_difference

RNG = np.random.default_rng(1)
ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "softmax"]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_gradients(name):
    x, dy = 2 * RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
    dx = getattr(reference, f"{name}_backward")(dy, x)
    np.testing.assert_allclose(dx, central_difference(getattr(reference, name), x, dy), rtol=1e-6, atol=1e-9)
