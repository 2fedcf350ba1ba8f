"""Activations of SimpleRNN, LSTM and GRU that no kernel knows: softmax, the user's own, layers."""

import numpy as np
import pytest
from checks import as_rows, assert_close
from live import keras_module, needs_tensorflow
from recurrent_cases import (
    EVERY_OUTPUT,
    LAYERS,
    assert_as_specified,
    for_each_layer,
    layer_of,
    mask_of,
    repeated,
    run_layer,
    specified,
)

import fastkeras
from fastkeras import layers, ops
from fastkeras.core.run import Run


def tanh_in_ops(x):
    return ops.tanh(x)


def sigmoid_in_ops(x):
    return 1 / (1 + ops.exp(-x))


def own(kind, activation, recurrent_activation):
    """The arguments, of which SimpleRNN has the first alone."""
    told = {"activation": activation}
    return told if kind == "simple_rnn" else {**told, "recurrent_activation": recurrent_activation}


@for_each_layer
@pytest.mark.parametrize(
    "activations", [("softmax", "sigmoid"), ("tanh", "softmax"), ("log_softmax", "softmax")], ids=str
)
@pytest.mark.parametrize("B, T, D, U", [(37, 5, 3, 7), (1, 1, 1, 1), (5, 1, 2, 3)])
@pytest.mark.parametrize("padding", [None, "middle"])
def test_along_units(kind, activations, B, T, D, U, padding):
    rng = np.random.default_rng(B + U)
    layer = layer_of(kind, U, (B, T, D), rng, **own(kind, *activations), **EVERY_OUTPUT)
    x, mask = repeated(rng, B, T, D), mask_of(rng, padding, B, T)
    states = [rng.normal(size=(B, U)).astype("f") for _ in layer.state_names]
    dy, dstates = rng.normal(size=(B, T, U)), [rng.normal(size=(B, U)) for _ in states]
    for given in ([], states):
        for rows in (None, as_rows(x)):
            found = run_layer(layer, x if rows is None else rows, given, dy, dstates, mask)
            assert_as_specified(found, specified(layer, x, given, dy, dstates, mask), rows)


@for_each_layer
@pytest.mark.parametrize(
    "options", [{}, {"use_bias": False}, {"recurrent_dropout": 0.5, "dropout": 0.3}, {"go_backwards": True}], ids=str
)
@pytest.mark.parametrize("padding", [None, "pre"])
def test_functions_in_ops_give_the_kernels_numbers(kind, options, padding):
    rng = np.random.default_rng(31)
    B, T, D, U = 19, 5, 3, 7
    options = {**options, **EVERY_OUTPUT, "seed": 5}
    known = layer_of(kind, U, (B, T, D), rng, **options)
    layer = layer_of(kind, U, (B, T, D), rng, **own(kind, tanh_in_ops, sigmoid_in_ops), **options)
    layer.set_weights(known.get_weights())
    x, mask = repeated(rng, B, T, D), mask_of(rng, padding, B, T)
    dy, dstates = rng.normal(size=(B, T, U)), [rng.normal(size=(B, U)) for _ in layer.state_names]
    found, expected = (run_layer(each, x, (), dy, dstates, mask, training=True) for each in (layer, known))
    assert_as_specified(found, expected)


@for_each_layer
def test_equal_rows_are_computed_once(kind):
    rng, seen = np.random.default_rng(37), []

    def seeing(x):
        seen.append(len(x))
        return ops.tanh(x)

    layer = layer_of(kind, 5, (11, 7, 2), rng, activation=seeing)
    layer.forward(as_rows(np.repeat(repeated(rng, 1, 7, 2), 11, axis=0)), Run())
    assert set(seen) == {1}


@for_each_layer
def test_frozen_layers_pass_gradients_on(kind):
    rng = np.random.default_rng(41)
    layer, x, dy = (
        layer_of(kind, 3, (5, 4, 2), rng, activation="softmax"),
        repeated(rng, 5, 4, 2),
        rng.normal(size=(5, 3)),
    )
    _, expected = specified(layer, x, (), dy)
    _, backward = layer.forward(x, Run(wants_dx=True))
    assert_close(backward(dy.astype("f")), expected["x"], 1e-4)
    assert not any(v.grad.any() for v in layer.variables)


