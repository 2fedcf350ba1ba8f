"""broadcast.c against numpy: every way to repeat, sums over any axes, what is left to numpy, any number of threads."""

import math

import numpy as np
import pytest
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads

from fastkeras._kernels import broadcast as kernel

RNG = np.random.default_rng(29)
FUNCTIONS = [(kernel.add, np.add), (kernel.subtract, np.subtract), (kernel.multiply, np.multiply)]
PAIRS = [
    ((), (3,)),
    ((1,), (1, 1)),
    ((0, 3), (3,)),
    ((1, 3), (0, 1)),
    ((17,), (17,)),
    ((5, 7), (7,)),
    ((5, 7), (5, 1)),
    ((5, 1), (1, 7)),
    ((2, 3, 5, 7), (1, 3, 5, 7)),
    ((2, 1, 5), (2, 3, 5)),
    ((2, 3, 1), (2, 1, 37)),
    ((2, 1, 3, 1), (1, 5, 1, 7)),  # four axes that cannot be joined
    ((101, 1, 67), (101, 11, 67)),  # from here on work for threads
    ((101, 11, 67), (101, 11, 1)),
    ((70001,), (1,)),
]


def random(*shape):
    return RNG.normal(size=shape).astype("f")


@pytest.mark.parametrize("function, numpys", FUNCTIONS)
@pytest.mark.parametrize("a_shape, b_shape", PAIRS, ids=str)
def test_arithmetic_has_the_bits_of_numpy(a_shape, b_shape, function, numpys):
    a, b = guarded(random(*a_shape)), guarded(random(*b_shape))
    for x, y in ((a, b), (b, a)):
        found = same_bits_for_any_threads(lambda x=x, y=y: function(x, y))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, numpys(x, y))
    assert_guards_whole(a, b)


@pytest.mark.parametrize("function, numpys", FUNCTIONS)
def test_operands_may_lie_in_any_order_and_be_numbers_or_of_other_types(function, numpys):
    a, b = random(6, 7), random(7)
    places = np.arange(15, dtype=np.int8).reshape(3, 5)
    uneven = np.zeros(57, np.uint8)[1:].view(np.float32)  # an array that no float may be loaded from
    for x, y in [
        (a.T, b[:6]),
        (a[:, ::2], b[::2]),
        (a[::-2], b),
        (a, b[::-1]),
        (a, np.broadcast_to(b, a.shape)),
        (a, np.broadcast_to(np.float32(0.3), a.shape)),
        (a, 0.1),
        (3, a),
        (a, np.float32(0.7)),
        (a, b.astype(float)),
        (a, b.astype(">f4")),
        (a, b > 0),
        (a, True),
        (a[0, 0, ...], b),
        (a[:, :0], 2.0),
        (places, 3.0),
        (b[:3], places.T[0]),
        (uneven, 1.5),
        (2, 3),
    ]:
        for left, right in ((x, y), (y, x)):
            found, expected = function(left, right), numpys(left, right)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


def test_numbers_without_an_end():
    a = np.array([0.0, -0.0, 1.5, 3e38, -3e38, 1e-45, np.inf, -np.inf, np.nan], "f")
    for function, numpys in FUNCTIONS:
        for other in (a[:, None], a[::-1].copy(), 0.0, -0.0, math.inf, math.nan):
            with np.errstate(all="ignore"):
                found, expected = function(a, other), numpys(a, other)
            np.testing.assert_array_equal(found, expected)
            zeros = expected == 0
            np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))
        assert np.all(np.isinf(function(a[2:3], 1e300))) and function(a, 1e300).dtype == np.float32
        with pytest.raises(OverflowError):
            function(a, 10**400)


def test_a_result_is_an_array_of_its_own():
    a = random(3, 5)
    assert not np.shares_memory(kernel.add(a, 0.0), a)


def test_shapes_that_do_not_fit_are_numpys_error():
    with pytest.raises(ValueError, match="could not be broadcast"):
        kernel.add(random(3, 5), random(3))


@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (3, 0), (19,), (2, 3, 5, 7), (3, 149, 67), (997, 131), (3, 70001)])
def test_sums(shape):
    x = guarded(random(*shape))
    axes = [None, (), *range(-len(shape), len(shape))]
    if len(shape) > 1:
        axes += [(0, 1), (-2, -1), (1, 0), (0, len(shape) - 1)]
    for axis in axes:
        for keepdims in (False, True):
            found = same_bits_for_any_threads(lambda axis=axis, keepdims=keepdims: kernel.summed(x, axis, keepdims))
            assert_close(found, x.astype(float).sum(axis=axis, keepdims=keepdims), 2e-5)
            assert found.dtype == np.float32
    assert_guards_whole(x)


def test_sums_of_what_is_infinite_or_no_number():
    x = random(3, 5)
    x[0, 1] = x[2, 0] = np.inf
    x[1, 2], x[2, 4] = np.nan, -np.inf
    for axis in (None, 0, 1):
        with np.errstate(invalid="ignore"):
            assert_close(kernel.summed(x, axis), x.astype(float).sum(axis=axis), 1e-6)


def test_long_sums_keep_their_precision():
    assert kernel.summed(np.full(3_000_001, 0.1, "f")) == pytest.approx(3_000_001 * float(np.float32(0.1)), rel=1e-6)


def test_sums_of_what_the_kernel_does_not_take():
    x = random(5, 7)
    for other in (x.T, x[:, ::2], x.astype(float), x.astype(">f4"), x > 0, np.broadcast_to(x, (3, 5, 7))):
        np.testing.assert_array_equal(kernel.summed(other, 1, True), other.sum(axis=1, keepdims=True))
    with pytest.raises(IndexError, match="out of bounds"):
        kernel.summed(x, 2)
    with pytest.raises(ValueError, match="duplicate"):
        kernel.summed(x, (0, 0))


@pytest.mark.parametrize("shape", [(2, 3, 5), (3, 5), (1, 5), (3, 1), (), (7, 1, 5)])
def test_repeated_arrays_take_no_memory_and_are_to_be_read(shape):
    d = random(*shape)
    for dtype in (np.float32, np.float64):
        given = d.astype(dtype)
        found = kernel.repeated(given, (2, 3, 5)) if shape != (7, 1, 5) else kernel.repeated(given, (7, 3, 5))
        np.testing.assert_array_equal(found, np.broadcast_to(given, found.shape))
        assert np.shares_memory(found, given) and not found.flags.writeable and found.dtype == dtype
        del given  # the view keeps it
        np.testing.assert_array_equal(found, np.broadcast_to(d.astype(dtype), found.shape))
    for wrong in ((2, 3, 6), (5,)):
        if d.ndim > 1 and d.shape[-1] > 1:
            with pytest.raises(ValueError, match=r"broadcast|dimensions"):
                kernel.repeated(d, wrong)


def test_what_is_no_array_is_not_repeated():
    with pytest.raises(TypeError, match="None"):
        kernel.repeated(None, (2,))
