"""StringLookup and IntegerLookup: what they give, live against Keras 3 and by hand; in models; files."""

import numpy as np
import pytest
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import layers
from fastkeras.core.strings import strings
from fastkeras.layers import IntegerLookup, StringLookup

WORDS = np.array([["cat", "dog"], ["dog", "\uc548\ub155"], ["", "bird"], ["dog", "[UNK]"]])
OTHERS = np.array(
    [["dog", "cow"], ["", "horse"], ["\uc548\ub155", "a rather long name of an animal that nobody knows"]]
)
NUMBERS = np.array([[7, -3], [7, 0], [11, 2**40], [0, 7]])
UNKNOWN = np.array([[7, 5], [0, -2], [2**40, 123456789]])

TEXT_CASES = [
    {},
    {"mask_token": ""},
    {"max_tokens": 3, "oov_token": "?"},
    {"num_oov_indices": 3, "mask_token": ""},
    {"num_oov_indices": 3, "salt": [133, 137]},
    {"num_oov_indices": 0, "vocabulary": sorted({*WORDS.ravel().tolist(), *OTHERS.ravel().tolist()})},
    {"output_mode": "one_hot", "mask_token": ""},
    {"output_mode": "binary", "num_oov_indices": 2},
    {"output_mode": "multi_hot", "max_tokens": 9, "pad_to_max_tokens": True, "mask_token": ""},
    {"output_mode": "count", "vocabulary": ["dog", "cat"]},
    {"output_mode": "tf-idf"},
    {"output_mode": "tf_idf", "num_oov_indices": 2, "max_tokens": 9, "pad_to_max_tokens": True, "mask_token": ""},
    {"output_mode": "tf_idf", "vocabulary": ["dog", "cat"], "idf_weights": [0.5, 2.0], "num_oov_indices": 2},
    {"output_mode": "tf_idf", "vocabulary": ["[UNK]", "dog"], "idf_weights": [0.5, 2.0]},
]
NUMBER_CASES = [
    {},
    {"mask_token": 0, "num_oov_indices": 2},
    {"num_oov_indices": 3, "oov_method": "farmhash"},
    {"num_oov_indices": 3, "oov_method": "farmhash", "salt": 5},
    {"output_mode": "count", "max_tokens": 4},
    {"output_mode": "multi_hot", "vocabulary": [0, 7], "mask_token": -2},
    {"output_mode": "one_hot", "vocabulary": np.array([-1, 7, 11])},
]
NOT_COMPARED = {"name", "dtype", "vocabulary", "idf_weights", "vocabulary_size"}


def compare(ours, theirs, arguments, data, others):
    if "vocabulary" not in arguments:
        for layer in (ours, theirs):
            layer.adapt(data)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    assert ours.get_vocabulary(include_special_tokens=False) == theirs.get_vocabulary(include_special_tokens=False)
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    for x in (data, others, data[:, :1], data[:, 0]):
        y, wanted = ours(x), theirs(x).numpy()
        np.testing.assert_allclose(y, wanted, rtol=1e-6)
        assert y.dtype == wanted.dtype
        if x.ndim == 2:
            assert ours.compute_output_shape((None, x.shape[1])) == (None, *y.shape[1:])
    config, wanted = ours.get_config(), theirs.get_config()
    assert set(config) - {"has_input_vocabulary"} == set(wanted)
    for key in set(wanted) - NOT_COMPARED:
        assert config[key] == wanted[key], key
    for again in (type(theirs).from_config(config), type(ours).from_config(config)):
        np.testing.assert_allclose(np.asarray(again(others)), ours(others), rtol=1e-6)


@needs_tensorflow
@pytest.mark.parametrize("arguments", TEXT_CASES, ids=str)
def test_keras_gives_the_same_for_texts(arguments):
    compare(StringLookup(**arguments), keras_module().layers.StringLookup(**arguments), arguments, WORDS, OTHERS)


@needs_tensorflow
@pytest.mark.parametrize("arguments", NUMBER_CASES, ids=str)
def test_keras_gives_the_same_for_integers(arguments):
    compare(IntegerLookup(**arguments), keras_module().layers.IntegerLookup(**arguments), arguments, NUMBERS, UNKNOWN)


@needs_tensorflow
def test_keras_gives_the_same_back():
    keras, ids = keras_module(), [[0, 1, 2], [3, 4, 7]]
    for kind, vocabulary, mask in (("StringLookup", ["dog", "cat"], ""), ("IntegerLookup", [7, 11], 0)):
        for mask_token in (None, mask):
            arguments = {"vocabulary": vocabulary, "invert": True, "mask_token": mask_token, "num_oov_indices": 2}
            ours, theirs = getattr(layers, kind)(**arguments), getattr(keras.layers, kind)(**arguments)
            assert ours(ids).numpy().tolist() == theirs(np.array(ids)).numpy().tolist()


def outputs_of(model, module):
    """What a model of texts and integers gives, as rows."""
    tensor = np.asarray if module is fastkeras else module.ops.convert_to_tensor
    y = model([tensor(OTHERS[:, :1]), tensor(UNKNOWN[:, :1])])
    parts = [np.asarray(part) for part in (y if isinstance(y, list) else [y])]
    return np.concatenate([part.reshape(len(OTHERS), -1) for part in parts], axis=1)


