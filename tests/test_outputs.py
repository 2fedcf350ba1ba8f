"""Models of several inputs and outputs in training: what is reported, in which order, and what learns."""

import copy

import numpy as np
import pytest
from live import keras_module, needs_tensorflow, traced
from small_models import sentences, set_waves, wave

import fastkeras

N = 11
LEFT, RIGHT = wave(N, 3), wave(3, N).T
PRICES, KINDS = 3 * wave(N, 1), np.arange(N) * 5 % 7 % 3
PRICE_WEIGHTS, KIND_WEIGHTS = 1.0 + np.arange(N) % 3, 0.5 + np.arange(N) % 2


def two_outputs(keras, form=list):
    """A price from the left input, a kind from the right, and a layer that both go through."""
    layers = keras.layers
    left, right = layers.Input((3,), name="left"), layers.Input((3,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    price = layers.Dense(1, name="price")(shared(left))
    kind = layers.Dense(3, activation="softmax", name="kind")(shared(right))
    outputs = [price, kind] if form is list else {"value": price, "sort": kind}
    return set_waves(keras.Model([left, right], outputs))


def everything(keras):
    """(the history, what evaluate gives, what a batch gives) of a model that is compiled with all there is."""
    model = two_outputs(keras)
    model.compile(
        "sgd",
        ["mse", "sparse_categorical_crossentropy"],
        loss_weights=[0.5, 2.0],
        metrics={"price": ["mae"], "kind": ["acc", "accuracy"]},
        weighted_metrics=[["mae"], None],
    )
    x, y, weights = [LEFT, RIGHT], [PRICES, KINDS], [PRICE_WEIGHTS, KIND_WEIGHTS]
    validation = ((LEFT[:5], RIGHT[:5]), (PRICES[:5], KINDS[:5]), weights[0][:5])
    options = {"batch_size": 4, "verbose": 0}
    history = model.fit(x, y, sample_weight=weights, shuffle=False, epochs=2, validation_data=validation, **options)
    named = {"left": LEFT, "right": RIGHT}, {"price": PRICES, "kind": KINDS}
    return history.history, model.evaluate(x, y, **options), model.train_on_batch(*named, return_dict=True)


# What Keras 3.15 gives there.
HISTORY = {
    "loss": [3.71532, 3.58844],
    "price_loss": [3.37346, 3.12189],
    "kind_loss": [1.02406, 1.02173],
    "kind_acc": [0.27273, 0.27273],
    "kind_accuracy": [0.27273, 0.27273],
    "price_mae": [1.09215, 1.07061],
    "price_weighted_mae": [1.03617, 1.00157],
    "val_loss": [5.49064, 5.37528],
    "val_price_loss": [5.55514, 5.1877],
    "val_kind_loss": [1.98246, 1.9731],
    "val_kind_acc": [0.2, 0.2],
    "val_kind_accuracy": [0.2, 0.2],
    "val_price_mae": [1.14918, 1.13398],
    "val_price_weighted_mae": [1.07343, 1.04783],
}
EVALUATED = [3.04035, 1.74745, 1.0995, 0.27273, 0.27273, 1.06447, 1.06447]
ON_BATCH = {
    "loss": 3.04035,
    "price_loss": 1.68526,
    "kind_loss": 1.09886,
    "kind_acc": 0.27273,
    "kind_accuracy": 0.27273,
    "price_mae": 1.06447,
    "price_weighted_mae": 1.06447,
}


def assert_as_keras(history, evaluated, on_batch):
    assert history.keys() == HISTORY.keys()
    for key, values in HISTORY.items():
        np.testing.assert_allclose(history[key], values, atol=2e-5, err_msg=key)
    np.testing.assert_allclose(evaluated, EVALUATED, atol=2e-5)
    assert on_batch.keys() == ON_BATCH.keys()
    for key, value in ON_BATCH.items():
        assert on_batch[key] == pytest.approx(value, abs=2e-5), key


def test_what_is_reported_is_what_keras_reports():
    history, evaluated, on_batch = everything(fastkeras)
    assert_as_keras(history, evaluated, on_batch)
    assert list(history) == list(HISTORY)
    assert list(on_batch) == list(ON_BATCH)


@needs_tensorflow
def test_keras_reports_it_so():
    keras = keras_module()
    with traced():  # eagerly Keras weighs the losses of the outputs by the sizes of the batches
        assert_as_keras(*everything(keras))


def compiled(form=list, loss=("mse", "sparse_categorical_crossentropy"), **options):
    model = two_outputs(fastkeras, form)
    model.compile("sgd", list(loss) if isinstance(loss, tuple) else loss, **options)
    return model


def test_outputs_in_a_dict_go_by_their_keys():
    listed = compiled(metrics=["mae", "acc"])
    model = compiled(dict, {"value": "mse", "sort": "sparse_categorical_crossentropy"}, metrics={"sort": "acc"})
    assert model.output_names == ["kind", "price"], "the graph has them in the order of the sorted keys"
    x, y = {"left": LEFT, "right": RIGHT}, {"sort": KINDS, "value": PRICES}
    outputs = model.predict(x, batch_size=4)
    assert list(outputs) == ["value", "sort"]
    for given, expected in zip(outputs.values(), listed.predict([LEFT, RIGHT]), strict=True):
        np.testing.assert_array_equal(given, expected)
    assert list(model.predict_on_batch(x)) == ["value", "sort"]
    values = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(values) == model.metrics_names == ["loss", "value_loss", "sort_loss", "sort_acc"]
    assert list(values.values()) == listed.evaluate([LEFT, RIGHT], [PRICES, KINDS], verbose=0)[:4]
    weighted = model.test_on_batch(x, y, sample_weight={"value": PRICE_WEIGHTS})
    assert weighted == listed.test_on_batch([LEFT, RIGHT], [PRICES, KINDS], [PRICE_WEIGHTS, None])[:4]


def test_inputs_in_a_dict_go_by_their_keys():
    a, b = fastkeras.Input((3,), name="first"), fastkeras.Input((2,), name="second")
    dense = fastkeras.layers.Dense
    model = set_waves(fastkeras.Model({"x": a, "f": b}, {"u": dense(1)(a), "v": dense(1)(b)}))
    data = {"x": LEFT, "f": RIGHT[:, :2]}
    expected = model.predict(data)
    np.testing.assert_array_equal(model(data)["v"], expected["v"])
    np.testing.assert_array_equal(model.predict([data["f"], data["x"]])["u"], expected["u"])
    again = fastkeras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(data)["u"], expected["u"])
    whole = model({"x": fastkeras.Input((3,)), "f": fastkeras.Input((2,))})
    assert {key: tensor.shape for key, tensor in whole.items()} == {"u": (None, 1), "v": (None, 1)}


def test_an_output_without_a_loss_is_measured_but_does_not_learn():
    for loss in (("mse", None), {"price": "mse"}):
        model = compiled(loss=loss, metrics=[None, "acc"])
        before = model.get_layer("kind").get_weights()
        history = model.fit([LEFT, RIGHT], [PRICES, KINDS], verbose=0).history
        assert list(history) == ["loss", "kind_acc"]
        np.testing.assert_array_equal(model.get_layer("kind").get_weights()[0], before[0])
        assert not np.array_equal(model.get_layer("price").get_weights()[0], wave(4, 1))


@pytest.mark.parametrize("y", [PRICES, [PRICES], (PRICES,), {"price": PRICES}, [PRICES, None]], ids=range(5))
def test_targets_that_nothing_is_compared_with_may_be_left_out(y):
    model = compiled(loss=("mse", None))
    expected = np.mean((model.predict([LEFT, RIGHT])[0] - PRICES) ** 2)
    assert model.evaluate([LEFT, RIGHT], y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_loss_of_weight_zero_is_reported_but_teaches_nothing():
    model = compiled(loss_weights={"kind": 0.0})
    before = model.get_layer("kind").get_weights()[0]
    values = model.train_on_batch([LEFT, RIGHT], [PRICES, KINDS], return_dict=True)
    assert values["loss"] == pytest.approx(values["price_loss"])
    assert values["kind_loss"] > 1
    np.testing.assert_array_equal(model.get_layer("kind").get_weights()[0], before)


def test_one_loss_and_one_list_of_metrics_stand_for_all_outputs():
    x = fastkeras.Input((3,))
    model = fastkeras.Model(x, [fastkeras.layers.Dense(2, name=name)(x) for name in "ba"])
    mean = fastkeras.metrics.MeanSquaredError(name="squares")
    model.compile("sgd", "mse", metrics=["mae", mean, "mse"], loss_weights=[1, 2])
    set_waves(model)
    values = model.evaluate(LEFT, [RIGHT[:, :2], RIGHT[:, 1:]], verbose=0, return_dict=True)
    keys = ["a_mae", "a_mse", "a_squares", "b_mae", "b_mse", "b_squares"]
    assert list(values) == ["loss", "b_loss", "a_loss", *keys]
    assert values["loss"] == pytest.approx(values["b_loss"] + 2 * values["a_loss"])
    for name in "ab":
        assert values[f"{name}_squares"] == values[f"{name}_mse"] == pytest.approx(values[f"{name}_loss"])


def test_losses_are_computed_from_under_the_activations_of_their_outputs():
    model = compiled()
    assert model.compiled.logits == (3,)
    prices, kinds = model.predict([LEFT, RIGHT])
    values = model.evaluate([LEFT, RIGHT], [PRICES, KINDS], verbose=0)
    expected = fastkeras.losses.SparseCategoricalCrossentropy()(KINDS, kinds)
    assert values[2] == pytest.approx(float(expected), rel=1e-5)
    assert values[1] == pytest.approx(np.mean((prices - PRICES) ** 2), rel=1e-5)


def test_a_softmax_that_something_else_reads_stays():
    x = fastkeras.Input((3,))
    kind = fastkeras.layers.Dense(3, activation="softmax", name="kind")(x)
    model = set_waves(fastkeras.Model(x, [kind, fastkeras.layers.Dense(1, name="price")(kind)]))
    model.compile("sgd", ["categorical_crossentropy", "mse"])
    assert model.compiled.logits == ()
    values = model.evaluate(LEFT, [np.eye(3)[KINDS], PRICES], verbose=0)
    expected = fastkeras.losses.CategoricalCrossentropy()(np.eye(3)[KINDS], model.predict(LEFT)[0])
    assert values[1] == pytest.approx(float(expected), rel=1e-5)


def test_the_gradient_is_that_of_the_weighted_sum():
    """A chain whose middle is an output too. The loss is quadratic in each weight: central differences are exact."""
    x = fastkeras.Input((3,))
    middle = fastkeras.layers.Dense(2, name="middle")(x)
    model = set_waves(fastkeras.Model(x, [middle, fastkeras.layers.Dense(1, name="last")(middle)]))
    model.compile(fastkeras.optimizers.SGD(0.5), "mse", loss_weights=[0.25, 3.0])
    y, weights = [RIGHT[:, :2], PRICES], [PRICE_WEIGHTS, KIND_WEIGHTS]
    start = model.get_weights()

    def loss(place, i, shift):
        moved = [w.copy() for w in start]
        moved[place].flat[i] += shift
        model.set_weights(moved)
        return model.evaluate(LEFT, y, sample_weight=weights, verbose=0)[0]

    differences = [
        np.reshape([loss(place, i, 0.5) - loss(place, i, -0.5) for i in range(w.size)], w.shape)
        for place, w in enumerate(start)
    ]
    model.set_weights(start)
    model.train_on_batch(LEFT, y, sample_weight=weights)
    for before, after, difference in zip(start, model.get_weights(), differences, strict=True):
        np.testing.assert_allclose(before - after, 0.5 * difference, rtol=2e-4, atol=2e-5)


def test_every_form_of_data_trains_alike():
    def generated():
        for start in range(0, N, 4):
            rows = slice(start, start + 4)
            yield (LEFT[rows], RIGHT[rows]), (PRICES[rows], KINDS[rows]), (PRICE_WEIGHTS[rows], KIND_WEIGHTS[rows])

    class Batches(fastkeras.utils.Sequence):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            x, y, w = list(generated())[i]
            return dict(zip(("left", "right"), x)), dict(zip(("price", "kind"), y)), {"price": w[0], "kind": w[1]}  # noqa: B905

    weights = {"sample_weight": (PRICE_WEIGHTS, KIND_WEIGHTS)}
    expected = compiled()
    history = expected.fit([LEFT, RIGHT], [PRICES, KINDS], 4, shuffle=False, verbose=0, **weights).history
    for data in (generated(), Batches()):
        model = compiled()
        assert model.fit(data, shuffle=False, verbose=0).history == history
        for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    shuffled = compiled(loss_weights=[0.0, 0.0]).fit([LEFT, RIGHT], [PRICES, KINDS], 4, verbose=0, **weights)
    plain = compiled(loss_weights=[0.0, 0.0]).evaluate([LEFT, RIGHT], [PRICES, KINDS], 4, verbose=0, **weights)
    assert shuffled.history["loss"] == [plain[0]] == [0.0]
    split = compiled().fit([LEFT, RIGHT], [PRICES, KINDS], verbose=0, validation_split=0.4).history
    assert [key for key in split if key.startswith("val")] == ["val_loss", "val_price_loss", "val_kind_loss"]


def test_copies_and_files_go_on_training(tmp_path):
    model = compiled(metrics={"kind": ["acc"], "price": ["mae", "mse"]}, loss_weights={"price": 0.5, "kind": 2.0})
    data = [LEFT, RIGHT], [PRICES, KINDS]
    model.fit(*data, verbose=0)
    models = [model, copy.deepcopy(model)]
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        models.append(fastkeras.models.load_model(tmp_path / name))
    results = [m.fit(*data, verbose=0, shuffle=False).history for m in models]
    assert results.count(results[0]) == len(models)


@needs_tensorflow
@pytest.mark.parametrize("form", [list, dict])
def test_files_go_both_ways_and_evaluate_alike(tmp_path, form):
    keras = keras_module()
    arguments = [["mse", "sparse_categorical_crossentropy"], [0.5, 2.0], [["mae"], ["acc"]]]
    x, y = [LEFT, RIGHT], [PRICES, KINDS]
    if form is dict:
        *arguments, y = ({"value": first, "sort": second} for first, second in [*arguments, y])
    loss, weights, metrics = arguments
    for writer, reader in ((fastkeras, keras), (keras, fastkeras)):
        model = two_outputs(writer, form)
        model.compile("sgd", loss, loss_weights=weights, metrics=metrics)
        expected = model.evaluate(x, y, verbose=0)
        for name in ("model.keras", "model.h5"):
            model.save(tmp_path / name)
            again = reader.models.load_model(tmp_path / name)
            np.testing.assert_allclose(again.evaluate(x, y, verbose=0), expected, rtol=1e-5)


def test_each_output_has_its_own_mask_and_weights():
    ids, tags = sentences()
    x = fastkeras.Input((5,))
    steps = fastkeras.layers.Embedding(7, 4, mask_zero=True)(x)
    steps = fastkeras.layers.SimpleRNN(6, return_sequences=True)(steps)
    tag = fastkeras.layers.Dense(3, activation="softmax", name="tag")(steps)
    mood = fastkeras.layers.Dense(1, activation="sigmoid", name="mood")(fastkeras.layers.SimpleRNN(4)(steps))
    moods, step_weights = tags[:, 0] > 0, 0.25 + np.arange(55).reshape(11, 5) % 3 / 2
    model = set_waves(fastkeras.Model(x, [tag, mood]))
    losses = ["sparse_categorical_crossentropy", "binary_crossentropy"]
    model.compile("sgd", losses, metrics=["acc", "acc"], weighted_metrics=[["acc"], None])
    weights = {"tag": step_weights}
    values = model.evaluate(ids, [tags, moods], sample_weight=weights, verbose=0, return_dict=True)
    for name, output, loss, y, w in [
        ("tag", tag, losses[0], tags, step_weights), ("mood", mood, losses[1], moods, None),
    ]:  # fmt: skip
        alone = fastkeras.Model(x, output)
        alone.compile("sgd", loss, metrics=["acc"], weighted_metrics=["acc"])
        expected = alone.evaluate(ids, y, sample_weight=w, verbose=0, return_dict=True)
        assert values[f"{name}_loss"] == pytest.approx(expected["loss"])
        assert values[f"{name}_acc"] == pytest.approx(expected["acc"])
        if name == "tag":
            assert values["tag_weighted_acc"] == pytest.approx(expected["weighted_acc"])


def test_a_model_that_learns_from_what_is_added_to_its_loss_needs_no_targets():
    x = fastkeras.Input((3,))
    y = fastkeras.layers.Dense(2)(x)
    model = set_waves(fastkeras.Model(x, y))
    model.add_loss(fastkeras.layers.multiply([y, y]))
    model.compile("sgd")
    expected = set_waves(fastkeras.Model(x, y))
    expected.compile("sgd", "mse")
    history = model.fit(LEFT, verbose=0).history
    model.set_weights(set_waves(expected).get_weights())
    assert history == {"loss": [pytest.approx(expected.evaluate(LEFT, np.zeros((N, 2)), verbose=0), rel=1e-5)]}


def test_a_model_of_two_outputs_inside_another():
    inner = two_outputs(fastkeras)
    left, right = fastkeras.Input((3,), name="a"), fastkeras.Input((3,), name="b")
    model = fastkeras.Model([left, right], inner([left, right])[1])
    model.compile("sgd", "sparse_categorical_crossentropy")
    expected = compiled(loss=(None, "sparse_categorical_crossentropy"))
    for m in (model, expected):
        m.train_on_batch([LEFT, RIGHT], KINDS)
    for a, b in zip(inner.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
