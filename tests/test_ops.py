"""fastkeras.ops: values, gradients by central differences, gradients of gradients, types."""

import math

import numpy as np
import pytest
from checks import assert_close, central_difference
from op_cases import ALL, PLAIN, I, J, X, arguments, function_of, label

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
        """The gradient of sum(y^2)."""
        x = ops.convert_to_tensor(x)
        with fastkeras.GradientTape() as tape:
            tape.watch(x)
            y = ops.square(function_of(ops, name)(*xs[:i], x, *xs[i + 1 :], **case[2]))
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


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: f"{case[0]} {case[2]}")
def test_values_are_numpy_s(case):
    name, args, kwargs = case
    found, wanted = (getattr(module, name)(*args, **kwargs) for module in (ops, np))
    several = isinstance(wanted, (list, tuple))
    for y, expected in zip(*((found, wanted) if several else ([found], [wanted])), strict=True):
        assert y.dtype not in (np.int64, np.float64)
        assert_close(y, expected, 1e-6)


def test_numbers_in_rows():
    np.testing.assert_array_equal(ops.vstack([I[0], J[0]]), np.vstack([I[0], J[0]]))
    np.testing.assert_array_equal(ops.array_split(I, [1], axis=1)[1], I[:, 1:])
    np.testing.assert_array_equal(ops.isclose(X, X, equal_nan=True), np.ones((2, 3)))
    np.testing.assert_array_equal(ops.bitwise_not(I), ~I)
    np.testing.assert_array_equal(ops.bitwise_invert(I > 6), ~(I > 6))
    np.testing.assert_array_equal(ops.bincount(I[:, ::2], minlength=3)[:, :3], [[1, 0, 0], [0, 0, 0]])
    for x, places in ((X[:1], [[2], [0], [2]]), (X, [[0, 2]])):  # what has one row stands for all
        want = np.take_along_axis(np.broadcast_to(x, (len(x) * len(places), 3)), np.array(places), 1)
        np.testing.assert_array_equal(ops.take_along_axis(x, places, 1), want)


def test_unique():
    x = np.array([[3, 1, 2], [1, 3, 7]], np.int32)
    np.testing.assert_array_equal(ops.unique(x), [1, 2, 3, 7])
    found = ops.unique(x, return_index=True, return_inverse=True, return_counts=True)
    for part, want in zip(found, np.unique(x, True, True, True), strict=True):
        assert part.dtype == np.int32
        np.testing.assert_array_equal(part, np.reshape(want, part.shape))
    assert found[2].shape == x.shape
    rows, counts = ops.unique(x[[0, 1, 0]], axis=0, return_counts=True, size=3, fill_value=-1)
    np.testing.assert_array_equal(rows, [[1, 3, 7], [3, 1, 2], [-1, -1, -1]])
    np.testing.assert_array_equal(counts, [1, 2, 0])
    np.testing.assert_array_equal(ops.unique(x, size=2), [1, 2])
    w = fastkeras.Variable([2.0, 1.0, 2.0])
    with fastkeras.GradientTape() as tape:
        y = ops.unique(w) * [5.0, 7.0]
    np.testing.assert_array_equal(tape.gradient(y, w), [7, 5, 0])  # to the first of equal elements


def test_types_and_bits():
    x = np.float32([-300, -1, 2.7, 255, 1e10, np.inf])
    np.testing.assert_array_equal(ops.saturate_cast(x, "uint8"), [0, 0, 2, 255, 255, 255])
    assert ops.saturate_cast(x, "uint8").dtype == np.uint8 and ops.saturate_cast(x, "float64").dtype == np.float64
    np.testing.assert_array_equal(ops.saturate_cast(np.float64([-1e30, 1e30]), "int64"), [-(2**63), 2**63 - 1])
    np.testing.assert_array_equal(ops.saturate_cast(np.int32([-5, 300]), "int8"), [-5, 127])
    np.testing.assert_array_equal(ops.view(np.float32([1.0]), "int32"), [0x3F800000])
    np.testing.assert_array_equal(ops.view(np.float32([1.0, 2.0])), np.float32([1.0, 2.0]))
    assert ops.dtype(ops.ones(1)) == "float32" and ops.dtype(fastkeras.Variable(1.0)) == "float32"
    assert ops.dtype([1, 2]) == "int64" and ops.dtype(np.zeros(1, bool)) == "bool"


