"""fit, evaluate, predict and the functions on one batch: their numbers, and that nothing is lost when they fail."""

import copy
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from checks import assert_close
from small_models import classifier, line, points, sentences, set_waves, tagger, wave

import fastkeras as keras
from fastkeras import random_state
from fastkeras.callbacks import Callback, LambdaCallback
from fastkeras.layers import Dense
from fastkeras.utils.sequence import Sequence

X, Y = points(23)
IDS, TAGS = sentences()
WEIGHTS = 0.25 + np.arange(11) % 4 / 2
STEP_WEIGHTS = 0.25 + np.arange(55).reshape(11, 5) % 3 / 2


def state(model):
    """All that training changes, as one list of arrays."""
    return [*model.get_weights(), *model.optimizer.state()]


def assert_same(actual, expected):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b)


# --- numbers ----------------------------------------------------------------------------------------------------------

# What tf.keras 2.21 (Keras 3.15; where it raises, tf_keras) gives for the tagger in three epochs of batches of 4.
HISTORIES = [
    (False, {}, {"acc": [0.41818] * 3, "loss": [1.08826, 1.08741, 1.0866]}),
    (True, {}, {"acc": [0.37143] * 3, "loss": [1.09891, 1.09826, 1.09762]}),
    (False, {"sample_weight": WEIGHTS}, {"acc": [0.41818] * 3, "loss": [1.00435, 1.00383, 1.00333]}),
    (False, {"sample_weight": STEP_WEIGHTS}, {"acc": [0.41818] * 3, "loss": [0.80547, 0.80495, 0.80445]}),
    (True, {"sample_weight": WEIGHTS}, {"acc": [0.37143] * 3, "loss": [1.04245, 1.04153, 1.04063]}),
    (True, {"sample_weight": STEP_WEIGHTS}, {"acc": [0.37143] * 3, "loss": [0.76654, 0.76643, 0.76631]}),
    (
        True,
        {"validation_split": 0.3, "sample_weight": STEP_WEIGHTS},
        {
            "acc": [0.47619] * 3,
            "loss": [0.74319, 0.74307, 0.74295],
            "val_acc": [0.21429] * 3,
            "val_loss": [0.80138, 0.80146, 0.80153],
        },
    ),
    (
        True,
        {"validation_data": (IDS[:5], TAGS[:5], STEP_WEIGHTS[:5])},
        {
            "acc": [0.37143] * 3,
            "loss": [1.09891, 1.09826, 1.09762],
            "val_acc": [0.4] * 3,
            "val_loss": [0.70305, 0.70318, 0.70331],
        },
    ),
]


@pytest.mark.parametrize(("mask", "options", "expected"), HISTORIES, ids=range(len(HISTORIES)))
def test_masks_and_weights_count_as_in_keras(mask, options, expected):
    history = tagger(mask).fit(IDS, TAGS, batch_size=4, epochs=3, shuffle=False, verbose=0, **options).history
    assert history.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, atol=1e-5, err_msg=key)


def test_penalties_are_part_of_the_loss_and_of_the_validation_loss():
    model = tagger(mask_zero=True, regularizer="l2")
    history = model.fit(IDS, TAGS, 4, 3, verbose=0, shuffle=False, validation_split=0.3).history
    np.testing.assert_allclose(history["loss"], [1.11094, 1.11021, 1.10951], atol=1e-5)
    np.testing.assert_allclose(history["val_loss"], [1.13913, 1.13909, 1.13906], atol=1e-5)


def test_activity_penalties_are_means_over_the_samples():
    layer = Dense(1, input_dim=1, use_bias=False, activity_regularizer="l2")  # 0.01 times the sum of squares
    model = keras.Sequential([layer])
    layer.set_weights([[[2.0]]])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    x, y = np.array([1.0, 3.0]), np.array([2.0, 6.0])  # the squared error is zero
    assert model.evaluate(x, y, verbose=0) == pytest.approx(0.01 * (4 + 36) / 2)
    model.train_on_batch(x, y)
    assert model.get_weights()[0].item() == pytest.approx(2 - 0.01 * 2 * (2 * 1 + 6 * 3) / 2)


