"""Operations of fastkeras.ops, and Python's operators, on symbolic tensors: in graphs, in training, in files."""

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import layers, losses, ops, saving

RNG = np.random.default_rng(17)
X, Z = (RNG.normal(size=(7, 5, 3)).astype(np.float32) for _ in range(2))
OTHER = RNG.normal(size=(3,)).astype(np.float32)


def mixed(keras):
    """A model whose tensors meet every form of argument: operators on both sides, arrays, axes, slices, lists."""
    ops = keras.ops
    a, b = keras.Input((5, 3), name="a"), keras.Input((5, 3), name="b")
    c = 2.0 * a - b / (ops.square(b) + 1.5)
    d = ops.concatenate([c[:, 1:, :], -a], axis=1)
    e = ops.mean(ops.tanh(d * OTHER), axis=1, keepdims=True)
    f = keras.layers.Dense(4, name="dense")(ops.reshape(e, (-1, 3)))
    return keras.Model([a, b], [ops.softmax(f), ops.sum(ops.abs(d), axis=(1, 2))])


def by_hand(model):
    kernel, bias = model.get_weights()
    d = np.concatenate([(2 * X - Z / (Z * Z + 1.5))[:, 1:], -X], axis=1)
    f = np.tanh(d * OTHER).mean(1) @ kernel + bias
    p = np.exp(f - f.max(-1, keepdims=True))
    return [p / p.sum(-1, keepdims=True), np.abs(d).sum((1, 2))]


def assert_predicts(model, expected):
    for got, want in zip(model.predict([X, Z], verbose=0), expected, strict=True):
        assert_close(got, want, 1e-5)


def test_values_and_shapes_in_a_graph():
    model = mixed(fastkeras)
    assert model.output_shape == [(None, 4), (None,)]
    assert_predicts(model, by_hand(model))


def test_they_come_back_from_configurations_files_copies_and_pickles(tmp_path):
    model = mixed(fastkeras)
    expected = by_hand(model)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        assert_predicts(saving.load_model(tmp_path / name), expected)
    copied = fastkeras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    assert_predicts(copied, expected)
    again = fastkeras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert_predicts(again, expected)


def test_a_gradient_goes_through_to_the_layers_before():
    """x * w, as an operation on what an Embedding gives, trains as Dense does that has w on its diagonal."""
    ids = RNG.integers(0, 11, (7, 5))
    models = []
    for scaled in (lambda y: y * OTHER, layers.Dense(3, use_bias=False, trainable=False, name="scale")):
        start = fastkeras.Input((5,), dtype="int32")
        end = layers.GlobalAveragePooling1D()(scaled(layers.Embedding(11, 3, name="rows")(start)))
        model = fastkeras.Model(start, end)
        model.get_layer("rows").set_weights([np.arange(33, dtype=np.float32).reshape(11, 3) / 33])
        models.append(model)
    models[1].get_layer("scale").set_weights([np.diag(OTHER)])
    for model in models:
        model.compile("sgd", "mse")
    losses = [model.fit(ids, Z[:, 0], epochs=3, shuffle=False, verbose=0).history["loss"] for model in models]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert losses[0][2] < losses[0][0]


def test_ids_stay_integers():
    start = fastkeras.Input((5,), dtype="int32")
    model = fastkeras.Model(start, ops.one_hot(start, 4))
    ids = RNG.integers(0, 4, (7, 5))
    np.testing.assert_array_equal(model.predict(ids, verbose=0), np.eye(4, dtype=np.float32)[ids])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"operation": "addd"}, "Did you mean 'add'"),
        ({"operation": "add", "arguments": [{"code": "import os"}]}, "expected one of input, slice, .* in an argument"),
    ],
)
def test_a_configuration_names_known_operations_and_plain_arguments(config, message):
    with pytest.raises(ValueError, match=message):
        layers.Operation.from_config(config)


@needs_tensorflow
def test_keras_computes_the_same():
    theirs, model = mixed(keras_module()), mixed(fastkeras)
    model.set_weights(theirs.get_weights())
    assert_predicts(model, theirs.predict([X, Z], verbose=0))


def test_losses_of_symbolic_tensors_are_operations(tmp_path):
    """As the first examples of variational autoencoders have them; binary_crossentropy is no function of ops here."""
    x = RNG.uniform(0.1, 0.9, (7, 3)).astype(np.float32)
    start = fastkeras.Input((3,))
    end = layers.Dense(3, activation="sigmoid")(start)
    errors = [losses.mse(start, end) * 3, losses.binary_crossentropy(start, end)]
    model = fastkeras.Model(start, [end, *errors])
    y, squares, crossentropies = model.predict(x, verbose=0)
    assert_close(squares, 3 * np.square(x - y).mean(1), 1e-5)
    assert_close(crossentropies, -(x * np.log(y) + (1 - x) * np.log(1 - y)).mean(1), 1e-5)
    assert next(layer.name for layer in model.layers if isinstance(layer, layers.Operation)) == "mean_squared_error"
    model.save(tmp_path / "model.keras")
    again = saving.load_model(tmp_path / "model.keras")
    for got, want in zip(again.predict(x, verbose=0), (y, squares, crossentropies), strict=True):
        np.testing.assert_array_equal(got, want)
