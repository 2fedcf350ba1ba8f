"""merging.c against the reference: values, gradients, writing in place, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import merging as kernel

RNG = np.random.default_rng(17)
SHAPES = [(0,), (1,), (3, 5), (2, 3, 19), (37, 61, 67)]  # the last one is work for threads


def written(shape, call, dtype=np.float32):
    """What the call writes into an array of this shape, with one thread and more, and nothing beside it."""

    def run():
        y = guarded(np.zeros(shape), dtype)
        call(y)
        assert_guards_whole(y)
        return y.copy()

    return same_bits_for_any_threads(run)


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_and_products(shape):
    a, b = RNG.normal(size=(2, *shape)).astype("f")
    assert_close(written(shape, lambda y: kernel.scale(y, a, -0.3)), -0.3 * a.astype(float), 1e-6)
    expected = 0.25 * a.astype(float) - 3 * b
    assert_close(written(shape, lambda y: kernel.sum(y, a, b, 0.25, -3)), expected, 1e-6)
    assert_close(written(shape, lambda y: kernel.multiply(y, a, b)), a.astype(float) * b, 1e-6)
    for y, call in (
        (a.copy(), lambda y: kernel.sum(y, y, b, 0.25, -3)),
        (b.copy(), lambda y: kernel.sum(y, a, y, 0.25, -3)),
    ):
        call(y)
        assert_close(y, expected, 1e-6, "in place")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sign, name", [(1, "maximum"), (-1, "minimum")])
def test_extremes(shape, sign, name):
    xs = list(RNG.integers(-3, 4, (3, *shape)).astype("f"))  # many are equal: the first counts
    dy = RNG.normal(size=shape).astype("f")

    def forward():
        y, winner = guarded(xs[0]), guarded(np.zeros(shape), np.int32)
        for i in (1, 2):
            kernel.extreme(y, winner, xs[i], sign, i)
        assert_guards_whole(y, winner)
        return y.copy(), winner.copy()

    y, winner = same_bits_for_any_threads(forward)
    np.testing.assert_array_equal(y, getattr(reference, name)(xs))
    for i, expected in enumerate(getattr(reference, f"{name}_backward")(dy, xs)):
        dx = written(shape, lambda dx, i=i: kernel.extreme_backward(dx, dy, winner, i))
        np.testing.assert_array_equal(dx, expected)


@pytest.mark.parametrize("batch, M, N, K", [(0, 2, 3, 5), (3, 1, 1, 7), (2, 5, 3, 1), (3, 0, 2, 5), (5, 67, 53, 131)])
def test_products_in_pairs(batch, M, N, K):
    a, b, dy = (RNG.normal(size=s).astype("f") for s in [(batch, M, K), (batch, N, K), (batch, M, N)])
    y = written(dy.shape, lambda y: kernel.products(y, a, b, trans_b=True))
    assert_close(y, reference.dot(a.astype(float), b), 1e-5)
    da, db = reference.dot_backward(dy.astype(float), a, b)
    assert_close(written(a.shape, lambda d: kernel.products(d, dy, b)), da, 1e-5, "da")
    assert_close(written(b.shape, lambda d: kernel.products(d, dy, a, trans_a=True)), db, 1e-5, "db")


def test_shapes_are_checked():
    a, b = np.zeros((2, 3), "f"), np.zeros((3, 2), "f")
    with pytest.raises(ValueError, match=r"`b` must have shape \(2, 3\)"):
        kernel.multiply(np.zeros_like(a), a, b)
    with pytest.raises(ValueError, match=r"`winner` must have shape \(2, 3\)"):
        kernel.extreme(np.zeros_like(a), b.astype(np.int32), a, 1, 1)
    with pytest.raises(ValueError, match="`B` must be"):
        kernel.products(np.zeros((2, 3, 4), "f"), np.zeros((2, 3, 5), "f"), np.zeros((2, 4, 5), "f"))
