"""Accuracies: how many predictions are right. The formulas stand in src_c/metrics.h."""

import numpy as np

from fastkeras._kernels import metrics as kernels
from fastkeras.core.targets import labels, like_predictions, of_rank
from fastkeras.metrics.metric import RowMean


class Accuracy(RowMean):
    """The share of predictions that equal their target."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name, dtype)

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "equal")


class BinaryAccuracy(RowMean):
    """The share of predictions above `threshold` exactly where the target is 1, and not above it where it is 0."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(name, dtype)
        self.threshold = threshold

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "binary", self.threshold)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(RowMean):
    """The share of rows whose largest prediction is where the one-hot target is 1."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(name, dtype)

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "categorical")


class SparseCategoricalAccuracy(RowMean):
    """The share of rows whose largest prediction is that of the target, the number of a class."""

    sparse = True

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(name, dtype)

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "sparse")


class TopKCategoricalAccuracy(RowMean):
    """The share of rows where fewer than k predictions are larger than that of the class whose target is largest."""

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(name, dtype)
        self.k = k

    def evaluate(self, y_true, y_pred, weights):
        return kernels.accuracy(y_pred, y_true, weights, "top_k_categorical", k=self.k)

    def get_config(self):
        return {**super().get_config(), "k": self.k}


class SparseTopKCategoricalAccuracy(RowMean):
    """The share of rows where fewer than k predictions are larger than that of the target, the number of a class.

    from_sorted_ids: the predictions are not scores but the numbers of classes, the likeliest first.
    """

    sparse = True

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(name, dtype)
        self.k, self.from_sorted_ids = k, from_sorted_ids

    def evaluate(self, y_true, y_pred, weights):
        if not self.from_sorted_ids:
            return kernels.accuracy(y_pred, y_true, weights, "sparse_top_k", k=self.k)
        right = (y_pred[:, : self.k] == y_true[:, None]).any(axis=1)
        weights = np.ones(len(right)) if weights is None else weights
        return float(right @ weights), float(weights.sum(dtype=np.float64))

    def get_config(self):
        config = {**super().get_config(), "k": self.k}
        return {**config, "from_sorted_ids": True} if self.from_sorted_ids else config


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where y_pred > threshold is what y_true says, 0 elsewhere, of their shape."""
    y_pred = np.asarray(y_pred, np.float32)
    y_true = like_predictions("binary_accuracy", of_rank(np.asarray(y_true), y_pred.shape), y_pred.shape)
    return ((y_pred > threshold) == y_true).astype(np.float32)


def categorical_accuracy(y_true, y_pred):
    """1 where the largest of y_pred (..., classes) is where the largest of y_true is, 0 elsewhere: (...)"""
    return (np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1)).astype(np.float32)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the largest of y_pred (..., classes) is number y_true (...), 0 elsewhere."""
    y_true = labels("sparse_categorical_accuracy", np.asarray(y_true), np.shape(y_pred))
    return (y_true == np.argmax(y_pred, axis=-1)).astype(np.float32)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where fewer than k of y_pred (..., classes) exceed that of the largest of y_true, 0 elsewhere: (...)"""
    return sparse_top_k_categorical_accuracy(np.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where fewer than k of y_pred (..., classes) exceed number y_true (...), 0 elsewhere; from_sorted_ids as in
    SparseTopKCategoricalAccuracy."""
    y_pred = np.asarray(y_pred)
    y_true = labels("sparse_top_k_categorical_accuracy", np.asarray(y_true), y_pred.shape)[..., None]
    if from_sorted_ids:
        return (y_pred[..., :k] == y_true).any(axis=-1).astype(np.float32)
    larger = (y_pred > np.take_along_axis(y_pred, y_true, axis=-1)).sum(axis=-1)
    return (larger < k).astype(np.float32)
