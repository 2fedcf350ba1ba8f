"""Models made of other models' layers: the order of layers, sub-models, rewiring, clones, and losses of their own."""

import copy
import pickle

import numpy as np
import pytest
from checks import assert_close, central_difference
from file_cases import random_weights
from live import keras_module, needs_tensorflow
from model_data import features

import fastkeras as keras
from fastkeras import saving
from fastkeras.layers import LSTM, Dense, Dropout, Embedding, Input, Layer, SimpleRNN

RNG = np.random.default_rng(3)
BOTH_KINDS = pytest.mark.parametrize("name", ["model.h5", "model.keras"])


def names(model):
    return [layer.name for layer in model.layers]


class Sum(Layer):
    """x + y"""

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def forward(self, x, run):
        return x[0] + x[1], lambda dy: [dy, dy.copy()]


# --- layers by place and name ----------------------------------------------------------------------------------------


def branching(keras, total):
    """Three inputs that join a chain at different depths, one that joins none; total: what adds two tensors."""
    a, b, c, unused = (keras.Input((4,), name=name) for name in ("a", "b", "c", "unused"))
    first = keras.layers.Dense(4, name="first")(a)
    second = keras.layers.Dense(4, name="second")(total(name="inner")([first, b]))
    return keras.Model([c, a, unused, b], [total(name="outer")([second, c]), first])


def test_the_layers_of_a_graph_are_in_the_order_of_keras():
    """People's scripts go by it: model.layers[2].output."""
    model = branching(keras, Sum)
    assert names(model) == ["a", "first", "b", "inner", "second", "c", "unused", "outer"]
    assert [names(encoder_decoder()), names(keras.Sequential([Input((3,)), Dense(2, name="only")]))] == [
        ["letters", "spoken", "encoder", "decoder", "classes"],
        ["only"],
    ]
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), keras.models.clone_model(model)):
        assert names(again) == names(model)


@needs_tensorflow
@pytest.mark.parametrize("peer", ["keras", "tf_keras"])
def test_keras_has_that_order(peer):
    theirs = keras_module(peer)
    assert names(branching(theirs, theirs.layers.Add)) == names(branching(keras, Sum))


def masked(keras, kind):
    """Layers before a mask's making, in the mask's way alone or beside it."""
    layers = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    unmasked, zeros = (
        layers.Embedding(7, 3, name="unmasked")(a),
        layers.Embedding(7, 3, mask_zero=True, name="zeros")(b),
    )
    if kind == "concatenated":  # of weights of the same shape: files must not exchange them
        x = layers.Concatenate(name="both")([unmasked, zeros])
        return keras.Model([a, b], layers.Bidirectional(layers.LSTM(2), name="end")(x))
    beside = layers.Dense(3, name="beside_2")(layers.Dense(3, name="beside_1")(layers.Flatten(name="flat")(unmasked)))
    if kind == "masking":
        x = layers.Masking(name="masking")(layers.Dense(3, name="before")(zeros))
        x = layers.BatchNormalization(name="normalized")(x)
        x = layers.TimeDistributed(layers.Dense(3), name="each")(x)
        x = layers.GlobalAveragePooling1D(name="mean")(x)
    if kind == "added":
        more = layers.Embedding(7, 3, mask_zero=True, name="more")(a)
        x = layers.GRU(3, name="end")(layers.Add(name="sum")([more, zeros, zeros]))
    if kind == "attention":
        x = layers.SimpleRNN(3, name="end")(layers.Attention(name="attention")([zeros, zeros]))
    if kind == "states":
        x, state = layers.GRU(3, return_sequences=True, return_state=True, name="steps")(zeros)
        x = layers.Concatenate(name="both")([x, layers.RepeatVector(5, name="repeated")(state)])
        x = layers.Dense(3, name="narrow")(layers.GlobalAveragePooling1D(name="mean")(x))
    return keras.Model([a, b], layers.Add(name="outer")([beside, x]))


IN_KERAS_3 = {
    "concatenated": ["b", "a", "zeros", "unmasked", "both", "end"],
    "masking": [
        *["b", "zeros", "before", "a", "unmasked", "masking", "flat", "normalized"],
        *["beside_1", "each", "beside_2", "mean", "outer"],
    ],
    "states": [],
    "added": [],
    "attention": [],
}


@pytest.mark.parametrize("kind", [kind for kind, order in IN_KERAS_3.items() if order])
def test_what_makes_masks_counts_in_the_order(kind):
    model = masked(keras, kind)
    assert names(model) == IN_KERAS_3[kind]
    assert names(pickle.loads(pickle.dumps(model))) == IN_KERAS_3[kind]


