"""training and mask in calls on symbolic tensors: in graphs, in training, in copies and in files.

Keras 2 keeps to them in fit and predict; so does Keras 3 in model(x), while its fit and predict of 3.15 tell all layers
what the model does.
"""

import copy
import pickle

import numpy as np
import pytest
from checks import assert_close as checked_close
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import Input, Model, Sequential, layers
from fastkeras.models import clone_model, load_model

X = np.random.default_rng(5).standard_normal((3, 4, 2)).astype("f")
KEPT = np.array([[1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 1]], bool)


def assert_close(found, wanted):
    checked_close(np.asarray(found), np.asarray(wanted), 1e-5)


def from_file(ending):
    def through(model, tmp_path):
        model.save(tmp_path / f"model{ending}")
        return load_model(tmp_path / f"model{ending}", compile=False)

    return through


COPIES = {
    "itself": lambda model, _: model,
    "from_config": lambda model, _: Model.from_config(model.get_config()),
    "clone": lambda model, _: clone_model(model),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "json": lambda model, _: fastkeras.models.model_from_json(model.to_json()),
    "keras": from_file(".keras"),
    "h5": from_file(".h5"),
}
each_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


def inner(start):
    return Model(start, layers.Dropout(0.5)(start))


SITES = {
    "layer": lambda x, training: layers.Dropout(0.5)(x, training=training),
    "second argument": lambda x, training: layers.Dropout(0.5)(x, training),
    "model": lambda x, training: inner(Input(x.shape[1:]))(x, training=training),
    "chain": lambda x, training: Sequential([Input(x.shape[1:]), layers.Dropout(0.5)])(x, training=training),
}


@each_copy
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_a_layer_trains_as_its_call_says(site, copied, tmp_path):
    x = np.ones((8, 16), "f")
    for told in (True, False):
        start = Input((16,))
        model = copied(Model(start, site(start, told)), tmp_path)
        model.compile("sgd", "mse")
        assert (model.predict(x, verbose=0) == 0).any() == told
        assert (np.asarray(model(x, training=True)) == 0).any() == told
        assert (model.evaluate(x, x, verbose=0) > 0) == told
        assert (model.train_on_batch(x, x) > 0) == told


def test_the_call_nearest_to_the_layer_counts():
    start, outer = Input((16,)), Input((16,))
    dropped = Model(start, layers.Dropout(0.5)(start, training=True))
    model = Model(outer, dropped(outer, training=False))
    assert (model.predict(np.ones((8, 16)), verbose=0) == 0).any()


def test_batch_normalization_keeps_its_moments():
    start = Input((2,))
    normalization = layers.BatchNormalization()
    model = Model(start, layers.Dense(1)(normalization(start, training=False)))
    model.compile("sgd", "mse")
    gamma = normalization.gamma.numpy()
    model.fit(X[:, 0], X[:, 1, :1], verbose=0)
    assert_close(normalization.moving_mean.numpy(), np.zeros(2))
    assert np.abs(normalization.gamma.numpy() - gamma).max() > 0


class Telling(layers.Layer):
    def call(self, inputs, training=None, mask=None, scale=1.0):
        y = inputs * scale if training else inputs * 0.0
        return y if mask is None else fastkeras.ops.where(mask[..., None], y, -1.0)


