"""pooling.c against the reference: windows of all kinds, both gradients, masks, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import pooling

RNG = np.random.default_rng(13)
# image, window, strides, places of the first window that stand out in front, numbers of windows
CASES = {
    "one pixel": ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
    "side by side": ((2, 5, 7, 3), (2, 3), (2, 3), (0, 0), (2, 2)),
    "overlapping": ((2, 7, 5, 17), (3, 2), (2, 1), (0, 0), (3, 4)),
    "gaps": ((2, 7, 11, 5), (1, 2), (3, 5), (0, 0), (3, 2)),
    "standing out": ((2, 5, 7, 3), (3, 5), (2, 3), (1, 2), (3, 3)),
    "all around": ((1, 2, 3, 2), (5, 7), (1, 1), (2, 3), (2, 3)),
    "sequence": ((3, 1, 13, 5), (1, 3), (1, 2), (0, 1), (1, 7)),
    "the whole image": ((5, 3, 7, 37), (3, 7), (1, 1), (0, 0), (1, 1)),
    "no image": ((0, 5, 7, 3), (2, 2), (2, 2), (0, 0), (2, 3)),
    "work for threads": ((7, 23, 29, 67), (2, 2), (2, 2), (0, 0), (11, 14)),
}


def max_pool(x, size, strides, before, extents, train=True):
    y = guarded(np.full((len(x), *extents, x.shape[3]), np.nan))
    place = guarded(np.full(y.shape, -1), np.int32) if train else None
    pooling.max_forward(y, place, x, size, strides, before)
    assert_guards_whole(y)
    if train:
        assert_guards_whole(place)
    return (y, place) if train else y


@pytest.mark.parametrize("case", CASES)
def test_largest(case):
    shape, size, strides, before, extents = CASES[case]
    geometry = size, strides, before
    x = RNG.integers(-3, 4, shape).astype("f")  # many are equal: the first counts
    y, place = same_bits_for_any_threads(lambda: max_pool(x, *geometry, extents))
    np.testing.assert_array_equal(y, reference.max_pool(x, *geometry, extents))
    np.testing.assert_array_equal(max_pool(x, *geometry, extents, train=False), y)

    dy = RNG.standard_normal(y.shape).astype("f")

    def backward():
        dx = guarded(np.full(shape, np.nan))
        pooling.max_backward(dx, dy, place, *geometry)
        assert_guards_whole(dx)
        return dx

    dx = same_bits_for_any_threads(backward)
    assert_close(dx, reference.max_pool_backward(dy.astype(float), x, *geometry, extents), 1e-6, "dx")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("masked", [False, True])
def test_mean(case, masked):
    shape, size, strides, before, extents = CASES[case]
    geometry = size, strides, before
    x, mask = RNG.standard_normal(shape).astype("f"), None
    if masked:
        mask = RNG.random(shape[:3]) < 0.7
        mask[:, :: min(size[0], strides[0]), :: min(size[1], strides[1])] = True  # in every window
    dy = RNG.standard_normal((len(x), *extents, shape[3])).astype("f")

    def both():
        y, dx = guarded(np.full(dy.shape, np.nan)), guarded(np.full(shape, np.nan))
        pooling.average_forward(y, x, mask, *geometry)
        pooling.average_backward(dx, dy, mask, *geometry)
        assert_guards_whole(y)
        assert_guards_whole(dx)
        return y, dx

    y, dx = same_bits_for_any_threads(both)
    assert_close(y, reference.average_pool(x.astype(float), *geometry, extents, mask), 2e-6, "y")
    assert_close(dx, reference.average_pool_backward(dy.astype(float), x, *geometry, extents, mask), 2e-6, "dx")


def test_nan_is_the_largest_wherever_it_stands():
    x = np.zeros((3, 1, 4, 17), "f")
    x[0, 0, 0], x[1, 0, 2], x[2, 0, 3] = np.nan, np.nan, np.inf
    y, place = max_pool(x, (1, 4), (1, 1), (0, 0), (1, 1))
    assert np.isnan(y[:2]).all()
    assert np.isposinf(y[2]).all()
    np.testing.assert_array_equal(place[:, 0, 0, 0], [0, 2, 3])


def test_the_mean_of_nothing_is_nan_and_has_no_gradient():
    x, mask = np.ones((2, 1, 3, 2), "f"), np.array([[[True, False, True]], [[False] * 3]])
    y, dx = np.empty((2, 1, 1, 2), "f"), np.empty_like(x)
    pooling.average_forward(y, x, mask, (1, 3), (1, 1), (0, 0))
    np.testing.assert_array_equal(y[:, 0, 0], [[1, 1], [np.nan, np.nan]])
    pooling.average_backward(dx, np.ones_like(y), mask, (1, 3), (1, 1), (0, 0))
    np.testing.assert_array_equal(dx[:, 0, :, 0], [[0.5, 0, 0.5], [0, 0, 0]])


def array(*shape, dtype="f"):
    return np.zeros(shape, dtype)


X, Y, GEOMETRY = array(2, 5, 7, 3), array(2, 2, 3, 3), ((2, 2), (2, 2), (0, 0))
I = array(2, 2, 3, 3, dtype=np.int32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pooling.max_forward(array(2, 2, 3, 4), None, X, *GEOMETRY), "same batch and channels"),
        (lambda: pooling.max_forward(array(1, 2, 3, 3), None, X, *GEOMETRY), "same batch and channels"),
        (lambda: pooling.max_forward(Y, None, array(5, 7, 3), *GEOMETRY), "must be images"),
        (lambda: pooling.max_forward(array(2, 4, 3, 3), None, X, *GEOMETRY), "4 x 3 windows.*must hold a place"),
        (lambda: pooling.max_forward(Y, None, X, (2, 2), (2, 4), (0, 0)), "must hold a place"),
        (lambda: pooling.max_forward(Y, None, X, (2, 2), (2, 2), (2, 0)), "must hold a place"),
        (lambda: pooling.max_forward(Y, None, X, (2, 2), (2, 2), (0, -1)), "must hold a place"),
        (lambda: pooling.max_forward(Y, None, X, (2, 2), (0, 2), (0, 0)), "must hold a place"),
        (lambda: pooling.max_forward(Y, None, X, (0, 2), (2, 2), (0, 0)), "must hold a place"),
        (lambda: pooling.max_forward(Y, I[:, :1].copy(), X, *GEOMETRY), r"`place` must have shape \(2, 2, 3, 3\)"),
        (lambda: pooling.max_forward(Y, Y, X, *GEOMETRY), "`place` must be a writable C-contiguous int32"),
        (lambda: pooling.max_backward(X, Y, I[:1].copy(), *GEOMETRY), r"`place` must have shape \(2, 2, 3, 3\)"),
        (lambda: pooling.max_forward(array(0, 1, 1, 1), None, array(0, 2**16, 2**15, 1), *GEOMETRY), r"2\^31"),
        (lambda: pooling.average_forward(Y, X.astype("f8"), None, *GEOMETRY), "`x` must be"),
        (lambda: pooling.average_forward(Y, X, array(2, 7, 5, dtype=bool), *GEOMETRY), r"`mask` must be .*\(2, 5, 7\)"),
        (lambda: pooling.average_backward(X, Y[:, ::-1], None, *GEOMETRY), "`dy` must be"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