def test_a_model_read_from_a_configuration_has_its_order():
    """The order of the Keras that wrote it: tf_keras has another than Keras 3 here."""
    config = masked(keras, "concatenated").get_config()
    config["layers"] = [config["layers"][i] for i in (1, 0, 3, 2, 4, 5)]
    model = keras.Model.from_config(config)
    assert names(model) == ["a", "b", "unmasked", "zeros", "both", "end"]
    assert names(copy.deepcopy(model)) == names(keras.models.clone_model(model)) == names(model)


def test_layers_of_one_name_keep_their_order_in_copies():
    start = Input((3,))
    model = keras.Model(start, Dense(2, name="d")(Dense(5, name="e")(Dense(7, name="d")(start))))
    for again in copy.deepcopy(model), pickle.loads(pickle.dumps(model)), keras.models.clone_model(model):
        assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]


def masks_that_nobody_reads(keras):
    layers = keras.layers
    a, b = layers.Input((5,), name="a"), layers.Input((5,), name="b")
    plain = layers.Embedding(7, 3, name="plain")(b)
    masked = layers.Embedding(7, 3, mask_zero=True, name="masked")(a)
    both = layers.Concatenate(name="both")([plain, masked])
    return keras.Model([a, b], layers.Dense(2, name="end")(both))


def test_masks_that_nobody_reads_do_not_count_in_the_order():
    assert names(masks_that_nobody_reads(keras)) == ["b", "a", "plain", "masked", "both", "end"]


@needs_tensorflow
def test_masks_that_nobody_reads_do_not_count_in_keras_3():
    assert names(masks_that_nobody_reads(keras)) == names(masks_that_nobody_reads(keras_module("keras")))


@needs_tensorflow
@pytest.mark.parametrize("kind", IN_KERAS_3)
def test_what_makes_masks_counts_in_the_order_of_keras_3(kind):
    assert names(masked(keras, kind)) == names(masked(keras_module("keras"), kind))


def handed_over(writer, reader, library, path):
    """What `library` reads of a model: the whole of it or, where the path says so, its weights, into `reader`."""
    if path.name.endswith(".weights.h5"):
        writer.save_weights(path)
        reader.load_weights(path)
        return reader
    writer.save(path)
    return library.models.load_model(path)


@needs_tensorflow
@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model.weights.h5"])
@pytest.mark.parametrize("kind", ["concatenated", "states"])
def test_files_of_graphs_with_masks_go_both_ways(tmp_path, kind, name):
    theirs = keras_module("keras")
    x = [RNG.integers(0, 7, (3, 5)) for _ in range(2)]
    ours, peer = masked(keras, kind), masked(theirs, kind)
    peer = handed_over(ours, peer, theirs, tmp_path / name)
    assert_close(np.asarray(peer(x)), ours.predict(x, verbose=0), 1e-5)
    peer.set_weights([w + 0.1 * i for i, w in enumerate(peer.get_weights())])
    ours = handed_over(peer, ours, keras, tmp_path / name)
    assert_close(ours.predict(x, verbose=0), np.asarray(peer(x)), 1e-5)


@needs_tensorflow
def test_files_of_tf_keras_have_its_order(tmp_path):
    theirs = masked(keras_module("tf_keras"), "concatenated")
    assert names(theirs) != IN_KERAS_3["concatenated"]
    x = [RNG.integers(1, 7, (3, 5)) for _ in range(2)]  # of masks tf_keras takes what all inputs have, Keras 3 what any
    for name in ("model.h5", "model.keras"):
        theirs.save(tmp_path / name)
        ours = keras.models.load_model(tmp_path / name)
        assert names(ours) == names(theirs)
        assert_close(ours.predict(x, verbose=0), np.asarray(theirs(x)), 1e-5)


def test_the_placeholder_of_an_input_has_its_tensor():
    start = Input((4,), name="a")
    model = keras.Model(start, Dense(2)(start))
    assert model.layers[0].output is model.layers[0].input is model.input is start
    assert model.layers[0].output_shape == model.layers[0].input_shape == (None, 4)
    assert model.get_layer("a") is model.get_layer(index=0) is model.layers[0]


def test_get_layer_takes_a_name_or_a_place():
    model = keras.Sequential([Dense(3, input_dim=4, name="first")])
    for arguments in ({}, {"name": "first", "index": 0}):
        with pytest.raises(ValueError, match="get_layer: expected either `name` or `index`"):
            model.get_layer(**arguments)


