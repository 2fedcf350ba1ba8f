"""BatchNormalization and LayerNormalization as layers: axes, masks, Rows, moving averages, and what is refused."""

import numpy as np
import pytest
import reference
from checks import assert_close

import fastkeras as keras
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run
from fastkeras.core.variable import pack
from fastkeras.layers import BatchNormalization, Dense, LayerNormalization

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
    dense_x = values[index]
    layer, dy = ready(make(), dense_x), RNG.normal(size=dense_x.shape).astype("f")
    found = []
    for x in (dense_x, Rows(values, index)):
        for variable in layer.variables:
            variable.grad.fill(0.0)
        y, backward = layer.forward(x, Run(training=training, trains=True, wants_dx=True))
        if type(y) is Rows:
            d = np.zeros_like(y.values)
            np.add.at(d, y.index, dy)
            y, dx = y.values[y.index], backward(d)
        else:
            y, dx = y.copy(), backward(dy.copy())
        if dx.shape == dense_x.shape:
            summed = np.zeros_like(values)
            np.add.at(summed, index, dx)
            dx = summed
        found.append((y, dx, *(v.grad.copy() for v in layer.trainable_variables)))
    for a, b in zip(*found, strict=True):
        assert_close(a, b, 2e-5)


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
