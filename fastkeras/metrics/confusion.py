"""Counts of what is above thresholds and should be (true positives) or should not (false positives), and what is made
of them: precision, recall, sensitivity, specificity, the area under a curve.

A target is positive if it is not 0, a prediction if it exceeds the threshold. Each number of a row counts for itself.
"""

import numpy as np

from fastkeras._kernels import activations as activation_kernel
from fastkeras._kernels import metrics as kernels
from fastkeras.core.tensor import as_tensor
from fastkeras.metrics.metric import RowMetric

_EPSILON = 1e-7  # how far the outermost thresholds of a curve lie outside [0, 1]


def _divided(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(b)), where=np.asarray(b) != 0)


def _are_even(thresholds):
    """Whether the thresholds divide [0, 1] into equal parts."""
    count = len(thresholds)
    return count > 2 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=_EPSILON)


class _Counts(RowMetric):
    """Counts at ascending thresholds: true_positives, false_positives, true_negatives, false_negatives, each one
    number per threshold (and per column, if `columns` is more than 1).

    top_k: only the k largest predictions of a row can be positive. class_id: the only column that counts.
    """

    def __init__(self, name, dtype, thresholds, top_k=None, class_id=None, columns=1):
        super().__init__(name, dtype)
        self._edges, self._even = np.asarray(thresholds, np.float32), bool(_are_even(thresholds))
        self.top_k, self.class_id = top_k, class_id
        self._columns, self._column_weights = columns, None
        self.reset_state()

    def reset_state(self):
        self._positive, self._negative = np.zeros((2, len(self._edges) + 1, self._columns))

    def add(self, y_true, y_pred, weights):
        if self.top_k is not None:
            largest = np.argsort(-y_pred, axis=1, kind="stable")[:, : self.top_k]
            kept = np.full_like(y_pred, -np.inf)
            np.put_along_axis(kept, largest, np.take_along_axis(y_pred, largest, axis=1), axis=1)
            y_pred = kept
        if self.class_id is not None:
            column = slice(self.class_id, self.class_id + 1)
            y_true, y_pred = np.ascontiguousarray(y_true[:, column]), np.ascontiguousarray(y_pred[:, column])
        kernels.threshold_bins(
            self._positive, self._negative, y_pred, y_true, weights, self._column_weights, self._edges, self._even
        )

    def _above(self, bins):
        """How much lies above each threshold, from the bins between them."""
        above = bins[::-1].cumsum(axis=0)[::-1][1:]
        return above[:, 0] if self._columns == 1 else above

    def _total(self, bins):
        return bins.sum() if self._columns == 1 else bins.sum(axis=0)

    @property
    def true_positives(self):
        return self._above(self._positive)

    @property
    def false_positives(self):
        return self._above(self._negative)

    @property
    def true_negatives(self):
        return self._total(self._negative) - self.false_positives

    @property
    def false_negatives(self):
        return self._total(self._positive) - self.true_positives

    # --- shares: 0 where there is nothing to have a share of ---

    def precisions(self):
        return _divided(self.true_positives, self.true_positives + self.false_positives)

    def recalls(self):
        return _divided(self.true_positives, self.true_positives + self.false_negatives)

    def specificities(self):
        return _divided(self.true_negatives, self.true_negatives + self.false_positives)


class _AtThresholds(_Counts):
    """A metric with one number for each of the thresholds it is given, or one number for one."""

    def __init__(self, thresholds, name, dtype, top_k=None, class_id=None):
        self.init_thresholds = thresholds
        default = 0.5 if top_k is None else -np.inf
        self.thresholds = list(np.atleast_1d(default if thresholds is None else thresholds).tolist())
        if thresholds is not None and not all(0 <= threshold <= 1 for threshold in self.thresholds):
            raise ValueError(f"{type(self).__name__}: `thresholds` must be in [0, 1]. Received: {thresholds!r}")
        self._order = np.argsort(self.thresholds)
        super().__init__(name, dtype, np.take(self.thresholds, self._order), top_k, class_id)

    def values(self):
        """One number for each of the ascending thresholds."""
        raise NotImplementedError

    def result(self):
        values = np.empty(len(self.thresholds))
        values[self._order] = self.values()
        return as_tensor(values[0] if len(values) == 1 else values)

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_AtThresholds):
    """How many positive targets are predicted as positive."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)

    def values(self):
        return self.true_positives


class TrueNegatives(_AtThresholds):
    """How many negative targets are predicted as negative."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)

    def values(self):
        return self.true_negatives


