"""activations.c against the reference, forward and backward, and the same bits for any number of threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras._kernels import activations

RNG = np.random.default_rng(2)
NAMES = ["linear", "relu", "sigmoid", "tanh", "softmax"]
# odd widths around a vector's length, one row, one column, and enough for several threads
SHAPES = [(1, 1), (2, 3), (5, 7), (3, 17), (1, 67), (13, 1), (11, 101), (97, 1031)]


def run(name, x, dy):
    act = activations.Activation(name)
    y, dx = np.empty_like(x), np.empty_like(x)
    activations.forward(y, x, act)
    activations.backward(dx, dy, x if act.needs_input else None, y, act)
    return y, dx


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_forward_and_backward_are_the_reference(name, shape):
    x = RNG.normal(0.3, 2.0, shape).astype(np.float32)
    dy = RNG.normal(size=shape).astype(np.float32)
    y, dx = same_bits_for_any_threads(lambda: run(name, x, dy))
    assert_close(y, getattr(reference, name)(x.astype(np.float64)), 3e-6, "y")
    assert_close(dx, getattr(reference, f"{name}_backward")(dy, x.astype(np.float64)), 3e-6, "dx")
