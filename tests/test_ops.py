"""fastkeras.ops: gradients by central differences, gradients of gradients, types, and errors."""

import numpy as np
import pytest
from checks import assert_close, central_difference
from op_cases import ALL, arguments, assert_gradient, function_of, label

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
        y = function_of(ops, name)(*xs, **options)
    dy = np.random.default_rng(1).normal(size=y.shape).astype(y.dtype)
    return y, tape.gradient(y, sources, ops.convert_to_tensor(dy)), dy


@pytest.mark.parametrize("case", ALL, ids=label)
def test_gradients_are_those_of_central_differences(case):
    xs, moves = arguments(case, np.float64)
    y, gradients, dy = computed(case, (xs, moves))
    assert y.dtype == np.float64
    for i, gradient in zip([i for i, moved in enumerate(moves) if moved], gradients, strict=True):

        def function(x, i=i):
            return np.asarray(function_of(ops, case[0])(*xs[:i], x, *xs[i + 1 :], **case[2]))

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
        """The gradient of sum(y^3)."""
        x = ops.convert_to_tensor(x)
        with fastkeras.GradientTape() as tape:
            tape.watch(x)
            y = function_of(ops, name)(*xs[:i], x, *xs[i + 1 :], **case[2])
            cubes = y * ops.square(y)
        return tape.gradient(cubes, x)

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


def test_joined_choices_have_gradients():
    x = ops.convert_to_tensor(np.float32([[1.0, -2.0], [3.0, 4.0]]))
    with fastkeras.GradientTape(persistent=True) as tape:
        tape.watch(x)
        chosen = ops.select([x > 3, x < 0], [2 * x, 5 * x], 7.0)
        joined = ops.hstack([ops.vstack([x, 3 * x]), ops.ones((4, 1))])
        counted = ops.bincount(np.array([[0, 2], [1, 1]]), weights=x) * [1.0, 10.0, 100.0]
    np.testing.assert_array_equal(chosen, [[7, -10], [7, 8]])
    np.testing.assert_array_equal(tape.gradient(chosen, x), [[0, 5], [0, 2]])
    np.testing.assert_array_equal(tape.gradient(joined, x), np.full((2, 2), 4))
    np.testing.assert_array_equal(tape.gradient(counted, x), [[1, 100], [10, 10]])


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


def test_a_gradient_of_ones_own_may_be_none_but_has_the_shape_of_its_input():
    def gradients(*given):
        @ops.custom_gradient
        def product(x, factor):
            return x * factor, lambda dy: given

        with fastkeras.GradientTape() as tape:
            y = product(v * 1.0, factor)
        return tape.gradient(y, [v, factor])

    v, factor = fastkeras.Variable([[1.0], [2.0]]), fastkeras.Variable([3.0])
    to_v, to_factor = gradients(np.float32([[3.0], [3.0]]), None)
    assert to_v.tolist() == [[3], [3]] and to_factor is None
    for wrong in (np.float32(3.0), np.float32([1.0, 2.0, 3.0])):
        with pytest.raises(ValueError, match=r"an input of shape \(2, 1\) must have.*Received: shape \((3,)?\)"):
            gradients(wrong, None)
    with pytest.raises(ValueError, match=r"a gradient for each of 2 arguments. Received: 1"):
        gradients(np.ones((2, 1)))


def test_a_gradient_of_ones_own_shares_no_array():
    ones = np.ones(3, np.float32)

    @ops.custom_gradient
    def tripled(a, b):
        def gradient(dy):
            dy *= 3
            return dy, ones

        a *= 3
        return a, gradient

    v, w = fastkeras.Variable([1.0, 2.0, 3.0]), fastkeras.Variable([0.0, 0.0, 0.0])
    with fastkeras.GradientTape() as tape:
        x = v * 1.0
        y = tripled(x, w) + x
    np.testing.assert_array_equal(y, [4, 8, 12])
    np.testing.assert_array_equal(v.numpy(), [1, 2, 3])
    to_v, to_w = tape.gradient(y, [v, w])
    assert to_v.tolist() == [4, 4, 4] and to_w.tolist() == [1, 1, 1]
    to_w.numpy()[:] = 7
    assert ones.tolist() == [1, 1, 1]


def test_a_tensor_of_a_variable_keeps_its_values():
    v = fastkeras.Variable([1.0, 2.0])
    with fastkeras.GradientTape() as tape:
        before = ops.convert_to_tensor(v)
    v.assign([5.0, 6.0])
    assert before.tolist() == [1, 2]
    assert tape.gradient(before, v).tolist() == [1, 1]


