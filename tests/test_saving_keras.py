"""Files exchanged with Keras 3 and tf_keras: theirs are read here, and ours are read there.

Theirs always come from tests/fixtures (see tests/write_file_fixtures.py). Where TensorFlow is installed, they are also
written anew, and ours are read.
"""

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from file_cases import CASES, COMPILED, FIT, PEERS, attention, functional, predictions, random_weights, states, text
from live import keras_module, needs_tensorflow
from model_data import features
from write_file_fixtures import FILE, write

import fastkeras
from fastkeras import saving

PAIRS = [(case, peer) for case in CASES for peer in PEERS]


def for_each(pairs):
    return pytest.mark.parametrize(("case", "peer"), pairs, ids=[f"{case.__name__}-{peer}" for case, peer in pairs])


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The folder of the files in tests/fixtures."""
    folder = tmp_path_factory.mktemp("stored")
    with zipfile.ZipFile(FILE) as archive:
        archive.extractall(folder)
    return folder


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def assert_trains_on(model, x, y, history, case, peer):
    """Another fit gives the same loss and metrics by epoch.

    Keras 3 treats repeated ids in another way than tf_keras and the formula, so text agrees less well with it.
    """
    loose = case is text and peer == "keras"
    found = model.fit(x, y, **FIT).history
    assert sorted(found) == sorted(history)
    for key, values in history.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-3 if loose else 1e-5, err_msg=key)


# --- theirs ----------------------------------------------------------------------------------------------------------


def check_reading(folder, case, peer):
    """Everything that a peer wrote is read: whole models, which train on, and weights by themselves."""
    start = folder / f"{peer}_{case.__name__}"
    results = json.loads(Path(f"{start}_results.json").read_text())
    made, x, y = case(fastkeras)

    with warnings.catch_warnings():
        if y is None:
            warnings.filterwarnings("ignore", message=".* does not say how the model was compiled")
        model = saving.load_model(f"{start}.h5")
    assert_same(predictions(model, x), results["predictions"])
    assert [layer.name for layer in model.layers] == [
        layer.name for layer in model.from_config(model.get_config()).layers
    ]
    if y is not None:
        assert model.optimizer.iterations == 8
        assert_trains_on(model, x, y, results["history"], case, peer)

    from_json = saving.model_from_json(Path(f"{start}.json").read_text())
    from_json.load_weights(f"{start}.weights.h5")
    assert_same(predictions(from_json, x), results["predictions"])
    if peer == "tf_keras":
        random_weights(from_json, 9)
        from_json.load_weights(f"{start}_weights.h5")
        assert_same(predictions(from_json, x), results["predictions"])

    if y is not None:
        made.fit(x, y, **FIT)  # its weights and its optimizer's state are others now
    made.load_weights(f"{start}.weights.h5")
    assert_same(predictions(made, x), results["predictions"])
    if y is not None:
        assert_trains_on(made, x, y, results["history"], case, peer)


@for_each(PAIRS)
def test_files_that_keras_wrote(stored, case, peer):
    check_reading(stored, case, peer)


@needs_tensorflow
@for_each(PAIRS)
def test_files_that_keras_writes(tmp_path, case, peer):
    write(keras_module(peer), case, tmp_path)
    check_reading(tmp_path, case, peer)


@needs_tensorflow
@pytest.mark.parametrize("optimizer", ["Adam", "RMSprop", "SGD", "Adagrad", "Adamax", "Adadelta", "Ftrl"])
def test_optimizers_from_before_tensorflow_2_11(tmp_path, optimizer):
    """Their state has other names and another order; such files are what most of the world's .h5 are."""
    keras = keras_module("tf_keras")
    model, x, y = functional(keras)
    options = {"Adam": {"amsgrad": True}, "RMSprop": {"momentum": 0.5, "centered": True}, "SGD": {"momentum": 0.5}}
    made = getattr(keras.optimizers.legacy, optimizer)(0.01, **options.get(optimizer, {}))
    model.compile(made, "sparse_categorical_crossentropy")
    model.fit(x, y, **FIT)
    model.save(tmp_path / "old.h5")
    loaded = saving.load_model(tmp_path / "old.h5")
    assert loaded.optimizer.iterations == 8
    assert_trains_on(loaded, x, y, model.fit(x, y, **FIT).history, functional, "tf_keras")


