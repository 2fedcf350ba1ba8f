"""CRF and CRFModel: the loss and its gradients through models, decoding, masks, files, and what is refused."""

import copy
import pickle

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference

import fastkeras as keras
from fastkeras.layers import CRF, LSTM, Bidirectional, Dense, Embedding, Input
from fastkeras.models import CRFModel, Model, Sequential

RNG = np.random.default_rng(24)
B, T, D, C = 5, 4, 3, 2


def random_weights(model):
    model.set_weights([RNG.normal(scale=0.7, size=w.shape).astype("f") for w in model.get_weights()])
    return model


def tagger(V=7, **options):
    crf = CRF(C, **options)
    model = Sequential([Embedding(V, D, mask_zero=True, input_length=T), crf])
    model.compile(keras.optimizers.SGD(1.0), loss=crf.loss, metrics=["accuracy"])
    return random_weights(model)


def sentences(V=7):
    """Ids with padding in front, behind and between, one sample of nothing else; tags, whatever they are at padding."""
    x, y = RNG.integers(1, V, (B, T)), RNG.integers(0, C, (B, T))
    x[0, :2] = x[1, 3:] = x[2, 1] = x[3] = 0
    y[x == 0] = 1
    return x, y


def loss_of(x, y, weights=None):
    """The model's loss by the reference: a function of its weights"""
    w = np.ones(B) if weights is None else weights

    def function(embeddings, kernel, bias, *others):
        A, start, end = others if len(others) == 3 else (*others, np.zeros(C), np.zeros(C))
        scores = embeddings[x] @ kernel + bias
        losses = [reference.crf_loss(y[b][x[b] > 0], scores[b][x[b] > 0], A, start, end) for b in range(B)]
        return np.float64(w @ losses / B)

    return function


@pytest.mark.parametrize("boundary", [True, False])
@pytest.mark.parametrize("one_hot", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_step_goes_down_the_gradient_of_every_weight(boundary, one_hot, weighted):
    model, (x, y) = tagger(use_boundary=boundary), sentences()
    weights = RNG.uniform(0.5, 2.0, B) if weighted else None
    function, before = loss_of(x, y, weights), [w.astype(np.float64) for w in model.get_weights()]
    given = np.eye(C, dtype="f")[y] if one_hot else y
    loss, accuracy = model.evaluate(x, given, sample_weight=weights, verbose=0)
    assert_close(loss, function(*before), 1e-5)
    found = model.train_on_batch(x, given, sample_weight=weights)
    assert_close(found, [loss, accuracy], 1e-6)
    for i, (old, new) in enumerate(zip(before, model.get_weights(), strict=True)):
        slope = central_difference(lambda v, i=i: function(*before[:i], v, *before[i + 1 :]), old, 1.0)
        np.testing.assert_allclose(old - new, slope, atol=2e-5, err_msg=f"weight {i}")


def test_predictions_are_the_best_tags():
    model, (x, y) = tagger(), sentences()
    embeddings, kernel, bias, *transitions = model.get_weights()
    found = model.predict(x, verbose=0)
    assert found.shape == (B, T, C) and set(np.unique(found)) == {0.0, 1.0}
    for b in range(B):
        steps = x[b] > 0
        best = reference.crf_best(embeddings[x[b][steps]] @ kernel + bias, *transitions)
        np.testing.assert_array_equal(found[b].argmax(-1)[steps], best)
        np.testing.assert_array_equal(found[b][~steps], np.tile([1.0, 0.0], ((~steps).sum(), 1)))
    right = (found.argmax(-1) == y)[x > 0]
    assert_close(model.evaluate(x, y, verbose=0)[1], right.mean(), 1e-6)
    model.compile("sgd", loss="crf", metrics=["accuracy"])
    with_one_hot = model.evaluate(x, np.eye(C, dtype="f")[y], verbose=0)
    assert_close(with_one_hot[1], right.mean(), 1e-6)


def test_without_kernel_the_input_are_the_scores():
    layer = CRF(3, use_kernel=False, use_boundary=False, chain_initializer="zeros")
    x = RNG.normal(size=(2, 5, 3)).astype("f")
    np.testing.assert_array_equal(np.argmax(layer(x), axis=-1), x.argmax(-1))  # no tag depends on another
    assert [v.name for v in layer.variables] == ["chain_kernel"]
    with pytest.raises(ValueError, match=r"shape \(batch, steps, 3\)"):
        layer(x[..., :2])


def chains(n, T, seed):
    """Observations of a hidden chain that stays in its state or goes on to the next: each alone says little."""
    rng = np.random.default_rng(seed)
    y = np.cumsum(rng.random((n, T)) < 0.2, axis=1) % 3
    x = np.where(rng.random((n, T)) < 0.55, y, rng.integers(0, 3, (n, T))) + 1
    return x, y


def test_it_learns_what_single_steps_cannot_tell():
    x, y = chains(600, 20, 0)
    found = {}
    for name in ("crf", "softmax"):
        keras.utils.set_random_seed(3)
        last, loss = (CRF(3), "crf") if name == "crf" else (Dense(3, "softmax"), "sparse_categorical_crossentropy")
        model = Sequential([Embedding(4, 4, input_length=20), last])
        model.compile(keras.optimizers.Adam(0.05), loss, metrics=["acc"])
        history = model.fit(x[:400], y[:400], epochs=6, validation_data=(x[400:], y[400:]), verbose=0).history
        assert sorted(history) == ["acc", "loss", "val_acc", "val_loss"]
        found[name] = history["val_acc"][-1]
    assert found["crf"] > found["softmax"] + 0.05


def crf_model():
    """As the tutorial has it."""
    start = Input(shape=(T,))
    x = Embedding(7, D, mask_zero=True)(start)
    model = CRFModel(Model(start, Bidirectional(LSTM(3, return_sequences=True))(x)), C)
    model.compile(optimizer=keras.optimizers.Adam(0.01), metrics="accuracy")
    return model


def test_the_call_shape_of_keras_crf():
    model, (x, y) = crf_model(), sentences()
    history = model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0).history
    keys = {"loss", "decode_sequence_accuracy"}
    assert set(history) == keys | {f"val_{key}" for key in keys}
    (tags,) = model.predict(x, verbose=0)
    assert tags.shape == (B, T) and not tags[x == 0].any()
    assert_close(model.evaluate(x, y, verbose=0)[1], (tags == y)[x > 0].mean(), 1e-6)


