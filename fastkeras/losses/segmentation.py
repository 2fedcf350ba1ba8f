"""Losses of overlap: how much of a region is found, for segmentation.

In the formulas, sums are over `axis`, or over everything if it is None; e = 1e-7.
"""

import math

import numpy as np

from fastkeras.core.targets import like_predictions, of_rank, row_weights
from fastkeras.core.tensor import as_axes
from fastkeras.losses.loss import Loss

_EPSILON = np.float32(1e-7)


class _Overlap(Loss):
    """A loss with one value for all elements along `axis` together, instead of one per row."""

    def __init__(self, name, reduction, dtype, axis):
        super().__init__(name, reduction, dtype)
        self.axis = as_axes(axis)

    def overlap(self, y_true, y_pred):
        """(values, slope): the sums over `axis` stay as axes of one; slope is d(value)/d(y_pred), like y_pred."""
        raise NotImplementedError

    def prepare(self, y_true, y_pred_shape):
        return like_predictions(f"Loss '{self.name}'", of_rank(y_true, y_pred_shape), y_pred_shape)

    def call(self, y_true, y_pred):
        """The values of y_true, y_pred of one shape: that shape without `axis`."""
        y_pred = np.asarray(y_pred, np.float32)
        values, _ = self.overlap(self.prepare(np.asarray(y_true), y_pred.shape), y_pred)
        return values.squeeze(self.axis)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss, weighted by one number per sample or per row (those of a group by their mean)."""
        y_pred = np.asarray(y_pred, np.float32, order="C")
        y_true = self.prepare(np.asarray(y_true), y_pred.shape)
        weights = None
        if sample_weight is not None:
            weights = row_weights(f"Loss '{self.name}'", sample_weight, y_pred.shape[:-1])
        if self.reduction in ("none", None):
            values, _ = self.overlap(y_true, y_pred)
            factor = 1 if weights is None else self._group_weights(weights, y_true.shape)
            return (values * factor).squeeze(self.axis)
        rows = y_pred.reshape(math.prod(y_pred.shape[:-1]), -1)
        return np.float32(self.compute(y_true, rows, weights, 1 / max(1, len(rows)), None))

    def compute(self, y_true, y_pred, weights, scale, dy, probabilities=None, from_logits=False):
        values, slope = self.overlap(y_true, y_pred.reshape(y_true.shape))
        by_value = np.ones_like(values) if weights is None else self._group_weights(weights, y_true.shape)
        factor = by_value * (scale * len(y_pred))
        if self.reduction in ("sum_over_batch_size", "mean"):
            factor /= values.size
        elif self.reduction == "mean_with_sample_weight":
            factor /= by_value.sum() or 1
        if dy is not None:
            np.multiply(slope, factor, out=dy.reshape(y_true.shape))
        return float((values * factor).sum(dtype=np.float64))

    def _group_weights(self, weights, shape):
        """The mean weight of the elements behind each value."""
        each = np.broadcast_to(weights.reshape(shape[:-1])[..., None], shape)
        return each.mean(axis=self.axis, keepdims=True, dtype=np.float32)


class Dice(_Overlap):
    """1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred) + e)

    L. R. Dice, "Measures of the Amount of Ecologic Association Between Species", Ecology 26 (1945).
    """

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(name, reduction, dtype, axis)

    def overlap(self, y_true, y_pred):
        common, t, y = (x.sum(axis=self.axis, keepdims=True) for x in (y_true * y_pred, y_true, y_pred))
        total = t + y + _EPSILON
        return 1 - 2 * common / total, 2 * (common / total - y_true) / total

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class Tversky(_Overlap):
    """1 - c / (c + alpha sum(y_true (1 - y_pred)) + beta sum(y_pred (1 - y_true)) + e)    c = sum(y_true y_pred)

    S. S. M. Salehi et al., "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional Deep Networks",
    MLMI 2017.
    """

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(name, reduction, dtype, axis)
        self.alpha, self.beta = alpha, beta

    def overlap(self, y_true, y_pred):
        common, t, y = (x.sum(axis=self.axis, keepdims=True) for x in (y_true * y_pred, y_true, y_pred))
        total = common + self.alpha * (t - common) + self.beta * (y - common) + _EPSILON
        slope = (1 - self.alpha - self.beta) * y_true + self.beta  # d(total)/d(y_pred)
        return 1 - common / total, (common * slope / total - y_true) / total

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta, "axis": self.axis}


def dice(y_true, y_pred, axis=None):
    """As Dice: y_true, y_pred of one shape -> that shape without `axis`."""
    return Dice(axis=axis).call(y_true, y_pred)


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """As Tversky: y_true, y_pred of one shape -> that shape without `axis`."""
    return Tversky(alpha, beta, axis=axis).call(y_true, y_pred)