@needs_tensorflow
@pytest.mark.parametrize("peer", PEERS)
def test_weights_of_sgd_without_momentum(tmp_path, peer):
    """tf_keras writes momenta all the same."""
    x, y = features(5, 4), features(5, 2, seed=1)

    def small(keras):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    theirs, ours = small(keras_module(peer)), small(fastkeras)
    theirs.train_on_batch(x, y)
    theirs.save_weights(tmp_path / "sgd.weights.h5")
    ours.load_weights(tmp_path / "sgd.weights.h5")
    assert ours.optimizer.iterations == 1
    np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-5)


# --- ours ------------------------------------------------------------------------------------------------------------

# Keras 3 cannot read initial states, nor a Model in a Model, in the layout that tf_keras reads.
NOT_READ_BY = [(states, "keras"), (attention, "tf_keras")]
READ_BY = [pair for pair in PAIRS if pair not in NOT_READ_BY]


@needs_tensorflow
@for_each(READ_BY)
def test_keras_reads_our_files(tmp_path, case, peer):
    keras = keras_module(peer)
    model, x, y = case(fastkeras)
    expected = predictions(model, x)
    model.save(tmp_path / "model.h5")
    model.save_weights(tmp_path / "model.weights.h5")
    model.save_weights(tmp_path / "model_weights.h5")
    history = model.fit(x, y, **FIT).history if y is not None else None

    loaded = keras.models.load_model(tmp_path / "model.h5")
    assert_same(predictions(loaded, x), expected)
    if y is not None and peer == "tf_keras":  # Keras 3 cannot train on from any .h5
        assert int(loaded.optimizer.iterations) == 8
        assert_trains_on(loaded, x, y, history, case, peer)

    from_json = keras.models.model_from_json(model.to_json())
    for name in ("model.weights.h5", "model_weights.h5"):
        random_weights(from_json, 9)
        from_json.load_weights(tmp_path / name)
        assert_same(predictions(from_json, x), expected)


@needs_tensorflow
@pytest.mark.parametrize("case", COMPILED)
def test_keras_3_trains_on_from_our_weights(tmp_path, case):
    """.weights.h5 holds the optimizer's state too."""
    model, x, y = case(fastkeras)
    model.save_weights(tmp_path / "model.weights.h5")
    theirs, _, _ = case(keras_module("keras"))
    theirs.fit(x, y, **FIT)
    theirs.load_weights(tmp_path / "model.weights.h5")
    assert_same(predictions(theirs, x), predictions(model, x))
    assert_trains_on(theirs, x, y, model.fit(x, y, **FIT).history, case, "keras")


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {"amsgrad": True, "decay": 0.1}),
        ("RMSprop", {"momentum": 0.5, "centered": True, "clipnorm": 0.1}),
        ("SGD", {"momentum": 0.5, "clipvalue": 0.01}),
        ("Adagrad", {}),
        ("Adamax", {}),
        ("Adadelta", {}),
        ("Ftrl", {}),
    ],
)
def test_tf_keras_trains_on_with_the_options_of_optimizers(tmp_path, name, options):
    model, x, y = functional(fastkeras)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastkeras advises against decay
        optimizer = getattr(fastkeras.optimizers, name)(0.01, **options)
    model.compile(optimizer, "sparse_categorical_crossentropy", weighted_metrics=["acc"], loss_weights=0.5)
    model.fit(x, y, **FIT)
    model.save(tmp_path / "model.h5")
    loaded = keras_module("tf_keras").models.load_model(tmp_path / "model.h5")
    assert_trains_on(loaded, x, y, model.fit(x, y, **FIT).history, functional, "tf_keras")