@pytest.mark.parametrize("name", ["exp", "add", "sum", "mean", "matmul", "softmax", "one_hot", "norm"])
def test_texts_where_numbers_are_wanted_are_named(name):
    texts = np.array([["ham", "spam"]])
    arguments = {"one_hot": (3,), "matmul": (texts,), "add": (1,)}.get(name, ())
    with pytest.raises(TypeError, match=rf"ops\.{name}: expected numbers. Received: array\(\[\['ham', 'spam'\]\]"):
        getattr(ops, name)(texts, *arguments)
    with pytest.raises(TypeError, match=r"ops.multiply: expected numbers. Received: 'x'"):
        ops.ones(2) * "x"
    with pytest.raises(TypeError, match="integer"):  # numpy's own, where the inputs are numbers
        ops.sum(np.ones(2), axis="first")


def test_methods_and_numpys_functions_keep_what_leads_back():
    w = np.array([[1.0, 2.0, 7.0], [4.0, 3.0, 5.0]])
    calls = {
        "max": lambda x: x.max(axis=1), "min": lambda x: np.min(x, axis=0), "std": lambda x: np.std(x), "var":
        lambda x: x.var(), "prod": lambda x: np.prod(x, axis=1), "cumsum": lambda x: x.cumsum(1), "clip":
        lambda x: np.clip(x, 1.5, 3.5), "dot": lambda x: x.dot(w.T), "flatten": lambda x: x.flatten(), "ravel":
        lambda x: np.ravel(x), "squeeze": lambda x: x[None].squeeze(0), "repeat": lambda x: x.repeat(2, axis=0),
    }  # fmt: skip
    for name, call in calls.items():
        assert_close(call(ops.convert_to_tensor(w)), call(w), 1e-15, name)
        assert_gradient(call, w)


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


