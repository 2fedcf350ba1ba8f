"""Predictions for many rows."""

import math
import time

import numpy as np

from benchmarks.workload import Session, Workload, seconds_per_call, set_keras_weights, set_torch_weights


class Predict(Workload):
    """model.predict of a training's rows, batch after batch; PyTorch has no predict, so there it is the bare module."""

    per = "batch"

    def __init__(self, training):
        self.training = training
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
        batches = math.ceil(len(x) / self.batch)
        return Session(lambda case: seconds_per_call(call) / batches, time.perf_counter() - begin)

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
