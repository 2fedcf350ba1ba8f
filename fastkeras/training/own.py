"""Training by the steps of the user's own: a Model that defines train_step, test_step, predict_step, compute_loss or
compute_metrics.

fit, evaluate and predict then hand each batch, as it was given, to the model's step, and report what that returns:

    class Mine(keras.Model):
        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

The functions of those names below are what a model does that defines only some of them, or calls super().
"""

from functools import partial

import numpy as np

from fastkeras import metrics
from fastkeras.core import nest
from fastkeras.core.tape import GradientTape
from fastkeras.core.targets import row_weights
from fastkeras.core.tensor import as_tensor, mask_of_rows, sum_over
from fastkeras.training.heads import by_output
from fastkeras.training.prepare import labels, targets_by_output, weights_of_classes
from fastkeras.utils.arrays import brief, to_array
from fastkeras.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from fastkeras.utils.messages import message, warn

# --- the steps -------------------------------------------------------------------------------------------------------


def train_step(model, data):
    """One update on a batch (x, y, sample_weight), x or (x, y). Returns the values to report, a dict."""
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    with GradientTape() as tape:
        y_pred = model(x, training=True)
        loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
    variables = model.trainable_variables
    if variables:
        model.optimizer.apply(tape.gradient(loss, variables), variables)
    else:
        warn(f"Model '{model.name}' has no weights to train.")
    return _scored(model, x, y, y_pred, sample_weight, loss)


def test_step(model, data):
    """The values to report of a batch, a dict."""
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    y_pred = model(x, training=False)
    loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
    return _scored(model, x, y, y_pred, sample_weight, loss)


def _scored(model, x, y, y_pred, sample_weight, loss):
    model.compiled.scores.loss.update_state(loss, sample_weight=len(nest.flat(x)[0]))
    return model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)


def predict_step(model, data):
    """The model's outputs for a batch."""
    return model(unpack_x_y_sample_weight(data)[0], training=False)


def compute_loss(model, x=None, y=None, y_pred=None, sample_weight=None, training=True):
    """The loss that compile() was given, of targets and predictions, and what the layers have added to it: a tensor."""
    losses = [sum_over(loss) for loss in model.losses]
    if model.require_compiled().has_loss:
        losses.insert(0, model.compiled.scores.compute_loss(y, y_pred, sample_weight))
    if not losses:
        raise ValueError(message("no_loss"))
    return sum(losses[1:], losses[0])


def compute_metrics(model, x, y, y_pred, sample_weight=None):
    """Adds a batch to the metrics that compile() was given. Returns the values of all of model.metrics, a dict."""
    model.compiled.scores.update_state(y, y_pred, sample_weight)
    return get_metrics_result(model)


def get_metrics_result(model):
    """{name: value} of model.metrics."""
    values = {}
    for metric in model.metrics:
        value = metric.result()
        values.update(value if isinstance(value, dict) else {metric.name: value})
    return values


_STEPS = {
    "train": (train_step, compute_loss, compute_metrics),
    "test": (test_step, compute_loss, compute_metrics),
    "predict": (predict_step,),
}


def replaces(model, mode):
    """Whether the model defines what is done with a batch in this mode: "train", "test" or "predict"."""
    kind, own = type(model), vars(model)
    for function in _STEPS[mode]:
        name = function.__name__
        if name in own or getattr(kind, name) is not function:
            return True
    return False


# --- what compile() was given ----------------------------------------------------------------------------------------


class Scores:
    """The loss and the metrics that compile() was given, of targets and predictions in any structure. It counts as one
    of the model's metrics, with a dict as its result.

    loss: the mean of the losses so far, over samples.
    """

    name = "compile_metrics"

    def __init__(self, compiled):
        self._compiled = compiled
        self._heads = None
        self.loss = metrics.Mean("loss")

    def _parts(self, y, y_pred, sample_weight):
        """(head, targets, prediction, weights) of each output."""
        given = nest.flat(y_pred)
        if self._heads is None:
            names = sorted(y_pred) if isinstance(y_pred, dict) else [f"output_{i + 1}" for i in range(len(given))]
            self._heads = self._compiled.make_heads(names)
        names = [head.name for head in self._heads]
        targets = targets_by_output(y, self._heads, names, len(given[0]))
        weights = [sample_weight] if len(names) == 1 else by_output("`sample_weight`", sample_weight, names)
        return zip(self._heads, targets, given, weights, strict=True)

    def compute_loss(self, y, y_pred, sample_weight=None):
        """The sum over outputs of loss_weight * loss, a tensor."""
        return sum(
            head.weight * head.loss(target, part, weights)
            for head, target, part, weights in self._parts(y, y_pred, sample_weight)
            if head.loss is not None
        )

    def update_state(self, y, y_pred, sample_weight=None):
        for head, target, part, weights in self._parts(y, y_pred, sample_weight):
            if head.given:
                head.bind_metrics(np.shape(target), np.shape(part))
                mask = mask_of_rows(part)
                kept = None if mask is None else mask.astype(np.float32)
                for _, metric, weighted in head.metrics:
                    metric.update_state(target, part, _both(kept, weights if weighted else None))

    def result(self):
        """{name: value}; before the first batch there are no metrics yet."""
        return {key: metric.result() for head in self._heads or () for key, metric, _ in head.metrics or ()}

    def reset_state(self):
        for head in self._heads or ():
            for _, metric, _ in head.metrics or ():
                metric.reset_state()