@needs_tensorflow
@pytest.mark.parametrize("mode", ["int", "one_hot", "tf_idf"])
def test_files_go_both_ways(tmp_path, mode):
    keras = keras_module()
    path = tmp_path / "model.keras"
    for here, there in ((keras, fastkeras), (fastkeras, keras)):
        starts = [here.Input((1,), dtype="string", name="text"), here.Input((1,), dtype="int64", name="number")]
        lookups = [here.layers.StringLookup(output_mode=mode), here.layers.IntegerLookup(output_mode=mode)]
        for lookup, data in zip(lookups, (WORDS, NUMBERS), strict=True):
            lookup.adapt(data)
        found = [lookup(start) for lookup, start in zip(lookups, starts, strict=True)]
        if mode == "int":
            outputs = [here.layers.Embedding(8, 2)(part) for part in found]
        else:
            outputs = here.layers.Dense(2)(here.layers.Concatenate()(found))
        model = here.Model(starts, outputs)
        model.save(path)
        again = there.models.load_model(path, compile=False)
        of = {type(layer).__name__: layer for layer in again.layers}
        assert of["StringLookup"].get_vocabulary() == lookups[0].get_vocabulary()
        assert of["IntegerLookup"].get_vocabulary() == lookups[1].get_vocabulary()
        predicted = [outputs_of(net, module) for net, module in ((model, here), (again, there))]
        np.testing.assert_allclose(*predicted, rtol=1e-5, atol=1e-6)


def test_by_hand():
    layer = StringLookup(mask_token="")
    layer.adapt(["dog", "cat", "", "ant", "dog"])
    # the most frequent first; of equally frequent ones the last in order first
    assert layer.get_vocabulary() == ["", "[UNK]", "dog", "cat", "ant"]
    y = layer([["dog", b"cow"], ["", "ant"]])
    np.testing.assert_array_equal(y, [[2, 1], [0, 4]])
    assert y.dtype == np.int64 and layer("cat").numpy() == 3
    numbers = IntegerLookup(vocabulary=[10, 30], output_mode="count")
    np.testing.assert_array_equal(numbers([[10, 10, 5], [30, 7, 9]]), [[1, 2, 0], [2, 0, 1]])
    weights = StringLookup(output_mode="tf_idf")
    weights.adapt([["a", "b"], ["a", "a"]])
    a, b = np.log(1 + 2 / 3), np.log(1 + 2 / 2)
    np.testing.assert_allclose(weights([["a", "z"], ["b", "b"]]), [[(a + b) / 2, a, 0], [0, 0, 2 * b]], rtol=1e-6)


def test_ids_as_texts():
    words = StringLookup(vocabulary=["dog", "\uc548\ub155"])
    back = StringLookup(vocabulary=words.get_vocabulary(), invert=True)
    texts = back(words([["\uc548\ub155", "dog", "cow"]]))
    assert texts.numpy().tolist() == [["\uc548\ub155".encode(), b"dog", b"[UNK]"]]
    assert texts[0, 1].numpy() == b"dog" and texts[0][0].numpy().decode() == "\uc548\ub155"
    np.testing.assert_array_equal(words(texts), [[2, 1, 0]])
    np.testing.assert_array_equal(texts == "dog", [[False, True, False]])
    np.testing.assert_array_equal(texts != strings(["dog"]), [[True, False, True]])
    start = fastkeras.Input((2,), dtype="int64")
    model = fastkeras.Model(start, back(start))
    assert model.predict(np.array([[1, 0], [2, 9]]), verbose=0).tolist() == back([[1, 0], [2, 9]]).tolist()


def test_adapted_to_batches_and_anew():
    layer, whole = StringLookup(), StringLookup()
    layer.adapt(iter([WORDS[:2], WORDS[2:].tolist()]))
    whole.adapt(WORDS)
    assert layer.get_vocabulary() == whole.get_vocabulary()
    layer.adapt(iter([["x", "y"], ["z"]]), steps=1)
    assert layer.get_vocabulary(include_special_tokens=False) == ["y", "x"]


