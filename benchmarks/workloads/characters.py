"""Text, letter by letter: which letter comes next?"""

import numpy as np

from benchmarks import data
from benchmarks.workload import Training

ALPHABET = "\n abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-/&*$%"
LENGTH = 40


def letter_ids(text):
    """The letters of a text as places in ALPHABET, lower case; those that are not in it are left out."""
    numbers = {letter: i for i, letter in enumerate(ALPHABET)}
    return np.array([numbers[letter] for letter in text.lower() if letter in numbers], np.int32)


class Letters(Training):
    """What text generators train on: pieces of a text that begin every few letters, and the letter after each.

    From the third letter on hardly two pieces of a batch have begun alike.
    """

    name = "char-lstm"
    title = f"letters, Embedding({len(ALPHABET)}, 32) LSTM(128), T={LENGTH}, adam"
    batch = 128
    rows = 128 * 16
    step = 3

    def data(self):
        texts, _ = data.reviews()
        letters = letter_ids("\n".join(texts[:100]))
        starts = self.step * np.random.default_rng(0).permutation((len(letters) - LENGTH) // self.step)[: self.rows]
        return {"x": letters[starts[:, None] + np.arange(LENGTH)], "y": letters[starts + LENGTH]}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(LENGTH,), dtype="int32"),
                keras.layers.Embedding(len(ALPHABET), 32),
                keras.layers.LSTM(128),
                keras.layers.Dense(len(ALPHABET), activation="softmax"),
            ]
        )
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        return model

    def torch_model(self, torch):
        nn = torch.nn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(len(ALPHABET), 32)
                self.lstm = nn.LSTM(32, 128, batch_first=True)
                self.dense = nn.Linear(128, len(ALPHABET))

            def forward(self, ids):
                _, (h, _) = self.lstm(self.embedding(ids))
                return self.dense(h[0])

        model, loss = Model(), nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
        return model, optimizer, lambda y, letters: loss(y, letters.long())
