"""fastkeras.ops: values, gradients by central differences, gradients of gradients, types."""

import math

import numpy as np
import pytest
from checks import assert_close, central_difference
from op_cases import ALL, arguments, label

import fastkeras
from fastkeras import ops


def computed(case, given):
    """(the result, the gradients of sum(dy * result) for those inputs that move, dy)"""
    name, _, options = case
    xs, moves = given
    xs = [ops.convert_to_tensor(x) if moved else x for x, moved in zip(xs, moves, strict=True)]
    sources = [x for x, moved in zip(xs, moves, strict=True) if moved]
    with fastkeras.GradientTape() as tape:
        tape.watch(sources)
        y = getattr(ops, name)(*xs, **options)
    dy = np.random.default_rng(1).normal(size=y.shape).astype(y.dtype)
    return y, tape.gradient(y, sources, ops.convert_to_tensor(dy)), dy


@pytest.mark.parametrize("case", ALL, ids=label)
def test_gradients_are_those_of_central_differences(case):
    xs, moves = arguments(case, np.float64)
    y, gradients, dy = computed(case, (xs, moves))
    assert y.dtype == np.float64
    for i, gradient in zip([i for i, moved in enumerate(moves) if moved], gradients, strict=True):

        def function(x, i=i):
            return np.asarray(getattr(ops, case[0])(*xs[:i], x, *xs[i + 1 :], **case[2]))

        assert_close(gradient, central_difference(function, xs[i], dy), 1e-6, f"gradient {i}")


@pytest.mark.parametrize("case", ALL, ids=label)
def test_float32_gives_what_float64_gives(case):
    exact, exact_gradients, _ = computed(case, arguments(case, np.float64))
    y, gradients, _ = computed(case, arguments(case, np.float32))
    assert y.dtype == np.float32
    assert_close(y, exact, 3e-6)
    for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
        assert gradient.dtype == np.float32
        assert_close(gradient, exact_gradient, 2e-5)


SECOND = [
    "multiply", "divide", "power", "exp", "log", "sqrt", "square", "sin", "tanh", "matmul", "sum", "mean", "prod",
    "var", "logsumexp", "take", "inv", "solve", "conv", "sigmoid", "elu", "softplus", "gelu", "softmax", "erf",
    "norm", "einsum", "maximum",
]  # fmt: skip


@pytest.mark.parametrize("name", SECOND)
def test_gradients_have_gradients(name):
    case = next(case for case in ALL if case[0] == name)
    xs, moves = arguments(case, np.float64)
    i = moves.index(True)
    v = np.random.default_rng(2).normal(size=xs[i].shape)

    def first(x):
        """The gradient of sum(y^2)."""
        x = ops.convert_to_tensor(x)
        with fastkeras.GradientTape() as tape:
            tape.watch(x)
            y = ops.square(getattr(ops, name)(*xs[:i], x, *xs[i + 1 :], **case[2]))
        return tape.gradient(y, x)

    x = ops.convert_to_tensor(xs[i])
    with fastkeras.GradientTape() as outer:
        outer.watch(x)
        gradient = first(x)
    assert_close(outer.gradient(gradient, x, ops.convert_to_tensor(v)), central_difference(first, xs[i], v), 2e-6)


def test_kernels_leave_their_place_to_formulas_within_two_tapes():
    x = ops.convert_to_tensor(np.float32([-1.0, 0.5, 2.0]))
    with fastkeras.GradientTape() as outer:
        outer.watch(x)
        with fastkeras.GradientTape() as inner:
            inner.watch(x)
            y = ops.sigmoid(x)
        slope = inner.gradient(y, x)
    s = 1 / (1 + np.exp(-np.asarray(x)))
    assert_close(outer.gradient(slope, x), s * (1 - s) * (1 - 2 * s), 1e-5)


def test_types_are_numpys_but_float64_comes_from_float64_alone():
    x = np.arange(3, dtype=np.int32)
    assert ops.exp(x).dtype == ops.mean(x).dtype == (ops.convert_to_tensor(x) * 0.5).dtype == np.float32
    assert ops.sum(x).dtype == ops.cumsum(x).dtype == ops.prod(x).dtype == np.int32
    assert ops.sum(x > 0).dtype == ops.argmax(x).dtype == np.int32
    assert ops.convert_to_tensor([1.0, 2.0]).dtype == np.float32
    assert ops.convert_to_tensor([1, 2]).dtype == np.int32
    assert (ops.ones((2,), "float64") + 1.0).dtype == np.float64
    assert ops.cast(ops.ones((2,)), "int32").dtype == np.int32