def test_a_vocabulary_in_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("30\n10\n", encoding="utf-8")
    assert StringLookup(vocabulary=str(path)).get_vocabulary() == ["[UNK]", "30", "10"]
    assert IntegerLookup(vocabulary=str(path)).get_vocabulary() == [-1, 30, 10]
    with pytest.raises(ValueError, match="must hold the `vocabulary` itself, not the name of a file"):
        StringLookup.from_config({**StringLookup().get_config(), "vocabulary": str(path)})


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_in_a_model(tmp_path, name):
    kinds, sizes = np.array(["a", "b", "a", "c"]), np.array([10, 10, 30, 2**40])
    start = {"kind": fastkeras.Input((1,), dtype="string", name="kind"), "size": fastkeras.Input((1,), name="size")}
    kind, size = StringLookup(), IntegerLookup(output_mode="multi_hot")
    kind.adapt(kinds)
    size.adapt(sizes)
    rows = layers.CategoryEncoding(num_tokens=kind.vocabulary_size())(kind(start["kind"]))
    x = layers.concatenate([rows, size(start["size"]), layers.Flatten()(layers.Embedding(4, 2)(kind(start["kind"])))])
    model = fastkeras.Model(start, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    data = {"kind": kinds, "size": sizes}
    model.fit(data, np.arange(4.0), epochs=2, batch_size=3, verbose=0)
    predicted = model.predict({"kind": kinds.tolist(), "size": sizes}, verbose=0)
    weights, bias = model.layers[-1].get_weights()
    by_hand = np.concatenate([layers.CategoryEncoding(4)(kind(kinds[:, None])), size(sizes[:, None])], axis=1)
    embedded = next(layer for layer in model.layers if isinstance(layer, layers.Embedding)).get_weights()[0]
    by_hand = np.concatenate([by_hand, embedded[kind(kinds)]], axis=1)
    np.testing.assert_allclose(predicted, by_hand @ weights + bias, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / name)
    again = fastkeras.models.load_model(tmp_path / name)
    np.testing.assert_array_equal(again.predict(data, verbose=0), predicted)


class Prices(fastkeras.Model):
    """A kind, a text, and a size, a number, to one number each."""

    def __init__(self, kinds):
        super().__init__()
        self.kind = StringLookup(vocabulary=kinds, output_mode="one_hot")
        self.dense = layers.Dense(1)

    def call(self, inputs):
        return self.dense(layers.concatenate([self.kind(inputs["kind"]), inputs["size"]]))


def test_beside_numbers_in_a_call_of_the_user_s_own():
    model, y = Prices(["a", "b"]), np.arange(4.0)
    data = {"size": np.array([[1.0], [2], [3], [4]]), "kind": np.array([["a"], ["b"], ["c"], ["b"]])}
    model.compile("sgd", "mse")
    model.fit(data, y, epochs=2, batch_size=3, verbose=0)
    weights, bias = model.dense.get_weights()
    rows = np.concatenate([np.eye(3)[[1, 2, 0, 2]], data["size"]], axis=1)
    np.testing.assert_allclose(model.predict(data, verbose=0), rows @ weights + bias, rtol=1e-5)
    np.testing.assert_allclose(model(data), rows @ weights + bias, rtol=1e-5)


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot"])
def test_nothing_is_found_in_nothing(mode):
    for layer in (StringLookup(vocabulary=["a", "b"], output_mode=mode), layers.Hashing(3, output_mode=mode)):
        for shape in ((0,), (0, 2), (2, 0)):
            want = layer.compute_output_shape(shape)
            assert layer(np.empty(shape, object)).shape == want


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: StringLookup(1), ValueError, "`max_tokens` must be an integer from 2 up. Received: 1"),
        (lambda: StringLookup(num_oov_indices=-1), ValueError, "`num_oov_indices` must be an integer from 0"),
        (
            lambda: StringLookup(output_mode="hot"),
            ValueError,
            "StringLookup: `output_mode` must be one of int, one_hot",
        ),
        (lambda: StringLookup(invert=True, output_mode="count"), ValueError, "must be 'int' with invert=True"),
        (lambda: StringLookup(sparse=True), ValueError, "StringLookup: results are dense arrays"),
        (lambda: StringLookup(salt="s"), ValueError, "`salt` must be an integer or two of them. Received: salt='s'"),
        (lambda: IntegerLookup(salt=3), ValueError, "`salt` belongs to oov_method='farmhash'"),
        (lambda: IntegerLookup(vocabulary_dtype="int32"), ValueError, "`vocabulary_dtype` must be 'int64'"),
        (lambda: StringLookup(vocabulary=["a", "a"]), ValueError, r"each token once\. Received: \['a'\]"),
        (lambda: StringLookup(vocabulary=["a", ""], mask_token=""), ValueError, "'' nowhere but at the beginning"),
        (lambda: StringLookup(vocabulary=["a", "[UNK]"], invert=True), ValueError, r"'\[UNK\]' nowhere but at the"),
        (lambda: IntegerLookup(vocabulary=["a"]), TypeError, r"\(IntegerLookup\): expected integers"),
        (lambda: IntegerLookup(vocabulary=[1])(np.array([2**70], object)), TypeError, "expected integers. Received"),
        (lambda: StringLookup().adapt(np.empty((0, 2), object)), ValueError, "adapt\\(\\) found no tokens"),
        (lambda: StringLookup()(["a"]), RuntimeError, "there is no vocabulary yet"),
        (lambda: StringLookup(output_mode="count")(fastkeras.Input((1,))), RuntimeError, "there is no vocabulary yet"),
        (lambda: StringLookup(vocabulary=["a"])([1]), TypeError, r"\(StringLookup\): expected strings"),
        (
            lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]),
            ValueError,
            "in the vocabulary. Received: 'b'",
        ),
        (lambda: StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, "the `vocabulary` given is final"),
        (lambda: StringLookup(max_token=3), TypeError, "Did you mean 'max_tokens'"),
        (lambda: strings([1]), TypeError, "Expected texts, str or bytes. Received: 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
