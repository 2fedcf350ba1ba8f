"""prefix.c and simple_rnn.c: the tree of distinct states, and the layer's equations over it."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation
from fastkeras._kernels.prefix import States
from sequences import SHAPES, batch

from fastkeras._kernels import recurrent, simple_rnn

BLOCK = 16  # FK_PREFIX_BLOCK: states are shared inside a block of so many batch rows


def past(index, mask, b, t):
    """What row b has read up to step t."""
    return tuple(index[b, : t + 1][mask[b, : t + 1]])


@pytest.mark.parametrize("B, T, V, U", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
def test_rows_share_a_state_exactly_while_their_pasts_are_equal(B, T, V, U, masked):
    index, mask = batch(B, T, V)
    mask = mask if masked else np.ones_like(mask)
    states = States(index, mask if masked else None)
    number = {}
    for b in range(B):
        for t in range(T):
            read = past(index, mask, b, t)
            state = states.state[b, t]
            assert (state == 0) == (read == ())
            if read:
                assert number.setdefault((b // BLOCK, read), state) == state
                assert states.row[state - 1] == read[-1]
        assert states.last[b] == (states.state[b, -1] if T else 0)
    assert states.count == len(number) == len(set(number.values()))
    assert sorted(number.values()) == list(range(1, states.count + 1))
    assert all(states.parent < np.arange(1, states.count + 1))


SORTED = 8  # FK_PREFIX_SORTED: in a batch of so many blocks, rows that begin alike come into one block


def test_in_a_large_batch_equal_rows_find_each_other():
    kinds, T = np.random.default_rng(3).integers(0, 5, (SORTED, 7)).astype(np.int32), 7
    kinds[:, 0] = np.arange(SORTED)
    index = np.tile(kinds, (BLOCK, 1))  # each row a block apart from the next one of its kind
    states = same_bits_for_any_threads(lambda: States(index).state)
    assert States(index).count == SORTED * T
    np.testing.assert_array_equal(states, np.tile(states[:SORTED], (BLOCK, 1)))
    assert States(index[:-BLOCK]).count > SORTED * T  # one block less


@pytest.mark.parametrize("B", [128, 131, 150, 211])
@pytest.mark.parametrize("masked", [False, True])
def test_in_a_large_batch_each_state_has_one_past(B, masked):
    T, V = 9, 3
    index, mask = batch(B, T, V)
    index[::3, :4] = 0  # padding in front
    mask = mask if masked else np.ones_like(mask)
    states = States(index, mask if masked else None)
    pasts, blocks = {}, {}
    for b in range(B):
        for t in range(T):
            read, state = past(index, mask, b, t), states.state[b, t]
            assert (state == 0) == (read == ())
            if read:
                assert pasts.setdefault(state, read) == read
                assert states.row[state - 1] == read[-1]
                before = states.parent[state - 1]
                assert pasts[before] == read[:-1] if before else len(read) == 1
                blocks.setdefault(read, set()).add(state)
        assert states.last[b] == states.state[b, -1]
    assert sorted(pasts) == list(range(1, states.count + 1))
    assert max(map(len, blocks.values())) <= -(-B // BLOCK)  # once a block, at the most
    unsorted = sum(States(index[b : b + BLOCK], mask[b : b + BLOCK]).count for b in range(0, B, BLOCK))
    assert masked or states.count < unsorted


@pytest.mark.parametrize("blocks", [4, 5, 8, 11])
@pytest.mark.parametrize("masked", [False, True])
def test_neighbouring_blocks_hold_about_as_many_states_as_the_others(blocks, masked):
    B, T = BLOCK * blocks - 3, 61
    length = np.random.default_rng(blocks).integers(1, T, (B, 1))
    mask = np.arange(T) >= T - length
    index = np.where(mask, np.arange(B * T).reshape(B, T), 0).astype(np.int32)  # padding alone is shared
    states = States(index, mask if masked else None)
    size = states.waves.sum(axis=0)
    assert size.shape == (blocks,) and size.sum() == states.count
    least, most = sorted((size[: blocks // 2].sum(), size[blocks // 2 :].sum()))
    # halves differ by a part of a block, and by one more if one of them has a block more
    assert most - least <= (blocks % 2) * size.mean() + size.max() / 4


def test_rows_with_initial_states_of_their_own_share_nothing():
    index, mask = batch(19, 5, 2)
    states = States(index, mask, own_roots=True)
    assert states.first == 20
    assert states.count == mask.sum()
    np.testing.assert_array_equal(states.last[0], 1)  # never stepped: still at its initial state
    assert (states.state[0] == 0).all()  # and has put out nothing yet


def test_sharing_can_be_refused():
    index = np.zeros((5, 3), np.int32)
    assert States(index).count == 3
    assert States(index, share=False).count == 15


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="`mask`"):
        States(np.zeros((2, 3), np.int32), np.ones((2, 4), bool))
    with pytest.raises(ValueError, match="fewer than 2\\^31 steps"):
        States(np.zeros((2**31 - 1, 0), np.int32))  # states have numbers of 32 bits


def forward_and_back(P, R, m, index, mask, h0, dh_last, dh_all, activation):
    """h at all steps and at the end, and the gradients of P, R and h0, through the kernels."""
    own = h0 is not None
    states = States(index, mask, own_roots=own, share=m is None)
    U, f = len(R), Activation(activation)
    h = np.full((states.first + states.count, U), np.nan, "f")
    h[0] = 0
    if own:
        h[1 : states.first] = h0
    z = np.empty((states.count, U), "f") if f.needs_input else None
    simple_rnn.forward(h, z, P, R, m, f, states)

    dh = np.zeros_like(h)
    np.add.at(dh, states.state, dh_all)
    np.add.at(dh, states.last, dh_last)
    dz = np.empty((states.count, U), "f")
    simple_rnn.backward(dh, dz, h, z, R, m, f, states)
    dP, dR = np.zeros_like(P), np.zeros_like(R)
    recurrent.gradients(dR, None, dP, dz, h, m, states)
    return h[states.state], h[states.last], dP, dR, dh[1 : states.first]


@pytest.mark.parametrize("B, T, V, U", SHAPES[:-2])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("own_roots", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "linear", "silu"])
def test_forward_and_gradients(B, T, V, U, masked, own_roots, dropped, activation):
    rng = np.random.default_rng(B + 10 * T + masked)
    index, mask = batch(B, T, V)
    mask = mask if masked else None
    P, R = rng.normal(size=(V, U)).astype("f"), (rng.normal(size=(U, U)) / np.sqrt(U)).astype("f")
    h0 = rng.normal(size=(B, U)).astype("f") if own_roots else None
    m = (rng.integers(0, 2, (B, U)) * 2.0).astype("f") if dropped else None
    dh_last, dh_all = rng.normal(size=(B, U)).astype("f"), rng.normal(size=(B, T, U)).astype("f")

    h_all, h_last, dP, dR, dh0 = same_bits_for_any_threads(
        lambda: forward_and_back(P, R, m, index, mask, h0, dh_last, dh_all, activation)
    )
    expected = reference.simple_rnn(P[index], R, h0, mask, m, activation)
    assert_close(h_all, expected[0], 1e-5, "h")
    assert_close(h_last, expected[1], 1e-5, "last h")
    dz, dR_expected, dh0_expected = reference.simple_rnn_backward(dh_all, dh_last, P[index], R, h0, mask, m, activation)
    dP_expected = np.zeros(P.shape)
    np.add.at(dP_expected, index, dz)
    assert_close(dP, dP_expected, 3e-5, "dP")
    assert_close(dR, dR_expected, 3e-5, "dR")
    if own_roots:
        assert_close(dh0, dh0_expected, 3e-5, "dh0")
