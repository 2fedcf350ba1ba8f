"""Layers, losses, activations and regularizers of the user's own, written with ops."""

import numpy as np
import pytest
from checks import assert_close, central_difference

import fastkeras
from fastkeras import layers, ops

RNG = np.random.default_rng(11)
X = RNG.normal(size=(7, 4)).astype(np.float32)
Y = RNG.normal(size=(7, 3)).astype(np.float32)


class Linear(layers.Layer):
    """Dense, in ops."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        super().build(input_shape)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Block(layers.Layer):
    """A layer of layers, with dropout in training."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stack = [layers.Dense(units, activation="tanh"), Linear(units)]
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs, training=None):
        for layer in self.stack:
            inputs = layer(inputs)
        return self.dropout(inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Two(layers.Layer):
    """Two inputs, two outputs."""

    def call(self, inputs):
        a, b = inputs
        return a * b, ops.sum(a, axis=-1, keepdims=True) + b


def trained(model, **compiled):
    model.compile(optimizer="sgd", **{"loss": "mse", **compiled})
    return model.fit(X, Y, epochs=4, verbose=0, shuffle=False, batch_size=7).history["loss"]


def pair(own, built_in):
    """Two Sequential models that begin with equal weights."""
    models = [
        fastkeras.Sequential([layers.Dense(5, activation="tanh", input_shape=(4,)), *tail]) for tail in (own, built_in)
    ]
    models[1].set_weights(models[0].get_weights())
    return models


def test_a_layer_in_ops_trains_as_the_built_in_one():
    own, built_in = pair([Linear(3), Linear(3)], [layers.Dense(3), layers.Dense(3)])
    assert own.output_shape == (None, 3)
    np.testing.assert_allclose(trained(own), trained(built_in), rtol=1e-5)
    for a, b in zip(own.get_weights(), built_in.get_weights(), strict=True):
        assert_close(a, b, 1e-4)
    np.testing.assert_allclose(own.predict(X), built_in.predict(X), rtol=1e-3, atol=1e-5)


def test_layers_inside_a_layer_are_found_built_trained_and_told_of_training():
    block = Block(3)
    model = fastkeras.Sequential([block])
    losses = trained(model)
    assert losses[-1] != losses[0] and len(block.trainable_variables) == 4
    assert [v.shape for v in block.variables] == [(4, 3), (3,), (3, 3), (3,)]
    assert (np.asarray(block(X, training=True)) == 0).mean() > 0.2
    np.testing.assert_array_equal(block(X), block(X))
    block.stack[0].trainable = False
    before = [w.copy() for w in block.stack[0].get_weights()]
    trained(model)
    for a, b in zip(before, block.stack[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_of_several_inputs_and_outputs_in_graphs():
    a, b = layers.Input((3,)), layers.Input((3,))
    product, total = Two()([layers.Dense(3)(a), b])
    model = fastkeras.Model([a, b], [product, total])
    assert [t.shape for t in model.outputs] == [(None, 3), (None, 3)]
    model.compile("sgd", "mse")
    first = model.evaluate([X[:, :3], Y], [Y, Y], verbose=0)
    model.fit([X[:, :3], Y], [Y, Y], epochs=5, verbose=0)
    assert model.evaluate([X[:, :3], Y], [Y, Y], verbose=0)[0] < first[0]


def test_gradients_go_through_to_the_inputs():
    layer = Linear(3)
    x = ops.convert_to_tensor(X)
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(layer(x) ** 2)
    w, b = layer.get_weights()
    assert_close(tape.gradient(y, x), 2 * (X @ w + b) @ w.T, 1e-5)


def test_a_call_that_leaves_ops_says_so_in_training():
    model = fastkeras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Lambda(lambda x: np.array(x))])
    assert model.predict(X).shape == (7, 3)
    with pytest.raises(TypeError, match=r"must compute with fastkeras\.ops"):
        trained(model)


def test_lambda_layers():
    model = fastkeras.Sequential([
        layers.Dense(4, input_shape=(4,)),
        layers.Lambda(lambda x, factor: ops.relu(x) * factor, arguments={"factor": 2.0}),
        layers.Dense(3),
    ])  # fmt: skip
    w = model.get_weights()
    assert_close(model.predict(X), np.maximum(X @ w[0] + w[1], 0) * 2 @ w[2] + w[3], 1e-5)
    losses = trained(model)
    assert losses[-1] < losses[0]
    assert layers.Lambda(lambda x: ops.sum(x, axis=1))(layers.Input((5, 3))).shape == (None, 3)
    assert layers.Lambda(lambda x: x[:, :2], output_shape=(2,))(layers.Input((5,))).shape == (None, 2)
    with pytest.raises(ValueError, match="a lambda has none"):
        model.get_config()


def halved(x):
    return x / 2


def test_own_layers_come_back_from_files(tmp_path):
    model = fastkeras.Sequential([Linear(5), Block(3), layers.Lambda(halved)])
    expected = model.predict(X)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        own = {"Linear": Linear, "Block": Block, "halved": halved}
        read = fastkeras.saving.load_model(tmp_path / name, custom_objects=own)
        np.testing.assert_array_equal(read.predict(X), expected)
        with pytest.raises(ValueError, match="Linear"):
            fastkeras.saving.load_model(tmp_path / name)


class Own(fastkeras.Model):
    """A model with a call of its own."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(5, activation="relu")
        self.dropout = layers.Dropout(0.5)
        self.last = layers.Dense(3)

    def call(self, inputs, training=False):
        x = self.dropout(self.first(inputs), training=training)
        return self.last(x) + 0.0 * ops.sum(x)


def test_models_with_a_call_of_their_own_train_predict_and_keep_their_weights(tmp_path):
    model = Own()
    model.dropout.rate = 0.0
    history = trained(model)
    assert history[-1] < history[0]
    assert [layer.name for layer in model.layers] == [model.first.name, model.dropout.name, model.last.name]
    assert [v.shape for v in model.trainable_variables] == [(4, 5), (5,), (5, 3), (3,)]
    w = model.get_weights()
    expected = np.maximum(X @ w[0] + w[1], 0) @ w[2] + w[3]
    assert_close(model.predict(X), expected, 1e-5)
    assert_close(model(X), expected, 1e-5)
    model.save_weights(tmp_path / "own.weights.h5")
    other = Own()
    other.build((None, 4))
    other.load_weights(tmp_path / "own.weights.h5")
    assert_close(other.predict(X), expected, 1e-5)
    with fastkeras.GradientTape() as tape:
        loss = ops.mean(ops.square(Y - model(X, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert_close(gradients[3], 2 * (expected - Y).sum(axis=0) / Y.size, 1e-4)


# --- losses, activations, regularizers -------------------------------------------------------------------------------


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


def test_attention_inside_a_layer_hears_of_training():
    class Attends(layers.Layer):
        def __init__(self):
            super().__init__()
            self.attention = layers.MultiHeadAttention(2, 3, dropout=0.5)

        def call(self, inputs):
            return self.attention(inputs, inputs)

    x, layer = RNG.normal(size=(2, 5, 4)).astype(np.float32), Attends()
    np.testing.assert_array_equal(layer(x), layer(x))
    assert np.abs(np.asarray(layer(x, training=True)) - np.asarray(layer(x))).max() > 1e-3


@pytest.mark.parametrize("name", ["train_step", "test_step", "compute_loss"])
def test_steps_of_the_users_own_are_refused_not_passed_over(name):
    kind = type("Mine", (fastkeras.Model,), {name: lambda self, data: {}, "call": lambda self, x: x})
    model = kind(name="mine")
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=rf"Model 'mine' \(Mine\): .*GradientTape. Received: {name}"):
        model.fit(X, X, verbose=0)
