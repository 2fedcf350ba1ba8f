"""rows.c against numpy: distinct ids and pairs, gather and scatter-add (also under masks), clear, take; and errors."""

import numpy as np
import pytest
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import rows

RNG = np.random.default_rng(11)


def distinct(x, V):
    index, ids = np.empty(x.size, np.int32), np.empty(min(x.size, V), np.int32)
    seen = np.full(V, -1, np.int32)
    count = rows.distinct(index, ids, x, seen)
    assert (seen == -1).all()
    return index, ids[:count]


@pytest.mark.parametrize("shape, V", [((7, 13), 5), ((1, 1), 1), ((0, 3), 7), ((31,), 1009), ((3, 5, 2), 11)])
def test_distinct_ids_in_order_of_appearance(shape, V):
    x = RNG.integers(0, V, shape).astype(np.int32)
    index, ids = distinct(x, V)
    np.testing.assert_array_equal(ids[index], x.ravel())
    assert list(ids) == list(dict.fromkeys(x.ravel().tolist()))


@pytest.mark.parametrize("bad", [-1, 5, 2**31 - 1, -(2**31)])
def test_an_id_outside_the_vocabulary_is_named_and_nothing_is_left_behind(bad):
    x, seen = np.array([1, 4, 1, bad, 2], np.int32), np.full(5, -1, np.int32)
    with pytest.raises(IndexError, match=rf"id {bad} at position 3 is outside \[0, 5\)"):
        rows.distinct(np.empty(5, np.int32), np.empty(5, np.int32), x, seen)
    assert (seen == -1).all()


@pytest.mark.parametrize("N, R, D", [(13, 5, 7), (1, 1, 1), (0, 3, 5), (997, 101, 67), (5, 7, 129)])
def test_gather_and_scatter_add(N, R, D):
    values, dy = RNG.normal(size=(R, D)).astype("f"), RNG.normal(size=(N, D)).astype("f")
    index = RNG.integers(0, R, N).astype(np.int32)
    y = np.empty((N, D), "f")
    rows.gather(y, values, index)
    np.testing.assert_array_equal(y, values[index])

    start = RNG.normal(size=(R, D)).astype("f")
    expected = start.astype(np.float64)
    np.add.at(expected, index, dy)

    def scattered():
        dvalues = start.copy()
        rows.scatter_add(dvalues, dy, index)
        return dvalues

    assert_close(same_bits_for_any_threads(scattered), expected, 1e-6)


def test_scatter_add_of_some_columns():
    dy, index = RNG.normal(size=(701, 53)).astype("f"), RNG.integers(0, 11, 701).astype(np.int32)
    dvalues = RNG.normal(size=(11, 61)).astype("f")
    expected = dvalues.astype(np.float64)
    np.add.at(expected[:, 7:54], index, dy[:, :47])
    rows.scatter_add(dvalues, dy, index, 7, 47)
    assert_close(dvalues, expected, 1e-6)
    for at, columns in [(-1, 5), (0, 54), (9, 53)]:
        with pytest.raises(ValueError, match="`columns`"):
            rows.scatter_add(dvalues, dy, index, at, columns)


@pytest.mark.parametrize("N, R, Q", [(13, 5, 3), (1, 1, 1), (0, 2, 2), (997, 31, 29), (4099, 100_003, 1_000_003)])
def test_pairs_in_order_of_appearance(N, R, Q):
    a, b = (RNG.integers(0, extent, N).astype(np.int32) for extent in (R, Q))

    def numbered():
        index, first, second = (np.full(N, -7, np.int32) for _ in range(3))
        count = rows.pairs(index, first, second, a, b)
        return index, first[:count], second[:count]

    index, first, second = same_bits_for_any_threads(numbered)
    np.testing.assert_array_equal(first[index], a)
    np.testing.assert_array_equal(second[index], b)
    assert list(zip(first, second, strict=True)) == list(dict.fromkeys(zip(a, b, strict=True)))


def test_pairs_that_differ_in_one_part_only():
    a, b = np.array([1, 1, 0, 2, 1, 0], np.int32), np.array([2, 1, 1, 1, 2, 0], np.int32)
    index, first, second = (np.empty(6, np.int32) for _ in range(3))
    assert rows.pairs(index, first, second, a, b) == 5
    np.testing.assert_array_equal(index, [0, 1, 2, 3, 0, 4])
    with pytest.raises(ValueError, match="`b` must be"):
        rows.pairs(index, first, second, a, b[:5])


