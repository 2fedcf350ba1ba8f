"""What the tests of the benchmarks share: reports of times that nobody measured, and a small training."""

import numpy as np

from benchmarks import workload


def row(**times):
    peers = {
        name: {"times": list(t), "first": 2.5, "units": 50, "losses": [0.125], "memory": 64e6, "disturbance": 0.01}
        for name, t in times.items()
    }
    return {"case": "", "x": None, "flops": None, "peers": peers}


def whole_report(**changes):
    product = {
        "case": "2 x 3 x 5 y",
        "x": None,
        "flops": 60,
        "peers": {"fastkeras": {"times": [2e-6]}, "numpy": {"times": [1e-6]}},
    }
    steps = {
        "name": "steps",
        "title": "a model",
        "batch": 32,
        "unit": "ms",
        "per": "step",
        "axis": None,
        "goal": 10,
        "limit": None,
        "date": "2026-11-23",
    }
    products = steps | {"name": "gemm", "title": "products", "batch": None, "unit": "us", "per": "call", "failed": {}}
    return {
        "machine": {"cpu": "A processor", "instruction set": "AVX2", "processors": 2, "system": "Linux"},
        "threads": 2,
        "installed": {"fastkeras": 92e6, "torch": 865e6, "numpy": 70e6},
        "versions": {"fastkeras": {"fastkeras": "1.0"}, "torch": {"torch": "2.0"}},
        "missing": {"tf": "No module named 'tensorflow'"},
        "workloads": [
            steps
            | {"failed": {"jax": "it broke"}, "rows": [row(fastkeras=[0.001, 0.002, 0.003], torch=[0.01, 0.02, 0.03])]},
            products | {"rows": [product]},
        ],
    } | changes


def short_report(*names, **changes):
    """A report of the named workloads, each measured by fastkeras and torch."""
    about = whole_report()["workloads"][0] | {"rows": [row(fastkeras=[0.001], torch=[0.002])]}
    return whole_report(workloads=[about | {"name": name} for name in names]) | changes


def cells(text, start):
    """The cells of the one table line that starts with a text."""
    (line,) = [line for line in text.split("\n") if line.startswith(start)]
    return [cell.strip() for cell in line.strip("|").split("|")]


class SmallLSTM(workload.Training):
    name, title, batch = "small", "a small LSTM", 8

    def data(self):
        return {"x": np.arange(80).reshape(16, 5) % 7, "y": np.ones((16, 1), np.float32)}

    def keras_model(self, keras):
        layers = [keras.layers.Embedding(7, 2), keras.layers.LSTM(4), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((5,), dtype="int32"), *layers])
        model.compile("sgd", "mse")
        return model
