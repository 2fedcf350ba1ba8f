"""activations.c against the reference, forward and backward, and the same bits for any number of threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras._kernels import activations

RNG = np.random.default_rng(2)
# odd widths around a vector's length, one row, one column
SHAPES = [(1, 1), (2, 3), (5, 7), (3, 17), (1, 67), (13, 1), (11, 101)]
THREADED = (53, 1031)  # enough for three threads


def run(act, x, dy):
    y, dx = np.empty_like(x), np.empty_like(x)
    activations.forward(y, x, act)
    activations.backward(dx, dy, x if act.needs_input else None, y, act)
    return y, dx


def data(shape):
    x, dy = RNG.normal(0.3, 2.0, shape).astype(np.float32), RNG.normal(size=shape).astype(np.float32)
    x.flat[0] = 0.7  # an array of one element is not at a place where the slope vanishes
    return x, dy


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "numbers"), reference.ACTIVATIONS.items())
def test_forward_and_backward_are_the_reference(name, numbers, shape):
    x, dy = data(shape)
    y, dx = run(activations.Activation(name, *numbers), x, dy)
    assert_close(y, getattr(reference, name)(x.astype(np.float64), *numbers), 3e-6, "y")
    assert_close(dx, getattr(reference, f"{name}_backward")(dy, x.astype(np.float64), *numbers), 3e-6, "dx")


@pytest.mark.parametrize("name", ["linear", "tanh", "silu", "softmax", "log_softmax", "sparsemax"])
def test_threads_share_the_work_and_give_the_same_bits(name):
    x, dy = data(THREADED)
    y, dx = same_bits_for_any_threads(lambda: run(activations.Activation(name), x, dy))
    assert_close(y, getattr(reference, name)(x.astype(np.float64)), 3e-6, "y")
    assert_close(dx, getattr(reference, f"{name}_backward")(dy, x.astype(np.float64)), 3e-6, "dx")


@pytest.mark.parametrize("numbers", reference.GENERAL_RELUS)
def test_general_relu(numbers):
    slope, maximum, threshold = numbers
    x, dy = data((7, 13))
    y, dx = run(activations.Activation("general_relu", slope, np.inf if maximum is None else maximum, threshold), x, dy)
    assert_close(y, reference.general_relu(x, *numbers), 1e-6, "y")
    assert_close(dx, reference.general_relu_backward(dy, x, *numbers), 1e-6, "dx")


@pytest.mark.parametrize("shape", [*SHAPES, THREADED], ids=str)
def test_glu(shape):
    rows, columns = shape
    x, _ = data((rows, 2 * columns))
    _, dy = data(shape)

    def both():
        y, dx = np.empty_like(dy), np.empty_like(x)
        activations.glu_forward(y, x)
        activations.glu_backward(dx, dy, x)
        return y, dx

    y, dx = same_bits_for_any_threads(both)
    assert_close(y, reference.glu(x.astype(np.float64)), 1e-6, "y")
    assert_close(dx, reference.glu_backward(dy, x.astype(np.float64)), 1e-6, "dx")


@pytest.mark.parametrize(("name", "numbers"), reference.ACTIVATIONS.items())
def test_outputs_may_overwrite_inputs(name, numbers):
    act = activations.Activation(name, *numbers)
    x, dy = data((5, 37))
    y, dx = run(act, x, dy)
    in_place = x.copy()
    activations.forward(in_place, in_place, act)
    assert in_place.tobytes() == y.tobytes()
    in_place = dy.copy()
    activations.backward(in_place, in_place, x, y, act)
    assert in_place.tobytes() == dx.tobytes()


@pytest.mark.parametrize(("name", "numbers"), reference.ACTIVATIONS.items())
def test_an_elements_bits_do_not_depend_on_its_place(name, numbers):
    act = activations.Activation(name, *numbers)
    if act.rowwise:
        x, dy = data((5, 19))
        parts = [(slice(n, n + 1), slice(None)) for n in range(5)]
    else:
        x, dy = data((1, 67))
        parts = [(slice(None), slice(*ends)) for ends in [(0, 1), (1, 4), (2, 21), (30, 67)]]
    y, dx = run(act, x, dy)
    for part in parts:
        y_part, dx_part = run(act, x[part].copy(), dy[part].copy())
        assert y_part.tobytes() == y[part].tobytes()
        assert dx_part.tobytes() == dx[part].tobytes()


# what f gives for -1e4, 0 and 1e4, and its slope there
FAR = {
    "sigmoid": ([0, 0.5, 1], [0, 0.25, 0]),
    "tanh": ([-1, 0, 1], [0, 1, 0]),
    "elu": ([-0.7, 0, 1e4], [0, 0.7, 1]),
    "gelu": ([0, 0, 1e4], [0, 0.5, 1]),
    "gelu_tanh": ([0, 0, 1e4], [0, 0.5, 1]),
    "silu": ([0, 0, 1e4], [0, 0.5, 1]),
    "mish": ([0, 0, 1e4], [0, 0.6, 1]),
    "softplus": ([0, np.log(2), 1e4], [0, 0.5, 1]),
    "log_sigmoid": ([-1e4, -np.log(2), 0], [1, 0.5, 0]),
    "softsign": ([-1e4 / 10001, 0, 1e4 / 10001], [1 / 10001**2, 1, 1 / 10001**2]),
    "squareplus": ([0, np.sqrt(2.5) / 2, 1e4], [0, 0.5, 1]),
    "exponential": ([0, 1, np.inf], [0, 1, np.inf]),
}


@pytest.mark.parametrize("name", FAR)
def test_far_from_zero(name):
    x = np.array([[-1e4, 0, 1e4]], np.float32)
    y, dx = run(activations.Activation(name, *reference.ACTIVATIONS[name]), x, np.ones_like(x))
    want_y, want_dx = FAR[name]
    np.testing.assert_allclose(y[0], want_y, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(dx[0], want_dx, rtol=1e-6, atol=1e-7)


def test_softmax_of_large_and_infinite_numbers():
    x = np.array([[1e4, 0, -1e4], [-np.inf, 5, -np.inf], [3e38, 3e38, -3e38]], np.float32)
    y, _ = run(activations.Activation("softmax"), x, np.zeros_like(x))
    np.testing.assert_array_equal(y, [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]])


@pytest.mark.parametrize("x", [[3.0, 1.0, 0.2, -1.0], [0.1, 0.1, 0.1, 0.1], [1e6, 1e6 - 0.5, 0, 0]])
def test_sparsemax_sums_to_one_and_leaves_small_elements_out(x):
    y, _ = run(activations.Activation("sparsemax"), np.array([x], np.float32), np.zeros((1, 4), np.float32))
    assert_close(y[0], reference.sparsemax(np.array(x)), 1e-6)
    assert y.sum() == 1.0


@pytest.mark.parametrize(("name", "numbers"), reference.ACTIVATIONS.items())
def test_nan_stays_and_no_elements_are_no_work(name, numbers):
    act = activations.Activation(name, *numbers)
    if name not in ("hard_shrink", "soft_shrink", "threshold", "sparsemax"):  # these choose by comparing
        y, _ = run(act, np.full((1, 3), np.nan, np.float32), np.ones((1, 3), np.float32))
        assert np.isnan(y).all()
    for shape in [(0, 3), (3, 0)]:
        run(act, np.zeros(shape, np.float32), np.zeros(shape, np.float32))


def test_wrong_arguments_are_named():
    x, relu, silu = np.zeros((2, 3), np.float32), activations.Activation("relu"), activations.Activation("silu")
    with pytest.raises(ValueError, match="`y` must be"):
        activations.forward(np.zeros((3, 2), np.float32), x, relu)
    with pytest.raises(ValueError, match="`dy` must be"):
        activations.backward(x, x[:1], None, x, relu)
    with pytest.raises(ValueError, match=r"silu needs its input x. Received: x=None"):
        activations.backward(x, x, None, x, silu)
    with pytest.raises(ValueError, match=r"`x` must be .*\(2, 6\)"):
        activations.glu_forward(x, x)


@pytest.mark.parametrize("step", [3, 7, 9, 10])
def test_sparsemax_comes_to_an_end_where_elements_lie_on_its_threshold(step):
    x = (RNG.integers(0, 16, (997, 5)) / step).astype(np.float32)
    y, _ = run(activations.Activation("sparsemax"), x, np.zeros_like(x))
    assert_close(y, reference.sparsemax(x.astype(np.float64)), 1e-6)
