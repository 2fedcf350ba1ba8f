"""conv.c against the reference: windows of all kinds, both gradients, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_guards_whole, guarded, same_bits_for_any_threads
from fastkeras._kernels.activations import Activation

from fastkeras._kernels import conv
from fastkeras._kernels import pooling as pooling_kernel

RNG = np.random.default_rng(41)
# image, kernel, strides, dilation, groups: the edges of windows, tiles and vectors; then above each blocking constant
CASES = {
    "one pixel": ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), (1, 1), 1),
    "small": ((2, 5, 7, 3), (2, 3, 3, 5), (1, 1), (1, 1), 1),
    "sequence": ((3, 1, 13, 5), (1, 3, 5, 7), (1, 1), (1, 1), 1),
    "strides": ((2, 11, 13, 3), (3, 2, 3, 5), (2, 3), (1, 1), 1),
    "strides above the window": ((2, 7, 11, 3), (2, 1, 3, 5), (3, 5), (1, 1), 1),
    "dilation": ((2, 11, 13, 3), (3, 2, 3, 5), (1, 1), (2, 5), 1),
    "dilated rows": ((2, 11, 7, 3), (3, 2, 3, 5), (1, 1), (4, 1), 1),
    "strides and dilation": ((2, 13, 11, 3), (3, 3, 3, 2), (2, 3), (3, 2), 1),
    "strides that divide the dilation": ((2, 13, 7, 3), (3, 2, 3, 5), (2, 1), (4, 1), 1),
    "groups": ((2, 5, 7, 6), (3, 2, 2, 15), (2, 1), (1, 1), 3),
    "a group for each channel": ((2, 7, 5, 17), (3, 3, 1, 34), (1, 1), (1, 1), 17),
    "the window is the image": ((5, 3, 7, 11), (3, 7, 11, 2), (1, 1), (1, 1), 1),
    "no image": ((0, 5, 7, 3), (2, 3, 3, 5), (1, 1), (1, 1), 1),
    "many pixels": ((3, 13, 17, 2), (3, 3, 2, 37), (1, 1), (1, 1), 1),  # 3 x 165: above PIXELS, and NR of filters
    "a deep window": ((2, 5, 6, 67), (3, 3, 67, 19), (1, 1), (1, 1), 1),  # 603 = 3 x 201: above FK_GEMM_DEPTH
    "deeper taps": ((2, 3, 7, 173), (2, 3, 173, 5), (1, 1), (1, 1), 1),  # 519 a row: taps of one pixel
    "a tap too long": ((2, 2, 5, 523), (2, 2, 523, 3), (1, 1), (1, 1), 1),  # 523 channels
    "groups too long": ((1, 2, 5, 1046), (2, 2, 523, 6), (1, 1), (1, 1), 2),
    "a tall window": ((2, 6, 5, 67), (5, 2, 67, 211), (1, 1), (1, 1), 1),  # 2 of 5 taps, 211 filters each, in a product
    "many filters": ((2, 5, 4, 3), (3, 2, 3, 523), (1, 1), (1, 1), 1),  # above FK_GEMM_DEPTH
    "a long row": ((2, 1, 541, 3), (1, 5, 3, 7), (1, 1), (1, 1), 1),  # the gradient of W takes rows of 512 pixels
    "work for threads": ((5, 19, 17, 13), (3, 3, 13, 43), (1, 1), (1, 1), 1),
}


def array(*shape, dtype="f"):
    return np.zeros(shape, dtype)


X, W, Y = array(2, 5, 7, 6), array(2, 3, 6, 5), array(2, 4, 5, 5)


def operands(case, draw=RNG.standard_normal):
    x_shape, W_shape, *geometry = CASES[case]
    extents = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x_shape[1:3], W_shape, *geometry[:2], strict=False)]
    dy = draw((x_shape[0], *extents, W_shape[3]))
    return (*(guarded(a) for a in (draw(x_shape), draw(W_shape), draw(W_shape[3]), dy)), geometry)


def forward(x, W, bias, geometry, y_shape, activation="linear"):
    f = Activation(activation)
    y = guarded(np.full(y_shape, np.nan))
    z = guarded(np.full(y_shape, np.nan)) if f.needs_input else None
    conv.forward(y, z, x, W, bias, *geometry, f)
    assert_guards_whole(y)
    return y if z is None else (y, z)


def backward(dz, x, W, geometry, dW_before):
    dx, dW = guarded(np.full(x.shape, np.nan)), guarded(dW_before)
    conv.backward(dx, dW, dz, x, W, *geometry)
    assert_guards_whole(dx)
    assert_guards_whole(dW)
    return dx, dW


def as_doubles(*arrays):
    return [a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize("case", CASES)
def test_forward_and_gradients(case):
    x, W, bias, dy, geometry = operands(case)
    x64, W64, bias64, dy64 = as_doubles(x, W, bias, dy)
    y = same_bits_for_any_threads(lambda: forward(x, W, bias, geometry, dy.shape))
    assert_close(y, reference.conv(x64, W64, bias64, *geometry), 3e-6, "y")
    y = same_bits_for_any_threads(lambda: forward(x, W, None, geometry, dy.shape))
    assert_close(y, reference.conv(x64, W64, None, *geometry), 3e-6, "y without bias")

    before = RNG.standard_normal(W.shape).astype("f")
    dx, dW = same_bits_for_any_threads(lambda: backward(dy, x, W, geometry, before))
    expected_dx, expected_dW, _ = reference.conv_backward(dy64, x64, W64, *geometry)
    assert_close(dx, expected_dx, 3e-6, "dx")
    assert_close(dW, before + expected_dW, 3e-6, "dW")


@pytest.mark.parametrize("case", ["groups", "many pixels", "a deep window", "groups too long", "a long row"])
def test_whole_numbers_are_exact(case):
    """Sums below 2^24 have no rounding: a product left out, taken twice or put elsewhere cannot hide."""
    x, W, bias, dy, geometry = operands(case, draw=lambda shape: RNG.integers(-9, 10, shape))
    np.testing.assert_array_equal(
        forward(x, W, bias, geometry, dy.shape), reference.conv(*as_doubles(x, W, bias), *geometry)
    )
    dx, dW = backward(dy, x, W, geometry, np.zeros(W.shape))
    expected_dx, expected_dW, _ = reference.conv_backward(*as_doubles(dy, x, W), *geometry)
    np.testing.assert_array_equal(dx, expected_dx)
    np.testing.assert_array_equal(dW, expected_dW)


@pytest.mark.parametrize("case", ["small", "groups", "many pixels", "a deep window"])
@pytest.mark.parametrize("name", ["relu", "tanh", "silu"])
def test_activation_follows_the_last_product(case, name):
    x, W, bias, dy, geometry = operands(case)
    W /= np.sqrt(W[..., 0].size)
    expected = reference.conv(*as_doubles(x, W, bias), *geometry)
    y = same_bits_for_any_threads(lambda: forward(x, W, bias, geometry, dy.shape, name))
    if name == "silu":
        y, z = y
        assert_close(z, expected, 3e-6, "z")
    assert_close(y, getattr(reference, name)(expected), 5e-6, "y")


def test_a_pixel_has_the_same_bits_wherever_it_stands():
    """A batch's images do not change each other, nor does the number of pixels before one."""
    x, W, bias, dy, geometry = operands("many pixels")
    whole = forward(x, W, bias, geometry, dy.shape)
    for b in range(len(x)):
        alone = forward(x[b : b + 1].copy(), W, bias, geometry, (1, *dy.shape[1:]))
        np.testing.assert_array_equal(alone[0], whole[b])


