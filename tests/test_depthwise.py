"""DepthwiseConv and SeparableConv against the reference: outputs, gradients, shapes, axes, and what they refuse."""

import convolutions
import numpy as np
import pytest
import reference
from checks import built, random
from convolutions import around, geometry, run_layer, same_border, without

import fastkeras
from fastkeras.layers import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)


def check(layer, x, border):
    """The layer against the reference. border: (before, after) on each axis"""

    def depthwise(x, W, b=None):
        return reference.depthwise(around(x, border, layer.rank)[1], W, b, *geometry(layer))

    def depthwise_backward(dz, x, W, b=None):
        sides, padded = around(x, border, layer.rank)
        dx, *gradients = reference.depthwise_backward(dz, padded, W, *geometry(layer))
        return without(dx, sides), *gradients[: 1 if b is None else 2]

    def separable(x, W, P, b=None):
        return reference.conv(depthwise(x, W), P, b)

    def separable_backward(dz, x, W, P, b=None):
        dv, *gradients = reference.conv_backward(dz, depthwise(x, W), P)
        return *depthwise_backward(dv, x, W), *gradients[: 1 if b is None else 2]

    separates = "Separable" in type(layer).__name__
    passes = (separable, separable_backward) if separates else (depthwise, depthwise_backward)
    convolutions.check(layer, x, *passes)


SEQUENCES = [
    ({}, [(0, 0)]),
    ({"strides": 2, "use_bias": False}, [(0, 0)]),
    ({"dilation_rate": 3, "depth_multiplier": 2}, [(0, 0)]),
    ({"padding": "same"}, [same_border(11, 3, 1)]),
    ({"padding": "SAME", "strides": 4, "depth_multiplier": 3}, [same_border(11, 3, 4)]),
    ({"padding": "same", "dilation_rate": 2, "strides": 3}, [same_border(11, 5, 3)]),
]


@pytest.mark.parametrize(("options", "border"), SEQUENCES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sequences(options, border, data_format):
    x = random(3, 11, 5) if data_format == "channels_last" else random(3, 5, 11)
    check(DepthwiseConv1D(3, data_format=data_format, **options), x, border)
    check(SeparableConv1D(7, 3, data_format=data_format, **options), x, border)


def test_separable_sequences_that_do_not_look_ahead():
    check(SeparableConv1D(7, 3, padding="causal", dilation_rate=2), random(2, 11, 5), [(4, 0)])


IMAGES = [
    ({}, [(0, 0), (0, 0)]),
    ({"strides": (3, 2), "depth_multiplier": 2}, [(0, 0), (0, 0)]),
    ({"dilation_rate": (2, 1), "use_bias": False}, [(0, 0), (0, 0)]),
    ({"padding": "same"}, [same_border(7, 2, 1), same_border(5, 3, 1)]),
    ({"padding": "same", "strides": 2, "depth_multiplier": 3}, [same_border(7, 2, 2), same_border(5, 3, 2)]),
    ({"padding": "same", "dilation_rate": [3, 2]}, [same_border(7, 4, 1), same_border(5, 5, 1)]),
]


@pytest.mark.parametrize(("options", "border"), IMAGES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images(options, border, data_format):
    x = random(2, 7, 5, 4) if data_format == "channels_last" else random(2, 4, 7, 5)
    check(DepthwiseConv2D((2, 3), data_format=data_format, **options), x, border)
    check(SeparableConv2D(6, (2, 3), data_format=data_format, **options), x, border)


@pytest.mark.parametrize("activation", ["relu", "silu", "softmax"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_activations(activation, data_format):
    use_bias = data_format == "channels_last" or activation != "softmax"  # what a row shares changes no softmax
    options = {"activation": activation, "data_format": data_format, "use_bias": use_bias}
    check(DepthwiseConv2D(3, **options), random(2, 5, 5, 5), [(0, 0), (0, 0)])
    check(SeparableConv2D(7, 3, **options), random(2, 5, 5, 5), [(0, 0), (0, 0)])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (DepthwiseConv1D(2, padding="same", depth_multiplier=2), (0, 5, 4)),
        (DepthwiseConv2D(2, activation="softmax"), (0, 5, 7, 4)),
        (SeparableConv2D(3, 2, depth_multiplier=2, data_format="channels_first"), (0, 4, 5, 7)),
    ],
)
def test_no_samples(layer, shape):
    y, _, dx, gradients = run_layer(built(layer, *shape), random(*shape))
    assert y.shape == layer.compute_output_shape(shape)
    assert dx.shape == shape
    assert not any(g.any() for g in gradients)


@pytest.mark.parametrize("layer", [DepthwiseConv1D(3, depth_multiplier=2), SeparableConv1D(4, 3)])
def test_gradients_that_are_not_wanted_are_not_computed(layer):
    x = random(3, 11, 5)
    _, _, dx, gradients = run_layer(built(layer, *x.shape), x)
    _, _, no_dx, same = run_layer(layer, x, wants_dx=False)
    assert no_dx is None
    _, _, frozen_dx, frozen = run_layer(layer, x, trains=False)
    np.testing.assert_array_equal(frozen_dx, dx)
    assert not any(g.any() for g in frozen)
    for g, h in zip(gradients, same, strict=True):
        assert g.any()
        np.testing.assert_array_equal(g, h)


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (DepthwiseConv1D(3, depth_multiplier=2), (None, None, 5), (None, None, 10)),
        (DepthwiseConv2D((3, 5), strides=2), (None, 11, None, 1), (None, 5, None, 1)),
        (SeparableConv1D(4, 3, padding="same", strides=2), (None, 11, 5), (None, 6, 4)),
        (SeparableConv2D(4, 3, data_format="channels_first"), (7, 2, 11, 13), (7, 4, 9, 11)),
    ],
)
def test_output_shapes(layer, shape, output):
    assert layer.compute_output_shape(shape) == output
    assert layer(fastkeras.Input(batch_shape=shape)).shape == output


