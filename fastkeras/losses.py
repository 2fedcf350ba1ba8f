"""Losses: how far predictions are from their targets, as classes and as functions of rows.

    losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])       # 0.5
    losses.mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])       # array([0.5], dtype=float32)
    model.compile(loss="mse")                                   # or either of the above

The formulas are those of keras.losses and stand in src_c/losses.h.

A loss of your own is a function of (y_true, y_pred), both float32 of shape (rows, columns), that returns one
value per row and their gradient:

    def squared(y_true, y_pred):
        error = y_pred - y_true
        return (error**2).mean(axis=1), 2 * error / error.shape[1]      # (rows,), (rows, columns)

or a subclass of Loss with such a method `forward(self, y_true, y_pred)`. A function that returns the values
alone can be evaluated, but nothing can be trained with it.
"""

import math

import numpy as np

from fastkeras._kernels import losses as kernels
from fastkeras.core.targets import labels, like_predictions, of_rank, row_weights
from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_object
from fastkeras.utils.naming import snake_case

_REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


class Loss:
    """The base of all losses: values per row, weighted and reduced to one number.

    reduction: "sum_over_batch_size" or "mean": the weighted sum over rows / number of rows; "sum";
    "mean_with_sample_weight": / sum of weights; "none" or None: one value per row (and the sum, in training).
    """

    # The output activation that belongs to a crossentropy: with from_logits=True `compute` takes what is under it, and
    # gives its result as `probabilities`.
    fuses_with = None

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        kind = type(self).__name__
        if reduction not in _REDUCTIONS:
            raise ValueError(f"{kind}: `reduction` must be one of {_REDUCTIONS}. Received: {reduction!r}")
        if dtype not in (None, "float32", np.float32):
            raise ValueError(f"{kind}: `dtype` must be float32. Received: {dtype!r}")
        self.name = name or snake_case(kind)
        self.reduction = reduction

    # --- on any arrays ---

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss of predictions (..., columns) and their targets; one weight per row or sample."""
        y_true, rows, shape = self._as_arrays(y_true, y_pred)
        weights = None if sample_weight is None else row_weights(f"Loss '{self.name}'", sample_weight, shape)
        if self.reduction in ("none", None):
            values = self._evaluate(y_true, rows)[0]
            return (values if weights is None else values * weights).reshape(shape)
        return np.float32(self.compute(y_true, rows, weights, 1 / max(1, len(rows)), None))

    def call(self, y_true, y_pred):
        """One value per row of y_pred (..., columns), of shape (...)."""
        y_true, rows, shape = self._as_arrays(y_true, y_pred)
        return self._evaluate(y_true, rows)[0].reshape(shape)

    def _as_arrays(self, y_true, y_pred):
        """Prepared targets, predictions as rows, and the shape that one value per row has."""
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float32, order="C")
        if y_pred.ndim == 1 and y_true.shape == (*y_pred.shape, 1):
            y_pred = y_pred[:, None]
        if y_pred.ndim == 0:
            raise ValueError(f"Loss '{self.name}': `y_pred` must have an axis at least. Received: {y_pred}")
        *shape, columns = y_pred.shape
        return self.prepare(y_true, y_pred.shape), y_pred.reshape(math.prod(shape), columns), shape

    # --- in a training loop ---

    def prepare(self, y_true, y_pred_shape):
        """The targets of predictions of this shape, as `compute` takes them; the first axis stays.

        An extent of `y_pred_shape` that is None may be anything.
        """
        return np.asarray(of_rank(y_true, y_pred_shape), np.float32, order="C")

    def compute(self, y_true, y_pred, weights, scale, dy, probabilities=None, from_logits=False):
        """scale * sum over rows of weight * loss, and in dy, if it is not None, its gradient.

        y_pred, dy (rows, columns) and weights (rows,), or None for ones, are contiguous float32 arrays, y_true
        is as `prepare` gave it. probabilities (rows, columns), or None, is filled if from_logits is True: see
        `fuses_with`. scale is meant for "sum_over_batch_size" (1 / rows); other reductions adapt it.
        """
        values, gradient = self._evaluate(y_true, y_pred)
        factor = np.full(len(values), self._adapt(scale, weights, len(values)), np.float32)
        if weights is not None:
            factor *= weights
        if dy is not None:
            if gradient is None:
                raise TypeError(
                    f"Loss '{self.name}' gave values only; to train with it, its gradient is needed: return "
                    "(values, gradient), as fastkeras.losses explains."
                )
            np.multiply(gradient, factor[:, None], out=dy)
        return float(factor @ values.astype(np.float64))

    def forward(self, y_true, y_pred):
        """(values (rows,), gradient (rows, columns)) for y_true, y_pred (rows, columns): for subclasses."""
        raise NotImplementedError(
            f"Loss '{self.name}': {type(self).__name__} must define forward(self, y_true, y_pred), which returns "
            "one value per row and their gradient with respect to y_pred."
        )

    def _evaluate(self, y_true, y_pred):
        result = self.forward(y_true.reshape(len(y_pred), -1), y_pred)
        values, gradient = result if isinstance(result, tuple) else (result, None)
        values = np.asarray(values, np.float32)
        if values.shape != y_pred.shape[:1]:
            raise ValueError(
                f"Loss '{self.name}' must give one value per row, shape {y_pred.shape[:1]}. "
                f"Received: shape {values.shape}"
            )
        if gradient is not None and np.shape(gradient) != y_pred.shape:
            raise ValueError(
                f"The gradient of loss '{self.name}' must have y_pred's shape {y_pred.shape}. "
                f"Received: shape {np.shape(gradient)}"
            )
        return values, gradient

    def _adapt(self, scale, weights, rows):
        if self.reduction in ("sum_over_batch_size", "mean"):
            return scale
        if self.reduction == "mean_with_sample_weight":
            total = rows if weights is None else float(weights.sum())
            return scale * rows / total if total else 0.0
        return scale * rows

    # --- saving ---

    def get_config(self):
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class FunctionLoss(Loss):
    """A user's function of (y_true, y_pred) as a loss."""

    def __init__(self, function, name=None):
        super().__init__(name or getattr(function, "__name__", type(function).__name__))
        self.forward = self.function = function


