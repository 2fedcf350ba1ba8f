"""pad_sequences and its neighbours: what is ours alone; test_text.py has the cases recorded from tf_keras."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastkeras.preprocessing import sequence
from fastkeras.preprocessing.sequence import (
    TimeseriesGenerator,
    pad_sequence,
    pad_sequences,
    timeseries_generator_from_json,
)


def test_the_chapters_example():
    x = pad_sequence([[1, 2, 3], [3, 4, 5, 6], [7, 8]], maxlen=3, padding="pre")
    np.testing.assert_array_equal(x, [[1, 2, 3], [4, 5, 6], [0, 7, 8]])
    assert x.dtype == np.int32
    assert pad_sequence is pad_sequences


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=7), min_size=1, max_size=5),
    st.integers(1, 9),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
)
def test_lists_are_padded_as_arrays_are(rows, maxlen, padding, truncating):
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": 3}
    arrays = pad_sequences([np.array(row, np.int64) for row in rows], **options)
    np.testing.assert_array_equal(pad_sequences(rows, **options), arrays)
    np.testing.assert_array_equal(pad_sequences(rows, **options, dtype="float64"), arrays)


def test_sequences_may_be_an_array_of_lists():
    lists = np.empty(2, object)
    lists[:] = [[1], [2, 3]]
    np.testing.assert_array_equal(pad_sequences(lists), [[0, 1], [2, 3]])


def test_str_values_go_with_any_name_of_object():
    x = pad_sequences([["a"], ["b", "c"]], dtype="object", value="-")
    assert x.tolist() == [["-", "a"], ["b", "c"]]


@pytest.mark.parametrize(
    "message, arguments",
    [
        (r"`padding` of pad_sequences. Did you mean 'post'\? Received: 'posts'", {"padding": "posts"}),
        (r"`truncating` of pad_sequences. .* Received: 3", {"truncating": 3}),
        ("`maxlen`", {"sequences": []}),
        ("list of sequences. Received: int", {"sequences": 3}),
        ("list of sequences. Received: None as sequence 1", {"sequences": [[1], None]}),
        (r"one shape, here \(2,\). Received: \(\) in sequence 1", {"sequences": [[[1, 2]], [3]]}),
        ("dtype=object(.|\n)*Received: dtype=int32, value='a'", {"value": "a"}),
        (r"argument of pad_sequences. Did you mean 'maxlen'\? Received: 'max_len'", {"max_len": 3}),
        ("`maxlen` must be at least 0. Received: maxlen=-1", {"maxlen": -1}),
        ("`maxlen` must be an integer or None. Received: maxlen=2.5", {"maxlen": 2.5}),
        ("`maxlen` must be an integer or None. Received: maxlen='post'", {"maxlen": "post"}),
    ],
)
def test_errors_say_what_is_wrong(message, arguments):
    with pytest.raises((TypeError, ValueError), match=message):
        pad_sequences(**{"sequences": [[1]], **arguments})


def test_skipgrams_leave_the_sequence_alone_and_give_separate_labels():
    words = [1, 2, 3]
    random.seed(1)
    pairs, labels = sequence.skipgrams(words, 4, categorical=True)
    assert words == [1, 2, 3]
    assert len(pairs) == len(labels) == 12
    assert sorted(labels) == [[0, 1]] * 6 + [[1, 0]] * 6


def test_a_generator_is_iterated_once_through():
    generator = TimeseriesGenerator(np.arange(7), np.arange(7), length=2, batch_size=2)
    targets = [y.tolist() for _, y in generator]
    assert targets == [[2, 3], [4, 5], [6]]
    generator.on_epoch_end()
    assert [y.tolist() for _, y in generator] == targets


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_generator_comes_back_from_json(shuffle):
    data = np.arange(24.0).reshape(12, 2)
    generator = TimeseriesGenerator(data, data[:, 0], 3, 2, 2, 1, 10, shuffle=shuffle, batch_size=2)
    twin = timeseries_generator_from_json(generator.to_json())
    assert json.loads(twin.to_json()) == json.loads(generator.to_json())
    assert len(twin) == len(generator) == 2
    for index in range(2):
        np.random.seed(index)
        x, y = generator[index]
        np.random.seed(index)
        x_twin, y_twin = twin[index]
        np.testing.assert_array_equal(x_twin, x)
        np.testing.assert_array_equal(y_twin, y)
