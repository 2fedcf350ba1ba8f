"""Losses as metrics: their means over all rows. The formulas stand in src_c/losses.h."""

import math

import numpy as np

from fastkeras import losses
from fastkeras.core.tensor import as_tensor
from fastkeras.metrics.metric import RowMean


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


class RootMeanSquaredError(LossMean):
    """The root of the mean of losses.MeanSquaredError."""

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(losses.MeanSquaredError(), name, dtype)

    def result(self):
        return as_tensor(math.sqrt(super().result()))


class MeanAbsoluteError(LossMean):
    """The mean of losses.MeanAbsoluteError."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.MeanAbsoluteError(), name, dtype)


class MeanAbsolutePercentageError(LossMean):
    """The mean of losses.MeanAbsolutePercentageError."""

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.MeanAbsolutePercentageError(), name, dtype)


class MeanSquaredLogarithmicError(LossMean):
    """The mean of losses.MeanSquaredLogarithmicError."""

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.MeanSquaredLogarithmicError(), name, dtype)


class LogCoshError(LossMean):
    """The mean of losses.LogCosh."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.LogCosh(), name, dtype)


class CosineSimilarity(LossMean):
    """The mean of -losses.CosineSimilarity: 1 for rows that point the same way."""

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(losses.CosineSimilarity(axis), name, dtype)

    def result(self):
        return -super().result()


class Hinge(LossMean):
    """The mean of losses.Hinge."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.Hinge(), name, dtype)


class SquaredHinge(LossMean):
    """The mean of losses.SquaredHinge."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.SquaredHinge(), name, dtype)


class CategoricalHinge(LossMean):
    """The mean of losses.CategoricalHinge."""

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(losses.CategoricalHinge(), name, dtype)


class KLDivergence(LossMean):
    """The mean of losses.KLDivergence."""

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.KLDivergence(), name, dtype)


class Poisson(LossMean):
    """The mean of losses.Poisson."""

    def __init__(self, name="poisson", dtype=None):
        super().__init__(losses.Poisson(), name, dtype)


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
