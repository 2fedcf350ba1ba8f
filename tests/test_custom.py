"""Layers of the user's own, written with ops: gradients, layers inside them, variables, files, and what is refused."""

import numpy as np
import pytest
from checks import assert_close, central_difference
from custom_cases import RNG, Around, Linear, X, Y, pair, trained, trained_on
from step_cases import with_weights

import fastkeras
from fastkeras import layers, ops
from fastkeras.core.tensor import made


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


def test_a_layer_in_ops_trains_as_the_built_in_one():
    own, built_in = pair([Linear(3), Linear(3)], [layers.Dense(3), layers.Dense(3)])
    assert own.output_shape == (None, 3)
    np.testing.assert_allclose(trained(own), trained(built_in), rtol=1e-5)
    for a, b in zip(own.get_weights(), built_in.get_weights(), strict=True):
        assert_close(a, b, 1e-4)
    np.testing.assert_allclose(own.predict(X), built_in.predict(X), rtol=1e-3, atol=1e-5)


def test_layers_inside_a_layer_are_found_built_trained_and_told_of_training():
    block = Block(3)
    model = fastkeras.Sequential([fastkeras.Input((4,)), block])
    assert [v.shape for v in block.trainable_variables] == [(4, 3), (3,), (3, 3), (3,)]
    before = block.get_weights()
    trained(model)
    assert all((a != b).all() for a, b in zip(before, block.get_weights(), strict=True))
    assert (np.asarray(block(X, training=True)) == 0).mean() > 0.2
    np.testing.assert_array_equal(block(X), block(X))
    block.stack[0].trainable = False
    before = block.get_weights()
    trained(model)
    same = [np.array_equal(a, b) for a, b in zip(before, block.get_weights(), strict=True)]
    assert same == [True, True, False, False]


def test_layers_of_several_inputs_and_outputs_in_graphs():
    a, b = layers.Input((4,)), layers.Input((3,))
    product, total = Two()([layers.Dense(3)(a), b])
    model = fastkeras.Model([a, b], [product, total])
    assert [t.shape for t in model.outputs] == [(None, 3), (None, 3)]
    w, bias = model.get_weights()
    h = X @ w + bias
    values = h * Y, h.sum(axis=1, keepdims=True) + Y
    for found, value in zip(model.predict([X, Y], verbose=0), values, strict=True):
        assert_close(found, value, 1e-6)
    model.compile(fastkeras.optimizers.SGD(0.1), "mse")
    model.train_on_batch([X, Y], [Y, Y])
    d_product, d_total = (2 * (value - Y) / Y.size for value in values)
    dh = d_product * Y + d_total.sum(axis=1, keepdims=True)
    assert_close(w - model.get_weights()[0], 0.1 * X.T @ dh, 1e-5)


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


def test_lambda_layers():
    model = fastkeras.Sequential([
        layers.Dense(5, input_shape=(4,)),
        layers.Lambda(lambda x, factor: ops.relu(x) * factor, arguments={"factor": 2.0}),
        layers.Dense(3),
    ])  # fmt: skip
    w = model.get_weights()
    assert_close(model.predict(X), np.maximum(X @ w[0] + w[1], 0) * 2 @ w[2] + w[3], 1e-5)
    built_in = fastkeras.Sequential(
        [layers.Dense(5, activation="relu", input_shape=(4,)), layers.Rescaling(2.0), layers.Dense(3)]
    )
    built_in.set_weights(w)
    np.testing.assert_allclose(trained(model), trained(built_in), rtol=1e-5)
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
        read = fastkeras.saving.load_model(tmp_path / name, custom_objects=own, compile=False)
        np.testing.assert_array_equal(read.predict(X), expected)
        with pytest.raises(ValueError, match="Linear"):
            fastkeras.saving.load_model(tmp_path / name)


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
    gradients = tape.gradient(loss, model.trainable_variables)
    last, factor, shift = (v.numpy() for v in model.trainable_variables)
    scaled = 6 * (X * factor + shift)  # the limit is 2, the count 3
    d = last.sum(axis=1)  # of what the last weight multiplies
    to_last = np.repeat((scaled * factor).sum(axis=0)[:, None], 3, axis=1)
    to_factor = (d * (scaled + 6 * X * factor)).sum(axis=0, keepdims=True)
    to_shift = 6 * d * factor[0] * len(X)
    for gradient, expected in zip(gradients, (to_last, to_factor, to_shift), strict=True):
        assert_close(gradient, expected, 1e-4)


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


