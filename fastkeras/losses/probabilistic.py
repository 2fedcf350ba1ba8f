"""Losses of probabilities and counts: how unlikely a prediction calls what is true. The formulas stand in
src_c/losses.h."""

import numpy as np

from fastkeras._kernels import losses as kernels
from fastkeras.core.targets import labels, like_predictions
from fastkeras.core.tensor import operation
from fastkeras.losses.loss import EPSILON, KernelLoss, Loss

_ONE_HOT = "; for integer labels use sparse_categorical_crossentropy, or utils.to_categorical"


def class_labels(who, y_true, y_pred_shape, ignored=None):
    """Class numbers as int32, one per row of predictions of this shape; a ValueError for one that is no class, and is
    not `ignored`."""
    classes, count = labels(who, y_true, y_pred_shape), y_pred_shape[-1]
    wrong = np.flatnonzero(((classes < 0) | (classes >= count)) & (classes != ignored))
    if wrong.size:
        row = np.unravel_index(wrong[0], classes.shape)[0]
        raise ValueError(
            f"{who}: labels must be in [0, {count}), one of {count} classes. "
            f"Received: {classes.flat[wrong[0]]} at row {row}"
        )
    return classes


def _logs(p):
    """log(p) and log(1 - p), of p cut to [1e-7, 1 - 1e-7]"""
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return np.log(p), np.log1p(-p)


