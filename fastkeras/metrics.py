"""Metrics: what is reported of a model besides its loss, averaged over all rows since the last reset.

    metric = metrics.BinaryAccuracy()
    metric.update_state([[1.0], [0.0]], [[0.7], [0.6]])
    metric.result()                                         # 0.5
    model.compile(metrics=["accuracy", metrics.BinaryAccuracy(threshold=0.3)])

The formulas are those of keras.metrics and stand in src_c/metrics.h and src_c/losses.h.

A metric of your own is a function of (y_true, y_pred), both float32 (rows, columns), that returns one value per row,
or one number for the batch; or a subclass of Metric with `update_state`, `result` and `reset_state`.
"""

import math

import numpy as np

from fastkeras import losses
from fastkeras._kernels import metrics as kernels
from fastkeras.core.targets import labels, like_predictions, of_rank, row_weights
from fastkeras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_object
from fastkeras.utils.naming import snake_case


class Metric:
    """The base of all metrics: a state that `update_state` adds to, and `result` reads."""

    def __init__(self, name=None, dtype=None):
        if dtype not in (None, "float32", np.float32):
            raise ValueError(f"{type(self).__name__}: `dtype` must be float32. Received: {dtype!r}")
        self.name = name or snake_case(type(self).__name__)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch: predictions (..., columns), their targets, and weights, one per row or sample."""
        raise NotImplementedError(f"Metric '{self.name}': {type(self).__name__} must define update_state")

    def result(self):
        """The metric's value so far."""
        raise NotImplementedError(f"Metric '{self.name}': {type(self).__name__} must define result")

    def reset_state(self):
        """Forgets what was added."""
        raise NotImplementedError(f"Metric '{self.name}': {type(self).__name__} must define reset_state")

    def __call__(self, *args, **kwargs):
        """Adds a batch and gives the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def update(self, y_true, y_pred, weights):
        """update_state for the training loop: targets as the loss prepared them, y_pred (rows, columns) float32,
        weights (rows,) float32 or None."""
        self.update_state(y_true.reshape(len(y_pred), -1), y_pred, weights)

    def get_config(self):
        return {"name": self.name, "dtype": "float32"}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class Mean(Metric):
    """The mean of values, weighted if weights are given: sum(weight * value) / sum(weight).

    Values of more than one axis count as many times as the first has entries, by their mean over the others.
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name, dtype)
        self.reset_state()

    def reset_state(self):
        self.total = self.weight = 0.0

    def result(self):
        return self.total / self.weight if self.weight else 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values, np.float32)
        if sample_weight is not None:
            weights = row_weights(f"Metric '{self.name}'", sample_weight, values.shape)
            scale = 1 / max(1, math.prod(values.shape[1:]))
            self._add(np.dot(weights, values.reshape(-1)) * scale, weights.sum() * scale)
        elif values.ndim == 0:
            self._add(values, 1)
        elif values.size:
            self._add(values.mean(dtype=np.float64) * len(values), len(values))

    def _add(self, total, weight):
        self.total += float(total)
        self.weight += float(weight)


class FunctionMetric(Mean):
    """The mean of a user's function of (y_true, y_pred)."""

    def __init__(self, function, name=None):
        super().__init__(name or getattr(function, "__name__", type(function).__name__))
        self.function = function

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = np.asarray(self.function(np.asarray(y_true, np.float32), np.asarray(y_pred, np.float32)))
        super().update_state(values, sample_weight if values.ndim else None)