# --- models of the layers of trained models --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["chain", "graph"])
def test_a_sub_model_shares_the_weights_of_the_whole(kind):
    if kind == "chain":
        model = keras.Sequential([Dense(4, activation="tanh", input_dim=3), Dropout(0.5), Dense(2)])
    else:
        start = Input((3,))
        model = keras.Model(start, Dense(2)(Dropout(0.5)(Dense(4, activation="tanh")(start))))
    random_weights(model, 3)
    x, dense, last = features(7, 3), model.layers[-3], model.layers[-1]
    maps = keras.Model(model.inputs, [layer.output for layer in model.layers])
    head = keras.Model(last.input, last.output)  # begins in the middle
    model.compile("sgd", "mse")
    for _ in range(2):
        hidden = maps.predict(x, verbose=0)
        np.testing.assert_array_equal(hidden[-1], model.predict(x, verbose=0))
        assert_close(hidden[-3], np.tanh(x @ dense.kernel.value + dense.bias.value), 1e-5)
        np.testing.assert_array_equal(head.predict(hidden[-3], verbose=0), hidden[-1])
        model.fit(x, np.ones((7, 2)), verbose=0)
    assert names(head)[1:] == [last.name] and names(maps)[-3:] == names(model)[-3:]


V, UNITS = 11, 7


def encoder_decoder():
    """The training model of the classic translation of letters."""
    letters, spoken = Input((None, V), name="letters"), Input((None, V), name="spoken")
    _, h, c = LSTM(UNITS, return_state=True, name="encoder")(letters)
    decoder = LSTM(UNITS, return_sequences=True, return_state=True, name="decoder")
    outputs, _, _ = decoder(spoken, initial_state=[h, c])
    return keras.Model([letters, spoken], Dense(V, activation="softmax", name="classes")(outputs))


@pytest.mark.parametrize("name", [None, "model.h5", "model.keras"])
def test_encoder_and_decoder_are_rewired_from_a_trained_model(tmp_path, name):
    """Step by step they give what the training model gives at once; read from a file as well."""
    model = encoder_decoder()
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    x, y = RNG.normal(size=(5, 4, V)).astype("f"), RNG.normal(size=(5, 3, V)).astype("f")
    model.fit([x, y], np.eye(V)[RNG.integers(0, V, (5, 3))], verbose=0)
    expected = model.predict([x, y], verbose=0)
    if name is not None:
        model.save(tmp_path / name)
        model = saving.load_model(tmp_path / name)

    _, h, c = model.layers[2].output
    encoder = keras.Model(model.input[0], [h, c])
    start = [Input((UNITS,), name="h"), Input((UNITS,), name="c")]
    outputs, *states = model.layers[3](model.input[1], initial_state=start)
    decoder = keras.Model([model.input[1], *start], [model.layers[4](outputs), *states])

    states = encoder.predict(x, verbose=0)
    for t in range(3):
        step, *states = decoder.predict([y[:, t : t + 1], *states], verbose=0)
        assert_close(step[:, 0], expected[:, t], 1e-5)


def test_what_is_trainable_counts_when_the_model_is_compiled():
    model = keras.Sequential([Dense(4, input_dim=3), Dense(2)])
    random_weights(model, 3)
    x, y = features(7, 3), np.ones((7, 2))

    def changed():
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        return [bool(np.any(a != b)) for a, b in zip(before, model.get_weights(), strict=True)]

    model.compile("adam", "mse")
    assert changed() == [True] * 4
    model.layers[0].trainable = False
    assert changed() == [True] * 4  # until it is compiled again
    model.compile("adam", "mse")
    assert changed() == [False, False, True, True]
    model.trainable = True  # and all layers in it
    model.compile("adam", "mse")
    assert changed() == [True] * 4 and model.layers[0].trainable


# --- clone_model -----------------------------------------------------------------------------------------------------


def shared(own=Dense):
    """A layer called twice, a model in a model, two inputs and two outputs."""
    left, right = Input((4,), name="left"), Input((4,), name="right")
    twice = own(4, name="twice")
    inner = keras.Sequential([Dense(3, name="narrow")], name="inner")
    return keras.Model([left, right], [inner(twice(left)), twice(right)], name="pair")


