"""How well predictions follow numbers: the share of variance explained, and correlations of rows."""

import numpy as np

from fastkeras.core.targets import like_predictions, of_rank
from fastkeras.core.tensor import as_tensor
from fastkeras.metrics.metric import RowMean, RowMetric
from fastkeras.utils.messages import warn

_EPSILON = 1e-7


class R2Score(RowMetric):
    """1 - sum (y_true - y_pred)^2 / sum (y_true - mean(y_true))^2, for each column

    class_aggregation: "uniform_average" or "variance_weighted_average" of the columns, or None for all of them.
    num_regressors p: if it is not 0, the score s of n numbers is adjusted to 1 - (1 - s) (n - 1) / (n - p - 1).
    """

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(name, dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                "R2Score: `class_aggregation` must be 'uniform_average', 'variance_weighted_average' or None. "
                f"Received: {class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(f"R2Score: `num_regressors` must be at least 0. Received: {num_regressors}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.reset_state()

    def reset_state(self):
        self.numbers = 0
        self.weight = self.sum = self.squares = self.residual = 0.0  # of each column, once there are some

    def add(self, y_true, y_pred, weights):
        t, w = y_true.astype(np.float64), np.ones(len(y_true)) if weights is None else weights
        self.numbers += t.size
        self.weight = self.weight + w.sum(dtype=np.float64)
        self.sum = self.sum + w @ t
        self.squares = self.squares + w @ t**2
        self.residual = self.residual + w @ (t - y_pred) ** 2

    def result(self):
        if self.numbers == 0:
            return as_tensor(0.0)
        variance = self.squares - self.sum**2 / self.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1 - self.residual / variance
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (scores * variance).sum() / variance.sum()
        return as_tensor(self._adjusted(scores))

    def _adjusted(self, scores):
        p, left = self.num_regressors, self.numbers - self.num_regressors - 1
        if p == 0:
            return scores
        if left <= 0:
            message = f"R2Score: {self.numbers} numbers are too few to adjust the score for {p} regressors."
            warn(message)
            return scores
        return 1 - (1 - scores) * (self.numbers - 1) / left

    def get_config(self):
        config = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **config}


def pearson_correlation(y_true, y_pred, axis=-1):
    """covariance / sqrt(variance of y_true * variance of y_pred), along an axis, which the result does not have; NaN
    for numbers that are all the same"""
    t, y = _centred(y_true, y_pred, axis)
    with np.errstate(invalid="ignore"):
        return (t * y).mean(axis) / np.sqrt((t * t).mean(axis) * (y * y).mean(axis))


def concordance_correlation(y_true, y_pred, axis=-1):
    """2 covariance / (variance of y_true + variance of y_pred + (difference of the means)^2), along an axis

    L. I. Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", Biometrics 45 (1989).
    """
    t, y = _centred(y_true, y_pred, axis)
    apart = np.mean(y_true, axis, np.float32) - np.mean(y_pred, axis, np.float32)
    return 2 * (t * y).mean(axis) / ((t * t).mean(axis) + (y * y).mean(axis) + apart**2 + _EPSILON)


def _centred(y_true, y_pred, axis):
    """Both as float32, less their means."""
    y_pred = np.asarray(y_pred, np.float32)
    y_true = like_predictions("correlation", of_rank(np.asarray(y_true), y_pred.shape), y_pred.shape)
    return [a - a.mean(axis, keepdims=True) for a in (y_true, y_pred)]


class _Correlation(RowMean):
    function = None

    def __init__(self, name, dtype, axis):
        super().__init__(name, dtype)
        if axis != -1:
            raise ValueError(f"{type(self).__name__}: `axis` must be -1, the last. Received: {axis!r}")

    def evaluate(self, y_true, y_pred, weights):
        values = type(self).function(y_true, y_pred)
        weights = np.ones(len(values)) if weights is None else weights
        return float(weights @ values), float(weights.sum(dtype=np.float64))

    def get_config(self):
        return {**super().get_config(), "axis": -1}


class PearsonCorrelation(_Correlation):
    """The mean over rows of pearson_correlation."""

    function = staticmethod(pearson_correlation)

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(name, dtype, axis)


class ConcordanceCorrelation(_Correlation):
    """The mean over rows of concordance_correlation."""

    function = staticmethod(concordance_correlation)

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(name, dtype, axis)