class RowMean(Mean):
    """The mean over rows of what `evaluate` computes from their targets and predictions."""

    sparse = False  # whether the targets are numbers of classes, rather than shaped like the predictions

    def evaluate(self, y_true, y_pred, weights):
        """(sum of weight * value, sum of weight) over rows: for subclasses."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float32, order="C")
        if y_pred.ndim < 2:  # one number per sample
            y_pred = y_pred.reshape(-1, 1)
        *shape, columns = y_pred.shape
        weights = None if sample_weight is None else row_weights(f"Metric '{self.name}'", sample_weight, shape)
        self.update(self.prepare(y_true, y_pred.shape), y_pred.reshape(math.prod(shape), columns), weights)

    def prepare(self, y_true, y_pred_shape):
        """The targets of predictions of this shape, of the type that `evaluate` wants."""
        who = f"Metric '{self.name}'"
        if self.sparse:
            return labels(who, y_true, y_pred_shape)
        return like_predictions(who, of_rank(y_true, y_pred_shape), y_pred_shape)

    def update(self, y_true, y_pred, weights):
        shape, dtype = (y_pred.shape[:1], np.int32) if self.sparse else (y_pred.shape, np.float32)
        if y_true.shape != shape or y_true.dtype != dtype:
            fits = y_true.size == math.prod(shape)
            y_true = self.prepare(y_true.reshape(shape) if fits else y_true, y_pred.shape)
        total, weight = self.evaluate(y_true, y_pred, weights)
        self.total += total
        self.weight += weight


# --- accuracies -------------------------------------------------------------------------------------------------------


class Accuracy(RowMean):
    """The share of predictions that equal their target."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name, dtype)

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "equal")


class BinaryAccuracy(RowMean):
    """The share of predictions above `threshold` exactly where the target is 1, and not above it where it is 0."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(name, dtype)
        self.threshold = threshold

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "binary", self.threshold)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(RowMean):
    """The share of rows whose largest prediction is where the one-hot target is 1."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(name, dtype)

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "categorical")


class SparseCategoricalAccuracy(RowMean):
    """The share of rows whose largest prediction is that of the target, the number of a class."""

    sparse = True

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(name, dtype)

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "sparse")


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where y_pred > threshold is what y_true says, 0 elsewhere, of their shape."""
    y_pred = np.asarray(y_pred, np.float32)
    y_true = like_predictions("binary_accuracy", of_rank(np.asarray(y_true), y_pred.shape), y_pred.shape)
    return ((y_pred > threshold) == y_true).astype(np.float32)


def categorical_accuracy(y_true, y_pred):
    """1 where the largest of y_pred (..., classes) is where the largest of y_true is, 0 elsewhere: (...)"""
    return (np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1)).astype(np.float32)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the largest of y_pred (..., classes) is number y_true (...), 0 elsewhere."""
    y_true = labels("sparse_categorical_accuracy", np.asarray(y_true), np.shape(y_pred))
    return (y_true == np.argmax(y_pred, axis=-1)).astype(np.float32)


# --- losses -----------------------------------------------------------------------------------------------------------


class LossMean(RowMean):
    """The mean of a loss's values per row."""

    def __init__(self, loss, name, dtype):
        super().__init__(name, dtype)
        self.loss = loss

    def evaluate(self, y_true, y_pred, weights):
        total = self.loss.compute(y_true, y_pred, weights, 1.0, None)
        return total, len(y_pred) if weights is None else float(weights.sum(dtype=np.float64))


class MeanSquaredError(LossMean):
    """The mean of losses.MeanSquaredError."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.MeanSquaredError(), name, dtype)


class MeanAbsoluteError(LossMean):
    """The mean of losses.MeanAbsoluteError."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.MeanAbsoluteError(), name, dtype)