class Deaf(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0


@each_copy
def test_layers_of_the_users_own(copied, tmp_path):
    start, kept = Input((4, 2)), Input((4,))
    with fastkeras.utils.custom_object_scope({"Telling": Telling, "Deaf": Deaf}):
        model = Model(start, Telling()(Deaf()(start, training=True), training=True, scale=3.0))
        assert_close(copied(model, tmp_path).predict(X, verbose=0), 6 * X)
    masked = Model([start, kept], Telling()(start, training=True, mask=kept))
    assert_close(masked.predict([X, KEPT], verbose=0), np.where(KEPT[..., None], X, -1))


@pytest.mark.parametrize("training", ["yes", None], ids=str)
def test_training_is_true_or_false(training):
    start = Input((4, 2))
    given = start if training is None else training
    with pytest.raises(ValueError, match=r"'rest'.*`training` must be True, False or None. Received: .*(yes|Symbolic)"):
        layers.Dropout(0.5, name="rest")(start, training=given)


@pytest.mark.parametrize("mask", [KEPT, [None, None]], ids=["array", "too many"])
def test_masks_are_symbolic_too(mask):
    with pytest.raises(ValueError, match=r"'read'.*`mask` must be a symbolic tensor.*1 inputs. Received: "):
        layers.LSTM(2, name="read")(Input((4, 2)), mask=mask)


# --- masks -----------------------------------------------------------------------------------------------------------


MASKED = {
    "LSTM": lambda: layers.LSTM(2),
    "GRU": lambda: layers.GRU(2, return_sequences=True),
    "SimpleRNN": lambda: layers.SimpleRNN(2, return_state=True),
    "RNN": lambda: layers.RNN(layers.LSTMCell(2)),
    "Bidirectional": lambda: layers.Bidirectional(layers.GRU(2)),
    "GlobalAveragePooling1D": lambda: layers.GlobalAveragePooling1D(),
    "Softmax": lambda: layers.Softmax(axis=1),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(2)),
    "BatchNormalization": lambda: layers.BatchNormalization(),
}


def of_call(layer, **given):
    found = layer(X, **given)
    return [np.asarray(part) for part in (found if isinstance(found, list) else [found])]


@each_copy
@pytest.mark.parametrize("make", MASKED.values(), ids=MASKED)
def test_masks_in_a_graph_are_those_of_a_call_on_data(make, copied, tmp_path):
    start, kept, layer = Input((4, 2)), Input((4,), dtype="bool"), make()
    model = Model([start, kept], layer(start, mask=kept))
    again = copied(model, tmp_path)
    again.set_weights(model.get_weights())
    found = again.predict([X, KEPT], verbose=0)
    for part, wanted in zip(found if isinstance(found, list) else [found], of_call(layer, mask=KEPT), strict=True):
        assert_close(part, wanted)


def test_a_mask_is_that_of_the_output_too():
    start, kept = Input((4, 2)), Input((4,))
    model = Model([start, kept], layers.GlobalAveragePooling1D()(layers.Dropout(0.1)(start, mask=kept)))
    wanted = (X * KEPT[..., None]).sum(1) / KEPT.sum(1, keepdims=True)
    assert_close(model.predict([X, KEPT], verbose=0), wanted)
    outer = [Input((4, 2)), Input((4,))]
    inside = Model([start, kept], layers.Dropout(0.1)(start, mask=kept))
    model = Model(outer, layers.GlobalAveragePooling1D()(inside(outer)))
    assert_close(model.predict([X, KEPT], verbose=0), wanted)


def test_masks_of_several_inputs_and_of_models():
    start, kept = Input((4, 2)), Input((4,))
    added = layers.GlobalAveragePooling1D()(layers.Add()([start, start], mask=[kept, kept]))
    wanted = 2 * (X * KEPT[..., None]).sum(1) / KEPT.sum(1, keepdims=True)
    assert_close(Model([start, kept], added).predict([X, KEPT], verbose=0), wanted)
    inside = Input((4, 2))
    pooled = Model(inside, layers.GlobalAveragePooling1D()(inside))(start, mask=kept)
    assert_close(Model([start, kept], pooled).predict([X, KEPT], verbose=0), wanted / 2)


@each_copy
def test_masks_beside_initial_states(copied, tmp_path):
    start, state, kept = Input((4, 2)), Input((2,)), Input((4,))
    layer = layers.GRU(2)
    model = Model([start, state, kept], layer(start, initial_state=state, mask=kept, training=True))
    again = copied(model, tmp_path)
    again.set_weights(model.get_weights())
    h = X[:, 0]
    wanted = np.asarray(layer(X, initial_state=h, mask=KEPT))
    assert_close(again.predict([X, h, KEPT], verbose=0), wanted)


