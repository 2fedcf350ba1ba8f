"""Slips get help: each is answered by an error that says what was expected and ends with what was received."""

import re

import numpy as np
import pytest
from small_models import classifier, points, sentences, tagger

import fastkeras as keras
from fastkeras.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau
from fastkeras.layers import Activation, Dense, Dropout, Embedding, SimpleRNN

X, Y = points(23)
IDS, TAGS = sentences()


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


def compiled(loss, layer, optimizer="sgd", **options):
    model = keras.Sequential([layer])
    model.compile(optimizer, loss, **options)
    return model


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            AttributeError,
            lambda: keras.Seqeuntial(),
            "name in fastkeras. Did you mean 'Sequential'? Received: 'Seqeuntial'",
        ),
        (
            TypeError,
            lambda: classifier().fit(X, Y, epoches=10),
            "argument of fit. Did you mean 'epochs'? Received: 'epoches'",
        ),
        (
            TypeError,
            lambda: classifier().fit(X, Y, nb_epoch=10),
            "argument of fit. Did you mean 'epochs'? Received: 'nb_epoch'",
        ),
        (
            TypeError,
            lambda: classifier().fit(X, Y, batchsize=1),
            "argument of fit. Did you mean 'batch_size'? Received: 'batchsize'",
        ),
        (TypeError, lambda: classifier().fit(X, Y, metrics=["acc"]), "argument of fit. Known: batch_size, callbacks,"),
        (
            TypeError,
            lambda: classifier().evaluate(X, Y, verbos=1),
            "argument of evaluate. Did you mean 'verbose'? Received: 'verbos'",
        ),
        (
            TypeError,
            lambda: classifier().predict(X, batchsize=1),
            "argument of predict. Did you mean 'batch_size'? Received: 'batchsize'",
        ),
        (
            TypeError,
            lambda: compiled("mse", Dense(1), metric=["acc"]),
            "argument of compile. Did you mean 'metrics'? Received: 'metric'",
        ),
        (
            ValueError,
            lambda: compiled("binary_crossent", Dense(1)),
            "loss. Did you mean 'binary_crossentropy'? Received: 'binary_crossent'",
        ),
        (
            ValueError,
            lambda: compiled("mse", Dense(1), "rmsporp"),
            "optimizer. Did you mean 'rmsprop'? Received: 'rmsporp'",
        ),
        (
            ValueError,
            lambda: compiled("mse", Dense(1), metrics=["accurcy"]),
            "metric. Did you mean 'accuracy'? Received: 'accurcy'",
        ),
        (ValueError, lambda: Activation("sigmod"), "activation. Did you mean 'sigmoid'? Received: 'sigmod'"),
        (
            TypeError,
            lambda: Dense(1, activaton="relu"),
            "argument of Dense. Did you mean 'activation'? Received: 'activaton'",
        ),
        (ValueError, lambda: Dense(1, kernel_initializer="glorot"), "Received: 'glorot'"),
        (
            AttributeError,
            lambda: keras.callbacks.EarlyStoping(),
            "name in fastkeras.callbacks. Did you mean 'EarlyStopping'?",
        ),
        (AttributeError, lambda: keras.layers.Dens(3), "name in fastkeras.layers. Did you mean 'Dense'"),
        (AttributeError, lambda: keras.losses.binary_crossent, "name in fastkeras.losses. Did you mean 'binary_cross"),
        (AttributeError, lambda: keras.metrics.BinaryAcuracy, "name in fastkeras.metrics. Did you mean 'BinaryAcc"),
        (AttributeError, lambda: keras.optimizers.Adm, "name in fastkeras.optimizers. Did you mean 'Adam'"),
        (AttributeError, lambda: keras.utils.to_categorial, "name in fastkeras.utils. Did you mean 'to_categorical'"),
        (AttributeError, lambda: keras.preprocessing.txt, "name in fastkeras.preprocessing. Did you mean 'text'"),
        (
            TypeError,
            lambda: EarlyStopping(patiance=3),
            "argument of EarlyStopping. Did you mean 'patience'? Received: 'patiance'",
        ),
        (
            TypeError,
            lambda: ModelCheckpoint("x.h5", save_best=1),
            "argument of ModelCheckpoint. Did you mean 'save_best_only'?",
        ),
        (TypeError, lambda: ReduceLROnPlateau(facter=0.5), "argument of ReduceLROnPlateau. Did you mean 'factor'?"),
        (
            TypeError,
            lambda: LambdaCallback(on_epoch_ends=print),
            "argument of LambdaCallback. Did you mean 'on_epoch_end'?",
        ),
        (ValueError, lambda: classifier().get_layer("dens"), "layer. Did you mean 'dense"),
    ],
    ids=lambda value: None,
)
def test_unknown_names_are_answered_with_the_nearest(error, call, message):
    with raises(error, message):
        call()