def test_the_loss_of_an_epoch_weighs_batches_by_their_samples():
    model = line(keras.optimizers.SGD(0.0), metrics=["mae"])
    model.set_weights([[[1.0]], [0.0]])
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.0, 0.0, 0.0, 10.0]
    history = model.fit(x, y, batch_size=2, verbose=0)
    assert history.history == {"loss": [pytest.approx((1 + 4 + 9 + 16 + 25) / 5)], "mae": [pytest.approx(3.0)]}
    assert model.evaluate(x, y, batch_size=2, verbose=0) == [pytest.approx(11.0), pytest.approx(3.0)]


@pytest.mark.parametrize(
    ("options", "steps"),
    [({}, 2), ({"batch_size": None}, 1), ({"batch_size": 7}, 10), ({"batch_size": np.int64(40)}, 2)],
)
def test_the_batch_size_is_32_unless_given_and_none_means_all(options, steps):
    model = line()
    model.fit(np.zeros(64 if not options else 65), np.zeros(64 if not options else 65), verbose=0, **options)
    assert model.optimizer.iterations == steps


def test_one_full_batch_is_gradient_descent():
    model = line(keras.optimizers.SGD(0.1))
    model.set_weights([[[0.5]], [0.25]])
    x, y = np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0, 2.0])
    model.fit(x, y, batch_size=None, verbose=0)
    error = 0.5 * x + 0.25 - y
    assert_close(model.get_weights()[0], [[0.5 - 0.1 * np.mean(2 * error * x)]], 1e-6)
    assert_close(model.get_weights()[1], [0.25 - 0.1 * np.mean(2 * error)], 1e-6)


def test_class_weights_are_sample_weights():
    kinds = {"class_weight": {0: 0.5, 1: 3.0}}, {"sample_weight": np.where(Y == 1, 3.0, 0.5)}
    trained = []
    for options in kinds:
        model = classifier()
        history = model.fit(X, Y, verbose=0, shuffle=False, epochs=2, **options)
        trained.append([*state(model), history.history["loss"]])
    assert_same(*trained)


def test_class_weights_leave_the_split_off_part_alone():
    history = classifier().fit(X, Y, verbose=0, shuffle=False, validation_split=0.4, class_weight={0: 9.0, 1: 9.0})
    model = classifier()
    model.fit(X[:13], Y[:13], verbose=0, shuffle=False, class_weight={0: 9.0, 1: 9.0})
    assert history.history["val_loss"] == [model.evaluate(X[13:], Y[13:], verbose=0)[0]]


def test_weighted_metrics_count_sample_weights_and_metrics_do_not():
    model = set_waves(keras.Sequential([Dense(1, input_dim=1)]))
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mae"])
    model.set_weights([[[0.0]], [0.0]])
    logs = model.evaluate([0, 0], [1.0, 4.0], sample_weight=[1.0, 3.0], verbose=0, return_dict=True)
    assert logs == {"loss": (1 + 3 * 16) / 2, "mae": 2.5, "weighted_mae": 3.25, "mae_1": 3.25}
    assert model.metrics_names == list(logs)


def test_loss_weights_scale_the_loss_and_its_gradient():
    trained = []
    for options, rate in (({"loss_weights": 0.5}, 0.2), ({}, 0.1)):
        model = line(keras.optimizers.SGD(rate), **options)
        loss = model.train_on_batch([1.0, 2.0], [5.0, 7.0])
        trained.append([loss / options.get("loss_weights", 1), *model.get_weights()])
    for a, b in zip(*trained, strict=True):
        assert_close(a, b, 1e-6)


def test_metric_keys_are_what_the_user_wrote():
    for name in ("acc", "accuracy", "binary_accuracy"):
        history = classifier(metrics=[name]).fit(X, Y, verbose=0, validation_data=[X, Y]).history
        assert list(history) == ["loss", name, f"val_{'loss'}", f"val_{name}"]
    assert list(line(metrics="mae").fit([1], [2], verbose=0).history) == ["loss", "mae"]


