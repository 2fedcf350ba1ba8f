"""Mistakes that learners make are found before the first step, with a message that names layer, argument and cure."""

import re
import warnings

import numpy as np
import pytest
from small_models import wave

import fastkeras as keras
from fastkeras import losses
from fastkeras.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalMaxPooling1D,
    SimpleRNN,
    Softmax,
    TimeDistributed,
)

X, LABELS = wave(12, 4), np.arange(12) % 3
BINARY = LABELS % 2
STEPS = "(batch, steps, features)"


def model(loss, *layers):
    made = keras.Sequential([keras.Input(X.shape[1:]), *layers])
    made.compile("sgd", loss)
    return made


def last(units, activation=None):
    return Dense(units, activation=activation, name="last")


def refused(loss, layers, y, message, x=X):
    """fit, evaluate and train_on_batch all refuse, and no step is made."""
    for call in ("fit", "evaluate", "train_on_batch"):
        made = model(loss, *layers())
        with pytest.raises(ValueError, match=re.escape(message)):
            getattr(made, call)(x, y)
        assert made.optimizer.iterations == 0


# --- the last layer and the loss -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [last(1, "softmax")],
        lambda: [Dense(1), Activation("softmax", name="last")],
        lambda: [Dense(1), Softmax(name="last")],
        lambda: [keras.Sequential([last(1, "softmax")])],
    ],
)
@pytest.mark.parametrize("loss", ["binary_crossentropy", "sparse_categorical_crossentropy", "mse"])
def test_softmax_over_one_unit(layers, loss):
    refused(loss, layers, BINARY, "Layer 'last' (")
    refused(
        loss,
        layers,
        BINARY,
        "softmax over one unit is always 1, so nothing can be learned. Use activation='sigmoid' for two classes, or as "
        "many units as there are classes. Received: output of shape (None, 1)",
    )


def test_softmax_over_one_unit_in_each_step():
    made = keras.Sequential([keras.Input((5, 2)), TimeDistributed(Dense(1, activation="softmax"))])
    made.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"\(TimeDistributed\): softmax over one unit"):
        made.fit(wave(7, 5, 2), wave(7, 5, 1))


def test_a_softmax_along_another_axis_may_have_one_unit():
    made = keras.Sequential([keras.Input((5, 2)), Dense(1), Softmax(axis=1)])
    made.compile("sgd", "mse")
    assert made.train_on_batch(wave(7, 5, 2), wave(7, 5, 1)) > 0


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_one_unit_for_several_classes(loss):
    refused(
        loss,
        lambda: [last(1, "sigmoid")],
        BINARY,
        f"Layer 'last' (Dense) has one unit, and `loss`, {loss}, needs one for each class. Use "
        "loss='binary_crossentropy' with activation='sigmoid' for two classes. Received: output of shape (None, 1)",
    )


def warned(loss, layers, y, message):
    """fit and train_on_batch warn, at the line of the call, and train."""
    for call in ("fit", "train_on_batch"):
        made = model(loss, *layers)
        with pytest.warns(UserWarning, match=re.escape(message)) as caught:
            getattr(made, call)(X, y)
        assert caught[0].filename == __file__
        assert made.optimizer.iterations == 1


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_from_logits_of_probabilities(activation):
    warned(
        losses.SparseCategoricalCrossentropy(from_logits=True),
        [last(3, activation)],
        LABELS,
        f"Layer 'last' (Dense) ends in {activation}, but `loss`, sparse_categorical_crossentropy, was made with "
        "from_logits=True: take away one of the two. Received: from_logits=True",
    )


