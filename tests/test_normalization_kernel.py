"""normalization.c against the reference: moments, outputs, gradients, masks, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras._kernels import normalization as kernel

RNG = np.random.default_rng(12)
EPSILON = 1e-3
SHAPES = [(1, 1), (5, 3), (7, 19), (257, 5), (523, 37), (1031, 131)]  # above a block of 256 rows; work for threads


def operands(N, C):
    x, dy = (RNG.normal(1.5, 2.0, (N, C)).astype("f") for _ in range(2))
    gamma, beta = RNG.normal(size=(2, C)).astype("f")
    return x, dy, gamma, beta


@pytest.mark.parametrize("N, C", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_batch_normalization(N, C, masked, scaled):
    x, dy, gamma, beta = operands(N, C)
    mask = RNG.random(N) < 0.6 if masked else None
    if masked:
        mask[:3] = True

    def through():
        mean, variance, y, dx = np.empty(C, "f"), np.empty(C, "f"), np.empty_like(x), np.empty_like(x)
        dgamma, dbeta = np.ones(C, "f"), np.ones(C, "f")
        g, b = (gamma, beta) if scaled else (None, None)
        kernel.batch_moments(mean, variance, x, mask)
        kernel.batch_apply(y, x, mean, variance, g, b, EPSILON)
        kernel.batch_backward(dx, dgamma, dbeta, dy, x, mean, variance, g, mask, False, EPSILON)
        return mean, variance, y, dx, dgamma - 1, dbeta - 1

    found = same_bits_for_any_threads(through)
    exact, w = x.astype(np.float64), gamma.astype(np.float64) if scaled else np.ones(C)
    b = beta.astype(np.float64) if scaled else np.zeros(C)
    moments = reference.batch_moments(exact, mask)
    dx, dgamma, dbeta = reference.batch_norm_backward(dy.astype(np.float64), exact, w, mask)
    expected = (*moments, reference.batch_norm(exact, w, b, mask), dx, dgamma, dbeta)
    for name, a, e in zip(("mean", "variance", "y", "dx", "dgamma", "dbeta"), found, expected, strict=True):
        scale = np.abs(e).max() < 1e-4  # one row: its variance and gradient are zero
        np.testing.assert_allclose(a, e, atol=1e-4) if scale else assert_close(a, e, 2e-5, name)


@pytest.mark.parametrize("N, C", SHAPES)
def test_fixed_moments_are_a_scale_and_a_shift(N, C):
    x, dy, gamma, beta = operands(N, C)
    mean, variance = RNG.normal(size=C).astype("f"), RNG.random(C).astype("f") + 0.1
    y, dx, dgamma, dbeta = np.empty_like(x), np.empty_like(x), np.zeros(C, "f"), np.zeros(C, "f")
    kernel.batch_apply(y, x, mean, variance, gamma, beta, EPSILON)
    kernel.batch_backward(dx, dgamma, dbeta, dy, x, mean, variance, gamma, None, True, EPSILON)
    scale = gamma / np.sqrt(variance.astype(np.float64) + EPSILON)
    assert_close(y, (x - mean.astype(np.float64)) * scale + beta, 1e-5, "y")
    assert_close(dx, dy * scale, 1e-5, "dx")
    assert_close(dgamma, (dy * (x - mean) / np.sqrt(variance + EPSILON)).sum(0, dtype=np.float64), 2e-5, "dgamma")
    assert_close(dbeta, dy.sum(0, dtype=np.float64), 2e-5, "dbeta")


@pytest.mark.parametrize("N, C", [(1, 5), *SHAPES[1:]])
@pytest.mark.parametrize("scaled", [False, True])
def test_layer_normalization(N, C, scaled):
    x, dy, gamma, beta = operands(N, C)
    g, b = (gamma, beta) if scaled else (None, None)

    def through():
        y, xhat, dx, rstd = np.empty_like(x), np.empty_like(x), np.empty_like(x), np.empty(N, "f")
        dgamma, dbeta = np.ones(C, "f"), np.ones(C, "f")
        kernel.layer_forward(y, xhat, rstd, x, g, b, EPSILON)
        kernel.layer_backward(dx, dgamma, dbeta, dy, xhat, rstd, g)
        return y, dx, dgamma - 1, dbeta - 1

    found = same_bits_for_any_threads(through)
    exact, w = x.astype(np.float64), gamma.astype(np.float64) if scaled else np.ones(C)
    shift = beta if scaled else 0.0
    expected = (reference.layer_norm(exact, w, shift), *reference.layer_norm_backward(dy.astype(np.float64), exact, w))
    for name, a, e in zip(("y", "dx", "dgamma", "dbeta"), found, expected, strict=True):
        assert_close(a, e, 3e-5, name)


def test_no_rows_and_wrong_shapes():
    x, mean, variance = np.empty((0, 3), "f"), np.ones(3, "f"), np.ones(3, "f")
    kernel.batch_moments(mean, variance, x)
    np.testing.assert_array_equal([mean, variance], np.zeros((2, 3)))
    kernel.batch_apply(x, x, mean, variance, None, None, EPSILON)
    with pytest.raises(ValueError, match="`variance`"):
        kernel.batch_moments(mean, np.empty(2, "f"), x)
    with pytest.raises(ValueError, match="`mask`"):
        kernel.batch_moments(mean, variance, x, np.ones(2, bool))


@pytest.mark.parametrize("N, C", [*SHAPES, (0, 5)])
@pytest.mark.parametrize("largest", [1e7, 0.1])
def test_unit_normalization(N, C, largest):
    x, dy, _, _ = operands(N, C)
    x[:1] = 0.0

    def through():
        y, r, dx = np.empty_like(x), np.empty(N, "f"), np.empty_like(x)
        kernel.unit_forward(y, r, x, largest)
        kernel.unit_backward(dx, dy, y, r, largest)
        return y, dx

    y, dx = same_bits_for_any_threads(through)
    exact = x.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert_close(y, reference.unit_norm(exact, largest), 1e-5, "y")
        # a row of zeros has the largest of slopes: the others are compared without it
        assert_close(dx[:1], largest * dy[:1], 1e-6, "dx of zeros")
        if C > 1:  # in one dimension the length is all there is, and dx is zero
            assert_close(dx[1:], reference.unit_norm_backward(dy.astype(float), exact, largest)[1:], 2e-5, "dx")