def test_values_are_python_floats_and_lists():
    model = classifier()
    history = model.fit(X, Y, verbose=0)
    assert all(type(v) is float for values in history.history.values() for v in values)
    for result in (model.evaluate(X, Y, verbose=0), model.train_on_batch(X, Y), model.test_on_batch(X, Y)):
        assert type(result) is list
        assert [type(v) for v in result] == [float, float]
    assert type(line().evaluate([1], [1], verbose=0)) is float


# --- epochs -----------------------------------------------------------------------------------------------------------


def test_epochs_and_the_history():
    model = classifier()
    history = model.fit(X, Y, epochs=5, initial_epoch=2, verbose=0)
    assert history.epoch == [2, 3, 4]
    assert history.params == {"epochs": 5, "steps": 1, "verbose": 0}
    assert model.history is history.model.history is history
    assert model.fit(X, Y, epochs=0, verbose=0).history == {}
    assert model.fit(X, Y, epochs=2, initial_epoch=2, verbose=0).epoch == []


def test_training_in_two_calls_is_training_in_one():
    one, two = classifier(), classifier()
    whole = one.fit(X, Y, epochs=4, batch_size=5, shuffle=False, verbose=0).history["loss"]
    parts = [two.fit(X, Y, epochs=2, batch_size=5, shuffle=False, verbose=0).history["loss"] for _ in range(2)]
    assert whole == parts[0] + parts[1]
    assert_same(state(one), state(two))


def test_the_same_seed_gives_the_same_bits():
    def trained(seed):
        random_state.set_random_seed(seed)
        model = keras.Sequential([Dense(8, input_dim=4, activation="relu"), Dense(1, activation="sigmoid")])
        model.compile("rmsprop", "binary_crossentropy")
        model.fit(X, Y, epochs=3, batch_size=5, verbose=0)
        return model.get_weights()

    assert_same(trained(3), trained(3))
    assert not np.array_equal(trained(3)[0], trained(4)[0])


@pytest.mark.parametrize(
    ("frequency", "validated"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), ([1, 4, 9], [0, 3]), ({5}, [4])]
)
def test_validation_frequency(frequency, validated):
    seen = []
    watch = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch) if "val_loss" in logs else None)
    history = classifier().fit(
        X, Y, epochs=5, verbose=0, validation_data=(X, Y), validation_freq=frequency, callbacks=watch
    )
    assert seen == validated
    assert len(history.history["val_loss"]) == len(validated)
    assert len(history.history["loss"]) == 5


def test_validation_steps_and_batch_size():
    seen = []
    watch = LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append(batch))
    model = classifier()
    options = {"verbose": 0, "validation_data": (X, Y), "callbacks": [watch], "batch_size": 5, "epochs": 2}
    model.fit(X, Y, **options)
    assert seen == [0, 1, 2, 3, 4] * 2
    seen.clear()
    history = model.fit(X, Y, validation_batch_size=7, validation_steps=2, **options)
    assert seen == [0, 1] * 2
    assert history.history["val_loss"][-1] == pytest.approx(model.evaluate(X[:14], Y[:14], verbose=0)[0])


def test_validation_is_not_training():
    with_validation, without = classifier(), classifier()
    with_validation.fit(X, Y, epochs=3, verbose=0, shuffle=False, validation_data=(X[:7], 1 - Y[:7]))
    without.fit(X, Y, epochs=3, verbose=0, shuffle=False)
    assert_same(state(with_validation), state(without))


