"""Saving and loading: what comes back, and under which names and in which folders."""

import copy
import json
import os
import pickle
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from file_cases import CASES, COMPILED, FIT, predictions, random_weights
from model_data import features, tokens
from saved_models import loaded, run_python, same, small

import fastkeras
from fastkeras import saving
from fastkeras.layers import Dense, Embedding, Layer, SimpleRNN

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:.* does not say how the model was compiled"),
]

# --- what comes back -------------------------------------------------------------------------------------------------


BOTH_KINDS = pytest.mark.parametrize("name", ["model.h5", "model.keras"])


@BOTH_KINDS
@pytest.mark.parametrize("case", CASES)
def test_a_model_comes_back_as_it_was(tmp_path, case, name):
    model, x, _ = case(fastkeras)
    again = loaded(model, tmp_path, name)
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    assert [v.path for v in again.variables] == [v.path for v in model.variables]
    assert same(again.get_weights(), model.get_weights())
    assert same(predictions(again, x), predictions(model, x))


@BOTH_KINDS
@pytest.mark.parametrize("case", COMPILED)
def test_training_goes_on_bit_for_bit(tmp_path, case, name):
    model, x, y = case(fastkeras)
    again = loaded(model, tmp_path, name)
    assert again.metrics_names == model.metrics_names
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert again.fit(x, y, **FIT).history == model.fit(x, y, **FIT).history
    assert same(again.get_weights(), model.get_weights())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5", "w.hdf5", "w.npz"])
def test_weights_come_back(tmp_path, case, name):
    model, _, _ = case(fastkeras)
    weights = model.get_weights()
    model.save_weights(tmp_path / name)
    random_weights(model, 9)
    assert model.load_weights(tmp_path / name) is None
    assert same(model.get_weights(), weights)


@BOTH_KINDS
def test_weights_of_a_whole_model_can_be_read_alone(tmp_path, name):
    model, other = small(optimizer="adam", loss="mse"), small()
    model.save(tmp_path / name)
    random_weights(other, 7)
    other.load_weights(tmp_path / name)
    assert same(other.get_weights(), model.get_weights())


def test_an_archive_gives_the_optimizers_state_too(tmp_path):
    x, y = features(7, 3), features(7, 2)
    model, other = small(optimizer="adam", loss="mse"), small(optimizer="adam", loss="mse")
    model.fit(x, y, **FIT)
    model.save(tmp_path / "model.keras")
    other.load_weights(tmp_path / "model.keras")
    assert other.fit(x, y, **FIT).history == model.fit(x, y, **FIT).history


@pytest.mark.parametrize("case", CASES)
def test_the_architecture_comes_back_from_json(case):
    model, x, _ = case(fastkeras)
    again = saving.model_from_json(model.to_json(indent=1))
    assert again.get_config() == model.get_config()
    assert again.optimizer is None
    again.set_weights(model.get_weights())
    assert same(predictions(again, x), predictions(model, x))
    assert saving.model_from_config(json.loads(model.to_json())).get_config() == model.get_config()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("case", CASES)
def test_copies_are_equal_and_independent(case, copied):
    model, x, y = case(fastkeras)
    again = copied(model)
    assert again.get_config() == model.get_config()
    assert same(predictions(again, x), predictions(model, x))
    assert all(
        layer.output_shape == other.output_shape for layer, other in zip(model.layers, again.layers, strict=True)
    )
    if y is not None:
        once = copied(again)
        history = model.fit(x, y, **FIT).history
        assert again.fit(x, y, **FIT).history == history
        assert once.fit(x, y, **FIT).history == history
    before = predictions(model, x)
    random_weights(again, 9)
    assert same(predictions(model, x), before)


def test_unbuilt_models_and_single_layers_can_be_copied():
    model = fastkeras.Sequential([Dense(3), Dense(1)])
    model.compile("sgd", "mse")
    again = pickle.loads(pickle.dumps(model))
    again.fit(np.ones((2, 4)), np.ones((2, 1)), verbose=0)
    assert not model.built and again.built

    layer = small().layers[0]
    again = copy.deepcopy(layer)
    assert again.sites == [] and len(layer.sites) == 1
    x = features(5, 3)
    assert np.array_equal(again(x), layer(x))


def test_a_model_in_many_threads_can_be_copied():
    """The lock and the buffers of predictions stay behind."""
    model = small()
    model.predict(np.ones((2, 3)), verbose=0)
    again = pickle.loads(pickle.dumps(model))
    assert again._lock is not model._lock and again._idle_passes == []
    assert len(pickle.dumps(model)) < 5000


def test_a_model_built_by_its_first_data_still_takes_other_lengths(tmp_path):
    model = fastkeras.Sequential([Embedding(13, 4), SimpleRNN(3)])
    model.predict(tokens(5, 6, 13), verbose=0)
    for again in (loaded(model, tmp_path), pickle.loads(pickle.dumps(model))):
        longer = tokens(5, 9, 13)
        assert same(predictions(again, longer), predictions(model, longer))


