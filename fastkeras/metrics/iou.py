"""Intersection over union of classes: TP / (TP + FP + FN), for segmentation."""

import numpy as np

from fastkeras.core.targets import row_weights
from fastkeras.core.tensor import as_tensor
from fastkeras.metrics.metric import Metric

_EPSILON = 1e-7
_INTEGERS = ("int", "int32", "int64")  # what Keras counts in


class IoU(Metric):
    """The mean over the classes target_class_ids of TP / (TP + FP + FN); classes that do not occur do not count

    Targets and predictions are the numbers of classes, of any shape, or one-hot along `axis` where sparse_y_true or
    sparse_y_pred is False (of predictions the largest counts). Rows whose target is ignore_class, and numbers outside
    [0, num_classes), are left out. Weights count as they are; Keras rounds them down.
    """

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(name, None if dtype in _INTEGERS else dtype)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"{type(self).__name__}: `target_class_ids` must be below {num_classes}. Received: {target_class_ids}"
            )
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.reset_state()

    def reset_state(self):
        self.confusion = np.zeros((self.num_classes, self.num_classes))  # [target, prediction]

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        y_true = y_true if self.sparse_y_true else y_true.argmax(self.axis)
        y_pred = y_pred if self.sparse_y_pred else y_pred.argmax(self.axis)
        if y_true.size != y_pred.size:
            raise ValueError(
                f"Metric '{self.name}': there must be as many targets as predictions. "
                f"Received: shapes {y_true.shape} and {y_pred.shape}"
            )
        weights = np.ones(y_pred.size)
        if sample_weight is not None:
            weights = row_weights(f"Metric '{self.name}'", sample_weight, y_pred.shape)
        t, p = y_true.reshape(-1).astype(np.int64), y_pred.reshape(-1).astype(np.int64)
        kept = (t >= 0) & (t < self.num_classes) & (p >= 0) & (p < self.num_classes)
        if self.ignore_class is not None:
            kept &= t != self.ignore_class
        np.add.at(self.confusion, (t[kept], p[kept]), weights[kept])

    def result(self):
        right = self.confusion.diagonal()[self.target_class_ids]
        union = (self.confusion.sum(0) + self.confusion.sum(1))[self.target_class_ids] - right
        found = union > 1e-9
        return as_tensor((right[found] / (union[found] + _EPSILON)).sum() / (found.sum() + _EPSILON))

    def get_config(self):
        return {
            "name": self.name,
            "dtype": "int64",
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names):
        return {name: value for name, value in IoU.get_config(self).items() if name not in names}


class BinaryIoU(IoU):
    """IoU of the classes 0 and 1; a prediction of at least `threshold` is class 1."""

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, np.asarray(y_pred, np.float32) >= self.threshold, sample_weight)

    def get_config(self):
        config = self._config_without("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**config, "threshold": self.threshold}


class MeanIoU(IoU):
    """IoU of all classes."""

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """IoU of one-hot targets."""

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """IoU of all classes, for one-hot targets."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("target_class_ids", "sparse_y_true")
