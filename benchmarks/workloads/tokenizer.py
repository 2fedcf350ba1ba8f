"""Text to numbers: the Tokenizer over real reviews."""

import time

import numpy as np

from benchmarks import data
from benchmarks.workload import Session, Workload

SENTENCE = "A wonderful film with a brilliant cast, I loved every minute of it."


class Tokenize(Workload):
    """fit_on_texts and texts_to_sequences, together and apart, of 33 MB of text; a new Tokenizer for each fit."""

    name = "tokenizer"
    title = "Tokenizer over 25,000 reviews"
    goal = 5
    unit, per = "s", None
    peers = ("fastkeras", "tf_keras")
    most_rounds = 5
    cases = (
        "fit and sequences",
        "fit",
        "sequences",
        "5,000 of them as lists of words",
        "5,000 of them letter by letter",
        "10,000 single sentences",
    )

    def data(self):
        texts, _ = data.reviews()
        return {"texts": np.frombuffer("\0".join(texts).encode(), np.uint8)}

    def start(self, library, path):
        with np.load(path) as arrays:
            texts = arrays["texts"].tobytes().decode().split("\0")
        text = library.module.preprocessing.text
        some = texts[:5000]
        words = [text.text_to_word_sequence(t) for t in some]
        fitted = text.Tokenizer()
        fitted.fit_on_texts(texts)

        def fit_and_sequences(texts, **options):
            tokenizer = text.Tokenizer(**options)
            tokenizer.fit_on_texts(texts)
            tokenizer.texts_to_sequences(texts)

        def single_sentences():
            for _ in range(10_000):
                fitted.texts_to_sequences([SENTENCE])

        calls = (
            lambda: fit_and_sequences(texts),
            lambda: text.Tokenizer().fit_on_texts(texts),
            lambda: fitted.texts_to_sequences(texts),
            lambda: fit_and_sequences(words),
            lambda: fit_and_sequences(some, char_level=True),
            single_sentences,
        )
        call = dict(zip(self.cases, calls, strict=True))

        def measure(case):
            begin = time.perf_counter()
            call[case]()
            return time.perf_counter() - begin

        return Session(measure)
