"""Does memory stay flat in long loops? `python -m benchmarks.memory`

A loop of predictions of one row, and one of models that are built, trained and dropped. After each tenth of a loop the
memory that the process holds is read; the first tenth fills what is kept for good.
"""

import argparse

import numpy as np

from benchmarks import machine
from benchmarks.arguments import positive
from benchmarks.report import number, table

PREDICTIONS, MODELS = 100_000, 1_000
TENTHS = 10


def small_model(keras):
    """A compiled model with ids, states and padding in it."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(7, 4, mask_zero=True),
            layers.LSTM(8),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def predictions(keras):
    """A function of n that predicts one row n times."""
    model, x = small_model(keras), np.array([[0, 0, 3, 1, 2]], np.int32)

    def run(n):
        for _ in range(n):
            model.predict(x, verbose=0)

    return run


def models(keras):
    """A function of n that builds, trains and drops n models."""
    x, y = np.arange(320).reshape(64, 5) % 7, np.arange(64).reshape(64, 1) % 2

    def run(n):
        for _ in range(n):
            small_model(keras).fit(x, y, epochs=2, verbose=0)

    return run


def held_by_tenths(loop, n):
    """The bytes that the process holds after each tenth of n rounds of the loop."""
    held = []
    for _ in range(TENTHS):
        loop(n // TENTHS)
        held.append(machine.memory())
    return held


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.split("\n\n")[1])
    parser.add_argument("--predictions", type=positive, default=PREDICTIONS, metavar="N")
    parser.add_argument("--models", type=positive, default=MODELS, metavar="N")
    options = parser.parse_args()

    import fastkeras

    loops = {"predict() of one row": (predictions, options.predictions),
             "a model built, trained and dropped": (models, options.models)}  # fmt: skip
    rows = []
    for name, (make, n) in loops.items():
        held = held_by_tenths(make(fastkeras), n)
        rows.append([name, n, *(number(byte / 1e6) for byte in (held[0], max(held), held[-1])),
                     number((held[-1] - held[0]) / (n - n // TENTHS))])  # fmt: skip
    print(table(["loop", "rounds", "after a tenth, MB", "most, MB", "at the end, MB", "bytes a round"], rows))


if __name__ == "__main__":
    main()