def _both(kept, weights):
    """What a mask (n, steps) keeps, and weights (n,) or (n, steps), as one array of weights; None is ones."""
    if kept is None or weights is None:
        return weights if kept is None else kept
    return kept * row_weights("fit", weights, kept.shape).reshape(kept.shape)


class OwnMeters:
    """The running values of an epoch, as the model's steps return them."""

    def __init__(self, model):
        self._model = model
        self.reset()

    def reset(self):
        self._model.reset_metrics()
        self._values = {}

    def take(self, values, step):
        """What a step has returned."""
        if not isinstance(values, dict):
            raise TypeError(
                f"Model '{self._model.name}': {step} must return a dict from names to values. Received: {brief(values)}"
            )
        self._values = values

    def logs(self):
        """{name: value}: the model's metrics in their order, then the others by name, as in Keras."""
        values = {}
        for name, value in self._values.items():
            values.update(value if isinstance(value, dict) else {name: value})
        known = [name for metric in self._model.metrics for name in _names_of(metric) if name in values]
        return {name: number(values[name]) for name in [*known, *sorted(values.keys() - set(known))]}


def _names_of(metric):
    return list(metric.result()) if isinstance(metric, Scores) else [metric.name]


def number(value):
    """A reported value as a float, or as an array if it has one for each class, or each threshold."""
    return float(value) if np.size(value) == 1 else np.asarray(value)


def run(model, mode, meters):
    """step(xs, ys, weights) that hands the batch, xs[0], to the model's train_step or test_step."""
    name = f"{mode}_step"
    own = getattr(model, name)

    def step(xs, ys, weights):
        meters.take(own(xs[0]), name)

    return step


def run_predict(model, predictions):
    """The same for predict_step; what it gives is added to `predictions`."""

    def step(xs, ys, weights):
        given = model.predict_step(xs[0])
        predictions.as_given = partial(nest.packed, given)
        predictions.batches.append([np.array(part) for part in nest.flat(given)])

    return step


# --- batches ---------------------------------------------------------------------------------------------------------


class Form:
    """x, y and sample_weight as lists of arrays, float32 where they hold real numbers, and how a step takes them."""

    def __init__(self, x, y, sample_weight, class_weight):
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        self._structures = [_as_arrays(name, value) for name, value in given.items()]
        self.arrays = [nest.flat(structure) for structure in self._structures]
        if class_weight is not None:
            if y is None:
                raise ValueError("`class_weight` goes by the targets, and `y` is missing. Received: y=None")
            self.arrays[2] = [weights_of_classes(class_weight, labels(self.arrays[1][0], self.arrays[1][0]))]
        lengths = [len(array) for arrays in self.arrays for array in arrays if array is not None]
        if len(set(lengths)) > 1:
            raise ValueError(f"`x`, `y` and `sample_weight` must have the same length. Received: {lengths}")

    def rows(self, part):
        """(x, y, sample_weight) of some of the rows."""
        cut = [[None if array is None else array[part] for array in arrays] for arrays in self.arrays]
        return tuple(map(nest.packed, self._structures, cut))

    def batch(self, *arrays):
        """([data], [], []) from the rows of a batch; data has copies of them as tensors."""
        tensors = [[None if rows is None else as_tensor(rows) for rows in part] for part in arrays]
        return [pack_x_y_sample_weight(*map(nest.packed, self._structures, tensors))], [], []


def batch(given):
    """([data], [], []) from a batch as a generator or a Sequence gives it."""
    several = isinstance(given, (tuple, list))
    arrays = tuple(_as_arrays("batch", item) for item in given) if several else _as_arrays("batch", given)
    return [nest.mapped(lambda array: None if array is None else as_tensor(array), arrays)], [], []


def _as_arrays(name, given):
    """What was given, with arrays for items; a list of numbers, or of rows of them, is an item."""
    if isinstance(given, dict):
        return {key: _as_arrays(name, item) for key, item in given.items()}
    if isinstance(given, (list, tuple)) and any(isinstance(item, dict) or hasattr(item, "shape") for item in given):
        return type(given)([_as_arrays(name, item) for item in given])
    if given is None:
        return None
    array = to_array(name, given, texts=True)
    return np.asarray(array, np.float32 if array.dtype == np.float64 else None, order="C")
