"""Predictions for many rows."""

import math
import time

import numpy as np

from benchmarks import data
from benchmarks.workload import Session, Workload, repeated, seconds_per_call, set_keras_weights, set_torch_weights


class Predict(Workload):
    """model.predict of a training's rows, batch after batch; PyTorch has no predict, so there it is the bare module."""

    per = "batch"

    def __init__(self, training, goal=3):
        self.training = training
        self.goal = goal
        self.name = f"predict-{training.name}"
        self.title = f"predict(), {training.title}"
        self.batch = training.batch

    def data(self):
        return {"x": self.training.data()["x"]}

    def start(self, library, path):
        with np.load(path) as arrays:
            x = arrays["x"]
        begin = time.perf_counter()
        call = self.torch_call(library.module, x) if library.name == "torch" else self.keras_call(library.module, x)
        call()
        units = self.units(x)
        return Session(lambda case: seconds_per_call(call) / units, time.perf_counter() - begin, units)

    def again(self, keras, rows=None):
        x = self.data()["x"][:rows]
        return repeated(self.keras_call(keras, x)), self.units(x)

    def units(self, x):
        """How many batches one call predicts."""
        return math.ceil(len(x) / self.batch)

    def keras_call(self, keras, x):
        model = self.training.keras_model(keras)
        set_keras_weights(model)
        return lambda: model.predict(x, batch_size=self.batch, verbose=0)

    def torch_call(self, torch, x):
        model, _, _ = self.training.torch_model(torch)
        set_torch_weights(torch, model)
        model.eval()
        x = torch.from_numpy(x)

        def call():
            with torch.no_grad():
                return [model(part) for part in x.split(self.batch)]

        return call


class PredictMany(Predict):
    """One call of predict for many rows, with the batch size that it has by itself."""

    per = "call"

    def __init__(self, training, rows):
        super().__init__(training, goal=1)
        self.rows = rows
        self.name = f"predict-{rows}-rows"
        self.title = f"predict() of {rows:,} rows, {training.title}"
        self.batch = 32

    def units(self, x):
        return 1

    def data(self):
        return {"x": data.repeated(super().data()["x"], self.rows)}
