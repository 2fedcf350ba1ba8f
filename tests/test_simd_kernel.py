"""simd.h's functions against float64: the stated error over the whole range of floats, and their limits."""

import math

import numpy as np
import pytest

from fastkeras._kernels import vector_math

INF, NAN = np.inf, np.nan
SMALLEST, LARGEST = np.float32(1e-45), np.finfo(np.float32).max

# name: the function, and its largest error in ulp as simd.h states it
FUNCTIONS = {
    "exp": (np.exp, 1.1),
    "exp_fast": (np.exp, 1.1),
    "expm1": (np.expm1, 1.8),
    "log": (np.log, 1.0),
    "log1p": (np.log1p, 1.4),
    "sigmoid": (lambda x: np.exp(-np.logaddexp(0, -x)), 2.5),
    "tanh": (np.tanh, 2.7),
    "erf": (np.vectorize(math.erf), 3.2),
    "sqrt": (np.sqrt, 0.5),
}

# name: what it gives for -inf, -LARGEST, -1, -SMALLEST, -0, 0, SMALLEST, 1, LARGEST, inf
POINTS = [-INF, -LARGEST, -1, -SMALLEST, -0.0, 0.0, SMALLEST, 1, LARGEST, INF]
LIMITS = {
    "exp": [0, 0, np.exp(-1), 1, 1, 1, 1, np.e, INF, INF],
    "exp_fast": [0, 0, np.exp(-1), 1, 1, 1, 1, np.e, INF, INF],
    "expm1": [-1, -1, np.expm1(-1), -SMALLEST, 0, 0, SMALLEST, np.expm1(1), INF, INF],
    "log": [NAN, NAN, NAN, NAN, -INF, -INF, np.log(float(SMALLEST)), 0, np.log(float(LARGEST)), INF],
    "log1p": [NAN, NAN, -INF, -SMALLEST, 0, 0, SMALLEST, np.log(2), np.log(float(LARGEST)), INF],
    "sigmoid": [0, 0, 1 / (1 + np.e), 0.5, 0.5, 0.5, 0.5, 1 / (1 + np.exp(-1)), 1, 1],
    "tanh": [-1, -1, np.tanh(-1), -SMALLEST, 0, 0, SMALLEST, np.tanh(1), 1, 1],
    "erf": [-1, -1, math.erf(-1), -SMALLEST, 0, 0, SMALLEST, math.erf(1), 1, 1],
    "sqrt": [NAN, NAN, NAN, NAN, 0, 0, np.sqrt(float(SMALLEST)), 1, np.sqrt(float(LARGEST)), INF],
}


def apply(name, x):
    y = np.empty_like(x)
    vector_math.apply(y, x, name)
    return y


def sample():
    """Every 20011th float, and more of those that matter most."""
    rng = np.random.default_rng(3)
    bits = np.arange(0, 2**32, 20011, dtype=np.uint64).astype(np.uint32)
    every = bits.view(np.float32)
    middle = [rng.uniform(-r, r, 20_000).astype(np.float32) for r in (0.01, 1.0, 10.0, 100.0)]
    return np.concatenate([every[np.isfinite(every)], *middle])


def error_in_ulp(actual, expected):
    """|actual - expected| in units in the last place of `expected` as a float32."""
    _, exponent = np.frexp(np.maximum(np.abs(expected), np.finfo(np.float32).tiny))
    return np.abs(actual - expected) / np.ldexp(1.0, exponent - 24)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_in_ulp(name):
    function, ulp = FUNCTIONS[name]
    x = sample()
    with np.errstate(all="ignore"):
        expected = function(x.astype(np.float64))
        kept = np.abs(expected) <= LARGEST
        if name == "exp_fast":
            kept &= (expected >= 2.0**-126) & (expected <= 2.0**127)
        if name == "sigmoid":
            kept &= expected >= 2.0**-126
    error = error_in_ulp(apply(name, x)[kept].astype(np.float64), expected[kept])
    worst = error.argmax()
    assert kept.sum() > 10_000
    assert error[worst] <= ulp, f"{name}({x[kept][worst]!r}): {error[worst]:.2f} ulp"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_limits(name):
    actual = apply(name, np.array(POINTS, np.float32))
    np.testing.assert_allclose(actual, np.array(LIMITS[name], np.float64), rtol=4e-7, atol=SMALLEST)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_gives_nan(name):
    x = np.array([1.0, NAN, -1.0, -NAN], np.float32)
    assert np.isnan(apply(name, x)[[1, 3]]).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_overflow_is_infinite_and_underflow_is_gradual_or_zero(name):
    x = sample()
    with np.errstate(all="ignore"):
        expected = FUNCTIONS[name][0](x.astype(np.float64))
    y = apply(name, x)
    assert (y[expected > 3.5e38] == INF).all()
    tiny = np.abs(expected) < 2.0**-128
    np.testing.assert_allclose(y[tiny], expected[tiny], rtol=0, atol=3e-39 if name != "exp" else 1e-45)


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_odd_functions_are_odd_to_the_bit(name):
    x = sample()
    assert apply(name, -x).tobytes() == (-apply(name, x)).tobytes()


def test_tanh_and_erf_saturate():
    x = np.array([9.02, 20.0, 1e10, 4.0], np.float32)
    assert (apply("tanh", x[:3]) == 1).all()
    assert (apply("erf", x) == 1).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bits_do_not_depend_on_the_position(name):
    x = np.random.default_rng(4).uniform(0.1, 5, 67).astype(np.float32)
    whole = apply(name, x)
    for begin, end in [(0, 1), (1, 3), (2, 19), (5, 36), (60, 67), (67, 67)]:
        assert apply(name, x[begin:end].copy()).tobytes() == whole[begin:end].tobytes()