@pytest.mark.parametrize(
    ("loss", "units", "y", "wanted"),
    [
        ("binary_crossentropy", 1, BINARY, "sigmoid"),
        ("sparse_categorical_crossentropy", 3, LABELS, "softmax"),
        ("categorical_crossentropy", 3, np.eye(3)[LABELS], "softmax"),
    ],
)
def test_probabilities_that_are_none(loss, units, y, wanted):
    for activation in ("linear", "relu", "tanh"):
        warned(
            loss,
            [last(units, activation)],
            y,
            f"Layer 'last' (Dense) ends in {activation}, but `loss`, {loss}, takes its outputs for probabilities: set "
            f"activation='{wanted}' there, or from_logits=True in the loss. Received: activation='{activation}'",
        )


class OwnDense(Dense):
    """May do more than its activation says."""


@pytest.mark.parametrize(
    ("loss", "layer", "y"),
    [
        ("binary_crossentropy", last(1, "sigmoid"), BINARY),
        ("sparse_categorical_crossentropy", last(3, "softmax"), LABELS),
        (losses.BinaryCrossentropy(from_logits=True), last(1), BINARY),
        (losses.SparseCategoricalCrossentropy(from_logits=True), last(3), LABELS),
        ("binary_crossentropy", last(3, "softmax"), np.eye(3)[LABELS]),
        ("binary_crossentropy", OwnDense(1), BINARY),
        ("binary_crossentropy", last(1, "sigmoid"), BINARY * 1.0001),
        ("mse", last(1), BINARY),
        ("mse", last(1), BINARY * 300 - 7),
    ],
)
def test_what_is_right_goes_without_a_word(loss, layer, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(loss, layer).fit(X, y, verbose=0)


# --- targets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "layers", "y", "message"),
    [
        (
            "categorical_crossentropy",
            lambda: [last(3, "softmax")],
            LABELS,
            "`y` holds integer labels, but `loss`, categorical_crossentropy, compares rows of 3 numbers with "
            "layer 'last' "
            "(Dense): for integer labels use sparse_categorical_crossentropy, or utils.to_categorical(y, 3). "
            "Received: y of shape (12,), output of shape (None, 3)",
        ),
        ("categorical_crossentropy", lambda: [last(3, "softmax")], LABELS[:, None], "Received: y of shape (12, 1)"),
        (
            "sparse_categorical_crossentropy",
            lambda: [last(3, "softmax")],
            np.eye(3)[LABELS],
            "`y` holds one-hot rows, but `loss`, sparse_categorical_crossentropy, wants the number of the "
            "class for layer "
            "'last' (Dense): for one-hot targets use the name without 'sparse', or y.argmax(axis=-1). "
            "Received: y of shape (12, 3), output of shape (None, 3)",
        ),
        (
            "sparse_categorical_crossentropy",
            lambda: [last(3, "softmax")],
            LABELS + 1,
            "labels must be in [0, 3), one for each unit of layer 'last' (Dense), for `loss`, "
            "sparse_categorical_crossentropy. Count from 0: y - 1. Received: labels from 1 to 3",
        ),
        (
            "sparse_categorical_crossentropy",
            lambda: [last(3, "softmax")],
            LABELS * 4,
            "For 9 classes: Dense(9). Received: labels from 0 to 8",
        ),
        (
            "sparse_categorical_crossentropy",
            lambda: [last(3, "softmax")],
            LABELS - 1,
            "Classes are numbered from 0 on. Received: labels from -1 to 1",
        ),
        (
            "binary_crossentropy",
            lambda: [last(2, "softmax")],
            BINARY,
            "`y` holds one label for each sample, but layer 'last' (Dense) has 2 units, each of which `loss`, "
            "binary_crossentropy, compares with a number: use one unit with activation='sigmoid', or keep the "
            "units and "
            "use sparse_categorical_crossentropy. Received: y of shape (12,), output of shape (None, 2)",
        ),
        (
            "binary_crossentropy",
            lambda: [last(1, "sigmoid")],
            np.eye(46)[LABELS],
            "`y` has 46 columns and layer 'last' (Dense) 1: give the layer 46 units, or y as many columns; `loss` is "
            "binary_crossentropy. Received: y of shape (12, 46), output of shape (None, 1)",
        ),
        ("mse", lambda: [last(2)], wave(12, 3), "`y` has 3 columns and layer 'last' (Dense) 2: give the layer 3 units"),
        (
            "binary_crossentropy",
            lambda: [last(1, "sigmoid")],
            BINARY * 2 - 1,
            "`y`: `loss`, binary_crossentropy, compares with probabilities, so targets lie between 0 and 1. "
            "For labels -1 "
            "and 1: (y + 1) / 2, or loss='hinge' with activation='tanh'. Received: values from -1 to 1",
        ),
        (
            "binary_crossentropy",
            lambda: [last(1, "sigmoid")],
            BINARY + 1,
            "between 0 and 1. Count from 0: y - 1. Received: values from 1 to 2",
        ),
        (
            "binary_crossentropy",
            lambda: [last(1, "sigmoid")],
            LABELS,
            "For more than two classes use softmax and sparse_categorical_crossentropy. Received: values from 0 to 2",
        ),
        (
            "binary_crossentropy",
            lambda: [last(4, "sigmoid")],
            np.arange(48).reshape(12, 4),
            "Bring them there first (pixels: y / 255). Received: values from 0 to 47",
        ),
    ],
)
def test_targets_that_do_not_go_with_the_loss(loss, layers, y, message):
    refused(loss, layers, y, message)


