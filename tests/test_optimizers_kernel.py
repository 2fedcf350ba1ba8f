"""optimizers.c against the reference over ten steps, and the same bits for any number of threads."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras._kernels import optimizers

RATE, STEPS = 0.01, 10
# vector tails; more than the 4096 that a thread takes at a time; enough work for three threads
SIZES = [1, 2, 7, 13, 31, 4099, 150_011]
# what is done to the gradient and to p before the step: scale, clip, decay
PREPARATIONS = {"plain": (1.0, np.inf, 0.0), "prepared": (0.3, 0.11, 0.07)}

all_cases = pytest.mark.parametrize("n", SIZES)
prepared = pytest.mark.parametrize("preparation", PREPARATIONS.values(), ids=PREPARATIONS)


def check(n, preparation, slots, kernel, formula, grid=None, tol=1e-6):
    """Ten steps from random p and constant slots: `kernel` in float32, `formula` in float64.

    slots: the names of the arrays the optimizer keeps, or {name: what its elements are at first} where that is not
    zero. kernel(p, g, slot, numbers, t) updates p and the arrays of the dict `slot` in place; formula(p, d, slot, t)
    returns p and puts the new values into `slot`. grid: if given, gradients are multiples of it. tol: for p, and
    twice as much for slots.
    """
    scale, clip, decay = preparation
    rng = np.random.default_rng(n)
    start = rng.normal(size=n).astype(np.float32)
    gradients = rng.normal(0.0, 0.5, (STEPS, n)).astype(np.float32)
    if grid:
        gradients = grid * np.rint(gradients / grid)
    slots = slots if isinstance(slots, dict) else dict.fromkeys(slots, 0.0)

    def run():
        p, g = start.copy(), np.zeros(n, np.float32)
        slot = {name: np.full(n, first, np.float32) for name, first in slots.items()}
        for t in range(1, STEPS + 1):
            g += gradients[t - 1]  # as a backward pass does, and so the step must have left zeros
            kernel(p, g, slot, (RATE, scale, clip, decay), t)
        return p, g, *slot.values()

    p, g, *kept = same_bits_for_any_threads(run)
    expected, slot = start.astype(np.float64), defaultdict(float, slots)
    for t in range(1, STEPS + 1):
        d = reference.seen_gradient(gradients[t - 1].astype(np.float64), scale, clip)
        expected = formula(reference.decayed(expected, RATE, decay), d, slot, t)
    assert_close(p - start, expected - start, 1e-4, "change of p")
    assert_close(p, expected, tol, "p")
    assert not g.any()
    for name, actual in zip(slots, kept, strict=True):
        assert_close(actual, slot[name], 2 * tol, name)


@all_cases
@prepared
@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.8, False), (0.8, True)])
def test_sgd(n, preparation, momentum, nesterov):
    def kernel(p, g, slot, numbers, t):
        optimizers.sgd(p, slot.get("m"), g, *numbers, momentum, nesterov)

    def formula(p, d, slot, t):
        p, slot["m"] = reference.sgd(p, slot["m"], d, RATE, momentum, nesterov)
        return p

    check(n, preparation, ["m"] if momentum else [], kernel, formula)


@all_cases
@prepared
@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop(n, preparation, centered, momentum):
    rho, epsilon = 0.83, 2e-3

    def kernel(p, g, slot, numbers, t):
        optimizers.rmsprop(p, slot["v"], slot.get("m"), slot.get("a"), g, *numbers, rho, momentum, epsilon)

    def formula(p, d, slot, t):
        p, slot["v"], slot["m"], slot["a"] = reference.rmsprop(
            p, slot["v"], slot["m"], slot["a"], d, RATE, rho, momentum, epsilon, centered
        )
        return p

    check(n, preparation, ["v"] + ["m"] * bool(momentum) + ["a"] * centered, kernel, formula)


@all_cases
@prepared
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam(n, preparation, amsgrad):
    beta_1, beta_2, epsilon = 0.83, 0.61, 3e-3  # a small beta_2, so that v falls as well as rises

    def kernel(p, g, slot, numbers, t):
        optimizers.adam(p, slot["m"], slot["v"], slot.get("v_max"), g, *numbers, beta_1, beta_2, epsilon, t)

    def formula(p, d, slot, t):
        p, slot["m"], slot["v"], slot["v_max"] = reference.adam(
            p, slot["m"], slot["v"], slot["v_max"], d, t, RATE, beta_1, beta_2, epsilon, amsgrad
        )
        return p

    check(n, preparation, ["m", "v"] + ["v_max"] * amsgrad, kernel, formula)


def test_adam_rounds_its_step_size_as_float32_does():
    """1 - 0.999 is 1.3e-5 of itself smaller in float32, and the first step shows half of that."""
    p, m, v = np.zeros(3, np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    optimizers.adam(p, m, v, None, np.ones(3, np.float32), 1.0, 1.0, np.inf, 0.0, 0.9, 0.999, 0.0, 1)
    expected = 0.1 / (1 - np.float64(np.float32(0.9))) * np.sqrt((1 - np.float64(np.float32(0.999))) / 0.001)
    assert abs(expected - 1) > 6e-6
    assert_close(-p, np.full(3, expected), 3e-7)


@all_cases
@prepared
def test_adagrad(n, preparation):
    def kernel(p, g, slot, numbers, t):
        optimizers.adagrad(p, slot["v"], g, *numbers, 3e-3)

    def formula(p, d, slot, t):
        p, slot["v"] = reference.adagrad(p, slot["v"], d, RATE, 3e-3)
        return p

    check(n, preparation, {"v": 0.13}, kernel, formula)


@all_cases
@prepared
def test_nadam(n, preparation):
    options = 0.83, 0.61, 3e-3

    def kernel(p, g, slot, numbers, t):
        optimizers.nadam(p, slot["m"], slot["v"], g, *numbers, *options, t)

    def formula(p, d, slot, t):
        p, slot["m"], slot["v"] = reference.nadam(p, slot["m"], slot["v"], d, t, RATE, *options)
        return p

    check(n, preparation, ["m", "v"], kernel, formula)


@pytest.mark.parametrize("beta_1", [0.9, 0.9999])
@pytest.mark.parametrize("t", [0, 1, 2, 499, 500, 501, 3001])
def test_nadam_momentum_product(t, beta_1):
    exact = math.prod(beta_1 * (1 - 0.96**k / 2) for k in range(1, t + 1))
    assert optimizers.nadam_momentum_product(beta_1, t) == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize("beta_1", [0.9, 0.9999])
@pytest.mark.parametrize("t", [501, 3001])
def test_nadam_after_many_steps(t, beta_1):
    rng = np.random.default_rng(t)
    p, m, g = rng.normal(size=(3, 7)).astype(np.float32)
    v = rng.uniform(0.5, 2.0, 7).astype(np.float32)
    options = 0.999, 1e-7
    expected, _, _ = reference.nadam(*(a.astype(np.float64) for a in (p, m, v, g)), t, RATE, beta_1, *options)
    before = p.copy()
    optimizers.nadam(p, m, v, g, RATE, 1.0, np.inf, 0.0, beta_1, *options, t)
    assert_close(p - before, expected - before, 1e-4)


@all_cases
@prepared
def test_adamax(n, preparation):
    options = 0.83, 0.61, 3e-3

    def kernel(p, g, slot, numbers, t):
        optimizers.adamax(p, slot["m"], slot["u"], g, *numbers, *options, t)

    def formula(p, d, slot, t):
        p, slot["m"], slot["u"] = reference.adamax(p, slot["m"], slot["u"], d, t, RATE, *options)
        return p

    check(n, preparation, ["m", "u"], kernel, formula)


@all_cases
@prepared
def test_adadelta(n, preparation):
    rho, epsilon = 0.83, 2e-3

    def kernel(p, g, slot, numbers, t):
        optimizers.adadelta(p, slot["v"], slot["x"], g, *numbers, rho, epsilon)

    def formula(p, d, slot, t):
        p, slot["v"], slot["x"] = reference.adadelta(p, slot["v"], slot["x"], d, RATE, rho, epsilon)
        return p

    check(n, preparation, ["v", "x"], kernel, formula)


@all_cases
@pytest.mark.parametrize("preparation", [(1.0, np.inf, 0.0), (0.5, 0.125, 0.07)], ids=["plain", "prepared"])
def test_lion(n, preparation):
    """All numbers under the sign are multiples of 2^-18 and below 8, so that float32 has them, and zero, exactly."""

    def kernel(p, g, slot, numbers, t):
        optimizers.lion(p, slot["m"], g, *numbers, 0.75, 0.5)

    def formula(p, d, slot, t):
        p, slot["m"] = reference.lion(p, slot["m"], d, RATE, 0.75, 0.5)
        return p

    check(n, preparation, ["m"], kernel, formula, grid=1 / 32)


def test_lion_stands_still_at_zero_and_passes_on_what_is_not_a_number():
    p, m, g = np.ones((3, 5), np.float32)
    m[:] = [0, -1, -1, np.nan, 0]
    g[:] = [0, 3, 1, 0, np.nan]
    optimizers.lion(p, m, g, 0.25, 1.0, np.inf, 0.0, 0.75, 0.5)
    np.testing.assert_array_equal(p, np.array([1, 1, 1.25, np.nan, np.nan], np.float32))


@all_cases
@prepared
@pytest.mark.parametrize("exponent", [0.0, 0.5, 0.7])
@pytest.mark.parametrize("strengths", [(0.0, 0.0, 0.0, 0.0), (0.9, 0.3, 0.02, 0.4)], ids=["free", "held"])
def test_ftrl(n, preparation, strengths, exponent):
    def kernel(p, g, slot, numbers, t):
        optimizers.ftrl(p, slot["v"], slot["z"], g, *numbers, exponent, *strengths)

    def formula(p, d, slot, t):
        p, slot["v"], slot["z"] = reference.ftrl(p, slot["v"], slot["z"], d, RATE, -exponent, *strengths)
        return p

    # z grows by small differences of v^exponent, and p is a quotient of z's sum, which cancels
    check(n, preparation, {"v": 0.13, "z": 0.0}, kernel, formula, tol=4e-5)


def test_ftrl_holds_small_weights_at_zero():
    p, g = np.zeros(2, np.float32), np.array([0.5, -2.0], np.float32)
    v, z = np.full(2, 0.25, np.float32), np.zeros(2, np.float32)
    optimizers.ftrl(p, v, z, g, 0.5, 1.0, np.inf, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0)
    assert p[0] == 0.0
    assert_close(p[1], 0.5 * (2.0 - 1.0) / np.sqrt(4.25), 1e-6)


def test_ftrl_raises_zero_to_the_power_zero():
    arrays = p, v, z, g = np.ones(3, np.float32), *np.zeros((3, 3), np.float32)
    optimizers.ftrl(p, v, z, g, 0.5, 1.0, np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for array in arrays:
        np.testing.assert_array_equal(array, np.zeros(3, np.float32))


@all_cases
def test_average(n):
    rng = np.random.default_rng(n)
    a, p = rng.normal(size=(2, n)).astype(np.float32)

    def run():
        result = a.copy()
        optimizers.average(result, p, 0.9)
        return result

    assert_close(same_bits_for_any_threads(run), 0.9 * a.astype(np.float64) + 0.1 * p, 1e-6)


@pytest.mark.parametrize("n", [0, *SIZES, 300_007])  # the last is cut into 64 parts longer than a block
def test_square_sum(n):
    g = np.random.default_rng(n).normal(size=n).astype(np.float32)
    result = same_bits_for_any_threads(lambda: optimizers.square_sum(g))
    assert_close(result, np.sum(g.astype(np.float64) ** 2), 1e-14)


def test_square_sum_does_not_overflow():
    g = np.full(3, 2e30, np.float32)
    assert_close(optimizers.square_sum(g), np.sum(g.astype(np.float64) ** 2), 1e-14)


def test_clip_norms_takes_each_variable_by_itself():
    rng = np.random.default_rng(3)
    sizes = [7, 0, 1, 150_011, 13]
    offsets = np.cumsum([0, *sizes])
    g = rng.normal(size=offsets[-1]).astype(np.float32)
    g[-13:] *= 0.01  # a norm below the limit

    def run():
        result = g.copy()
        optimizers.clip_norms(result, offsets, 0.37)
        return result

    result = same_bits_for_any_threads(run)
    for begin, end in itertools.pairwise(offsets):
        assert_close(result[begin:end], reference.clip_by_norm(g[begin:end].astype(np.float64), 0.37), 1e-6)
    np.testing.assert_array_equal(result[-13:], g[-13:])


def test_clip_norms_passes_on_what_is_not_a_number():
    g = np.array([1, np.nan, 2, 3], np.float32)
    optimizers.clip_norms(g, np.array([0, 2, 4]), 5.0)
    np.testing.assert_array_equal(g, np.array([np.nan, np.nan, 2, 3], np.float32))


def test_wrong_arrays_are_named():
    p, g = np.zeros(5, np.float32), np.zeros(5, np.float32)
    numbers = (0.1, 1.0, np.inf, 0.0)
    with pytest.raises(ValueError, match=r"`g` must be a writable .* float32 array of shape \(5\)"):
        optimizers.sgd(p, None, g[:4], *numbers, 0.0, False)
    with pytest.raises(ValueError, match=r"`m` .*Received: float64"):
        optimizers.sgd(p, np.zeros(5), g, *numbers, 0.9, False)
    with pytest.raises(ValueError, match="`v` "):
        optimizers.rmsprop(p, np.zeros(6, np.float32), None, None, g, *numbers, 0.9, 0.0, 1e-7)
    with pytest.raises(ValueError, match="`v_max` "):
        optimizers.adam(p, g, g, np.zeros(6, np.float32), g, *numbers, 0.9, 0.999, 1e-7, 1)
    for call, name, options in (
        (lambda g, *rest: optimizers.adagrad(p, p[:4], g, *rest), "v", (1e-7,)),
        (lambda g, *rest: optimizers.nadam(p, p[:4], p, g, *rest), "m", (0.9, 0.999, 1e-7, 1)),
        (lambda g, *rest: optimizers.adamax(p, p, p[:4], g, *rest), "u", (0.9, 0.999, 1e-7, 1)),
        (lambda g, *rest: optimizers.adadelta(p, p, p[:4], g, *rest), "x", (0.9, 1e-7)),
        (lambda g, *rest: optimizers.lion(p, p[:4], g, *rest), "m", (0.9, 0.99)),
        (lambda g, *rest: optimizers.ftrl(p, p, p[:4], g, *rest), "z", (0.5, 0.0, 0.0, 0.0, 0.0)),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            call(g, *numbers, *options)
    number = np.array(1.0, np.float32)
    for call in (lambda: optimizers.square_sum(number), lambda: optimizers.average(p, number, 0.9)):
        with pytest.raises(ValueError, match=r"must be .* of shape \(any\)\. Received: float32 of shape \(\)"):
            call()
    with pytest.raises(ValueError, match="`offsets` must be"):
        optimizers.clip_norms(g, np.array(5), 1.0)
    for offsets in ([0, 6], [-1, 5], [3, 2, 5]):
        with pytest.raises(ValueError, match="`offsets` must rise"):
            optimizers.clip_norms(g, np.array(offsets), 1.0)


def test_nothing_to_do():
    empty = np.zeros(0, np.float32)
    optimizers.sgd(empty, None, empty, 0.1, 1.0, np.inf, 0.0, 0.0, False)
    optimizers.clip_norms(empty, np.array([0]), 1.0)
    assert optimizers.square_sum(empty) == 0.0
