"""Conv1D and Conv2D against the reference: outputs, every gradient, shapes, axes, and what they refuse."""

import convolutions
import numpy as np
import pytest
import reference
from checks import assert_close, built, random
from convolutions import around, geometry, run_layer, same_border, without

import fastkeras
from fastkeras.core.rows import Rows
from fastkeras.layers import Conv1D, Conv2D, Convolution1D, Convolution2D


def check(layer, x, border):
    """The layer against the reference. border: (before, after) on each axis"""

    def sums(x, W, b=None):
        return reference.conv(around(x, border, layer.rank)[1], W, b, *geometry(layer), layer.groups)

    def backward(dz, x, W, b=None):
        sides, padded = around(x, border, layer.rank)
        dx, *gradients = reference.conv_backward(dz, padded, W, *geometry(layer), layer.groups)
        return without(dx, sides), *gradients[: 1 if b is None else 2]

    convolutions.check(layer, x, sums, backward)


PADDINGS_1D = [
    ({}, [(0, 0)]),
    ({"strides": 2}, [(0, 0)]),
    ({"dilation_rate": 3}, [(0, 0)]),
    ({"padding": "same"}, [same_border(11, 3, 1)]),
    ({"padding": "same", "strides": 2}, [same_border(11, 3, 2)]),
    ({"padding": "same", "strides": 5}, [same_border(11, 3, 5)]),
    ({"padding": "same", "dilation_rate": 2}, [same_border(11, 5, 1)]),
    ({"padding": "CAUSAL"}, [(2, 0)]),
    ({"padding": "causal", "strides": 2}, [(2, 0)]),
    ({"padding": "causal", "dilation_rate": 4}, [(8, 0)]),
]


@pytest.mark.parametrize(("options", "border"), PADDINGS_1D)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sequences(options, border, data_format):
    x = random(3, 11, 5) if data_format == "channels_last" else random(3, 5, 11)
    check(Conv1D(7, 3, data_format=data_format, **options), x, border)


