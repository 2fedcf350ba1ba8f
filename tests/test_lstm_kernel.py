"""lstm.c: the layer's equations over the tree of distinct states."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation
from fastkeras._kernels.prefix import States
from sequences import SHAPES, batch

from fastkeras._kernels import lstm, recurrent


def forward_and_back(P, R, m, index, mask, h0, c0, dh_all, dh_last, dc_last, names):
    """h at all steps, h and c at the end, and the gradients of P, R, h0 and c0, through the kernels."""
    own = h0 is not None
    states = States(index, mask, own_roots=own, share=m is None)
    U, (act, g) = len(R), (Activation(name) for name in names)
    h, c = np.full((2, states.first + states.count, U), np.nan, "f")
    for cell, start in (h, h0), (c, c0):
        cell[0] = 0
        if own:
            cell[1 : states.first] = start
    gates = np.full((states.count, 4 * U), np.nan, "f")
    z = np.empty_like(gates) if act.needs_input or g.needs_input else None
    lstm.forward(h, c, gates, z, P, R, m, act, g, states)
    without = np.stack([h, c])
    without[:, states.first :] = np.nan
    lstm.forward(*without, None, None, P, R, m, act, g, states)
    np.testing.assert_array_equal(without, [h, c])

    dh, dc = np.zeros_like(h), np.zeros_like(c)
    np.add.at(dh, states.state, dh_all)
    np.add.at(dh, states.last, dh_last)
    np.add.at(dc, states.last, dc_last)
    lstm.backward(dh, dc, gates, z, c, R, m, act, g, states)  # the gates become dz
    dP, dR = np.zeros_like(P), np.zeros_like(R)
    recurrent.gradients(dR, None, dP, gates, h, m, states)
    roots = slice(1, states.first)
    return h[states.state], h[states.last], c[states.last], dP, dR, dh[roots], dc[roots]


@pytest.mark.parametrize("B, T, V, U", SHAPES[:-2])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own_roots", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("names", [("tanh", "sigmoid"), ("linear", "hard_sigmoid"), ("silu", "softsign")], ids=str)
def test_forward_and_gradients(B, T, V, U, masked, own_roots, dropped, names):
    rng = np.random.default_rng(B + 10 * T + masked)
    index, mask = batch(B, T, V)
    mask = mask if masked else None
    P, R = rng.normal(size=(V, 4 * U)).astype("f"), (rng.normal(size=(U, 4 * U)) / np.sqrt(U)).astype("f")
    h0, c0 = rng.normal(size=(2, B, U)).astype("f") if own_roots else (None, None)
    m = (rng.integers(0, 2, (B, U)) * 2.0).astype("f") if dropped else None
    dh_all, (dh_last, dc_last) = rng.normal(size=(B, T, U)).astype("f"), rng.normal(size=(2, B, U)).astype("f")

    *found, dP, dR, dh0, dc0 = same_bits_for_any_threads(
        lambda: forward_and_back(P, R, m, index, mask, h0, c0, dh_all, dh_last, dc_last, names)
    )
    options = {"h0": h0, "c0": c0, "mask": mask, "m": m, "activation": names[0], "recurrent_activation": names[1]}
    for name, actual, expected in zip(
        ("h", "last h", "last c"), found, reference.lstm(P[index], R, **options), strict=True
    ):
        assert_close(actual, expected, 1e-5, name)
    dp, dR_expected, *dstates = reference.lstm_backward(dh_all, dh_last, dc_last, P[index], R, **options)
    dP_expected = np.zeros(P.shape)
    np.add.at(dP_expected, index, dp)
    assert_close(dP, dP_expected, 5e-5, "dP")
    assert_close(dR, dR_expected, 5e-5, "dR")
    if own_roots:
        assert_close(dh0, dstates[0], 5e-5, "dh0")
        assert_close(dc0, dstates[1], 5e-5, "dc0")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_nothing_to_do(shape):
    states = States(np.zeros(shape, np.int32))
    h, c = np.zeros((2, 1, 5), "f")
    gates, tanh = np.zeros((0, 20), "f"), Activation("tanh")
    P, R = np.ones((2, 20), "f"), np.ones((5, 20), "f")
    lstm.forward(h, c, gates, None, P, R, None, tanh, tanh, states)
    lstm.backward(h, c, gates, None, c, R, None, tanh, tanh, states)
    assert not h.any() and not c.any()


@pytest.mark.parametrize("wrong", ["h", "c", "gates", "z", "P", "R", "m"])
def test_arrays_of_other_shapes_are_refused(wrong):
    states = States(np.arange(6, dtype=np.int32).reshape(2, 3))
    shapes = {"h": (7, 5), "c": (7, 5), "gates": (6, 20), "z": (6, 20), "P": (6, 20), "R": (5, 20), "m": (2, 5)}
    arrays = {k: np.zeros((s[0], s[1] + (k == wrong)), "f") for k, s in shapes.items()}
    with pytest.raises(ValueError, match=f"`{wrong}`"):
        lstm.forward(*arrays.values(), Activation("tanh"), Activation("sigmoid"), states)
