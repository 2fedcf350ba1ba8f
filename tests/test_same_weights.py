"""Rows of a table are projected once in all batches of predict and evaluate, for as long as nothing can change the
weights; what comes out has the same bits."""

import numpy as np
import pytest
from checks import same_bits_for_any_threads

import fastkeras
from fastkeras.callbacks import Callback
from fastkeras.core import rows
from fastkeras.layers import GRU, LSTM, Bidirectional, Dense, Embedding, RepeatVector, SimpleRNN, TimeDistributed
from fastkeras.layers.recurrent import Recurrent

V, D, T, N, BATCH = 31, 3, 11, 29, 5
STEPS = -(-N // BATCH)


@pytest.fixture(autouse=True)
def keep_rows_of_small_layers(monkeypatch):
    monkeypatch.setattr(rows, "_LEAST_PRODUCTS", 1)


@pytest.fixture
def projected(monkeypatch):
    """The number of rows of each projection."""
    counts, project = [], Recurrent._project

    def count(self, P, values):
        counts.append(len(values))
        project(self, P, values)

    monkeypatch.setattr(Recurrent, "_project", count)
    return counts


def ids(seed=0):
    return np.random.default_rng(seed).integers(0, V, (N, T)).astype(np.int32)


def model_of(*layers, **embedding):
    model = fastkeras.Sequential([Embedding(V, D, **embedding), *layers, Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    model.build((None, T))
    for w in model.weights:
        w.assign(np.random.default_rng(w.value.size).normal(size=w.shape))
    return model


def one_by_one(model, x):
    """What predict gives, batch after batch, where each knows nothing of the others."""
    return np.concatenate([model.predict_on_batch(x[i : i + BATCH]) for i in range(0, len(x), BATCH)])


@pytest.mark.parametrize(
    "layer",
    [
        lambda: SimpleRNN(7),
        lambda: LSTM(7, go_backwards=True),
        lambda: GRU(7, reset_after=False, return_sequences=True),
        lambda: Bidirectional(LSTM(5)),
        lambda: LSTM(7, dropout=0.5, recurrent_dropout=0.5),
    ],
)
@pytest.mark.parametrize("mask_zero", [False, True])
def test_predictions_have_the_bits_of_batches_apart(layer, mask_zero, projected):
    model, x = model_of(layer(), mask_zero=mask_zero), ids()
    expected = one_by_one(model, x)
    projected.clear()
    np.testing.assert_array_equal(same_bits_for_any_threads(lambda: model.predict(x, batch_size=BATCH)), expected)
    directions = 2 if isinstance(model.layers[1], Bidirectional) else 1
    assert sum(projected) == 3 * directions * len(np.unique(x))  # with 1, 2 and 3 threads


def test_each_row_is_projected_once_in_a_call(projected):
    model, x = model_of(LSTM(7)), ids()
    model.predict(x, batch_size=BATCH)
    assert sum(projected) == len(np.unique(x))
    assert projected[0] == len(np.unique(x[:BATCH]))
    projected.clear()
    model.evaluate(x, np.ones((N, 2)), batch_size=BATCH, verbose=0)  # which knows nothing of the call before
    assert sum(projected) == len(np.unique(x))


@pytest.mark.parametrize("change", ["assign", "set_weights", "fit"])
def test_a_later_call_sees_new_weights(change):
    model, x = model_of(LSTM(7)), ids()
    before = model.predict(x, batch_size=BATCH)
    if change == "fit":
        model.fit(x, np.ones((N, 2)), verbose=0)
    elif change == "assign":
        model.layers[0].embeddings.assign(np.ones((V, D)))
    else:
        model.set_weights([w + 0.5 for w in model.get_weights()])
    after = model.predict(x, batch_size=BATCH)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_array_equal(after, one_by_one(model, x))


def test_a_pass_that_was_lent_for_many_batches_serves_single_ones_after_it():
    model, x = model_of(LSTM(7)), ids()
    model.predict(x, batch_size=BATCH)
    model.layers[1].kernel.assign(np.ones(model.layers[1].kernel.shape))
    alone = fastkeras.models.clone_model(model)
    alone.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict_on_batch(x), alone.predict_on_batch(x))
    np.testing.assert_array_equal(model.predict(x, batch_size=N), alone.predict_on_batch(x))  # one batch


class Doubler(Callback):
    """Doubles a model's first weight at each end of a batch."""

    def on_predict_batch_end(self, batch, logs=None):
        weight = self.model.layers[0].embeddings
        weight.assign(2 * weight.value)

    on_test_batch_end = on_predict_batch_end


def test_weights_that_change_between_batches_are_seen(projected):
    model, x = model_of(LSTM(7)), ids()
    first = model.get_weights()
    expected = []
    for i in range(0, N, BATCH):
        model.set_weights([2.0 ** (i // BATCH) * first[0], *first[1:]])
        expected.append(model.predict_on_batch(x[i : i + BATCH]))
    model.set_weights(first)
    given = model.predict(x, batch_size=BATCH, callbacks=[Doubler()])
    np.testing.assert_array_equal(given, np.concatenate(expected))

    def batches():
        for i in range(0, N, BATCH):
            model.set_weights([2.0 ** (i // BATCH) * first[0], *first[1:]])
            yield x[i : i + BATCH]

    np.testing.assert_array_equal(model.predict(batches()), np.concatenate(expected))
    projected.clear()
    model.evaluate(x, np.ones((N, 2)), batch_size=BATCH, callbacks=[Doubler()], verbose=0)
    assert len(projected) == STEPS
    assert sum(projected) > V


def test_validation_sees_the_weights_of_each_epoch():
    x, y = ids(), np.ones((N, 2), np.float32)
    model, alone = model_of(GRU(7)), model_of(GRU(7))
    history = model.fit(x, y, epochs=3, validation_data=(x, y), validation_batch_size=BATCH, shuffle=False, verbose=0)
    for value in history.history["val_loss"]:
        alone.fit(x, y, shuffle=False, verbose=0)
        losses = [alone.test_on_batch(x[i : i + BATCH], y[i : i + BATCH])[0] for i in range(0, N, BATCH)]
        sizes = [len(x[i : i + BATCH]) for i in range(0, N, BATCH)]
        assert value == pytest.approx(np.average(losses, weights=sizes), rel=1e-6)


@pytest.mark.parametrize(("limit", "value"), [("_MOST_KEPT", V * 28 - 1), ("_LEAST_PRODUCTS", 28 * D + 1)])
def test_rows_that_are_too_many_or_too_cheap_are_not_kept(limit, value, monkeypatch, projected):
    model, x = model_of(LSTM(7)), ids()
    monkeypatch.setattr(rows, limit, value)
    expected = one_by_one(model, x)
    projected.clear()
    np.testing.assert_array_equal(model.predict(x, batch_size=BATCH), expected)
    assert len(projected) == STEPS


def test_few_ids_of_a_large_table_are_not_kept(projected):
    model = fastkeras.Sequential([Embedding(STEPS * BATCH * T // 8 + 1, D), LSTM(7)])
    model.predict(ids(), batch_size=BATCH)
    assert len(projected) == STEPS


def test_rows_that_another_layer_has_made_are_projected_in_each_batch(projected):
    x = ids()
    inner = fastkeras.Sequential([Embedding(V, D), LSTM(7)])
    outer = fastkeras.Sequential([inner, RepeatVector(2), GRU(5)])
    outer.build((None, T))
    for model, layers in (model_of(TimeDistributed(Dense(3)), LSTM(7)), 1), (outer, 2):
        expected = one_by_one(model, x)
        projected.clear()
        np.testing.assert_array_equal(model.predict(x, batch_size=BATCH), expected)
        assert len(projected) == layers * STEPS