def test_modules_group_the_functions_as_keras_does():
    assert ops.numpy.hstack is ops.hstack and ops.numpy.abs is ops.abs and ops.numpy.max is ops.max
    assert ops.nn.relu is ops.relu and ops.nn.conv is ops.conv and ops.nn.one_hot is ops.one_hot
    assert ops.linalg.norm is ops.norm and ops.linalg.solve is ops.solve
    with pytest.raises(AttributeError, match=r"fastkeras\.ops has no eig, unlike keras\.ops: there are no complex"):
        ops.eig  # noqa: B018 (it is not there)
    with pytest.raises(AttributeError, match=r"fastkeras\.ops\.image has no ssim, unlike keras\.ops\.image: prepare"):
        ops.image.ssim  # noqa: B018
    with pytest.raises(AttributeError, match="Did you mean 'median'"):
        ops.mediann  # noqa: B018


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
        (lambda: ops.conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), 2.5), r"ops.conv: `strides`.*Received: strides=2.5"),
        (lambda: ops.conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), (0,)), "ops.conv: `strides`.*Received: strides=0"),
        (lambda: ops.conv(np.ones((5, 2)), np.ones((3, 2, 1))), r"3 axes and 2 channels.*\(5, 2\) and \(3, 2, 1\)"),
        (
            lambda: ops.conv(np.ones((1, 5, 2)), np.ones((2, 1))),
            r"`kernel` must have an axis.*Received: shape \(2, 1\)",
        ),
        (lambda: ops.conv(np.ones((1, 5, 4)), np.ones((3, 2, 3))), r"3 axes and 2 channels.*\(1, 5, 4\)"),
        (lambda: ops.depthwise_conv(np.ones((1, 5, 2)), np.ones((3, 3, 1))), r"3 axes and 3 channels.*\(1, 5, 2\)"),
        (lambda: ops.max_pool(np.ones((5, 2)), 2), r"ops.max_pool: `inputs` must have.*Received: shape \(5, 2\)"),
        (lambda: ops.max_pool(np.ones((1, 5, 2)), (2, 2)), r"`pool_size`.*Received: pool_size=\(2, 2\)"),
        (lambda: ops.max_pool(np.ones((1, 5, 2)), 2, padding="full"), "Received: padding='full'"),
        (lambda: ops.conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), data_format="last"), "Received: 'last'"),
        (lambda: ops.conv_transpose(np.ones((1, 5, 2)), np.ones((3, 2, 1))), r"3 axes and 1 channels.*\(1, 5, 2\)"),
        (lambda: ops.conv_transpose(np.ones((1, 5, 2)), np.ones((3, 1, 2)), padding="full"), "padding='full'"),
        (lambda: ops.segment_sum(np.ones((3, 2)), [0, 1]), r"`segment_ids` must be.*shapes \(2,\) and \(3, 2\)"),
        (lambda: ops.segment_max(np.ones(2), [0, 3], 2), "below num_segments=2. Received: 3"),
        (lambda: ops.cdist(np.ones((2, 3)), np.ones((2, 2))), r"Received: shapes \(2, 3\) and \(2, 2\)"),
        (lambda: ops.fft(np.ones((2, 3))), r"ops.fft: `x` must be a pair.*Received: ndarray"),
        (lambda: ops.irfft((np.ones(3), np.ones(2))), r"Received: shapes \[\(3,\), \(2,\)\]"),
        (lambda: ops.stft(np.ones(9), 4, 2, 3), "Received: fft_length=3"),
        (lambda: ops.stft(np.ones(9), 4, 2, 4, window="han"), "Received: 'han'"),
        (lambda: ops.stft(np.ones(9), 4, 2, 4, window=np.ones(3)), r"shape \(4,\). Received: shape \(3,\)"),
        (lambda: ops.extract_sequences(np.ones(9), 0, 1), "Received: sequence_length=0"),
        (lambda: ops.depth_to_space(np.ones((1, 2, 2, 3)), 2), "3 channels do not make blocks"),
        (lambda: ops.space_to_depth(np.ones((1, 2, 3, 1)), 2), "2 x 3 pixels do not make blocks"),
        (lambda: ops.space_to_depth(np.ones((2, 3, 1)), 2), r"4 axes. Received: shape \(2, 3, 1\)"),
        (lambda: ops.depth_to_space(np.ones((1, 2, 2, 4)), 2, "last"), "Received: 'last'"),
        (lambda: ops.unfold(np.ones((1, 1, 2, 2)), 3), "reaches over 3 places. Received: an axis of 2"),
        (lambda: ops.fold(np.ones((1, 4, 3)), 2, 2), r"\(n, channels \* 4, 1\). Received: shape \(1, 4, 3\)"),
        (lambda: ops.adaptive_max_pool(np.ones((1, 4, 3)), (2, 2)), r"Received: output_size=\(2, 2\)"),
        (lambda: ops.image.resize(np.ones((4, 4)), (2, 2)), r"3 or 4 axes. Received: shape \(4, 4\)"),
        (lambda: ops.image.resize(np.ones((4, 4, 1)), 2), r"\(rows, columns\). Received: size=2"),
        (lambda: ops.image.resize(np.ones((4, 4, 1)), (2, 0)), "Received: size=0"),
        (lambda: ops.image.resize(np.ones((0, 4, 1)), (2, 2)), r"no pixels. Received: shape \(0, 4, 1\)"),
        (lambda: ops.image.resize(np.ones((4, 4, 1)), (2, 2), "cubic"), "Received: 'cubic'"),
        (lambda: ops.image.resize(np.ones((4, 4, 1)), (2, 2), fill_mode="wrap"), "Received: 'wrap'"),
        (lambda: ops.image.resize(np.ones((4, 4, 1)), (2, 2), "nearest", False, True, True), "True for both"),
        (lambda: ops.image.resize(np.ones((4, 4, 1)), (2, 2), data_format="last"), "Received: 'last'"),
        (lambda: ops.image.rgb_to_grayscale(np.ones((4, 4, 2))), "1 or 3 channels. Received: 2"),
        (lambda: ops.image.pad_images(np.ones((4, 4, 2)), 1, 1), "one must be None. Received: 1, None and None"),
        (lambda: ops.image.crop_images(np.ones((4, 4, 2)), 2, 0, 2, 0), "Received: cropping of 2 and 2"),
        (lambda: ops.quantile(np.ones(3), 0.5, method="mean"), "Received: method='mean'"),
        (lambda: ops.quantile(np.ones(3), [0.5, -0.1]), r"\[0, 100\]. Received: the share \[ 0.5 -0.1\]"),
        (lambda: ops.percentile(np.ones(3), 101), "ops.quantile: shares must be in .* Received: the share 1.01"),
        (lambda: ops.correlate(np.ones(3), np.ones(2), mode="most"), "Received: mode='most'"),
        (lambda: ops.cross(np.ones(2), np.ones(2)), r"3 numbers. Received: shapes \(2,\)"),
        (lambda: ops.bincount(np.ones(3, int), sparse=True), "Received: sparse=True"),
        (lambda: ops.bincount([3, -2]), "numbers from 0 on. Received: -2"),
        (lambda: ops.qr(np.ones((3, 3)), mode="r"), "Received: mode='r'"),
        (lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], strategy="beam_search"), "Received: strategy='beam_search'"),
        (lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], mask_index=3), "Received: mask_index=3"),
        (lambda: ops.add([[1, 2], [3]], 1), r"numbers, in rows of equal length. Received: \[\[1, 2\], \[3\]\]"),
        (lambda: ops.sum([1.0, None]), r"numbers, in rows of equal length. Received: \[1.0, None\]"),
    ],
)
def test_errors_say_what_was_received(call, message):
    with pytest.raises(ValueError, match=message):
        call()