class BinaryCrossentropy(LossMean):
    """The mean of losses.BinaryCrossentropy."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(losses.BinaryCrossentropy(from_logits, label_smoothing), name, dtype)

    def get_config(self):
        config = {"from_logits": self.loss.from_logits, "label_smoothing": self.loss.label_smoothing}
        return {**super().get_config(), **config}


class CategoricalCrossentropy(LossMean):
    """The mean of losses.CategoricalCrossentropy."""

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        super().__init__(losses.CategoricalCrossentropy(from_logits, label_smoothing, axis), name, dtype)

    def get_config(self):
        config = {"from_logits": self.loss.from_logits, "label_smoothing": self.loss.label_smoothing, "axis": -1}
        return {**super().get_config(), **config}


class SparseCategoricalCrossentropy(LossMean):
    """The mean of losses.SparseCategoricalCrossentropy; rows of the label ignore_class do not count."""

    sparse = True

    def __init__(
        self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1
    ):
        super().__init__(losses.SparseCategoricalCrossentropy(from_logits, axis=axis), name, dtype)
        self.ignore_class = ignore_class

    def evaluate(self, y_true, y_pred, weights):
        if self.ignore_class is not None:
            kept = y_true != self.ignore_class
            y_true = np.where(kept, y_true, np.int32(0))
            weights = kept.astype(np.float32) if weights is None else weights * kept
        return super().evaluate(y_true, y_pred, weights)

    def get_config(self):
        config = {"from_logits": self.loss.from_logits, "ignore_class": self.ignore_class, "axis": -1}
        return {**super().get_config(), **config}


# --- names ------------------------------------------------------------------------------------------------------------

_CLASSES = {
    c.__name__: c
    for c in (
        Mean,
        Accuracy,
        BinaryAccuracy,
        CategoricalAccuracy,
        SparseCategoricalAccuracy,
        MeanSquaredError,
        MeanAbsoluteError,
        BinaryCrossentropy,
        CategoricalCrossentropy,
        SparseCategoricalCrossentropy,
    )
}
_BY_NAME = {snake_case(name): c for name, c in _CLASSES.items()}
_ALIASES = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "bce": BinaryCrossentropy}
_SUGGESTED = [*_BY_NAME, *_ALIASES]
_ALIASES |= {name.upper(): c for name, c in _ALIASES.items()}
_BY_FUNCTION = {
    binary_accuracy: BinaryAccuracy,
    categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}


def key(identifier):
    """Under which name a metric is reported: as the user wrote it, or the metric's or function's own."""
    if isinstance(identifier, str):
        return identifier
    if isinstance(identifier, type):
        return snake_case(identifier.__name__)
    return getattr(identifier, "name", None) or getattr(identifier, "__name__", type(identifier).__name__)


def get(identifier, y_true_shape=None, y_pred_shape=None):
    """The Metric that `identifier` means, or None for None.

    identifier: a name ("accuracy", "mse", "BinaryAccuracy"), a function of this module, a Metric or its class, a
    function of your own (see above), or what `serialize` gave. Where both shapes are given, "accuracy" and "acc"
    are the binary, sparse or categorical one that fits them.
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        if identifier.lower() in ("accuracy", "acc") and y_pred_shape is not None:
            return _accuracy_for(y_true_shape, y_pred_shape)(name=identifier)
        return deserialize(identifier)
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, losses.Loss):
        return FunctionMetric(identifier.call, identifier.name)
    if not callable(identifier):
        raise TypeError(f"A metric must be a name, a Metric or a function. Received: {identifier!r}")
    return _BY_FUNCTION[identifier]() if identifier in _BY_FUNCTION else FunctionMetric(identifier)


def _accuracy_for(y_true_shape, y_pred_shape):
    """Which accuracy suits targets and predictions of these shapes."""
    if y_pred_shape[-1] == 1:
        return BinaryAccuracy
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy


def serialize(metric):
    """A metric as Keras writes it: {"class_name": ..., "config": ...} of a Metric, the name of a function."""
    if isinstance(metric, FunctionMetric) or not isinstance(metric, Metric):
        return key(metric)
    module = "keras.metrics" if type(metric) in _CLASSES.values() else type(metric).__module__
    config = metric.get_config()
    return {"module": module, "class_name": type(metric).__name__, "config": config, "registered_name": None}


def deserialize(config, custom_objects=None):
    """The Metric that `serialize` or Keras wrote; your own come from `custom_objects` or utils.custom_objects."""
    name, numbers = config, {}
    if isinstance(config, dict):
        name, numbers = config.get("class_name"), config.get("config", {})
        if name == "function":
            name, numbers = numbers, {}
    own = (custom_objects or {}).get(name) or get_registered_object(name)
    if own is not None:
        return get(own.from_config(numbers) if isinstance(own, type) else own)
    known = {**_BY_NAME, **_CLASSES, **_ALIASES}
    if name not in known:
        raise ValueError(suggest.unknown("metric", name, [*_SUGGESTED, *(custom_objects or {})]))
    return known[name].from_config(numbers)


def __getattr__(name):
    known = [*_CLASSES, *(f.__name__ for f in _BY_FUNCTION), "Metric", "get", "serialize", "deserialize"]
    raise AttributeError(suggest.unknown("name in fastkeras.metrics", name, known))
