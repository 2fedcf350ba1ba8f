"""Losses of overlap: how much of a region is found, for segmentation.

In the formulas, sums are over `axis`, or over everything if it is None; e = 1e-7.
"""

import numpy as np

from fastkeras.core.targets import as_numbers, like_predictions, of_rank, row_weights
from fastkeras.core.tensor import Whole, as_axes, as_tensor, operation
from fastkeras.losses.loss import EPSILON, Loss


class _Overlap(Loss):
    """A loss with one value for all elements along `axis` together, instead of one per row."""

    gives_gradient = True

    def __init__(self, name, reduction, dtype, axis):
        super().__init__(name, reduction, dtype)
        self.axis = as_axes(axis)

    def overlap(self, t, y):
        """(values, d(value)/dy, like y) for targets t; the sums over `axis` stay as axes of one."""
        raise NotImplementedError

    def slope_of_targets(self, t, y):
        """d(value)/dt, like t"""
        raise NotImplementedError

    def prepare(self, y_true, y_pred_shape):
        return like_predictions(f"Loss '{self.name}'", of_rank(y_true, y_pred_shape), y_pred_shape)

    def call(self, y_true, y_pred):
        """The values of y_true, y_pred of one shape: that shape without `axis`, a tensor."""
        sources = self._sources(y_true, y_pred)
        y_true, y = as_numbers(f"Loss '{self.name}'", y_true, y_pred)
        t = self.prepare(y_true, y.shape)
        values, slope = self.overlap(t, y)
        result = as_tensor(values.squeeze(self.axis))
        if sources == [None, None]:
            return result

        def gradients(ds):
            d = ds[0].reshape(values.shape)
            return [None if sources[0] is None else (self.slope_of_targets(t, y) * d).reshape(y_true.shape), slope * d]

        Whole(sources, gradients, [result], f"loss '{self.name}'")
        return result

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss, weighted by one number per sample or per row (those of a group by their mean)."""
        values, shape = self.call(y_true, y_pred), np.shape(y_pred)
        weights = None
        if sample_weight is not None:
            weights = row_weights(f"Loss '{self.name}'", sample_weight, shape[:-1])
        result = values * self._group_factors(weights, shape, values)
        return result if self.reduction in ("none", None) else result.sum()

    def compute(self, y_true, y_pred, weights, scale, dy, probabilities=None, from_logits=False):
        values, slope = self.overlap(y_true, y_pred.reshape(y_true.shape))
        factors = self._group_factors(weights, y_true.shape, values) * np.float32(scale * len(y_pred))
        if dy is not None:
            np.multiply(slope, factors, out=dy.reshape(y_true.shape))
        return float((values * factors).sum(dtype=np.float64))

    def _group_factors(self, weights, shape, values):
        """What each of the values counts in the reduced loss of predictions of this shape."""
        factors = np.ones(values.shape, np.float32)
        if weights is not None:  # the mean weight of the elements behind each value
            each = np.broadcast_to(weights.reshape(shape[:-1])[..., None], shape)
            factors = each.mean(axis=self.axis, dtype=np.float32).reshape(values.shape)
        if self.reduction in ("sum_over_batch_size", "mean"):
            return factors / np.float32(factors.size)
        if self.reduction == "mean_with_sample_weight":
            return factors / (factors.sum() or 1)
        return factors


class Dice(_Overlap):
    """1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred) + e)

    L. R. Dice, "Measures of the Amount of Ecologic Association Between Species", Ecology 26 (1945).
    """

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(name, reduction, dtype, axis)

    def overlap(self, t, y):
        common, total = self._sums(t, y)
        return 1 - 2 * common / total, 2 * (common / total - t) / total

    def slope_of_targets(self, t, y):
        common, total = self._sums(t, y)
        return 2 * (common / total - y) / total

    def _sums(self, t, y):
        """The numerator, without its 2, and the denominator."""
        common, t, y = (x.sum(axis=self.axis, keepdims=True) for x in (t * y, t, y))
        return common, t + y + EPSILON

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

    def overlap(self, t, y):
        common, total = self._sums(t, y)
        slope = (1 - self.alpha - self.beta) * t + self.beta  # d(total)/dy
        return 1 - common / total, (common * slope / total - t) / total

    def slope_of_targets(self, t, y):
        common, total = self._sums(t, y)
        slope = (1 - self.alpha - self.beta) * y + self.alpha  # d(total)/dt
        return (common * slope / total - y) / total

    def _sums(self, t, y):
        """The numerator and the denominator."""
        common, t, y = (x.sum(axis=self.axis, keepdims=True) for x in (t * y, t, y))
        return common, common + self.alpha * (t - common) + self.beta * (y - common) + EPSILON

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta, "axis": self.axis}


@operation
def dice(y_true, y_pred, axis=None):
    """As Dice: y_true, y_pred of one shape -> that shape without `axis`."""
    return Dice(axis=axis).call(y_true, y_pred)


@operation
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """As Tversky: y_true, y_pred of one shape -> that shape without `axis`."""
    return Tversky(alpha, beta, axis=axis).call(y_true, y_pred)
