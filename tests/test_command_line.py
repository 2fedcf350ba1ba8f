"""python -m fastkeras inspect and convert: what files hold, and files made of files."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from file_cases import COMPILED, branches, predictions, random_weights, text

import fastkeras
from fastkeras import saving
from fastkeras.__main__ import main
from fastkeras.layers import LSTM, Bidirectional, Dense, Embedding
from fastkeras.saving.inspection import describe


def classifier():
    layers = [
        Embedding(50, 4, input_length=6, name="words"),
        Bidirectional(LSTM(3), name="both"),
        Dense(2, name="last"),
    ]
    model = fastkeras.Sequential(layers, name="small")
    model.compile(fastkeras.optimizers.Adam(0.01), "mse", metrics=["mae", fastkeras.metrics.MeanSquaredError(name="m")])
    return model


LAYERS = """\
layer                         parameters  shapes
words_input (InputLayer)               0
words (Embedding)                    200  (50, 4)
both (Bidirectional)                 192  (4, 12) (3, 12) (12,) (4, 12) (3, 12) (12,)
last (Dense)                          14  (6, 2) (2,)
in all                               406

optimizer   Adam, learning rate 0.01
loss        mean_squared_error
metrics     mae, m
state       {state} arrays of the optimizer"""


@pytest.mark.parametrize(
    ("name", "kind", "state"), [("model.keras", "3 (.keras)", 20), ("model.h5", "1, 2 or 3 (.h5)", 19)]
)
def test_a_whole_model(tmp_path, name, kind, state):
    path = tmp_path / name
    classifier().save(path)
    assert "\n".join(describe(path)) == "\n".join(
        [
            f"file        {path}, {path.stat().st_size:,} bytes",
            f"format      a whole model, of Keras {kind}",
            f"written by  fastkeras {fastkeras.__version__}",
            "model       Sequential 'small', 4 layers",
            "",
            LAYERS.format(state=state),
        ]
    )


def test_weights_alone(tmp_path):
    model = classifier()
    found = {}
    for name in ("w.h5", "w.weights.h5", "w.npz"):
        model.save_weights(tmp_path / name)
        found[name] = describe(tmp_path / name)
        assert any(line.split() == ["in", "all", "406"] for line in found[name]), found[name]
    assert found["w.h5"][1:5] == [
        "format      weights by layer, of Keras 1 or 2 (.h5)",
        "written by  Keras 2.15.0",
        "",
        "layer                         parameters  shapes",
    ]
    assert found["w.weights.h5"][-1] == "state       20 arrays of the optimizer"
    assert found["w.weights.h5"][-3].split() == ["layers/embedding/vars/0", "200", "(50,", "4)"]
    assert found["w.npz"][4].split() == ["words/embeddings", "200", "(50,", "4)"]


def test_an_architecture_and_a_model_that_was_not_compiled(tmp_path):
    model, _, _ = branches(fastkeras)
    (tmp_path / "model.json").write_text(model.to_json())
    assert describe(tmp_path / "model.json")[1:] == [
        "format      an architecture, without weights (.json)",
        "written by  Keras 2.15.0",
        "model       Functional 'branches', 6 layers",
        "",
        "layer",
        *(f"{layer.name} ({type(layer).__name__})" for layer in model.layers),
    ]
    model.save(tmp_path / "model.keras")
    assert describe(tmp_path / "model.keras")[-1] == "training    not compiled"


def test_what_keras_would_run_is_named_and_nothing_is_run(tmp_path):
    def layer(class_name, module="keras.layers", **config):
        return {"class_name": class_name, "module": module, "config": config, "name": "x", "inbound_nodes": []}

    layers = [
        layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEA"}}),
        layer("system", module="os", name="x"),
        layer("Mine", name="x"),
        layer("Dense", units=2, kernel_initializer={"module": "antigravity", "class_name": "fly", "config": {}}),
    ]
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_group("layers")
    with zipfile.ZipFile(tmp_path / "bad.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": layers}}))
        archive.writestr("../model.weights.h5", b"")
        archive.writestr("model.weights.h5", content.getvalue())
    found = [line for line in describe(tmp_path / "bad.keras") if line.startswith("unsafe")]
    assert [line.split("      ")[1] for line in found] == [
        f"{what}; fastkeras runs nothing from files"
        for what in (
            "member '../model.weights.h5' lies outside the archive",
            "Lambda 'x' holds Python code",
            "__lambda__ '?' holds Python code",
            "system 'x' is to be imported from 'os'",
            "Mine 'x' is no class of Keras's: it needs custom_objects",
            "fly '?' is to be imported from 'antigravity'",
        )
    ]
    assert "antigravity" not in sys.modules


def test_damaged_files_are_errors(tmp_path):
    (tmp_path / "no.keras").write_bytes(b"PK")
    (tmp_path / "no.h5").write_bytes(b"nothing")
    (tmp_path / "no.npz").write_bytes(b"nothing")
    (tmp_path / "no.json").write_text("{")
    for name in ("no.keras", "no.h5", "no.npz", "no.json", "no.txt"):
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            describe(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        describe(tmp_path / "nothing.keras")


# --- convert ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", COMPILED[:2])
def test_a_model_goes_from_one_kind_to_another_and_back(tmp_path, case):
    model, x, _ = case(fastkeras)
    model.save(tmp_path / "a.h5")
    saving.convert(tmp_path / "a.h5", tmp_path / "b.keras")
    saving.convert(tmp_path / "b.keras", tmp_path / "c.h5")
    again = saving.load_model(tmp_path / "c.h5")
    assert again.get_config() == model.get_config() and again.optimizer.iterations == model.optimizer.iterations
    assert np.array_equal(predictions(again, x)[0], predictions(model, x)[0])


def test_the_parts_of_a_model(tmp_path):
    model, x, _ = text(fastkeras)
    model.save(tmp_path / "a.keras")
    for name in ("a.weights.h5", "a.npz", "a.json"):
        saving.convert(tmp_path / "a.keras", tmp_path / name)
    made = saving.model_from_json((tmp_path / "a.json").read_text())
    made.build((None, *x.shape[1:]))
    for name in ("a.weights.h5", "a.npz"):
        random_weights(made, 9)
        made.load_weights(tmp_path / name)
        assert np.array_equal(predictions(made, x)[0], predictions(model, x)[0])


@pytest.mark.parametrize(
    ("name", "first"),
    [("w.h5", "words/embeddings"), ("w.weights.h5", "layers/bidirectional/backward_layer/cell/vars/0")],
)
def test_weights_alone_become_arrays(tmp_path, name, first):
    model = classifier()
    model.save_weights(tmp_path / name)
    saving.convert(tmp_path / name, tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as arrays:
        assert next(iter(arrays)) == first
        assert sorted(a.shape for a in arrays.values()) == sorted(w.shape for w in model.get_weights())


def test_what_cannot_be_converted(tmp_path):
    model = classifier()
    model.save_weights(tmp_path / "w.h5")
    model.save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"holds weights alone, which can become \.npz; another .* needs the model"):
        saving.convert(tmp_path / "w.h5", tmp_path / "w.keras")
    with pytest.raises(ValueError, match=r"must be \.keras, \.h5 or \.hdf5"):
        saving.convert(tmp_path / "w.npz", tmp_path / "new.h5")
    with pytest.raises(FileExistsError):
        saving.convert(tmp_path / "m.h5", tmp_path / "w.h5")
    with pytest.raises(ValueError, match="name of a model's file must end in"):
        saving.convert(tmp_path / "m.h5", tmp_path / "m.txt")
    assert sorted(os.listdir(tmp_path)) == ["m.h5", "w.h5"]


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_commands(tmp_path, capsys):
    classifier().save(tmp_path / "m.h5")
    assert main(["inspect", str(tmp_path / "m.h5")]) == 0
    assert capsys.readouterr().out.splitlines() == describe(tmp_path / "m.h5")
    assert main(["convert", str(tmp_path / "m.h5"), str(tmp_path / "m.keras")]) == 0
    assert main(["convert", str(tmp_path / "m.h5"), str(tmp_path / "m.keras")]) == 1
    assert "m.keras' exists already" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "m.h5"), str(tmp_path / "m.keras"), "--force"]) == 0
    assert main(["inspect", str(tmp_path / "none.h5")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    config = {"class_name": "Dense", "config": {"units": 2, "sparkle": 7}}
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 3]}}, config]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"dense"])
        group.create_group("dense").attrs["weight_names"] = np.array([b"k", b"b"])
        group["dense/k"], group["dense/b"] = np.ones((3, 2), "f"), np.ones(2, "f")
    assert main(["convert", str(tmp_path / "odd.h5"), str(tmp_path / "odd.keras")]) == 0
    assert capsys.readouterr().err.startswith("note: ")


@pytest.mark.parametrize("arguments", [[], ["inspekt", "x"], ["none.py"], ["inspect"], ["convert", "a.h5"]])
def test_wrong_usage_has_an_exit_code_of_its_own(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2 and "usage: python -m fastkeras" in capsys.readouterr().err


def test_it_runs_as_a_module(tmp_path):
    classifier().save(tmp_path / "m.keras")
    command = [sys.executable, "-m", "fastkeras", "inspect", str(tmp_path / "m.keras")]
    root = Path(__file__).parent.parent
    result = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=60)
    assert result.returncode == 0 and result.stdout.splitlines() == describe(tmp_path / "m.keras"), result.stderr