def _probabilities(y, from_logits):
    """What y (rows, classes) means: its softmax, or each row brought to sum 1."""
    if not from_logits:
        return y / y.sum(axis=1, keepdims=True)
    e = np.exp(y - y.max(axis=1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=1, keepdims=True)


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

    def slopes_of_targets(self, t, y):
        if self.from_logits:
            return -y / y.shape[1]
        log_p, log_q = _logs(y)
        return (log_q - log_p) / y.shape[1]

    def get_config(self):
        return {**super().get_config(), **self.logits_config()}


class BinaryFocalCrossentropy(KernelLoss):
    """mean over columns of a (1 - p)^gamma times the binary crossentropy, p being what y_pred gives the true class

    What is easily right counts little. a: if apply_class_balancing, alpha where y_true is 1 and 1 - alpha where it is
    0; else 1. from_logits, label_smoothing: as in BinaryCrossentropy. T.-Y. Lin et al., "Focal Loss for Dense Object
    Detection", ICCV 2017.
    """

    kernel = "binary_focal_crossentropy"

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        balanced = bool(apply_class_balancing)
        numbers = {"alpha": alpha, "gamma": gamma, "balanced": balanced}
        super().__init__(name, reduction, dtype, from_logits, label_smoothing, axis, **numbers)
        self.apply_class_balancing, self.alpha, self.gamma = balanced, alpha, gamma

    def slopes_of_targets(self, t, y):
        # value = 1/D a w^gamma c    w = t (1 - p) + (1 - t) p    c = -t log p - (1 - t) log(1 - p)
        s, gamma = np.float32(self.label_smoothing), self.gamma
        t = (1 - s) * t + s / 2
        if self.from_logits:
            log_p, log_q = -np.logaddexp(np.float32(0), -y), -np.logaddexp(np.float32(0), y)
            p = np.exp(log_p)
        else:
            (log_p, log_q), p = _logs(y), y
        w, c = t * (1 - p) + (1 - t) * p, -t * log_p - (1 - t) * log_q
        slopes = gamma * w ** (gamma - 1) * (1 - 2 * p) * c + w**gamma * (log_q - log_p)
        if self.apply_class_balancing:  # a = t alpha + (1 - t) (1 - alpha)
            alpha = self.alpha
            slopes = (t * alpha + (1 - t) * (1 - alpha)) * slopes + (2 * alpha - 1) * w**gamma * c
        return slopes / y.shape[1]

    def get_config(self):
        config = {"apply_class_balancing": self.apply_class_balancing, "alpha": self.alpha, "gamma": self.gamma}
        return {**super().get_config(), **self.logits_config(), **config}


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

    def _targets(self, y_true, y_pred_shape):
        return like_predictions(f"Loss '{self.name}'", y_true, y_pred_shape, _ONE_HOT)

    def slopes_of_targets(self, t, y):
        if self.from_logits:  # -log(softmax(y))
            y = y - y.max(axis=1, keepdims=True, initial=-np.inf)
            return np.log(np.exp(y).sum(axis=1, keepdims=True)) - y
        return -_logs(_probabilities(y, False))[0]

    def get_config(self):
        return {**super().get_config(), **self.logits_config()}


class CategoricalFocalCrossentropy(KernelLoss):
    """-sum over columns of alpha (1 - y_pred)^gamma y_true log y_pred

    alpha: a number, or one for each class. from_logits, label_smoothing: as in CategoricalCrossentropy. T.-Y. Lin et
    al., "Focal Loss for Dense Object Detection", ICCV 2017.
    """

    kernel = "categorical_focal_crossentropy"

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        self._by_class = None if np.ndim(alpha) == 0 else np.asarray(alpha, np.float32)
        numbers = {"alpha": alpha if self._by_class is None else 1.0, "gamma": gamma}
        super().__init__(name, reduction, dtype, from_logits, label_smoothing, axis, **numbers)
        if self._by_class is not None:  # the weights are put on the targets, when those are smoothed already
            self._on_output = kernels.Loss(self.kernel, self.from_logits, **numbers)
        self.alpha, self.gamma = alpha, gamma

    def _targets(self, y_true, y_pred_shape):
        return like_predictions(f"Loss '{self.name}'", y_true, y_pred_shape, _ONE_HOT)

    def _as_rows(self, y_true, y_pred):
        rows = super()._as_rows(y_true, y_pred)
        if self._by_class is None:
            return rows
        smoothing = np.float32(self.label_smoothing)
        return ((1 - smoothing) * rows + smoothing / rows.shape[1]) * self._by_class

    def slopes_of_targets(self, t, y):
        p = np.clip(_probabilities(y, self.from_logits), EPSILON, 1 - EPSILON)
        return -np.asarray(self.alpha, np.float32) * (1 - p) ** self.gamma * np.log(p)

    def get_config(self):
        return {**super().get_config(), **self.logits_config(), "alpha": self.alpha, "gamma": self.gamma}


class SparseCategoricalCrossentropy(KernelLoss):
    """-log y_pred[k], y_true being the integer k of the class

    from_logits: y_pred is what a softmax would be applied to. ignore_class: rows of this label do not count.
    """

    kernel, fuses_with, of_labels = "sparse_categorical_crossentropy", "softmax", True

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

    def _targets(self, y_true, y_pred_shape):
        return class_labels(f"Loss '{self.name}'", y_true, y_pred_shape, self.ignore_class)

    def compute(self, y_true, y_pred, weights, scale, dy, probabilities=None, from_logits=False):
        if self.ignore_class is not None:
            y_true, weights = self._without_ignored(y_true.reshape(-1), weights)
        return super().compute(y_true, y_pred, weights, scale, dy, probabilities, from_logits)

    def _evaluate(self, y_true, y_pred):
        if self.ignore_class is None:
            return super()._evaluate(y_true, y_pred)
        kept = y_true.reshape(-1) != self.ignore_class
        classes = np.where(kept, y_true.reshape(-1), np.int32(0))
        values, _ = super()._evaluate(classes, y_pred)
        return values * kept, lambda factors: self._slopes(classes, y_pred) * (factors * kept)[:, None]

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


class AnyCrossentropy(Loss):
    """What "crossentropy" and "ce" mean: BinaryCrossentropy of one column, else SparseCategoricalCrossentropy of
    targets that are labels, else CategoricalCrossentropy."""

    fuses_with = "any crossentropy"

    def __init__(self, reduction="sum_over_batch_size", name="crossentropy"):
        super().__init__(name, reduction)
        kinds = BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy
        self._binary, self._sparse, self._categorical = (kind(reduction=reduction, name=name) for kind in kinds)

    def prepare(self, y_true, y_pred_shape):
        if y_pred_shape[-1] == 1:
            return self._binary.prepare(y_true, y_pred_shape)
        sparse = y_true.ndim < len(y_pred_shape) or y_true.shape[-1] == 1
        return (self._sparse if sparse else self._categorical).prepare(y_true, y_pred_shape)

    def _loss_for(self, y_true, y_pred):
        """The loss of targets as `prepare` gave them."""
        if y_pred.shape[1] == 1:
            return self._binary
        return self._sparse if y_true.dtype == np.int32 else self._categorical

    def _evaluate(self, y_true, y_pred):
        return self._loss_for(y_true, y_pred)._evaluate(y_true, y_pred)

    def compute(self, y_true, y_pred, *arguments):
        return self._loss_for(y_true, y_pred).compute(y_true, y_pred, *arguments)

    def gradient_of_targets(self, y_true, y_pred, factors):
        loss = self._loss_for(y_true, y_pred)
        return None if loss.of_labels else loss.gradient_of_targets(y_true, y_pred, factors)


class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - y_pred[k]^q) / q, y_true being the integer k of the class; q in (0, 1)

    Between the crossentropy, which it approaches for small q, and the mean absolute error: wrong labels do less harm.
    Z. Zhang, M. R. Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
    NeurIPS 2018.
    """

    of_labels = True

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        super().__init__(name, reduction, dtype)
        if not 0 < q < 1:
            raise ValueError(f"CategoricalGeneralizedCrossEntropy: `q` must be in (0, 1). Received: {q!r}")
        self.q = q

    def prepare(self, y_true, y_pred_shape):
        return class_labels(f"Loss '{self.name}'", y_true, y_pred_shape)

    def forward(self, y_true, y_pred):
        place = np.arange(len(y_pred)), y_true[:, 0]
        gradient = np.zeros_like(y_pred)
        gradient[place] = -(y_pred[place] ** (self.q - 1))
        return (1 - y_pred[place] ** self.q) / self.q, gradient

    def get_config(self):
        return {**super().get_config(), "q": self.q}


class KLDivergence(KernelLoss):
    """sum over columns of y_true log(y_true / y_pred), both at least 1e-7 and at most 1

    S. Kullback, R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics 22 (1951).
    """

    kernel = "kl_divergence"

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        inside = (t >= EPSILON) & (t <= 1)
        return (np.log(np.clip(t, EPSILON, 1) / np.clip(y, EPSILON, 1)) + 1) * inside


class Poisson(KernelLoss):
    """mean over columns of y_pred - y_true log(y_pred + 1e-7): for counts, which y_pred is the mean of"""

    kernel, broadcasts = "poisson", True

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        return -np.log(y + EPSILON) / y.shape[1]


@operation
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """As BinaryCrossentropy: y_true, y_pred (..., columns) -> (...)"""
    return BinaryCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


@operation
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """As CategoricalCrossentropy: y_true, y_pred (..., classes) -> (...)"""
    return CategoricalCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


@operation
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """As SparseCategoricalCrossentropy: y_true (...) integers, y_pred (..., classes) -> (...)"""
    return SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis).call(y_true, y_pred)


@operation
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """As BinaryFocalCrossentropy: y_true, y_pred (..., columns) -> (...)"""
    loss = BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
    return loss.call(y_true, y_pred)


@operation
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """As CategoricalFocalCrossentropy: y_true, y_pred (..., classes) -> (...)"""
    return CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis).call(y_true, y_pred)


@operation
def kl_divergence(y_true, y_pred):
    """As KLDivergence: y_true, y_pred (..., columns) -> (...)"""
    return KLDivergence().call(y_true, y_pred)


@operation
def poisson(y_true, y_pred):
    """As Poisson: y_true, y_pred (..., columns) -> (...)"""
    return Poisson().call(y_true, y_pred)


@operation
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """As CategoricalGeneralizedCrossEntropy: y_true (...) integers, y_pred (..., classes) -> (...)"""
    return CategoricalGeneralizedCrossEntropy(q).call(y_true, y_pred)
