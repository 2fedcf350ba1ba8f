"""Sequential and the graph under it: structure, names, the summary to the letter, nesting, and gradients through it."""

import pickle
import threading

import numpy as np
import pytest
from checks import assert_close, central_difference

import fastkeras as keras
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.core.variable import pack
from fastkeras.layers import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    Layer,
    Masking,
    SimpleRNN,
)
from fastkeras.models.graph import Graph, Pass
from fastkeras.utils.naming import reset_names, snake_case

RNG = np.random.default_rng(7)

SUMMARY = """\
_________________________________________________________________
Layer (type)                 Output Shape              Param #   
=================================================================
dense_1 (Dense)              (None, 8)                 40        
_________________________________________________________________
dense_2 (Dense)              (None, 1)                 9         
=================================================================
Total params: 49
Trainable params: 49
Non-trainable params: 0
_________________________________________________________________
"""  # noqa: W291 (the table's own trailing spaces)


def test_summary_is_the_tutorials_to_the_letter(capsys):
    model = keras.Sequential()
    model.add(Dense(8, input_dim=4, activation="relu", name="dense_1"))
    model.add(Dense(1, activation="sigmoid", name="dense_2"))
    model.summary()
    assert capsys.readouterr().out == SUMMARY


def test_names_count_on_as_keras_does():
    reset_names()
    assert [Dense(1).name, Dense(1).name, SimpleRNN(1).name, Dense(1).name] == [
        "dense",
        "dense_1",
        "simple_rnn",
        "dense_2",
    ]
    assert keras.Sequential().name == "sequential"
    assert [snake_case(n) for n in ("Conv2D", "BatchNormalization", "LSTM", "PReLU", "GlobalMaxPooling1D")] == [
        "conv2d",
        "batch_normalization",
        "lstm",
        "p_re_lu",
        "global_max_pooling1d",
    ]


@pytest.mark.parametrize(
    "first",
    [
        lambda: [Dense(3, input_shape=(4,))],
        lambda: [Dense(3, input_dim=4)],
        lambda: [Dense(3, batch_input_shape=(None, 4))],
        lambda: [Input((4,)), Dense(3)],
        lambda: [Input(shape=(4,)), Dense(3)],
        lambda: [InputLayer(shape=(4,)), Dense(3)],
    ],
)
def test_ways_to_say_the_input_shape(first):
    model = keras.Sequential(first())
    model.add(Dense(2))
    assert model.built and model.input_shape == (None, 4) and model.output_shape == (None, 2)
    assert [w.shape for w in model.get_weights()] == [(4, 3), (3,), (3, 2), (2,)]
    assert len(model.layers) == 2 and model.count_params() == 23


def test_embedding_input_length_and_rnn_input_shape():
    model = keras.Sequential([Embedding(10, 3, input_length=7), Flatten(), Dense(2)])
    assert model.output_shape == (None, 2) and model.layers[2].kernel.shape == (21, 2)
    assert keras.Sequential([SimpleRNN(5, input_shape=(None, 3))]).output_shape == (None, 5)
    assert keras.Sequential([SimpleRNN(5, input_length=7, input_dim=3)]).input_shape == (None, 7, 3)


def test_a_model_that_waits_for_its_shape_is_built_by_data_and_takes_other_lengths():
    model = keras.Sequential([Embedding(10, 3), SimpleRNN(4), Dense(1)])
    assert not model.built and model.inputs is None
    assert not any(hasattr(model, name) for name in ("input", "output", "input_shape", "output_shape"))
    with pytest.raises(AttributeError, match="has no `output_shape`: it is not built yet"):
        model.output_shape  # noqa: B018
    assert model.predict(np.ones((2, 5), int)).shape == (2, 1)
    assert model.built and model.input_shape == (None, 5)
    assert model.predict(np.ones((3, 8), int)).shape == (3, 1)
    model = keras.Sequential([Embedding(2**24 + 2, 1), Flatten()])
    ids = np.array([[2**24 + 1]])  # no float32 holds it
    assert model(ids).shape == (1, 1) and model(np.ones((3, 8), int)).shape == (3, 8)
    np.testing.assert_array_equal(model(ids)[0], model.get_weights()[0][2**24 + 1])
    with pytest.raises(ValueError, match=r"ids must lie in \[0, 16777218\)"):
        keras.Sequential([model]).predict(ids + 2**32)


