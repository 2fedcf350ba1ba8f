"""How far fastkeras's results are from those of Keras on TensorFlow, live: `python -m benchmarks.parity`.

Every layer, activation, loss, metric, optimizer and exercise of the tests' cases is computed by both, and the largest
differences stand in one table. It ends with 1 where a difference is beyond its tolerance, or where a layer, an
activation, a loss, a metric or an optimizer is neither compared nor in UNCOMPARED. It needs a checkout and, in one
Python, fastkeras, pytest, TensorFlow and tf_keras: pip install -e ".[test,compare]".
"""

import argparse
import contextlib
import importlib
import inspect
import itertools
import json
import math
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.report import scientific, table

TESTS = Path(__file__).resolve().parent.parent / "tests"
# of the largest difference in an array, as a share of the largest number that Keras gives for it
TOLERANCES = {"outputs": 1e-5, "gradients": 5e-5, "losses": 1e-4, "weights": 1e-4}
MEANING = {
    "outputs": "of layers and models, values of losses, results of metrics",
    "gradients": "of inputs and weights; of an exercise's weights, from one step of SGD",
    "losses": "an exercise's losses and metrics, epoch by epoch",
    "weights": "an exercise's that have a gradient, after its epochs, with the predictions; an optimizer's after 12 "
    "steps, with its slots",
}

# Where fastkeras differs from Keras 3 on purpose, and is not compared with it.
DIFFERENCES = (
    "`batch_size=None` means one full batch in fit, and 32 rows in Keras.",
    "Random streams are fastkeras's own: initial weights, dropout's masks, noise, what random image layers do and the "
    "order of shuffled rows differ under the same seed. All comparisons start from the same weights, without "
    "shuffling; layers that draw are compared where nothing is drawn, in prediction or with a rate of 0.",
    "An adaptive optimizer squares the summed gradient of an embedding row that a batch repeats, as tf_keras, JAX and "
    "PyTorch do. Keras 3 on TensorFlow sums the squares of its parts: such exercises are compared with tf_keras.",
    "`clipnorm`, `global_clipnorm` and `clipvalue` clip the summed gradient of such a row, as Keras on JAX does. "
    "TensorFlow clips its parts.",
    "A mask reaches a layer that is called on several tensors, such as a recurrent layer with initial states, as in "
    "tf_keras. Keras 3 drops it there.",
    "Where tf_keras and Keras 3 differ otherwise (batch normalization's moving variance, crossentropy of probabilities "
    "of exactly 0 or 1, hard_sigmoid, masked moments), fastkeras is Keras 3.",
    "`training` that a layer of a graph was told holds in fit and predict too, as in tf_keras. Keras 3 overrides it "
    "there.",
    "sparsemax sums to 1. In Keras 3.15 it does not where two elements are positive.",
    "celu's slope at exactly 0 is 1. TensorFlow adds those of its two halves.",
    "The progress bar speaks as Keras 2's does.",
)
UNCOMPARED = {
    "layers": {
        "CRF": "Keras has none",
        "CategoryEncoding": "has no gradient: tests/test_category.py compares it",
        "Discretization": "has no gradient: tests/test_category.py compares it",
        "Dropout": "a random stream; without training it changes nothing",
        "Hashing": "has no gradient: tests/test_category.py compares it",
        "InputLayer": "computes nothing",
        "IntegerLookup": "has no gradient: tests/test_lookup.py compares it",
        "Lambda": "computes what it is given",
        "Layer": "the base class",
        "Operation": "its base class",
        "RandomCrop": "cuts where chance says; in prediction it is a Resizing, in Keras 3 nothing",
        "StringLookup": "takes texts: tests/test_lookup.py compares it",
        "TextVectorization": "takes texts: tests/test_text_vectorization.py compares it",
    },
    "activations": {
        "legacy_hard_sigmoid": "that of Keras 1 and 2, for their files: tests/test_legacy_files.py compares it",
        "sparsemax": "see the differences",
    },
    "losses": {
        "AnyCrossentropy": "one of the other crossentropies",
        "CRFLoss": "Keras has none",
        "FunctionLoss": "a function of the user's",
        "Loss": "the base class",
    },
    "metrics": {"MeanMetricWrapper": "a function of the user's", "Metric": "the base class"},
    "optimizers": {"Optimizer": "the base class"},
}


class Line:
    """One line of the table: the largest differences of everything of that name."""

    def __init__(self, kind, name):
        self.kind, self.name, self.cases = kind, name, 0
        self.differences = dict.fromkeys(TOLERANCES)

    def add(self, **differences):
        """Counts one more case, with differences by the names of TOLERANCES."""
        self.cases += 1
        for figure, value in differences.items():
            self.differences[figure] = max(value, self.differences[figure] or 0.0)

    def beyond(self):
        """Those of the differences that no tolerance allows."""
        return [name for name, value in self.differences.items() if value is not None and not value <= TOLERANCES[name]]


