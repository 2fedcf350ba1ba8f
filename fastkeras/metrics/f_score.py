"""F-scores: precision and recall in one number."""

import numpy as np

from fastkeras.core.tensor import as_tensor
from fastkeras.metrics.metric import RowMetric

_EPSILON = 1e-7


class FBetaScore(RowMetric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), for each column, a class

    A prediction counts as positive above `threshold`, or if that is None where it is the largest of its row.
    average: "macro" for the mean of the classes, "weighted" for the mean by how often each is true, "micro" for the
    score of all classes' counts together, None for one score per class. beta: how much more recall matters.
    C. J. van Rijsbergen, "Information Retrieval" (1979).
    """

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(name, dtype)
        kind = type(self).__name__
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{kind}: `average` must be 'micro', 'macro', 'weighted' or None. Received: {average!r}")
        if not isinstance(beta, (int, float)) or beta <= 0:
            raise ValueError(f"{kind}: `beta` must be a number above 0. Received: {beta!r}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(f"{kind}: `threshold` must be None or in (0, 1]. Received: {threshold!r}")
        self.average, self.beta, self.threshold = average, beta, threshold
        self.reset_state()

    def reset_state(self):
        self.right = self.predicted = self.true = 0.0  # of each class: true positives, predicted ones, true ones

    def add(self, y_true, y_pred, weights):
        if self.threshold is None:
            positive = (y_pred >= y_pred.max(axis=1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        w = np.ones(len(y_pred)) if weights is None else weights.astype(np.float64)
        self.right = self.right + w @ (positive * y_true)
        self.predicted = self.predicted + w @ positive
        self.true = self.true + w @ y_true

    def result(self):
        right, predicted, true = self.right, self.predicted, self.true
        if self.average == "micro":
            right, predicted, true = np.sum(right), np.sum(predicted), np.sum(true)
        precision, recall = right / (predicted + _EPSILON), right / (true + _EPSILON)
        square = self.beta**2
        scores = (1 + square) * precision * recall / (square * precision + recall + _EPSILON)
        if self.average == "macro":
            scores = np.mean(scores)
        elif self.average == "weighted":
            scores = np.sum(scores * true) / (np.sum(true) + _EPSILON)
        return as_tensor(scores)

    def get_config(self):
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """FBetaScore with beta = 1: the harmonic mean of precision and recall."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["beta"]
        return config
