"""Dropout of SimpleRNN, LSTM and GRU against TensorFlow's Keras, all of them given the same masks."""

import importlib

import numpy as np
import pytest
from live import keras_module, needs_tensorflow
from model_data import features, padded, random_weights

import fastkeras
from fastkeras.layers import recurrent

B, T, D, U = 19, 5, 3, 4
KINDS = {
    "SimpleRNN": ("SimpleRNN", {}),
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
    "GRU, reset before": ("GRU", {"reset_after": False}),
    "GRU without bias": ("GRU", {"use_bias": False}),
}
PAIRS = [(kind, peer, {}) for kind in KINDS for peer in ("keras", "tf_keras")]  # tf_keras's implementation is 2
PAIRS += [(kind, "tf_keras", {"implementation": 1}) for kind in KINDS if kind != "SimpleRNN"]


def drawn(rate, features, seed):
    """A mask (B, features): zero with the probability `rate`, else 1 / (1 - rate)."""
    kept = np.random.RandomState(seed).uniform(size=(B, features)) >= rate
    return (kept / (1 - rate)).astype("f")


@pytest.fixture
def same_masks(monkeypatch):
    """Every library's draw of a mask, replaced: it gives the one for the rate and the width that are asked for."""

    def mask(rate, width):
        return drawn(rate, width, seed=width)

    def ours(run, name, shape, rate, seeds):
        return mask(rate, shape[-1])

    def in_keras(cell, step_input, rate):
        m, count = mask(rate, step_input.shape[-1]), getattr(cell, "dropout_mask_count", None)
        return m if count is None else [m] * count

    def in_tf_keras(generator, ones, rate, training=None, count=1):
        m = mask(rate, ones.shape[-1]) if training else np.ones((B, ones.shape[-1]), "f")
        m = m[:, None] if len(ones.shape) == 3 else m  # LSTM and GRU multiply a whole sequence
        return [m] * count if count > 1 else m

    def replace(peer):
        monkeypatch.setattr(recurrent, "dropout_mask", ours)
        if peer == "keras":
            module = importlib.import_module("keras.src.layers.rnn.dropout_rnn_cell")
            monkeypatch.setattr(module.DropoutRNNCell, "_create_dropout_mask", in_keras)
        else:
            module = importlib.import_module("tf_keras.src.layers.rnn.dropout_rnn_cell_mixin")
            monkeypatch.setattr(module, "_generate_dropout_mask", in_tf_keras)

    return replace


def results(keras, kind, padding, options):
    """The outputs, with dropout and without, and the weights after a step of SGD from the same ones."""
    name, own = KINDS[kind]
    L, x = keras.layers, features(B, T * D).reshape(B, T, D)
    if padding:
        x[padded(B, T, 9, padding) == 0] = 0.0
    model = keras.Sequential([keras.Input((T, D)), L.Masking(0.0), getattr(L, name)(U, **own, **options)])
    random_weights(model, 3)
    kept, dropped = np.asarray(model(x, training=False)), np.asarray(model(x, training=True))
    assert np.abs(kept - dropped).max() > 0.05  # there is something to compare
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.train_on_batch(x, np.random.RandomState(1).normal(size=kept.shape).astype("f"))
    return [kept, dropped, *model.get_weights()]


@needs_tensorflow
@pytest.mark.parametrize(("kind", "peer", "own"), PAIRS, ids=str)
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.3), (0.4, 0.3)], ids=str)
@pytest.mark.parametrize(
    ("padding", "options"),
    [
        (None, {"return_sequences": True}),
        ("middle", {"return_sequences": True}),
        ("middle", {"go_backwards": True}),
    ],
    ids=["all steps", "masked steps", "masked, last of them, backwards"],
)
def test_the_same_masks_drop_the_same(same_masks, kind, peer, own, rates, padding, options):
    theirs = keras_module(peer)
    same_masks(peer)
    options = {**options, "dropout": rates[0], "recurrent_dropout": rates[1]}
    expected = results(theirs, kind, padding, {**options, **own})
    for found, wanted in zip(results(fastkeras, kind, padding, options), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6)
