"""fastkeras.ops: the values of what makes, counts, compares and chooses; erf and its inverse."""

import math

import numpy as np
import pytest
from checks import assert_close
from op_cases import PLAIN, I, J, X

import fastkeras
from fastkeras import ops


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


def test_new_tensors():
    for new, want in ((ops.zeros, np.zeros), (ops.ones, np.ones), (lambda s: ops.full(s, 7), lambda s: np.full(s, 7))):
        assert new((2, 3)).dtype == np.float32
        np.testing.assert_array_equal(new((2, 3)), want((2, 3)))
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


def test_tensors_and_variables_of_one_number_are_numbers():
    for one in (ops.sum(np.float32([2.25, 0.5])), fastkeras.Variable(2.75)):
        assert f"{one:.1f}" == "2.8" and float(one) == 2.75 and int(one) == 2 and bool(one)
    assert round(ops.sum(np.float32([2.25, 0.5])), 1) == 2.8
    assert "path=w" in f"{fastkeras.Variable(1.0, name='w')}"


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
        product, largest = ops.segment_prod(w, [1, 1, 1, 0]), ops.segment_max(w - x, [1, 1, 1, 0])
    np.testing.assert_array_equal(product, [[0, 7], [0, 0]])
    np.testing.assert_array_equal(tape.gradient(product, w), [[0, 0], [4, 0], [0, 6], [1, 1]])
    equal = np.full(2, np.float32(1) / 3)
    np.testing.assert_array_equal(tape.gradient(largest, w), [equal, equal, equal, [1, 1]])  # equal ones share it
    with pytest.raises(NotImplementedError, match=r"ops\.segment_prod: its gradient has no gradient"), tape:
        tape.gradient(product, w)


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


def test_erf_is_as_exact_as_it_says():
    x = np.concatenate([np.linspace(-7, 7, 4001), np.geomspace(1e-6, 1, 1000)])
    exact = np.array([math.erf(element) for element in x])
    nonzero = exact != 0
    for dtype, error in ((np.float32, 1e-6), (np.float64, 5e-13)):
        given = x.astype(dtype)
        exact = np.array([math.erf(element) for element in given.tolist()])
        off = np.abs(np.asarray(ops.erf(given), np.float64) - exact)
        assert (off[nonzero] <= error * np.abs(exact[nonzero])).all()


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
