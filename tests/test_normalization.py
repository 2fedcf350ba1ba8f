"""Normalizations as layers: axes, masks, Rows, moving averages, and what is refused."""

import numpy as np
import pytest
import reference
from checks import assert_close, assert_rows_give_what_the_array_gives

import fastkeras as keras
from fastkeras.core.run import Run
from fastkeras.core.variable import pack
from fastkeras.layers import (
    BatchNormalization,
    Dense,
    GroupNormalization,
    LayerNormalization,
    Normalization,
    Rescaling,
    UnitNormalization,
)

RNG = np.random.default_rng(13)


def ready(layer, x):
    layer.ensure_built(x.shape)
    pack(layer.variables)
    for variable in layer.variables:
        variable.value[...] = RNG.uniform(0.5, 1.5, variable.shape)
    return layer


@pytest.mark.parametrize("axis, shape", [(-1, (7, 5)), (1, (5, 3, 7)), (2, (3, 5, 2, 7)), (-1, (2, 3, 5, 7))])
def test_batch_normalization_of_any_axis(axis, shape):
    x, dy = RNG.normal(size=(2, *shape)).astype("f")
    layer = ready(BatchNormalization(axis=axis, momentum=0.9), x)
    moving = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    run = Run(training=True, trains=True, wants_dx=True)
    y, backward = layer.forward(x, run)
    y, dx = y.copy(), backward(dy)

    rows = [np.moveaxis(a, axis, -1).reshape(-1, shape[axis]).astype(np.float64) for a in (x, dy)]
    expected = reference.batch_norm(rows[0], layer.gamma.value, layer.beta.value)
    gradients = reference.batch_norm_backward(rows[1], rows[0], layer.gamma.value)
    assert_close(np.moveaxis(y, axis, -1).reshape(expected.shape), expected, 2e-5, "y")
    assert_close(np.moveaxis(dx, axis, -1).reshape(expected.shape), gradients[0], 3e-5, "dx")
    assert_close(layer.gamma.grad, gradients[1], 3e-5, "dgamma")
    assert_close(layer.beta.grad, gradients[2], 3e-5, "dbeta")
    moments = reference.batch_moments(rows[0])
    for before, now, moment in zip(moving, (layer.moving_mean, layer.moving_variance), moments, strict=True):
        assert_close(now.value, 0.9 * before + 0.1 * moment, 1e-5)

    y, _ = layer.forward(x, Run())
    fixed = reference.normalized(rows[0], *(layer.get_weights()[i] for i in (2, 3, 0, 1)), 1e-3)
    assert_close(np.moveaxis(y, axis, -1).reshape(fixed.shape), fixed, 2e-5, "with the moving averages")


def test_masked_steps_do_not_count_in_a_batch():
    x = RNG.normal(size=(3, 5, 7)).astype("f")
    mask = RNG.random((3, 5)) < 0.5
    layer = ready(BatchNormalization(), x)
    y, _ = layer.forward(x, Run(training=True, mask=mask))
    other = np.where(mask[:, :, None], x, 99.0).astype("f")
    z, _ = layer.forward(other, Run(training=True, mask=mask))
    np.testing.assert_array_equal(y[mask], z[mask])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", [BatchNormalization, LayerNormalization])
def test_rows_give_what_the_dense_array_gives(make, training):
    values, index = RNG.normal(size=(5, 3)).astype("f"), RNG.integers(0, 5, (7, 11)).astype(np.int32)
    assert_rows_give_what_the_array_gives(ready(make(), values[index]), values, index, 2e-5, training)


@pytest.mark.parametrize("axis, shape", [(-1, (5, 7)), (1, (3, 5, 7)), ([1, 2], (3, 5, 7)), ((-1, 1), (2, 3, 5, 7))])
def test_layer_normalization_of_any_axes(axis, shape):
    x, dy = RNG.normal(size=(2, *shape)).astype("f")
    layer = ready(LayerNormalization(axis=axis), x)
    y, backward = layer.forward(x, Run(trains=True, wants_dx=True))
    y, dx = y.copy(), backward(dy)
    axes = sorted(a % len(shape) for a in np.atleast_1d(axis))
    size = int(np.prod([shape[a] for a in axes]))
    ends = range(-len(axes), 0)
    rows = [np.moveaxis(a, axes, ends).reshape(-1, size).astype(np.float64) for a in (x, dy, y, dx)]
    gamma, beta = layer.gamma.value.reshape(-1), layer.beta.value.reshape(-1)
    gradients = reference.layer_norm_backward(rows[1], rows[0], gamma)
    assert_close(rows[2], reference.layer_norm(rows[0], gamma, beta), 2e-5, "y")
    assert_close(rows[3], gradients[0], 3e-5, "dx")
    assert_close(layer.gamma.grad.reshape(-1), gradients[1], 3e-5, "dgamma")
    assert_close(layer.beta.grad.reshape(-1), gradients[2], 3e-5, "dbeta")