def test_a_failed_build_leaves_no_trace():
    model = keras.Sequential([Dense(3), SimpleRNN(4)])
    with pytest.raises(ValueError, match="SimpleRNN"):
        model.build((None, 5))
    assert not model.built and all(not layer.sites for layer in model.layers)


def test_rows_of_different_lengths_are_named_before_and_after_the_model_is_built():
    model = keras.Sequential([Dense(3)])
    for _ in range(2):
        with pytest.raises(ValueError, match=r"the rows have different lengths.* Received: \[\[1, 2\], \[1\]\]"):
            model([[1, 2], [1]])
        model(np.ones((2, 2)))


def test_add_and_pop():
    model = keras.Sequential([Dense(3, input_dim=4), Dense(2), Dense(1)])
    assert model.pop().units == 1
    assert model.output_shape == (None, 2)
    model.add(Dense(5))
    assert model.output_shape == (None, 5)
    for _ in range(3):
        model.pop()
    model.add(Dense(7))
    assert model.input_shape == (None, 4) and model.pop().units == 7  # the input stays, as in Keras
    with pytest.raises(TypeError, match="no layers to remove"):
        model.pop()
    with pytest.raises(TypeError, match=r"expected a Layer.*Received: 'dense'"):
        model.add("dense")
    with pytest.raises(ValueError, match="different names"):
        keras.Sequential([Dense(1, name="a", input_dim=2), Dense(1, name="a")])


def test_get_layer():
    model = keras.Sequential([Dense(3, input_dim=4, name="first"), Dense(2, name="second")])
    assert model.get_layer("second") is model.layers[1] and model.get_layer(index=0) is model.layers[0]
    with pytest.raises(ValueError, match="Did you mean 'second'"):
        model.get_layer("secnd")
    with pytest.raises(ValueError, match="Received: index=2"):
        model.get_layer(index=2)


def whole_model():
    layers = [Embedding(7, 3), SimpleRNN(5, return_sequences=True), Dense(4, activation="tanh")]
    model = keras.Sequential([*layers, Flatten(), Dense(2, activation="softmax")])
    model.build((None, 6))
    model.set_weights([RNG.normal(size=w.shape) for w in model.get_weights()])
    return model


def test_gradients_through_a_whole_model():
    model, ids = whole_model(), RNG.integers(0, 7, (3, 6)).astype(np.int32)
    dy = RNG.normal(size=(3, 2)).astype("f")
    pack(model.variables)
    walk = Pass(model.graph, frozenset(model.layers))
    walk.forward([ids], training=True)
    walk.backward([dy.copy()])
    for variable in model.variables:
        kept = variable.value.copy()

        def loss(value, variable=variable):
            variable.value[...] = value
            (y,), _ = walk.forward([ids], training=True)
            return y.astype(np.float64)

        numeric = central_difference(loss, kept, dy, step=1e-2)
        variable.value[...] = kept
        assert_close(variable.grad, numeric, 5e-3, variable.path)


def test_two_models_share_a_layer_that_each_trains_or_leaves_alone():
    discriminator = keras.Sequential([Dense(3, activation="tanh", input_dim=2), Dense(1)])
    discriminator.compile("sgd", "mse")
    discriminator.trainable = False  # for the models compiled from here on
    generator = keras.Sequential([Dense(2, input_dim=4)])
    both = keras.Sequential([generator, discriminator])
    both.compile("sgd", "mse")

    def changed(train, x, y):
        before = both.get_weights()
        train(x, y)
        return [bool(np.any(a != b)) for a, b in zip(both.get_weights(), before, strict=True)]

    def random(*shape):
        return RNG.normal(size=shape).astype("f")

    for _ in range(2):
        assert changed(discriminator.train_on_batch, random(5, 2), random(5, 1)) == [False, False] + [True] * 4
        assert changed(both.train_on_batch, random(5, 4), random(5, 1)) == [True, True] + [False] * 4