# --- x and y ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch"])
def test_shapes_are_named_before_anything_is_computed(call):
    model = classifier()
    with raises(ValueError, f"layer '{model.layers[0].name}' (Dense)") as caught:
        getattr(model, call)(X[:, :3], Y)
    assert str(caught.value).endswith("expects an input of shape (None, 4). Received: shape (23, 3)")
    assert model.optimizer.iterations == 0


def test_a_single_sample_needs_a_batch_axis():
    with raises(ValueError, "A single sample needs a batch axis, x[None]. Received: shape (4,)"):
        classifier().predict(X[0])
    with raises(ValueError, "`x` must have a batch axis. Received: a single number, 3.0"):
        classifier().predict(3.0)


def test_lengths_differ():
    with raises(ValueError, "`x` and `y` must have the same length. Received: 23 in x, 5 in y"):
        classifier().fit(X, Y[:5])


@pytest.mark.parametrize(
    ("x", "cure"),
    [
        (
            9,
            "The largest id is 9: Embedding(10, ...), which is len(tokenizer.word_index) + 1 for all words, or "
            "Tokenizer(num_words=7).",
        ),
        (-1, "Ids are whole numbers from 0 on."),
        (2**40, "Ids are whole numbers from 0 on."),
        (np.nan, "Ids are whole numbers from 0 on."),
    ],
)
def test_ids_outside_the_vocabulary(x, cure):
    wrong = IDS.astype(type(x) if isinstance(x, float) else np.int64)
    wrong[3, 1] = x
    model = tagger()
    message = f"'{model.layers[0].name}' (Embedding): ids must lie in [0, 7), its `input_dim`. {cure} "
    for call in (lambda: model.fit(wrong, TAGS), lambda: model.predict(wrong)):
        with raises(ValueError, f"{message}Received: {x} in row 3, place (1,)"):
            call()


def test_ids_outside_the_vocabulary_inside_a_model():
    model = keras.Sequential([Dropout(0.5, input_shape=(5,)), Embedding(7, 2), SimpleRNN(2)])
    with raises(ValueError, "its `input_dim`. Ids are whole numbers from 0 on. Received: id 9"):
        model.predict(np.full((2, 5), 9))


def test_missing_values_are_named_for_what_they_are():
    for name, x, y, place in [
        ("x", np.where(np.isin(X, X[4, 2]), np.nan, X), Y, (4, 2)),
        ("y", X, np.where(np.arange(23) == 6, np.nan, Y), (6,)),
    ]:
        with raises(
            ValueError, f"`{name}` must not hold NaN (missing values): fill or drop them. Received: NaN at {place}"
        ):
            classifier().fit(x, y)
    with raises(ValueError, "`sample_weight` must not hold NaN"):
        classifier().fit(X, Y, sample_weight=np.full(23, np.nan))


def test_labels_outside_the_classes():
    model = compiled("sparse_categorical_crossentropy", Dense(46, activation="softmax", input_dim=4))
    labels = np.arange(23)
    labels[17] = 46
    with raises(ValueError, "For 47 classes: Dense(47). Received: labels from 0 to 46"):
        model.fit(X, labels)
    with raises(ValueError, "Classes are numbered from 0 on. Received: labels from -1 to 45"):
        model.fit(X, labels - 1)
    with raises(ValueError, "Count from 0: y - 1. Received: labels from 1 to 46"):
        model.fit(X, np.r_[1:23, 46])
    with raises(ValueError, "labels must be integers from 0 on. Received: 0.5"):
        model.fit(X, np.full(23, 0.5))
    with raises(ValueError, "labels must be integers from 0 on. Received: inf"):
        model.fit(X, np.full(23, np.inf))
    assert model.optimizer.iterations == 0