def test_running_results():
    x = np.arange(1, 13, dtype=np.int32).reshape(3, 4)
    np.testing.assert_array_equal(ops.associative_scan(ops.add, x), np.cumsum(x, 0))
    np.testing.assert_array_equal(ops.associative_scan(ops.multiply, x, True, 1), np.cumprod(x[:, ::-1], 1)[:, ::-1])
    sums, products = ops.associative_scan(lambda a, b: (a[0] + b[0], a[1] * b[1]), (x, x), axis=-1)
    np.testing.assert_array_equal(sums, np.cumsum(x, 1))
    np.testing.assert_array_equal(products, np.cumprod(x, 1))


def test_segments():
    x, ids = np.float32([[1, 2], [0, 3], [4, 0], [0, 7]]), np.array([2, 0, 2, -1])
    np.testing.assert_array_equal(ops.segment_sum(x, ids), [[0, 3], [0, 0], [5, 2]])
    np.testing.assert_array_equal(ops.segment_max(x, ids)[[0, 2]], [[0, 3], [4, 2]])
    np.testing.assert_array_equal(ops.segment_max(x, ids)[1], [np.finfo(np.float32).min] * 2)
    np.testing.assert_array_equal(
        ops.segment_min(x.astype(np.int32), ids, 4)[1:], [[2**31 - 1] * 2, [1, 0], [2**31 - 1] * 2]
    )
    w = ops.convert_to_tensor(x)
    with fastkeras.GradientTape(persistent=True) as tape:
        tape.watch(w)
        product, largest = ops.segment_prod(w, [1, 1, 1, 0]), ops.segment_max(w * 0, [1, 1, 1, 0])
    np.testing.assert_array_equal(product, [[0, 7], [0, 0]])
    np.testing.assert_array_equal(tape.gradient(product, w), [[0, 0], [4, 0], [0, 6], [1, 1]])
    with pytest.raises(NotImplementedError, match=r"ops\.segment_prod: its gradient has no gradient"), tape:
        tape.gradient(product, w)
    del largest


def test_distances_and_ranks():
    x = fastkeras.Variable([[0.0, 0.0], [3.0, 4.0]])
    with fastkeras.GradientTape() as tape:
        y = ops.cdist(x, [[0.0, 0.0]])
    np.testing.assert_array_equal(y, [[0], [5]])
    np.testing.assert_allclose(tape.gradient(y, x), [[0, 0], [0.6, 0.8]], rtol=1e-6)
    assert ops.matrix_rank(np.float32([[1, 2], [2, 4]])) == 1
    singular = np.float32([[1, 2], [2, 4]])
    assert_close(ops.pinv(singular), np.linalg.pinv(singular), 1e-5)
    np.testing.assert_array_equal(
        ops.nextafter(np.float32([1, 1]), np.float32([2, 0])), np.nextafter(np.float32([1, 1]), np.float32([2, 0]))
    )
    np.testing.assert_array_equal(np.asarray(ops.argpartition([5, 1, 3], 1))[1], 2)


def test_pictures():
    x = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    near = ops.image.resize(x, (1, 2), "nearest")
    assert near.dtype == np.uint8 and ops.image.resize(x, (3, 4)).dtype == np.float32
    np.testing.assert_array_equal(near, x[1:, 1::2])
    np.testing.assert_array_equal(ops.image.resize(x, (2, 4)), x)
    assert ops.image.rgb_to_grayscale(x).dtype == np.uint8
    np.testing.assert_array_equal(ops.image.rgb_to_grayscale(x[..., :1]), x[..., :1])
    assert ops.image.extract_patches(x.astype(np.float32), (2, 3)).shape == (1, 1, 18)


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


