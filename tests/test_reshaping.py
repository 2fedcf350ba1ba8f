"""Layers that only move values: what they give, and gradients by central differences."""

import numpy as np
import pytest
from checks import assert_close, central_difference, random

import fastkeras
from fastkeras import layers
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run

RNG = np.random.default_rng(23)


def run_layer(layer, x):
    """y, and dx for a random dy, which is held to central differences: the layers are linear."""
    y, backward = layer.forward(x, Run(training=True, wants_dx=True))
    y, dy = y.copy(), random(*y.shape)
    dx = backward(dy.copy())
    assert y.shape == layer.compute_output_shape(x.shape)
    again = Run()
    expected = central_difference(lambda v: layer.forward(v.astype("f"), again)[0], x, dy, step=0.5)
    assert_close(dx, expected, 1e-5, "dx")
    return y


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Reshape((3, 10)), (2, 5, 6), lambda x: x.reshape(2, 3, 10)),
        (layers.Reshape((-1, 3)), (2, 5, 6), lambda x: x.reshape(2, 10, 3)),
        (layers.Reshape([30]), (2, 5, 6), lambda x: x.reshape(2, 30)),
        (layers.Reshape((1, 1, 1)), (2,), lambda x: x.reshape(2, 1, 1, 1)),
        (layers.Reshape((2, -1)), (0, 5, 6), lambda x: x.reshape(0, 2, 15)),
        (layers.Permute((2, 1)), (2, 5, 3), lambda x: x.transpose(0, 2, 1)),
        (layers.Permute([3, 1, 2]), (2, 5, 3, 7), lambda x: x.transpose(0, 3, 1, 2)),
        (layers.ZeroPadding1D(), (2, 5, 3), lambda x: np.pad(x, [(0, 0), (1, 1), (0, 0)])),
        (layers.ZeroPadding1D((2, 0)), (2, 5, 3), lambda x: np.pad(x, [(0, 0), (2, 0), (0, 0)])),
        (layers.ZeroPadding1D((0, 3), "channels_first"), (2, 5, 3), lambda x: np.pad(x, [(0, 0), (0, 0), (0, 3)])),
        (layers.ZeroPadding2D(2), (2, 5, 3, 1), lambda x: np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])),
        (layers.ZeroPadding2D((1, 0)), (2, 5, 3, 2), lambda x: np.pad(x, [(0, 0), (1, 1), (0, 0), (0, 0)])),
        (layers.ZeroPadding2D(((0, 1), (2, 3))), (2, 5, 3, 2), lambda x: np.pad(x, [(0, 0), (0, 1), (2, 3), (0, 0)])),
        (
            layers.ZeroPadding2D((1, (0, 2)), data_format="channels_first"),
            (2, 3, 5, 2),
            lambda x: np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 2)]),
        ),
        (layers.Cropping1D(), (2, 5, 3), lambda x: x[:, 1:-1]),
        (layers.Cropping1D((0, 3)), (2, 5, 3), lambda x: x[:, :-3]),
        (layers.Cropping2D(((1, 0), (2, 3))), (2, 5, 7, 3), lambda x: x[:, 1:, 2:-3]),
        (layers.Cropping2D(1, "channels_first"), (2, 3, 5, 7), lambda x: x[:, :, 1:-1, 1:-1]),
        (layers.Cropping2D(), (2, 5, 7, 3), lambda x: x),
        (layers.UpSampling1D(), (2, 5, 3), lambda x: x.repeat(2, axis=1)),
        (layers.UpSampling1D(3), (0, 5, 3), lambda x: x.repeat(3, axis=1)),
        (layers.UpSampling2D((3, 1)), (2, 2, 5, 3), lambda x: x.repeat(3, axis=1)),
        (layers.UpSampling2D((2, 3), "channels_first"), (2, 3, 2, 5), lambda x: x.repeat(2, axis=2).repeat(3, axis=3)),
    ],
)
def test_values_are_moved(layer, shape, expected):
    x = random(*shape)
    np.testing.assert_array_equal(run_layer(layer, x), expected(x))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_interpolation(interpolation, data_format):
    x = random(2, 5, 4, 3) if data_format == "channels_last" else random(2, 3, 5, 4)
    y = run_layer(layers.UpSampling2D((2, 3), data_format, interpolation), x)
    same = run_layer(layers.UpSampling2D(1, data_format, interpolation), x)
    np.testing.assert_allclose(same, x, rtol=1e-5, atol=1e-6)
    once = run_layer(layers.UpSampling2D((2, 3), data_format, interpolation), np.ones_like(x))
    np.testing.assert_allclose(once, 1, rtol=1e-6)  # what is even stays even
    if interpolation == "bilinear":
        y, x = (y, x) if data_format == "channels_last" else (np.moveaxis(y, 1, -1), np.moveaxis(x, 1, -1))
        np.testing.assert_allclose(y[:, 0, 0], x[:, 0, 0], rtol=1e-5)  # the corner has no place around it
        # place 1 lies at 1/4 of the way down; column 4 of 3 a place at 1, exactly
        np.testing.assert_allclose(y[:, 1, 4], 0.75 * x[:, 0, 1] + 0.25 * x[:, 1, 1], rtol=1e-4, atol=1e-6)
    elif interpolation == "bicubic":  # weights of Keys's cubic 1/4 from a place: (-9, 111, 29, -3) / 128
        flat = np.zeros((1, 8, 1, 1), "f")
        flat[0, :, 0, 0] = [0, 0, 0, 1, 0, 0, 0, 0]
        y = run_layer(layers.UpSampling2D((2, 1), interpolation="bicubic"), flat)[0, :, 0, 0]
        np.testing.assert_allclose(y[3:11] * 128, [-3, -9, 29, 111, 111, 29, -9, -3], atol=1e-3)