def test_training_leads_back_through_masked_layers():
    start, kept = Input((4, 2)), Input((4,))
    dense, lstm = layers.Dense(2), layers.LSTM(2)
    model = Model([start, kept], lstm(dense(start), mask=kept))
    weights = model.get_weights()
    model.compile(fastkeras.optimizers.SGD(0.1), "mse")
    model.train_on_batch([X, KEPT], X[:, 0])
    found = model.get_weights()
    model.set_weights(weights)
    with fastkeras.GradientTape() as tape:
        loss = fastkeras.ops.mean((lstm(dense(X), mask=KEPT) - X[:, 0]) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    for after, before, gradient in zip(found, weights, gradients, strict=True):
        assert_close(after, before - 0.1 * np.asarray(gradient))


def test_masks_that_layers_compute_for_symbolic_tensors():
    ids, start = Input((4,), dtype="int32"), Input((4, 2))
    embedding, masking = layers.Embedding(5, 2, mask_zero=True), layers.Masking()
    x = np.where(KEPT, 3, 0)
    for tensor, mask, data in (
        (embedding(ids), embedding.compute_mask(ids), [x]),
        (start * 1.0, masking.compute_mask(start), [X * KEPT[..., None]]),
    ):
        model = Model(ids if len(data[0].shape) == 2 else start, layers.Softmax(axis=1)(tensor, mask=mask))
        assert_close(model.predict(data[0], verbose=0) == 0, np.repeat(~KEPT[..., None], 2, axis=2))


# --- against Keras ---------------------------------------------------------------------------------------------------


@needs_tensorflow
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("peer", ["keras", "tf_keras"])
def test_training_of_keras(peer, told):
    keras, x, zeros = keras_module(peer), np.ones((8, 16), "f"), []
    for library in (keras, fastkeras):
        start, inside = library.Input((16,)), library.Input((16,))
        base = library.Model(inside, library.layers.Dropout(0.5)(inside))
        model = library.Model(start, base(start, training=told))
        found = [model(x)] + ([model.predict(x, verbose=0), model(x, training=True)] if peer == "tf_keras" else [])
        zeros.append([bool((np.asarray(y) == 0).any()) for y in found])
    assert zeros[0] == zeros[1]
    assert zeros[0][0] == told


@needs_tensorflow
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", [name for name in MASKED if name != "Softmax"])  # Keras's wants the shape of x
def test_files_of_masked_layers_both_ways(name, ending, tmp_path):
    keras = keras_module()
    ours = MASKED[name]()
    start, kept = Input((4, 2)), Input((4,), dtype="bool")
    model = Model([start, kept], ours(start, mask=kept))
    model.save(tmp_path / f"ours{ending}")
    theirs = keras.models.load_model(tmp_path / f"ours{ending}", compile=False)
    wanted = theirs([X, KEPT])
    wanted = [np.asarray(part) for part in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
    theirs.save(tmp_path / f"theirs{ending}")
    for again in (model, load_model(tmp_path / f"theirs{ending}", compile=False)):
        found = again.predict([X, KEPT], verbose=0)
        for part, expected in zip(found if isinstance(found, list) else [found], wanted, strict=True):
            assert_close(part, expected)


@needs_tensorflow
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_files_of_keras_3_say_false_where_no_call_did(ending, tmp_path):
    keras = keras_module()
    start = keras.Input((4, 2))
    masked = keras.layers.LSTM(2, return_sequences=True)(keras.layers.Masking()(start))
    keras.Model(start, keras.layers.Dropout(0.5)(masked)).save(tmp_path / f"plain{ending}")
    model = load_model(tmp_path / f"plain{ending}", compile=False)
    assert (np.asarray(model(X, training=True)) == 0).any()
    assert all(site.keywords == {} for site in model.graph.sites)


@needs_tensorflow
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("told", [True, False])
def test_training_in_files_both_ways(told, ending, tmp_path):
    keras, x = keras_module(), np.ones((8, 16), "f")
    start = Input((16,))
    Model(start, inner(Input((16,)))(start, training=told)).save(tmp_path / f"ours{ending}")
    theirs = keras.models.load_model(tmp_path / f"ours{ending}", compile=False)
    assert (np.asarray(theirs(x)) == 0).any() == told
    theirs.save(tmp_path / f"theirs{ending}")
    model = load_model(tmp_path / f"theirs{ending}", compile=False)
    assert (model.predict(x, verbose=0) == 0).any() == told
    assert (np.asarray(model(x, training=True)) == 0).any() == told
