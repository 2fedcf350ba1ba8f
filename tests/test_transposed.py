"""Conv1DTranspose and Conv2DTranspose against the reference: outputs, every gradient, shapes, and what they refuse."""

import convolutions
import numpy as np
import pytest
import reference
from checks import built, random
from convolutions import geometry, run_layer

import fastkeras
from fastkeras.layers import Conv1DTranspose, Conv2DTranspose, Convolution1DTranspose, Convolution2DTranspose


def check(layer, x, before, extents):
    """The layer against the reference. before: how many places are cut off in front; extents: those of the output"""
    ones = (1,) * (2 - layer.rank)
    options = dict(zip(("strides", "dilation"), geometry(layer), strict=True), before=(0,) * len(ones) + before)

    def sums(x, W, b=None):
        return reference.conv_transpose(x, W, b, extents=ones + extents, **options)

    def backward(dz, x, W, b=None):
        dx, *gradients = reference.conv_transpose_backward(dz, x, W, **options)
        return dx, *gradients[: 1 if b is None else 2]

    convolutions.check(layer, x, sums, backward)


@pytest.mark.parametrize(
    ("options", "before", "extent"),
    [
        ({}, 0, 7),
        ({"strides": 2}, 0, 11),
        ({"strides": 5}, 0, 25),  # strides above the window: places that nothing reaches
        ({"dilation_rate": 3}, 0, 11),
        ({"padding": "same"}, 1, 5),
        ({"padding": "SAME", "strides": 2}, 0, 10),
        ({"padding": "same", "strides": 4, "use_bias": False}, 0, 20),
        ({"padding": "same", "dilation_rate": 2}, 2, 5),
        ({"strides": 3, "output_padding": 2}, 0, 17),
        ({"strides": 3, "output_padding": 2, "padding": "same"}, 0, 15),
        ({"strides": 2, "output_padding": (0,), "padding": "same"}, 1, 9),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sequences(options, before, extent, data_format):
    x = random(3, 5, 4) if data_format == "channels_last" else random(3, 4, 5)
    check(Conv1DTranspose(7, 3, data_format=data_format, **options), x, (before,), (extent,))


@pytest.mark.parametrize(
    ("options", "before", "extents"),
    [
        ({}, (0, 0), (7, 7)),
        ({"strides": (3, 2)}, (0, 0), (13, 11)),
        ({"dilation_rate": (2, 1), "use_bias": False}, (0, 0), (10, 7)),
        ({"padding": "same"}, (1, 1), (4, 5)),
        ({"padding": "same", "strides": 2}, (1, 0), (8, 10)),
        ({"padding": "same", "dilation_rate": (2, 3)}, (3, 3), (4, 5)),
        ({"padding": "same", "strides": (2, 3), "output_padding": (1, 2)}, (1, 0), (7, 15)),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images(options, before, extents, data_format):
    x = random(2, 4, 5, 3) if data_format == "channels_last" else random(2, 3, 4, 5)
    check(Conv2DTranspose(6, (4, 3), data_format=data_format, **options), x, before, extents)


@pytest.mark.parametrize("activation", ["relu", "silu", "softmax"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_activations(activation, padding, data_format):
    use_bias = data_format == "channels_last" or activation != "softmax"  # what a row shares changes no softmax
    options = {"activation": activation, "padding": padding, "data_format": data_format, "use_bias": use_bias}
    before, extents = ((0, 0), (7, 7)) if padding == "valid" else ((1, 1), (5, 5))
    check(Conv2DTranspose(7, 3, **options), random(2, 5, 5, 5), before, extents)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_no_samples(padding):
    layer, shape = Conv2DTranspose(3, 3, strides=2, padding=padding), (0, 5, 7, 4)
    y, _, dx, gradients = run_layer(built(layer, *shape), random(*shape))
    assert y.shape == layer.compute_output_shape(shape)
    assert dx.shape == shape
    assert not any(g.any() for g in gradients)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_gradients_that_are_not_wanted_are_not_computed(padding):
    layer, x = built(Conv1DTranspose(4, 3, padding=padding), 3, 11, 5), random(3, 11, 5)
    _, _, dx, gradients = run_layer(layer, x)
    assert run_layer(layer, x, wants_dx=False)[2] is None
    _, _, frozen_dx, frozen = run_layer(layer, x, trains=False)
    np.testing.assert_array_equal(frozen_dx, dx)
    assert not any(g.any() for g in frozen)
    assert all(g.any() for g in gradients)


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (Conv1DTranspose(4, 3), (None, None, 5), (None, None, 4)),
        (Conv1DTranspose(4, 3, padding="same", strides=2), (None, 11, 5), (None, 22, 4)),
        (Conv1DTranspose(4, 2, padding="same", strides=2, output_padding=0), (None, 11, 5), (None, 20, 4)),
        (Conv2DTranspose(4, (3, 5), strides=2), (None, 11, None, 1), (None, 23, None, 4)),
        (Conv2DTranspose(4, 3, padding="same", data_format="channels_first"), (7, 1, 11, 13), (7, 4, 11, 13)),
    ],
)
def test_output_shapes(layer, shape, output):
    assert layer.compute_output_shape(shape) == output
    assert layer(fastkeras.Input(batch_shape=shape)).shape == output


def test_weights_are_keras_s():
    layer = Conv2DTranspose(4, (3, 5))
    layer.ensure_built((None, 7, 7, 2))
    assert {v.name: v.shape for v in layer.variables} == {"kernel": (3, 5, 4, 2), "bias": (4,)}
    assert layer.name.startswith("conv2d_transpose")


def test_config_makes_an_equal_layer():
    layer = Conv2DTranspose(
        6,
        [3, 5],
        strides=(3, 2),
        padding="same",
        output_padding=[2, 1],
        data_format="channels_first",
        activation="relu",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer="l2",
        activity_regularizer="l1",
        kernel_constraint="non_neg",
        name="sees",
    )
    config = layer.get_config()
    assert Conv2DTranspose.from_config(config).get_config() == config
    assert set(config) == {
        "name", "trainable", "dtype", "filters", "kernel_size", "strides", "padding", "output_padding", "data_format",
        "dilation_rate", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer",
        "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint",
    }  # fmt: skip
    assert (config["kernel_size"], config["strides"], config["output_padding"]) == ((3, 5), (3, 2), (2, 1))
    assert Conv1DTranspose(2, 3).get_config()["output_padding"] is None
    assert (Convolution1DTranspose, Convolution2DTranspose) == (Conv1DTranspose, Conv2DTranspose)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv1DTranspose(0, 3), "Conv1DTranspose: `filters` must be a positive integer. Received: filters=0"),
        (lambda: Conv2DTranspose(2, (3, 3, 3)), "`kernel_size` must be a positive integer or 2 of them"),
        (lambda: Conv1DTranspose(2, 3, padding="causal"), "`padding` must be one of valid, same"),
        (lambda: Conv1DTranspose(3, 3, strides=2, dilation_rate=2), "must not both be above 1"),
        (
            lambda: Conv1DTranspose(3, 3, output_padding=1),
            "Conv1DTranspose: `output_padding` must be an integer",
        ),
        (lambda: Conv2DTranspose(3, 3, strides=2, output_padding=(1,)), r"Received: output_padding=\(1,\)"),
        (lambda: Conv2DTranspose(3, 3, strides=2, output_padding=-1), "Received: output_padding=-1"),
        (lambda: Conv2DTranspose(3, 3, strides=2, output_padding=0.5), "Received: output_padding=0.5"),
        (lambda: Conv1DTranspose(3, 3)(random(2, 5)), r"expected an input of shape \(batch, steps, channels\)"),
        (lambda: Conv1DTranspose(3, 3)(fastkeras.Input((5, None))), "the number of input channels must be known"),
        (lambda: built(Conv1DTranspose(4, 3), 2, 5, 3)(random(2, 5, 2)), "expected 3 input channels"),
        (lambda: Conv1DTranspose(4, 3)(random(2, 0, 3)), "at least 1 places"),
        (
            lambda: Conv1DTranspose(4, 2, strides=2, padding="same", output_padding=0)(random(2, 1, 3)),
            r"there would be no output. Received: shape \(2, 1, 3\) with output_padding=\(0,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_slips_are_answered():
    with pytest.raises(TypeError, match="Did you mean 'output_padding'"):
        Conv2DTranspose(4, 3, outputpadding=1)
