"""11,228 newswires of Reuters from 1987, each on one of 46 topics (from the collection Reuters-21578)."""

import json

import numpy as np

from fastkeras.datasets import pickled, words
from fastkeras.datasets.files import fetch
from fastkeras.datasets.split import shuffled, split
from fastkeras.utils import suggest

_TOPICS = """
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude
    nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel
    rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead
"""


def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **unknown,
):
    """The newswires as lists of word ids, and their topics, numbers from 0 to 45 (see `get_label_names`).

    Args:
        test_split: the share of the newswires that is for the test, in [0, 1).
        The others are those of `imdb.load_data`.

    Returns:
        (x_train, y_train), (x_test, y_test): x is an array (N,) of lists of int, y is int64 (N,).

    Raises:
        ValueError: if no newswire is shorter than `maxlen`, `test_split` is none, or the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    suggest.refuse_arguments("reuters.load_data", load_data, unknown)
    data = pickled.load_npz(fetch("reuters.npz", path))
    x, y = shuffled(data["x"], data["y"], np.random.RandomState(seed))
    x, y = words.begin(x, y, start_char, index_from, maxlen)
    x = words.limit(x, num_words or words.largest(x), skip_top, oov_char)
    return split(x, y, test_split)


def get_word_index(path="reuters_word_index.json"):
    """A dict word -> number, 1 for the most frequent one. In the data the number is greater by `index_from`."""
    with open(fetch("reuters_word_index.json", path), encoding="utf-8") as file:
        return json.load(file)


def get_label_names():
    """The names of the 46 topics, in the order of their numbers."""
    return tuple(_TOPICS.split())
