"""recurrent.c: the gradients of R and P over the distinct states; the walk over them is tested with each layer."""

import numpy as np
import pytest
from checks import assert_close, guarded, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation
from fastkeras._kernels.prefix import States
from sequences import batch

from fastkeras._kernels import gru, lstm, recurrent, simple_rnn

B, T, V, U, N = 37, 53, 11, 19, 71  # far more states than are summed at a time, and enough work for three threads


def pieces(seed, masked=False, own_roots=False):
    """The tree of a batch, and h, dz, dR, dP and m as they may be before the gradients are added."""
    rng = np.random.default_rng(seed)
    index, mask = batch(B, T, V)
    states = States(index, mask if masked else None, own_roots=own_roots)
    h, dz = rng.normal(size=(states.first + states.count, U)), rng.normal(size=(states.count, N))
    dR, dP, m = rng.normal(size=(U, N)), rng.normal(size=(V, N)), rng.integers(0, 2, (B, U)) * 1.5
    return states, *(array.astype("f") for array in (h, dz, dR, dP, m))


def owners(states):
    """A batch row of each state, found from the states of all steps."""
    owner = np.empty(states.first + states.count, np.int64)
    for b, row in enumerate(states.state):
        owner[row] = b
    return owner[states.first :]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own_roots", [False, True])
def test_gradients_of_all_columns(masked, own_roots):
    states, h, dz, dR, dP, _ = pieces(1, masked, own_roots)
    assert states.count > 600

    def run():
        to_R, to_b, to_P = guarded(dR), guarded(dR[0]), guarded(dP)
        recurrent.gradients(to_R, to_b, to_P, guarded(dz), guarded(h), None, states)
        return to_R, to_b, to_P

    found_R, found_b, found_P = same_bits_for_any_threads(run)
    expected_P = dP.astype(np.float64)
    np.add.at(expected_P, states.row, dz)
    assert_close(found_R, dR + h[states.parent].astype(np.float64).T @ dz, 1e-5, "dR")
    assert_close(found_b, dR[0] + dz.sum(axis=0, dtype=np.float64), 1e-5, "db")
    assert_close(found_P, expected_P, 1e-5, "dP")


def test_a_mask_is_on_what_R_multiplied():
    states, h, dz, dR, dP, m = pieces(2, own_roots=True)  # each row has states of its own, and so one owner
    hp = h[states.parent].astype(np.float64) * m[owners(states)]
    found = same_bits_for_any_threads(lambda: added(dR, dP, dz, h, m, states)[0])
    assert_close(found, dR + hp.T @ dz, 1e-5)


def test_some_columns_only():
    states, h, dz, dR, dP, _ = pieces(3)
    at, columns = 3, 41
    found = same_bits_for_any_threads(lambda: added(dR, dP, dz, h, None, states, at=at, columns=columns))
    part = slice(at, at + columns)
    expected_R, expected_b, expected_P = dR.astype(np.float64), dR[0].astype(np.float64), dP.astype(np.float64)
    expected_R[:, part] += h[states.parent].astype(np.float64).T @ dz[:, part]
    expected_b[part] += dz[:, part].sum(axis=0, dtype=np.float64)
    np.add.at(expected_P[:, part], states.row, dz[:, part])
    for name, actual, expected in zip("RbP", found, (expected_R, expected_b, expected_P), strict=True):
        assert_close(actual, expected, 1e-5, f"d{name}")


@pytest.mark.parametrize("P_columns", [0, 29, N - 7])
def test_inputs_may_take_other_columns(P_columns):
    states, h, dz, dR, dP, _ = pieces(9)
    gap, width = 7, N - 7
    dR, dP = dR[:, :width].copy(), dP[:, :width].copy()
    found = same_bits_for_any_threads(lambda: added(dR, dP, dz, h, None, states, P_columns=P_columns, P_gap=gap))
    taken = np.r_[:P_columns, P_columns + gap : N]
    expected_P = dP.astype(np.float64)
    np.add.at(expected_P, states.row, dz[:, taken])
    assert_close(found[0], dR + h[states.parent].astype(np.float64).T @ dz[:, :width], 1e-5, "dR")
    assert_close(found[1], dR[0] + dz[:, :width].sum(axis=0, dtype=np.float64), 1e-5, "db")
    assert_close(found[2], expected_P, 1e-5, "dP")