def test_an_input_shape_that_was_declared_still_binds(tmp_path):
    again = loaded(fastkeras.Sequential([fastkeras.Input((4, 3)), SimpleRNN(2)]), tmp_path)
    with pytest.raises(ValueError, match=r"\(None, 4, 3\)"):
        again.predict(np.ones((2, 5, 3)), verbose=0)


def test_frozen_layers_and_own_order_of_weights(tmp_path):
    """Files of Keras 2 have the trained weights of a layer first, whatever order they were made in."""

    class Shifted(Layer):
        def build(self, input_shape):
            self.shift = self.add_weight("shift", (input_shape[-1],), "ones", trainable=False)
            self.scale = self.add_weight("scale", (input_shape[-1],), "zeros")

        def forward(self, x, run):
            return x * self.scale.value + self.shift.value, lambda dy: dy * self.scale.value

    model = fastkeras.Sequential([Shifted(input_shape=(3,)), Dense(2)])
    model.layers[1].trainable = False
    random_weights(model, 3)
    model.save(tmp_path / "model.h5")
    again = saving.load_model(tmp_path / "model.h5", custom_objects={"Shifted": Shifted})
    assert same(
        [again.layers[0].scale.value, again.layers[0].shift.value], [v.value for v in model.layers[0].variables]
    )
    assert not again.layers[1].trainable and again.layers[0].trainable
    with h5py.File(tmp_path / "model.h5") as f:
        names = f["model_weights"][model.layers[0].name].attrs["weight_names"]
    assert [name.decode().split("/")[-1] for name in names] == ["scale:0", "shift:0"]
    model.save_weights(tmp_path / "model.weights.h5")
    random_weights(again, 9)
    again.load_weights(tmp_path / "model.weights.h5")
    assert same(again.get_weights(), model.get_weights())


def test_a_weight_frozen_by_itself_keeps_its_place_in_weight_files(tmp_path):
    model = small()
    model.layers[0].kernel.trainable = False
    model.save_weights(tmp_path / "w.weights.h5")
    other = small()
    random_weights(other, 9)
    other.load_weights(tmp_path / "w.weights.h5")
    assert same(other.get_weights(), model.get_weights())


def test_names_beyond_the_limit_of_an_attribute(tmp_path):
    """HDF5 holds 64 KB in an attribute; longer lists of names are cut up, as Keras does."""
    model = fastkeras.Sequential([Dense(2, input_shape=(2,), name="first_" + "x" * 400)])
    for i in range(200):
        model.add(Dense(2, name=f"layer_{i}_" + "y" * 400))
    again = loaded(model, tmp_path)
    assert same(again.get_weights(), model.get_weights())
    with h5py.File(tmp_path / "model.h5") as f:
        attributes = f["model_weights"].attrs
        assert "layer_names" not in attributes
        assert len(attributes["layer_names0"]) + len(attributes["layer_names1"]) < 201


def test_weights_of_one_name_in_one_layer(tmp_path):
    class Twins(Layer):
        def build(self, input_shape):
            for _ in range(3):
                self.add_weight("w", (2,), "uniform")

        def forward(self, x, run):
            return x, lambda dy: dy

    model = fastkeras.Sequential([Twins(input_shape=(3,))])
    assert same(loaded(model, tmp_path, custom_objects={"Twins": Twins}).get_weights(), model.get_weights())


@BOTH_KINDS
def test_training_goes_on_where_layers_of_two_models_have_one_name(tmp_path, name):
    parts = [fastkeras.Sequential([Dense(3, name="same", input_shape=(3,))], name=part) for part in ("one", "two")]
    model = fastkeras.Sequential(parts)
    model.compile("adam", "mse")
    x, y = features(7, 3), features(7, 3, seed=2)
    model.fit(x, y, **FIT)
    again = loaded(model, tmp_path, name)
    assert again.fit(x, y, **FIT).history == model.fit(x, y, **FIT).history


def test_the_optimizer_may_be_left_out(tmp_path):
    model = small(optimizer="adam", loss="mse")
    model.save(tmp_path / "model.h5", include_optimizer=False)
    assert saving.load_model(tmp_path / "model.h5").optimizer is None
    with h5py.File(tmp_path / "model.h5") as f:
        assert "training_config" not in f.attrs and "optimizer_weights" not in f
    assert loaded(model, tmp_path, compile=False).optimizer is None
    assert loaded(model, tmp_path, safe_mode=False).optimizer.name == "adam"


def test_a_model_that_was_never_compiled_says_so(tmp_path):
    small().save(tmp_path / "model.h5")
    with pytest.warns(UserWarning, match=r"model\.h5' does not say how the model was compiled") as caught:
        assert saving.load_model(tmp_path / "model.h5").optimizer is None
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded(small(), tmp_path, compile=False)


