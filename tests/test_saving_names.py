"""What files may name: the library's classes and what is the user's own; configurations from elsewhere."""

import json
import os
import pickle
import sys
import zipfile

import h5py
import numpy as np
import pytest
from file_cases import FIT, random_weights, text
from model_data import features
from saved_models import loaded, run_python, same, small

import fastkeras
from fastkeras import ops, saving
from fastkeras.layers import Dense, Layer
from fastkeras.utils.custom_objects import custom_object_scope

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:.* does not say how the model was compiled"),
]

# --- what files may name ---------------------------------------------------------------------------------------------


class Scaled(Layer):
    """y = factor x w"""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.w = self.add_weight("w", (input_shape[-1],), "uniform")

    def forward(self, x, run):
        y = self.factor * x * self.w.value

        def backward(dy):
            self.w.grad += (self.factor * x * dy).sum(axis=0)
            return self.factor * self.w.value * dy

        return y, backward

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Cubed:
    """An activation: x^3"""

    name = "cubed"

    def forward(self, x):
        return x**3, lambda dy: 3 * x**2 * dy


def absolute(y_true, y_pred):
    error = y_pred - y_true
    return np.abs(error).mean(axis=1), np.sign(error) / error.shape[1]


def largest_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max(axis=1)


def halves(shape, dtype=None):
    return np.full(shape, 0.5, np.float32)


OWN = {c.__name__: c for c in (Scaled, Cubed, absolute, largest_error, halves)}


def own_model():
    model = fastkeras.Sequential(
        [Scaled(2.0, input_shape=(3,)), Dense(2, activation=Cubed(), bias_initializer=halves), Scaled(factor=0.5)]
    )
    model.compile("sgd", absolute, metrics=[largest_error])
    x, y = features(7, 3), features(7, 2)
    model.fit(x, y, **FIT)
    return model, x, y


def test_classes_and_functions_of_the_users_own(tmp_path):
    model, x, y = own_model()
    model.save(tmp_path / "model.h5")
    in_argument = saving.load_model(tmp_path / "model.h5", custom_objects=OWN)
    with custom_object_scope(OWN):
        in_scope = saving.load_model(tmp_path / "model.h5")
    in_json = saving.model_from_json(model.to_json(), OWN)
    history = model.fit(x, y, **FIT).history
    for again in (in_argument, in_scope, pickle.loads(pickle.dumps(in_argument))):
        assert again.metrics_names == ["loss", "largest_error"]
        assert again.fit(x, y, **FIT).history == history
    assert in_json.get_config() == model.get_config()
    in_json.build()
    assert np.all(in_json.get_weights()[2] == 0.5)  # the initializer is found again

    for missing in OWN:
        names = {name: found for name, found in OWN.items() if name != missing}
        if missing == "halves":
            with pytest.raises(ValueError, match="halves"):
                saving.load_model(tmp_path / "model.h5", custom_objects=names)
            continue
        with pytest.raises(ValueError, match=missing):
            saving.load_model(tmp_path / "model.h5", custom_objects=names)


def test_registered_classes(tmp_path):
    registered = saving.register_keras_serializable("shop")(type("Registered", (Scaled,), {}))
    try:
        assert saving.get_registered_name(registered) == "shop>Registered"
        model = fastkeras.Sequential([registered(3.0, input_shape=(4,))])
        assert model.get_config()["layers"][1]["class_name"] == "shop>Registered"
        again = loaded(model, tmp_path)
        assert type(again.layers[0]) is registered and again.layers[0].factor == 3.0
        model.save_weights(tmp_path / "w.weights.h5")
        with h5py.File(tmp_path / "w.weights.h5") as f:
            assert list(f["layers"]) == ["registered"]
    finally:
        del saving.get_custom_objects()["shop>Registered"]
    with pytest.raises(ValueError, match="must have get_config"):
        saving.register_keras_serializable()(type("Plain", (), {}))


