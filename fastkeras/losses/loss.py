"""Loss: what all losses are, those of the library's kernels, and those of the user's own.

A loss of your own is a function of (y_true, y_pred), both float32, y_pred of the output's shape, that computes with
fastkeras.ops and returns one value per row, or several to be averaged, or one for all:

    def squared(y_true, y_pred):
        return ops.mean(ops.square(y_pred - y_true), axis=-1)           # (samples,) or (samples, steps)

or that returns one value per row and their gradient, which is the faster way; it is given all rows as one matrix:

    def squared(y_true, y_pred):
        error = y_pred - y_true
        return (error**2).mean(axis=1), 2 * error / error.shape[1]      # (rows,), (rows, columns)

or a subclass of Loss with such a method: `call(self, y_true, y_pred)` in ops, `forward(self, y_true, y_pred)` for
values and gradient. Values that do not come from ops can be evaluated, but nothing can be trained with them.
"""

import math

import numpy as np

from fastkeras._kernels import losses as kernels
from fastkeras.core.tape import recorded
from fastkeras.core.targets import as_numbers, like_predictions, of_rank, row_weights
from fastkeras.core.tensor import SymbolicTensor, Tensor, Whole, as_tensor, mask_of_rows, source_of
from fastkeras.utils.messages import message
from fastkeras.utils.naming import snake_case

EPSILON = np.float32(1e-7)  # the e of the formulas
_REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


