"""gru.c: the layer's equations over the tree of distinct states, with the reset gate after the product and before."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation
from fastkeras._kernels.prefix import States
from sequences import SHAPES, batch

from fastkeras._kernels import gru, recurrent


def forward_and_back(P, R, b, m, index, mask, h0, dh_all, dh_last, names, after):
    """h at all steps and at the end, and the gradients of P, R, the recurrent bias and h0, through the kernels."""
    own = h0 is not None
    states = States(index, mask, own_roots=own, share=m is None)
    U, (act, g) = len(R), (Activation(name) for name in names)
    h = np.full((states.first + states.count, U), np.nan, "f")
    h[0] = 0
    if own:
        h[1 : states.first] = h0
    gates = np.full((states.count, (4 if after else 3) * U), np.nan, "f")
    inner = None if after else np.full((states.count, U), np.nan, "f")
    x = np.empty((states.count, 3 * U), "f") if act.needs_input or g.needs_input else None
    gru.forward(h, gates, inner, x, P, R, b, m, act, g, states, after)
    if after:
        without = h.copy()
        without[states.first :] = np.nan
        gru.forward(without, None, None, None, P, R, b, m, act, g, states, after)
        np.testing.assert_array_equal(without, h)

    dh = np.zeros_like(h)
    np.add.at(dh, states.state, dh_all)
    np.add.at(dh, states.last, dh_last)
    gru.backward(dh, gates, x, h, R, m, act, g, states, after)
    dP, dR, db = np.zeros_like(P), np.zeros_like(R), np.zeros(3 * U, "f")
    if after:
        recurrent.gradients(dR, db, dP, gates, h, m, states, P_columns=2 * U, P_gap=U)
    else:
        recurrent.gradients(dR, db, dP, gates, h, m, states, columns=2 * U)
        recurrent.gradients(dR, db, dP, gates, inner, None, states, at=2 * U)
    return h[states.state], h[states.last], dP, dR, db, dh[1 : states.first]


@pytest.mark.parametrize("B, T, V, U", SHAPES[:-2])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own_roots", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("names", [("tanh", "sigmoid"), ("linear", "hard_sigmoid"), ("silu", "softsign")], ids=str)
@pytest.mark.parametrize("after", [True, False])
def test_forward_and_gradients(B, T, V, U, masked, own_roots, dropped, names, after):
    rng = np.random.default_rng(B + 10 * T + masked)
    index, mask = batch(B, T, V)
    mask = mask if masked else None
    P, R = rng.normal(size=(V, 3 * U)).astype("f"), (rng.normal(size=(U, 3 * U)) / np.sqrt(U)).astype("f")
    b = rng.normal(size=3 * U).astype("f") if after else None
    h0 = rng.normal(size=(B, U)).astype("f") if own_roots else None
    m = (rng.integers(0, 2, (B, U)) * 2.0).astype("f") if dropped else None
    dh_all, dh_last = rng.normal(size=(B, T, U)).astype("f"), rng.normal(size=(B, U)).astype("f")

    # The kernel takes the part of b that meets the candidate; the caller adds the others to P.
    P_z_r, b_a = (P + np.append(b[: 2 * U], np.zeros(U, "f")), b[2 * U :].copy()) if after else (P, None)
    h, h_last, dP, dR, db, dh0 = same_bits_for_any_threads(
        lambda: forward_and_back(P_z_r, R, b_a, m, index, mask, h0, dh_all, dh_last, names, after)
    )
    options = {"b": b, "h0": h0, "mask": mask, "m": m, "reset_after": after}
    options |= {"activation": names[0], "recurrent_activation": names[1]}
    expected = reference.gru(P[index], R, **options)
    assert_close(h, expected[0], 1e-5, "h")
    assert_close(h_last, expected[1], 1e-5, "last h")
    dp, dR_expected, *rest = reference.gru_backward(dh_all, dh_last, P[index], R, **options)
    dP_expected = np.zeros(P.shape)
    np.add.at(dP_expected, index, dp)
    assert_close(dP, dP_expected, 5e-5, "dP")
    assert_close(dR, dR_expected, 5e-5, "dR")
    assert_close(db, rest[0] if after else dp.sum((0, 1)), 5e-5, "db")
    if own_roots:
        assert_close(dh0, rest[-1], 5e-5, "dh0")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
@pytest.mark.parametrize("after", [True, False])
def test_nothing_to_do(shape, after):
    states = States(np.zeros(shape, np.int32))
    h, gates, tanh = np.zeros((1, 5), "f"), np.zeros((0, 20 if after else 15), "f"), Activation("tanh")
    P, R, inner = np.ones((2, 15), "f"), np.ones((5, 15), "f"), None if after else np.zeros((0, 5), "f")
    gru.forward(h, gates, inner, None, P, R, None, None, tanh, tanh, states, after)
    gru.backward(h, gates, None, h, R, None, tanh, tanh, states, after)
    assert not h.any()


@pytest.mark.parametrize(
    ("after", "wrong"),
    [(after, wrong) for after in (True, False) for wrong in ("h", "gates", "x", "P", "R", "b_a", "m")]
    + [(False, "inner")],
)
def test_arrays_of_other_shapes_are_refused(after, wrong):
    states = States(np.arange(6, dtype=np.int32).reshape(2, 3))
    shapes = {"h": (7, 5), "gates": (6, 15), "inner": (6, 5), "x": (6, 15), "P": (6, 15), "R": (5, 15), "b_a": (5,)}
    shapes["m"] = (2, 5)
    if after:
        shapes["gates"] = (6, 20)
    arrays = {k: np.zeros((*s[:-1], s[-1] + (k == wrong)), "f") for k, s in shapes.items()}
    if after:
        arrays["inner"] = None
    with pytest.raises(ValueError, match=f"`{wrong}`"):
        gru.forward(*arrays.values(), Activation("tanh"), Activation("sigmoid"), states, after)


@pytest.mark.parametrize(
    ("after", "missing"), [(True, ()), (True, ("gates", "inner")), (False, ("gates",)), (False, ("inner",))]
)
def test_what_is_kept_depends_on_where_the_reset_gate_acts(after, missing):
    states = States(np.arange(6, dtype=np.int32).reshape(2, 3))
    shapes = {"h": (7, 5), "gates": (6, 20 if after else 15), "inner": (6, 5), "x": (6, 15), "P": (6, 15), "R": (5, 15)}
    arrays = {k: None if k in missing else np.zeros(s, "f") for k, s in shapes.items()}
    with pytest.raises(TypeError, match=f"If the reset gate acts {'after' if after else 'before'} the product"):
        gru.forward(*arrays.values(), None, None, Activation("tanh"), Activation("sigmoid"), states, after)
