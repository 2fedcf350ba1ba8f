"""crf.c against every sequence of tags, one by one: loss, gradients, the best tags, masks, ties and large scores."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, central_difference, guarded, same_bits_for_any_threads

from fastkeras._kernels import crf as kernel

RNG = np.random.default_rng(23)
SHAPES = [(1, 1, 1), (2, 1, 5), (3, 7, 1), (5, 4, 3), (19, 3, 5), (3, 2, 17)]  # blocks of 8 samples, vectors of 16


def operands(B, T, C, masked, scale=1.0):
    """x, A, start, end, y and mask: padding before, behind and between steps, and a sample of nothing else"""
    x, A, start, end = (guarded(scale * RNG.normal(size=s)) for s in [(B, T, C), (C, C), (C,), (C,)])
    y, mask = RNG.integers(0, C, (B, T)), RNG.random((B, T)) < 0.6
    mask[-1] = False
    if masked:
        y[~mask] = -1  # of no meaning
    return x, A, start, end, guarded(y, np.int32), mask if masked else None


def kept(b, x, mask):
    return np.ones(x.shape[1], bool) if mask is None else mask[b]


def found(x, A, start, end, y, mask, w):
    """(nll, dx, dA, dstart, dend) of the kernel"""
    outs = [guarded(np.full(s, 9.0)) for s in (len(x), x.shape)] + [guarded(np.ones(a.shape)) for a in (A, start, end)]
    kernel.loss(*outs, x, A, start, end, y, mask, w)
    assert_guards_whole(*outs)
    return *outs[:2], *(a - 1 for a in outs[2:])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
def test_loss_and_gradients(shape, masked):
    x, A, start, end, y, mask = operands(*shape, masked)
    w = guarded(RNG.normal(size=len(x)))
    results = same_bits_for_any_threads(lambda: found(x, A, start, end, y, mask, w))
    exact = [a.astype(np.float64) for a in (A, start, end)]
    expected = [np.zeros(len(x)), np.zeros(x.shape), *(np.zeros(a.shape) for a in exact)]
    for b, steps in ((b, kept(b, x, mask)) for b in range(len(x))):
        sample = y[b, steps], x[b, steps].astype(np.float64), *exact
        expected[0][b] = reference.crf_loss(*sample)
        dx, *others = reference.crf_loss_backward(*sample)
        expected[1][b, steps] = w[b] * dx
        for total, part in zip(expected[2:], others, strict=True):
            total += w[b] * part
    for name, a, e in zip(("nll", "dx", "dA", "dstart", "dend"), results, expected, strict=True):
        if np.abs(e).max() < 1e-9:
            np.testing.assert_allclose(a, e, atol=2e-6, err_msg=name)
        else:
            assert_close(a, e, 2e-5, name)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
def test_the_best_tags(shape, masked):
    x, A, start, end, _, mask = operands(*shape, masked)
    tags = guarded(np.full(x.shape[:2], 9), np.int32)

    def decoded():
        kernel.decode(tags, x, A, start, end, mask)
        assert_guards_whole(tags)
        return tags.copy()

    result = same_bits_for_any_threads(decoded)
    for b in range(len(x)):
        steps = kept(b, x, mask)
        np.testing.assert_array_equal(result[b, steps], reference.crf_best(x[b, steps], A, start, end))
        assert not result[b, ~steps].any()


def test_of_equal_scores_the_smaller_tags():
    x, A, ends = np.zeros((1, 4, 3), "f"), np.zeros((3, 3), "f"), np.zeros(3, "f")
    x[0, 1] = [0, 1, 1]
    A[0, 1] = A[2, 1] = 1  # 0 1 ... and 2 1 ...
    tags = np.empty((1, 4), np.int32)
    kernel.decode(tags, x, A, ends, ends)
    assert tuple(tags[0]) == reference.crf_best(x[0], A, ends, ends)
    kernel.decode(tags, np.zeros((1, 4, 3), "f"), np.zeros((3, 3), "f"), ends, ends)
    np.testing.assert_array_equal(tags, 0)


def test_the_reference_against_central_differences():
    x, A, start, end, y, _ = operands(2, 4, 3, False)
    sample = [a.astype(np.float64) for a in (x[0], A, start, end)]
    for i, gradient in enumerate(reference.crf_loss_backward(y[0], *sample)):
        numeric = central_difference(
            lambda v, i=i: reference.crf_loss(y[0], *sample[:i], v, *sample[i + 1 :]), sample[i], 1.0
        )
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("scale", [300.0, 1e5, 1e30])
def test_large_scores(scale):
    x, A, start, end, y, mask = operands(5, 4, 3, True, scale)
    results = found(x, A, start, end, y, mask, np.ones(5, "f"))
    assert all(np.isfinite(part).all() for part in results)
    if scale == 300:
        exact = [a.astype(np.float64) for a in (A, start, end)]
        losses = [reference.crf_loss(y[b, mask[b]], x[b, mask[b]].astype(np.float64), *exact) for b in range(5)]
        assert_close(results[0], losses, 1e-5)


def test_long_sequences_keep_their_digits():
    """At every step the marginals add up to one, and all pairs to the number of steps but one."""
    B, T, C = 2, 2003, 7
    x, A, ends = RNG.normal(3.0, 2.0, (B, T, C)).astype("f"), RNG.normal(size=(C, C)).astype("f"), np.zeros(C, "f")
    y, w = RNG.integers(0, C, (B, T)).astype(np.int32), np.ones(B, "f")
    nll, dx, dA = np.empty(B, "f"), np.empty_like(x), np.zeros_like(A)
    kernel.loss(nll, dx, dA, ends.copy(), ends.copy(), x, A, ends, ends, y, None, w)
    assert np.abs(dx.sum(-1)).max() < 2e-5 and abs(dA.sum()) < 0.05
    best, score_of_best = np.empty((B, T), np.int32), np.empty(B, "f")
    kernel.decode(best, x, A, ends, ends)
    kernel.loss(score_of_best, None, None, None, None, x, A, None, None, best)
    assert (score_of_best < nll).all()


def test_forbidden_pairs():
    """A score of minus infinity: no sequence with it."""
    x, A, start, end, y, _ = operands(3, 4, 3, False)
    A[1, 2] = -np.inf
    y[...] = 0
    nll, dx, dA, *_ = found(x, A, start, end, y, None, np.ones(3, "f"))
    exact = [a.astype(np.float64) for a in (A, start, end)]
    assert_close(nll, [reference.crf_loss(y[b], x[b].astype(np.float64), *exact) for b in range(3)], 1e-5)
    assert dA[1, 2] == 0 and np.isfinite(dx).all()


def test_nothing_and_what_is_wrong():
    x, A, y = np.zeros((0, 4, 3), "f"), np.zeros((3, 3), "f"), np.zeros((0, 4), np.int32)
    kernel.loss(np.empty(0, "f"), x.copy(), A.copy(), None, None, x, A, None, None, y, None, np.empty(0, "f"))
    kernel.decode(y, x, A, None, None)
    x, y = np.zeros((2, 4, 3), "f"), np.full((2, 4), 3, np.int32)
    with pytest.raises(IndexError, match=r"outside \[0, 3\)"):
        kernel.loss(np.empty(2, "f"), None, None, None, None, x, A, None, None, y)
    y[...] = -1
    with pytest.raises(IndexError, match=r"outside \[0, 3\)"):
        kernel.loss(np.empty(2, "f"), None, None, None, None, x, A, None, None, y)
    with pytest.raises(ValueError, match="`A`"):
        kernel.decode(y, x, A[:2].copy(), None, None)
    with pytest.raises(ValueError, match="`mask`"):
        kernel.decode(y, x, A, None, None, np.ones((2, 3), bool))
