"""TextVectorization: what it gives, live against Keras 3 and by itself; as the first layer of a model; files."""

import re

import numpy as np
import pytest
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import layers
from fastkeras.layers import TextVectorization

TEXTS = [
    "The cat sat on the mat.",
    "A dog, a CAT -- and\ta mat!\n",
    "",
    "  [UNK] don't  stop_it; \u00c9t\u00e9 \u00e9t\u00e9\u00a0nbsp\x1cfs",
    "\uc548\ub155 \uc138\uc0c1 cat",
    "zebra zebra",
]
OTHERS = ["a new cat", "the the the", "", "\u00e9t\u00e9 stop_it stopit b"]


def no_vowels(texts):
    """A function of strings that works on numpy's arrays and on TensorFlow's alike."""
    if isinstance(texts, np.ndarray):
        return np.char.replace(texts, "a", "")
    import tensorflow as tf

    return tf.strings.regex_replace(texts, "a", "")


CASES = [
    {},
    {"max_tokens": 5},
    {"output_sequence_length": 4},
    {"standardize": None},
    {"standardize": "lower"},
    {"standardize": "strip_punctuation"},
    {"standardize": no_vowels},
    {"split": "character", "max_tokens": 9},
    {"split": None, "output_sequence_length": 2},
    {"split": None, "standardize": "lower"},
    {"ngrams": 2},
    {"ngrams": (3, 1), "output_mode": "count"},
    {"output_mode": "binary"},
    {"output_mode": "multi_hot", "max_tokens": 50, "pad_to_max_tokens": True},
    {"output_mode": "count", "max_tokens": 4},
    {"output_mode": "tf-idf"},
    {"output_mode": "tf_idf", "max_tokens": 20, "pad_to_max_tokens": True, "ngrams": 2},
    {"output_mode": "tf_idf", "split": None},
    {"vocabulary": ["cat", "the", "mat"]},
    {"vocabulary": ["", "[UNK]", "cat", "the"], "output_sequence_length": 3},
    {"vocabulary": ["cat", "the"], "idf_weights": [0.5, 2.0], "output_mode": "tf_idf"},
    {"vocabulary": ["[UNK]", "cat", "the"], "idf_weights": [0.1, 0.5, 2.0], "output_mode": "tf_idf"},
]
IDS = [re.sub(r"<function (\w+) .*?>", r"\1", str(case)) for case in CASES]


@needs_tensorflow
@pytest.mark.parametrize("arguments", CASES, ids=IDS)
def test_keras_gives_the_same(arguments):
    keras = keras_module()
    ours, theirs = TextVectorization(**arguments), keras.layers.TextVectorization(**arguments)
    if "vocabulary" not in arguments:
        for layer in (ours, theirs):
            layer.adapt(TEXTS)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    assert ours.get_vocabulary(include_special_tokens=False) == theirs.get_vocabulary(include_special_tokens=False)
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    column = np.array(OTHERS)[:, None]
    for texts in (TEXTS, OTHERS, np.array(TEXTS, object), column):
        y, wanted = ours(texts), theirs(texts).numpy()
        np.testing.assert_allclose(y, wanted, rtol=1e-6)
        assert y.dtype == wanted.dtype
    if arguments.get("split", True):
        np.testing.assert_allclose(ours("the cat, a zebra"), theirs("the cat, a zebra").numpy(), rtol=1e-6)
    shape = theirs.compute_output_shape((None, 1)) if ours.output_mode == "int" else (None, y.shape[1])
    assert ours.compute_output_shape((None, 1)) == shape  # Keras 3 has an axis of 1 too many in the other modes
    config, wanted = ours.get_config(), theirs.get_config()
    assert set(config) - {"has_input_vocabulary"} == set(wanted)
    for key in set(wanted) - {"name", "dtype", "standardize", "vocabulary", "idf_weights"}:
        assert config[key] == wanted[key], key
    if "standardize" not in arguments:
        again = keras.layers.TextVectorization.from_config({**config, "dtype": "float32"})
        np.testing.assert_allclose(again(TEXTS).numpy(), ours(TEXTS), rtol=1e-6)


@needs_tensorflow
@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_files_go_both_ways(tmp_path, mode):
    keras = keras_module()
    path, x = tmp_path / "texts.keras", np.array(OTHERS)[:, None]
    for here, there in ((keras, fastkeras), (fastkeras, keras)):
        layer = here.layers.TextVectorization(output_mode=mode)
        layer.adapt(TEXTS)
        model = here.Sequential([here.Input((1,), dtype="string"), layer])
        model.save(path)
        again = there.models.load_model(path)
        np.testing.assert_allclose(np.asarray(again.layers[-1](x)), np.asarray(layer(x)), rtol=1e-6)
        assert again.layers[-1].get_vocabulary() == layer.get_vocabulary()


