"""What a graph of many small layers costs beyond its layers."""

import time

import numpy as np

from benchmarks.workload import Session, Workload, seconds_per_call

WIDTH, LAYERS, BATCH = 16, 20, 32
WHOLE, PARTS = "forward and backward", "the same layers, one by one"


class ManySmallLayers(Workload):
    """Twenty dense layers in a Model, all of whose weights learn.

    One case is the model's whole pass, the other the sum of the layers' own times, each called by itself on the very
    arrays it meets in the pass.
    """

    name = "graph"
    title = f"a graph of {LAYERS} x Dense({WIDTH}, relu)"
    unit, per = "us", "pass"
    batch = BATCH
    peers = ("fastkeras",)
    cases = (WHOLE, PARTS)

    def start(self, library, path):
        keras = library.module
        y = start = keras.Input((WIDTH,))
        for _ in range(LAYERS):
            y = keras.layers.Dense(WIDTH, activation="relu")(y)
        model = keras.Model(start, y)
        model.compile("sgd", "mse")
        walk = model.training_pass()
        x = np.random.default_rng(0).standard_normal((BATCH, WIDTH)).astype(np.float32)
        dy = np.ones((BATCH, WIDTH), np.float32)

        def whole():
            walk.forward([x], True)
            walk.backward([dy])

        calls = {WHOLE: [whole], PARTS: [self.alone(layer, run, x, dy) for (layer, _, _), run in self.sites(walk)]}
        begin = time.perf_counter()
        whole()
        first = time.perf_counter() - begin
        return Session(lambda case: sum(seconds_per_call(call, 0.25 / len(calls[case])) for call in calls[case]), first)

    @staticmethod
    def sites(walk):
        return zip(walk.graph.steps, walk.runs, strict=True)

    @staticmethod
    def alone(layer, run, x, dy):
        """One layer's forward and backward as a call of no arguments."""

        def call():
            _, backward = layer.forward(x, run)
            backward(dy)

        return call
