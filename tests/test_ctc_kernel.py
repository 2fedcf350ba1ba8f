"""ctc.c against every path, one by one: loss, gradient, unequal lengths, repeated labels, large scores, many steps."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, central_difference, guarded, same_bits_for_any_threads

from fastkeras._kernels import ctc as kernel

RNG = np.random.default_rng(29)
LABELS = [(1, 2, 1), (2, 2), (), (1,), (2, 1), (1, 1, 1), (2, 1, 2)]  # (1, 1, 1) needs five steps


def operands(T, C=3, blank=0, scale=1.0):
    """x (7, T, C), y padded with -1, and how much of both counts: fewer steps than T here and there"""
    B, L = len(LABELS), 3
    x, y = guarded(scale * RNG.normal(size=(B, T, C))), np.full((B, L), -1)
    for b, labels in enumerate(LABELS):
        y[b, : len(labels)] = [(label + blank) % C for label in labels]
    steps = np.maximum(T - np.arange(B) % 3, 0)
    return x, guarded(y, np.int32), guarded([len(labels) for labels in LABELS], np.int32), guarded(steps, np.int32)


def found(x, y, labels, steps, w, blank=0):
    nll, dx = guarded(np.full(len(x), 9.0)), guarded(np.full(x.shape, 9.0))
    kernel.loss(nll, dx, x, y, labels, steps, w, blank)
    assert_guards_whole(nll, dx)
    return nll, dx


@pytest.mark.parametrize("T", [0, 1, 2, 5, 7])
@pytest.mark.parametrize("blank", [0, 1, 2])
def test_loss_and_gradient(T, blank):
    x, y, labels, steps = operands(T, blank=blank)
    w = guarded(RNG.normal(size=len(x)))
    nll, dx = same_bits_for_any_threads(lambda: found(x, y, labels, steps, w, blank))
    values_alone = np.empty_like(nll)
    kernel.loss(values_alone, None, x, y, labels, steps, None, blank)
    np.testing.assert_array_equal(values_alone, nll)
    for b in range(len(x)):
        sample = y[b, : labels[b]], x[b, : steps[b]].astype(np.float64), blank
        expected = reference.ctc_loss(*sample)
        np.testing.assert_allclose(nll[b], expected, rtol=1e-5, atol=2e-6)
        np.testing.assert_allclose(dx[b, : steps[b]], w[b] * reference.ctc_loss_backward(*sample), atol=3e-6)
        assert not dx[b, steps[b] :].any()


def test_the_reference_against_central_differences():
    x = RNG.normal(size=(4, 3))
    for y in [(1, 2), (2, 2), (), (1,)]:
        numeric = central_difference(lambda v, y=y: reference.ctc_loss(y, v), x, 1.0)
        np.testing.assert_allclose(reference.ctc_loss_backward(y, x), numeric, rtol=1e-6, atol=1e-8)


def test_many_labels_and_classes():
    """More states and classes than a vector holds: the gradient against differences of the loss in float64."""
    T, C, L = 41, 37, 18
    x, y = RNG.normal(size=(1, T, C)).astype("f"), RNG.integers(1, C, (1, L)).astype(np.int32)
    y[0, 5] = y[0, 6]
    counts = np.full(1, L, np.int32), np.full(1, T, np.int32)
    nll, dx = found(x, y, *counts, np.ones(1, "f"))
    assert_close(nll[0], alphas(y[0], x[0].astype(np.float64)), 1e-5)
    direction = RNG.normal(size=x.shape)
    above, below = (alphas(y[0], (x + h * direction)[0]) for h in (1e-5, -1e-5))
    assert_close((dx * direction).sum(), (above - below) / 2e-5, 2e-5)
    assert np.abs(dx.sum(axis=-1)).max() < 1e-6


def alphas(y, x):
    """-log p(y | x) by the recursion over states in float64, blank 0"""
    z = [0, *(c for label in y for c in (label, 0))]
    p = np.exp(x)
    p /= p.sum(axis=1, keepdims=True)
    alpha = np.zeros(len(z))
    alpha[:2] = p[0, z[:2]]
    for p_t in p[1:]:
        before = alpha.copy()
        alpha[1:] += before[:-1]
        for s in range(3, len(z), 2):
            alpha[s] += before[s - 2] * (z[s] != z[s - 2])
        alpha *= p_t[z]
    return -np.log(alpha[-2:].sum())


@pytest.mark.parametrize("scale", [300.0, 1e5, 1e27])
def test_large_scores(scale):
    x, y, labels, steps = operands(7, scale=scale)
    nll, dx = found(x, y, labels, steps, np.ones(len(x), "f"))
    assert np.isfinite(nll).all() and np.isfinite(dx).all()


def test_long_sequences_keep_their_digits():
    """At every step the probabilities of the classes add up to one, whatever is far behind or ahead."""
    T, C, L = 2003, 7, 101
    x, y = RNG.normal(3.0, 2.0, (2, T, C)).astype("f"), RNG.integers(1, C, (2, L)).astype(np.int32)
    nll, dx = found(x, y, np.full(2, L, np.int32), np.full(2, T, np.int32), np.ones(2, "f"))
    assert np.abs(dx.sum(axis=-1)).max() < 2e-6 and (nll > 0).all()


def test_a_number_that_is_none_shows():
    x, y, labels, steps = operands(5)
    x[0, 2, 1] = np.nan
    nll, _ = found(x, y, labels, steps, np.ones(len(x), "f"))
    assert np.isnan(nll[0]) and not np.isnan(nll[1:]).any()


def test_what_is_wrong():
    x, y, labels, steps = operands(5)
    nll = np.empty(len(x), "f")
    for wrong in (3, -1):
        y[0, 0] = wrong
        with pytest.raises(IndexError, match=r"outside \[0, 3\)"):
            kernel.loss(nll, None, x, y, labels, steps)
    y[0, 0] = 1
    with pytest.raises(ValueError, match=r"`steps` in \[0, 5\]"):
        kernel.loss(nll, None, x, y, labels, steps + np.int32(1))
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 3\]"):
        kernel.loss(nll, None, x, y, labels + np.int32(1), steps)
    with pytest.raises(IndexError, match="`blank`"):
        kernel.loss(nll, None, x, y, labels, steps, None, 3)
