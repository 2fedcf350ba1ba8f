"""attention.c against the reference: outputs, weights and gradients, masks of all kinds, any number of threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import attention as kernel

RNG = np.random.default_rng(21)
# B, H, T, S, K, V; two blocks of queries, work for several threads, and more keys than a product's block
SHAPES = [(1, 1, 1, 1, 1, 1), (2, 3, 5, 7, 11, 13), (3, 2, 97, 5, 3, 2), (5, 3, 89, 101, 17, 19), (1, 2, 7, 523, 5, 3)]


def masks(B, H, T, S):
    keys = RNG.random((B, 1, 1, S)) < 0.6
    keys[-1] = False
    return {
        "": None,
        "keys": np.broadcast_to(keys, (B, H, T, S)),
        "pairs": RNG.random((B, H, T, S)) < 0.6,
        "pairs alike": np.broadcast_to(RNG.random((B, 1, T, S)) < 0.6, (B, H, T, S)),
    }


def heads_apart(x, H):
    return x.reshape(*x.shape[:2], H, -1).astype(np.float64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mask_name", ["", "keys", "pairs", "pairs alike"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("given", [False, True], ids=["dot", "scores"])
@pytest.mark.parametrize("extras", [False, True], ids=["", "extras"])
def test_attention(shape, mask_name, causal, given, extras):
    """extras: dropout, a gradient of the weights too, and uniform weights where there is nothing to attend to"""
    B, H, T, S, K, V = shape
    mask, scale = masks(B, H, T, S)[mask_name], K**-0.5
    sizes = [(B, T, H * K), (B, S, H * K), (B, S, H * V), (B, T, H * V), (B * H, T, S), (B * H, T, S)]
    q, k, v, dy, dP, x = (guarded(RNG.normal(size=size)) for size in sizes)
    m = guarded(RNG.choice([0.0, 1.25], (B * H, T, S))) if extras else None

    def through():
        a = kernel.Attention(
            *((None, None) if given else (q, k)), v, H, scale, x if given else None, mask, m, causal, extras
        )
        y, P, dv = (guarded(np.full(a.shape, 9.0)) for a in (dy, dP, v))
        a.forward(y, P)
        outs = [guarded(np.full(a.shape, 9.0)) for a in ((x,) if given else (q, k))]
        a.backward(*((None, None) if given else outs), dv, outs[0] if given else None, dy, dP if extras else None)
        assert_guards_whole(y, P, dv, *outs)
        return y, P, dv, *outs

    found = same_bits_for_any_threads(through)
    q4, k4, v4, dy4 = (heads_apart(part, H) for part in (q, k, v, dy))
    scores = (x.reshape(B, H, T, S) if given else reference.dot_scores(q4, k4, scale)).astype(np.float64)
    allowed = np.ones((B, H, T, S), bool) if mask is None else mask
    allowed = allowed & reference.causal(T, S) if causal else allowed
    m4 = m.reshape(scores.shape).astype(np.float64) if extras else 1.0
    y = reference.attention(scores, v4, allowed, m4, extras)
    P = reference.attention_weights(scores, allowed, extras)
    dP4 = dP.reshape(scores.shape).astype(np.float64) if extras else 0.0
    dx, dv = reference.attention_backward(dy4, dP4, scores, v4, allowed, m4, extras)
    slopes = (dx,) if given else reference.dot_scores_backward(dx, q4, k4, scale)
    for name, a, e in zip(("y", "P", "dv", "dx or dq", "dk"), found, (y, P, dv, *slopes), strict=False):
        if np.abs(e).max(initial=0) < 1e-12:  # nothing may be attended to, or one key alone
            np.testing.assert_allclose(a, np.zeros(a.shape), atol=1e-6)
        else:
            assert_close(a, e.reshape(a.shape), 2e-5, name)


def test_large_scores_do_not_overflow():
    q, k = np.full((1, 2, 3), 1e4, "f"), np.full((1, 5, 3), [[1e4]], "f")
    k[0, 2] *= 1.5
    y, v = np.empty((1, 2, 1), "f"), np.arange(5, dtype="f").reshape(1, 5, 1)
    kernel.Attention(q, k, v, 1, 1.0).forward(y)
    np.testing.assert_array_equal(y, np.full(y.shape, 2.0))


@pytest.mark.parametrize("B, T, S, D", [(1, 1, 1, 1), (2, 3, 5, 7), (3, 7, 2, 37), (5, 11, 13, 19)])
@pytest.mark.parametrize("weighted", [False, True])
def test_additive_scores(B, T, S, D, weighted):
    q, k, w, dx = (guarded(RNG.normal(size=size)) for size in [(B, T, D), (B, S, D), (D,), (B, T, S)])
    dx[0, 0, 0] = 0.0  # of a masked pair

    def through():
        x, dq, dk, dw = guarded(np.full(dx.shape, 9.0)), guarded(0 * q), guarded(0 * k), guarded(np.ones(D))
        given = w if weighted else None
        kernel.additive_scores(x, q, k, given)
        kernel.additive_scores_backward(dq, dk, dw, dx, q, k, given)
        assert_guards_whole(x, dq, dk, dw)
        return x, dq, dk, dw - 1

    found = same_bits_for_any_threads(through)
    exact = [a.astype(np.float64) for a in (q, k, w if weighted else np.ones(D))]
    expected = reference.additive_scores(*exact), *reference.additive_scores_backward(dx.astype(np.float64), *exact)
    for name, a, e in zip(("x", "dq", "dk", "dw"), found, expected, strict=True):
        assert_close(a, e, 2e-5, name) if np.abs(e).max() else np.testing.assert_array_equal(a, e)


def test_nothing_to_attend_to():
    v, q = np.empty((2, 0, 3), "f"), np.ones((2, 5, 3), "f")
    y = np.full((2, 5, 3), 9.0, "f")
    kernel.Attention(q, np.empty((2, 0, 3), "f"), v, 1, 1.0).forward(y)
    np.testing.assert_array_equal(y, np.zeros(y.shape))
    k, none = np.ones((2, 3, 3), "f"), np.empty((2, 0, 3), "f")
    dk, dv = np.full((2, 3, 3), 9.0, "f"), np.full((2, 3, 3), 9.0, "f")
    kernel.Attention(none, k, k, 3, 1.0).backward(none.copy(), dk, dv, None, none)
    np.testing.assert_array_equal([dk, dv], np.zeros((2, 2, 3, 3)))


def test_wrong_shapes():
    q, k, v = np.ones((2, 3, 6), "f"), np.ones((2, 5, 6), "f"), np.ones((2, 5, 4), "f")
    for arrays, options, message in [
        ((q, k, v), {"heads": 4}, "`q` must"),
        ((q, k[:1], v), {}, "`k` must"),
        ((q, k, v), {"mask": np.ones((2, 2, 3, 4), bool)}, "`mask` must"),
        ((q, k, v), {"mask": np.ones((2, 2, 3, 5), "f")}, "`mask` must"),
        ((q, k, v), {"m": np.ones((2, 3, 5), "f")}, "`m` must"),
        ((q, None, v), {}, "either"),
        ((q, k, v), {"x": np.ones((4, 3, 5), "f")}, "either"),
    ]:
        with pytest.raises(ValueError, match=message):
            kernel.Attention(*arrays, **{"heads": 2, "scale": 1.0, **options})
    with pytest.raises(ValueError, match="`y` must"):
        kernel.Attention(q, k, v, 2, 1.0).forward(np.empty((2, 3, 5), "f"))
