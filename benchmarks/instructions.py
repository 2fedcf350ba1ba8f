"""Whether a training step costs more instructions than it did: `python -m benchmarks.instructions`.

Times differ from run to run, instructions hardly do. Five small models train a few fixed batches on one thread under
valgrind's callgrind, which counts every instruction: those of the kernels' library, and those around them (Python,
numpy, the wrappers). The counts per step are compared with the recorded ones in instructions.json; what has changed by
more than the tolerance there is printed, and the exit code is 1. `--record` writes the file anew, after a change that
is meant. Another compiler, Python or numpy gives other counts, and is said. The kernels are those for AVX2, since
valgrind does not know AVX-512.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.report import percent, table

RECORDED = Path(__file__).with_name("instructions.json")
ISA = "avx2"
KINDS = ("kernels", "around")
TOLERANCE = {"kernels": 0.01, "around": 0.03}
WARM, STEPS = 3, 5
# Callgrind writes what it has counted whenever this kernel is called: a way to mark where the counted steps begin and
# end from Python, by fastkeras.config.set_num_threads.
MARK = "fk_set_num_threads"


class InstructionsError(Exception):
    """Nothing could be counted; the message says why."""


# --- the steps --------------------------------------------------------------------------------------------------------


def _texts(words, steps, rows, classes):
    """Ids that repeat as words do, padded in front; labels below `classes`."""
    random = np.random.default_rng(0)
    x = np.minimum(random.zipf(1.3, (rows, steps)), words - 1).astype(np.int32)
    x[np.arange(steps) < random.integers(0, steps // 2, (rows, 1))] = 0
    return x, random.integers(0, classes, rows)


def tiny_mlp(keras):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((32, 4)).astype(np.float32), random.integers(0, 2, (32, 1))
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
    return [keras.Input((4,)), *layers], "rmsprop", "binary_crossentropy", x, y


def simple_rnn(keras):
    x, y = _texts(500, 80, 16, 2)
    layers = [keras.layers.Embedding(500, 32), keras.layers.SimpleRNN(32), keras.layers.Dense(1, activation="sigmoid")]
    return [keras.Input((80,)), *layers], "rmsprop", "binary_crossentropy", x, y[:, None]


def lstm(keras):
    x, y = _texts(200, 30, 32, 46)
    layers = [keras.layers.Embedding(200, 24), keras.layers.LSTM(24), keras.layers.Dense(46, activation="softmax")]
    return [keras.Input((30,)), *layers], "adam", "sparse_categorical_crossentropy", x, y


def gru(keras):
    x, y = _texts(300, 40, 16, 2)
    layers = [keras.layers.Embedding(300, 20), keras.layers.GRU(32), keras.layers.Dense(1, activation="sigmoid")]
    return [keras.Input((40,)), *layers], "adam", "binary_crossentropy", x, y[:, None]


def cnn(keras):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((16, 14, 14, 1)).astype(np.float32), random.integers(0, 10, 16)
    blocks = [keras.layers.Conv2D(8, 3, activation="relu"), keras.layers.MaxPooling2D(), keras.layers.Conv2D(16, 3)]
    layers = [*blocks, keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    return [keras.Input((14, 14, 1)), *layers], "adam", "sparse_categorical_crossentropy", x, y


MODELS = {"tiny-mlp": tiny_mlp, "simple-rnn": simple_rnn, "lstm": lstm, "gru": gru, "cnn": cnn}


def train():
    """What runs under callgrind: for each model, steps to warm up, a mark, the steps that count, and a mark."""
    import gc

    import fastkeras

    gc.disable()  # it would run in some step or other
    for start in MODELS.values():
        fastkeras.utils.set_random_seed(0)
        layers, optimizer, loss, x, y = start(fastkeras)
        model = fastkeras.Sequential(layers)
        model.compile(optimizer, loss)
        for _ in range(WARM):
            model.train_on_batch(x, y)
        fastkeras.config.set_num_threads(1)
        for _ in range(STEPS):
            model.train_on_batch(x, y)
        fastkeras.config.set_num_threads(1)


# --- counting ---------------------------------------------------------------------------------------------------------


def count():
    """{model: {"kernels": instructions a step, "around": the others}}, or an InstructionsError."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise InstructionsError("valgrind was not found; install it (Debian and Ubuntu: apt-get install valgrind)")
    settings = {"FASTKERAS_ISA": ISA, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as directory:
        options = [f"--dump-before={MARK}", "--compress-strings=no", "--compress-pos=no"]
        output = f"--callgrind-out-file={directory}/counts"
        command = [
            valgrind,
            "--tool=callgrind",
            *options,
            output,
            sys.executable,
            "-m",
            "benchmarks.instructions",
            "--train",
        ]
        ran = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
        if ran.returncode != 0:
            raise InstructionsError(f"valgrind ended with exit code {ran.returncode}:\n{ran.stderr[-2000:]}")
        return steps_of({int(path.suffix[1:]): path.read_text() for path in Path(directory).glob("counts.*")})


def steps_of(parts):
    """The counts of each model from {number of a mark: what callgrind wrote there}: every second holds its steps."""
    if len(parts) < 2 * len(MODELS):
        raise InstructionsError(f"callgrind saw {len(parts)} of {2 * len(MODELS)} marks: is {MARK} in the library?")
    ends = sorted(parts)[-2 * len(MODELS) :][1::2]
    return {name: by_kind(parts[end]) for name, end in zip(MODELS, ends, strict=True)}


def by_kind(text):
    """{"kernels", "around"}: the instructions a step in one of callgrind's files, whose names are not compressed.

    A line `ob=` says in which library the functions below it are; a cost is "line instructions", and the one behind
    `calls=` is that of the called function, which is counted there (Callgrind Profile Format Specification).
    """
    counts, kind, inclusive = dict.fromkeys(KINDS, 0), "around", False
    for line in text.splitlines():
        if line.startswith("ob="):
            kind = "kernels" if "libfk_" in line else "around"
        elif line.startswith("calls="):
            inclusive = True
        elif line[:1].isdigit():
            if not inclusive:
                counts[kind] += int(line.split()[1])
            inclusive = False
    return {kind: instructions // STEPS for kind, instructions in counts.items()}


def built_with():
    """What the counts depend on beside the code: the compiler's name in the kernels' library, Python, numpy."""
    import fastkeras

    library = Path(fastkeras.__file__).parent / "_kernels" / f"libfk_{ISA}.so"
    name = re.search(rb"GCC: \([^)]*\) [\d.]+|clang version [\d.]+", library.read_bytes())
    compiler = name[0].decode() if name else "unknown"
    return {"compiler": compiler, "python": platform.python_version(), "numpy": np.__version__}


# --- comparing --------------------------------------------------------------------------------------------------------


def changes(before, now, tolerance):
    """[(model, kind, count before, count now)] of what differs by more than its kind's tolerance, or is on one side
    only (then the other is None)."""
    found = []
    for name in dict.fromkeys([*before, *now]):
        for kind in KINDS:
            old, new = (counts.get(name, {}).get(kind) for counts in (before, now))
            if old is None or new is None or abs(new - old) > tolerance[kind] * old:
                found.append((name, kind, old, new))
    return found


def report(before, now, tolerance):
    """The table of all counts; changed ones are marked."""
    changed = {(name, kind) for name, kind, *_ in changes(before, now, tolerance)}
    rows = []
    for name in dict.fromkeys([*before, *now]):
        for kind in KINDS:
            old, new = (counts.get(name, {}).get(kind) for counts in (before, now))
            ratio = percent(new / old - 1) if old and new is not None else "-"
            mark = "changed" if (name, kind) in changed else ""
            shown = ("-" if value is None else f"{value:,}" for value in (old, new))
            rows.append([name, kind, *shown, ratio, mark])
    return table(["instructions a step", "", "recorded", "now", "difference", ""], rows)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__.split("\n\n")[0])
    parser.add_argument("--record", action="store_true", help=f"write {RECORDED.name} anew")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.train:
        train()
        return 0
    try:
        now = count()
    except InstructionsError as error:
        print(f"python -m benchmarks.instructions: {error}", file=sys.stderr)
        return 2
    if options.record:
        RECORDED.write_text(json.dumps({**built_with(), "tolerance": TOLERANCE, "counts": now}, indent=2) + "\n")
        print(report({}, now, TOLERANCE))
        return 0
    recorded = json.loads(RECORDED.read_text())
    print(report(recorded["counts"], now, recorded["tolerance"]))
    for what, name in built_with().items():
        if recorded[what] != name:
            print(f"recorded with {what} {recorded[what]}, this is {name}: counts may differ for that alone")
    return 1 if changes(recorded["counts"], now, recorded["tolerance"]) else 0


if __name__ == "__main__":
    sys.exit(main())
