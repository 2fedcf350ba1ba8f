"""random.c: Philox's published words, an independent Philox in plain Python, and dropout's mask."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras._kernels import random

KEY, COUNTER = 0x0123456789ABCDEF, 0xFEDCBA9876543210
TILE = 128


def words(n, key=KEY, counter=COUNTER):
    out = np.empty(n, np.int32)
    random.words(out, key, counter)
    return out.view(np.uint32)


# Key, block number and words of the known-answer file that comes with the paper's library, Random123.
@pytest.mark.parametrize(
    "key, block, expected",
    [
        (0, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (2**64 - 1, 2**128 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (0x299F31D0A4093822, 0x0370734413198A2E85A308D3243F6A88, "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_the_reference_gives_the_published_words(key, block, expected):
    assert reference.philox(key, block) == [int(word, 16) for word in expected.split()]


@pytest.mark.parametrize("n", [0, 1, 5, 31, TILE - 1, TILE, TILE + 1, 1009])
def test_words_are_philox(n):
    expected = [reference.random_word(i, KEY, COUNTER) for i in range(n)]
    np.testing.assert_array_equal(words(n), np.array(expected, np.uint32))


def test_words_do_not_depend_on_threads_or_on_how_many_are_asked_for():
    many = same_bits_for_any_threads(lambda: words(100_003))
    np.testing.assert_array_equal(words(997), many[:997])


def test_key_and_counter_give_other_words():
    first = words(TILE)
    for bit in (0, 31, 32, 63):
        assert np.mean(words(TILE, KEY ^ 1 << bit, COUNTER) == first) < 0.1
        assert np.mean(words(TILE, KEY, COUNTER ^ 1 << bit) == first) < 0.1


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(1,), (2, 3), (7, 19), (3, 5, 7), (1031,)], ids=str)
def test_dropout_is_the_reference(shape, rate):
    x = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    y = dropped(x, rate)
    expected = reference.dropout(x.astype(np.float64), rate, KEY, COUNTER)
    np.testing.assert_array_equal(y == 0, expected == 0)
    assert_close(y, expected, 2e-7)


def test_dropout_keeps_the_right_share_and_the_mean():
    x = np.ones(1_000_003, np.float32)
    y = same_bits_for_any_threads(lambda: dropped(x, 0.3))
    kept = np.mean(y != 0)
    assert abs(kept - 0.7) < 5 * np.sqrt(0.3 * 0.7 / x.size)
    assert_close(y[y != 0], np.full(np.count_nonzero(y), 1 / 0.7), 1e-6)


def dropped(x, rate):
    y = np.empty_like(x)
    random.dropout(y, None, x, KEY, COUNTER, rate)
    return y


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_the_backward_pass_has_the_same_mask_and_may_work_in_place(rate):
    x, dy = np.random.default_rng(6).normal(size=(2, 1031, 97)).astype(np.float32)
    kept, y = np.empty(x.shape, np.bool_), np.empty_like(x)
    random.dropout(y, kept, x, KEY, COUNTER, rate)
    np.testing.assert_array_equal(y, dropped(x, rate))
    np.testing.assert_array_equal(kept, y != 0)

    def backward():
        dx = dy.copy()
        random.dropout_backward(dx, dx, kept, rate)
        return dx

    dx = same_bits_for_any_threads(backward)
    assert_close(dx * x, y * dy, 1e-7)


def test_what_is_dropped_is_zero_whatever_it_was():
    x = np.full(TILE, np.nan, np.float32)
    y = dropped(x, 0.5)
    assert 20 < np.count_nonzero(y == 0) < 108
    assert np.isnan(y[y != 0]).all()


def test_wrong_arguments_are_named():
    x = np.zeros((2, 3), np.float32)
    kept = np.zeros((2, 3), np.bool_)
    with pytest.raises(ValueError, match=r"must have the shape of `x`, \(2, 3\)\. Received: \(3, 2\) and \(2, 3\)"):
        random.dropout(np.zeros((3, 2), np.float32), kept, x, 0, 0, 0.5)
    with pytest.raises(ValueError, match=r"must have the shape of `x`, \(2, 3\)\. Received: \(2, 3\) and \(3, 2\)"):
        random.dropout_backward(x, x, kept.reshape(3, 2), 0.5)
    with pytest.raises(ValueError, match=r"`kept` .*Received: float32"):
        random.dropout(x, x, x, 0, 0, 0.5)
    with pytest.raises(ValueError, match=r"`x` .*Received: float64"):
        random.dropout(x, None, np.zeros((2, 3)), 0, 0, 0.5)
    for rate in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="`rate` must be in"):
            random.dropout(x, None, x, 0, 0, rate)
    with pytest.raises(OverflowError):
        random.dropout(x, None, x, -1, 0, 0.5)


def normal(n, mean=0.0, stddev=1.0, counter=COUNTER):
    y = np.empty(n, np.float32)
    random.normal(y, KEY, counter, mean, stddev)
    return y


@pytest.mark.parametrize("n", [0, 1, 63, 65, TILE, TILE + 1, 1009])
def test_normal_numbers_are_the_reference(n):
    expected = reference.random_normal(1152, KEY, COUNTER)[:n]
    assert_close(normal(n), expected, 2e-6)
    assert_close(normal(n, 2.0, 0.3), 2 + 0.3 * expected, 2e-6)


def test_normal_numbers_are_normal_and_the_same_for_any_threads():
    y = same_bits_for_any_threads(lambda: normal(200_003))
    np.testing.assert_array_equal(normal(997), y[:997])
    assert abs(y.mean()) < 0.01 and abs(y.std() - 1) < 0.01
    for limit, share in [(0.5, 0.617), (1, 0.3173), (2, 0.0455), (3, 0.0027)]:  # P(|z| > limit)
        assert np.mean(np.abs(y) > limit) == pytest.approx(share, rel=0.15)
    assert abs(np.mean(y[1:] * y[:-1])) < 0.01
    halves = y[: 1562 * TILE].reshape(-1, 2, TILE // 2)  # the two that come of the same words
    assert abs(np.mean(halves[:, 0] * halves[:, 1])) < 0.01
    assert np.mean(normal(TILE, counter=COUNTER ^ 1) == y[:TILE]) < 0.1