class Lines(dict):
    """{(kind, name): Line}"""

    def __missing__(self, key):
        self[key] = Line(*key)
        return self[key]


def difference(ours, theirs):
    """The largest difference of two arrays, as a share of the largest number in theirs, or infinity for other shapes.

    Lists of arrays are taken as one long array each. What is infinite or NaN must be the same in both.
    """
    ours, theirs = _flat(ours), _flat(theirs)
    finite = np.isfinite(theirs) if ours.shape == theirs.shape else None
    if finite is None or not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return math.inf
    ours, theirs = ours[finite], theirs[finite]
    if not np.isfinite(ours).all():
        return math.inf
    largest = np.abs(theirs).max(initial=0.0) or 1.0
    return float(np.abs(ours - theirs).max(initial=0.0) / largest)


def _flat(arrays):
    arrays = arrays if isinstance(arrays, list) else [arrays]
    return np.concatenate([np.ravel(np.asarray(a, np.float64)) for a in arrays])


# --- the comparisons, each of which adds to the lines -----------------------------------------------------------------


def compare_layers(lines, keras):
    from layer_cases import CASES, inputs
    from test_keras_layers import of_fastkeras, of_keras

    import fastkeras

    for name, arguments, shapes, *options in CASES:
        told = options[0] if options else {}
        xs, masks = inputs(shapes, told.get("masks", ()))
        training = told.get("training", False)
        y, gradients, _ = of_fastkeras(getattr(fastkeras.layers, name)(**arguments), xs, masks, training)
        wanted, wanted_gradients, _ = of_keras(getattr(keras.layers, name)(**arguments), xs, masks, training)
        steps = max((difference(a, np.array(b)) for a, b in zip(gradients, wanted_gradients, strict=True)), default=0.0)
        lines["layers", name].add(outputs=difference(y, wanted), gradients=steps)


def compare_activations(lines, keras):
    from test_keras_activations_losses import ROWS, X, gradient

    from fastkeras import GradientTape, activations, ops

    def add(name, y, wanted, dx, wanted_dx):
        lines["activations", name].add(outputs=difference(y, wanted), gradients=difference(dx, wanted_dx))

    for name, activation in activations._BY_NAME.items():
        if name in UNCOMPARED["activations"] or not hasattr(keras.activations, name):
            continue  # one that Keras has not is reported, unless a reason is given
        x = ROWS if activation.kernel.rowwise else X[X != 0]
        dy = np.cos(np.arange(x.size, dtype=np.float32)).reshape(x.shape)
        weighted, wanted_dx = gradient(lambda x: getattr(keras.activations, name)(x) * dy, x)  # noqa: B023
        y, backward = activation.forward(x)
        add(name, y * dy, weighted, backward(dy), wanted_dx)

    # those that no layer has by name
    for name, x, arguments in (
        ("glu", ROWS[:, :6], {}),
        ("glu", ROWS[:4], {"axis": 0}),
        ("threshold", X, {"threshold": 0.4, "default_value": -3.0}),
    ):
        wanted, wanted_dx = gradient(lambda x: getattr(keras.activations, name)(x, **arguments) ** 2, x)  # noqa: B023
        tensor = ops.convert_to_tensor(x)
        with GradientTape() as tape:
            tape.watch(tensor)
            y = getattr(activations, name)(tensor, **arguments) ** 2
        add(name, y, wanted, tape.gradient(y, tensor), wanted_dx)


def compare_losses(lines, keras):
    from test_keras_activations_losses import CLASSES, LOSSES, gradient, make

    from fastkeras import losses

    rows = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float32)
    unit = rows[:, 0] / np.linalg.norm(rows[:, 0], axis=1, keepdims=True)
    for name, y, t, arguments in [*LOSSES, ("circle", unit, np.arange(4) % 2, {})]:
        wanted, wanted_dy = gradient(lambda y: getattr(keras.losses, name)(t, y, **arguments), y)  # noqa: B023
        outputs = difference(getattr(losses, name)(t, y, **arguments), wanted)
        loss, dy = make(losses, name, reduction="sum", **arguments), np.empty_like(y)
        loss.compute(loss.prepare(t, y.shape), y, None, 1 / len(y), dy)
        lines["losses", CLASSES[name]].add(outputs=outputs, gradients=difference(dy, wanted_dy))

    labels, loss, dy = np.array([[1, 2, 0], [3, 3, 3], [4, 4, 0], [2, 0, 0]]), losses.CTC(reduction="sum"), rows.copy()
    wanted, wanted_dy = gradient(lambda y: keras.losses.CTC(reduction="sum")(labels, y), rows)
    value = loss.compute_whole(loss.prepare(labels, rows.shape), rows, None, None, 1.0, dy, None, None)
    lines["losses", "CTC"].add(outputs=difference(value, wanted), gradients=difference(dy, wanted_dy))


