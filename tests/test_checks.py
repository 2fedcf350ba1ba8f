"""The checkers are tested: each must reject what is wrong, and accept what is right."""

import checks
import numpy as np
import pytest

RNG = np.random.default_rng(0)
EXPECTED = RNG.normal(size=(5, 7, 3))  # (steps, rows, units)
ROUNDED = EXPECTED.astype(np.float32)


def one_wrong_element():
    wrong = ROUNDED.copy()
    wrong[4, 2, 1] += 1e-3
    return wrong


def missing_time_step():
    wrong = ROUNDED.copy()
    wrong[0] = 0.0
    return wrong


WRONG = {
    "zeros": np.zeros_like(ROUNDED),
    "flipped sign": -ROUNDED,
    "factor 2": 2 * ROUNDED,
    "slightly too large": ROUNDED * np.float32(1.0001),
    "one wrong element": one_wrong_element(),
    "missing time step": missing_time_step(),
    "fewer time steps": ROUNDED[1:],
    "swapped axes": ROUNDED.transpose(1, 0, 2),
    "NaN": np.where(EXPECTED > 2, np.nan, ROUNDED),
    "infinite": np.where(EXPECTED > 2, np.inf, ROUNDED),
}


def test_assert_close_accepts_rounding():
    checks.assert_close(ROUNDED, EXPECTED, 1e-6)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_assert_close_rejects(wrong):
    with pytest.raises(AssertionError):
        checks.assert_close(wrong, EXPECTED, 1e-5)


def test_assert_close_rejects_a_small_wrong_element_among_many():
    expected = RNG.normal(size=100_000)
    wrong = expected.copy()
    wrong[17] += 1e-4  # 3e-7 of the norm: only the largest element error shows it
    with pytest.raises(AssertionError, match=r"\[17\]"):
        checks.assert_close(wrong, expected, 1e-5)


def test_assert_close_with_zero_expected_takes_zero_only():
    checks.assert_close(np.zeros(3), np.zeros(3), 1e-5)
    with pytest.raises(AssertionError):
        checks.assert_close(np.full(3, 1e-30), np.zeros(3), 1e-5)


def test_assert_close_wants_infinite_and_nan_where_expected():
    expected = np.array([1.0, np.inf, -np.inf, np.nan])
    checks.assert_close(expected, expected, 1e-5)
    for wrong in ([1.0, -np.inf, -np.inf, np.nan], [1.0, np.inf, -np.inf, 0.0], [1.0, 3e38, -np.inf, np.nan]):
        with pytest.raises(AssertionError):
            checks.assert_close(wrong, expected, 1e-5)


def test_assert_close_takes_empty_arrays():
    checks.assert_close(np.zeros((0, 3)), np.zeros((0, 3)), 1e-5)
    with pytest.raises(AssertionError):
        checks.assert_close(np.zeros((0, 2)), np.zeros((0, 3)), 1e-5)


def test_central_difference_is_the_gradient():
    x, dy = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3))
    gradient = checks.central_difference(lambda x: x**3 + x.sum(axis=1, keepdims=True), x, dy)
    expected = 3 * x**2 * dy + dy.sum(axis=1, keepdims=True)
    checks.assert_close(gradient, expected, 1e-8)
    for wrong in (-expected, 2 * expected, np.zeros_like(expected), 3 * x**2 * dy):
        with pytest.raises(AssertionError):
            checks.assert_close(gradient, wrong, 1e-6)


def test_same_bits_returns_the_result():
    assert checks.same_bits_for_any_threads(lambda: 3.5) == 3.5
    a, b = checks.same_bits_for_any_threads(lambda: (np.arange(3.0), 2.0))
    assert a.tolist() == [0.0, 1.0, 2.0]
    assert b == 2.0


def test_same_bits_sets_the_threads_and_puts_them_back():
    before = checks.threads.get_num_threads()
    seen = []
    checks.same_bits_for_any_threads(lambda: seen.append(checks.threads.get_num_threads()) or 0.0)
    assert seen == [1, 2, 3]
    assert checks.threads.get_num_threads() == before


@pytest.mark.parametrize("difference", [np.float32(2**-24), -0.0, np.nan])
def test_same_bits_rejects_the_smallest_difference(difference):
    def run():
        x = np.zeros(5, np.float32)
        if checks.threads.get_num_threads() == 3:
            x[4] = difference
        return x

    with pytest.raises(AssertionError, match="3 threads"):
        checks.same_bits_for_any_threads(run)


def test_same_bits_rejects_another_shape():
    with pytest.raises(AssertionError, match="2 threads"):
        checks.same_bits_for_any_threads(lambda: np.zeros((checks.threads.get_num_threads(), 0)))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("place", [-1, 6])
def test_guards_notice_a_number_written_beside_an_array(dtype, place):
    array = checks.guarded(np.ones((2, 3)), dtype)
    np.testing.assert_array_equal(array, np.ones((2, 3), dtype))
    checks.assert_guards_whole(array, checks.guarded(np.zeros(5)))
    memory = array.base
    memory[(memory.size - 6) // 2 + place] = 1
    with pytest.raises(AssertionError, match="written before" if place < 0 else "written behind"):
        checks.assert_guards_whole(checks.guarded(np.zeros(5)), array)
