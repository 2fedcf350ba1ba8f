"""Losses of margins: nothing is lost where a prediction is right by 1 or more. The formulas stand in src_c/losses.h."""

import numpy as np

from fastkeras.core.tensor import operation
from fastkeras.losses.loss import KernelLoss


def _signs(t):
    """(targets of -1 and 1, their slope): 2 t - 1 for t that are all 0 or 1"""
    return (2 * t - 1, 2) if np.isin(t, (0, 1)).all() else (t, 1)


class Hinge(KernelLoss):
    """mean over columns of max(1 - y_true y_pred, 0); y_true is -1 or 1, or if all are 0 or 1, 2 y_true - 1"""

    kernel, broadcasts = "hinge", True

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        t, dt = _signs(t)
        return -dt * y * (1 - t * y >= 0) / y.shape[1]


class SquaredHinge(KernelLoss):
    """mean over columns of max(1 - y_true y_pred, 0)^2; y_true as in Hinge"""

    kernel, broadcasts = "squared_hinge", True

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        t, dt = _signs(t)
        return -2 * dt * y * np.maximum(1 - t * y, 0) / y.shape[1]


class CategoricalHinge(KernelLoss):
    """max(the largest other prediction - that of the true class + 1, 0); y_true is one-hot"""

    kernel = "categorical_hinge"

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def slopes_of_targets(self, t, y):
        # value = max(max_d (1 - t_d) y_d - sum_d t_d y_d + 1, 0); equal largest terms share the slope
        others = (1 - t) * y
        largest = others.max(axis=1, keepdims=True, initial=-np.inf)
        is_largest = others == largest
        counts = largest - (t * y).sum(axis=1, keepdims=True) + 1 >= 0
        return -y * (is_largest / np.maximum(is_largest.sum(axis=1, keepdims=True), 1) + 1) * counts


@operation
def hinge(y_true, y_pred):
    """As Hinge: y_true, y_pred (..., columns) -> (...)"""
    return Hinge().call(y_true, y_pred)


@operation
def squared_hinge(y_true, y_pred):
    """As SquaredHinge: y_true, y_pred (..., columns) -> (...)"""
    return SquaredHinge().call(y_true, y_pred)


@operation
def categorical_hinge(y_true, y_pred):
    """As CategoricalHinge: y_true, y_pred (..., columns) -> (...)"""
    return CategoricalHinge().call(y_true, y_pred)