class KernelLoss(Loss):
    """One of the library's losses. `kernel` names it in fastkeras._kernels.losses."""

    kernel = None
    broadcasts = False  # whether a target of one column stands for all columns

    def __init__(self, name, reduction, dtype, from_logits=False, label_smoothing=0.0, axis=-1):
        super().__init__(name, reduction, dtype)
        if axis != -1:
            raise ValueError(f"{type(self).__name__}: `axis` must be -1, the last. Received: {axis!r}")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"{type(self).__name__}: `label_smoothing` must be in [0, 1]. Received: {label_smoothing!r}"
            )
        self.from_logits, self.label_smoothing = bool(from_logits), label_smoothing
        self._on_output = kernels.Loss(self.kernel, self.from_logits, label_smoothing)
        self._on_logits = kernels.Loss(self.kernel, True, label_smoothing)

    def prepare(self, y_true, y_pred_shape):
        y_true = of_rank(y_true, y_pred_shape)
        if self.broadcasts and y_true.ndim == len(y_pred_shape) and y_true.shape[-1] == 1:
            y_true = np.broadcast_to(y_true, (*y_true.shape[:-1], y_pred_shape[-1]))
        return like_predictions(f"Loss '{self.name}'", y_true, y_pred_shape)

    def _evaluate(self, y_true, y_pred):
        values = np.empty(len(y_pred), np.float32)
        kernels.forward(values, None, None, y_pred, self._as_rows(y_true, y_pred), None, 1.0, self._on_output)
        return values, None

    def compute(self, y_true, y_pred, weights, scale, dy, probabilities=None, from_logits=False):
        kernel = self._on_logits if from_logits else self._on_output
        values = np.empty(len(y_pred), np.float32)
        if self.reduction != "sum_over_batch_size":
            scale = self._adapt(scale, weights, len(y_pred))
        y_true = self._as_rows(y_true, y_pred)
        return scale * kernels.forward(values, dy, probabilities, y_pred, y_true, weights, scale, kernel)

    def _as_rows(self, y_true, y_pred):
        return y_true if y_true.ndim == 2 else y_true.reshape(y_pred.shape)


class MeanSquaredError(KernelLoss):
    """mean over columns of (y_pred - y_true)^2"""

    kernel, broadcasts = "mean_squared_error", True

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(KernelLoss):
    """mean over columns of |y_pred - y_true|"""

    kernel, broadcasts = "mean_absolute_error", True

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)


class BinaryCrossentropy(KernelLoss):
    """mean over columns of -(y_true log y_pred + (1 - y_true) log(1 - y_pred))

    from_logits: y_pred is what a sigmoid would be applied to. label_smoothing s: y_true is (1 - s) y_true +
    s / 2.
    """

    kernel, fuses_with = "binary_crossentropy", "sigmoid"

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype, from_logits, label_smoothing, axis)

    def get_config(self):
        config = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": -1}
        return {**super().get_config(), **config}


class CategoricalCrossentropy(KernelLoss):
    """-sum over columns of y_true log y_pred, y_true being one-hot rows or other distributions over classes

    from_logits: y_pred is what a softmax would be applied to. label_smoothing s: y_true is (1 - s) y_true +
    s / classes.
    """

    kernel, fuses_with = "categorical_crossentropy", "softmax"

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype, from_logits, label_smoothing, axis)

    def prepare(self, y_true, y_pred_shape):
        hint = "; for integer labels use sparse_categorical_crossentropy, or utils.to_categorical"
        return like_predictions(f"Loss '{self.name}'", y_true, y_pred_shape, hint)

    def get_config(self):
        config = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": -1}
        return {**super().get_config(), **config}