def test_a_clone_has_the_same_architecture_and_weights_of_its_own():
    model, x = shared(), [features(5, 4), features(5, 4, seed=1)]
    again = keras.models.clone_model(model)
    assert again.get_config() == model.get_config() and type(again) is type(model)
    assert not any(
        np.array_equal(a, b) for a, b in zip(again.get_weights()[::2], model.get_weights()[::2], strict=True)
    )
    assert all(a is not b for a, b in zip(again.layers, model.layers, strict=True))
    again.set_weights(model.get_weights())
    for a, b in zip(again.predict(x), model.predict(x), strict=True):
        np.testing.assert_array_equal(a, b)


def test_clones_of_chains():
    model = keras.Sequential([Embedding(9, 3), SimpleRNN(4), Dense(1)], name="chain")
    unbuilt = keras.models.clone_model(model)
    assert not unbuilt.built and names(unbuilt) == names(model) and unbuilt.name == "chain"
    model.predict(np.ones((2, 5), int), verbose=0)
    built = keras.models.clone_model(model)
    assert built.get_config() == model.get_config()
    assert built.predict(np.ones((2, 8), int), verbose=0).shape == (2, 1)  # what was read off data still binds nothing
    declared = keras.Sequential([Input((3,), name="start"), Dense(2)])
    assert keras.models.clone_model(declared).get_config() == declared.get_config()
    wide = keras.models.clone_model(declared, input_tensors=Input((3,), name="other"))
    assert wide.inputs[0].name == "other"


def test_clones_with_inputs_and_layers_of_the_users_choice():
    model, starts = shared(), [Input((4,), name="l"), Input((4,), name="r")]
    again = keras.models.clone_model(model, input_tensors=starts)
    assert again.inputs == starts and names(again) == ["l", "twice", "r", "inner"]
    assert names(model) == ["left", "twice", "right", "inner"]
    called = []

    def wider(layer):
        called.append(layer.name)
        return Dense(9, name=layer.name) if type(layer) is Dense else layer

    model = keras.Sequential([Dense(4, input_dim=3, name="a"), Dropout(0.5, name="b")])
    other = keras.models.clone_model(model, clone_function=wider)
    assert called == ["a", "b"] and other.output_shape == (None, 9) and other.layers[1] is model.layers[1]
    with pytest.raises(ValueError, match=r"clone_model: `input_tensors` must be 2 tensors. Received: 1"):
        keras.models.clone_model(shared(), input_tensors=Input((4,)))
    with pytest.raises(ValueError, match=r"clone_model: `model` must be a model. Received: <Dense"):
        keras.models.clone_model(Dense(2))


def test_classes_of_the_users_own_are_cloned():
    class Own(Dense):
        pass

    again = keras.models.clone_model(shared(own=Own))
    assert type(again.get_layer("twice")) is Own


# --- losses of layers and of models ----------------------------------------------------------------------------------


class Sparse(Layer):
    """y = x w, and rate * the sum of all |y| added to the loss."""

    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, input_shape):
        self.w = self.add_weight("w", (input_shape[-1],), "ones")

    def forward(self, x, run):
        y = x * self.w.value
        run.add_loss(self.rate * float(np.abs(y).sum()))

        def backward(dy):
            dy = dy + self.rate * np.sign(y)
            self.w.grad += (dy * x).sum(axis=0)
            return dy * self.w.value

        return y, backward

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@pytest.mark.parametrize("nested", [False, True])
def test_a_layer_of_the_users_own_adds_to_the_loss(nested):
    chain = keras.Sequential([Input((3,)), Dense(4), Sparse(0.25), Dense(2)])
    model = keras.Sequential([Input((3,)), chain]) if nested else chain
    random_weights(model, 3)
    rate, x, y = 0.01, features(7, 3), features(7, 2, seed=1)
    model.compile(keras.optimizers.SGD(rate), "mse")
    weights = model.get_weights()

    def loss(*weights):
        W, b, w, V, c = (np.asarray(v, np.float64) for v in weights)
        hidden = (x @ W + b) * w
        return np.mean((hidden @ V + c - y) ** 2) + 0.25 * np.abs(hidden).sum()

    assert_close(model.evaluate(x, y, verbose=0), loss(*weights), 1e-5)
    assert_close(model.train_on_batch(x, y), loss(*weights), 1e-5)
    for i, (before, after) in enumerate(zip(weights, model.get_weights(), strict=True)):
        slope = central_difference(lambda v, i=i: loss(*weights[:i], v, *weights[i + 1 :]), before, 1.0)
        assert_close((before - after) / rate, slope, 2e-3)