def test_targets_that_may_be_meant_are_warned_of():
    warned(
        "binary_crossentropy",
        [last(4, "sigmoid")],
        X * 4,
        "targets lie between 0 and 1. Bring them there first (pixels: y / 255). Received: values from -",
    )


def test_one_target_for_a_sequence_of_outputs():
    made = keras.Sequential([Embedding(5, 3), SimpleRNN(4, return_sequences=True), last(1, "sigmoid")])
    made.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match=r"gives one for each step: set return_sequences=False in the last recurrent"):
        made.fit(np.ones((12, 7), int), BINARY)


def test_the_output_is_named_where_there_are_several():
    start = keras.Input((4,))
    made = keras.Model(start, [Dense(1, name="a")(start), Dense(3, activation="softmax", name="b")(start)])
    made.compile("sgd", ["mse", "sparse_categorical_crossentropy"])
    with pytest.raises(ValueError, match=r"`y\['b'\]`: labels must be in \[0, 3\), one for each unit of layer 'b'"):
        made.fit(X, [X[:, 0], LABELS + 1])


def test_what_a_loss_of_ones_own_refuses_is_passed_on():
    class Own(losses.Loss):
        def prepare(self, y_true, y_pred_shape):
            raise ValueError("not these")

    for y in (BINARY, np.eye(3)[LABELS]):
        with pytest.raises(ValueError, match=r"^not these$"):
            model(Own(), last(1)).fit(X, y)


def test_a_model_that_is_its_input_or_has_a_call_of_its_own():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs * 2

    start = keras.Input((4,), name="start")
    for made, name in ((keras.Model(start, start), "'start'"), (Own(name="own"), "'own' (Own)")):
        made.compile("sgd", "mse")
        assert made.evaluate(X, X, verbose=0) >= 0
        with pytest.raises(ValueError, match=re.escape(f"`y` has 3 columns and layer {name}")):
            made.evaluate(X, X[:, :3])


def test_classes_along_another_axis_than_the_last():
    made = keras.Sequential([keras.Input((3, 1)), Dense(1, activation="sigmoid")])
    made.compile("sgd", losses.CategoricalCrossentropy(axis=1))
    assert made.train_on_batch(wave(12, 3, 1), np.eye(3)[LABELS][..., None]) > 0
    with pytest.raises(ValueError, match="must have the shape of the predictions"):
        made.train_on_batch(wave(12, 3, 1), np.eye(3)[LABELS][:, :2, None])


