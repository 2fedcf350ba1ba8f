"""fit, evaluate, predict and the functions on one batch: their numbers."""

import gc
import weakref

import numpy as np
import pytest
from checks import assert_close
from small_models import assert_same, classifier, line, points, sentences, set_waves, state, tagger, wave

import fastkeras as keras
from fastkeras import random_state
from fastkeras.callbacks import Callback, LambdaCallback
from fastkeras.layers import Dense
from fastkeras.utils.sequence import Sequence

X, Y = points(23)
IDS, TAGS = sentences()
WEIGHTS = 0.25 + np.arange(11) % 4 / 2
STEP_WEIGHTS = 0.25 + np.arange(55).reshape(11, 5) % 3 / 2


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


@pytest.mark.parametrize("inside", [None, "a chain", "TimeDistributed"])
def test_a_model_keeps_no_data(inside):
    """Of float32 in one batch, layers see the very arrays that were given."""
    uses = {
        "predict": lambda model, x: model.predict(x),
        "evaluate": lambda model, x: model.evaluate(x, Y, verbose=0),
        "fit": lambda model, x: model.fit(x, Y, batch_size=None, shuffle=False, verbose=0),
        "train_on_batch": lambda model, x: model.train_on_batch(x, Y),
        "call": lambda model, x: model(x),
    }
    models, given = [], {}
    for name, use in uses.items():
        model, x = classifier(), X.astype(np.float32)
        if inside == "a chain":
            model = keras.Sequential([keras.Input((4,)), model])
        elif inside == "TimeDistributed":
            steps = keras.layers.TimeDistributed(model)
            model = keras.Sequential([keras.Input((4,)), keras.layers.Reshape((1, 4)), steps, keras.layers.Flatten()])
        model.compile("sgd", "mse")
        use(model, x)
        models.append(model)
        given[name] = weakref.ref(x)
    del x
    gc.collect()
    assert [name for name, array in given.items() if array() is not None] == []


def test_a_model_that_was_not_compiled_predicts():
    model = set_waves(keras.Sequential([Dense(1, input_dim=1)]))
    assert_close(model.predict([2.0]), wave(1, 1) * 2 + wave(1), 1e-6)


def test_metrics_that_cannot_take_the_targets_say_so_before_anything_changes():
    model = keras.Sequential([keras.layers.BatchNormalization(input_shape=(3,)), Dense(2)])
    model.compile("sgd", "mae", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"Metric 'accuracy'.* for predictions of shape \(7, 2\)"):
        model.fit(x, x[:, :1], verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    model.fit(x, x[:, :2], verbose=0)  # nor is it settled which accuracy is meant


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