class Loss:
    """The base of all losses: values per row, weighted and reduced to one number.

    reduction: "sum_over_batch_size" or "mean": the weighted sum over rows / number of rows; "sum";
    "mean_with_sample_weight": / sum of weights; "none" or None: one value per row (and the sum, in training).
    name: what metrics and files call it, by default the class in snake case. dtype: float32, the only one computed in.
    Any other reduction or dtype is a ValueError.
    """

    # The output activation that belongs to a crossentropy: with from_logits=True `compute` takes what is under it, and
    # gives its result as `probabilities`.
    fuses_with = None
    of_labels = False  # whether targets are labels, integers, which have no gradient
    of_rows = True  # else the loss is one of whole outputs, by `compute_whole`
    gives_gradient = False  # whether a loss that is not the library's kernel gives its gradient itself, of rows

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
        """The reduced loss of predictions (..., columns) and their targets, a tensor; one weight per row or sample.

        A mask that the predictions carry leaves rows out, as in training. A tape takes gradients back to both, but for
        targets that are labels.
        """
        mask = mask_of_rows(y_pred)
        if mask is not None:
            sample_weight = self._masked(mask, sample_weight)
        if self.of_rows and self._is_own() and self.is_whole(np.ndim(y_pred)):
            try:
                return self._whole(y_true, y_pred, sample_weight)
            except _GivesGradient:
                self.gives_gradient = True
        sources = self._sources(y_true, y_pred)
        is_recorded, in_steps = sources != [None, None], type(self).call is not Loss.call
        if not self.of_rows or (is_recorded and (in_steps or self.reduction in ("none", None))):
            return self._reduced(y_true, y_pred, sample_weight)
        given = y_true, y_pred
        y_true, rows, shape = self._as_arrays(y_true, y_pred)
        weights = None if sample_weight is None else row_weights(f"Loss '{self.name}'", sample_weight, shape)
        if self.reduction in ("none", None):
            values = self._evaluate(y_true, rows)[0]
            return as_tensor((values if weights is None else values * weights).reshape(shape))
        slopes = np.empty_like(rows) if is_recorded else None
        value = as_tensor(np.float32(self.compute(y_true, rows, weights, 1 / max(1, len(rows)), slopes)))
        if not is_recorded:
            return value
        shapes = list(map(np.shape, given))

        def gradients(ds):
            to_targets = None
            if sources[0] is not None:
                factors = ds[0] * self._factors(rows, weights, 1 / max(1, len(rows)))
                to_targets = self._to_targets(y_true, rows, factors, *shapes)
            return [to_targets, self._as_output(ds[0] * slopes, shapes[1])]

        Whole(sources, gradients, [value], f"loss '{self.name}'")
        return value

    def is_whole(self, axes):
        """Whether the loss is computed from predictions of so many axes in their own shape, not from their rows."""
        return not self.of_rows or (axes > 2 and not self.gives_gradient and self._is_own())

    def _is_own(self):
        return type(self).call is not Loss.call or isinstance(self, FunctionLoss)

    def _whole(self, y_true, y_pred, sample_weight):
        """What `__call__` gives of a loss of the user's own, in ops."""
        if source_of(y_true) is None:
            given, predictions = as_numbers(f"Loss '{self.name}'", y_true, y_pred)
            y_true = self.prepare(given, predictions.shape).view(Tensor)
            if source_of(y_pred) is None:
                y_pred = predictions.view(Tensor)
        shape = np.shape(y_pred)[:-1]
        weights = None
        if sample_weight is not None:
            weights = row_weights(f"Loss '{self.name}'", sample_weight, shape).reshape(shape)
        values = self._values_of(y_true, y_pred)
        if self.reduction in ("none", None):
            return values if weights is None else values * _weights_like(values, weights).reshape(values.shape)
        return (values * self._factors_like(values, weights, 1.0)).sum()

    def _values_of(self, y_true, y_pred):
        """What the user's function gives, a tensor: values per row, or per sample, or one."""
        values = self.forward(y_true, y_pred)
        if isinstance(values, tuple):
            raise _GivesGradient
        if isinstance(values, SymbolicTensor):
            raise TypeError(message("symbol_among_values", received=values))
        return values if isinstance(values, Tensor) else as_tensor(np.asarray(values, np.float32))

    def _factors_like(self, values, weights, factor):
        """What each value counts in factor * the reduced loss, an array of their shape."""
        weights = None if weights is None else _weights_like(values, weights)
        flat = np.asarray(values).reshape(-1)
        return self._factors(flat, weights, factor / max(1, flat.size)).reshape(values.shape)

    def _masked(self, mask, sample_weight):
        """The weights with zeros where the mask is False; the others so that a mean is one over what is left."""
        weights = mask.astype(np.float32)
        if sample_weight is not None:
            weights *= row_weights(f"Loss '{self.name}'", sample_weight, mask.shape).reshape(mask.shape)
        if self.reduction in ("sum_over_batch_size", "mean"):
            weights *= mask.size / max(np.count_nonzero(mask), 1)
        return weights

    def call(self, y_true, y_pred):
        """One value per row of y_pred (..., columns), of shape (...), a tensor."""
        sources, given = self._sources(y_true, y_pred), (y_true, y_pred)
        y_true, rows, shape = self._as_arrays(y_true, y_pred)
        values, gradient = self._evaluate(y_true, rows)
        values = as_tensor(values.reshape(shape))
        if sources == [None, None]:
            return values
        shapes = list(map(np.shape, given))

        def gradients(ds):
            factors = ds[0].reshape(-1)
            to_targets = None if sources[0] is None else self._to_targets(y_true, rows, factors, *shapes)
            if callable(gradient):
                return [to_targets, self._as_output(gradient(factors), shapes[1])]
            slopes = np.empty_like(rows)
            self.compute(y_true, rows, None, 1 / (self._adapt(1.0, None, len(rows)) or 1), slopes)
            slopes *= factors[:, None]
            return [to_targets, self._as_output(slopes, shapes[1])]

        Whole(sources, gradients, [values], f"loss '{self.name}'")
        return values

    def _reduced(self, y_true, y_pred, sample_weight):
        """What `__call__` gives, from what `call` gives: if that is a tensor, one that leads back to y_pred."""
        values, weights = self.call(y_true, y_pred), None
        if sample_weight is not None:
            weights = row_weights(f"Loss '{self.name}'", sample_weight, values.shape)
        if self.reduction in ("none", None):
            return values if weights is None else values * weights.reshape(values.shape)
        factors = self._factors(np.asarray(values).reshape(-1), weights, 1 / max(1, values.size))
        return (values * factors.reshape(values.shape)).sum()

    def _sources(self, y_true, y_pred):
        """What leads back from the targets and from the predictions, None for what does not."""
        return [None if self.of_labels else source_of(y_true), source_of(y_pred)]

    def _to_targets(self, y_true, rows, factors, shape, y_pred_shape):
        """`gradient_of_targets` in the shape that the targets had, or None."""
        d = self.gradient_of_targets(y_true, rows, factors)
        return None if d is None else self._as_targets(d, shape, y_pred_shape)

    def _as_arrays(self, y_true, y_pred):
        """Prepared targets, predictions as rows, and the shape that one value per row has."""
        for given in (y_true, y_pred):
            if isinstance(given, SymbolicTensor):
                raise TypeError(message("loss_of_symbols", loss=self.name, received=given))
        y_true, y_pred = as_numbers(f"Loss '{self.name}'", y_true, y_pred)
        if y_pred.ndim == 1 and y_true.shape == (*y_pred.shape, 1):
            y_pred = y_pred[:, None]
        if y_pred.ndim == 0:
            raise ValueError(f"Loss '{self.name}': `y_pred` must have an axis at least. Received: {y_pred}")
        rows, shape = self._as_rows_of(y_pred)
        return self.prepare(y_true, y_pred.shape), rows, shape

    def _as_rows_of(self, y_pred):
        """Predictions (..., columns) as rows, and the shape that one value per row has."""
        *shape, columns = y_pred.shape
        return y_pred.reshape(math.prod(shape), columns), shape

    def _as_output(self, rows, shape):
        """The way back: rows in the shape that the predictions had."""
        return rows.reshape(shape)

    def _as_targets(self, rows, shape, y_pred_shape):
        """The same for the targets."""
        return rows.reshape(shape)

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
        factor = self._factors(values, weights, scale)
        if dy is not None:
            if gradient is None:
                raise TypeError(_values_only(self.name))
            dy[...] = gradient(factor) if callable(gradient) else gradient * factor[:, None]
        return float(factor @ values.astype(np.float64))

    def _check_one_per_sample(self, weights):
        """Raises a ValueError if sample weights are not (samples,), or None."""
        if weights is not None and np.ndim(weights) != 1:
            raise ValueError(
                f"Loss '{self.name}': `sample_weight` must have one weight per sample. Received: {np.shape(weights)}"
            )

    def compute_whole(self, y_true, y_pred, mask, weights, factor, dy, probabilities, left_out):
        """As `compute` for y_pred (samples, ..., columns), where the loss does not fall apart into its rows: factor *
        the reduced loss.

        mask (samples, steps) or None; weights as the user gave them, or None; left_out: the activation of the layer
        that the model ends in, under which y_pred lies, or None.
        """
        if mask is not None:
            weights = self._masked(mask, weights)
        elif weights is not None:
            weights = row_weights(f"Loss '{self.name}'", weights, y_pred.shape[:-1]).reshape(y_pred.shape[:-1])
        try:
            values, back = recorded(lambda x: self._values_of(y_true.view(Tensor), x), [y_pred])
        except _GivesGradient:
            self.gives_gradient = True
            rows = y_pred.reshape(-1, y_pred.shape[-1])
            scale = factor / max(1, len(rows))
            weights = None if weights is None else weights.reshape(-1)
            return self.compute(y_true, rows, weights, scale, None if dy is None else dy.reshape(rows.shape))
        factors = self._factors_like(values, weights, factor)
        if dy is not None:
            if values.node is None:
                raise TypeError(_values_only(self.name))
            dy[...] = back([(values, factors)])[0]
        return float((factors * np.asarray(values, np.float64)).sum())

    def forward(self, y_true, y_pred):
        """(values (rows,), gradient (rows, columns)) for y_true, y_pred (rows, columns): for subclasses."""
        if type(self).call is not Loss.call:
            return self.call(y_true, y_pred)
        raise NotImplementedError(
            f"Loss '{self.name}': {type(self).__name__} must define call(self, y_true, y_pred) in ops, or "
            "forward(self, y_true, y_pred), which returns one value per row and their gradient with respect to y_pred."
        )

    def gradient_of_targets(self, y_true, y_pred, factors):
        """The gradient of the sum of factors (rows,) * values for y_true, as `prepare` gave it; None if that has none.

        A loss that `forward` gives with a gradient has that of y_pred alone: a NotImplementedError.
        """
        y_pred = y_pred.view(Tensor)
        values, back = recorded(
            lambda rows: _per_row(self.forward(rows, y_pred), len(y_pred)), [y_true.reshape(len(y_pred), -1)]
        )
        if isinstance(values, Tensor):
            return back([(values, factors)])[0]
        raise NotImplementedError(
            f"Loss '{self.name}' gives the gradient of y_pred alone, but its y_true was computed from what a tape "
            "watches: compute the loss with fastkeras.ops, or give it ops.stop_gradient(y_true)"
        )

    def _evaluate(self, y_true, y_pred):
        """One value per row and their gradient, or None, or for values from ops the function that gives the gradient of
        the sum of factor * values."""
        y_true = y_true.reshape(len(y_pred), -1).view(Tensor)
        result, back = recorded(lambda rows: _per_row(self.forward(y_true, rows), len(rows)), [y_pred])
        if isinstance(result, Tensor) and result.node is not None:
            return np.asarray(result, np.float32), lambda factor: back([(result, factor)])[0]
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

    def _factors(self, values, weights, scale):
        """What each value (n) counts in the reduced loss, float32, which is their product."""
        factors = np.full(len(values), self._adapt(scale, weights, len(values)), np.float32)
        return factors if weights is None else factors * weights

    def _adapt(self, scale, weights, rows):
        if self.reduction in ("sum_over_batch_size", "mean"):
            return scale
        if self.reduction == "mean_with_sample_weight":
            total = rows if weights is None else float(weights.sum())
            return scale * rows / total if total else 0.0
        return scale * rows

    # --- saving ---

    def get_config(self):
        """The arguments that make an equal loss: plain Python values, as files hold them."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        """The loss that `get_config` describes."""
        return cls(**config)


class _GivesGradient(Exception):
    """A function of the user's has returned (values, gradient)."""