class SparseCategoricalCrossentropy(KernelLoss):
    """-log y_pred[k], y_true being the integer k of the class

    from_logits: y_pred is what a softmax would be applied to. ignore_class: rows of this label do not count.
    """

    kernel, fuses_with = "sparse_categorical_crossentropy", "softmax"

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype, from_logits, axis=axis)
        self.ignore_class = ignore_class

    def prepare(self, y_true, y_pred_shape):
        who, count = f"Loss '{self.name}'", y_pred_shape[-1]
        classes = labels(who, y_true, y_pred_shape)
        wrong = np.flatnonzero(((classes < 0) | (classes >= count)) & (classes != self.ignore_class))
        if wrong.size:
            row = np.unravel_index(wrong[0], classes.shape)[0]
            raise ValueError(
                f"{who}: labels must be in [0, {count}), one of {count} classes. "
                f"Received: {classes.flat[wrong[0]]} at row {row}"
            )
        return classes

    def compute(self, y_true, y_pred, weights, scale, dy, probabilities=None, from_logits=False):
        if self.ignore_class is not None:
            y_true, weights = self._without_ignored(y_true.reshape(-1), weights)
        return super().compute(y_true, y_pred, weights, scale, dy, probabilities, from_logits)

    def _evaluate(self, y_true, y_pred):
        if self.ignore_class is None:
            return super()._evaluate(y_true, y_pred)
        classes, weights = self._without_ignored(y_true.reshape(-1), None)
        values, _ = super()._evaluate(classes, y_pred)
        return values * (weights > 0), None

    def _without_ignored(self, classes, weights):
        """Labels that are all classes, and weights that keep the mean over the rows that count."""
        kept = classes != self.ignore_class
        kept_weights = kept.astype(np.float32)
        if self.reduction in ("sum_over_batch_size", "mean"):
            kept_weights *= len(kept) / max(1, np.count_nonzero(kept))
        return np.where(kept, classes, np.int32(0)), kept_weights if weights is None else kept_weights * weights

    def _as_rows(self, y_true, y_pred):
        return y_true if y_true.ndim == 1 else y_true.reshape(-1)

    def get_config(self):
        config = {"from_logits": self.from_logits, "ignore_class": self.ignore_class}
        return {**super().get_config(), **config}


# --- functions: one value per row ---------------------------------------------------------------------------


def mean_squared_error(y_true, y_pred):
    """mean over columns of (y_pred - y_true)^2: y_true, y_pred (..., columns) -> (...)"""
    return MeanSquaredError().call(y_true, y_pred)


def mean_absolute_error(y_true, y_pred):
    """mean over columns of |y_pred - y_true|: y_true, y_pred (..., columns) -> (...)"""
    return MeanAbsoluteError().call(y_true, y_pred)


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """As BinaryCrossentropy: y_true, y_pred (..., columns) -> (...)"""
    return BinaryCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """As CategoricalCrossentropy: y_true, y_pred (..., classes) -> (...)"""
    return CategoricalCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """As SparseCategoricalCrossentropy: y_true (...) integers, y_pred (..., classes) -> (...)"""
    return SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis).call(y_true, y_pred)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
bce = BCE = binary_crossentropy

# --- names --------------------------------------------------------------------------------------------------

_CLASSES = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_BY_NAME = {name: c for f, c in _CLASSES.items() for name in (f.__name__, c.__name__)}
_SUGGESTED = [*(f.__name__ for f in _CLASSES), "mse", "mae", "bce"]
_BY_NAME |= {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "bce": BinaryCrossentropy}
_BY_NAME |= {"MSE": MeanSquaredError, "MAE": MeanAbsoluteError, "BCE": BinaryCrossentropy}


def get(identifier):
    """The Loss that `identifier` means, or None for None.

    identifier: a name ("mse", "mean_squared_error", "MeanSquaredError"), a function of this module, a Loss or
    its class, a function of your own (see above), or what `serialize` gave.
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if not callable(identifier):
        raise TypeError(f"A loss must be a name, a Loss or a function. Received: {identifier!r}")
    return _CLASSES[identifier]() if identifier in _CLASSES else FunctionLoss(identifier)


def serialize(loss):
    """A loss as Keras writes it: {"class_name": ..., "config": ...} of a Loss, the name of a function."""
    if isinstance(loss, FunctionLoss):
        return loss.name
    if isinstance(loss, Loss):
        module = "keras.losses" if type(loss) in _CLASSES.values() else type(loss).__module__
        config = loss.get_config()
        return {"module": module, "class_name": type(loss).__name__, "config": config, "registered_name": None}
    return getattr(loss, "__name__", loss)


def deserialize(name, custom_objects=None):
    """The Loss that `serialize` or Keras wrote; your own come from `custom_objects` or utils.custom_objects."""
    config = {}
    if isinstance(name, dict):
        name, config = name.get("class_name"), name.get("config", {})
        if name == "function":
            name, config = config, {}
    own = (custom_objects or {}).get(name) or get_registered_object(name)
    if own is not None:
        return get(own.from_config(config) if isinstance(own, type) else own)
    if name not in _BY_NAME:
        raise ValueError(suggest.unknown("loss", name, [*_SUGGESTED, *(custom_objects or {})]))
    return _BY_NAME[name].from_config(config)


def __getattr__(name):
    known = [*_BY_NAME, "Loss", "get", "serialize", "deserialize"]
    raise AttributeError(suggest.unknown("name in fastkeras.losses", name, known))