def test_rows_may_be_given_themselves():
    states, h, dz, dR, dP, _ = pieces(4)
    of_parents = added(dR, dP, dz, h, None, states)
    given = added(dR, dP, dz, h[states.parent], None, states)
    for one, other in zip(of_parents, given, strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_alone():
    states, h, dz, dR, dP, _ = pieces(5)
    together = added(dR, dP, dz, h, None, states)
    for i, expected in enumerate(together):
        alone = [array.copy() if j == i else None for j, array in enumerate((dR, dR[0], dP))]
        recurrent.gradients(*alone, dz, h, None, states)
        np.testing.assert_array_equal(alone[i], expected)


def added(dR, dP, *arguments, **columns):
    """dR, db and dP, to which gradients are added; db is the first row of dR before."""
    sums = dR.copy(), dR[0].copy(), dP.copy()
    recurrent.gradients(*sums, *arguments, **columns)
    return sums


@pytest.mark.parametrize(("units", "parts"), [(256, 4), (1024, 1)], ids=["lstm", "rnn"])
def test_rows_of_4_KB_give_back_to_their_parents(units, parts):
    """dh[parent_s] += dz_s R^T, where the rows of dz are copied"""
    rng, tanh = np.random.default_rng(8), Activation("tanh")
    states = States(np.zeros((37, 1), np.int32), own_roots=True)  # three blocks, which threads share
    R = (rng.normal(size=(units, parts * units)) / np.sqrt(units)).astype("f")
    h, c, dh0, dc0 = rng.normal(size=(4, states.first + 37, units)).astype("f")
    dz0 = rng.random((37, parts * units), "f")

    def run():
        dh, dc, dz = guarded(dh0), guarded(dc0), guarded(dz0)
        if parts == 4:
            lstm.backward(dh, dc, dz, None, c, R, None, tanh, tanh, states)
        else:
            simple_rnn.backward(dh, dz, h, None, R, None, tanh, states)
        return dh, dz

    dh, dz = same_bits_for_any_threads(run)
    parents = slice(1, states.first)
    assert_close(dh[parents], dh0[parents] + dz.astype(np.float64) @ R.T, 1e-5)


def test_columns_outside_are_refused():
    states, h, dz, dR, dP, _ = pieces(6)
    for columns in {"at": -1}, {"at": 1, "columns": N}:
        with pytest.raises(ValueError, match="must lie in `dz`"):
            recurrent.gradients(dR, None, dP, dz, h, None, states, **columns)
    for columns in {"columns": 5, "P_columns": 6}, {"P_columns": -1}:
        with pytest.raises(ValueError, match="must be among"):
            recurrent.gradients(dR, None, dP, dz, h, None, states, **columns)
    with pytest.raises(ValueError, match="`dR` must be"):
        recurrent.gradients(dR, None, dP, dz, h, None, states, P_gap=1)


def test_inputs_with_fewer_rows_than_are_read_are_refused():
    states, h, dz, dR, dP, _ = pieces(7)
    with pytest.raises(IndexError, match=rf"`dP` must have {V} rows at least\. Received: {V - 1}"):
        recurrent.gradients(dR, None, dP[:-1].copy(), dz, h, None, states)
    with pytest.raises(IndexError, match=r"`index` must lie in \[0, rows\). Received: -3"):
        States(np.array([[0, -3]], np.int32))
    masked = States(np.array([[0, -3]], np.int32), np.array([[True, False]]))  # what is masked is not read
    assert masked.row.tolist() == [0]


@pytest.mark.parametrize(
    ("forward", "gates"), [(lstm.forward, 4), (gru.forward, 3), (simple_rnn.forward, 1)], ids=["lstm", "gru", "rnn"]
)
def test_steps_that_read_beyond_the_inputs_are_refused(forward, gates):
    states, f = States(np.array([[0, 1, 5]], np.int32)), Activation("tanh")
    h, P, R = np.zeros((4, 2), "f"), np.zeros((5, 2 * gates), "f"), np.zeros((2, 2 * gates), "f")
    arguments = {
        4: (h, h.copy(), None, None, P, R, None, f, f, states),
        3: (h, None, None, None, P, R, None, None, f, f, states, True),
        1: (h, None, P, R, None, f, states),
    }[gates]
    with pytest.raises(IndexError, match=r"`P` must have 6 rows at least\. Received: 5"):
        forward(*arguments)