def test_what_is_nan_alone():
    x = np.float32([[np.nan, np.nan], [3.0, np.nan]])
    for name in ("nanmax", "nanmin", "nanmean", "nanvar"):
        np.testing.assert_array_equal(getattr(ops, name)(x, axis=1), [np.nan, 0 if name == "nanvar" else 3])
    np.testing.assert_array_equal(ops.nansum(x, axis=1), [0, 3])
    np.testing.assert_array_equal(ops.nanargmax(x, axis=1), [-1, 0])
    np.testing.assert_array_equal(ops.nanargmin(x, axis=1), [-1, 0])
    np.testing.assert_array_equal(ops.median(x, axis=0), [np.nan, np.nan])
    np.testing.assert_array_equal(ops.median(np.array([3, 1, 2, 7])), 2.5)
    np.testing.assert_array_equal(ops.fmax(x, 1.0), [[1, 1], [3, 1]])
    with fastkeras.GradientTape() as tape:
        w = ops.convert_to_tensor(np.float32([4.0, 2.0]))
        tape.watch(w)
        y = ops.divide_no_nan(w, np.float32([0.0, 4.0]))
    np.testing.assert_array_equal(y, [0, 0.5])
    np.testing.assert_array_equal(tape.gradient(y, w), [0, 0.25])


def test_erfinv_is_the_inverse_of_erf():
    y = np.concatenate([np.linspace(-3.5, 3.5, 701), np.geomspace(1e-7, 1, 100)])
    x = np.array([math.erf(element) for element in y]).astype(np.float32)
    with np.errstate(divide="ignore"):
        slope = 2 / math.sqrt(math.pi) * np.exp(-y * y)
    exact = y + (x - np.array([math.erf(element) for element in y])) / slope  # for x as it was rounded
    near = np.abs(y) < 2.5  # where one step is exact enough to tell
    found = np.asarray(ops.erfinv(x), np.float64)
    assert (np.abs(found - exact)[near] <= 1e-6 * np.abs(exact)[near]).all()
    again = np.array([math.erf(element) for element in found])
    assert np.abs(again - x).max() < 3e-7
    np.testing.assert_array_equal(ops.erfinv(np.float32([-1, 0, 1, 1.5])), [-np.inf, 0, np.inf, np.nan])


def assert_gradient(function, x):
    """The gradient of a function of ops, by central differences."""
    tensor = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as tape:
        tape.watch(tensor)
        y = function(tensor)
    dy = np.random.default_rng(3).normal(size=y.shape)
    gradient = tape.gradient(y, tensor, ops.convert_to_tensor(dy))
    assert_close(gradient, central_difference(lambda x: np.asarray(function(x)), x, dy), 1e-6)


def symmetric(x):
    """Positive definite, of eigenvalues that differ."""
    return ops.matmul(x, ops.swapaxes(x, -1, -2)) + np.diag(np.arange(1.0, 4.0))


FACTORS = {
    "cholesky": lambda a: ops.cholesky(a),
    "cholesky upper": lambda a: ops.cholesky(a, upper=True),
    "eigh values": lambda a: ops.eigh(a)[0],
    "eigh vectors": lambda a: ops.eigh(a)[1],
    "logdet": lambda a: ops.logdet(a),
    "slogdet": lambda a: ops.slogdet(-a)[1],
    "cholesky_inverse": lambda a: ops.cholesky_inverse(ops.cholesky(a)),
}


@pytest.mark.parametrize("name", FACTORS)
def test_gradients_of_factors_of_symmetric_matrices(name):
    x = np.random.default_rng(4).normal(size=(2, 3, 3))
    assert_gradient(lambda x: FACTORS[name](symmetric(x)), x)


def test_factors_make_the_matrix_again():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(2, 5, 3)).astype(np.float32)
    for full in (True, False):
        u, s, vt = (np.asarray(part) for part in ops.svd(x, full_matrices=full))
        assert_close(u[..., :3] @ (s[..., None] * vt), x, 1e-5)
    for mode, columns in (("reduced", 3), ("complete", 5)):
        q, r = (np.asarray(part) for part in ops.qr(x, mode=mode))
        assert q.shape == (2, 5, columns)
        assert_close(q @ r, x, 1e-5)
    a = np.asarray(symmetric(rng.normal(size=(3, 3))))
    w, v = (np.asarray(part) for part in ops.eigh(a))
    assert_close(v * w @ v.T, a, 1e-12)
    L = np.asarray(ops.cholesky(a))
    assert_close(L @ L.T, a, 1e-12)
    assert_close(ops.cholesky_inverse(L), np.linalg.inv(a), 1e-10)
    assert_close(ops.cholesky_inverse(L.T, upper=True), np.linalg.inv(a), 1e-10)
    assert ops.slogdet(-a)[0] == -1