def test_by_hand():
    layer = TextVectorization(output_sequence_length=4)
    layer.adapt(["the cat sat", "The dog!"])
    # the most frequent first; of equally frequent ones the last in order first
    assert layer.get_vocabulary() == ["", "[UNK]", "the", "sat", "dog", "cat"]
    y = layer(["the bird sat", "", "cat cat cat cat cat"])
    np.testing.assert_array_equal(y, [[2, 1, 3, 0], [0, 0, 0, 0], [5, 5, 5, 5]])
    assert y.dtype == np.int64 and y.numpy().shape == (3, 4)
    np.testing.assert_array_equal(layer(b"the cat"), [2, 5, 0, 0])
    counts = TextVectorization(output_mode="count", vocabulary=["cat", "the"])
    np.testing.assert_array_equal(counts(["the the dog", "cat"]), [[1, 0, 2], [0, 1, 0]])
    weights = TextVectorization(output_mode="tf_idf")
    weights.adapt(["a b", "a"])
    a, b = np.log(1 + 2 / 3), np.log(1 + 2 / 2)
    np.testing.assert_allclose(weights(["a a z b"]), [[(a + b) / 2, 2 * a, b]], rtol=1e-6)


def test_adapted_to_batches_and_anew():
    layer, whole = TextVectorization(), TextVectorization()
    layer.adapt(iter([np.array(TEXTS[:2]), TEXTS[2:]]))
    whole.adapt(TEXTS)
    assert layer.get_vocabulary() == whole.get_vocabulary()
    layer.adapt(iter([["x y"], ["z"]]), steps=1)
    assert layer.get_vocabulary(include_special_tokens=False) == ["y", "x"]