@pytest.mark.parametrize("kind", [layers.Conv1D, layers.GlobalMaxPooling1D])
def test_extended_convolutions_and_poolings_see_arrays(kind):
    """Between a convolution and max pooling there may be less than an array, but not for a subclass of either."""

    class Doubled(kind):
        def forward(self, x, run):
            y, backward = super().forward(x, run)
            return 2 * y, lambda dy: backward(2 * dy)

    convolution = (Doubled if kind is layers.Conv1D else layers.Conv1D)(2, 3)
    pooling = layers.GlobalMaxPooling1D() if kind is layers.Conv1D else Doubled()
    model = fastkeras.Sequential([fastkeras.Input((11, 5)), convolution, pooling])
    plain = [layers.Conv1D(2, 3), layers.GlobalMaxPooling1D(), layers.Rescaling(2.0)]
    plain = fastkeras.Sequential([fastkeras.Input((11, 5)), *plain])
    plain.set_weights(model.get_weights())
    x, before = RNG.normal(size=(7, 11, 5)).astype(np.float32), model.get_weights()
    assert_close(model.predict(x, verbose=0), plain.predict(x, verbose=0), 1e-6)
    for m in (model, plain):
        m.compile("sgd", "mse")
        m.train_on_batch(x, np.ones((7, 2)))
    for old, new, expected in zip(before, model.get_weights(), plain.get_weights(), strict=True):
        assert_close(new - old, expected - old, 1e-4)


class Reader(layers.Layer):
    """Ids with padding, a second input and a number; a mask inside."""

    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = layers.Embedding(7, 2, mask_zero=True), layers.LSTM(4)

    def call(self, ids, others, scale=1.0):
        return self.lstm(self.embedding(ids)) * others["gate"] * scale + others["plain"][0]


@pytest.mark.parametrize("in_a_graph", [False, True])
def test_gradients_of_calls_with_arguments_and_masks(in_a_graph):
    ids = np.array([[1, 2, 0], [3, 0, 0], [4, 5, 6], [1, 2, 5], [0, 6, 0]])
    gate, plain = (RNG.normal(size=(5, 4)).astype(np.float32) for _ in range(2))
    reader = Reader()
    reader(ids, {"gate": gate, "plain": [plain]})
    with_weights(reader)
    start = [fastkeras.Input((3,), dtype="int32"), fastkeras.Input((4,)), fastkeras.Input((4,))]
    model = fastkeras.Model(start, reader(start[0], {"gate": start[1], "plain": [start[2]]}, scale=2.0))

    def y(gate, plain):
        if in_a_graph:
            return model([ids, gate, plain])
        return reader(ids, {"gate": gate, "plain": [plain]}, scale=2.0)

    d = RNG.normal(size=(5, 4)).astype(np.float32)
    x = [ops.convert_to_tensor(gate), ops.convert_to_tensor(plain)]
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        result = y(*x)
    found = tape.gradient(result, [*x, *reader.trainable_variables], output_gradients=d)
    assert all(np.any(gradient) for gradient in found)
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


def test_a_call_that_leaves_ops_says_so_in_training():
    model = fastkeras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Lambda(lambda x: np.array(x))])
    assert model.predict(X).shape == (7, 3)
    with pytest.raises(TypeError, match=r"must compute with fastkeras\.ops"):
        trained(model)


def test_a_call_that_would_never_run_is_refused():
    kind = type("Twice", (layers.Dense,), {"call": lambda self, x: 2 * x})
    with pytest.raises(TypeError, match=r"Twice: `call` would not be run, since Dense computes by .*Received: "):
        kind(3)


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


def test_a_getattr_of_the_users_own_is_kept():
    class Answering(Linear):
        def __getattr__(self, name):
            return f"no {name}"

    class Later(Answering):
        pass

    assert Answering(3).unitz == Later(3).unitz == "no unitz"


class Supplying:
    """A mixin that knows one attribute."""

    def __getattr__(self, name):
        if name == "rate":
            return 0.5
        raise AttributeError(name)


class Before(Supplying, Linear):
    pass


class Behind(Linear, Supplying):
    pass


class HastyBehind(Hasty, Supplying):
    pass


class HastyDelegate(Hasty):
    def __getattr__(self, name):
        return getattr(self.delegate, name)


@pytest.mark.parametrize("kind", [Before, Behind])
def test_a_getattr_of_a_mixin_is_asked_before_or_behind_the_layer(kind):
    assert kind(3).rate == 0.5 and kind(3)(X).shape == (*X.shape[:-1], 3)
    with pytest.raises(AttributeError, match="unitz"):
        kind(3).unitz  # noqa: B018


@pytest.mark.parametrize("kind", [HastyBehind, HastyDelegate])
def test_an_init_without_its_base_is_named_though_a_getattr_is_there(kind):
    assert kind is HastyDelegate or kind().rate == 0.5
    with pytest.raises(AttributeError, match=rf"{kind.__name__}: `__init__` must call super\(\).__init__\(\) first"):
        kind()(X)