def _values_only(name):
    return (
        f"Loss '{name}' gave values only; to train with it, its gradient is needed: compute with "
        "fastkeras.ops, or return (values, gradient), as fastkeras.losses explains."
    )


def _weights_like(values, weights):
    """One weight per value, flat, from one per row: their means where there are fewer values than rows."""
    if values.ndim < weights.ndim:
        weights = weights.mean(axis=tuple(range(values.ndim, weights.ndim)))
    weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    return np.asarray(np.broadcast_to(weights, values.shape), np.float32).reshape(-1)


def _per_row(result, rows):
    """What a loss in ops has given, as one value per row; anything else as it is."""
    if isinstance(result, SymbolicTensor):
        raise TypeError(message("symbol_among_values", received=result))
    if not isinstance(result, Tensor):
        return result
    return result * np.ones(rows, np.float32) if result.ndim == 0 else result.reshape(rows, -1).mean(axis=1)


class FunctionLoss(Loss):
    """A user's function of (y_true, y_pred) as a loss."""

    def __init__(self, function, name=None):
        super().__init__(name or getattr(function, "__name__", type(function).__name__))
        self.forward = self.function = function


class KernelLoss(Loss):
    """One of the library's losses. `kernel` names it in fastkeras._kernels.losses, which takes the `numbers`.

    axis: along which of the prediction's axes its columns lie.
    """

    kernel = None
    broadcasts = False  # whether a target of one column stands for all columns

    def __init__(self, name, reduction, dtype, from_logits=False, label_smoothing=0.0, axis=-1, **numbers):
        super().__init__(name, reduction, dtype)
        if axis == 0:
            raise ValueError(f"{type(self).__name__}: `axis` must not be 0, that of the samples. Received: {axis!r}")
        self.axis = axis
        if axis != -1:
            self.of_rows, self.fuses_with = False, None
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"{type(self).__name__}: `label_smoothing` must be in [0, 1]. Received: {label_smoothing!r}"
            )
        self.from_logits, self.label_smoothing = bool(from_logits), label_smoothing
        self._on_output = kernels.Loss(self.kernel, self.from_logits, label_smoothing, **numbers)
        self._on_logits = kernels.Loss(self.kernel, True, label_smoothing, **numbers)

    # --- along another axis than the last ---

    def _as_rows_of(self, y_pred):
        return super()._as_rows_of(np.ascontiguousarray(np.moveaxis(y_pred, self.axis, -1)))

    def _as_output(self, rows, shape):
        return np.moveaxis(rows.reshape(self._axis_last(shape)), -1, self.axis)

    def _as_targets(self, rows, shape, y_pred_shape):
        if rows.size != math.prod(shape):  # one column stands for all
            return rows.sum(axis=1).reshape(shape)
        return self._as_output(rows, y_pred_shape).reshape(shape)

    def _axis_last(self, shape):
        shape = list(shape)
        columns = shape.pop(self.axis)
        return (*shape, columns)

    def compute_whole(self, y_true, y_pred, mask, weights, factor, dy, probabilities, left_out):
        if mask is not None:
            raise ValueError(f"Loss '{self.name}': only `axis` -1 can go with a mask. Received: axis={self.axis}")
        rows, shape = self._as_rows_of(y_pred)
        if weights is not None:
            weights = row_weights(f"Loss '{self.name}'", weights, shape)
        slopes = None if dy is None else np.empty_like(rows)
        value = self.compute(y_true, rows, weights, factor / max(1, len(rows)), slopes)
        if dy is not None:
            dy[...] = self._as_output(slopes, y_pred.shape)
        return value

    # --- along rows ---

    def prepare(self, y_true, y_pred_shape):
        if self.axis != -1:
            y_true = np.moveaxis(y_true, self.axis, -1) if y_true.ndim == len(y_pred_shape) else y_true
            y_pred_shape = self._axis_last(y_pred_shape)
        return self._targets(y_true, y_pred_shape)

    def _targets(self, y_true, y_pred_shape):
        """As `prepare`, with the columns in the last axis."""
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

    def gradient_of_targets(self, y_true, y_pred, factors):
        slopes = self.slopes_of_targets(self._as_rows(y_true, y_pred), y_pred)
        return slopes * (factors * np.float32(1 - self.label_smoothing))[:, None]

    def slopes_of_targets(self, t, y):
        """d(value of a row) / dt, like t, for targets t and predictions y (rows, columns); without the factor that
        label smoothing has."""
        raise NotImplementedError(f"Loss '{self.name}': y_true has no gradient; give it ops.stop_gradient(y_true)")

    def _slopes(self, t, y):
        """d(value of a row) / dy, like y"""
        values, slopes = np.empty(len(y), np.float32), np.empty_like(y)
        kernels.forward(values, slopes, None, y, t, None, 1.0, self._on_output)
        return slopes

    def _as_rows(self, y_true, y_pred):
        return y_true if y_true.ndim == 2 else y_true.reshape(y_pred.shape)

    def logits_config(self):
        """What get_config says of the arguments that most crossentropies share."""
        return {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": self.axis}
