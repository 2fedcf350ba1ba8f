"""Small models, files of them, and processes of their own, for the tests of saving."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from file_cases import random_weights

import fastkeras
from fastkeras import saving
from fastkeras.layers import Dense

ROOT = Path(__file__).parent.parent


def small(**options):
    model = fastkeras.Sequential([Dense(5, activation="tanh", input_shape=(3,), name="first"), Dense(2, name="last")])
    random_weights(model, 1)
    if options:
        model.compile(**options)
    return model


def same(ours, theirs):
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def loaded(model, tmp_path, name="model.h5", **options):
    model.save(tmp_path / name)
    return saving.load_model(tmp_path / name, **options)


def run_python(code, *arguments):
    """The result of a script in a process of its own."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, timeout=120)
