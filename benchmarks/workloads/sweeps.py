"""One model at several sizes: the time of a step against the batch, the length, the units and the share of copies."""

import numpy as np

from benchmarks import data
from benchmarks.workload import Session, Training, Workload, trainer_of

VOCABULARY, FEATURES = 10_000, 64


class Reader(Training):
    """Film reviews, kind or not: Embedding and LSTM. copies: the share of a batch's rows that are copies of others."""

    def __init__(self, batch=32, length=100, units=64, copies=0.0):
        self.batch, self.length, self.units, self.copies = batch, length, units, copies
        self.rows = max(512, 2 * batch)

    def data(self):
        _, labels = data.reviews()
        ids = data.review_ids(VOCABULARY, self.length)[: self.rows]
        distinct = self.batch - round(self.copies * self.batch)
        row = np.arange(self.rows)
        row = row - row % self.batch + row % self.batch % distinct
        return {"x": ids[row], "y": labels[row, None]}

    def keras_model(self, keras):
        model = keras.Sequential(
            [
                keras.Input(shape=(self.length,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, FEATURES),
                keras.layers.LSTM(self.units),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(optimizer="adam", loss="binary_crossentropy")
        return model

    def torch_model(self, torch):
        nn, units = torch.nn, self.units

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(VOCABULARY, FEATURES)
                self.lstm = nn.LSTM(FEATURES, units, batch_first=True)
                self.dense = nn.Linear(units, 1)

            def forward(self, ids):
                _, (h, _) = self.lstm(self.embedding(ids))
                return self.dense(h[0])

        model = Model()
        return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7), nn.BCEWithLogitsLoss()


class Sweep(Workload):
    """A Reader in which one thing changes from case to case.

    parameter: of Reader. axis: what it is, for people; the values are the cases.
    """

    most_rounds = 3

    def __init__(self, name, parameter, axis, values):
        usual = Reader()
        fixed = {"batch": f"batch {usual.batch}", "length": f"T={usual.length}", "units": f"LSTM({usual.units})"}
        fixed.pop(parameter, None)
        self.name, self.axis = f"sweep-{name}", axis
        self.title = f"Embedding({VOCABULARY}, {FEATURES}) {' '.join(fixed.values())} adam, by {axis}"
        self.values = {str(value): value for value in values}
        self.readers = {case: Reader(**{parameter: value}) for case, value in self.values.items()}
        self.cases = tuple(self.values)

    def x(self, case):
        return self.values[case]

    def data(self):
        return {f"{case} {name}": a for case, reader in self.readers.items() for name, a in reader.data().items()}

    def start(self, library, path):
        trainers = {}  # of one case at a time

        def measure(case):
            if case not in trainers:
                trainers.clear()
                with np.load(path) as arrays:
                    x, y = arrays[f"{case} x"], arrays[f"{case} y"]
                trainers[case] = trainer_of(self.readers[case], library, x, y)
                trainers[case].first_epoch()
            return trainers[case].measure(case)

        return Session(measure, memory=lambda: None)