def test_what_has_no_gradient_says_so():
    x = ops.convert_to_tensor(np.eye(3, dtype=np.float32) + 1)
    for name in ("qr", "svd"):
        with fastkeras.GradientTape() as tape:
            tape.watch(x)
            y = getattr(ops, name)(x)[0]
        with pytest.raises(NotImplementedError, match=f"ops.{name} has no gradient"):
            tape.gradient(y, x)
    with fastkeras.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with pytest.raises(NotImplementedError, match=r"ops\.eigh: its gradient has no gradient"):
            tape.gradient(ops.eigh(x)[0], x)


WAVES = {
    "fft": lambda x: ops.fft((x[0], x[1])),
    "fft2": lambda x: ops.fft2((x[0], x[1])),
    "ifft2": lambda x: ops.ifft2((x[0], x[1])),
    "rfft": lambda x: ops.rfft(x),
    "rfft shorter": lambda x: ops.rfft(x, 4),
    "rfft longer": lambda x: ops.rfft(x, 8),
    "irfft": lambda x: [ops.irfft((x[0], x[1]))],
    "irfft odd": lambda x: [ops.irfft((x[0], x[1]), 7)],
    "stft": lambda x: ops.stft(x, 3, 2, 4),
    "istft": lambda x: [ops.istft((x[0], x[1]), 6, 3, 8)],
}


@pytest.mark.parametrize("name", WAVES)
def test_gradients_of_fourier_transforms(name):
    x = np.random.default_rng(9).normal(size=(2, 3, 5))
    for i in range(len(WAVES[name](x))):
        assert_gradient(lambda x, i=i: WAVES[name](x)[i], x)
    w = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as outer:
        outer.watch(w)
        with fastkeras.GradientTape() as inner:
            inner.watch(w)
            y = ops.sum(ops.square(WAVES[name](w)[0]))
        slope = inner.gradient(y, w)
    assert_close(outer.gradient(slope, w, w), slope, 1e-10)  # of a square, the second derivative along w is the slope


def test_fourier_transforms_are_numpy_s_and_their_inverses_invert():
    rng = np.random.default_rng(10)
    x, z = rng.normal(size=(2, 3, 40)), rng.normal(size=(2, 3, 5)) + 1j * rng.normal(size=(2, 3, 5))
    for name in ("fft", "fft2", "ifft2"):
        real, imaginary = getattr(ops, name)((z.real, z.imag))
        assert_close(real, getattr(np.fft, name)(z).real, 1e-12)
        assert_close(imaginary, getattr(np.fft, name)(z).imag, 1e-12)
    for n in (3, 8, 11, 50):
        real, imaginary = ops.rfft(x, n)
        assert_close(real, np.fft.rfft(x, n).real, 1e-12)
        assert_close(imaginary, np.fft.rfft(x, n).imag, 1e-12)
        assert_close(ops.irfft((z.real, z.imag), n), np.fft.irfft(z, n), 1e-12)
    for window, center in (("hann", True), ("hamming", False), (None, True), (rng.uniform(0.5, 1, 8), False)):
        parts = ops.stft(x, 8, 2, 8, window, center)
        again = np.asarray(ops.istft(parts, 8, 2, 8, window=window, center=center))
        assert again.shape == x.shape
        assert_close(again[..., 1:], x[..., 1:], 1e-6)  # where a window begins with 0, the first element is lost


