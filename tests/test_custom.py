"""Layers, losses, activations and regularizers of the user's own, written with ops."""

import gc
import weakref

import h5py
import numpy as np
import pytest
from checks import assert_close, central_difference
from step_cases import with_weights

import fastkeras
from fastkeras import layers, ops
from fastkeras.core.tensor import made

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


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "selu", "sigmoid", "tanh", "softmax"])
def test_an_activation_between_two_layers_in_a_call_trains_as_one_of_the_first(name):
    class Net(fastkeras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = layers.Dense(5), layers.Dense(3)

        def call(self, inputs):
            return self.last(getattr(ops, name)(self.first(inputs)))

    own = Net()
    chain = fastkeras.Sequential([layers.Dense(5, activation=name, input_shape=(4,)), layers.Dense(3)])
    own(X)
    own.set_weights(chain.get_weights())
    for model in (own, chain):
        model.compile("sgd", "mse")
        model.fit(X, Y, epochs=3, verbose=0)
    for actual, expected in zip(own.get_weights(), chain.get_weights(), strict=True):
        assert_close(actual, expected, 1e-5)


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


def test_the_gradient_of_data_is_not_computed():
    def refuse(d, y):
        raise AssertionError("the gradient of the model's input was computed")

    class First(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1],))

        def call(self, x):
            return made(x + 0, (x, refuse)) * self.w

    model = fastkeras.Sequential([fastkeras.Input((3,)), First()])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.train_on_batch(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))
    assert not np.any(model.get_weights()[0] == before)


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


def test_weights_of_models_with_a_call_go_by_their_attributes(tmp_path):
    """As in Keras 3's files: tests/test_keras_own_steps.py exchanges them."""
    model, path = Own(), tmp_path / "own.weights.h5"
    model(X)
    model.save_weights(path)
    with h5py.File(path) as file:
        assert "first/vars/0" in file and "last/vars/1" in file
    other = Own()
    with pytest.raises(ValueError, match="not built"):
        other.load_weights(path)
    other(X)
    other.load_weights(path)
    assert_close(other(X), model(X), 1e-6)
    with pytest.raises(ValueError, match=r"\(Own\) computes by a `call` of its own.*name.keras.*save_weights"):
        model.save(tmp_path / "own.h5")
    with pytest.raises(ValueError, match="not built"):
        Own().save(tmp_path / "own.keras")