def test_a_layer_used_twice_adds_both_gradients():
    x = Input((3,))
    shared = Dense(3, activation="tanh")
    graph = Graph([x], [shared(shared(x))])
    pack(shared.variables)
    walk, data, dy = Pass(graph, {shared}), RNG.normal(size=(2, 3)).astype("f"), RNG.normal(size=(2, 3)).astype("f")
    walk.forward([data], wants_dx=True)
    (dx,) = walk.backward([dy.copy()])
    W, b = (w.astype(np.float64) for w in shared.get_weights())

    def f(x, W=W):
        return np.tanh(np.tanh(x @ W + b) @ W + b)

    assert_close(dx, central_difference(f, data, dy), 1e-4)
    assert_close(shared.kernel.grad, central_difference(lambda W: f(data.astype(float), W), W, dy), 1e-4)


class Sum(Layer):
    """Two inputs, two outputs: x + y and x * y, as a user writes it."""

    def compute_output_shape(self, input_shape):
        return [input_shape[0], input_shape[0]]

    def forward(self, inputs, run):
        x, y = inputs

        def backward(gradients):
            dsum, dproduct = (np.zeros_like(x) if g is None else g for g in gradients)
            return [dsum + dproduct * y, dsum + dproduct * x]

        return [x + y, x * y], backward


def test_branches_meet_and_a_tensor_that_two_layers_read_gets_both_gradients():
    x = Input((3,))
    a, b = Dense(4), Dense(4)
    total, product = Sum()([a(x), b(x)])
    graph = Graph([x], [Dense(1)(total), product])
    layers = graph.layers
    pack([v for layer in layers for v in layer.variables])
    walk, data = Pass(graph, set(layers)), RNG.normal(size=(2, 3)).astype("f")
    d1, d2 = RNG.normal(size=(2, 1)).astype("f"), RNG.normal(size=(2, 4)).astype("f")
    walk.forward([data], wants_dx=True)
    (dx,) = walk.backward([d1.copy(), d2.copy()])
    weights = [[w.astype(float) for w in layer.get_weights()] for layer in (a, b, layers[-1])]

    def f(x):
        (Wa, ba), (Wb, bb), (W, c) = weights
        ya, yb = x @ Wa + ba, x @ Wb + bb
        return np.concatenate([(ya + yb) @ W + c, ya * yb], axis=1)

    assert_close(dx, central_difference(f, data, np.concatenate([d1, d2], axis=1)), 1e-4)


class Add(Layer):
    """x + y, with one array for both gradients."""

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def forward(self, inputs, run):
        return inputs[0] + inputs[1], lambda dy: [dy, dy]


class Twice(Layer):
    """2 x, with the gradient written over the one received."""

    def forward(self, x, run):
        return 2 * x, lambda dy: np.multiply(dy, 2, out=dy)


def test_one_array_for_two_gradients_is_not_overwritten_by_the_first_to_receive_it():
    x = Input((3,))
    walk, dy = Pass(Graph([x], [Add()([Twice()(x), Twice()(x)])])), RNG.normal(size=(2, 3)).astype("f")
    walk.forward([np.ones((2, 3), "f")], wants_dx=True)
    assert_close(walk.backward([dy.copy()])[0], 4 * dy, 1e-6)


def test_gradients_stop_at_frozen_layers_and_at_the_input():
    model = keras.Sequential([Dense(3, input_dim=4), Dense(2), Dense(1)])
    pack(model.variables)
    walk = Pass(model.graph, {model.layers[1]})
    assert [run.wants_dx for run in walk.runs] == [False, False, True]
    walk.forward([np.ones((2, 4), "f")])
    assert walk.backward([np.ones((2, 1), "f")]) == [None]
    assert [bool(np.any(v.grad)) for v in model.variables] == [False, False, True, True, False, False]


