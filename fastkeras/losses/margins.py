"""Losses of margins: nothing is lost where a prediction is right by 1 or more. The formulas stand in src_c/losses.h."""

from fastkeras.core.tensor import operation
from fastkeras.losses.loss import KernelLoss


class Hinge(KernelLoss):
    """mean over columns of max(1 - y_true y_pred, 0); y_true is -1 or 1, or if all are 0 or 1, 2 y_true - 1"""

    kernel, broadcasts = "hinge", True

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)


class SquaredHinge(KernelLoss):
    """mean over columns of max(1 - y_true y_pred, 0)^2; y_true as in Hinge"""

    kernel, broadcasts = "squared_hinge", True

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)


class CategoricalHinge(KernelLoss):
    """max(the largest other prediction - that of the true class + 1, 0); y_true is one-hot"""

    kernel = "categorical_hinge"

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)


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
