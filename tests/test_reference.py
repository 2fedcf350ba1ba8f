"""The reference's gradients against central differences: signed, element by element."""

import numpy as np
import pytest
import reference
from checks import central_difference

RNG = np.random.default_rng(1)


def assert_gradient(gradient, function, x, dy):
    np.testing.assert_allclose(gradient, central_difference(function, x, dy), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "numbers"), reference.ACTIVATIONS.items())
def test_activation_gradients(name, numbers):
    x, dy = 2 * RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    assert_gradient(backward(dy, x, *numbers), lambda x: function(x, *numbers), x, dy)


@pytest.mark.parametrize("numbers", reference.GENERAL_RELUS)
def test_general_relu_gradients(numbers):
    x, dy = 2 * RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5))
    gradient = reference.general_relu_backward(dy, x, *numbers)
    assert_gradient(gradient, lambda x: reference.general_relu(x, *numbers), x, dy)


def test_glu_gradient():
    x, dy = 2 * RNG.normal(size=(3, 10)), RNG.normal(size=(3, 5))
    assert_gradient(reference.glu_backward(dy, x), reference.glu, x, dy)


NUMBERS = RNG.normal(size=(5, 3))
PROBABILITIES = RNG.uniform(0.05, 0.95, (5, 3))
PROBABILITIES[[0, 1, 2, 4], [0, 1, 1, 2]] = [-0.1, 1.1, -0.3, 1.2]  # clipped, so without gradient
ANY_TARGETS = RNG.normal(size=(5, 3))
DISTRIBUTIONS = RNG.dirichlet(np.ones(3), 5)
LABELS = np.array([2, 0, 1, 1, 2])
LOSSES = [
    ("mean_squared_error", NUMBERS, ANY_TARGETS),
    ("mean_absolute_error", NUMBERS, ANY_TARGETS),
    ("binary_crossentropy", PROBABILITIES, RNG.random((5, 3))),
    ("binary_crossentropy_from_logits", NUMBERS, RNG.random((5, 3))),
    ("categorical_crossentropy", PROBABILITIES, RNG.random((5, 3))),
    ("categorical_crossentropy_from_logits", NUMBERS, DISTRIBUTIONS),
    ("sparse_categorical_crossentropy", PROBABILITIES, LABELS),
    ("sparse_categorical_crossentropy_from_logits", NUMBERS, LABELS),
]


@pytest.mark.parametrize(("name", "y", "t"), LOSSES, ids=[case[0] for case in LOSSES])
def test_loss_gradients(name, y, t):
    dvalues = RNG.normal(size=5)
    function, backward = getattr(reference, name), getattr(reference, f"{name}_backward")
    assert_gradient(backward(dvalues, y, t), lambda y: function(y, t), y, dvalues)


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


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
def test_dense_gradients(activation):
    x, W, b, dy = (RNG.normal(size=s) for s in [(3, 5), (5, 2), (2,), (3, 2)])
    for i, gradient in enumerate(reference.dense_backward(dy, x, W, b, activation)):
        numeric = central_difference(
            lambda v, i=i: reference.dense(*[x, W, b][:i], v, *[x, W, b][i + 1 :], activation), [x, W, b][i], dy
        )
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_embedding_gradient():
    table, ids = RNG.normal(size=(5, 3)), RNG.integers(0, 5, (2, 7))
    dy = RNG.normal(size=(2, 7, 3))
    numeric = central_difference(lambda v: reference.embedding(v, ids), table, dy)
    np.testing.assert_allclose(reference.embedding_backward(dy, table, ids), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("T", [1, 5])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
def test_simple_rnn_gradients(T, masked, dropped):
    B, U = 3, 2
    p, R, h0 = RNG.normal(size=(B, T, U)), RNG.normal(size=(U, U)), RNG.normal(size=(B, U))
    mask = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)[:, :T] if masked else None
    m = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]) if dropped else None
    dy, dlast = RNG.normal(size=(B, T, U)), RNG.normal(size=(B, U))
    gradients = reference.simple_rnn_backward(dy, dlast, p, R, h0, mask, m)
    inputs = [p, R, h0]
    for i, gradient in enumerate(gradients):

        def both(v, i=i):
            y, last = reference.simple_rnn(*inputs[:i], v, *inputs[i + 1 :], mask, m)
            return np.concatenate([y, last[:, None]], axis=1)

        numeric = central_difference(both, inputs[i], np.concatenate([dy, dlast[:, None]], axis=1))
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)