@for_each_layer
def test_a_layer_as_an_activation_has_a_kernel(kind):
    rng = np.random.default_rng(43)
    layer = layer_of(kind, 3, (5, 4, 2), rng, activation=layers.LeakyReLU(0.2))
    known = layer_of(kind, 3, (5, 4, 2), rng, activation="leaky_relu")  # whose slope is 0.2
    known.set_weights(layer.get_weights())
    x = repeated(rng, 5, 4, 2)
    assert layer.has_kernel()
    np.testing.assert_array_equal(layer(x), known(x))
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@for_each_layer
def test_activations_that_change_the_shape_are_refused(kind):
    cls, told = LAYERS[kind]
    halves = cls(4, activation=lambda x: ops.concatenate([x, x], axis=-1), name="wide", **told)
    with pytest.raises(ValueError, match=r"Layer 'wide' .*`activation`.* must give what has the shape of the input"):
        halves(np.ones((2, 3, 5)))


def test_activations_that_lead_nowhere_back_are_refused():
    model = fastkeras.Sequential([fastkeras.Input((3, 2)), layers.GRU(4, activation=lambda x: np.tanh(np.array(x)))])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(TypeError, match=r"must compute with fastkeras.ops .* Received: ndarray"):
        model.fit(np.ones((5, 3, 2)), np.ones((5, 4)), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrappers_keep_functions_that_are_not_registered():
    x = np.random.default_rng(47).normal(size=(3, 4, 2)).astype("f")
    layer = layers.Bidirectional(layers.LSTM(3, activation=tanh_in_ops))
    known = layers.Bidirectional(layers.LSTM(3))
    layer(x), known(x)
    layer.set_weights(known.get_weights())
    assert_close(layer(x), known(x), 1e-5)


# --- against Keras ---------------------------------------------------------------------------------------------------


def own_function(keras):
    @keras.saving.register_keras_serializable("recurrent")
    def gently(x):
        return keras.ops.softplus(x) - 0.5

    return gently


ACTIVATIONS = {
    "softmax": lambda keras: "softmax",
    "function": lambda keras: keras.activations.log_softmax,
    "layer": lambda keras: keras.layers.LeakyReLU(0.2),
    "limited": lambda keras: keras.layers.ReLU(max_value=0.75),
    "along": lambda keras: keras.layers.Softmax(),
    "own": own_function,
}


def tagger(keras, kind, activation):
    cls, told = {"simple_rnn": ("SimpleRNN", {}), "lstm": ("LSTM", {}), "gru": ("GRU", {})}[kind]
    told = {**told, **own(kind, activation(keras), "softmax"), "return_sequences": True}
    L = keras.layers
    model = keras.Sequential(
        [keras.Input((5,)), L.Embedding(7, 3, mask_zero=True), getattr(L, cls)(4, **told), L.Dense(2)]
    )
    rng = np.random.default_rng(53)
    model.set_weights([rng.normal(size=w.shape) / 2 for w in model.get_weights()])
    model.compile("sgd", "mse")
    return model


@needs_tensorflow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_activations_train_as_in_keras_and_are_in_its_files(kind, activation, tmp_path):
    rng = np.random.default_rng(59)
    ids, y = rng.integers(0, 7, (6, 5)), rng.normal(size=(6, 5, 2)).astype("f")
    modules = fastkeras, keras_module()
    made = [tagger(keras, kind, ACTIVATIONS[activation]) for keras in modules]
    losses = [m.fit(ids, y, epochs=2, batch_size=3, shuffle=False, verbose=0).history["loss"] for m in made]
    assert_close(losses[0], losses[1], 1e-5)
    for ours, theirs in zip(*(m.get_weights() for m in made), strict=True):
        assert_close(ours, theirs, 1e-4)
    theirs = made[1]
    theirs.save(tmp_path / "theirs.keras")
    loaded = fastkeras.models.load_model(tmp_path / "theirs.keras")
    assert_close(loaded.predict(ids, verbose=0), theirs.predict(ids, verbose=0), 1e-5)
    made[0].save(tmp_path / "ours.keras")
    custom = {"gently": own_function(modules[1])}
    loaded = modules[1].models.load_model(tmp_path / "ours.keras", custom_objects=custom)
    assert_close(loaded.predict(ids, verbose=0), made[0].predict(ids, verbose=0), 1e-5)
