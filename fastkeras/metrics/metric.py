"""Metric: what all metrics are, and the means that most of them are.

A metric of your own is a function of (y_true, y_pred), both float32, y_pred of the output's shape, that returns one
value per row, or one number for the batch; or a subclass of Metric with `update_state` and `result`:

    class Largest(Metric):
        def __init__(self, name="largest"):
            super().__init__(name)
            self.value = self.add_weight(name="value")              # zero at first, and after reset_state

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(max(self.value, y_pred.max()))

        def result(self):
            return self.value
"""

import math

import numpy as np

from fastkeras import initializers
from fastkeras.core.targets import as_numbers, labels, like_predictions, of_rank, row_weights
from fastkeras.core.tensor import as_tensor
from fastkeras.utils.naming import snake_case, unique_name


class StateArray(np.ndarray):
    """A number or an array that a metric counts in."""

    def assign(self, value):
        self[...] = value
        return self

    def assign_add(self, value):
        return self.assign(self + value)

    def assign_sub(self, value):
        return self.assign(self - value)

    def numpy(self):
        return np.array(self)


class Metric:
    """The base of all metrics: a state that `update_state` adds to, and `result` reads.

    name: what it is reported under, by default the class in snake case, numbered from the second on. dtype: float32,
    the only one computed in; a ValueError for any other.
    """

    dtype = "float32"
    of_rows = False  # whether the training loop gives it all rows as one matrix

    def __init__(self, name=None, dtype=None):
        if dtype not in (None, "float32", np.float32):
            raise ValueError(f"{type(self).__name__}: `dtype` must be float32. Received: {dtype!r}")
        self.name = name or unique_name(snake_case(type(self).__name__))

    # --- the state ---

    @property
    def variables(self):
        """What add_variable and add_weight have made."""
        return [value for value in vars(self).values() if isinstance(value, StateArray)]

    def add_variable(self, shape=(), initializer="zeros", dtype=None, aggregation="sum", name=None):
        """A float32 array of the state: it has assign, assign_add and assign_sub. aggregation is accepted."""
        return np.array(initializers.get(initializer)(tuple(shape)), np.float32).view(StateArray)

    def add_weight(self, shape=(), initializer="zeros", dtype=None, name=None):
        """As add_variable."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def reset_state(self):
        """Forgets what was added: sets what add_variable made to zero."""
        if not self.variables:
            raise NotImplementedError(f"Metric '{self.name}': {type(self).__name__} must define reset_state")
        for variable in self.variables:
            variable.assign(0)

    def reset_states(self):
        """Keras 2's name of reset_state."""
        self.reset_state()

    # --- what a metric does ---

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch: predictions (..., columns), their targets, and weights, one per row or sample."""
        raise NotImplementedError(f"Metric '{self.name}': {type(self).__name__} must define update_state")

    def result(self):
        """The metric's value so far, a tensor."""
        raise NotImplementedError(f"Metric '{self.name}': {type(self).__name__} must define result")

    def __call__(self, *args, **kwargs):
        """Adds a batch and gives the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def update(self, y_true, y_pred, weights):
        """update_state for the training loop: targets as the loss prepared them, y_pred float32, of the output's
        shape or, `of_rows`, (rows, columns), weights float32, one per row, or None."""
        self.update_state(self.as_rows(y_true, y_pred.shape), y_pred, weights)

    def as_rows(self, y_true, shape):
        """Targets as the loss prepared them, for predictions of this shape: (rows, columns) if those are."""
        return y_true.reshape(shape[0], -1) if len(shape) == 2 else y_true

    def get_config(self):
        """The arguments that make an equal metric: plain Python values, as files hold them."""
        return {"name": self.name, "dtype": "float32"}

    @classmethod
    def from_config(cls, config):
        """The metric that `get_config` describes."""
        return cls(**config)


class RunningMean(Metric):
    """The base of those that are a sum divided by a weight."""

    def __init__(self, name=None, dtype=None):
        super().__init__(name, dtype)
        self.reset_state()

    def reset_state(self):
        self.total = self.weight = 0.0

    def result(self):
        return as_tensor(self.total / self.weight if self.weight else 0.0)

    def _add(self, total, weight):
        self.total += float(total)
        self.weight += float(weight)


class Mean(RunningMean):
    """The mean of values, weighted if weights are given: sum(weight * value) / sum(weight).

    Values of more than one axis count as many times as the first has entries, by their mean over the others.
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name, dtype)

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


class Sum(Metric):
    """The sum of values, weighted if weights are given: sum(weight * value)."""

    def __init__(self, name="sum", dtype=None):
        super().__init__(name, dtype)
        self.reset_state()

    def reset_state(self):
        self.total = 0.0

    def result(self):
        return as_tensor(self.total)

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values, np.float32)
        if sample_weight is not None:
            weights = row_weights(f"Metric '{self.name}'", sample_weight, values.shape)
            values = values.reshape(-1) * weights
        self.total += float(values.sum(dtype=np.float64))


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred), which further arguments are given to by name."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", type(fn).__name__), dtype)
        self.function, self.arguments = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_numbers(f"Metric '{self.name}'", y_true, y_pred)
        y_true = np.asarray(y_true, np.float32)
        values = np.asarray(self.function(y_true, y_pred, **self.arguments))
        weights = sample_weight if values.ndim else None
        if weights is not None and values.ndim < np.ndim(weights):  # fewer values than rows
            weights = np.mean(weights, axis=tuple(range(values.ndim, np.ndim(weights))))
        super().update_state(values, weights)


class RowMetric(Metric):
    """A metric that takes its batches as rows of predictions, whatever shape they come in."""

    of_rows = True
    sparse = False  # whether the targets are numbers of classes, rather than shaped like the predictions

    def add(self, y_true, y_pred, weights):
        """Adds rows: y_pred (N, D) float32; y_true like it, or int32 (N,) if `sparse`; weights (N,) float32 or None."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = as_numbers(f"Metric '{self.name}'", y_true, y_pred)
        if y_pred.ndim < 2:  # one number per sample
            y_pred = y_pred.reshape(-1, 1)
        *shape, columns = y_pred.shape
        weights = None if sample_weight is None else row_weights(f"Metric '{self.name}'", sample_weight, shape)
        self.update(self.prepare(y_true, y_pred.shape), y_pred.reshape(math.prod(shape), columns), weights)

    def prepare(self, y_true, y_pred_shape):
        """The targets of predictions of this shape, of the type that `add` wants."""
        who = f"Metric '{self.name}'"
        if self.sparse:
            return labels(who, y_true, y_pred_shape)
        return like_predictions(who, of_rank(y_true, y_pred_shape), y_pred_shape)

    def update(self, y_true, y_pred, weights):
        self.add(self.as_rows(y_true, y_pred.shape), y_pred, weights)

    def as_rows(self, y_true, shape):
        wanted, dtype = (shape[:1], np.int32) if self.sparse else (shape, np.float32)
        if y_true.shape == wanted and y_true.dtype == dtype:
            return y_true
        fits = y_true.size == math.prod(wanted)
        return self.prepare(y_true.reshape(wanted) if fits else y_true, shape)


class RowMean(RunningMean, RowMetric):
    """The mean over rows of what `evaluate` computes from their targets and predictions."""

    def evaluate(self, y_true, y_pred, weights):
        """(sum of weight * value, sum of weight) over rows: for subclasses."""
        raise NotImplementedError

    def add(self, y_true, y_pred, weights):
        self._add(*self.evaluate(y_true, y_pred, weights))