def test_dropout_is_off_in_validation_and_prediction():
    model = keras.Sequential([keras.layers.Dropout(0.5, input_shape=(4,)), Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    history = model.fit(X, Y, verbose=0, validation_data=(X, Y))
    assert history.history["val_loss"] == [model.evaluate(X, Y, verbose=0)]
    assert model.evaluate(X, Y, verbose=0) == model.test_on_batch(X, Y)
    np.testing.assert_array_equal(model.predict(X), model.predict(X))


def test_generators_and_sequences_train_like_arrays():
    def pairs():
        while True:
            for start in range(0, 20, 5):
                yield X[start : start + 5], Y[start : start + 5]

    class Pairs(Sequence):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[5 * i : 5 * i + 5], Y[5 * i : 5 * i + 5]

    models = [classifier() for _ in range(4)]
    options = {"epochs": 3, "shuffle": False, "verbose": 0}
    histories = [
        models[0].fit(X[:20], Y[:20], 5, validation_data=(X[:20], Y[:20]), **options),
        models[1].fit(pairs(), steps_per_epoch=4, validation_data=pairs(), validation_steps=4, **options),
        models[2].fit(
            Pairs(), validation_data=Pairs(), max_queue_size=1, workers=4, use_multiprocessing=True, **options
        ),
        models[3].fit([(X[i : i + 5], Y[i : i + 5]) for i in range(0, 20, 5)].__iter__(), verbose=0),
    ]
    for model, history in zip(models[1:3], histories[1:3], strict=True):
        assert_same(state(model), state(models[0]))
        assert history.history == histories[0].history
    assert histories[3].history["loss"] == histories[0].history["loss"][:1]
    for data, steps in ((pairs(), 4), (Pairs(), None)):
        assert models[0].evaluate(data, steps=steps, verbose=0) == models[0].evaluate(X[:20], Y[:20], 5, verbose=0)
        np.testing.assert_array_equal(
            models[0].predict(data if steps is None else pairs(), steps=steps), models[0].predict(X[:20], 5)
        )


def test_the_old_names_for_generators():
    def pairs():
        while True:
            yield X, Y

    model, expected = classifier(), classifier()
    options = {"validation_data": pairs(), "validation_steps": 1, "max_queue_size": 1, "workers": 2}
    with pytest.warns(UserWarning, match="`fit_generator` is called `fit` now"):
        history = model.fit_generator(pairs(), 2, 3, 0, **options).history
    assert history == expected.fit(pairs(), steps_per_epoch=2, epochs=3, verbose=0, **options).history
    with pytest.warns(UserWarning, match="`evaluate_generator` is called `evaluate` now"):
        assert model.evaluate_generator(pairs(), 2) == model.evaluate(pairs(), steps=2, verbose=0)
    with pytest.warns(UserWarning, match="`predict_generator` is called `predict` now"):
        np.testing.assert_array_equal(model.predict_generator(pairs(), steps=1), model.predict(X))


def test_data_that_end_early_end_the_training_with_a_warning():
    pairs = ((X[i : i + 5], Y[i : i + 5]) for i in range(0, 15, 5))
    with pytest.warns(UserWarning, match="`x` came to its end after 1 steps of epoch 2"):
        history = classifier().fit(pairs, steps_per_epoch=2, epochs=4, verbose=0)
    assert history.epoch == [0, 1]
    pairs = ((X[i : i + 5], Y[i : i + 5]) for i in range(0, 15, 5))
    with pytest.warns(UserWarning, match="`x` came to its end after 0 steps of epoch 2"):
        history = classifier().fit(pairs, epochs=4, verbose=0)
    assert history.epoch == [0]


def test_an_iterable_may_give_more_or_fewer_batches_in_each_epoch(recwarn):
    class Batches:
        sizes = iter((2, 3, 1))

        def __iter__(self):
            return iter([(X, Y)] * next(self.sizes, 1))

    model = classifier()
    model.fit(Batches(), epochs=2, verbose=0)  # the first two batches are only looked at
    assert model.optimizer.iterations == 3 + 1
    assert not recwarn.list


def test_validation_data_that_end_are_left_out_with_a_warning():
    once = iter([(X, Y)])
    with pytest.warns(UserWarning, match="`validation_data` have come to their end"):
        history = classifier().fit(X, Y, epochs=3, verbose=0, validation_data=once)
    assert [len(v) for v in history.history.values()] == [3, 3, 1, 1]


def test_stop_training_ends_the_epoch_after_the_step():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = classifier()
    history = model.fit(X, Y, batch_size=5, epochs=3, verbose=0, callbacks=[Stop()], validation_data=(X, Y))
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]
    assert history.history["val_loss"] == [model.evaluate(X, Y, verbose=0)[0]], "the validation is done in full"


def test_a_model_built_by_its_data():
    model = keras.Sequential([Dense(3), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["acc"])
    model.fit(X, Y, verbose=0, validation_split=0.2)
    assert model.input_shape == (None, 4)
    assert model.optimizer.iterations == 1


# --- predict, and one batch -------------------------------------------------------------------------------------------


def test_predict_does_not_depend_on_the_batches():
    model = classifier()
    whole = model.predict(X, batch_size=None)
    assert whole.shape == (23, 1)
    assert whole.dtype == np.float32
    for batch_size in (1, 7, 23, 100):
        np.testing.assert_array_equal(model.predict(X, batch_size=batch_size), whole)
    np.testing.assert_array_equal(model.predict(X, batch_size=5, steps=2), whole[:10])
    np.testing.assert_array_equal(model.predict_on_batch(X), whole)


def test_predict_gives_arrays_of_their_own():
    model = classifier()
    first = model.predict(X)
    kept = first.copy()
    model.predict(-X)
    np.testing.assert_array_equal(first, kept)


def test_a_model_that_was_not_compiled_predicts():
    model = set_waves(keras.Sequential([Dense(1, input_dim=1)]))
    assert_close(model.predict([2.0]), wave(1, 1) * 2 + wave(1), 1e-6)


def test_train_on_batch_is_a_step_of_fit():
    one, two = classifier(), classifier()
    for _ in range(3):
        losses = one.train_on_batch(X, Y)
        history = two.fit(X, Y, batch_size=None, verbose=0, shuffle=False).history
        assert losses == [history["loss"][0], history["acc"][0]]
        assert one.test_on_batch(X, Y) == two.evaluate(X, Y, verbose=0)
    assert_same(state(one), state(two))


def test_train_on_batch_with_weights_and_as_a_dict():
    one, two = classifier(), classifier()
    a = one.train_on_batch(X, Y, sample_weight=np.where(Y == 1, 2.0, 1.0), return_dict=True)
    b = two.train_on_batch(X, Y, class_weight={1: 2.0}, return_dict=True)
    assert a == b
    assert list(a) == ["loss", "acc"]
    assert one.test_on_batch(X, Y, sample_weight=np.zeros(23))[0] == 0.0


def test_batches_may_be_averaged_over_calls():
    model = line(keras.optimizers.SGD(0.0))
    model.set_weights([[[0.0]], [0.0]])
    assert model.test_on_batch([1.0], [2.0]) == 4.0
    assert model.test_on_batch([1.0, 1.0], [1.0, 1.0], reset_metrics=False) == 2.0
    assert model.train_on_batch([1.0], [1.0], reset_metrics=False) == 1.75
    assert model.train_on_batch([1.0], [3.0]) == 9.0


# --- nothing is lost --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["loss", "backward", "regularizer"])
def test_a_failed_step_leaves_no_trace(monkeypatch, where):
    def build():
        model = set_waves(keras.Sequential([Dense(5, input_dim=4, kernel_regularizer="l2"), Dense(1)]))
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        return model

    model, expected = build(), build()
    before = state(model)
    with monkeypatch.context() as patch:

        def fail(*args, **kwargs):
            raise ArithmeticError("told to fail")

        first, regularized = model.layers[0], model.compiled.regularized[0]
        if where == "loss":
            patch.setattr(model.compiled.heads[0].loss, "compute", fail)
        elif where == "backward":  # the last layer has added to its gradients when the first one fails
            forward = first.forward
            patch.setattr(first, "forward", lambda x, run: (forward(x, run)[0], fail))
        else:
            patch.setattr(regularized.regularizer, "value_and_gradient", fail)
        with pytest.raises(ArithmeticError, match="told to fail"):
            model.fit(X, Y, verbose=0)
        with pytest.raises(ArithmeticError, match="told to fail"):
            model.train_on_batch(X, Y)
    assert_same(state(model), before)
    assert all(not v.grad.any() for v in model.variables)
    for m in (model, expected):
        m.fit(X, Y, epochs=2, batch_size=7, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


@pytest.mark.parametrize("frozen", [False, True])
def test_one_optimizer_trains_several_models(frozen):
    """As in Keras 2: what it keeps belongs to each weight, and the steps of all are counted together. The count has no
    effect on SGD, so that with optimizers of their own the models do the same."""

    def pair(*optimizers):
        keras.utils.set_random_seed(4)
        inner = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
        inner.compile(optimizers[0], "mse")
        inner.trainable = not frozen
        outer = keras.Sequential([keras.layers.Dense(1, input_shape=(1,)), inner])
        outer.compile(optimizers[1], "mse")
        return inner, outer

    def sgd():
        return keras.optimizers.SGD(0.01, momentum=0.5)

    shared, x, y = sgd(), np.float32([[1], [2]]), np.float32([[5], [7]])
    one, two = pair(shared, shared), pair(sgd(), sgd())
    for _ in range(3):
        for models in (one, two):
            for model in models:
                model.train_on_batch(x, y)
    same = [np.array_equal(a, b) for a, b in zip(one[1].get_weights(), two[1].get_weights(), strict=True)]
    assert all(same) if frozen else not all(same), "a weight that both train has one momentum"
    assert shared.iterations == 6


def test_an_optimizer_keeps_what_belongs_to_a_model_while_it_trains_another(tmp_path):
    optimizer = keras.optimizers.Adam(0.1)
    one, two = line(optimizer), line(optimizer)
    one.fit([1.0, 2.0], [5.0, 7.0], epochs=2, verbose=0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    one.evaluate([1.0], [2.0], verbose=0)
    two.fit([1.0, 2.0], [5.0, 7.0], epochs=3, verbose=0)
    assert optimizer.iterations == 5
    one.save(tmp_path / "one.h5")
    one.save(tmp_path / "one.keras")
    copies = [keras.saving.load_model(tmp_path / name) for name in ("one.h5", "one.keras")] + [copy.deepcopy(one)]
    for copied in copies:
        assert_same(state(copied), state(one))
        assert any(array.any() for array in copied.optimizer.state()[2:])
    two.save_weights(tmp_path / "two.weights.h5")
    expected = state(two)
    one.fit([1.0, 2.0], [5.0, 7.0], verbose=0)
    two.load_weights(tmp_path / "two.weights.h5")
    assert_same(state(two), expected)


def test_no_epoch_changes_nothing():
    model = line(keras.optimizers.Adam(use_ema=True))
    before = model.get_weights()
    model.fit([1.0], [2.0], epochs=0, verbose=0)
    assert_same(model.get_weights(), before)
    model.fit([1.0], [2.0], epochs=2, verbose=0)
    model.set_weights(before)
    model.fit([1.0], [2.0], epochs=2, initial_epoch=2, verbose=0)
    assert_same(model.get_weights(), before)


def test_a_bad_batch_in_the_middle_of_an_epoch_keeps_what_was_learnt():
    def pairs(last):
        for start in (0, 5, 10):
            yield X[start : start + 5], Y[start : start + 5]
        yield last

    model, expected = classifier(), classifier()
    expected.fit(pairs((X[:1], Y[:1])), steps_per_epoch=3, verbose=0)
    with pytest.raises(ValueError, match=r"Batch 3: `x` and `y` must have the same length. Received: 4 in x, 5 in y"):
        model.fit(pairs((X[:4], Y[:5])), verbose=0)
    assert_same(state(model), state(expected))
    assert model.history.history == {}
    for m in (model, expected):
        m.fit(X, Y, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


def test_ids_outside_the_vocabulary_leave_the_model_usable():
    model, expected = tagger(mask_zero=True), tagger(mask_zero=True)
    wrong = IDS.copy()
    wrong[3, 1] = 7
    for call in (model.fit, model.train_on_batch, model.test_on_batch, lambda x, y: model.predict(x)):
        with pytest.raises(ValueError, match=r"Received: 7 in row 3, place \(1,\)"):
            call(wrong, TAGS)
    for m in (model, expected):
        m.fit(IDS, TAGS, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


@pytest.mark.parametrize(
    "hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_test_batch_begin", "on_epoch_end"]
)
def test_an_error_in_a_callback_leaves_the_model_usable(hook):
    def fail(*args):
        if len(args) == 1 or args[0] == 1:  # the second epoch or batch, or the only call
            raise ArithmeticError("told to fail")

    ended = []
    callbacks = [LambdaCallback(**{hook: fail}), LambdaCallback(on_train_end=lambda logs: ended.append(logs))]
    model = classifier()
    with pytest.raises(ArithmeticError, match="told to fail"):
        model.fit(X, Y, 5, epochs=3, verbose=0, callbacks=callbacks, validation_data=(X, Y), shuffle=False)
    finished = {"on_epoch_begin": [0], "on_epoch_end": [0]}.get(hook, [])
    assert model.history.epoch == finished
    assert len(ended) == (hook != "on_train_begin")
    expected = classifier()
    if model.optimizer.iterations:
        expected.fit(
            X,
            Y,
            5,
            epochs=2,
            steps_per_epoch=int(model.optimizer.iterations),
            initial_epoch=1,
            verbose=0,
            shuffle=False,
        )
    for m in (model, expected):
        m.fit(X, Y, shuffle=False, verbose=0)
    assert_same(state(model), state(expected))


INTERRUPTED = """
    import os, signal, sys, threading, time
    import numpy as np
    sys.path[:0] = {path!r}
    from small_models import classifier, points
    import fastkeras as keras

    X, Y = points(23)
    model, in_update = classifier(), []
    step = model.optimizer.step

    def interrupted_step():
        if model.optimizer.iterations == 12:
            os.kill(os.getpid(), signal.SIGINT)         # the signal is there; Python's handler runs at the next chance
            time.sleep(0.01)
        step()
        in_update.append(model.optimizer.iterations)

    model.optimizer.step = interrupted_step
    handler = signal.getsignal(signal.SIGINT)
    try:
        model.fit(X, Y, batch_size=5, epochs=100, shuffle=False, verbose=0)
    except KeyboardInterrupt:
        print("interrupted")
    assert in_update[-1] == 13, in_update               # the step was finished, and it was the last
    assert signal.getsignal(signal.SIGINT) is handler
    assert model.history.epoch == [0, 1] and len(model.history.history["loss"]) == 2
    model.optimizer.step = step
    expected = classifier()
    expected.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0, steps_per_epoch=5, callbacks=[
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(
            expected, "stop_training", expected.optimizer.iterations == 13))])
    for m in (model, expected):
        m.fit(X, Y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights() + model.optimizer.state(), expected.get_weights() + expected.optimizer.state()):
        np.testing.assert_array_equal(a, b)

    # Outside a step it takes effect at once: here in a generator that would wait for ever.
    def waits():
        yield X, Y
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(60)

    start = time.perf_counter()
    try:
        model.fit(waits(), steps_per_epoch=2, verbose=0)
    except KeyboardInterrupt:
        print("at once", time.perf_counter() - start < 30)
"""


def run_python(code):
    path = [str(Path(__file__).parent), str(Path(keras.__file__).parents[1])]
    code = textwrap.dedent(code).format(path=path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ctrl_c_takes_effect_between_two_steps():
    assert run_python(INTERRUPTED).splitlines() == ["interrupted", "at once True"]


def test_a_handler_of_the_users_own_is_called_after_the_step_and_comes_back():
    received = []
    old = signal.signal(signal.SIGINT, lambda number, frame: received.append(model.optimizer.iterations))
    own = signal.getsignal(signal.SIGINT)
    model = classifier()
    step = model.optimizer.step

    def interrupted_step():
        signal.raise_signal(signal.SIGINT)
        step()

    model.optimizer.step = interrupted_step
    try:
        model.fit(X, Y, batch_size=12, verbose=0)
        assert received == [1, 2]
        assert signal.getsignal(signal.SIGINT) is own
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        model.fit(X, Y, verbose=0)
        assert received == [1, 2]
    finally:
        signal.signal(signal.SIGINT, old)


def test_a_signal_during_a_step_that_fails_is_not_forgotten(monkeypatch):
    model = classifier()

    def fail(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)
        raise ArithmeticError("told to fail")

    monkeypatch.setattr(model.compiled.heads[0].loss, "compute", fail)
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(X, Y, verbose=0)
    assert isinstance(caught.value.__context__, ArithmeticError)


def test_training_in_another_thread_leaves_signals_alone():
    handler, seen = signal.getsignal(signal.SIGINT), []
    watch = LambdaCallback(on_train_begin=lambda logs: seen.append(signal.getsignal(signal.SIGINT)))
    thread = threading.Thread(target=classifier().fit, args=(X, Y), kwargs={"verbose": 0, "callbacks": [watch]})
    thread.start()
    thread.join()
    assert seen == [handler]


# --- threads, processes, memory ---------------------------------------------------------------------------------------


def test_several_threads_predict_with_one_model():
    model = tagger(mask_zero=True)
    inputs = [np.roll(IDS, i, axis=0)[: 3 + i] for i in range(8)]
    expected = [model.predict(x) for x in inputs]
    wrong = []

    def work(i):
        for _ in range(40):
            if not np.array_equal(model.predict(inputs[i], batch_size=2), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


FORKED = """
    import os, signal, sys
    os.environ["OMP_NUM_THREADS"] = "2"
    import numpy as np
    sys.path[:0] = {path!r}
    import fastkeras as keras

    model = keras.Sequential([keras.layers.Dense(256, input_dim=256), keras.layers.Dense(256)])
    model.compile("sgd", "mse")
    x = np.ones((512, 256), np.float32)
    expected = model.predict(x)                 # two threads have worked
    child = os.fork()
    if child == 0:
        signal.alarm(30)                        # rather than to wait for ever
        same = np.array_equal(model.predict(x), expected)
        model.fit(x, x, verbose=0)
        os._exit(0 if same else 1)
    print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_predicts_and_trains():
    assert run_python(FORKED) == "0\n"


def objects_kept(work, repeats):
    """How many memory blocks of Python stay allocated after so many repeats, once `work` has run a few times; an array
    has at least one, however large its data."""
    for _ in range(5):
        work()
    gc.collect()
    start = sys.getallocatedblocks()
    for _ in range(repeats):
        work()
    gc.collect()
    return sys.getallocatedblocks() - start


def test_predicting_in_a_loop_keeps_memory_flat():
    model = classifier()
    assert objects_kept(lambda: model.predict(X[:1]), 10_000) < 100


def test_building_training_and_dropping_models_keeps_memory_flat():
    def cycle():
        model = tagger(mask_zero=True)
        model.fit(IDS, TAGS, verbose=0, validation_data=(IDS, TAGS))
        model.predict(IDS)

    assert objects_kept(cycle, 100) < 1000, "a model has about 500"


class Scaled(Dense):
    """A layer that does more than the one it extends: its output is not what is under a softmax."""

    def forward(self, x, run):
        y, backward = super().forward(x, run)
        return 0.5 * y, lambda dy: backward(0.5 * dy)


def test_a_layer_that_extends_dense_keeps_its_activation_under_a_crossentropy():
    model = keras.Sequential([Scaled(3, activation="softmax", input_dim=4)])
    model.compile("sgd", "categorical_crossentropy")
    x, y = np.ones((5, 4), "f"), np.eye(3, dtype="f")[[0, 1, 2, 0, 1]]
    expected = keras.losses.CategoricalCrossentropy()(y, model.predict(x))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(float(expected), rel=1e-5)