def test_validation_data_are_looked_at_too():
    made = model("binary_crossentropy", last(1, "sigmoid"))
    with pytest.raises(ValueError, match=r"`validation_data`: `y`: `loss`, binary_crossentropy, compares with prob"):
        made.fit(X, BINARY, validation_data=(X, BINARY + 1))


def test_every_fit_looks_at_its_data_and_batches_are_looked_at_once():
    made = model("binary_crossentropy", last(1, "sigmoid"))
    made.fit(X, BINARY, verbose=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        made.fit(X, BINARY + 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        made.fit(iter([(X, BINARY + 1)]))
    made = model("binary_crossentropy", last(1, "sigmoid"))
    made.train_on_batch(X, BINARY)
    made.train_on_batch(X, BINARY + 1)
    assert made.optimizer.iterations == 2


# --- shapes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "expected", "cure"),
    [
        (
            lambda: [LSTM(3, input_shape=(5, 2), name="before"), LSTM(3)],
            STEPS,
            "The layer before it, 'before' (LSTM), gives its last step alone: set return_sequences=True there.",
        ),
        (
            lambda: [Bidirectional(GRU(3), input_shape=(5, 2), name="before"), TimeDistributed(Dense(3))],
            "(batch, steps, ...)",
            "The layer before it, 'before' (Bidirectional), gives its last step alone: set "
            "return_sequences=True there.",
        ),
        (
            lambda: [Embedding(5, 3, input_length=4), Flatten(name="before"), LSTM(3)],
            STEPS,
            "The layer before it, 'before' (Flatten), leaves no steps: take it away.",
        ),
        (
            lambda: [Embedding(5, 3, input_length=4), GlobalMaxPooling1D(name="before"), Conv1D(3, 2)],
            "(batch, steps, channels)",
            "The layer before it, 'before' (GlobalMaxPooling1D), leaves no steps: take it away.",
        ),
        (
            lambda: [GRU(3, input_shape=(5,))],
            STEPS,
            "Ids of words need an Embedding before it; numbers an axis of features, x[..., None].",
        ),
        (
            lambda: [Conv2D(3, 3, input_shape=(28, 28))],
            "(batch, rows, columns, channels)",
            "Images need an axis of channels: x[..., None], and input_shape=(28, 28, 1).",
        ),
    ],
)
def test_a_layer_that_does_not_go_after_another(layers, expected, cure):
    with pytest.raises(ValueError, match=re.escape(f"expected an input of shape {expected}")) as caught:
        keras.Sequential(layers())
    assert re.search(re.escape(cure) + r" Received: shape \(None, [\d, ]+\)$", str(caught.value))


def test_a_layer_that_only_refuses_says_so_without_a_cure():
    with pytest.raises(ValueError, match=r"shape \(batch, steps, features\)\. Received: shape \(None, 3\)$"):
        keras.Sequential([Dense(3, input_dim=2), Dropout(0.5), LSTM(2)])


@pytest.mark.parametrize(
    ("first", "x", "cure"),
    [
        (
            lambda: Dense(3, input_dim=12),
            wave(7, 3, 4),
            "Flatten the samples, x.reshape(len(x), 12), or begin with Flatten(input_shape=(3, 4)). Received",
        ),
        (
            lambda: Conv2D(2, 2, input_shape=(3, 4, 1)),
            wave(7, 12),
            "The samples have as many numbers: x.reshape(-1, 3, 4, 1). Received: shape (7, 12)",
        ),
        (lambda: Dense(3, input_dim=12), wave(7, 11), "expects an input of shape (None, 12). Received: shape (7, 11)"),
    ],
)
def test_data_of_another_shape(first, x, cure):
    made = keras.Sequential([first(), Flatten(), Dense(1)])
    made.compile("sgd", "mse")
    for call in (lambda: made.fit(x, np.zeros(7)), lambda: made.predict(x)):
        with pytest.raises(ValueError, match=re.escape(cure)):
            call()