@fastkeras.saving.register_keras_serializable("tests", name="two_sides")
class Sides(fastkeras.Model):
    """A model of two inputs, in a dict, with arguments of its own."""

    def __init__(self, units, layers=(), **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.left, self.right = (fastkeras.layers.Dense(units) for _ in range(2))

    def call(self, inputs):
        return self.left(inputs["a"]) * ops.tanh(self.right(inputs["b"]))

    def get_config(self):
        return {**super().get_config(), "units": self.units, "layers": [3, 4]}


@pytest.mark.parametrize("called", ["fit", "at once"])
def test_models_with_a_call_are_saved_whole(tmp_path, called):
    model, path, data = Sides(3), tmp_path / "sides.keras", {"b": X[:, :2], "a": X}
    if called == "fit":
        model.compile("adam", "mse")
        model.fit(data, Y, verbose=0)
    else:
        model(data)
    model.save(path)
    again = fastkeras.saving.load_model(path) if called == "fit" else fastkeras.saving.load_model(path, compile=False)
    assert type(again) is Sides and again.name == model.name
    assert_close(again.predict(data, verbose=0), model(data), 1e-6)
    if called == "fit":
        losses = [m.fit(data, Y, verbose=0, shuffle=False).history for m in (again, model)]
        assert losses[0] == losses[1]
        assert again.optimizer.iterations == 2
        for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    described = fastkeras.models.model_from_json(model.to_json())
    assert [v.shape for v in described.variables] == [v.shape for v in model.variables]


@fastkeras.saving.register_keras_serializable("tests", name="several_tensors")
class Several(fastkeras.Model):
    """A model that is called with two tensors and a pair of them."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.last = (fastkeras.layers.Dense(3) for _ in range(3))

    def call(self, a, b, others, scale=1.0, mask=None):
        return self.left(a) * self.right(b) * scale + self.last(others[0]) * others[1]


def test_models_called_with_several_tensors_are_saved_whole(tmp_path):
    model, path = Several(), tmp_path / "several.keras"
    a, b, mask = ops.convert_to_tensor(X), X[:, :2], np.ones(7, bool)
    y = model(a, b, others=[X[:, 1:], X[:, :1]], scale=2.0, mask=mask)
    shapes = {"a_shape": (7, 4), "b_shape": (7, 2), "others_shape": [(7, 3), (7, 1)]}
    assert model.get_build_config() == {"shapes_dict": shapes}
    for _ in range(2):  # what was loaded is saved as well
        model.save(path)
        model = fastkeras.saving.load_model(path, compile=False)
        assert_close(model(a, b, [X[:, 1:], X[:, :1]], 2.0), y, 1e-6)


def test_a_model_with_a_call_is_found_by_its_class(tmp_path):
    model, path = Own(), tmp_path / "own.keras"
    model(X)
    model.save(path)
    with pytest.raises(ValueError, match=r"Unknown layer.*custom_objects=\{'Own': ...\}, or registered"):
        fastkeras.saving.load_model(path, compile=False)
    again = fastkeras.saving.load_model(path, custom_objects={"Own": Own}, compile=False)
    assert_close(again(X), model(X), 1e-6)

    class Needs(Own):
        def __init__(self, units):
            super().__init__()

    needs = Needs(3)
    needs(X)
    with pytest.raises(ValueError, match=r"get_config\(\) of Needs must return 'units'"):
        needs.save(path)


# --- variables -------------------------------------------------------------------------------------------------------


class Scale(layers.Layer):
    """Variables as attributes, around a weight made by add_weight."""

    def __init__(self):
        super().__init__()
        self.factor = fastkeras.Variable(np.ones((1, 4)), name="factor")
        self.count = fastkeras.Variable(3, dtype="int32")

    def build(self, input_shape):
        self.shift = self.add_weight("shift", (4,), "zeros")
        self.more = {"limit": [fastkeras.Variable([2.0], trainable=False, name="limit")]}

    def call(self, x):
        return (x * self.factor + self.shift) * self.more["limit"][0] * ops.cast(self.count, "float32")


class Scaled(fastkeras.Model):
    def __init__(self):
        super().__init__()
        self.scale = Scale()
        self.tied = self.scale.factor
        self.last = fastkeras.backend.variable(np.linspace(-1, 1, 12).reshape(4, 3), name="last")

    def call(self, x):
        return ops.matmul(self.scale(x) * self.tied, self.last)


def test_variables_set_as_attributes_are_weights(tmp_path):
    layer = Scale()
    assert [v.path for v in layer.trainable_variables] == [f"{layer.name}/factor"]
    layer(X)
    assert [v.path.split("/")[1] for v in layer.trainable_variables] == ["factor", "shift"]
    assert len(layer.non_trainable_variables) == 2 and len(layer.get_weights()) == 4
    model = Scaled()
    before = [v.numpy() for v in (model.last, model.scale.factor)]
    history = trained(model)
    assert history[-1] < history[0] and len(model.trainable_variables) == 3
    assert not any(np.array_equal(v, old) for v, old in zip((model.last, model.scale.factor), before, strict=True))
    assert model.scale.count.dtype == "int32" and model.scale.more["limit"][0].numpy().tolist() == [2]
    path = tmp_path / "scaled.keras"
    model.save(path)
    again = fastkeras.saving.load_model(path, custom_objects={"Scaled": Scaled})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with fastkeras.GradientTape() as tape:
        loss = ops.sum(model(X))
    assert [d.shape for d in tape.gradient(loss, model.trainable_variables)] == [(4, 3), (1, 4), (4,)]


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


# --- one inside another ----------------------------------------------------------------------------------------------


class Size(layers.Layer):
    """Adds the mean of its squared input to the loss."""

    def call(self, x):
        self.add_loss(ops.mean(ops.square(x)))
        return x


class Around(layers.Layer):
    """Calls the layer inside it, and counts how often."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.calls = inner, 0

    def call(self, x):
        self.calls += 1
        return self.inner(x)


def trained_on(layer):
    """A model of one layer after a step, with the loss of it."""
    start = fastkeras.Input((4,))
    model = fastkeras.Model(start, layer(start))
    model.compile(fastkeras.optimizers.SGD(0.1), "mse")
    return model, model.train_on_batch(X, X + 1)


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


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_call_runs_once_for_a_batch_and_normalizes_by_it_alone(depth):
    direct, _ = trained_on(layers.BatchNormalization(momentum=0.5))
    layer = layers.BatchNormalization(momentum=0.5)
    outer = []
    for _ in range(depth):
        layer = Around(layer)
        outer.append(layer)
    start = fastkeras.Input((4,))
    model = fastkeras.Model(start, layer(start))
    model.compile(fastkeras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(X, X + 1)
    before = [around.calls for around in outer]
    model.train_on_batch(X, X + 1)
    assert [around.calls - n for around, n in zip(outer, before, strict=True)] == [1] * depth
    direct.train_on_batch(X, X + 1)
    for got, want in zip(model.get_weights(), direct.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_model_trains_the_layers_it_was_compiled_with():
    """As built-in layers do: freezing takes effect when the model is compiled again."""
    model, _ = trained_on(Around(layers.Dense(4)))
    model.trainable = False
    before = model.get_weights()
    model.train_on_batch(X, X + 1)
    assert all(np.abs(new - old).max() > 0 for new, old in zip(model.get_weights(), before, strict=True))
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(X, X + 1)
    assert all(np.array_equal(new, old) for new, old in zip(model.get_weights(), before, strict=True))


def test_a_call_that_would_never_run_is_refused():
    kind = type("Twice", (layers.Dense,), {"call": lambda self, x: 2 * x})
    with pytest.raises(TypeError, match=r"Twice: `call` would not be run, since Dense computes by .*Received: "):
        kind(3)


@pytest.mark.parametrize("kind", [layers.Conv1D, layers.GlobalMaxPooling1D])
def test_extended_convolutions_and_poolings_see_arrays(kind):
    """Between a convolution and max pooling there may be less than an array, but not for a subclass of either."""

    class Doubled(kind):
        def forward(self, x, run):
            y, backward = super().forward(x, run)
            return 2 * y, lambda dy: backward(2 * dy)

    convolution = (Doubled if kind is layers.Conv1D else layers.Conv1D)(2, 3)
    pooling = layers.GlobalMaxPooling1D() if kind is layers.Conv1D else Doubled()
    model = fastkeras.Sequential([fastkeras.Input((9, 4)), convolution, pooling])
    plain = fastkeras.Sequential([fastkeras.Input((9, 4)), layers.Conv1D(2, 3), layers.GlobalMaxPooling1D()])
    plain.set_weights(model.get_weights())
    x = RNG.normal(size=(7, 9, 4)).astype(np.float32)
    assert_close(model.predict(x, verbose=0), 2 * plain.predict(x, verbose=0), 1e-6)
    model.compile("sgd", "mse")
    model.fit(x, np.ones((7, 2)), verbose=0)


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


def test_predict_keeps_no_data():
    model = fastkeras.Sequential([fastkeras.Input((4,)), layers.Dense(3)])
    x = X.copy()
    gone = weakref.ref(x)
    model.predict(x, verbose=0)
    del x
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "activation",
    [
        fastkeras.activations.tanh,
        fastkeras.activations.get("tanh"),
        fastkeras.activations.get(lambda x: ops.tanh(x)),
        lambda x: fastkeras.activations.softmax(x, axis=1),
        fastkeras.activations.softmax,
    ],
)
def test_activations_inside_a_call_lead_back(activation):
    x, d = RNG.normal(size=(2, 3, 5)).astype(np.float32), RNG.normal(size=(2, 3, 5)).astype(np.float32)
    tensor = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as tape:
        tape.watch(tensor)
        y = activation(tensor)
    expected = central_difference(lambda x: np.asarray(activation(x), np.float64), x, d, step=1e-2)
    assert_close(tape.gradient(y, tensor, output_gradients=d), expected, 2e-3)
    with pytest.raises(TypeError, match=r"call layers\.Activation on a symbolic tensor"):
        activation(fastkeras.Input((3, 5)))


class Reader(layers.Layer):
    """Ids with padding, a second input and a number; a mask inside."""

    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = layers.Embedding(7, 3, mask_zero=True), layers.LSTM(4)

    def call(self, ids, others, scale=1.0):
        return self.lstm(self.embedding(ids)) * others["gate"] * scale + others["plain"][0]


@pytest.mark.parametrize("in_a_graph", [False, True])
def test_gradients_of_calls_with_arguments_and_masks(in_a_graph):
    ids = np.array([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    gate, plain = (RNG.normal(size=(3, 4)).astype(np.float32) for _ in range(2))
    reader = Reader()
    reader(ids, {"gate": gate, "plain": [plain]})
    with_weights(reader)
    start = [fastkeras.Input((3,), dtype="int32"), fastkeras.Input((4,)), fastkeras.Input((4,))]
    model = fastkeras.Model(start, reader(start[0], {"gate": start[1], "plain": [start[2]]}, scale=2.0))

    def y(gate, plain):
        if in_a_graph:
            return model([ids, gate, plain])
        return reader(ids, {"gate": gate, "plain": [plain]}, scale=2.0)

    d = RNG.normal(size=(3, 4)).astype(np.float32)
    x = [ops.convert_to_tensor(gate), ops.convert_to_tensor(plain)]
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        result = y(*x)
    found = tape.gradient(result, [*x, *reader.trainable_variables], output_gradients=d)
    for i, own in enumerate((gate, plain)):

        def function(value, i=i):
            return np.asarray(y(*[value.astype(np.float32) if i == j else (gate, plain)[j] for j in range(2)]), float)

        assert_close(found[i], central_difference(function, own, d, step=1e-2), 2e-3)
    for gradient, variable in zip(found[2:], reader.trainable_variables, strict=True):
        start = variable.numpy()

        def function(value, variable=variable):
            variable.assign(value.astype(np.float32))
            return np.asarray(y(gate, plain), float)

        assert_close(gradient, central_difference(function, start, d, step=1e-2), 2e-3)
        variable.assign(start)
    assert np.all(np.asarray(found[2])[0] == 0)  # nothing comes back to what is padding


def test_errors_of_calls_name_what_is_missing():
    reader = Reader()
    with pytest.raises(TypeError, match="others"):
        reader(np.ones((2, 3)))
    with pytest.raises(TypeError, match="unknown"):
        reader(np.ones((2, 3)), {}, unknown=1)


def test_what_is_computed_at_once_has_numpy():
    y = np.float32([[0.25, 0.75], [0.5, 0.5]])
    metric = fastkeras.metrics.F1Score(average=None)
    metric.update_state(np.float32([[0, 1], [1, 0]]), y)
    mean, precision = fastkeras.metrics.Mean(), fastkeras.metrics.Precision()
    mean.update_state([1, 2, 6])
    precision.update_state([1, 1], [0, 1])
    assert mean.result().numpy() == 3 and precision.result().numpy() == 1 and f"{mean.result():.2f}" == "3.00"
    assert metric.result().numpy().shape == (2,)
    assert fastkeras.activations.relu(-y).numpy().tolist() == [[0, 0], [0, 0]]
    assert fastkeras.losses.MeanSquaredError()(y, y + 1).numpy() == 1
    assert fastkeras.losses.mean_squared_error(y, y + 1).numpy().tolist() == [1, 1]
    assert fastkeras.losses.MeanSquaredError(reduction="none")(y, y + 1).numpy().tolist() == [1, 1]


def test_a_model_resets_the_states_of_its_layers():
    model = fastkeras.Sequential([fastkeras.Input((3, 2), batch_size=5), layers.LSTM(4, stateful=True)])
    x = RNG.normal(size=(5, 3, 2))
    first = model.predict(x, batch_size=5, verbose=0)
    assert np.abs(model.predict(x, batch_size=5, verbose=0) - first).max() > 1e-4
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=5, verbose=0), first)


def test_a_model_with_a_call_is_a_layer_of_others():
    start = fastkeras.Input((4,))
    for hold in (
        lambda head: fastkeras.Model(start, head(start)),
        lambda head: fastkeras.Sequential([fastkeras.Input((4,)), head]),
    ):
        head = Own()
        model = hold(head)
        model.compile("sgd", "mse")
        before = head.last.get_weights()[0]
        model.fit(X, Y, verbose=0)
        assert not np.array_equal(head.last.get_weights()[0], before)
        assert_close(model.predict(X, verbose=0), np.asarray(head(X)), 1e-6)


def test_arrays_in_a_list_are_the_inputs_of_a_model_with_a_call():
    class Sum(fastkeras.Model):
        def call(self, inputs):
            return inputs[0] + 2 * inputs[1]

    for a, b in ((X[:, 0], X[:, 1]), (X, X + 1)):
        model = Sum()
        model.compile("sgd", "mse")
        assert_close(model.predict([a, b], verbose=0), (a + 2 * b).reshape(7, -1), 1e-6)


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


class Silent(layers.Layer):
    def call(self, inputs):
        ops.relu(inputs)


def test_a_call_that_returns_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Layer 'silent': `call` of Silent must return a tensor.*Received: None"):
        fastkeras.Sequential([fastkeras.Input((4,)), Silent(name="silent")])


class Hasty(layers.Layer):
    def __init__(self):
        self.units = 3


class HastyModel(fastkeras.Model):
    def __init__(self):
        self.dense = layers.Dense(2)


@pytest.mark.parametrize("kind", [Hasty, HastyModel])
def test_an_init_without_its_base_is_named(kind):
    with pytest.raises(AttributeError, match=rf"{kind.__name__}: `__init__` must call super\(\).__init__\(\) first"):
        kind()(X)
    with pytest.raises(AttributeError, match="has no attribute 'unitz'"):
        Linear(3).unitz  # noqa: B018
    with pytest.raises(AttributeError, match="has no `output`: it was not called"):
        Linear(3).output  # noqa: B018