@pytest.mark.parametrize("make", [tagger, crf_model])
@pytest.mark.parametrize("name", ["model.h5", "model.keras", "pickle", "deepcopy"])
def test_files_and_copies(tmp_path, make, name):
    model, (x, y) = make(), sentences()
    model.fit(x, y, verbose=0)
    if name == "pickle":
        again = pickle.loads(pickle.dumps(model))
    elif name == "deepcopy":
        again = copy.deepcopy(model)
    else:
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
    assert type(again) is type(model)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert again.fit(x, y, verbose=0).history == model.fit(x, y, verbose=0).history


def test_as_the_end_of_a_model_in_a_model():
    inner = Sequential([Dense(3, input_shape=(T, D)), CRF(C)])
    start = Input((T, D))
    model = Model(start, inner(start))
    model.compile(keras.optimizers.SGD(0.1), "crf")
    x, y = RNG.normal(size=(B, T, D)).astype("f"), RNG.integers(0, C, (B, T))
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_the_config_makes_an_equal_layer():
    layer = CRF(3, use_boundary=False, use_bias=False, chain_regularizer="l2", kernel_constraint="max_norm")
    assert CRF.from_config(layer.get_config()).get_config() == layer.get_config()


def test_what_makes_no_sense_is_refused():
    model, (x, y) = tagger(), sentences()
    with pytest.raises(ValueError, match=r"tags must lie in \[0, 2\), the units of layer"):
        model.fit(x, y + 1, verbose=0)
    with pytest.raises(ValueError, match="must be integer labels of shape"):
        model.fit(x, y[:, :2], verbose=0)
    with pytest.raises(ValueError, match="one weight per sample"):
        model.fit(x, y, sample_weight=np.ones((B, T)), verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="is trained with its own loss"):
        model.fit(x, y, verbose=0)
    other = Sequential([Dense(C, input_shape=(T, D))])
    other.compile("sgd", "crf")
    with pytest.raises(ValueError, match="the model must end in a CRF layer"):
        other.fit(RNG.normal(size=(B, T, D)), y, verbose=0)
    with pytest.raises(ValueError, match=r"an input of shape \(batch, steps, features\)"):
        CRF(2)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="`units` must be a positive integer"):
        CRF(0)


def test_a_frozen_one_gets_no_gradients_though_another_model_trains_it():
    crf, x, y = CRF(C), RNG.normal(size=(B, T, D)).astype("f"), RNG.integers(0, C, (B, T))
    trained = Sequential([Input((T, D)), crf])
    trained.compile(keras.optimizers.SGD(0.1), "crf")
    crf.trainable = False
    frozen = Sequential([Input((T, D)), Dense(D), crf])
    frozen.compile(keras.optimizers.SGD(0.1), "crf")
    before = crf.get_weights()
    losses = [frozen.train_on_batch(x, y) for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]
    assert all(not v.grad.any() for v in crf.variables)
    for old, new in zip(before, crf.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    trained.train_on_batch(x, y)
    assert all((old != new).any() for old, new in zip(before, crf.get_weights(), strict=True))