@pytest.mark.parametrize(
    ("options", "border"),
    [
        ({}, [(0, 0), (0, 0)]),
        ({"strides": (3, 2), "groups": 2}, [(0, 0), (0, 0)]),
        ({"dilation_rate": (2, 1), "use_bias": False}, [(0, 0), (0, 0)]),
        ({"padding": "same"}, [same_border(7, 2, 1), same_border(5, 3, 1)]),
        ({"padding": "same", "strides": 2}, [same_border(7, 2, 2), same_border(5, 3, 2)]),
        ({"padding": "same", "dilation_rate": [3, 2], "groups": 2}, [same_border(7, 4, 1), same_border(5, 5, 1)]),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images(options, border, data_format):
    x = random(2, 7, 5, 4) if data_format == "channels_last" else random(2, 4, 7, 5)
    check(Conv2D(6, (2, 3), data_format=data_format, **options), x, border)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu", "softmax", "log_softmax"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_activations(activation, data_format):
    x = random(2, 5, 5, 5)
    use_bias = data_format == "channels_last" or "softmax" not in activation  # what a row shares changes no softmax
    layer = Conv2D(7, 3, activation=activation, data_format=data_format, use_bias=use_bias)
    check(layer, x, [(0, 0), (0, 0)])


def test_an_activation_of_the_users_own():
    class Twice:
        kernel = None

        def forward(self, z):
            return 2 * z, lambda dy: 2 * dy

    plain, twice = built(Conv1D(3, 2), 2, 5, 4), built(Conv1D(3, 2), 2, 5, 4)
    twice.activation = Twice()
    twice.set_weights(plain.get_weights())
    x = random(2, 5, 4)
    (y, _, dx, gradients), (y2, _, dx2, gradients2) = run_layer(plain, x), run_layer(twice, x)
    for once, double in zip([y, dx, *gradients], [y2, dx2, *gradients2], strict=True):
        np.testing.assert_allclose(double, 2 * once, rtol=1e-6)


def test_no_samples():
    for layer, shape in [
        (Conv1D(3, 2, padding="same"), (0, 5, 4)),
        (Conv2D(3, 2, activation="softmax"), (0, 5, 7, 4)),
        (Conv2D(3, 2, data_format="channels_first"), (0, 4, 5, 7)),
    ]:
        y, _, dx, gradients = run_layer(built(layer, *shape), random(*shape))
        assert y.shape == layer.compute_output_shape(shape)
        assert dx.shape == shape
        assert not any(g.any() for g in gradients)


ROWS = {
    "plain": (Conv1D(4, 3), (3, 11)),
    "border": (Conv1D(4, 3, padding="same", activation="tanh"), (3, 11)),
    "causal": (Conv1D(4, 3, padding="causal", dilation_rate=2, activation="silu"), (3, 11)),
    "strides": (Conv1D(4, 5, strides=2, padding="same", use_bias=False), (3, 23)),
    "images": (Conv2D(4, (3, 2), padding="same", strides=(1, 2), activation="relu"), (3, 5, 7)),
    "an activation over rows": (Conv2D(4, 3, activation="softmax"), (3, 5, 7)),
    "groups": (Conv1D(4, 3, groups=2), (3, 11)),
    "channels first": (Conv1D(4, 3, data_format="channels_first"), (3, 6)),
    "hardly any row twice": (Conv1D(4, 3), (1, 11)),
    "no samples": (Conv1D(4, 3, padding="same"), (0, 11)),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_are_taken_and_given_back(case):
    """Behind an Embedding: gradients come back summed over places that share a row."""
    layer, shape = ROWS[case]
    values, index = random(7, 6), np.random.default_rng(3).integers(0, 7, shape).astype(np.int32)
    built(layer, *shape, 6)
    y, _, dvalues, gradients = run_layer(layer, Rows(values, index))
    expected_y, _, dx, expected = run_layer(layer, values[index])
    assert_close(y, expected_y, 1e-6, "y")
    assert_close(dvalues, reference.embedding_backward(dx, values, index), 3e-6, "dvalues")
    for actual, wanted in zip(gradients, expected, strict=True):
        assert_close(actual, wanted, 3e-6, "gradient")
    assert run_layer(layer, Rows(values, index), wants_dx=False)[2] is None
    frozen_dvalues, frozen = run_layer(layer, Rows(values, index), trains=False)[2:]
    np.testing.assert_array_equal(frozen_dvalues, dvalues)
    assert not any(g.any() for g in frozen)


def test_gradients_that_are_not_wanted_are_not_computed():
    layer, x = built(Conv1D(4, 3, padding="same"), 3, 11, 5), random(3, 11, 5)
    _, _, dx, gradients = run_layer(layer, x)
    assert run_layer(layer, x, wants_dx=False)[2] is None
    _, _, frozen_dx, frozen = run_layer(layer, x, trains=False)
    np.testing.assert_array_equal(frozen_dx, dx)
    assert not any(g.any() for g in frozen)
    assert all(g.any() for g in gradients)


def test_a_mask_ends_here_as_in_keras():
    layer = Conv1D(4, 3)
    assert not layer.supports_masking
    assert layer.compute_mask(random(2, 5, 3), np.ones((2, 5), bool)) is None


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (Conv1D(4, 3), (None, None, 5), (None, None, 4)),
        (Conv1D(4, 3, padding="same", strides=2), (None, 11, 5), (None, 6, 4)),
        (Conv1D(4, 3, data_format="channels_first"), (None, 5, 11), (None, 4, 9)),
        (Conv2D(4, (3, 5), strides=2), (None, 11, None, 1), (None, 5, None, 4)),
        (Conv2D(4, 3, padding="same", data_format="channels_first"), (7, 1, 11, 13), (7, 4, 11, 13)),
    ],
)
def test_output_shapes(layer, shape, output):
    assert layer.compute_output_shape(shape) == output
    assert layer(fastkeras.Input(batch_shape=shape)).shape == output


def test_config_makes_an_equal_layer():
    layer = Conv2D(
        6,
        [3, 5],
        strides=(1, 2),
        padding="same",
        data_format="channels_first",
        groups=2,
        activation="relu",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer="l2",
        activity_regularizer="l1",
        kernel_constraint="non_neg",
        name="sees",
    )
    config = layer.get_config()
    assert Conv2D.from_config(config).get_config() == config
    assert set(config) == {
        "name", "trainable", "dtype", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
        "groups", "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer",
        "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint",
    }  # fmt: skip
    assert (config["kernel_size"], config["strides"], config["groups"]) == ((3, 5), (1, 2), 2)
    assert (Convolution1D, Convolution2D) == (Conv1D, Conv2D)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv1D(0, 3), "Conv1D: `filters` must be a positive integer. Received: filters=0"),
        (lambda: Conv1D(2, 0), "`kernel_size` must be a positive integer"),
        (lambda: Conv2D(2, (3, 3, 3)), "`kernel_size` must be a positive integer or 2 of them"),
        (lambda: Conv2D(2, 3, strides=(1, 0)), "`strides` must be a positive integer"),
        (lambda: Conv2D(2, 3, strides=2.0), "`strides` must be a positive integer"),
        (lambda: Conv2D(2, 3, padding="causal"), "`padding` must be one of valid, same. Received: padding='causal'"),
        (lambda: Conv1D(2, 3, padding=1), "`padding` must be one of valid, same, causal"),
        (lambda: Conv1D(2, 3, data_format="last"), "`data_format` must be one of channels_last, channels_first"),
        (lambda: Conv1D(3, 3, groups=2), "`filters` must be a multiple of `groups`. Received: filters=3, groups=2"),
        (lambda: Conv1D(3, 3, strides=2, dilation_rate=2), "must not both be above 1"),
        (lambda: Conv1D(3, 3)(random(2, 5)), r"expected an input of shape \(batch, steps, channels\)"),
        (lambda: Conv2D(3, 3, data_format="channels_first")(random(2, 5, 5)), r"\(batch, channels, rows, columns\)"),
        (lambda: Conv1D(3, 3)(fastkeras.Input((5, None))), "the number of input channels must be known"),
        (lambda: Conv1D(4, 3, groups=2)(random(2, 5, 3)), "expected a multiple of 2 input channels"),
        (lambda: built(Conv1D(4, 3), 2, 5, 3)(random(2, 5, 2)), "expected 3 input channels"),
        (lambda: Conv1D(4, 3)(random(2, 2, 3)), r"at least 3 places. Received: shape \(2, 2, 3\)"),
        (lambda: Conv2D(4, 2, dilation_rate=(1, 3))(random(2, 2, 3, 3)), "at least 2 x 4 places"),
        (lambda: Conv1D(4, 3, padding="same")(random(2, 0, 3)), "at least 1 places"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_input_that_fits_only_when_padded():
    """Two steps under a window of three."""
    assert Conv1D(4, 3, padding="same")(random(1, 2, 3)).shape == (1, 2, 4)
    assert Conv1D(4, 3, padding="causal")(random(1, 1, 3)).shape == (1, 1, 4)


def test_slips_are_answered():
    with pytest.raises(TypeError, match="Did you mean 'kernel_size'"):
        Conv1D(4, 3, kernelsize=3)
    with pytest.raises(AttributeError, match="Did you mean 'Conv2D'"):
        fastkeras.layers.Conv2d  # noqa: B018