def test_integer_labels_for_the_crossentropy_of_one_hot_targets_and_the_other_way_round():
    model = compiled("categorical_crossentropy", Dense(46, activation="softmax", input_dim=4))
    with raises(
        ValueError,
        "use sparse_categorical_crossentropy, or utils.to_categorical(y, 46). Received: y of shape (23,)",
    ):
        model.fit(X, Y)
    model = compiled("sparse_categorical_crossentropy", Dense(2, activation="softmax", input_dim=4))
    with raises(
        ValueError,
        "for one-hot targets use the name without 'sparse', or y.argmax(axis=-1). Received: y of shape (23, 2)",
    ):
        model.fit(X, np.eye(2)[Y])
    with raises(
        ValueError,
        "give the layer 2 units, or y as many columns; `loss` is binary_crossentropy. Received: y of shape (23, 2)",
    ):
        classifier().fit(X, np.eye(2)[Y])


@pytest.mark.parametrize(
    ("error", "x", "y", "message"),
    [
        (ValueError, [], [], "`x` must hold at least one sample. Received: shape (0,)"),
        (ValueError, X[:0], Y[:0], "`x` must hold at least one sample. Received: shape (0, 4)"),
        (
            TypeError,
            X.astype(str),
            Y,
            "(Tokenizer and pad_sequences, or a TextVectorization layer). Received: dtype <U32",
        ),
        (TypeError, ["good film", "bad film"], [1, 0], "Received: dtype <U9, ['good film', 'bad film']"),
        (
            TypeError,
            X,
            ["yes"] * 23,
            "`y` must hold numbers; give each class a number first (numpy.unique(y, return_inverse=True)[1]). Received",
        ),
        (TypeError, X, [["a"], ["b"]] * 11 + [["c"]], "`y` must hold numbers; give each class a number first"),
        (TypeError, X * 1j, Y, "`x` must hold numbers. Received: dtype complex128"),
        (TypeError, np.array([None, {}]), [1, 0], "in rows of equal length. Received: array([None, {}], dtype=object)"),
        (ValueError, [[1, 2], [3]], [1, 0], "pad them first (pad_sequences). Received: [[1, 2], [3]]"),
        (TypeError, np.array([[1, 2], [3]], dtype=object), [1, 0], "`x` must hold numbers, in rows of equal length"),
        (TypeError, object(), Y, "`x` must hold numbers"),
        (ValueError, None, Y, "`x`, the input data, is missing. Received: x=None"),
        (ValueError, X, None, "`y`, the targets, is missing. Received: y=None"),
    ],
    ids=range(13),
)
def test_what_is_no_data(error, x, y, message):
    with raises(error, message):
        classifier().fit(x, y)


def test_errors_are_short_however_much_data_there_is():
    with pytest.raises(ValueError, match="different lengths") as caught:
        classifier().fit([[1] * (i % 7) for i in range(100_000)], Y)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("error", "x", "message"),
    [
        (
            ValueError,
            lambda: [(X, Y, Y, Y)],
            "Batch 0: A batch must be x, (x, y) or (x, y, sample_weight). Received: 4 items",
        ),
        (ValueError, lambda: [X], "Batch 0: `y`, the targets, is missing. Received: y=None"),
        (ValueError, lambda: [(X, Y), (X, Y[:3])], "Batch 1: `x` and `y` must have the same length"),
        (TypeError, lambda: [("a", "b")], "Batch 0: `x` must hold numbers"),
        (ValueError, lambda: [], "`x` must give at least one batch. Received: <list_iterator"),
    ],
    ids=range(5),
)
def test_generators_that_give_something_else(error, x, message):
    with raises(error, message):
        classifier().fit(iter(x()), verbose=0)


