"""fastkeras.ops: convolution, pooling, and pictures."""

import numpy as np
import pytest
from checks import assert_close

import fastkeras
from fastkeras import ops


def test_conv_transpose_is_conv_s_way_back():
    rng = np.random.default_rng(6)
    kernel = rng.normal(size=(3, 2, 3, 5))  # (rows, columns, channels of a, of b)
    for options in ({"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"dilation_rate": 2, "padding": "same"}):
        b = rng.normal(size=(2, 4, 7, 5))
        back = np.asarray(ops.conv_transpose(b, kernel, **options))
        a = rng.normal(size=back.shape)
        np.testing.assert_allclose((np.asarray(ops.conv(a, kernel, **options)) * b).sum(), (a * back).sum())
        front = ops.conv_transpose(np.moveaxis(b, -1, 1), kernel, data_format="channels_first", **options)
        assert_close(np.moveaxis(front, 1, -1), back, 1e-12)


def test_windows_take_channels_in_front_too():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(3, 2, 3, 5))
    for name, *others in (("conv", kernel), ("depthwise_conv", kernel), ("max_pool", 2), ("average_pool", 2)):
        y = getattr(ops, name)(x, *others, padding="same")
        front = getattr(ops, name)(np.moveaxis(x, -1, 1), *others, padding="same", data_format="channels_first")
        assert_close(np.moveaxis(front, 1, -1), y, 1e-12)


def test_pooling_gives_the_first_of_equal_elements_the_gradient_whatever_the_window():
    """As TensorFlow does it: the first in the order of rows."""
    x = ops.convert_to_tensor(np.float32([[0, 1, 1], [2, 0, 2], [2, 1, 1]])[None, :, :, None])
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        y = ops.max_pool(x, 2, 1)
    np.testing.assert_array_equal(y[0, :, :, 0], [[2, 2], [2, 2]])
    np.testing.assert_array_equal(tape.gradient(y, x)[0, :, :, 0], [[0, 0, 0], [2, 0, 2], [0, 0, 0]])


def test_windows_far_larger_than_the_array_cost_no_more_than_it():
    x = np.random.default_rng(8).normal(size=(2, 5, 3, 1))
    for strides in (1, 2):
        for pool in (ops.max_pool, ops.average_pool):
            y = pool(x, (10**9, 2), strides, padding="same")
            assert_close(y, pool(x, (99, 2), strides, padding="same"), 1e-12)
    mean = ops.average_pool(x, (10**9, 3), 1, padding="same")
    assert_close(mean[:, 0, 1], x.mean(axis=(1, 2)), 1e-12)
    np.testing.assert_array_equal(ops.max_pool(np.arange(3)[None, :, None], 2, padding="same")[0, :, 0], [1, 2])


def test_a_window_must_fit():
    x = np.ones((2, 3, 1), np.float32)
    for call in (
        lambda: ops.max_pool(x, 10**9),
        lambda: ops.average_pool(x, 4),
        lambda: ops.conv(x, np.ones((2, 1, 1)), dilation_rate=3),
        lambda: ops.depthwise_conv(x, np.ones((4, 1, 1))),
    ):
        with pytest.raises(ValueError, match=r"ops\.\w+: a window reaches over \[\d+\] places\. Received: an array of"):
            call()


def test_pictures():
    x = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    near = ops.image.resize(x, (1, 2), "nearest")
    assert near.dtype == np.uint8 and ops.image.resize(x, (3, 4)).dtype == np.float32
    np.testing.assert_array_equal(near, x[1:, 1::2])
    np.testing.assert_array_equal(ops.image.resize(x, (2, 4)), x)
    assert ops.image.rgb_to_grayscale(x).dtype == np.uint8
    np.testing.assert_array_equal(ops.image.rgb_to_grayscale(x[..., :1]), x[..., :1])
    patches = ops.image.extract_patches(x.astype(np.float32), (2, 3))
    np.testing.assert_array_equal(patches, x[None, None, :, :3].reshape(1, 1, 18))
