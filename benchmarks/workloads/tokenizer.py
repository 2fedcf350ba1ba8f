"""Text to numbers: the Tokenizer over real reviews."""

import time

import numpy as np

from benchmarks import data
from benchmarks.workload import Session, Workload


class Tokenize(Workload):
    """fit_on_texts and texts_to_sequences over the 25,000 reviews, 33 MB of text, with a new Tokenizer each time."""

    name = "tokenizer"
    title = "Tokenizer over 25,000 reviews: fit and sequences"
    unit, per = "s", None
    peers = ("fastkeras", "tf_keras")

    def data(self):
        texts, _ = data.reviews()
        return {"texts": np.frombuffer("\0".join(texts).encode(), np.uint8)}

    def start(self, library, path):
        with np.load(path) as arrays:
            texts = arrays["texts"].tobytes().decode().split("\0")
        Tokenizer = library.module.preprocessing.text.Tokenizer

        def measure(case):
            begin = time.perf_counter()
            tokenizer = Tokenizer(num_words=10_000)
            tokenizer.fit_on_texts(texts)
            tokenizer.texts_to_sequences(texts)
            return time.perf_counter() - begin

        return Session(measure)
