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


def test_matmul_gradients():
    A, B, bias, dC = (RNG.normal(size=s) for s in [(3, 5), (5, 2), (2,), (3, 2)])
    dA, dB, dbias = reference.matmul_backward(dC, A, B)
    for gradient, x, function in [
        (dA, A, lambda x: reference.matmul(x, B, bias)),
        (dB, B, lambda x: reference.matmul(A, x, bias)),
        (dbias, bias, lambda x: reference.matmul(A, B, x)),
    ]:
        np.testing.assert_allclose(gradient, central_difference(function, x, dC), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("trans_a", "trans_b"), [(False, True), (True, False), (True, True)])
def test_matmul_forms(trans_a, trans_b):
    A, B = RNG.normal(size=(3, 5)), RNG.normal(size=(5, 2))
    C = reference.matmul(A.T if trans_a else A, B.T if trans_b else B, trans_a=trans_a, trans_b=trans_b)
    np.testing.assert_array_equal(C, reference.matmul(A, B))