def test_conv_transpose_is_conv_s_way_back():
    rng = np.random.default_rng(6)
    kernel = rng.normal(size=(3, 2, 3, 5))  # (rows, columns, channels of a, of b)
    for options in ({"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"dilation_rate": 2, "padding": "same"}):
        b = rng.normal(size=(2, 4, 5, 5))
        back = np.asarray(ops.conv_transpose(b, kernel, **options))
        a = rng.normal(size=back.shape)
        np.testing.assert_allclose((np.asarray(ops.conv(a, kernel, **options)) * b).sum(), (a * back).sum())
        front = ops.conv_transpose(np.moveaxis(b, -1, 1), kernel, data_format="channels_first", **options)
        assert_close(np.moveaxis(front, 1, -1), back, 1e-12)


def test_ctc():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(3, 7, 5)).astype(np.float32), np.array([[1, 1, 4], [2, 3, 0], [4, 0, 0]])
    labels, steps = np.array([3, 2, 1]), np.array([7, 5, 6])
    tensor = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as tape:
        tape.watch(tensor)
        loss = ops.ctc_loss(y, tensor, labels, steps)
    gradient = tape.gradient(loss, tensor)
    assert_close(loss[:1], fastkeras.losses.ctc(y[:1], x[:1]), 1e-6)
    last = np.roll(x, -1, axis=-1)  # the blank behind the labels
    assert_close(ops.ctc_loss(y - 1, last, labels, steps, mask_index=-1), loss, 1e-6)
    dy = np.float32([1.0, 1.0, 1.0])
    assert_close(gradient, central_difference(lambda x: ops.ctc_loss(y, x, labels, steps), x, dy, step=1e-2), 1e-3)
    assert np.isinf(ops.ctc_loss(y, x, labels, np.array([3, 5, 6]))[0])


def test_ctc_decode():
    best = np.array([[0, 1, 1, 0, 1, 2], [3, 3, 0, 3, 2, 2]])
    x = np.float32(np.eye(4)[best] * 2)
    labels, scores = ops.ctc_decode(x, np.array([6, 4]))
    np.testing.assert_array_equal(labels, [[[1, 1, 2, -1, -1, -1], [3, 3, -1, -1, -1, -1]]])
    np.testing.assert_array_equal(scores, [[-12], [-8]])
    labels, _ = ops.ctc_decode(x, np.array([6, 4]), merge_repeated=False, mask_index=3)
    np.testing.assert_array_equal(labels, [[[0, 1, 1, 0, 1, 2], [0, -1, -1, -1, -1, -1]]])


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


def test_pooling_gives_the_first_of_equal_elements_the_gradient_whatever_the_window():
    """As TensorFlow does it: the first in the order of rows."""
    x = ops.convert_to_tensor(np.float32([[0, 1, 1], [2, 0, 2], [2, 1, 1]])[None, :, :, None])
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        y = ops.max_pool(x, 2, 1)
    np.testing.assert_array_equal(y[0, :, :, 0], [[2, 2], [2, 2]])
    np.testing.assert_array_equal(tape.gradient(y, x)[0, :, :, 0], [[0, 0, 0], [2, 0, 2], [0, 0, 0]])


def test_windows_far_larger_than_the_array_cost_no_more_than_it():
    x = np.random.default_rng(8).normal(size=(2, 5, 3, 1))
    for strides in (1, 2):
        for pool in (ops.max_pool, ops.average_pool):
            y = pool(x, (10**9, 2), strides, padding="same")
            assert_close(y, pool(x, (99, 2), strides, padding="same"), 1e-12)
    mean = ops.average_pool(x, (10**9, 3), 1, padding="same")
    assert_close(mean[:, 0, 1], x.mean(axis=(1, 2)), 1e-12)
    np.testing.assert_array_equal(ops.max_pool(np.arange(3)[None, :, None], 2, padding="same")[0, :, 0], [1, 2])


def test_a_window_must_fit():
    x = np.ones((2, 3, 1), np.float32)
    for call in (
        lambda: ops.max_pool(x, 10**9),
        lambda: ops.average_pool(x, 4),
        lambda: ops.conv(x, np.ones((2, 1, 1)), dilation_rate=3),
        lambda: ops.depthwise_conv(x, np.ones((4, 1, 1))),
    ):
        with pytest.raises(ValueError, match=r"ops\.\w+: a window reaches over \[\d+\] places\. Received: an array of"):
            call()
