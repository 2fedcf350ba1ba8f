"""Losses, activations and regularizers of the user's own, and what layers and models add to the loss."""

import numpy as np
import pytest
from checks import assert_close, central_difference
from custom_cases import RNG, Around, Linear, Size, X, Y, pair, trained, trained_on

import fastkeras
from fastkeras import layers, ops


def row_losses(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def element_losses(y_true, y_pred):
    return ops.square(y_true - y_pred)


def one_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


class MyLoss(fastkeras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("loss", [row_losses, element_losses, one_loss, MyLoss()])
def test_losses_in_ops_train_as_the_built_in_one(loss):
    own, built_in = pair([layers.Dense(3)], [layers.Dense(3)])
    np.testing.assert_allclose(trained(own, loss=loss), trained(built_in), rtol=1e-5)
    assert_close(own.get_weights()[0], built_in.get_weights()[0], 1e-4)


def with_gradient(y_true, y_pred):
    error = y_pred - y_true
    return (error**2).mean(axis=1), 2 * error / error.shape[1]


@pytest.mark.parametrize("loss", [row_losses, element_losses, MyLoss(), with_gradient])
def test_losses_of_steps_train_as_the_built_in_one(loss):
    steps, weights = np.stack([X, X[::-1], X + 1], axis=1), RNG.uniform(0.5, 2, size=(7, 3)).astype(np.float32)
    steps[2, 1:] = 5.0
    found = []
    for given in (loss, "mse"):
        model = fastkeras.Sequential([layers.Masking(5.0, input_shape=(3, 4)), layers.Dense(4)])
        model.set_weights([np.full(w.shape, 0.1, np.float32) for w in model.get_weights()])
        model.compile("sgd", given)
        fitted = model.fit(steps, 2 * steps, sample_weight=weights, epochs=2, verbose=0, shuffle=False)
        found.append([*fitted.history["loss"], model.evaluate(steps, 2 * steps, verbose=0), *model.get_weights()])
    for own, built_in in zip(*found, strict=True):
        assert_close(own, built_in, 1e-5)


def test_a_loss_may_compare_rows_and_have_weights():
    def contrast(y_true, y_pred):
        return ops.square(y_pred[:, 0] - ops.mean(y_pred[:, 0]))

    loss = fastkeras.losses.get(contrast)
    y, dy = X[:, :2].copy(), np.empty((7, 2), np.float32)
    weights = RNG.uniform(size=7).astype(np.float32)
    value = loss.compute(y, y, weights, 1 / 7, dy)
    assert_close(value, np.mean(weights * (y[:, 0] - y[:, 0].mean()) ** 2), 1e-5)

    def function(x):
        return np.mean(weights * (x[:, 0] - x[:, 0].mean()) ** 2)

    assert_close(dy, central_difference(function, y, 1.0), 1e-4)


def test_activations_and_regularizers_in_ops():
    def swish(x):
        return x * ops.sigmoid(x)

    def lasso(w):
        return 0.01 * ops.sum(ops.absolute(w))

    own, built_in = pair(
        [layers.Dense(3, activation=swish, kernel_regularizer=lasso)],
        [layers.Dense(3, activation="silu", kernel_regularizer=fastkeras.regularizers.L1(0.01))],
    )
    np.testing.assert_allclose(trained(own), trained(built_in), rtol=1e-5)
    assert_close(own.get_weights()[2], built_in.get_weights()[2], 1e-4)


def test_add_loss_within_call_counts_and_has_a_gradient():
    class Penalised(Linear):
        def call(self, inputs):
            y = super().call(inputs)
            self.add_loss(0.5 * ops.mean(ops.square(y)))
            return y

    model, plain = fastkeras.Sequential([Penalised(3)]), fastkeras.Sequential([Linear(3)])
    for m in (model, plain):
        m.build((None, 4))
    plain.set_weights(model.get_weights())
    losses = trained(model)

    def both(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1) + 0.5 * ops.mean(ops.square(y_pred), axis=-1)

    np.testing.assert_allclose(losses, trained(plain, loss=both), rtol=1e-5)
    assert_close(model.get_weights()[0], plain.get_weights()[0], 1e-5)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_layers_add_to_the_loss_counts_however_deep_they_are(depth):
    layer = Size()
    for _ in range(depth):
        layer = Around(layer)
    _, loss = trained_on(layer)
    assert loss == pytest.approx(1 + float(np.mean(X**2)), rel=1e-5)


def test_penalties_on_outputs_count_inside_a_call():
    inner = Linear(4, activity_regularizer="l2")
    model, _ = trained_on(Around(inner))
    w, b = inner.get_weights()
    y = X @ w + b
    expected = np.mean((y - X - 1) ** 2) + 0.01 * np.sum(y**2) / len(X)
    assert model.evaluate(X, X + 1, batch_size=7, verbose=0) == pytest.approx(float(expected), rel=1e-5)


def test_a_penalised_output_without_a_loss_is_trained():
    start = fastkeras.Input((4,))
    a, b = layers.Dense(3, name="a")(start), layers.Dense(3, name="b", activity_regularizer="l2")(start)
    c = Size(name="c")(layers.Dense(3, name="d")(start))
    model = fastkeras.Model(start, [a, b, c])
    model.compile(fastkeras.optimizers.SGD(0.1), {"a": "mse"})
    before = {name: model.get_layer(name).get_weights()[0] for name in "bd"}
    model.train_on_batch(X, {"a": Y})
    for name, old in before.items():
        y = X @ old
        size = 0.02 * y / len(X) if name == "b" else 2 * y / y.size
        assert_close(old - model.get_layer(name).get_weights()[0], 0.1 * X.T @ size, 1e-4)


def autoencoder():
    """As the variational autoencoders of Keras 2's examples begin."""
    start = fastkeras.Input((4,))
    mean, log_var = layers.Dense(2)(start), layers.Dense(2)(start)
    return start, mean, log_var, fastkeras.Model(start, layers.Dense(4)(mean))


def divergence(mean, log_var):
    K = fastkeras.backend
    return -0.5 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)


def test_a_loss_of_what_is_inside_a_model_is_added_to_it():
    start, mean, log_var, model = autoencoder()
    with pytest.raises(TypeError, match=r"Loss 'mean_squared_error' is computed from values.*ops.square"):
        fastkeras.losses.MeanSquaredError()(start, model.output)
    error = fastkeras.backend.sum(fastkeras.backend.square(start - model.output), axis=-1)
    model.add_loss(fastkeras.backend.mean(error + divergence(mean, log_var)))
    model.compile("sgd")
    w = model.get_weights()
    m, v = X @ w[0] + w[1], X @ w[2] + w[3]
    kl = -0.5 * (1 + v - m**2 - np.exp(v)).sum(axis=-1)
    expected = np.mean(((m @ w[4] + w[5] - X) ** 2).sum(axis=-1) + kl)
    history = model.fit(X, epochs=4, verbose=0).history["loss"]
    assert_close(history[0], expected, 1e-4)
    assert history[3] < history[0]


@pytest.mark.parametrize("alone", [False, True])
def test_a_loss_that_mixes_values_and_symbols_says_what_to_do(alone):
    _, mean, log_var, model = autoencoder()

    def loss(x, decoded):
        symbolic = divergence(mean, log_var)
        return symbolic if alone else fastkeras.losses.mse(x, decoded) + symbolic

    model.compile("sgd", loss)
    with pytest.raises(TypeError, match=r"symbolic tensor.*model\.add_loss\(tensor\)"):
        model.fit(X, X, verbose=0)