def compare_metrics(lines, keras):
    from test_keras_activations_losses import METRICS, ROWS, WEIGHTS

    from fastkeras import metrics

    means = [(name, ROWS, WEIGHTS[: len(ROWS)], {}) for name in ("Mean", "Sum")]  # of numbers, with weights
    for name, t, y, arguments in [*METRICS, *means]:
        both = [getattr(module, name)(**arguments) for module in (metrics, keras.metrics)]
        for metric in both:
            metric.update_state(t[:3], y[:3])
            metric.update_state(t[3:], y[3:])
        ours, theirs = (np.asarray(metric.result()) for metric in both)
        lines["metrics", name].add(outputs=difference(ours, theirs))


def compare_optimizers(lines, keras):
    from keras_optimizers import CASES, OPTIMIZERS, keras_run
    from test_optimizers_steps import fastkeras_run

    for optimizer, option in CASES:
        ours, theirs = fastkeras_run(optimizer, option), keras_run(optimizer, option)
        worst = max(difference(ours[name], theirs[name]) for name in theirs)
        lines["optimizers", OPTIMIZERS[optimizer][0]].add(weights=worst)


def compare_exercises(lines, keras):
    """Whole models, which count for the layers, the losses and the optimizers in them, too."""
    from live import keras_module, traced
    from parity_cases import CASES
    from parity_cases_convolution import channels_first

    import fastkeras

    for case, peers in CASES.items():
        ours, parts = exercise(fastkeras, case)
        kept = [*learning(ours["gradients"]), True]  # the last of the weights are the predictions
        for peer in peers:
            module = keras_module(peer)  # which runs eagerly from here on, but for what traced() compiles
            with traced() if case is channels_first else contextlib.nullcontext():
                theirs, _ = exercise(module, case)
            differences = {figure: difference(ours[figure], theirs[figure]) for figure in TOLERANCES}
            weights = (list(itertools.compress(figures["weights"], kept)) for figures in (ours, theirs))
            differences["weights"] = difference(*weights)
            lines["exercises", f"{case.__name__} ({peer})"].add(**differences)
            for name in parts:
                lines["layers", name].add(**differences)


def exercise(keras, case):
    """({figure: arrays} of an exercise, the class names of all layers in its model)"""
    from parity_cases import trained

    results, model = trained(keras, case)
    history = [results["history"][key] for key in sorted(results["history"])]
    return {
        "outputs": results["before"],
        "gradients": first_gradients(keras, case),
        "losses": [*history, results["evaluate"]],
        "weights": [*model.get_weights(), results["after"]],
    }, layers_in(model.get_config())


def first_gradients(keras, case):
    """What one step of SGD with a learning rate of 1 takes from the weights, over the exercise's first batch."""
    from model_data import random_weights

    model, (x, y), compile_options, fit_options = case(keras)
    random_weights(model, 3)
    before = model.get_weights()
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=1.0), loss=compile_options["loss"])
    model.train_on_batch(x[: fit_options["batch_size"]], y[: fit_options["batch_size"]])
    return [old - new for old, new in zip(before, model.get_weights(), strict=True)]


def learning(gradients):
    """For each weight, whether its gradient is more than rounding, of which an adaptive optimizer makes whole steps.

    A bias under a softmax along another axis has none, for example: it changes nothing.
    """
    sizes = [np.abs(g).max(initial=0.0) for g in gradients]
    return [size > 1e-6 * max(sizes) for size in sizes]


def layers_in(config):
    """The class names in a configuration that are names of fastkeras's layers."""
    import fastkeras

    if isinstance(config, dict):
        name = config.get("class_name")
        here = {name} if isinstance(getattr(fastkeras.layers, str(name), None), type) else set()
        return here.union(*map(layers_in, config.values()))
    return set().union(*map(layers_in, config)) if isinstance(config, (list, tuple)) else set()


COMPARISONS = {
    "layers": compare_layers,
    "activations": compare_activations,
    "losses": compare_losses,
    "metrics": compare_metrics,
    "optimizers": compare_optimizers,
    "exercises": compare_exercises,
}


def public_classes(module):
    """The names of the public classes that a module of fastkeras offers; not their aliases."""
    found = {value for name, value in vars(module).items() if inspect.isclass(value) and not name.startswith("_")}
    return sorted(cls.__name__ for cls in found)


