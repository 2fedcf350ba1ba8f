"""Tokenizer and its functions: as tf_keras in each of text_cases.py, and what is ours alone."""

import base64
import copy
import doctest
import io
import json
import math
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
from text_cases import CASES, PLAIN, as_json, fitted, state

from fastkeras.preprocessing import sequence, text
from fastkeras.preprocessing.text import Tokenizer, tokenizer_from_json

RECORDED = json.loads((Path(__file__).with_name("fixtures") / "text.json").read_text())


def assert_same(actual, expected, where=""):
    """Equal throughout, and of the same types; floats up to a few units in the last place."""
    assert type(actual) is type(expected), f"{where}: {actual!r}, expected {expected!r}"
    if isinstance(expected, list):
        assert len(actual) == len(expected), f"{where}: {actual!r}, expected {expected!r}"
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            assert_same(a, e, f"{where}[{i}]")
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, float):
        assert math.isclose(actual, expected, rel_tol=1e-15), f"{where}: {actual!r}, expected {expected!r}"
    else:
        assert actual == expected, f"{where}: {actual!r}, expected {expected!r}"


@pytest.mark.parametrize("name", CASES)
def test_as_recorded_from_tf_keras(name):
    assert_same(as_json(CASES[name](text, sequence)), RECORDED[name], name)


@pytest.mark.parametrize("wrong", [[1, 2.0], [1.0, 2], [1], [1, 3], [1, None], {"a": 1}, "[1, 2]"])
def test_assert_same_rejects(wrong):
    with pytest.raises(AssertionError):
        assert_same(wrong, [1, 2])


@pytest.mark.parametrize("module", [text, sequence], ids=lambda module: module.__name__)
def test_examples_of_the_documentation(module):
    result = doctest.testmod(module)
    assert result.attempted > 5
    assert result.failed == 0


@pytest.mark.parametrize("wrong", [None, 3, math.nan, ("a", "b"), ["a", None], ["a", math.nan]])
def test_what_is_no_text_is_named(wrong):
    tokenizer = Tokenizer()
    for call in (tokenizer.fit_on_texts, tokenizer.texts_to_sequences):
        with pytest.raises(AttributeError) as caught:
            call(["a b", wrong])
        assert str(caught.value) == f"A text must be a str, or a list of str. Received: {wrong!r}"


# --- pickles and JSON ---------------------------------------------------------------------------------------


class AsOurs(pickle.Unpickler):
    """Finds fastkeras's Tokenizer where a pickle names tf_keras's."""

    def find_class(self, module, name):
        return super().find_class("fastkeras.preprocessing.text" if name == "Tokenizer" else module, name)


def test_a_pickle_of_tf_keras_becomes_ours():
    tokenizer = AsOurs(io.BytesIO(base64.b64decode(RECORDED["pickle"]))).load()
    assert type(tokenizer) is Tokenizer
    ours = fitted(text, PLAIN, num_words=6, oov_token="?")
    assert as_json(state(tokenizer)) == as_json(state(ours))
    assert tokenizer.texts_to_sequences(["the new cat sat"]) == [[2, 1, 4, 5]]


def test_an_old_pickle_gets_what_it_lacks():
    attributes = vars(fitted(text, ["b a b"]))
    tokenizer = Tokenizer.__new__(Tokenizer)
    tokenizer.__setstate__({key: attributes[key] for key in attributes if key not in ("analyzer", "index_word")})
    assert tokenizer.sequences_to_texts(tokenizer.texts_to_sequences(["a b c"])) == ["a b"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tokenizer: pickle.loads(pickle.dumps(tokenizer))])
def test_a_copy_lives_on_its_own(copied):
    tokenizer = fitted(text, PLAIN, oov_token="?")
    twin = copied(tokenizer)
    assert vars(twin) == vars(tokenizer)
    assert state(twin) == state(tokenizer)
    twin.fit_on_texts(["zebra"])
    assert "zebra" not in tokenizer.word_counts


def test_a_tokenizer_from_json_can_be_fitted_again():
    tokenizer = fitted(text, PLAIN)
    twin = tokenizer_from_json(tokenizer.to_json())
    assert type(twin.word_counts) is OrderedDict
    assert type(twin.word_docs) is type(twin.index_docs) is defaultdict
    for t in (tokenizer, twin):
        t.fit_on_texts(["zebra cat"])
    assert state(twin) == state(tokenizer)


@pytest.mark.parametrize("damaged", ["[]", "{}", '{"config": {}}', '{"config": {"word_counts": 3}}', "3", "null"])
def test_json_of_something_else_is_refused(damaged):
    with pytest.raises(ValueError, match=r"Tokenizer\.to_json"):
        tokenizer_from_json(damaged)


# --- ours alone ---------------------------------------------------------------------------------------------


def test_unknown_names_get_the_nearest_known_one():
    with pytest.raises(TypeError, match=r"argument of Tokenizer. Did you mean 'num_words'\? Received: 'numwords'"):
        Tokenizer(numwords=3)
    with pytest.raises(ValueError, match=r"Did you mean 'tfidf'\? Received: 'tf-idf'"):
        fitted(text, ["a"]).texts_to_matrix(["a"], mode="tf-idf")


def test_old_argument_gives_one_notice():
    with pytest.warns(UserWarning, match="`num_words`") as caught:
        assert Tokenizer(nb_words=3).num_words == 3
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_an_analyzer_may_be_a_generator():
    tokenizer = Tokenizer(analyzer=lambda t: (word for word in t.split()))
    tokenizer.fit_on_texts(["a b a", "b"])
    assert tokenizer.word_counts == {"a": 2, "b": 2}
    assert tokenizer.word_docs == {"a": 1, "b": 2}


def test_a_generator_reads_its_texts_one_at_a_time():
    def texts():
        for n in range(3):
            read.append(n)
            yield "a"

    read = []
    sequences = fitted(text, ["a"]).texts_to_sequences_generator(texts())
    assert read == []
    next(sequences)
    assert read == [0]


def test_rows_of_a_matrix_may_be_arrays():
    tokenizer = Tokenizer(num_words=4)
    x = tokenizer.sequences_to_matrix([np.array([1, 3, 3]), np.array([], int)], mode="count")
    np.testing.assert_array_equal(x, [[0, 1, 0, 2], [0, 0, 0, 0]])


@pytest.mark.parametrize("message, function", [
    ("num_words", lambda: Tokenizer().sequences_to_matrix([[1]])),
    ("document_count=0", lambda: Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="tfidf")),
    ("hash_function", lambda: text.hashing_trick("a", 9, "sha1")),
])  # fmt: skip
def test_errors_name_the_argument_and_what_was_received(message, function):
    with pytest.raises((TypeError, ValueError), match=rf"{message}(.|\n)*") as caught:
        function()
    assert "Received: " in str(caught.value)