def test_a_weight_frozen_by_itself_keeps_its_place_and_its_gradient_does_not_pile_up():
    model = keras.Sequential([Dense(3, input_dim=2)])
    x, y = RNG.normal(size=(5, 2)).astype("f"), np.ones((5, 3), "f")
    model.layers[0].kernel.trainable = False
    kernel, bias = model.get_weights()
    assert kernel.shape == (2, 3)
    model.compile("sgd", "mse")
    model.fit(x, y, epochs=3, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    assert np.any(model.get_weights()[1] != bias)
    model.layers[0].kernel.trainable = True
    model.compile("sgd", "mse")
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    twin.compile("sgd", "mse")
    for either in (model, twin):
        either.fit(x, y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_is_a_layer():
    keras.utils.set_random_seed(1)  # some draws leave no unit of relu alive
    inner = keras.Sequential([Dense(3, activation="tanh"), Dropout(0.5), Dense(2)])
    model = keras.Sequential([Input((4,)), inner, Activation("relu")])
    assert model.output_shape == (None, 2) and len(model.get_weights()) == 4
    x = RNG.normal(size=(5, 4)).astype("f")
    assert_close(model.predict(x), np.maximum(inner.predict(x), 0), 1e-6)
    model.compile("sgd", "mse")
    before = inner.get_weights()
    model.fit(x, np.ones((5, 2)), verbose=0)
    assert any(np.any(a != b) for a, b in zip(inner.get_weights(), before, strict=True))


def test_a_model_of_several_inputs_may_come_first_in_a_chain(tmp_path):
    starts = [Input((3,)), Input((2,))]
    dense = Dense(4)
    first = keras.Model(starts, keras.layers.concatenate([dense(starts[0]), starts[1]]))
    model = keras.Sequential([first, Dense(2), Dense(1)])
    data = [RNG.normal(size=(5, 3)).astype(np.float32), RNG.normal(size=(5, 2)).astype(np.float32)]
    model.compile("sgd", "mse")
    model.fit(data, np.ones(5), epochs=1, verbose=0)
    predicted = model.predict(data, verbose=0)
    kernel, bias = dense.get_weights()
    x = np.concatenate([data[0] @ kernel + bias, data[1]], axis=1)
    for layer in model.layers[1:]:
        kernel, bias = layer.get_weights()
        x = x @ kernel + bias
    assert_close(predicted, x, 1e-5)
    for ending in ("keras", "h5"):
        model.save(tmp_path / f"chain.{ending}")
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / f"chain.{ending}").predict(data), predicted)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(data, verbose=0), predicted)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(data, verbose=0), predicted)
    model.pop()
    assert model.predict(data, verbose=0).shape == (5, 2)


@pytest.mark.parametrize("ids_first", [True, False])
def test_ids_and_numbers_come_to_a_model_as_what_they_are(ids_first):
    """However it is called: on data, in another graph, or at the head of a chain."""
    ids, numbers = RNG.integers(0, 7, (5, 3)), RNG.normal(size=(5, 2)).astype("f")
    starts, embedding = [Input((3,), dtype="int32"), Input((2,))], Embedding(7, 2)
    joined = keras.layers.concatenate([Flatten()(embedding(starts[0])), starts[1]])
    starts, outer, data = [starts, [Input((3,), dtype="int32"), Input((2,))], [ids, numbers]]
    if not ids_first:
        starts, outer, data = starts[::-1], outer[::-1], data[::-1]
    model = keras.Model(starts, joined)
    expected = np.concatenate([embedding.get_weights()[0][ids].reshape(5, 6), numbers], axis=1)
    np.testing.assert_array_equal(model.predict(data, verbose=0), expected)
    np.testing.assert_array_equal(model(data), expected)
    np.testing.assert_array_equal(keras.Model(outer, model(outer)).predict(data, verbose=0), expected)
    np.testing.assert_array_equal(keras.Sequential([model, Flatten()]).predict(data, verbose=0), expected)


def test_a_chain_that_waits_for_data_takes_them_as_its_first_layer_does():
    tokens, texts = ["oil", "gold"], np.array([["gold"], ["oil"], ["tin"]], object)
    chain = keras.Sequential([keras.Sequential([keras.layers.StringLookup(vocabulary=tokens)])])
    np.testing.assert_array_equal(chain.predict(texts, verbose=0), [[2], [1], [0]])
    large = np.array([[[2**24 + 1], [2**24]]])  # float32 knows the second alone
    names = keras.layers.IntegerLookup(vocabulary=[2**24, 2**24 + 1])
    layer = keras.layers.TimeDistributed(keras.Sequential([names]))
    for _ in range(2):
        np.testing.assert_array_equal(layer(large), [[[2], [1]]])


