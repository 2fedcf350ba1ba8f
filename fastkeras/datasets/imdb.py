"""25,000 film reviews to train on and 25,000 to test on, each kind or not: Maas et al. (2011), "Learning word vectors
for sentiment analysis"."""

import json

import numpy as np

from fastkeras.datasets import pickled, words
from fastkeras.datasets.files import fetch
from fastkeras.datasets.split import shuffled
from fastkeras.utils import suggest


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **unknown,
):
    """The reviews as lists of word ids, and labels, 1 for a kind review and 0 for another.

    Word 1 is the most frequent one, and its id is 1 + `index_from`.

    Args:
        path: the file's name in the cache.
        num_words: ids from this one on become `oov_char`; by default only the largest id does.
        skip_top: ids below this one become `oov_char`, `start_char` included.
        maxlen: only reviews with fewer ids, `start_char` included, are returned.
        seed: of the order of the reviews.
        start_char: the id before each review; None for none.
        oov_char: the id for words left out; None to drop them.
        index_from: is added to each id.

    Returns:
        (x_train, y_train), (x_test, y_test): x is an array (N,) of lists of int, y is int64 (N,).

    Raises:
        ValueError: if no review is shorter than `maxlen`, or the file's checksum is wrong.
        ConnectionError: if the file is not in the cache and cannot be downloaded.
    """
    suggest.refuse_arguments("imdb.load_data", load_data, unknown)
    data = pickled.load_npz(fetch("imdb.npz", path))
    rng = np.random.RandomState(seed)
    x_train, y_train = shuffled(data["x_train"], data["y_train"], rng)
    x_test, y_test = shuffled(data["x_test"], data["y_test"], rng)
    x_train, y_train = words.begin(x_train, y_train, start_char, index_from, maxlen)
    x_test, y_test = words.begin(x_test, y_test, start_char, index_from, maxlen)
    num_words = num_words or max(words.largest(x_train), words.largest(x_test))
    x_train = words.limit(x_train, num_words, skip_top, oov_char)
    x_test = words.limit(x_test, num_words, skip_top, oov_char)
    return (x_train, y_train), (x_test, y_test)


def get_word_index(path="imdb_word_index.json"):
    """A dict word -> number, 1 for the most frequent one. In the data the number is greater by `index_from`."""
    with open(fetch("imdb_word_index.json", path), encoding="utf-8") as file:
        return json.load(file)