def test_erf_is_as_exact_as_it_says():
    x = np.concatenate([np.linspace(-7, 7, 4001), np.geomspace(1e-6, 1, 1000)])
    exact = np.array([math.erf(element) for element in x])
    nonzero = exact != 0
    for dtype, error in ((np.float32, 1e-6), (np.float64, 5e-13)):
        given = x.astype(dtype)
        exact = np.array([math.erf(element) for element in given.tolist()])
        off = np.abs(np.asarray(ops.erf(given), np.float64) - exact)
        assert (off[nonzero] <= error * np.abs(exact[nonzero])).all()


def test_what_has_no_slope():
    x = np.array([[3.0, -1.5, 3.0], [0.4, 2.5, -0.6]], np.float32)
    for name in ("floor", "ceil", "sign", "isnan", "isfinite", "isinf", "logical_not"):
        np.testing.assert_array_equal(getattr(ops, name)(x), getattr(np, name)(x))
    np.testing.assert_array_equal(ops.round(x), np.round(x))
    np.testing.assert_array_equal(ops.argmax(x, axis=1), [0, 1])
    np.testing.assert_array_equal(ops.argmin(x, axis=0), [1, 0, 1])
    np.testing.assert_array_equal(ops.argsort(x), [[1, 0, 2], [2, 0, 1]])
    np.testing.assert_array_equal(ops.any(x > 2.6, axis=1), [True, False])
    np.testing.assert_array_equal(ops.all(x > -1, axis=1), [False, True])
    np.testing.assert_array_equal(ops.count_nonzero(x > 0, axis=1), [2, 2])
    np.testing.assert_array_equal(ops.logical_and(x > 0, x < 1), (x > 0) & (x < 1))
    np.testing.assert_array_equal(ops.in_top_k(np.array([2, 0]), x, 1), [True, False])
    with fastkeras.GradientTape() as tape:
        w = ops.convert_to_tensor(x)
        tape.watch(w)
        y = ops.floor(w) + ops.stop_gradient(w)
    assert tape.gradient(y, w) is None


def test_top_k_gives_values_with_a_gradient_and_indices():
    x = ops.convert_to_tensor(np.float32([[1, 5, 3], [9, 2, 4]]))
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        values, indices = ops.top_k(x, 2)
    np.testing.assert_array_equal(values, [[5, 3], [9, 4]])
    np.testing.assert_array_equal(indices, [[1, 2], [0, 2]])
    np.testing.assert_array_equal(tape.gradient(values, x), [[0, 1, 1], [1, 0, 1]])


def test_joining_and_cutting_are_each_others_gradients():
    x = ops.convert_to_tensor(np.arange(12.0, dtype=np.float32).reshape(2, 6))
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        a, _, c = ops.split(x, 3, axis=1)
        d, e = ops.unstack(x)
        y = ops.concatenate([a, 2 * c], axis=-1)
        z = ops.stack([d, 3 * e], axis=1)
    np.testing.assert_array_equal(y[0], [0, 1, 8, 10])
    assert z.shape == (6, 2)
    gradient = tape.gradient([y, z], x)
    np.testing.assert_array_equal(gradient, [[2, 2, 1, 1, 3, 3], [4, 4, 3, 3, 5, 5]])
    assert [part.shape for part in ops.split(x, [1, 4], axis=1)] == [(2, 1), (2, 3), (2, 2)]
    with pytest.raises(ValueError, match="do not make 4 equal pieces"):
        ops.split(x, 4, axis=1)


def test_a_gradient_of_ones_own():
    @ops.custom_gradient
    def clipped(x, scale):
        return x * scale, lambda dy: (np.clip(dy, -1, 1), None)

    @ops.custom_gradient
    def doubled(x):
        return x, lambda *args, upstream: upstream * 2

    x = ops.convert_to_tensor(np.float32([1.0, -2.0]))
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        y = doubled(clipped(x, 3.0)) * np.float32([5.0, 0.1])
    np.testing.assert_allclose(y, [15, -0.6], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(y, x), [1, 0.2], rtol=1e-6)


def test_windows_take_channels_in_front_too():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(3, 3, 3, 2))
    for name, *others in (("conv", kernel), ("depthwise_conv", kernel), ("max_pool", 2), ("average_pool", 2)):
        y = getattr(ops, name)(x, *others, padding="same")
        front = getattr(ops, name)(np.moveaxis(x, -1, 1), *others, padding="same", data_format="channels_first")
        assert_close(np.moveaxis(front, 1, -1), y, 1e-12)