def test_a_frozen_layer_keeps_its_averages_in_training():
    model = keras.Sequential([Dense(3, input_dim=2), BatchNormalization(name="norm"), Dense(1)])
    model.layers[1].trainable = False
    model.compile("sgd", "mse")
    before = model.layers[1].get_weights()
    x = RNG.normal(size=(7, 2)).astype("f")
    model.fit(x, np.ones((7, 1)), epochs=2, verbose=0)
    for a, b in zip(before, model.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_config_makes_an_equal_layer():
    for layer in (
        BatchNormalization(axis=1, momentum=0.5, gamma_initializer="uniform", beta_regularizer="l2", scale=False),
        LayerNormalization(axis=[1, 2], epsilon=0.1, center=False, gamma_constraint="non_neg"),
    ):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNormalization(momentum=1.5), "`momentum` must be a number from 0 to 1"),
        (lambda: LayerNormalization(epsilon=0), "`epsilon` must be a positive number"),
        (lambda: keras.Sequential([BatchNormalization(axis=3, input_shape=(2, 3))]), "`axis` must name axes"),
        (lambda: keras.Sequential([LayerNormalization(axis=0, input_shape=(2, 3))]), "and not the batch axis"),
        (lambda: keras.Sequential([LayerNormalization(axis=(1, 1), input_shape=(2, 3))]), "`axis` must name axes"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
    with pytest.raises(TypeError, match="Did you mean 'gamma_initializer'"):
        BatchNormalization(gama_initializer="ones")


@pytest.mark.parametrize(
    "axis, shape, groups", [(-1, (3, 5, 2, 6), 2), (1, (3, 6, 5), 3), (-1, (7, 6), 2), (1, (2, 3, 5), 1)]
)
def test_group_normalization(axis, shape, groups):
    x, dy = RNG.normal(1.0, 2.0, size=(2, *shape)).astype("f")
    layer = ready(GroupNormalization(groups, axis=axis), x)
    y, backward = layer.forward(x, Run(trains=True, wants_dx=True))
    y, dx = y.copy(), backward(dy.copy())
    C, ones = shape[axis], np.ones(x[0].size // groups)
    # (B, C, places): the rows of a group lie one behind the other
    channels = [np.moveaxis(a, axis, 1).reshape(len(x), C, -1).astype(np.float64) for a in (x, dy, y, dx)]
    by_group = [a.reshape(len(x) * groups, -1) for a in channels]
    gamma, beta = (v.value.astype(np.float64)[:, None] for v in (layer.gamma, layer.beta))
    xhat = reference.layer_norm(by_group[0], ones, 0 * ones).reshape(channels[0].shape)
    assert_close(channels[2], gamma * xhat + beta, 2e-5, "y")
    dxhat = (gamma * channels[1]).reshape(by_group[0].shape)
    assert_close(by_group[3], reference.layer_norm_backward(dxhat, by_group[0], ones)[0], 1e-4, "dx")
    assert_close(layer.gamma.grad, (channels[1] * xhat).sum((0, 2)), 3e-5, "dgamma")
    assert_close(layer.beta.grad, channels[1].sum((0, 2)), 3e-5, "dbeta")


@pytest.mark.parametrize("axis, shape", [(-1, (3, 5, 7)), ([1, 2], (3, 5, 7)), (1, (3, 5, 7))])
def test_unit_normalization(axis, shape):
    x, dy = RNG.normal(size=(2, *shape)).astype("f")
    y, backward = UnitNormalization(axis).forward(x, Run(wants_dx=True))
    np.testing.assert_allclose((y**2).sum(axis=tuple(np.atleast_1d(axis))), 1, rtol=1e-5)
    axes, ends = np.atleast_1d(axis), range(-np.size(axis), 0)
    size = int(np.prod([shape[a] for a in axes]))
    rows = [np.moveaxis(a, axes, ends).reshape(-1, size).astype(np.float64) for a in (x, dy, backward(dy.copy()))]
    assert_close(rows[2], reference.unit_norm_backward(rows[1], rows[0]), 2e-5, "dx")


class Batches:
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return (DATA[:3] if i == 0 else DATA[3:]), None


DATA = RNG.normal(50.0, [1, 2, 0], (11, 5, 3)).astype("f")


@pytest.mark.parametrize("axis, over", [(-1, (0, 1)), ((1, 2), 0), (None, None)])
@pytest.mark.parametrize(
    "data", [DATA, DATA.tolist(), [DATA[:7], DATA[7:8], DATA[8:]], iter([DATA[:1], (DATA[1:], None)]), Batches()],
    ids=["array", "lists", "batches", "iterator", "sequence"],
)  # fmt: skip
def test_adapted_to_data(axis, over, data):
    layer = Normalization(axis=axis)
    layer.adapt(data if axis == -1 or not hasattr(data, "__next__") else [DATA])  # an iterator serves once
    mean, deviation = DATA.mean(over, dtype=float, keepdims=True), DATA.std(over, dtype=float, keepdims=True)
    y = layer(DATA)
    wanted = (DATA - mean) / np.maximum(deviation, 1e-7)
    np.testing.assert_allclose(y[..., :2], wanted[..., :2], rtol=1e-3, atol=2e-4)  # the last feature is constant
    np.testing.assert_allclose(layer.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(layer.variance, deviation**2, rtol=1e-4)
    assert layer.mean.shape == layer.mean.numpy().shape == mean.shape
    back = Normalization(axis=axis, invert=True)
    back.adapt(DATA)
    np.testing.assert_allclose(back(y), DATA, rtol=1e-4)
    layer.adapt(2 * DATA)  # begins anew
    np.testing.assert_allclose(layer.mean, 2 * mean, rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, None])
def test_numbers_alone(axis):
    """As in Keras, for one number a sample."""
    layer = Normalization(axis, mean=3.0, variance=4.0)
    np.testing.assert_allclose(layer(np.array([1.0, 3.0, 4.0])), [-1, 0, 0.5])
    np.testing.assert_allclose(layer(np.array([5.0])), [1.0])


def test_a_model_begins_with_data_as_they_are(tmp_path):
    normalization = Normalization()
    normalization.adapt(DATA[:, 0])
    model = keras.Sequential([normalization, Dense(1)])
    model.compile("sgd", "mse")
    model.fit(DATA[:, 0], np.ones(11), epochs=1, verbose=0)
    np.testing.assert_array_equal(normalization.mean[0], normalization.get_weights()[0])
    y = model.predict(DATA[:, 0], verbose=0)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / name).predict(DATA[:, 0], verbose=0), y)


