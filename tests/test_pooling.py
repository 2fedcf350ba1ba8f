"""The pooling layers against the reference: outputs, gradients, axes, masks, shapes, and what they refuse."""

import numpy as np
import pytest
import reference
from checks import assert_close, random

import fastkeras
from fastkeras import layers
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run

RNG = np.random.default_rng(19)


def run_layer(layer, x, mask=None):
    """y, a random dy, and dx."""
    y, backward = layer.forward(x, Run(training=True, wants_dx=True, mask=mask))
    y, dy = y.copy(), random(*y.shape)
    return y, dy, backward(dy.copy()).copy()


def as_images(x, layer):
    """x (B, H, W, C) in float64."""
    x = np.moveaxis(x, 1, -1) if layer.data_format == "channels_first" else x
    return x.reshape(len(x), *(1,) * (2 - layer.rank), *x.shape[1:]).astype(np.float64)


def in_front(n, window, stride):
    """How many places TensorFlow adds before an axis for padding "same"."""
    return max(0, (-(-n // stride) - 1) * stride + window - n) // 2


def check(layer, x, size, strides, before, extents):
    y, dy, dx = run_layer(layer, x)
    assert y.shape == layer.compute_output_shape(x.shape)
    name = "max_pool" if "Max" in type(layer).__name__ else "average_pool"
    geometry, x64 = (size, strides, before, extents), as_images(x, layer)
    expected = getattr(reference, name)(x64, *geometry)
    assert_close(as_images(y, layer), expected, 1e-6, "y")
    expected = getattr(reference, f"{name}_backward")(as_images(dy, layer), x64, *geometry)
    assert_close(as_images(dx, layer), expected, 1e-6, "dx")


@pytest.mark.parametrize("name", ["MaxPooling1D", "AveragePooling1D"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("options", "size", "stride", "before", "extent"),
    [
        ({}, 2, 2, 0, 5),
        ({"pool_size": 3, "strides": 1}, 3, 1, 0, 9),
        ({"pool_size": (5,), "strides": [2], "padding": "same"}, 5, 2, in_front(11, 5, 2), 6),
        ({"pool_size": 4, "strides": 1, "padding": "SAME"}, 4, 1, in_front(11, 4, 1), 11),
        ({"pool_size": 2, "strides": 5}, 2, 5, 0, 2),
        ({"pool_size": 11}, 11, 11, 0, 1),
    ],
)
def test_sequences(name, data_format, options, size, stride, before, extent):
    x = random(3, 11, 5) if data_format == "channels_last" else random(3, 5, 11)
    check(
        getattr(layers, name)(data_format=data_format, **options), x, (1, size), (1, stride), (0, before), (1, extent)
    )


@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("options", "size", "strides", "before", "extents"),
    [
        ({}, (2, 2), (2, 2), (0, 0), (3, 5)),
        ({"pool_size": (2, 3)}, (2, 3), (2, 3), (0, 0), (3, 3)),
        ({"pool_size": 3, "strides": (1, 2)}, (3, 3), (1, 2), (0, 0), (5, 5)),
        ({"padding": "same"}, (2, 2), (2, 2), (in_front(7, 2, 2), in_front(11, 2, 2)), (4, 6)),
        ({"pool_size": (4, 5), "strides": 3, "padding": "same"}, (4, 5), (3, 3), (1, 1), (3, 4)),
    ],
)
def test_images(name, data_format, options, size, strides, before, extents):
    x = random(2, 7, 11, 3) if data_format == "channels_last" else random(2, 3, 7, 11)
    check(getattr(layers, name)(data_format=data_format, **options), x, size, strides, before, extents)


@pytest.mark.parametrize("name", ["GlobalMaxPooling", "GlobalAveragePooling"])
@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_over_everything(name, rank, data_format, keepdims):
    layer = getattr(layers, f"{name}{rank}D")(data_format=data_format, keepdims=keepdims)
    extents = (7,) if rank == 1 else (5, 7)
    x = random(3, *extents, 11) if data_format == "channels_last" else random(3, 11, *extents)
    axes = tuple(range(1, 1 + rank)) if data_format == "channels_last" else tuple(range(2, 2 + rank))
    y, dy, dx = run_layer(layer, x)
    function = np.max if "Max" in name else np.mean
    assert y.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(y, function(x, axis=axes, keepdims=keepdims), rtol=1e-5, atol=1e-6)
    dy = dy if keepdims else np.expand_dims(dy, axes)
    if "Max" in name:
        expected = dy * (x == x.max(axis=axes, keepdims=True))
    else:
        expected = np.broadcast_to(dy / np.prod(extents), x.shape)
    np.testing.assert_allclose(dx, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_mean_over_steps_respects_the_mask(data_format):
    x, mask = random(3, 7, 5), np.array([[1, 0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1], [1] * 7], bool)
    layer = layers.GlobalAveragePooling1D(data_format=data_format)
    y, dy, dx = run_layer(layer, x if data_format == "channels_last" else np.swapaxes(x, 1, 2).copy(), mask)
    dx = dx if data_format == "channels_last" else np.swapaxes(dx, 1, 2)
    for b in range(3):
        np.testing.assert_allclose(y[b], x[b, mask[b]].mean(axis=0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(dx[b], mask[b][:, None] * dy[b] / mask[b].sum(), rtol=1e-5, atol=1e-6)
    assert layer.compute_mask(x, mask) is None


def test_other_poolings_pay_no_heed_to_a_mask():
    x, mask = random(2, 4, 3), np.zeros((2, 4), bool)
    for layer in (layers.GlobalMaxPooling1D(), layers.MaxPooling1D(), layers.AveragePooling1D()):
        np.testing.assert_array_equal(run_layer(layer, x, mask)[0], run_layer(layer, x)[0])
        assert layer.compute_mask(x, mask) is None


def test_a_mask_reaches_the_mean_through_a_model():
    model = fastkeras.Sequential([layers.Embedding(7, 3, mask_zero=True), layers.GlobalAveragePooling1D()])
    ids = np.array([[3, 5, 0, 0], [1, 2, 3, 4]])
    y, table = model.predict(ids, verbose=0), model.get_weights()[0]
    np.testing.assert_allclose(y, [table[[3, 5]].mean(axis=0), table[[1, 2, 3, 4]].mean(axis=0)], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("layer", [layers.GlobalMaxPooling1D(), layers.GlobalAveragePooling1D(), layers.MaxPooling1D()])
def test_rows_are_taken_and_given_back(layer):
    values, index = random(7, 5), RNG.integers(0, 7, (3, 11)).astype(np.int32)
    x, run = values[index], Run(training=True, wants_dx=True)
    y, backward = layer.forward(Rows(values, index), run)
    plain, dy, dx = run_layer(layer, x)
    np.testing.assert_array_equal(y, plain)
    expected = reference.embedding_backward(dx, values, index)
    np.testing.assert_allclose(backward(dy), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D"])
def test_no_samples(name):
    layer, x = getattr(layers, name)(), random(0, 4, 6, 3)
    y, _, dx = run_layer(layer, x)
    assert y.shape == layer.compute_output_shape(x.shape)
    assert dx.shape == x.shape


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (layers.MaxPooling1D(3), (None, None, 5), (None, None, 5)),
        (layers.MaxPooling1D(3, padding="same"), (None, 11, 5), (None, 4, 5)),
        (layers.AveragePooling1D(3, strides=2, data_format="channels_first"), (None, 5, 11), (None, 5, 5)),
        (layers.MaxPooling2D((3, 2)), (None, 11, None, 1), (None, 3, None, 1)),
        (layers.GlobalMaxPooling1D(), (None, None, 5), (None, 5)),
        (layers.GlobalAveragePooling2D(keepdims=True), (None, None, 7, 5), (None, 1, 1, 5)),
        (layers.GlobalMaxPooling2D("channels_first", keepdims=True), (7, 5, 11, 13), (7, 5, 1, 1)),
    ],
)
def test_output_shapes(layer, shape, output):
    assert layer.compute_output_shape(shape) == output
    assert layer(fastkeras.Input(batch_shape=shape)).shape == output


def test_config_makes_an_equal_layer():
    layer = layers.MaxPooling2D([3, 5], strides=2, padding="same", data_format="channels_first", name="pools")
    config = layer.get_config()
    assert layers.MaxPooling2D.from_config(config).get_config() == config
    assert set(config) == {"name", "trainable", "dtype", "pool_size", "strides", "padding", "data_format"}
    assert (config["pool_size"], config["strides"]) == ((3, 5), (2, 2))
    config = layers.GlobalAveragePooling1D(keepdims=True).get_config()
    assert set(config) == {"name", "trainable", "dtype", "data_format", "keepdims"}
    assert layers.GlobalAveragePooling1D.from_config(config).get_config() == config


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("rank", [1, 2])
def test_short_names_are_the_same_layers_and_files_hold_the_long_ones(kind, rank):
    for start in ("", "Global"):
        long = getattr(layers, f"{start}{kind}Pooling{rank}D")
        assert getattr(layers, f"{start}{kind[:3].replace('Ave', 'Avg')}Pool{rank}D") is long
        model = fastkeras.Sequential([fastkeras.Input((4, 6, 3)[2 - rank :]), long()])
        assert f'"{long.__name__}"' in model.to_json()
        assert type(fastkeras.models.model_from_json(model.to_json()).layers[-1]) is long


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.MaxPooling1D(0), "MaxPooling1D: `pool_size` must be a positive integer. Received: pool_size=0"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), "`pool_size` must be a positive integer or 2 of them"),
        (lambda: layers.AveragePooling2D(2, strides=0), "`strides` must be a positive integer"),
        (lambda: layers.MaxPooling1D(padding="causal"), "`padding` must be one of valid, same"),
        (lambda: layers.GlobalMaxPooling1D("first"), "`data_format` must be one of channels_last, channels_first"),
        (lambda: layers.MaxPooling1D()(random(2, 5)), r"expected an input of shape \(batch, steps, channels\)"),
        (lambda: layers.GlobalMaxPooling2D()(random(2, 5, 5)), r"\(batch, rows, columns, channels\)"),
        (
            lambda: layers.MaxPooling1D(3)(random(2, 2, 3)),
            r"at least 3 places. Received: shape \(2, 2, 3\)",
        ),
        (lambda: layers.MaxPooling2D((2, 3))(fastkeras.Input((5, 2, 3))), "at least 2 x 3 places"),
        (lambda: layers.GlobalAveragePooling1D()(random(2, 0, 3)), "at least 1 places"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