@needs_tensorflow
@pytest.mark.parametrize("peer", PEERS)
def test_keras_reads_a_model_that_was_not_trained_yet(tmp_path, peer):
    model = fastkeras.Sequential([fastkeras.layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("adam", fastkeras.losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy", "mse"])
    model.save(tmp_path / "new.h5")
    x = np.eye(4, dtype="f")
    loaded = keras_module(peer).models.load_model(tmp_path / "new.h5")
    assert_same([loaded.predict(x, verbose=0)], [model.predict(x, verbose=0)])


# --- .keras ----------------------------------------------------------------------------------------------------------


@needs_tensorflow
@pytest.mark.parametrize("case", CASES)
def test_archives_go_both_ways(tmp_path, case):
    keras = keras_module("keras")
    model, x, y = case(fastkeras)
    theirs, _, _ = case(keras)
    theirs.set_weights(model.get_weights())
    theirs.save(tmp_path / "theirs.keras")
    model.save(tmp_path / "ours.keras")
    with warnings.catch_warnings():
        if y is None:
            warnings.filterwarnings("ignore", message=".* does not say how the model was compiled")
        read_here = saving.load_model(tmp_path / "theirs.keras")
    expected = predictions(model, x)
    assert_same(predictions(read_here, x), expected)
    read_there = keras.models.load_model(tmp_path / "ours.keras")
    assert_same(predictions(read_there, x), expected)
    if y is not None:
        assert int(read_there.optimizer.iterations) == model.optimizer.iterations
        assert_trains_on(read_there, x, y, model.fit(x, y, **FIT).history, case, "keras")
        assert_trains_on(read_here, x, y, theirs.fit(x, y, **FIT).history, case, "keras")


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.5}),
        ("RMSprop", {"momentum": 0.5, "centered": True}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
        ("Adagrad", {}),
        ("Nadam", {}),
        ("Adamax", {}),
        ("Adadelta", {}),
        ("Lion", {}),
        ("Ftrl", {}),
    ],
)
def test_optimizers_go_both_ways_in_archives_and_weights(tmp_path, name, options):
    keras = keras_module("keras")
    model, x, y = functional(fastkeras)
    theirs, _, _ = functional(keras)
    theirs.set_weights(model.get_weights())

    def train_on(model):
        for _ in range(3):  # much quicker than Keras's fit
            model.train_on_batch(x, y)
        return np.concatenate([weight.ravel() for weight in model.get_weights()])

    for one, package, who in ((model, fastkeras, "ours"), (theirs, keras, "theirs")):
        one.compile(getattr(package.optimizers, name)(0.01, **options), "sparse_categorical_crossentropy")
        train_on(one)
        one.save(tmp_path / f"{who}.keras")
        one.save_weights(tmp_path / f"{who}.weights.h5")
    read_here = saving.load_model(tmp_path / "theirs.keras")
    read_there = keras.models.load_model(tmp_path / "ours.keras")
    for loaded, saved, who in ((read_there, model, "ours"), (read_here, theirs, "theirs")):
        expected = train_on(saved)
        for kept_in in ("archive", "weights"):
            np.testing.assert_allclose(train_on(loaded), expected, atol=2e-6, err_msg=kept_in)
            loaded.load_weights(tmp_path / f"{who}.weights.h5")  # and with them what the optimizer kept then


@needs_tensorflow
def test_archives_of_tf_keras_have_the_optimizer_by_name(tmp_path):
    theirs, x, y = text(keras_module("tf_keras"))
    theirs.save(tmp_path / "theirs.keras")
    read_here = saving.load_model(tmp_path / "theirs.keras")
    assert_same(predictions(read_here, x), predictions(theirs, x))
    assert_trains_on(read_here, x, y, theirs.fit(x, y, **FIT).history, text, "tf_keras")