def test_gradients_that_are_not_wanted_are_left_out():
    x, W, _, dy, geometry = operands("small")
    dx, dW = backward(dy, x, W, geometry, np.zeros(W.shape))
    only_dx, only_dW = np.empty_like(dx), np.zeros_like(dW)
    conv.backward(only_dx, None, dy, x, W, *geometry)
    conv.backward(None, only_dW, dy, x, W, *geometry)
    np.testing.assert_array_equal(only_dx, dx)
    np.testing.assert_array_equal(only_dW, dW)


@pytest.mark.parametrize("case", CASES)
def test_a_border_takes_no_gradient_and_changes_none(case):
    x, W, _, dy, geometry = operands(case)
    whole = np.empty_like(x)
    conv.backward(whole, None, dy, x, W, *geometry)
    H, width = x.shape[1:3]
    for top, bottom, left, right in (
        (1, 0, 0, 1),
        (0, 1, 1, 0),
        (H // 2, 0, 0, width // 2),
        (0, H // 2, width // 2, 0),
    ):
        inner = whole[:, top : H - bottom, left : width - right]
        dx = guarded(np.full(inner.shape, np.nan))
        conv.backward(dx, None, dy, x, W, *geometry, top, left)
        assert_guards_whole(dx)
        np.testing.assert_array_equal(dx, inner)


# --- gradients at some places alone ---


def peaks(shape, Q):
    """g and place (B, Q, N) for y of this shape, in which places come twice and some have no gradient."""
    B, OH, OW, N = shape
    g = RNG.standard_normal((B, Q, N)) * (RNG.random((B, Q, N)) < 0.8)
    return guarded(g), guarded(RNG.integers(0, OH * OW, (B, Q, N)), np.int32)


def backward_peaks(g, place, x, index, W, geometry, dW_before):
    dx, dW = guarded(np.full(x.shape, np.nan)), guarded(dW_before)
    conv.backward_peaks(dx, dW, g, place, x, index, W, *geometry)
    assert_guards_whole(dx, dW)
    return dx, dW


@pytest.mark.parametrize(
    ("case", "Q"), [*((case, 5) for case in CASES), ("small", 0), ("groups", 131), ("sequence", 1)]
)
def test_gradients_from_peaks(case, Q):
    x, W, _, dy, geometry = operands(case)
    g, place = peaks(dy.shape, Q)
    before = RNG.standard_normal(W.shape).astype("f")
    dx, dW = same_bits_for_any_threads(lambda: backward_peaks(g, place, x, None, W, geometry, before))
    dense = reference.from_peaks(g, place, dy.shape)
    expected_dx, expected_dW, _ = reference.conv_backward(dense, *as_doubles(x, W), *geometry)
    assert_close(dx, expected_dx, 3e-6, "dx")
    assert_close(dW, before + expected_dW, 3e-6, "dW")


@pytest.mark.parametrize("case", ["one pixel", "sequence", "strides", "dilation", "work for threads"])
@pytest.mark.parametrize("distinct", [1, 7])
def test_gradients_of_distinct_rows_from_peaks(case, distinct):
    x, W, _, dy, geometry = operands(case)
    values = guarded(RNG.standard_normal((distinct, x.shape[3])))
    index = guarded(RNG.integers(0, distinct, x.shape[:3]), np.int32)
    g, place = peaks(dy.shape, 5)
    dvalues, dW = same_bits_for_any_threads(
        lambda: backward_peaks(g, place, values, index, W, geometry, np.zeros(W.shape))
    )
    dense = reference.from_peaks(g, place, dy.shape)
    dx, expected_dW, _ = reference.conv_backward(dense, *as_doubles(values[index], W), *geometry)
    expected = np.zeros(values.shape)
    np.add.at(expected, index, dx)
    assert_close(dvalues, expected, 3e-6, "dvalues")
    assert_close(dW, expected_dW, 3e-6, "dW")


def test_gradients_from_peaks_that_are_not_wanted_are_left_out():
    x, W, _, dy, geometry = operands("small")
    g, place = peaks(dy.shape, 5)
    dx, dW = backward_peaks(g, place, x, None, W, geometry, np.zeros(W.shape))
    only_dx, only_dW = np.empty_like(dx), np.zeros_like(dW)
    conv.backward_peaks(only_dx, None, g, place, x, None, W, *geometry)
    conv.backward_peaks(None, only_dW, g, place, x, None, W, *geometry)
    np.testing.assert_array_equal(only_dx, dx)
    np.testing.assert_array_equal(only_dW, dW)


# --- with max pooling ---

# window, strides, places of the first window that stand out in front, numbers of windows; for the image of "pooled"
POOLINGS = {
    "side by side": ((2, 2), (2, 2), (0, 0), (5, 6)),
    "overlapping": ((3, 2), (2, 1), (0, 0), (5, 12)),
    "gaps": ((1, 2), (3, 5), (0, 0), (4, 3)),
    "standing out": ((3, 5), (2, 3), (1, 2), (6, 5)),
    "everything": ((11, 13), (1, 1), (0, 0), (1, 1)),
}


def forward_max(x, W, bias, geometry, pooling, activation):
    *pooling, extents = pooling
    y = guarded(np.full((len(x), *extents, W.shape[3]), np.nan))
    place = guarded(np.full(y.shape, -1), np.int32)
    conv.forward_max(y, place, x, W, bias, *geometry, Activation(activation), *pooling)
    assert_guards_whole(y, place)
    return y, place


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(("channels", "filters", "groups"), [(1, 37, 1), (4, 6, 2), (67, 19, 1)])
def test_maxima(channels, filters, groups, pooling):
    """The bits of the convolution and then the pooling."""
    x, W = (
        guarded(RNG.standard_normal((3, 13, 15, channels))),
        guarded(RNG.standard_normal((3, 3, channels // groups, filters))),
    )
    bias, geometry, pooling = guarded(RNG.standard_normal(filters)), ((1, 1), (1, 1), groups), POOLINGS[pooling]
    y, place = same_bits_for_any_threads(lambda: forward_max(x, W, bias, geometry, pooling, "relu"))
    whole = forward(x, W, bias, geometry, (3, 11, 13, filters), "relu")
    expected, expected_place = np.empty_like(y), np.empty_like(place)
    pooling_kernel.max_forward(expected, expected_place, whole, *pooling[:3])
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(place, expected_place)
    only_y = np.empty_like(y)
    conv.forward_max(only_y, None, x, W, bias, *geometry, Activation("relu"), *pooling[:3])
    np.testing.assert_array_equal(only_y, y)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("channels", [1, 3])  # windows of 9 and 27 floats
@pytest.mark.parametrize(("strides", "dilation"), [((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (1, 2))])
def test_gradient_of_a_small_kernel_from_maxima(channels, strides, dilation, pooling):
    *pooling, extents = POOLINGS[pooling]
    H, W_ = (10 * strides[0] + 2 * dilation[0] + 1, 12 * strides[1] + 2 * dilation[1] + 1)  # y has 11 x 13 pixels
    x, W = guarded(RNG.standard_normal((5, H, W_, channels))), RNG.standard_normal((3, 3, channels, 37)).astype("f")
    g = guarded(RNG.standard_normal((5, *extents, 37)))
    _, place = forward_max(x, W, None, (strides, dilation, 1), (*pooling, extents), "linear")

    def backward():
        dW = guarded(W)
        conv.backward_max(dW, g, place, x, strides, dilation, *pooling)
        assert_guards_whole(dW)
        return dW

    dW = same_bits_for_any_threads(backward)
    dz = reference.from_peaks(g.reshape(5, -1, 37), place.reshape(5, -1, 37), (5, 11, 13, 37))
    _, expected, _ = reference.conv_backward(dz, *as_doubles(x, W), strides, dilation)
    assert_close(dW, W + expected, 3e-6, "dW")


MAX = array(2, 2, 2, 5), array(2, 2, 2, 5, dtype="i4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": array(2, 2, 2, 7)}, "`y` must have 5 channels"),
        ({"y": array(2, 5, 2, 5)}, "must hold a place"),
        ({"place": array(2, 2, 3, 5, dtype="i4")}, r"`place` must have shape \(2, 2, 2, 5\)"),
        ({"pool_strides": (0, 2)}, "must hold a place"),
        ({"bias": array(7)}, "`bias` must be"),
        ({"activation": Activation("softmax")}, "softmax"),
    ],
)
def test_wrong_arguments_of_maxima_are_named(arguments, message):
    right = {"y": MAX[0], "place": MAX[1], "x": X, "W": W, "bias": None, "strides": (1, 1), "dilation": (1, 1)}
    right |= {"groups": 1, "activation": Activation("relu"), "size": (2, 2), "pool_strides": (2, 2), "before": (0, 0)}
    with pytest.raises(ValueError, match=message):
        conv.forward_max(**(right | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"g": array(2, 2, 2, 7)}, "`g` must have 5 channels"),
        ({"place": array(2, 2, 3, 5, dtype="i4")}, r"`place` must have shape \(2, 2, 2, 5\)"),
        ({"dW": array(2, 3, 7, 5)}, "`W` must be"),
        ({"before": (2, 0)}, "must hold a place"),
    ],
)
def test_wrong_arguments_of_gradients_from_maxima_are_named(arguments, message):
    right = {"dW": W.copy(), "g": MAX[0], "place": MAX[1], "x": X, "strides": (1, 1), "dilation": (1, 1)}
    right |= {"size": (2, 2), "pool_strides": (2, 2), "before": (0, 0)}
    with pytest.raises(ValueError, match=message):
        conv.backward_max(**(right | arguments))


# --- distinct rows ---


def forward_rows(P, index, bias, activation):
    f, shape = Activation(activation), (index.shape[1], P.shape[2])
    y = guarded(np.full(shape, np.nan))
    z = guarded(np.full(shape, np.nan)) if f.needs_input else None
    conv.forward_rows(y, z, P, index, bias, f)
    assert_guards_whole(y)
    return y if z is None else (y, z)


@pytest.mark.parametrize("N", [1, 5, 16, 67, 131])  # up to two blocks of vectors and a part
@pytest.mark.parametrize(("T", "R", "M"), [(1, 1, 1), (3, 7, 5), (5, 11, 37), (2, 3, 0), (7, 5, 521)])
def test_sums_of_products_of_distinct_rows(T, R, M, N):
    P, bias = guarded(RNG.standard_normal((T, R, N))), guarded(RNG.standard_normal(N))
    index = guarded(RNG.integers(0, R, (T, M)), np.int32)
    expected = sum(P_t[index_t] for P_t, index_t in zip(P.astype(np.float64), index, strict=True))
    y = same_bits_for_any_threads(lambda: forward_rows(P, index, None, "linear"))
    assert_close(y, expected, 1e-6, "y without bias")
    y = same_bits_for_any_threads(lambda: forward_rows(P, index, bias, "relu"))
    assert_close(y, reference.relu(expected + bias), 1e-6, "y")
    y, z = same_bits_for_any_threads(lambda: forward_rows(P, index, bias, "silu"))
    assert_close(z, expected + bias, 1e-6, "z")
    assert_close(y, reference.silu(expected + bias), 3e-6, "y")


@pytest.mark.parametrize("pooling", POOLINGS)
def test_maxima_of_distinct_rows(pooling):
    """The bits of the sums and then the pooling."""
    *pooling, extents = POOLINGS[pooling]
    P, bias = guarded(RNG.standard_normal((4, 7, 37))), guarded(RNG.standard_normal(37))
    index = guarded(RNG.integers(0, 7, (4, 5 * 11 * 13)), np.int32)

    def maxima():
        y = guarded(np.full((5, *extents, 37), np.nan))
        place = guarded(np.full(y.shape, -1), np.int32)
        conv.forward_rows_max(y, place, P, index, bias, Activation("tanh"), (11, 13), *pooling)
        assert_guards_whole(y, place)
        return y, place

    y, place = same_bits_for_any_threads(maxima)
    whole = forward_rows(P, index, bias, "tanh").reshape(5, 11, 13, 37)
    expected, expected_place = np.empty_like(y), np.empty_like(place)
    pooling_kernel.max_forward(expected, expected_place, whole, *pooling)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(place, expected_place)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": array(2, 2, 2, 7)}, "`y` must have 5 channels"),
        ({"place": array(2, 2, 3, 5, dtype="i4")}, r"`place` must have shape \(2, 2, 2, 5\)"),
        ({"P": array(4, 7, 5)}, "`P` must be"),
        ({"index": array(3, 21, dtype="i4")}, r"`index` must be .*\(3, 40\)"),
        ({"bias": array(7)}, "`bias` must be"),
        ({"extents": (2, 5)}, "must hold a place"),
        ({"activation": Activation("softmax")}, "softmax"),
    ],
)
def test_wrong_arguments_of_maxima_of_rows_are_named(arguments, message):
    right = {"y": MAX[0], "place": MAX[1], "P": array(3, 7, 5), "index": array(3, 40, dtype="i4"), "bias": None}
    right |= {"activation": Activation("relu"), "extents": (4, 5), "size": (2, 2), "pool_strides": (2, 2)}
    with pytest.raises(ValueError, match=message):
        conv.forward_rows_max(before=(0, 0), **(right | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"P": np.zeros((2, 5, 3), "f")}, r"`P` must be .*\(3, any, 7\)"),
        ({"index": np.zeros((3, 13), "i4")}, r"`index` must be .*\(3, 11\)"),
        ({"z": np.zeros((11, 5), "f")}, "`z` must be"),
        ({"bias": np.zeros(5, "f")}, "`bias` must be"),
        ({"activation": Activation("softmax")}, "softmax"),
    ],
)
def test_wrong_arguments_of_rows_are_named(arguments, message):
    right = {
        "y": np.zeros((11, 7), "f"),
        "z": None,
        "P": np.zeros((3, 5, 7), "f"),
        "index": np.zeros((3, 11), "i4"),
        "bias": None,
        "activation": Activation("linear"),
    }
    with pytest.raises(ValueError, match=message):
        conv.forward_rows(**(right | arguments))


