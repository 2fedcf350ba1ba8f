"""Texts and sequences against tf_keras itself."""

import random
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live import keras_module
from test_text import RECORDED, assert_same
from text_cases import CASES, PLAIN, UNICODE, as_json, fitted, outcome, state

from fastkeras.preprocessing import sequence, text
from fastkeras.utils import numerical

pytestmark = pytest.mark.needs("tf_keras")
quick = settings(max_examples=150, deadline=None, derandomize=True)

# Among them letters that become two in lower case (İ), look at their neighbours (Σ), or are special in upper case.
LETTERS = "aAbBIİ\u0131Σ\u03c3ςßẞﬁ가나é\u0301\u0307🙂\U00010400\0\ud800 .,!'\t\n\u3000"
TEXT = st.text(st.sampled_from(LETTERS) | st.characters(), max_size=30)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "num_words": st.none() | st.integers(0, 12),
        "filters": st.text(st.sampled_from(LETTERS), max_size=5) | st.lists(st.sampled_from(LETTERS), max_size=3),
        "split": st.text(st.sampled_from(LETTERS), min_size=1, max_size=2),
        "lower": st.booleans(),
        "char_level": st.booleans(),
        "oov_token": st.none() | st.sampled_from(["<OOV>", "a", ""]),
        "analyzer": st.none() | st.just(str.split),
    },
)


@pytest.fixture(scope="module")
def tf_keras():
    return keras_module("tf_keras")


@pytest.fixture(scope="module")
def tf_text(tf_keras):
    return tf_keras.preprocessing.text


@pytest.fixture(scope="module")
def tf_sequence(tf_keras):
    return tf_keras.preprocessing.sequence


@pytest.mark.parametrize("name", CASES)
def test_the_recorded_cases_are_still_what_tf_keras_does(tf_text, tf_sequence, name):
    assert_same(as_json(CASES[name](tf_text, tf_sequence)), RECORDED[name], name)


@quick
@given(st.lists(TEXT | st.lists(TEXT, max_size=5), max_size=6), st.lists(TEXT, max_size=3), OPTIONS)
def test_any_texts(tf_text, texts, others, options):
    ours, theirs = fitted(text, texts, **options), fitted(tf_text, texts, **options)
    assert state(ours) == state(theirs)
    sequences = theirs.texts_to_sequences([*texts, *others])
    assert ours.texts_to_sequences([*texts, *others]) == sequences
    assert ours.sequences_to_texts(sequences) == theirs.sequences_to_texts(sequences)
    if options.get("num_words") or theirs.word_index:
        for mode in ("binary", "count", "freq", "tfidf") if theirs.document_count else ("count",):
            expected = theirs.sequences_to_matrix(sequences, mode)
            np.testing.assert_allclose(ours.sequences_to_matrix(sequences, mode), expected, rtol=1e-15)


@quick
@given(TEXT, OPTIONS)
def test_any_text_to_words(tf_text, sample, options):
    options = {key: options[key] for key in options if key in ("filters", "split", "lower")}
    expected = tf_text.text_to_word_sequence(sample, **options)
    assert text.text_to_word_sequence(sample, **options) == expected


@pytest.mark.parametrize("letters", [range(0x20, 0x3000), range(0x3000, 0xAC80), range(0xD700, 0x11000),
                                     range(0x1D000, 0x1FC00)], ids=lambda r: hex(r[0]))  # fmt: skip
@pytest.mark.parametrize("char_level", [False, True])
def test_every_letter_in_a_word_of_its_own_and_with_neighbours(tf_text, letters, char_level):
    texts = [" ".join(map(chr, letters)), " ".join(f"A{chr(letter)}Z" for letter in letters)]
    options = {"char_level": char_level, "filters": "", "oov_token": "?"}
    ours, theirs = fitted(text, texts, **options), fitted(tf_text, texts, **options)
    assert list(ours.word_counts.items()) == list(theirs.word_counts.items())
    assert ours.texts_to_sequences(texts) == theirs.texts_to_sequences(texts)


def test_json_goes_both_ways(tf_text):
    for texts in (PLAIN, UNICODE):
        for ours, theirs in ((text, tf_text), (tf_text, text)):
            tokenizer = fitted(ours, texts, num_words=9, oov_token="?")
            read = theirs.tokenizer_from_json(tokenizer.to_json())
            assert read.get_config() == tokenizer.get_config()
            assert read.texts_to_sequences(texts) == tokenizer.texts_to_sequences(texts)


ROW = st.lists(st.integers(-(2**33), 2**33) | st.floats(-9, 9) | st.booleans(), max_size=5)
POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4)


@quick
@given(
    st.lists(ROW | POINTS, max_size=5) | st.lists(ROW | ROW.map(tuple) | ROW.map(np.array), max_size=5),
    st.none() | st.integers(0, 6),
    st.sampled_from(["int32", "int64", "float32", "bool", ">i4", object]),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
    st.sampled_from([0.0, -1, 2.5, True]),
)
def test_any_sequences_are_padded(tf_sequence, sequences, maxlen, dtype, padding, truncating, value):
    arguments = (sequences, maxlen, dtype, padding, truncating, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a float beyond int32
        ours, theirs = (
            outcome(sequence.pad_sequences, *arguments),
            outcome(tf_sequence.pad_sequences, *arguments),
        )
    assert type(ours) is type(theirs)
    assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)
    np.testing.assert_array_equal(ours, theirs)


@quick
@given(
    st.lists(st.integers(0, 9), max_size=12),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 99),
)
def test_any_skipgrams(tf_sequence, words, window_size, negative_samples, shuffle, categorical, subsample, seed):
    table = tf_sequence.make_sampling_table(10, 0.05) if subsample else None
    results = []
    for module in (sequence, tf_sequence):
        random.seed(7)
        arguments = (words, 10, window_size, negative_samples, shuffle, categorical, table, seed)
        results.append((module.skipgrams(*arguments), random.random()))
    assert results[0] == results[1]


@quick
@given(
    st.integers(1, 40),
    st.integers(1, 9),
    st.fixed_dictionaries(
        {},
        optional={
            "sampling_rate": st.integers(1, 4),
            "stride": st.integers(1, 5),
            "start_index": st.integers(0, 9),
            "end_index": st.integers(0, 39),
            "shuffle": st.booleans(),
            "reverse": st.booleans(),
            "batch_size": st.integers(1, 9),
        },
    ),
)
def test_any_timeseries(tf_sequence, steps, length, options):
    data, targets = np.arange(2.0 * steps).reshape(steps, 2), np.arange(steps)

    def batches(module):
        generator = module.TimeseriesGenerator(data, targets, length, **options)
        np.random.seed(7)
        return [generator[index] for index in range(len(generator))], generator.to_json()

    assert_same(as_json(outcome(batches, sequence)), as_json(outcome(batches, tf_sequence)))


@quick
@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.booleans(), st.none() | st.integers(6, 8))
def test_any_labels_and_norms(tf_keras, labels, as_column, num_classes):
    x = np.array(labels)[:, None] if as_column else labels
    ours, theirs = numerical.to_categorical(x, num_classes), tf_keras.utils.to_categorical(x, num_classes)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(numerical.normalize(theirs, 0, 1), tf_keras.utils.normalize(theirs, 0, 1))