@pytest.mark.parametrize(
    ("options", "loss", "reported"),
    [
        ({"loss": "mae", "metrics": ["acc", "acc"]}, "mean_absolute_error", ["loss", "acc", "acc_1"]),
        (
            {"loss": "MSE", "metrics": [["mae"], "binary_accuracy"]},
            "mean_squared_error",
            ["loss", "mae", "binary_accuracy"],
        ),
        ({"loss": None}, None, ["loss"]),
        ({"loss": ["mse"], "loss_weights": [0.5], "weighted_metrics": ["mse"]}, None, ["loss", "mse"]),
        ({"loss": fastkeras.losses.mean_squared_error}, None, ["loss"]),
    ],
)
@BOTH_KINDS
@pytest.mark.parametrize("trained", [False, True])
def test_the_arguments_of_compile_come_back(tmp_path, options, loss, reported, trained, name):
    model = small(optimizer="sgd", **options)
    x, y = features(7, 3), np.eye(2)[[0, 1, 1, 0, 1, 0, 0]]
    if trained and options["loss"]:
        model.fit(x, y, **FIT)
    again = loaded(model, tmp_path, name)
    assert again.metrics_names == reported
    assert loss is None or again.loss == loss
    if options["loss"]:
        assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
        assert again.fit(x, y, **FIT).history == model.fit(x, y, **FIT).history


def test_files_can_be_read_where_h5py_is_not_installed(tmp_path):
    """h5py writes, but is not even imported to read, and not by importing fastkeras."""
    small(optimizer="adam", loss="mse").save(tmp_path / "model.h5")
    code = "import sys; sys.modules['h5py'] = None; from fastkeras import saving; saving.load_model(sys.argv[1])"
    result = run_python(code, tmp_path / "model.h5")
    assert result.returncode == 0, result.stderr


# --- names and folders -----------------------------------------------------------------------------------------------


def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model = small()
    model.save("~/new/folder/model.HDF5")
    model.save(str(tmp_path / "text.h5"))
    model.save(Path("~") / "path.h5")
    model.save_weights("~/w.weights.h5")
    for name in ("~/new/folder/model.HDF5", "~/text.h5", tmp_path / "path.h5"):
        assert same(saving.load_model(name).get_weights(), model.get_weights())
    model.load_weights(Path("~/w.weights.h5"))
    assert sorted(os.listdir(tmp_path)) == ["new", "path.h5", "text.h5", "w.weights.h5"]


@pytest.mark.parametrize("name", ["model.kera", "model", "model.h5.zip", "model.pb"])
def test_names_of_model_files(tmp_path, name):
    with pytest.raises(ValueError, match=rf"must end in \.keras, \.h5 or \.hdf5\. Received: '.*{name}'"):
        small().save(tmp_path / name)
    with pytest.raises(ValueError, match=r"must end in \.keras, \.h5 or \.hdf5"):
        saving.load_model(tmp_path / name)
    with pytest.raises(
        ValueError, match=r"must end in \.weights\.h5 \(Keras 3\), \.h5 or \.hdf5 \(Keras 2\), or \.npz"
    ):
        small().save_weights(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_names_that_are_for_something_else(tmp_path):
    with pytest.raises(ValueError, match="Weights are for save_weights"):
        small().save(tmp_path / "model.weights.h5")
    with pytest.raises(TypeError, match=r"`filepath` must be a path\. Received: 3"):
        small().save(3)
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(ValueError, match=r"folder\.h5"):
        small().save(tmp_path / "folder.h5")
    with pytest.raises(ValueError, match=r"Received: '.*folder\.h5', a folder"):
        saving.load_model(tmp_path / "folder.h5")
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5"):
        saving.load_model(tmp_path / "nothing.h5")
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5"):
        small().load_weights(tmp_path / "nothing.h5")


def test_arguments_of_save(tmp_path):
    small().save(tmp_path / "model.h5", save_format="h5", zipped=None)
    with pytest.raises(TypeError, match="Did you mean 'include_optimizer'"):
        small().save(tmp_path / "model.h5", include_optimiser=False)


def test_a_model_must_be_built_to_be_saved(tmp_path):
    model = fastkeras.Sequential([Dense(3)])
    for write in (model.save, model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match="is not built yet"):
            write(tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("write", ["save", "save_weights"])
def test_overwriting_can_be_forbidden(tmp_path, monkeypatch, write):
    model, path = small(), tmp_path / "model.h5"
    getattr(model, write)(path, overwrite=False)
    before = path.read_bytes()
    random_weights(model, 3)
    with pytest.raises(FileExistsError, match=r"exists already\. Received: overwrite=False"):
        getattr(model, write)(path, overwrite=False)

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    for answer, changed in (("n", False), ("", False), ("Y", True)):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        getattr(model, write)(path, overwrite=False)
        assert (path.read_bytes() != before) is changed