class FalsePositives(_AtThresholds):
    """How many negative targets are predicted as positive."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)

    def values(self):
        return self.false_positives


class FalseNegatives(_AtThresholds):
    """How many positive targets are predicted as negative."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)

    def values(self):
        return self.false_negatives


class Precision(_AtThresholds):
    """The share of positive predictions that are right: TP / (TP + FP)

    thresholds: one, or a list for as many results; 0.5 if it is left out, or none if top_k is given. top_k: only the
    k largest predictions of a row count as positive. class_id: the one column to look at.
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype, top_k, class_id)

    def values(self):
        return self.precisions()

    def get_config(self):
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


class Recall(_AtThresholds):
    """The share of positive targets that are found: TP / (TP + FN); the arguments are those of Precision."""

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype, top_k, class_id)

    def values(self):
        return self.recalls()

    def get_config(self):
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


class _BestWhere(_Counts):
    """The largest value of one share among those of num_thresholds thresholds where another is at least `least`."""

    wanted = None  # what the other share is called among the arguments

    def __init__(self, least, num_thresholds, class_id, name, dtype):
        kind = type(self).__name__
        if not 0 <= least <= 1:
            raise ValueError(f"{kind}: `{self.wanted}` must be in [0, 1]. Received: {least!r}")
        if num_thresholds <= 0:
            raise ValueError(f"{kind}: `num_thresholds` must be above 0. Received: {num_thresholds!r}")
        self.least, self.num_thresholds = least, num_thresholds
        self.thresholds = [0.5] if num_thresholds == 1 else np.linspace(0, 1, num_thresholds).tolist()
        super().__init__(name, dtype, self.thresholds, class_id=class_id)

    @staticmethod
    def best(values, where):
        return as_tensor(values[where].max(initial=0))

    def get_config(self):
        config = {"num_thresholds": self.num_thresholds, self.wanted: self.least, "class_id": self.class_id}
        return {**super().get_config(), **config}


class SensitivityAtSpecificity(_BestWhere):
    """The largest sensitivity, TP / (TP + FN), where the specificity, TN / (TN + FP), is at least `specificity`."""

    wanted = "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self):
        return self.best(self.recalls(), self.specificities() >= self.least)


class SpecificityAtSensitivity(_BestWhere):
    """The largest specificity, TN / (TN + FP), where the sensitivity, TP / (TP + FN), is at least `sensitivity`."""

    wanted = "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self):
        return self.best(self.specificities(), self.recalls() >= self.least)


class PrecisionAtRecall(_BestWhere):
    """The largest precision where the recall is at least `recall`."""

    wanted = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self):
        return self.best(self.precisions(), self.recalls() >= self.least)


class RecallAtPrecision(_BestWhere):
    """The largest recall where the precision is at least `precision`."""

    wanted = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self):
        return self.best(self.recalls(), self.precisions() >= self.least)


class AUC(_Counts):
    """The area under a curve that goes through one point for each threshold

    curve: "ROC" (the recall over the false positive rate), "PR" (the precision over the recall) or "PRGAIN" (their
    gains over always saying yes; P. Flach, M. Kull, "Precision-Recall-Gain Curves", NIPS 2015). summation_method:
    "interpolation" (of PR as in J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML
    2006), "minoring" or "majoring" (the lower or higher end of each step). thresholds: those between 0 and 1; else
    num_thresholds with 0 and 1, evenly. multi_label: the mean of the areas of all columns, weighted by label_weights;
    else these weigh the elements. from_logits: predictions are what a sigmoid would be applied to.
    """

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        if str(curve).upper() not in ("ROC", "PR", "PRGAIN"):
            raise ValueError(f"AUC: `curve` must be 'ROC', 'PR' or 'PRGAIN'. Received: {curve!r}")
        if str(summation_method).lower() not in ("interpolation", "majoring", "minoring"):
            raise ValueError(
                "AUC: `summation_method` must be 'interpolation', 'majoring' or 'minoring'. "
                f"Received: {summation_method!r}"
            )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(f"AUC: `num_thresholds` must be above 1. Received: {num_thresholds!r}")
        if num_labels and not multi_label:
            raise ValueError(f"AUC: `num_labels` is for multi_label=True only. Received: {num_labels!r}")
        self._given = None if thresholds is None else sorted(thresholds)
        inner = np.linspace(0, 1, num_thresholds)[1:-1].tolist() if thresholds is None else self._given
        self.num_thresholds = len(inner) + 2
        self.thresholds = [-_EPSILON, *inner, 1 + _EPSILON]
        self.curve, self.summation_method = str(curve).upper(), str(summation_method).lower()
        self.multi_label, self.num_labels, self.from_logits = bool(multi_label), num_labels, bool(from_logits)
        self.label_weights = label_weights
        super().__init__(name, dtype, self.thresholds, columns=num_labels or 1)
        if label_weights is not None and not multi_label:
            self._column_weights = np.asarray(label_weights, np.float32)

    def add(self, y_true, y_pred, weights):
        if self.from_logits:
            logits, y_pred = y_pred, np.empty_like(y_pred)
            activation_kernel.forward(y_pred, logits, activation_kernel.Activation("sigmoid"))
        if self.multi_label and self._columns != y_pred.shape[1]:
            self._columns = y_pred.shape[1]
            self.reset_state()
        super().add(y_true, y_pred, weights)

    def result(self):
        areas = self._areas().sum(axis=0)
        if not self.multi_label:
            return as_tensor(areas)
        return as_tensor(np.average(np.atleast_1d(areas), weights=self.label_weights))

    def _areas(self):
        """The areas between each two neighbours."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._between_precisions()
        if self.curve == "ROC":
            x, y = 1 - self.specificities(), self.recalls()
            x = np.where(self.true_negatives + self.false_positives == 0, 0.0, x)
        elif self.curve == "PR":
            x, y = self.recalls(), self.precisions()
        else:
            x, y = self._gains()
        low, high = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
        height = {"minoring": low, "majoring": high}.get(self.summation_method, (low + high) / 2)
        return (x[:-1] - x[1:]) * height

    def _gains(self):
        """Recall and precision gain: 1 - (P / N) FN / TP and 1 - (P / N) FP / TP"""
        tp, odds = self.true_positives, _divided(self._total(self._positive), self._total(self._negative))
        recall_gain = np.where(tp == 0, 0.0, 1 - odds * _divided(self.false_negatives, tp))
        return np.maximum(recall_gain, 0.0), np.where(tp == 0, 1.0, 1 - odds * _divided(self.false_positives, tp))

    def _between_precisions(self):
        """Between two points TP is linear in p = TP + FP, TP = a + s p; the integral of TP / p over TP is
        s (dTP + a log(p / p')), divided by the number of positive targets."""
        tp, p = self.true_positives, self.true_positives + self.false_positives
        slope = _divided(tp[:-1] - tp[1:], np.maximum(p[:-1] - p[1:], 0))
        start = tp[1:] - slope * p[1:]
        ratio = np.where((p[:-1] > 0) & (p[1:] > 0), _divided(p[:-1], p[1:]), 1.0)
        return _divided(slope * (tp[:-1] - tp[1:] + start * np.log(ratio)), (tp + self.false_negatives)[1:])

    def get_config(self):
        config = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._given is not None:
            config["thresholds"] = self._given
        return {**super().get_config(), **config}
