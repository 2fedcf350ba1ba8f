"""dense.c against the reference: forward, every gradient, and the choices of the backward pass."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation

from fastkeras._kernels import dense

SIZES = [(2, 3, 5), (1, 1, 1), (37, 13, 7), (3, 131, 67), (0, 3, 2), (211, 67, 131)]


def random(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype("f")


@pytest.mark.parametrize("B, D, U", SIZES)
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "softmax", "silu"])
@pytest.mark.parametrize("with_bias", [True, False])
def test_forward_and_gradients(B, D, U, activation, with_bias):
    x, W, b, dy = random(B, D), random(D, U) / np.float32(np.sqrt(D)), random(U), random(B, U, seed=1)
    f, bias = Activation(activation), b if with_bias else None
    dW0, db0 = random(D, U, seed=2), random(U, seed=3)

    def run():
        y, dz, dx = (np.full(shape, np.nan, "f") for shape in [(B, U), (B, U), (B, D)])
        z = np.full((B, U), np.nan, "f") if f.needs_input else None
        dW, db = dW0.copy(), db0.copy() if with_bias else None
        dense.forward(y, z, x, W, bias, f)
        dense.backward(dx, dW, db, dz, dy, x, W, y, z, f)
        return (y, dx, dW, db) if with_bias else (y, dx, dW)

    y, dx, dW, *db = same_bits_for_any_threads(run)
    b64 = b if with_bias else np.zeros(U)
    x64, W64 = x.astype(np.float64), W.astype(np.float64)
    expected_dx, expected_dW, expected_db = reference.dense_backward(dy, x64, W64, b64, activation)
    assert_close(y, reference.dense(x64, W64, b64, activation), 1e-5, "y")
    assert_close(dx, expected_dx, 1e-5, "dx")
    assert_close(dW - dW0, expected_dW, 3e-5, "dW")
    if with_bias:
        assert_close(db[0] - db0, expected_db, 3e-5, "db")


def test_gradients_that_are_not_wanted_are_left_out():
    x, W, b, dy = random(7, 5), random(5, 3), random(3), random(7, 3)
    y, dz = np.empty((7, 3), "f"), np.empty((7, 3), "f")
    f = Activation("relu")
    dense.forward(y, None, x, W, b, f)
    dW = np.zeros((5, 3), "f")
    dense.backward(None, dW, None, dz, dy, x, W, y, None, f)
    np.testing.assert_allclose(dW, x.T @ (dy * (y > 0)), rtol=1e-5, atol=1e-6)
    with pytest.raises(TypeError, match="`dz`"):
        dense.backward(None, dW, None, None, dy, x, W, y, None, f)


@pytest.mark.parametrize(
    "name, x, W, y",
    [
        ("x", np.zeros((2, 4), "f"), np.zeros((5, 3), "f"), np.zeros((2, 3), "f")),
        ("W", np.zeros((2, 5), "f"), np.zeros(5, "f"), np.zeros((2, 3), "f")),
        ("y", np.zeros((2, 5), "f"), np.zeros((5, 3), "f"), np.zeros((2, 4), "f")),
        ("x", np.zeros((2, 5), "f8"), np.zeros((5, 3), "f"), np.zeros((2, 3), "f")),
        ("x", np.zeros((2, 10), "f")[:, ::2], np.zeros((5, 3), "f"), np.zeros((2, 3), "f")),
    ],
)
def test_arrays_that_do_not_fit_are_named(name, x, W, y):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        dense.forward(y, None, x, W, None, Activation("linear"))


def test_column_sums_of_some_columns():
    dz, db = random(211, 67), random(31)
    expected = db + dz[:, 13:44].astype(np.float64).sum(axis=0)
    dense.add_column_sums(db, dz, 13)
    assert_close(db, expected, 1e-6)
    with pytest.raises(ValueError, match="`dz`"):
        dense.add_column_sums(db, dz, 37)
