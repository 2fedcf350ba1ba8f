"""depthwise.c against the reference: windows of all kinds, both gradients, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation

from fastkeras._kernels import depthwise

RNG = np.random.default_rng(13)
# image, window, strides, dilation, border (top, bottom, left, right): below and above vectors, runs of 4 and 8 places,
# four taps of a window's row, and the sixteen parts of a batch
CASES = {
    "one pixel": ((1, 1, 1, 1), (1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    "small": ((2, 5, 7, 3), (2, 3), (1, 1), (1, 1), (0, 0, 0, 0)),
    "same": ((3, 7, 19, 17), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    "an uneven border": ((2, 5, 13, 37), (2, 4), (1, 1), (1, 1), (0, 1, 1, 2)),
    "sequence": ((3, 1, 29, 5), (1, 7), (1, 1), (1, 1), (0, 0, 3, 3)),
    "no look ahead": ((2, 1, 17, 7), (1, 5), (1, 1), (1, 2), (0, 0, 8, 0)),
    "strides": ((2, 11, 31, 3), (3, 2), (2, 3), (1, 1), (1, 0, 0, 1)),
    "strides of a wide window": ((2, 11, 37, 19), (5, 5), (2, 2), (1, 1), (2, 2, 1, 2)),
    "strides above the window": ((2, 7, 29, 3), (2, 1), (3, 5), (1, 1), (0, 0, 0, 0)),
    "dilation": ((2, 11, 23, 3), (3, 2), (1, 1), (2, 5), (2, 2, 2, 3)),
    "strides and dilation": ((2, 13, 41, 5), (3, 3), (2, 3), (3, 2), (3, 2, 2, 1)),
    "strides and dilation with a common part": ((2, 17, 53, 5), (3, 3), (4, 6), (2, 3), (1, 3, 2, 4)),
    "the window is the image": ((5, 3, 7, 11), (3, 7), (1, 1), (1, 1), (0, 0, 0, 0)),
    "a window wider than the image": ((2, 2, 3, 5), (5, 7), (1, 1), (1, 1), (2, 2, 3, 3)),
    "nothing but border": ((2, 1, 1, 3), (2, 2), (3, 3), (1, 1), (2, 4, 2, 4)),
    "less image than border": ((2, 1, 1, 3), (1, 3), (1, 1), (1, 1), (0, 0, 5, 5)),
    "gaps wider than the image": ((2, 1, 2, 3), (1, 4), (1, 1), (1, 5), (0, 0, 9, 14)),
    "no image": ((0, 5, 7, 3), (2, 3), (1, 1), (1, 1), (0, 0, 1, 1)),
    "more images than parts": ((19, 3, 5, 2), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    "work for threads": ((5, 19, 17, 43), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
}


def operands(case, draw=RNG.standard_normal):
    x_shape, window, strides, dilation, border = CASES[case]
    top, bottom, left, right = border
    padded = x_shape[1] + top + bottom, x_shape[2] + left + right
    axes = zip(padded, window, strides, dilation, strict=True)
    extents = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in axes]
    N = x_shape[3]
    arrays = draw(x_shape), draw((*window, N)), draw(N), draw((x_shape[0], *extents, N))
    return (*(guarded(a) for a in arrays), (strides, dilation, (top, left)), border)


def forward(x, W, bias, geometry, y_shape, activation="linear"):
    f = Activation(activation)
    y = guarded(np.full(y_shape, np.nan))
    z = guarded(np.full(y_shape, np.nan)) if f.needs_input else None
    depthwise.forward(y, z, x, W, bias, *geometry, f)
    assert_guards_whole(y)
    return y if z is None else (y, z)


def backward(dz, x, W, geometry, dW_before):
    dx, dW = guarded(np.full(x.shape, np.nan)), guarded(dW_before)
    depthwise.backward(dx, dW, dz, x, W, *geometry)
    assert_guards_whole(dx, dW)
    return dx, dW


def expected(x, W, bias, dy, geometry, border):
    """(y, dx, dW) by the reference, which knows no border"""
    x, W, bias, dy = (a.astype(np.float64) for a in (x, W, bias, dy))
    padded, W, options = reference.pad(x, *border), W[..., None], geometry[:2]
    dpadded, dW, _ = reference.depthwise_backward(dy, padded, W, *options)
    top, bottom, left, right = border
    dx = dpadded[:, top : dpadded.shape[1] - bottom, left : dpadded.shape[2] - right]
    return reference.depthwise(padded, W, bias, *options), dx, dW[..., 0]


@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradients(case):
    x, W, bias, dy, geometry, border = operands(case)
    expected_y, expected_dx, expected_dW = expected(x, W, bias, dy, geometry, border)
    y = same_bits_for_any_threads(lambda: forward(x, W, bias, geometry, dy.shape))
    assert_close(y, expected_y, 3e-6, "y")
    y = same_bits_for_any_threads(lambda: forward(x, W, None, geometry, dy.shape))
    assert_close(y, expected_y - bias.astype(np.float64), 3e-6, "y without bias")

    before = RNG.standard_normal(W.shape).astype("f")
    dx, dW = same_bits_for_any_threads(lambda: backward(dy, x, W, geometry, before))
    assert_close(dx, expected_dx, 3e-6, "dx")
    assert_close(dW, before + expected_dW, 3e-6, "dW")


@pytest.mark.parametrize("case", CASES)
def test_whole_numbers_are_exact(case):
    """Sums below 2^24 have no rounding: a product left out, taken twice or put elsewhere cannot hide."""
    x, W, bias, dy, geometry, border = operands(case, draw=lambda shape: RNG.integers(-9, 10, shape))
    expected_y, expected_dx, expected_dW = expected(x, W, bias, dy, geometry, border)
    np.testing.assert_array_equal(forward(x, W, bias, geometry, dy.shape), expected_y)
    dx, dW = backward(dy, x, W, geometry, np.zeros(W.shape))
    np.testing.assert_array_equal(dx, expected_dx)
    np.testing.assert_array_equal(dW, expected_dW)


@pytest.mark.parametrize("name", ["relu", "tanh", "silu"])
def test_activation_follows_the_last_product(name):
    x, W, bias, dy, geometry, border = operands("work for threads")
    sums, _, _ = expected(x, W, bias, dy, geometry, border)
    y = same_bits_for_any_threads(lambda: forward(x, W, bias, geometry, dy.shape, name))
    if name == "silu":
        y, z = y
        assert_close(z, sums, 3e-6, "z")
    assert_close(y, getattr(reference, name)(sums), 5e-6, "y")


def test_an_image_has_the_same_bits_wherever_it_stands():
    x, W, bias, dy, geometry, _ = operands("work for threads")
    whole = forward(x, W, bias, geometry, dy.shape)
    for b in range(len(x)):
        alone = forward(x[b : b + 1].copy(), W, bias, geometry, (1, *dy.shape[1:]))
        np.testing.assert_array_equal(alone[0], whole[b])


def test_gradients_that_are_not_wanted_are_left_out():
    x, W, _, dy, geometry, _ = operands("same")
    dx, dW = backward(dy, x, W, geometry, np.zeros(W.shape))
    only_dx, only_dW = np.empty_like(dx), np.zeros_like(dW)
    depthwise.backward(only_dx, None, dy, x, W, *geometry)
    depthwise.backward(None, only_dW, dy, x, W, *geometry)
    np.testing.assert_array_equal(only_dx, dx)
    np.testing.assert_array_equal(only_dW, dW)


@pytest.mark.parametrize(("P", "C", "M"), [(0, 3, 2), (5, 1, 1), (7, 5, 3), (2003, 13, 11)])
def test_channels_repeated_and_their_sums(P, C, M):
    x, d = guarded(RNG.standard_normal((P, C))), guarded(RNG.standard_normal((P, C * M)))

    def run():
        wide, narrow = guarded(np.full(d.shape, np.nan)), guarded(np.full(x.shape, np.nan))
        depthwise.repeat(wide, x)
        depthwise.fold(narrow, d)
        assert_guards_whole(wide, narrow)
        return wide, narrow

    wide, narrow = same_bits_for_any_threads(run)
    np.testing.assert_array_equal(wide, np.repeat(x, M, axis=1))
    assert_close(narrow, d.astype(np.float64).reshape(P, C, M).sum(axis=2), 1e-6, "sums")


def array(*shape, dtype="f"):
    return np.zeros(shape, dtype)


X, W, Y = array(2, 5, 7, 6), array(2, 3, 6), array(2, 4, 5, 6)
ONES, NONE = (1, 1), (0, 0)


def call(y=Y, z=None, x=X, W=W, bias=None, strides=ONES, dilation=ONES, before=NONE, activation="linear"):
    depthwise.forward(y, z, x, W, bias, strides, dilation, before, Activation(activation))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": array(5, 7, 6)}, "4, 3 and 4 axes"),
        ({"x": array(2, 5, 7, 6, dtype="f8")}, "`x` must be"),
        ({"x": array(3, 5, 7, 6)}, "the same batch"),
        ({"W": array(2, 3, 7)}, "the same channels"),
        ({"y": array(2, 4, 5, 7)}, "the same channels"),
        ({"y": array(2, 4, 5, 6, dtype="f8")}, "`y` must be"),
        ({"z": array(2, 4, 4, 6)}, "`z` must be"),
        ({"z": array(2, 4, 5, 7)}, "`z` must have 6 channels"),
        ({"bias": array(7)}, "`bias` must be"),
        ({"strides": (0, 1)}, "at least 1"),
        ({"dilation": (1, 0)}, "at least 1"),
        ({"before": (0, -1)}, "at least 0"),
        ({"activation": "softmax"}, "softmax"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    call()
    with pytest.raises(ValueError, match=message):
        call(**arguments)


def test_wrong_gradients_are_named():
    with pytest.raises(ValueError, match=r"`dx` must have shape \(2, 5, 7, 6\)"):
        depthwise.backward(array(2, 5, 8, 6), None, Y, X, W, ONES, ONES, NONE)
    with pytest.raises(ValueError, match=r"`dW` must have shape \(2, 3, 6\)"):
        depthwise.backward(None, array(2, 2, 6), Y, X, W, ONES, ONES, NONE)
    with pytest.raises(ValueError, match="`to` must have a multiple of 3 columns"):
        depthwise.repeat(array(5, 7), array(5, 3))
    with pytest.raises(ValueError, match="`x` must be"):
        depthwise.fold(array(5, 3), array(6, 6))