def test_methods_and_numpys_functions_keep_what_leads_back():
    w = fastkeras.Variable([[1.0, 2.0], [4.0, 3.0]])
    calls = {
        "max": lambda x: x.max(axis=1), "min": lambda x: np.min(x, axis=0), "std": lambda x: np.std(x), "var":
        lambda x: x.var(), "prod": lambda x: np.prod(x, axis=1), "cumsum": lambda x: x.cumsum(1), "clip":
        lambda x: np.clip(x, 1.5, 3.5), "dot": lambda x: x.dot(w), "flatten": lambda x: x.flatten(), "ravel":
        lambda x: np.ravel(x), "squeeze": lambda x: x[None].squeeze(0), "repeat": lambda x: x.repeat(2, axis=0),
    }  # fmt: skip
    for name, call in calls.items():
        with fastkeras.GradientTape() as tape:
            y = call(w * 1.0)
        assert_close(y, call(w.value), 1e-6, name)
        assert tape.gradient(y, w) is not None, name


def test_tensors_and_variables_of_one_number_are_numbers():
    for one in (ops.sum(np.float32([2.25, 0.5])), fastkeras.Variable(2.75)):
        assert f"{one:.1f}" == "2.8" and float(one) == 2.75 and int(one) == 2 and bool(one)
    assert round(ops.sum(np.float32([2.25, 0.5])), 1) == 2.8
    assert "path=w" in f"{fastkeras.Variable(1.0, name='w')}"


def test_new_tensors():
    assert ops.zeros((2, 3)).dtype == ops.ones((2,)).dtype == ops.full((2,), 7).dtype == np.float32
    np.testing.assert_array_equal(ops.eye(2, 3, 1), np.eye(2, 3, 1))
    np.testing.assert_array_equal(ops.arange(2, 8, 3), [2, 5])
    assert ops.arange(5).dtype == np.int32 and ops.arange(5.0).dtype == np.float32
    np.testing.assert_allclose(ops.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(ops.one_hot([1, 0, 3], 3), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(ops.multi_hot([[0, 2], [1, 1]], 3), [[1, 0, 1], [0, 1, 0]])
    assert ops.full_like(ops.zeros((2,), "int32"), 3).dtype == np.int32
    assert ops.shape(ops.zeros((2, 3))) == (2, 3) and ops.ndim(np.ones(3)) == 1 and ops.size(np.ones((2, 3))) == 6
    assert ops.is_tensor(ops.zeros(1)) and not ops.is_tensor(np.zeros(1))
    assert type(ops.convert_to_numpy(ops.zeros(1))) is np.ndarray


def test_loops_run_and_are_recorded():
    x = ops.convert_to_tensor(np.float32([1.0, 2.0, 3.0]))
    with fastkeras.GradientTape(persistent=True) as tape:
        tape.watch(x)
        last, sums = ops.scan(lambda carry, item: (carry + item, carry * item), ops.zeros(()), x)
        mapped = ops.map(lambda item: item * item, x)
    np.testing.assert_array_equal(sums, [0, 2, 9])
    assert float(last) == 6
    np.testing.assert_array_equal(tape.gradient(sums, x), [2 + 3, 1 + 3, 3])
    np.testing.assert_array_equal(tape.gradient(mapped, x), [2, 4, 6])
    assert float(ops.fori_loop(0, 4, lambda i, y: y + i, 0.0)) == 6
    assert ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0) == 6
    assert ops.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 2), (0, 1), maximum_iterations=3) == (3, 8)
    assert ops.cond(x[0] > 0, lambda: "yes", lambda: "no") == "yes"
    assert ops.switch(1, [lambda a: a, lambda a: -a], 3) == -3
    _, backwards = ops.scan(lambda carry, item: (carry + item, carry), 0.0, x, reverse=True)
    np.testing.assert_array_equal(backwards, [5, 3, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.einsum("ii->i", np.ones((2, 2))), "may not come twice"),
        (lambda: ops.einsum("ij,jk->ik", np.ones((2, 2))), "for 2 operands. Received: 1"),
        (lambda: ops.binary_crossentropy(np.ones(2), np.ones(3)), r"one shape. Received: \(2,\) and \(3,\)"),
        (lambda: ops.norm(np.ones((2, 2)), "nuc"), "Received: ord='nuc'"),
        (lambda: ops.unstack(np.ones((2, 2)), 3), "extent 2. Received: num=3"),
        (lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))), r"Received: shapes \(2, 3\) and \(2, 3\)"),
        (lambda: ops.matmul(np.ones((2, 3)), 2.0), r"Received: shapes \(2, 3\) and \(\)"),
        (lambda: ops.conv(np.ones((1, 5, 2)), np.ones((3, 3, 1))), r"3 axes and 3 channels.*\(1, 5, 2\)"),
        (lambda: ops.max_pool(np.ones((1, 5, 2)), (2, 2)), r"`pool_size`.*Received: \(2, 2\)"),
        (lambda: ops.max_pool(np.ones((1, 5, 2)), 2, padding="full"), "Received: padding='full'"),
        (lambda: ops.conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), data_format="last"), "Received: 'last'"),
    ],
)
def test_errors_say_what_was_received(call, message):
    with pytest.raises(ValueError, match=message):
        call()