def test_a_generator_comes_alone():
    with raises(ValueError, "`y` must be left out when `x` gives the batches, (x, y). Received: x=<list_iterator"):
        classifier().fit(iter([(X, Y)]), Y)
    with raises(ValueError, "`validation_split` needs `x` and `y` as arrays"):
        classifier().fit(iter([(X, Y)]), validation_split=0.2)


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "options", "message"),
    [
        (ValueError, {"batch_size": 0}, "`batch_size` must be at least 1. Received: batch_size=0"),
        (ValueError, {"batch_size": -3}, "`batch_size` must be at least 1. Received: batch_size=-3"),
        (TypeError, {"batch_size": 2.5}, "`batch_size` must be an integer. Received: batch_size=2.5"),
        (
            TypeError,
            {"batch_size": (X, Y)},
            "Validation data are given by name, validation_data=(x, y). Received: batch_size=",
        ),
        (TypeError, {"epochs": 1.5}, "`epochs` must be an integer. Received: epochs=1.5"),
        (TypeError, {"epochs": "3"}, "`epochs` must be an integer. Received: epochs='3'"),
        (TypeError, {"epochs": True}, "`epochs` must be an integer. Received: epochs=True"),
        (ValueError, {"epochs": -1}, "`epochs` must be at least 0. Received: epochs=-1"),
        (ValueError, {"initial_epoch": -1}, "`initial_epoch` must be at least 0. Received: initial_epoch=-1"),
        (ValueError, {"steps_per_epoch": 0}, "`steps_per_epoch` must be at least 1. Received: steps_per_epoch=0"),
        (
            ValueError,
            {"validation_split": 1.0},
            "`validation_split` must be a number of at least 0 and below 1. Received: validation_split=1.0",
        ),
        (ValueError, {"validation_split": 20}, "below 1. Received: validation_split=20"),
        (ValueError, {"validation_split": -0.1}, "below 1. Received: validation_split=-0.1"),
        (ValueError, {"validation_split": "0.1"}, "below 1. Received: validation_split='0.1'"),
        (
            ValueError,
            {"validation_split": 0.99},
            "must leave samples to train and to validate on. Received: 0.99 of 23 samples",
        ),
        (
            ValueError,
            {"validation_data": X},
            "`validation_data`: must be (x, y), (x, y, sample_weight), or give batches",
        ),
        (
            ValueError,
            {"validation_data": (X,)},
            "`validation_data`: must be (x, y), (x, y, sample_weight), or give batches",
        ),
        (
            ValueError,
            {"validation_data": (X[:, :2], Y)},
            "expects an input of shape (None, 4). Received: shape (23, 2)",
        ),
        (ValueError, {"validation_freq": 0}, "`validation_freq` must be at least 1. Received: validation_freq=0"),
        (TypeError, {"validation_freq": "2"}, "`validation_freq` must be an integer. Received: validation_freq='2'"),
        (ValueError, {"verbose": 3}, "`verbose` must be 0, 1, 2 or 'auto'. Received: verbose=3"),
        (ValueError, {"shuffle": "all"}, "`shuffle` must be True, False or 'batch'. Received: shuffle='all'"),
        (
            ValueError,
            {"class_weight": [1, 2]},
            "`class_weight` must be a dict from class number to weight. Received: [1, 2]",
        ),
        (ValueError, {"class_weight": {0: 1}, "sample_weight": Y}, "cannot be given together. Received: both"),
        (ValueError, {"sample_weight": Y[:5]}, "one weight per sample, shape (23,). Received: shape (5,)"),
        (ValueError, {"sample_weight": X}, "one weight per sample, shape (23,). Received: shape (23, 4)"),
        (TypeError, {"callbacks": [EarlyStopping]}, "objects of subclasses of keras.callbacks.Callback"),
        (
            TypeError,
            {"callbacks": print},
            "keras.callbacks.LambdaCallback(on_epoch_end=...)). Received: <built-in function print>",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_arguments_of_fit(error, options, message):
    model = classifier()
    with raises(error, message):
        model.fit(X, Y, verbose=options.pop("verbose", 0), **options)
    assert model.optimizer.iterations == 0


def test_arguments_of_evaluate_and_predict():
    model = classifier()
    for call in (lambda: model.evaluate(X, Y, steps=0), lambda: model.predict(X, steps=0)):
        with raises(ValueError, "`steps` must be at least 1. Received: steps=0"):
            call()
    for call in (lambda: model.evaluate(X, Y, batch_size=1.0), lambda: model.predict(X, batch_size=1.0)):
        with raises(TypeError, "`batch_size` must be an integer. Received: batch_size=1.0"):
            call()


def test_a_model_that_is_not_compiled_or_has_no_loss():
    model = keras.Sequential([Dense(1, input_dim=4)])
    for call in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with raises(ValueError, f"Model '{model.name}' must be compiled before it is trained or evaluated"):
            getattr(model, call)(X, Y)
    model.compile("sgd")
    with raises(ValueError, "compiled without a loss: model.compile(loss=...). Received: loss=None"):
        model.fit(X, Y)
    name = model.layers[0].name
    with raises(ValueError, f"`loss` must have one entry for each output, ['{name}']. Received: 2 in ['mse', 'mse']"):
        model.compile("sgd", ["mse", "mse"])
    with raises(TypeError, "A loss must be a name, a Loss or a function. Received: 3"):
        model.compile("sgd", 3)


def test_a_model_of_several_outputs():
    x = keras.Input((3,))
    model = keras.Model(x, [Dense(1, name="price")(x), Dense(2, name="kind")(x)])
    x, y = np.zeros((4, 3)), [np.zeros(4), np.zeros((4, 2))]
    for arguments, message in [
        ({"loss": {"prize": "mse"}}, "Unknown output in compile: `loss`. Did you mean 'price'? Received: 'prize'"),
        ({"loss": ["mse"]}, "`loss` must have one entry for each output, ['price', 'kind']. Received: 1 in ['mse']"),
        ({"loss": "mse", "loss_weights": [1]}, "`loss_weights` must have one entry for each output"),
        ({"loss": "mse", "metrics": [["mae"]]}, "`metrics` must have one entry for each output"),
        ({"loss": "mse", "metrics": {"kinds": "mae"}}, "Unknown output in compile: `metrics`. Did you mean 'kind'?"),
    ]:
        with raises(ValueError, message):
            model.compile("sgd", **arguments)
    model.compile("sgd", "mse")
    for data, message in [
        ((x, y[0]), "`y` must be a list or a dict with the targets of ['price', 'kind']. Received: array("),
        ((x, y[:1]), "`y` must have one entry for each output, ['price', 'kind']. Received: 1 in [array("),
        ((x, {"price": y[0]}), "`y`: no targets for the outputs ['kind']. Received: {'price': array("),
        ((x, {"price": y[0], "sort": y[1]}), "Unknown output in `y`. Known: kind, price. Received: 'sort'"),
        ((x, [y[0], y[1][:3]]), "`x` and `y['kind']` must have the same length. Received: 4 in x, 3 in y"),
        ((x, y, [np.ones(4)]), "`sample_weight` must have one entry for each output"),
        ((x, y, {"kind": np.ones(3)}), "`sample_weight['kind']` must have one weight per sample, shape (4,)"),
    ]:
        with raises(ValueError, message):
            model.train_on_batch(*data)
    with raises(ValueError, "`class_weight` is for a model with one output; give a `sample_weight` for each."):
        model.fit(x, y, class_weight={0: 1.0})


def test_a_model_without_layers():
    model = keras.Sequential()
    model.compile("sgd", "mse")
    with raises(ValueError, f"Sequential '{model.name}' has no layers. Add some before it is used: model.add(...)"):
        model.fit(X, Y)


def test_files_that_are_not_there(tmp_path, monkeypatch):
    classifier().save(tmp_path / "best_model.h5")
    for read in (keras.models.load_model, classifier().load_weights):
        with raises(FileNotFoundError, f"No such file in {tmp_path}. Did you mean 'best_model.h5'? Received: '"):
            read(tmp_path / "bestmodel.h5")
        with raises(FileNotFoundError, f"No such file in {tmp_path / 'models'}. Received: '{tmp_path}/models/x.h5'"):
            read(tmp_path / "models" / "x.h5")
    monkeypatch.chdir(tmp_path)
    with raises(FileNotFoundError, "Did you mean 'best_model.h5'? Received: 'best.h5'"):
        keras.models.load_model("best.h5")