@pytest.mark.parametrize("border", [(0, 0, 0, 0), (1, 2, 3, 5), (2, 0, 0, 0), (0, 0, 0, 7)], ids=str)
@pytest.mark.parametrize("B", [0, 1, 3, 67])
def test_border_of_zeros(B, border):
    top, bottom, left, right = border
    x = guarded(RNG.standard_normal((B, 11, 13, 5)))

    def pad():
        to = guarded(np.full((B, 11 + top + bottom, 13 + left + right, 5), np.nan))
        conv.pad(to, x, top, left)
        assert_guards_whole(to)
        return to

    padded = same_bits_for_any_threads(pad)
    np.testing.assert_array_equal(padded, reference.pad(x, *border))

    def crop():
        to = guarded(np.full(x.shape, np.nan))
        conv.crop(to, padded, top, left)
        assert_guards_whole(to)
        return to

    np.testing.assert_array_equal(same_bits_for_any_threads(crop), x)


def call(y=Y, z=None, x=X, W=W, bias=None, strides=(1, 1), dilation=(1, 1), groups=1, activation="linear"):
    conv.forward(y, z, x, W, bias, strides, dilation, groups, Activation(activation))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": array(5, 7, 6)}, "4 axes"),
        ({"x": array(2, 5, 7, 6, dtype="f8")}, "`x` must be"),
        ({"x": array(2, 5, 7, 7)}, r"`W` must be \(rows, columns, 7 / 1"),
        ({"groups": 2}, "a multiple of 2"),
        ({"groups": 0}, "at least 1"),
        ({"strides": (0, 1)}, "at least 1"),
        ({"dilation": (1, -1)}, "at least 1"),
        ({"W": array(6, 3, 6, 5)}, "must fit into `x`.*6 x 3, x of 5 x 7"),
        ({"dilation": (5, 1)}, "must fit into `x`.*6 x 3, x of 5 x 7"),
        ({"y": array(2, 4, 6, 5)}, r"`y` must be .*\(2, 4, 5\)"),
        ({"y": array(2, 4, 5, 6)}, "`y` must have 5 channels"),
        ({"z": array(2, 4, 5, 6)}, "`z` must have 5 channels"),
        ({"bias": array(6)}, "`bias` must be"),
        ({"activation": "softmax"}, "softmax"),
        ({"x": array(0, 2**16, 2**16, 6), "W": array(1, 1, 6, 5), "y": array(0, 2**16, 2**16, 5)}, None),
        ({"x": array(0, 2, 2**30, 6), "W": array(2, 1, 6, 5)}, r"fewer than 2\^31"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    if message is None:
        call(**arguments)
        return
    with pytest.raises(ValueError, match=message):
        call(**arguments)


G, P = array(2, 3, 5), array(2, 3, 5, dtype="i4")
ROWS, INDEX = array(3, 6), array(2, 5, 7, dtype="i4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"g": array(2, 3, 7)}, r"`g` and `place` must be \(2, ..., 5\)"),
        ({"place": array(2, 7, 5, dtype="i4")}, r"`g` and `place` must be"),
        ({"place": array(2, 3, 5)}, "`place` must be"),
        ({"dx": array(2, 5, 7, 5)}, r"`dx` must have shape \(2, 5, 7, 6\)"),
        ({"dx": X.astype("f8")}, "`dx` must be"),
        ({"dW": array(2, 3, 7, 5)}, "`dW` must be"),
        ({"x": ROWS}, "`x` and `W` must have 4 axes, or `x` 2 and `index` 3"),
        ({"index": INDEX}, "`x` and `W` must have 4 axes, or `x` 2 and `index` 3"),
        ({"x": ROWS, "index": INDEX.astype("i8")}, "`index` must be"),
        (
            {"x": array(3, 10), "index": INDEX, "W": array(2, 3, 2, 5), "groups": 5},
            "`groups` must be 1 where there is an `index`. Received: 5",
        ),
    ],
)
def test_wrong_arguments_of_peaks_are_named(arguments, message):
    right = {"dx": None, "dW": None, "g": G, "place": P, "x": X, "index": None, "W": W, "groups": 1}
    with pytest.raises(ValueError, match=message):
        conv.backward_peaks(strides=(1, 1), dilation=(1, 1), **(right | arguments))


def test_borders_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="5 x 7 pixels at 1, 0 must lie in 5 x 9"):
        conv.pad(array(2, 5, 9, 6), X, 1, 0)
    with pytest.raises(ValueError, match="5 x 7 pixels at 0, 3 must lie in 5 x 9"):
        conv.crop(X, array(2, 5, 9, 6), 0, 3)
    with pytest.raises(ValueError, match="`to` must have 6 channels"):
        conv.pad(array(2, 5, 9, 5), X, 0, 0)
    with pytest.raises(ValueError, match="4 x 7 pixels at 2, 0 must lie in 5 x 7"):
        conv.backward(array(2, 4, 7, 6), None, Y, X, W, (1, 1), (1, 1), 1, 2, 0)