def public_functions(module):
    """The names of the public functions that a module of fastkeras defines, and their aliases; not get and the like."""
    found = {name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    functions = {name for name in found if inspect.isfunction(getattr(module, name)) and not name.startswith("_")}
    return sorted(functions - {"get", "serialize", "deserialize"})


def expected():
    """{kind: the names that must be compared or stand in UNCOMPARED}"""
    from fastkeras import activations, layers, losses, metrics, optimizers

    bases = {layers: layers.Layer, losses: losses.Loss, metrics: metrics.Metric, optimizers: optimizers.Optimizer}
    classes = {
        module.__name__.rpartition(".")[2]: [
            name for name in public_classes(module) if issubclass(getattr(module, name, object), base)
        ]
        for module, base in bases.items()
    }
    return classes | {"activations": public_functions(activations)}


# --- the report -------------------------------------------------------------------------------------------------------


def exercised():
    """The class names of the layers in the exercises' models."""
    from parity_cases import CASES

    import fastkeras

    return set().union(*(layers_in(case(fastkeras)[0].get_config()) for case in CASES))


def forgotten(lines, kinds):
    """["layers: Dense", ...]: what is neither compared nor in UNCOMPARED, nor a layer of exercises that did not run."""
    left = exercised() if "layers" in kinds and "exercises" not in kinds else set()
    return [
        f"{kind}: {name}"
        for kind, names in expected().items()
        if kind in kinds
        for name in names
        if (kind, name) not in lines and name not in UNCOMPARED[kind] and not (kind == "layers" and name in left)
    ]


def cells_of(line):
    bad = line.beyond()
    return [
        f"{scientific(value)} beyond {TOLERANCES[name]:.0e}" if name in bad else scientific(value)
        for name, value in line.differences.items()
    ]


def summary(lines):
    """A line for each kind: how many names and cases, and the largest differences."""
    rows = []
    for kind in COMPARISONS:
        its = [line for line in lines.values() if line.kind == kind]
        if its:
            whole = Line(kind, "all")
            for line in its:
                whole.add(**{figure: value for figure, value in line.differences.items() if value is not None})
            rows.append([kind, len(its), sum(line.cases for line in its), *cells_of(whole)])
    rows.append(["tolerance", "", "", *map(scientific, TOLERANCES.values())])
    return table(["", "names", "cases", *TOLERANCES], rows)


def markdown(lines, missing, versions, seconds):
    """The whole report."""
    parts = [
        "# The same results as TensorFlow",
        ", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {seconds:.0f} s. The largest "
        "differences, each as a share of the largest number that Keras gives:",
        summary(lines),
        "\n".join(f"- {figure}: {meaning}" for figure, meaning in MEANING.items()),
    ]
    if missing:
        parts.append("Not compared, and no reason given: " + ", ".join(missing))
    parts.append("## Differences on purpose")
    parts.append("\n".join(f"- {text}" for text in DIFFERENCES))
    parts.append("Not compared:")
    reasons = [f"- {name}: {why}" for kind in UNCOMPARED.values() for name, why in kind.items()]
    parts.append("\n".join(reasons))
    for kind in COMPARISONS:
        rows = [[line.name, line.cases, *cells_of(line)] for line in lines.values() if line.kind == kind]
        if rows:
            parts.append(f"## {kind.capitalize()}")
            parts.append(table([kind, "cases", *TOLERANCES], sorted(rows)))
    return "\n\n".join(parts) + "\n"


def peers():
    """{name: module} of fastkeras, TensorFlow and both of its Kerases. The tests can be imported from then on."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    from live import keras_module

    others = {name: keras_module(name) for name in ("keras", "tf_keras")}
    return {name: importlib.import_module(name) for name in ("fastkeras", "tensorflow")} | others


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=COMPARISONS, default=list(COMPARISONS), metavar="KIND",
                        help=", ".join(COMPARISONS))  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="write parity.md and parity.json into it")
    options = parser.parse_args()

    try:
        modules = peers()
    except ModuleNotFoundError as error:
        parser.error(f'{error}: pip install -e ".[test,compare]"')
    versions = {name: module.__version__ for name, module in modules.items()}
    lines, begin = Lines(), time.perf_counter()
    for kind in options.only:
        print(f"{time.perf_counter() - begin:5.0f} s  {kind}", file=sys.stderr, flush=True)
        COMPARISONS[kind](lines, modules["keras"])
    missing = forgotten(lines, options.only)
    text = markdown(lines, missing, versions, time.perf_counter() - begin)
    print(text)
    if options.report:
        options.report.mkdir(parents=True, exist_ok=True)
        (options.report / "parity.md").write_text(text)
        (options.report / "parity.json").write_text(json.dumps(
            {"versions": versions, "tolerances": TOLERANCES, "not compared": missing,
             "lines": [vars(line) for line in lines.values()]}, indent=1) + "\n")  # fmt: skip
    return 1 if missing or any(line.beyond() for line in lines.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
