"""Bidirectional and TimeDistributed in models, in files, and what they refuse."""

import copy
import json

import numpy as np
import pytest
from checks import random
from wrapped import RNG

import fastkeras as keras
from fastkeras.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    SimpleRNN,
    TimeDistributed,
)


def tagger():
    return keras.Sequential(
        [
            Embedding(11, 4, mask_zero=True, input_length=6),
            Bidirectional(LSTM(3, return_sequences=True, dropout=0.2, recurrent_dropout=0.1)),
            Bidirectional(GRU(2, return_sequences=True), merge_mode="sum", name="second"),
            TimeDistributed(Dense(3, activation="softmax")),
        ]
    )


def test_a_tagger_learns():
    keras.utils.set_random_seed(3)
    ids = RNG.integers(1, 11, (60, 6))
    ids[np.arange(6) > RNG.integers(1, 7, 60)[:, None]] = 0
    model = tagger()
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["acc"])
    history = model.fit(ids, ids % 3, epochs=30, verbose=0).history
    assert history["acc"][-1] > 0.9 > 0.6 > history["acc"][0]
    assert model.evaluate(ids, ids % 3, verbose=0)[1] > 0.95


def test_training_changes_only_what_is_trainable():
    model = tagger()
    model.layers[1].forward_layer.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    ids = RNG.integers(1, 11, (7, 6))
    model.fit(ids, ids % 3, verbose=0)
    changed = [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [True] + [False] * 3 + [True] * 3 + [True] * 8
    assert len(model.layers[1].trainable_weights) == 3


def test_configurations_make_equal_layers():
    for layer in (
        Bidirectional(LSTM(3, return_sequences=True, recurrent_dropout=0.1), merge_mode="ave", name="both"),
        Bidirectional(SimpleRNN(2, return_state=True, stateful=True), merge_mode=None),
        TimeDistributed(Dense(3, activation="relu", name="tags"), name="each"),
        TimeDistributed(keras.Sequential([Dense(3, input_shape=(2,))])),
        TimeDistributed(Bidirectional(GRU(2))),
    ):
        config = json.loads(json.dumps(layer.get_config()))
        again = type(layer).from_config(config)
        assert again.get_config() == layer.get_config()
        assert again.name == layer.name
    assert config["layer"]["config"]["layer"]["config"]["name"].startswith("gru")


def test_models_can_be_copied_and_saved(tmp_path):
    model = tagger()
    ids = RNG.integers(0, 11, (5, 6))
    expected = model.predict(ids, verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.save(tmp_path / "tagger.h5")
    model.save_weights(tmp_path / "tagger.weights.h5")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "tagger.h5").predict(ids, verbose=0), expected)
    other = tagger()
    other.load_weights(tmp_path / "tagger.weights.h5")
    np.testing.assert_array_equal(other.predict(ids, verbose=0), expected)
    np.testing.assert_array_equal(copy.deepcopy(model).predict(ids, verbose=0), expected)


def test_called_on_symbols_and_on_data():
    x = keras.Input((5, 2))
    y, h, c, back_h, back_c = Bidirectional(LSTM(3, return_state=True))(x)
    assert y.shape == (None, 6) and [s.shape for s in (h, c, back_h, back_c)] == [(None, 3)] * 4
    decoded = Bidirectional(LSTM(3, return_sequences=True))(x, initial_state=[h, c, back_h, back_c])
    model = keras.Model(x, TimeDistributed(Dense(2))(decoded))
    data = random(4, 5, 2)
    assert model.predict(data, verbose=0).shape == (4, 5, 2)
    assert Bidirectional(GRU(3))(data, initial_state=[random(4, 3), random(4, 3)]).shape == (4, 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TimeDistributed(3), "TimeDistributed: `layer` must be a layer. Received: layer=3"),
        (lambda: TimeDistributed(Dense(2))(keras.Input((3,))), r"expected an input of shape \(batch, steps, \.\.\.\)"),
        (lambda: TimeDistributed(LSTM(2, return_state=True))(keras.Input((3, 4, 5))), "must have one output"),
        (lambda: TimeDistributed(LSTM(2))(keras.Input((3, 4))), r"\(LSTM\): expected an input of shape"),
        (lambda: Bidirectional("lstm"), "Bidirectional: `layer` must be a layer"),
        (lambda: Bidirectional(Dense(2)), "must be a recurrent layer, with `go_backwards`"),
        (lambda: Bidirectional(LSTM(2), merge_mode="add"), "`merge_mode` must be one of .*'add'"),
        (lambda: Bidirectional(LSTM(2), backward_layer=3), "`backward_layer` must be a layer"),
        (lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2)), "must differ in `go_backwards`"),
        (
            lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2, go_backwards=True, return_sequences=True)),
            "the same `return_sequences`",
        ),
        (
            lambda: Bidirectional(LSTM(2), "sum", backward_layer=LSTM(3, go_backwards=True))(keras.Input((3, 4))),
            "needs outputs of one shape",
        ),
        (
            lambda: Bidirectional(GRU(2))(keras.Input((3, 4)), initial_state=keras.Input((2,))),
            "as many initial states for the forward layer",
        ),
        (lambda: Bidirectional(LSTM(2))(keras.Input((3,))), r"\(LSTM\): expected an input of shape"),
    ],
)
def test_errors_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()
