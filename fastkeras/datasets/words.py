"""Texts as lists of word ids, word 1 being the most frequent one: what imdb and reuters have in common."""

import numpy as np


def begin(texts, labels, start_char, index_from, maxlen):
    """Texts with `index_from` added to each id, behind `start_char` unless it is None; those shorter than `maxlen`.

    Returns (texts, labels), a list of lists and an array.
    """
    start = [] if start_char is None else [start_char]
    shift = index_from or 0
    texts = [start + [word + shift for word in text] for text in texts]
    if maxlen:
        short = [len(text) < maxlen for text in texts]
        texts, labels = [text for text, kept in zip(texts, short, strict=True) if kept], labels[short]
        if not texts:
            raise ValueError(f"No text is shorter than `maxlen`. Received: maxlen={maxlen}")
    return texts, labels


def largest(texts):
    """The largest id: the `num_words` of Keras for None, so that this one id counts as unknown."""
    return max(max(text, default=0) for text in texts)


def limit(texts, num_words, skip_top, oov_char):
    """An array of lists: ids outside skip_top <= id < num_words become `oov_char`, or are left out if it is None."""
    if oov_char is None:
        limited = ([word for word in text if skip_top <= word < num_words] for text in texts)
    else:
        limited = ([word if skip_top <= word < num_words else oov_char for word in text] for text in texts)
    return np.fromiter(limited, dtype=object, count=len(texts))