def test_weights_are_keras_s():
    def weights(layer, *shape):
        layer.ensure_built(shape)
        return {v.name: v.shape for v in layer.variables}

    assert weights(DepthwiseConv1D(3, depth_multiplier=2), None, 7, 5) == {"kernel": (3, 5, 2), "bias": (10,)}
    assert weights(DepthwiseConv2D((3, 4), use_bias=False), None, 7, 7, 5) == {"kernel": (3, 4, 5, 1)}
    assert weights(SeparableConv1D(4, 3, depth_multiplier=2), None, 7, 5) == {
        "depthwise_kernel": (3, 5, 2),
        "pointwise_kernel": (1, 10, 4),
        "bias": (4,),
    }
    assert weights(SeparableConv2D(4, (3, 2)), None, 7, 7, 5) == {
        "depthwise_kernel": (3, 2, 5, 1),
        "pointwise_kernel": (1, 1, 5, 4),
        "bias": (4,),
    }
    assert SeparableConv1D(1, 1).name.startswith("separable_conv1d")
    assert DepthwiseConv2D(1).name.startswith("depthwise_conv2d")


COMMON = {
    "name", "trainable", "dtype", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
    "depth_multiplier", "use_bias", "activity_regularizer", "depthwise_initializer", "depthwise_regularizer",
    "depthwise_constraint", "bias_initializer", "bias_regularizer", "bias_constraint",
}  # fmt: skip


def test_config_makes_an_equal_layer():
    options = {
        "strides": (1, 2),
        "padding": "same",
        "data_format": "channels_first",
        "depth_multiplier": 3,
        "activation": "relu",
        "use_bias": False,
        "depthwise_initializer": "he_normal",
        "depthwise_regularizer": "l2",
        "activity_regularizer": "l1",
        "depthwise_constraint": "non_neg",
    }
    config = DepthwiseConv2D([3, 5], **options).get_config()
    assert DepthwiseConv2D.from_config(config).get_config() == config
    assert set(config) == COMMON
    config = SeparableConv2D(7, [3, 5], pointwise_regularizer="l1", **options).get_config()
    assert SeparableConv2D.from_config(config).get_config() == config
    pointwise = {"pointwise_initializer", "pointwise_regularizer", "pointwise_constraint"}
    assert set(config) == COMMON | pointwise | {"filters"}
    assert (SeparableConvolution1D, SeparableConvolution2D) == (SeparableConv1D, SeparableConv2D)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DepthwiseConv1D(0), "DepthwiseConv1D: `kernel_size` must be a positive integer"),
        (lambda: DepthwiseConv2D(3, depth_multiplier=0), "DepthwiseConv2D: `depth_multiplier` must be a positive"),
        (lambda: DepthwiseConv1D(3, padding="causal"), "`padding` must be one of valid, same. Received: padding="),
        (lambda: SeparableConv2D(3, 3, padding="causal"), "`padding` must be one of valid, same. Received: padding="),
        (lambda: SeparableConv1D(0, 3), "SeparableConv1D: `filters` must be a positive integer. Received: filters=0"),
        (lambda: DepthwiseConv1D(3)(random(2, 5)), r"expected an input of shape \(batch, steps, channels\)"),
        (lambda: SeparableConv1D(3, 3)(fastkeras.Input((5, None))), "the number of input channels must be known"),
        (lambda: built(DepthwiseConv1D(3), 2, 5, 3)(random(2, 5, 2)), "expected 3 input channels"),
        (lambda: built(SeparableConv1D(4, 3), 2, 5, 3)(random(2, 5, 2)), "expected 3 input channels"),
        (lambda: DepthwiseConv2D(2, dilation_rate=(1, 3))(random(2, 2, 3, 3)), "at least 2 x 4 places"),
        (lambda: SeparableConv1D(4, 3, padding="same")(random(2, 0, 3)), "at least 1 places"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_slips_are_answered():
    with pytest.raises(TypeError, match="Did you mean 'depthwise_initializer'"):
        DepthwiseConv2D(3, depthwise_initialiser="zeros")