def test_masks_travel_through_nested_models():
    inner = keras.Sequential([Dense(3)])
    model = keras.Sequential([Input((5, 2)), Masking(), inner, SimpleRNN(4)])
    x = RNG.normal(size=(2, 5, 2)).astype("f")
    x[:, 3:] = 0
    dense, rnn = inner.layers[0], model.layers[-1]
    assert_close(model.predict(x), rnn(dense(x[:, :3].copy())), 1e-5)


def test_a_call_without_a_mask_knows_nothing_of_the_one_before():
    x, mask = RNG.normal(size=(2, 5)).astype("f"), np.arange(5) < [[2], [4]]
    model = keras.Sequential([Input((5,)), keras.layers.Softmax()])
    plain = model(x)
    assert np.any(model(x, mask=mask) != plain)
    np.testing.assert_array_equal(model(x), plain)


def test_the_mask_of_a_model_inside_a_model_weighs_the_loss():
    inner = keras.Sequential([Embedding(5, 3, mask_zero=True), Dense(2, activation="softmax")])
    outer = keras.Sequential([Input((4,)), inner])
    ids, labels = np.array([[1, 2, 0, 0], [3, 0, 0, 0]]), np.array([[0, 1, 1, 1], [1, 0, 1, 0]])
    values = []
    for model in (inner, outer):
        model.compile("sgd", "sparse_categorical_crossentropy")
        values.append(model.evaluate(ids, labels, verbose=0))
    assert values[0] == values[1]


@pytest.mark.parametrize("nested", [False, True])
def test_what_penalties_of_outputs_add_to_the_loss(nested):
    rnn = SimpleRNN(3, return_state=True, activity_regularizer="l2")
    x = Input((5, 2))
    y, _ = rnn(x)
    model = keras.Model(x, Dense(1)(y))
    model = keras.Sequential([Input((5, 2)), model]) if nested else model
    model.compile("sgd", "mse")
    data, target = RNG.normal(size=(4, 5, 2)).astype("f"), RNG.normal(size=(4, 1)).astype("f")
    error = np.mean((model.predict(data) - target) ** 2)
    h = np.asarray(rnn(data)[0], np.float64)
    assert_close(model.evaluate(data, target, verbose=0), error + 2 * 0.01 * (h**2).sum() / 4, 1e-5)
    assert_close(model.train_on_batch(data, target), error + 2 * 0.01 * (h**2).sum() / 4, 1e-5)


def test_threads_can_predict_with_one_model():
    model = whole_model()
    batches = [RNG.integers(0, 7, (n, 6)) for n in (3, 11, 2, 7)]
    alone = [model.predict(x) for x in batches]
    wrong = []

    def predict(i):
        for _ in range(50):
            if not np.array_equal(model.predict(batches[i]), alone[i]):
                wrong.append(i)

    workers = [threading.Thread(target=predict, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_symbolic_tensors_show_what_they_are():
    assert repr(Input((4,), name="x")) == "<SymbolicTensor shape=(None, 4), dtype=float32, name=x>"
    assert isinstance(Dense(3)(Input((4,))), SymbolicTensor)


def test_a_graph_names_an_input_it_was_not_given():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    with pytest.raises(ValueError, match=r"not among the inputs.*name=b"):
        Graph([a], [Sum()([a, b])[0]])


def test_a_models_metrics_are_objects_that_can_be_reset():
    model = keras.Sequential([keras.layers.Dense(1, input_dim=4)])
    assert model.metrics == []
    model.compile("sgd", "mse", metrics=["mae", keras.metrics.MeanSquaredError(name="squares")])
    model.fit(np.ones((3, 4)), np.full((3, 1), 9.0), verbose=0)
    assert [type(metric).__name__ for metric in model.metrics] == ["MeanAbsoluteError", "MeanSquaredError"]
    assert float(model.metrics[1].result()) > 1
    model.reset_metrics()
    assert [float(metric.result()) for metric in model.metrics] == [0, 0]


def test_a_mask_may_be_asked_of_a_layer_by_itself():
    ids = np.array([[1, 0, 2]])
    np.testing.assert_array_equal(keras.layers.Embedding(3, 2, mask_zero=True).compute_mask(ids), ids != 0)