def test_functions_of_the_user_s_own():
    layer = TextVectorization(standardize=np.char.upper, split=lambda texts: [text.split("-") for text in texts])
    layer.adapt(["a-b", "b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B", "A"]
    np.testing.assert_array_equal(layer(["b-a-c"]), [[2, 3, 1]])

    named = TextVectorization(standardize=no_vowels, vocabulary=["ct"])
    with fastkeras.utils.custom_object_scope({"no_vowels": no_vowels}):
        again = TextVectorization.from_config(named.get_config())
    np.testing.assert_array_equal(again(["cat"]), [[2]])
    with pytest.raises(ValueError, match="`standardize` is a function of the user's own"):
        TextVectorization.from_config(named.get_config())


def test_a_vocabulary_in_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("cat\n\uc548\ub155\n", encoding="utf-8")
    assert TextVectorization(vocabulary=str(path)).get_vocabulary() == ["", "[UNK]", "cat", "\uc548\ub155"]
    with pytest.raises(ValueError, match="must hold the `vocabulary` itself, not the name of a file"):
        TextVectorization.from_config({**TextVectorization().get_config(), "vocabulary": str(path)})


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_the_first_layer_of_a_model(tmp_path, name, mode):
    texts, y = np.array(TEXTS), np.arange(6) % 2
    layer = TextVectorization(output_mode=mode, output_sequence_length=7 if mode == "int" else None)
    layer.adapt(texts)
    if mode == "int":
        rest = [layers.Embedding(layer.vocabulary_size(), 3, mask_zero=True), layers.LSTM(4), layers.Dense(1)]
    else:
        rest = [layers.Dense(1)]
    model = fastkeras.Sequential([layer, *rest])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(texts.tolist(), y, epochs=2, batch_size=4, verbose=0, validation_data=(texts.astype(object), y))
    predicted = model.predict(texts[:, None], verbose=0)
    np.testing.assert_allclose(model.predict(texts, batch_size=1, verbose=0), predicted, atol=1e-6)
    on_ids = fastkeras.Sequential(rest)
    np.testing.assert_allclose(on_ids.predict(layer(texts), verbose=0), predicted, atol=1e-6)

    model.save(tmp_path / name)
    again = fastkeras.models.load_model(tmp_path / name)
    np.testing.assert_array_equal(again.predict(texts, verbose=0), predicted)
    again.layers[0].adapt(["other words"])  # what was adapted may be adapted again
    start = fastkeras.Input((1,), dtype="string")
    functional = fastkeras.Model(start, on_ids(layer(start)))
    np.testing.assert_allclose(functional.predict(texts, verbose=0), predicted, atol=1e-6)


class Reader(fastkeras.Model):
    """Texts to one number each; the layer of texts is not the first that __init__ makes."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)
        self.convolution = layers.Conv1D(3, 5)
        self.embedding = layers.Embedding(30, 4)
        self.words = TextVectorization(output_sequence_length=None)
        self.words.adapt(TEXTS)

    def call(self, texts):
        x = self.convolution(self.embedding(self.words(texts)))
        return self.dense(layers.GlobalMaxPooling1D()(x))


@pytest.mark.filterwarnings("ignore:.*compile")
def test_texts_of_a_model_may_have_an_axis_of_their_own_or_not(tmp_path):
    vectorize = TextVectorization(output_sequence_length=4)
    vectorize.adapt(TEXTS)
    model = fastkeras.Sequential([vectorize, layers.Embedding(30, 3), layers.Flatten()])
    texts = np.array(TEXTS, object)
    expected = model.predict(texts)
    path = tmp_path / "model.keras"
    model.save(path)
    flat = x = fastkeras.Input((), dtype="string")
    for layer in model.layers:
        x = layer(x)
    for each in (model, fastkeras.saving.load_model(path), fastkeras.Model(flat, x)):
        for given in (texts, texts[:, None]):
            np.testing.assert_array_equal(each(given), expected)
            np.testing.assert_array_equal(each.predict(given), expected)


def test_in_a_call_of_the_user_s_own():
    model, texts, y = Reader(), [f"{text} the cat sat on a mat" for text in TEXTS], np.arange(6.0)
    model.compile("adam", "mse")
    history = model.fit(texts, y, epochs=3, batch_size=4, verbose=0, validation_data=(np.array(texts), y))
    assert history.history["loss"][-1] < history.history["loss"][0]
    predicted = model.predict(np.array(texts, object)[:, None], batch_size=1, verbose=0)
    np.testing.assert_allclose(predicted[:1], model(np.array(texts[:1])), rtol=1e-5, atol=1e-6)
    assert model.output_shape == (None, 1)


def test_in_a_layer_of_the_user_s_own_within_a_graph():
    class Words(layers.Layer):
        def __init__(self):
            super().__init__()
            self.words = TextVectorization(vocabulary=["cat", "dog"])

        def call(self, texts):
            return self.words(texts)

    start = fastkeras.Input((1,), dtype="string")
    found = Words()(start)
    assert found.shape == (None, None)
    model = fastkeras.Model(start, found)
    np.testing.assert_array_equal(model.predict(["a cat", "dog dog"], verbose=0), [[1, 2], [3, 3]])


def test_nothing_is_found_in_nothing():
    layer = TextVectorization(split=lambda texts: [text.split() for text in texts], output_sequence_length=2)
    layer.adapt(["a b", "", "b"])
    np.testing.assert_array_equal(layer(["", "b"]), [[0, 0], [2, 0]])
    assert layer([]).shape == (0, 2)
    whole = TextVectorization(split=None, vocabulary=["a"], output_mode="count")
    assert whole(np.empty((0, 3), object)).shape == (0, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TextVectorization(1), ValueError, "`max_tokens` must be an integer from 2 up. Received: 1"),
        (lambda: TextVectorization(standardize="lowr"), ValueError, "`standardize` must be one of lower_and_strip"),
        (lambda: TextVectorization(split="words"), ValueError, "`split` must be one of whitespace, character"),
        (lambda: TextVectorization(ngrams="2"), ValueError, "`ngrams` must be None, an integer or a tuple"),
        (lambda: TextVectorization(output_mode="ints"), ValueError, "`output_mode` must be one of int, multi_hot"),
        (
            lambda: TextVectorization(output_mode="count", output_sequence_length=3),
            ValueError,
            "belongs to output_mode",
        ),
        (lambda: TextVectorization(pad_to_max_tokens=True), ValueError, "needs `max_tokens`"),
        (lambda: TextVectorization(ragged=True), ValueError, "`ragged` must be False"),
        (lambda: TextVectorization(sparse=True), ValueError, "`sparse` must be False"),
        (lambda: TextVectorization(vocabulary=["a", "b", "a"]), ValueError, r"each token once.*Received: \['a'\]"),
        (lambda: TextVectorization(vocabulary=["a", ""]), ValueError, "'' nowhere but at the beginning"),
        (lambda: TextVectorization(vocabulary=[]), ValueError, "`vocabulary` must hold each token once"),
        (lambda: TextVectorization(3, vocabulary=["a", "b"]), ValueError, "at most max_tokens=3 tokens"),
        (lambda: TextVectorization(vocabulary=["a"], idf_weights=[1.0]), ValueError, "in output_mode 'tf_idf' alone"),
        (lambda: TextVectorization(vocabulary=["a"]).adapt(TEXTS), ValueError, r"the `vocabulary` given is final"),
        (lambda: TextVectorization().adapt([""]), ValueError, r"adapt\(\) found no tokens"),
        (lambda: TextVectorization()([["a", "b"]]), ValueError, r"must have shape \(batch,\) or \(batch, 1\)"),
        (lambda: TextVectorization()([1, 2]), TypeError, "expected strings. Received: dtype int64"),
        (lambda: TextVectorization(output_mode="count")(["a"]), RuntimeError, "there is no vocabulary yet"),
        (lambda: TextVectorization(max_token=3), TypeError, "Did you mean 'max_tokens'"),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
