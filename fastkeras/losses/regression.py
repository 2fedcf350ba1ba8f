"""Losses of numbers: how far a prediction is from what it should be. The formulas stand in src_c/losses.h."""

import numpy as np

from fastkeras.core.tensor import operation
from fastkeras.losses.loss import EPSILON, KernelLoss


def _opposite_slopes(loss, t, y):
    """For losses of y - t."""
    return -loss._slopes(t, y)


class MeanSquaredError(KernelLoss):
    """mean over columns of (y_pred - y_true)^2"""

    kernel, broadcasts, slopes_of_targets = "mean_squared_error", True, _opposite_slopes

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(KernelLoss):
    """mean over columns of |y_pred - y_true|"""

    kernel, broadcasts, slopes_of_targets = "mean_absolute_error", True, _opposite_slopes

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanAbsolutePercentageError(KernelLoss):
    """100 times the mean over columns of |y_pred - y_true| / max(|y_true|, 1e-7)"""

    kernel, broadcasts = "mean_absolute_percentage_error", True

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        # value = 100/D |y - t| / m    m = max(|t|, e)    dm/dt = sign(t) where |t| >= e
        m, dm = np.maximum(np.abs(t), EPSILON), np.sign(t) * (np.abs(t) >= EPSILON)
        return -100 * (np.sign(y - t) + np.abs(y - t) / m * dm) / m / y.shape[1]


class MeanSquaredLogarithmicError(KernelLoss):
    """mean over columns of (log(1 + y_pred) - log(1 + y_true))^2, with both at least 1e-7"""

    kernel, broadcasts = "mean_squared_logarithmic_error", True

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        # value = 1/D (log(1 + max(y, e)) - log(1 + u))^2    u = max(t, e)
        u = np.maximum(t, EPSILON)
        return -2 * (np.log1p(np.maximum(y, EPSILON)) - np.log1p(u)) / (1 + u) * (t >= EPSILON) / y.shape[1]


class Huber(KernelLoss):
    """mean over columns of x^2 / 2 where |x| <= delta, and delta |x| - delta^2 / 2 elsewhere; x = y_pred - y_true

    P. J. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35 (1964).
    """

    kernel, broadcasts, slopes_of_targets = "huber", True, _opposite_slopes

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype, delta=delta)
        self.delta = delta

    def get_config(self):
        """As Keras's, which leaves out delta, where that makes no difference."""
        return super().get_config() if self.delta == 1 else {**super().get_config(), "delta": self.delta}


class LogCosh(KernelLoss):
    """mean over columns of log(cosh(y_pred - y_true))"""

    kernel, broadcasts, slopes_of_targets = "log_cosh", True, _opposite_slopes

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)


class CosineSimilarity(KernelLoss):
    """-sum over columns of y_true y_pred, both rows scaled to length 1: -1 for rows that point the same way"""

    kernel, broadcasts = "cosine_similarity", True

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(name, reduction, dtype, axis=axis)

    def slopes_of_targets(self, t, y):
        return self._slopes(y, t)  # the same formula with both exchanged


@operation
def mean_squared_error(y_true, y_pred):
    """mean over columns of (y_pred - y_true)^2: y_true, y_pred (..., columns) -> (...)"""
    return MeanSquaredError().call(y_true, y_pred)


@operation
def mean_absolute_error(y_true, y_pred):
    """mean over columns of |y_pred - y_true|: y_true, y_pred (..., columns) -> (...)"""
    return MeanAbsoluteError().call(y_true, y_pred)


@operation
def mean_absolute_percentage_error(y_true, y_pred):
    """As MeanAbsolutePercentageError: y_true, y_pred (..., columns) -> (...)"""
    return MeanAbsolutePercentageError().call(y_true, y_pred)


@operation
def mean_squared_logarithmic_error(y_true, y_pred):
    """As MeanSquaredLogarithmicError: y_true, y_pred (..., columns) -> (...)"""
    return MeanSquaredLogarithmicError().call(y_true, y_pred)


@operation
def huber(y_true, y_pred, delta=1.0):
    """As Huber: y_true, y_pred (..., columns) -> (...)"""
    return Huber(delta).call(y_true, y_pred)


@operation
def log_cosh(y_true, y_pred):
    """mean over columns of log(cosh(y_pred - y_true)): y_true, y_pred (..., columns) -> (...)"""
    return LogCosh().call(y_true, y_pred)


@operation
def cosine_similarity(y_true, y_pred, axis=-1):
    """As CosineSimilarity: y_true, y_pred (..., columns) -> (...)"""
    return CosineSimilarity(axis).call(y_true, y_pred)