def with_added_loss():
    """Two outputs of one layer, of which only one is the model's; the mean of the other's square is added."""
    start = Input((3,), name="start")
    hidden = Dense(4, name="hidden")(start)
    model = keras.Model(start, Dense(2, name="out")(hidden), name="added")
    model.add_loss(Square(name="square")(Dense(1, name="aside")(hidden)))
    return model


class Square(Layer):
    def forward(self, x, run):
        return x * x, lambda dy: 2 * x * dy


def test_the_mean_of_a_tensor_is_added_to_the_loss_and_trained():
    model = with_added_loss()
    random_weights(model, 3)
    assert names(model) == ["start", "hidden", "aside", "out", "square"] and len(model.get_weights()) == 6
    rate, x, y = 0.01, features(7, 3), features(7, 2, seed=1)
    model.compile(keras.optimizers.SGD(rate), "mse")
    variables, weights = model.variables, model.get_weights()

    def loss(*weights):
        W, b, V, c, U, d = (np.asarray(v, np.float64) for v in weights)
        hidden = x @ W + b
        return np.mean((hidden @ U + d - y) ** 2) + np.mean((hidden @ V + c) ** 2)

    assert [v.path.split("/")[0] for v in variables[::2]] == ["hidden", "aside", "out"]
    assert_close(model.evaluate(x, y, verbose=0), loss(*weights), 1e-5)
    assert_close(model.train_on_batch(x, y), loss(*weights), 1e-5)
    for i, (before, after) in enumerate(zip(weights, model.get_weights(), strict=True)):
        slope = central_difference(lambda v, i=i: loss(*weights[:i], v, *weights[i + 1 :]), before, 1.0)
        assert_close((before - after) / rate, slope, 2e-3)
    assert model.predict(x, verbose=0).shape == (7, 2)


def test_an_added_loss_alone_trains_and_may_read_an_output():
    start = Input((3,))
    outputs = Dense(2, activation="softmax")(start)
    model = keras.Model(start, outputs)
    model.add_loss(Square()(outputs))
    model.compile(keras.optimizers.SGD(0.5))
    x = features(7, 3)
    expected = float(np.mean(np.square(model.predict(x, verbose=0))))
    history = model.fit(x, epochs=3, verbose=0).history["loss"]
    assert_close(history[0], expected, 1e-5)
    assert history == sorted(history, reverse=True)

    model = keras.Model(start, outputs)  # the loss reads the output's probabilities, while its crossentropy has logits
    model.add_loss(outputs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    p, labels = model.predict(x, verbose=0), np.arange(7) % 2
    expected = np.mean(-np.log(p[np.arange(7), labels])) + np.mean(p)
    assert_close(model.evaluate(x, labels, verbose=0), expected, 1e-5)


@BOTH_KINDS
def test_an_added_loss_stays_in_files_copies_and_clones(tmp_path, name):
    model = with_added_loss()
    model.compile("sgd", "mse")
    x, y = features(7, 3), features(7, 2, seed=1)
    expected = model.evaluate(x, y, verbose=0)
    model.save(tmp_path / name)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    clone.compile("sgd", "mse")
    for again in (saving.load_model(tmp_path / name, {"Square": Square}), copy.deepcopy(model), clone):
        assert again.evaluate(x, y, verbose=0) == expected
        assert again.get_config() == model.get_config()


def test_what_cannot_be_added_to_the_loss():
    with pytest.raises(ValueError, match=r"add_loss\(\) takes a symbolic tensor.*run.add_loss.*Received: 0.5"):
        with_added_loss().add_loss(0.5)
    with pytest.raises(ValueError, match=r"is a chain: make a Model\(inputs, outputs\) to add a loss to"):
        keras.Sequential([Dense(2, input_dim=3)]).add_loss(Input((3,)))


def test_losses_lists_the_penalties_of_the_weights():
    model = keras.Sequential([Dense(2, kernel_regularizer="l2", input_dim=3), Dense(1, bias_regularizer="l1")])
    assert model.losses == [keras.regularizers.L2()(model.layers[0].kernel.value), 0.0]
    model.layers[0].trainable = False
    assert model.losses == [0.0]


@pytest.mark.parametrize("wrong", [Dense(2), np.ones((3, 2))])
def test_a_model_is_made_of_symbolic_tensors(wrong):
    start = Input((2,))
    for inputs, outputs in ((wrong, start), (start, wrong)):
        with pytest.raises(ValueError, match=r"Model: expected what keras.Input gives.*Received"):
            keras.Model(inputs, outputs)