def test_rescaling():
    x = RNG.integers(0, 256, (2, 3, 3, 3))
    np.testing.assert_allclose(Rescaling(1 / 127.5, offset=-1)(x), x / 127.5 - 1, rtol=1e-5, atol=1e-6)
    of_keras = {"class_name": "__numpy__", "config": {"value": [1.0, 2.0, 3.0], "dtype": "float32"}}
    layer = Rescaling.from_config({"scale": of_keras, "offset": [0, 0, 1]})
    np.testing.assert_allclose(layer(x), x * [1, 2, 3] + [0, 0, 1])
    assert layer.get_config()["scale"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GroupNormalization(0), "GroupNormalization: `groups` must be a positive integer, or -1. Received: 0"),
        (lambda: GroupNormalization(2)(DATA), "`groups` must divide the 3 channels on axis -1. Received: groups=2"),
        (lambda: UnitNormalization(3)(DATA), r"\(UnitNormalization\): `axis` must name axes of the input, and not"),
        (lambda: Normalization(mean=1.0), "`mean` and `variance` must be given both or neither"),
        (lambda: Normalization(mean=1.0, variance=[1.0, 2.0]), "and have one shape"),
        (lambda: Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(DATA), r"do not fit the extents \(3,\) on axis"),
        (lambda: Normalization(mean=1.0, variance=1.0).adapt(DATA), r"adapt\(\) was called, but `mean` is given"),
        (lambda: Normalization().adapt([]), "adapt\\(\\) needs data"),
        (lambda: Normalization()(keras.Input((3, None))), "`axis` must name axes of the input whose extents are known"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