@pytest.mark.parametrize("P, R, Q, D, E", [(13, 5, 3, 7, 2), (1, 1, 1, 1, 1), (0, 3, 2, 5, 4), (997, 101, 67, 53, 71)])
def test_gather_and_scatter_add_of_pairs(P, R, Q, D, E):
    left, right = RNG.normal(size=(R, D)).astype("f"), RNG.normal(size=(Q, E)).astype("f")
    first, second = RNG.integers(0, R, P).astype(np.int32), RNG.integers(0, Q, P).astype(np.int32)
    y = np.empty((P, D + E), "f")
    rows.gather_pairs(y, left, right, first, second)
    np.testing.assert_array_equal(y, np.concatenate([left[first], right[second]], axis=1))

    dy = RNG.normal(size=(P, D + E)).astype("f")
    expected = [start.astype(np.float64) for start in (left, right)]
    np.add.at(expected[0], first, dy[:, :D])
    np.add.at(expected[1], second, dy[:, D:])

    def scattered():
        dleft, dright = left.copy(), right.copy()
        rows.scatter_add_pairs(dleft, dright, dy, first, second)
        return dleft, dright

    for actual, wanted in zip(same_bits_for_any_threads(scattered), expected, strict=True):
        assert_close(actual, wanted, 1e-6)
    with pytest.raises(ValueError, match="`dy` must be"):
        rows.scatter_add_pairs(left, right, np.empty((P, D + E + 1), "f"), first, second)


@pytest.mark.parametrize("P, R, B, D", [(13, 5, 3, 7), (1, 1, 1, 1), (0, 3, 2, 5), (997, 101, 67, 131)])
def test_gather_and_scatter_add_of_masked_rows(P, R, B, D):
    values, m, dy = (RNG.normal(size=(n, D)).astype("f") for n in (R, B, P))
    first, second = RNG.integers(0, R, P).astype(np.int32), RNG.integers(0, B, P).astype(np.int32)

    def gathered():
        y = guarded(np.full((P, D), np.nan))
        rows.gather_masked(y, values, m, first, second)
        assert_guards_whole(y)
        return y

    np.testing.assert_array_equal(same_bits_for_any_threads(gathered), values[first] * m[second])
    expected = values.astype(np.float64)
    np.add.at(expected, first, dy.astype(np.float64) * m[second])

    def scattered():
        dvalues = guarded(values)
        rows.scatter_add_masked(dvalues, dy, m, first, second)
        assert_guards_whole(dvalues)
        return dvalues

    assert_close(same_bits_for_any_threads(scattered), expected, 1e-6)
    with pytest.raises(ValueError, match="`m` must be"):
        rows.gather_masked(gathered(), values, np.empty((B, D + 1), "f"), first, second)
    with pytest.raises(ValueError, match="`dy` must be"):
        rows.scatter_add_masked(scattered(), np.empty((P + 1, D), "f"), m, first, second)


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (7, 3), (1031, 397)])  # the last is worth three threads
def test_clear_makes_all_zero_and_nothing_beside(shape):
    def run():
        y = guarded(np.ones(shape))
        rows.clear(y)
        assert_guards_whole(y)
        return y

    assert not same_bits_for_any_threads(run).any()


@pytest.mark.parametrize("dtype, tail", [("f4", (3,)), ("i4", (5, 2)), ("f8", ()), ("u1", (7,)), ("f4", (0,))])
def test_take_copies_rows_of_any_type(dtype, tail):
    x = RNG.integers(0, 100, (11, *tail)).astype(dtype)
    index = RNG.permutation(11)[:7].astype(np.int32)
    y = np.empty((7, *tail), dtype)
    rows.take(y, x, index)
    np.testing.assert_array_equal(y, x[index])


def test_take_refuses_what_does_not_fit():
    x = np.zeros((5, 3), "f")
    with pytest.raises(IndexError, match=r"\[0, 5\)"):
        rows.take(np.empty((2, 3), "f"), x, np.array([0, 5], np.int32))
    with pytest.raises(IndexError, match=r"\[0, 5\)"):
        rows.take(np.empty((2, 3), "f"), x, np.array([0, -1], np.int32))
    for y in (np.empty((2, 4), "f"), np.empty((2, 3), "f8"), np.empty((3, 3), "f"), np.empty((2, 6), "f")[:, ::2]):
        with pytest.raises(ValueError, match="rows of one dtype and shape"):
            rows.take(y, x, np.array([0, 1], np.int32))
    with pytest.raises(ValueError, match="no objects"):
        rows.take(np.empty(2, object), np.zeros(5, object), np.array([0, 1], np.int32))