def test_a_layer_in_a_layer_of_the_users_own(tmp_path):
    """Keras 3 keeps its weights under the attribute that holds it."""

    class Pair(Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = Dense(units, name="inner")
            self.more = [Dense(units, name="more_0"), Dense(units, name="more_1")]

        def sublayers(self):
            return [self.inner, *self.more]

        def build(self, input_shape):
            for layer in self.sublayers():
                layer.ensure_built(input_shape)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], self.units)

        def forward(self, x, run):
            return sum(layer.forward(x, run)[0] for layer in self.sublayers()), lambda dy: dy

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    model = fastkeras.Sequential([Pair(2, input_shape=(3,))])
    random_weights(model, 2)
    assert same(loaded(model, tmp_path, custom_objects={"Pair": Pair}).get_weights(), model.get_weights())
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as f:
        kernels = [f[f"layers/pair/{place}/vars/0"][()] for place in ("inner", "more/dense", "more/dense_1")]
    assert same(kernels, model.get_weights()[::2])
    weights = model.get_weights()
    random_weights(model, 9)
    model.load_weights(tmp_path / "w.weights.h5")
    assert same(model.get_weights(), weights)


def test_a_layer_may_call_something_its_graph(tmp_path):
    """A model has an attribute of that name; a layer that works on graphs may have one too, and is no model."""

    class Neighbours(Layer):
        def __init__(self, graph, **kwargs):
            super().__init__(**kwargs)
            self.graph = graph
            self.inner = Dense(2)

        def call(self, x):
            return self.inner(ops.matmul(x, np.array(self.graph, np.float32)))

        def get_config(self):
            return {**super().get_config(), "graph": self.graph}

    given = fastkeras.Input((3,))
    neighbours = Neighbours([[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    model = fastkeras.Model(given, neighbours(given))
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), **FIT)
    x = np.eye(3, dtype=np.float32)
    for name in ("model.keras", "model.h5"):
        again = loaded(model, tmp_path, name, custom_objects={"Neighbours": Neighbours})
        assert same(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save_weights(tmp_path / "w.weights.h5")
    again.load_weights(tmp_path / "w.weights.h5")
    assert same(again.get_weights(), model.get_weights())
    assert neighbours.name in fastkeras.utils.model_to_dot(model, expand_nested=True).to_string()


def test_a_class_must_say_what_it_was_made_of(tmp_path):
    class Forgetful(Scaled):
        def get_config(self):
            return Layer.get_config(self)

    model = fastkeras.Sequential([Forgetful(2.0, input_shape=(3,), name="lost")])
    expected = r"Layer 'lost': get_config\(\) of Forgetful must return 'factor', since __init__ takes it"
    with pytest.raises(ValueError, match=expected):
        model.save(tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


# --- configurations from elsewhere -----------------------------------------------------------------------------------


def entry(class_name, **config):
    return {"class_name": class_name, "config": config}


def chain(*entries, **config):
    return entry("Sequential", layers=list(entries), **config)


START = entry("InputLayer", batch_input_shape=[None, 3], name="start")


def test_what_is_not_known_is_left_out_with_one_warning():
    config = chain(
        {**START, "module": "keras.layers", "config": {**START["config"], "ragged": False, "optional": False}},
        entry("Dense", units=2, quantization_config=None, sparkle=7, dtype={"config": {"name": "mixed_float16"}}),
        entry("Dense", units=2, name="d", sparkle=8),
    )
    with pytest.warns(UserWarning) as caught:
        model = saving.model_from_config(config)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert all(part in message for part in ("sparkle=7", "dtype='mixed_float16'", "sparkle=8 of Dense 'd'")), message
    assert "ragged" not in message and "quantization" not in message
    assert model.output_shape == (None, 2)


def test_a_number_of_samples_binds_only_where_states_outlive_a_batch():
    """Keras 3 keeps [2, 20] for a model that was built by its first call."""
    start = entry("InputLayer", batch_shape=[2, 5, 3])
    model = saving.model_from_config(chain(start, entry("SimpleRNN", units=4)))
    assert model.input_shape == (None, 5, 3)
    model = saving.model_from_config(chain(start, entry("SimpleRNN", units=4, stateful=True)))
    assert model.input_shape == (2, 5, 3)


def test_shapes_and_tuples_as_tensorflow_writes_them():
    shape = {"class_name": "TensorShape", "items": [None, 3]}
    config = chain(entry("Dense", units=2), build_input_shape=shape, name="m")
    assert saving.model_from_json(json.dumps(config)).input_shape == (None, 3)


def test_inputs_and_outputs_by_name():
    """Keras 3 has dictionaries there, where the model was made from dictionaries."""
    dense = entry("Dense", units=2, name="d") | {"name": "d", "inbound_nodes": [[["start", 0, 0, {}]]]}
    start = {**START, "name": "start", "inbound_nodes": []}
    ends = {"input_layers": {"x": ["start", 0, 0]}, "output_layers": {"y": ["d", 0, 0]}}
    model = saving.model_from_config(entry("Functional", layers=[start, dense], **ends))
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))


def test_only_a_list_of_layers():
    """How Keras before 2.2 wrote a Sequential."""
    model = saving.model_from_config({"class_name": "Sequential", "config": [START, entry("Dense", units=2)]})
    assert model.output_shape == (None, 2)


LOOP = [entry("Dense", units=3, name=n) | {"name": n, "inbound_nodes": [[[o, 0, 0, {}]]]} for n, o in ("ab", "ba")]
HOSTILE = [
    ("unknown", chain(START, entry("Densse", units=2)), "Did you mean 'Dense'"),
    ("lambda", chain(START, entry("Lambda", function=["4wEAAAA", None, None])), "never run"),
    ("import", chain(START, {"module": "antigravity", **entry("fly")}), "custom_objects"),
    (
        "nested import",
        chain(START, entry("Dense", units=1, kernel_initializer={"module": "os", **entry("system")})),
        "system",
    ),
    ("function", chain(START, entry("Dense", units=1, activation="os.system")), "Unknown activation"),
    ("no layer", chain(START, entry("InputLayer")), "shape"),
    ("not positive", chain(START, entry("Dense", units=-1)), "positive integer"),
    ("text for a number", chain(START, entry("Dense", units="2")), "positive integer"),
    ("no list", entry("Sequential", layers={}), "list"),
    ("numbers for layers", chain(START, 3), "class_name"),
    ("no config", chain(START, {"class_name": "Dense"}), "config"),
    ("a layer", entry("Dense", units=2), "not a model"),
    ("too many layers", chain(*[entry("Flatten")] * 10_001), "10000"),
    ("deep", json.loads('{"class_name":"Sequential","config":[' * 400 + "]}" * 400), "recursion"),
    ("loop", entry("Model", layers=LOOP, input_layers=[], output_layers=[["a", 0, 0]]), "nothing makes"),
    ("lost output", entry("Model", layers=[], input_layers=[], output_layers=[["a", 0, 0]]), "does not exist"),
    ("places", entry("Model", layers=[], input_layers=[["a", "b"]], output_layers=[]), r"\[layer, call, output\]"),
    (
        "twice",
        entry("Model", layers=[{**START, "name": "a"}] * 2, input_layers=[], output_layers=[]),
        "different names",
    ),
]


@pytest.mark.parametrize(("config", "message"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_configurations_that_make_no_sense_or_want_too_much(tmp_path, config, message):
    """In JSON and in a file the answer is the same: an error, and nothing imported."""
    imported = set(sys.modules)
    with pytest.raises(ValueError, match=message):
        saving.model_from_json(json.dumps(config))
    with h5py.File(tmp_path / "model.h5", "w") as f:
        f.attrs["model_config"] = json.dumps(config)
        f.create_group("model_weights").attrs["layer_names"] = np.array([])
    with pytest.raises(ValueError, match=rf"model\.h5' .*{message}"):
        saving.load_model(tmp_path / "model.h5")
    assert not {"antigravity", "os.system"} & (set(sys.modules) - imported)


@pytest.mark.parametrize("content", ["{", "3", "[" * 100_000, '{"a": ' * 100_000, "", "nonsense", "1" * 5000])
def test_json_that_is_none(tmp_path, content):
    with pytest.raises(ValueError, match=r"The model .*(JSON|dictionary)"):
        saving.model_from_json(content)
    model = small(optimizer="sgd", loss="mse")
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as f:
        f.attrs["training_config"] = content
    with pytest.raises(ValueError, match=r"The training in '.*model\.h5'"):
        saving.load_model(tmp_path / "model.h5")
    assert saving.load_model(tmp_path / "model.h5", compile=False).built


def test_a_small_file_cannot_declare_a_huge_model(tmp_path):
    """Nothing is allocated for weights that the file does not have."""
    model = fastkeras.Sequential([Dense(5, input_shape=(3,)), Dense(2)])
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as f:
        f.attrs["model_config"] = f.attrs["model_config"].replace('"units": 5', f'"units": {10**12}')
    with pytest.raises(ValueError, match=r"more weights than the file, one of shape \(3, 1000000000000\)"):
        saving.load_model(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as f:
        f.attrs["model_config"] = f.attrs["model_config"].replace(str(10**12), "6")
    with pytest.raises(ValueError, match=r"expected weights of shapes \[\(3, 6\), \(6,\)\]"):
        saving.load_model(tmp_path / "model.h5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "binary_crossent"}, "Did you mean 'binary_crossentropy'"),
        ({"loss": {"class_name": "Foo", "config": {}}}, "Unknown loss"),
        ({"metrics": ["acuracy"]}, "Did you mean 'accuracy'"),
        ({"optimizer_config": {"class_name": "Adm", "config": {}}}, "Did you mean 'adam'"),
        ({"optimizer_config": None}, "optimizer is not described"),
        ({"optimizer_config": "adm"}, "Did you mean 'adam'"),
        ({"optimizer_config": {"class_name": "Adam", "config": {"nonsense": 3}}}, "nonsense"),
    ],
)
def test_arguments_of_compile_that_are_not_known(tmp_path, change, message):
    model = small(optimizer="sgd", loss="mse")
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as f:
        f.attrs["training_config"] = json.dumps({**json.loads(f.attrs["training_config"]), **change})
    with pytest.raises(ValueError, match=rf"compile=False.*{message}"):
        saving.load_model(tmp_path / "model.h5")


def test_losses_have_the_names_of_their_functions(tmp_path):
    small(optimizer="sgd", loss="huber_loss").save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as f:
        training = json.loads(f.attrs["training_config"])
        assert training["loss"] == "huber"
        f.attrs["training_config"] = json.dumps({**training, "loss": "huber_loss"})  # as older versions wrote it
    saving.load_model(tmp_path / "model.h5").fit(np.ones((3, 3)), np.ones((3, 2)), verbose=0)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_metrics_that_are_functions_of_losses(tmp_path, name):
    small(optimizer="sgd", loss="mse", metrics=[fastkeras.losses.huber, "kld"]).save(tmp_path / name)
    history = saving.load_model(tmp_path / name).fit(np.ones((3, 3)), np.ones((3, 2)), verbose=0).history
    assert list(history) == ["loss", "huber", "kld"]


def test_keras_archives_that_are_none(tmp_path):
    path = tmp_path / "model.keras"
    small(optimizer="adam", loss="mse").save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert list(members) == ["metadata.json", "config.json", "model.weights.h5"]

    def written(**changed):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**members, **{k.replace("__", "."): v for k, v in changed.items()}}.items():
                if content is not None:
                    archive.writestr(name, content, zipfile.ZIP_DEFLATED if len(content) >= 10**6 else None)
        return path

    assert len(saving.load_model(written()).get_weights()) == 4
    for make, message in [
        (lambda: written(config__json=None), r"model.keras' is no .keras file: it has no 'config.json'"),
        (lambda: written(config__json="{"), "is not described by valid JSON"),
        (lambda: written(config__json=b" " * (2**26 + 1)), "'config.json' is larger than it may be"),
        (lambda: written(config__json='{"class_name": "Dense", "config": {"units": 3}}'), "It is a layer, not a model"),
        (lambda: written(config__json='{"class_name": "os.system", "config": {}}'), "os.system"),
        (lambda: written(**{"model__weights__h5": b"nothing"}), "it is not an HDF5 file, having 7 bytes"),
        (lambda: written(**{"model__weights__h5": b"\0" * 10**6}), "model.weights.h5' is larger than it may be"),
    ]:
        with pytest.raises(ValueError, match=message):
            saving.load_model(make())
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"is damaged, or is no \.keras file"):
        saving.load_model(path)


def test_no_damage_does_more_than_raise_an_error(tmp_path):
    """See tests/fuzz_files.py; 40,000 damaged files passed when it was written, here it is a few."""
    model, _, _ = text(fastkeras)
    model.save(tmp_path / "model.h5")
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    result = run_python("import runpy; runpy.run_module('fuzz_files', run_name='__main__')", tmp_path, 300)
    assert result.returncode == 0, result.stderr
    outcomes = eval(result.stdout)
    assert outcomes["read"] + outcomes["refused"] == 900 and outcomes["refused"] > 100