def test_rows_are_taken_and_given_back():
    values, index = random(7, 5), RNG.integers(0, 7, (3, 4)).astype(np.int32)
    for layer in (layers.Reshape((20,)), layers.Permute((2, 1)), layers.UpSampling1D(2), layers.Cropping1D(1)):
        y, backward = layer.forward(Rows(values, index), Run(wants_dx=True))
        plain, plain_backward = layer.forward(values[index], Run(wants_dx=True))
        np.testing.assert_array_equal(y, plain)
        dy = random(*y.shape)
        expected = np.zeros((7, 5))
        np.add.at(expected, index, plain_backward(dy.copy()))
        np.testing.assert_allclose(backward(dy), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (layers.Reshape((-1, 3)), (None, None, 6), (None, None, 3)),
        (layers.Reshape((5, -1)), (None, 10, 3), (None, 5, 6)),
        (layers.Permute((2, 1)), (None, None, 6), (None, 6, None)),
        (layers.ZeroPadding1D(2), (None, None, 6), (None, None, 6)),
        (layers.Cropping2D(2), (None, None, 7, 3), (None, None, 3, 3)),
        (layers.UpSampling2D(3), (None, 5, None, 3), (None, 15, None, 3)),
    ],
)
def test_output_shapes(layer, shape, output):
    assert layer.compute_output_shape(shape) == output
    assert layer(fastkeras.Input(batch_shape=shape)).shape == output


@pytest.mark.parametrize(
    ("layer", "config"),
    [
        (layers.Reshape([3, -1]), {"target_shape": (3, -1)}),
        (layers.Permute([2, 1]), {"dims": (2, 1)}),
        (layers.ZeroPadding1D(2), {"padding": (2, 2)}),
        (layers.ZeroPadding1D(2, "channels_first"), {"padding": (2, 2), "data_format": "channels_first"}),
        (layers.ZeroPadding2D((1, 2)), {"padding": ((1, 1), (2, 2)), "data_format": "channels_last"}),
        (layers.Cropping1D([1, 2]), {"cropping": (1, 2)}),
        (layers.Cropping2D(3), {"cropping": ((3, 3), (3, 3)), "data_format": "channels_last"}),
        (layers.UpSampling1D(3), {"size": 3}),
        (
            layers.UpSampling2D(3, interpolation="Bilinear"),
            {"size": (3, 3), "data_format": "channels_last", "interpolation": "bilinear"},
        ),
    ],
)
def test_config_makes_an_equal_layer(layer, config):
    found = layer.get_config()
    assert {k: v for k, v in found.items() if k not in ("name", "trainable", "dtype")} == config
    assert type(layer).from_config(found).get_config() == found


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Reshape((2, 0)), "Reshape: `target_shape` must be a positive integer"),
        (lambda: layers.Reshape((-1, -1)), "`target_shape` may hold one -1"),
        (lambda: layers.Reshape((4,))(random(2, 5)), r"5 values do not fit into target_shape=\(4,\)"),
        (lambda: layers.Reshape((4, -1))(random(2, 6)), "6 values do not fit"),
        (lambda: layers.Permute((1, 1)), r"`dims` must hold each of 1, 2, ... once. Received: dims=\(1, 1\)"),
        (lambda: layers.Permute((0, 1)), "`dims` must hold"),
        (lambda: layers.Permute((2, 1))(random(2, 3)), "expected an input with 3 axes"),
        (lambda: layers.ZeroPadding1D(-1), "`padding` must be an integer from 0 up, or a pair of them"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), "`padding` must be an integer from 0 up"),
        (lambda: layers.ZeroPadding2D((1, (2, 2.0))), "or a pair of numbers or pairs"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "or a pair of numbers or pairs"),
        (lambda: layers.Cropping1D((2, 3))(random(2, 5, 3)), r"at least 6 places. Received"),
        (lambda: layers.UpSampling1D((2,)), "UpSampling1D: `size` must be a positive integer"),
        (lambda: layers.UpSampling2D(2, interpolation="linear"), "`interpolation` must be one of nearest, bilinear"),
        (lambda: layers.UpSampling2D()(random(2, 3, 3)), r"expected an input of shape \(batch, rows, columns"),
        (lambda: layers.ZeroPadding1D()(random(2, 3)), r"expected an input of shape \(batch, steps, channels\)"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
