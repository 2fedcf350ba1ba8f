"""Circle: embeddings of one class near each other, those of different classes apart."""

import numpy as np

from fastkeras._kernels.gemm import gemm
from fastkeras.core.targets import labels
from fastkeras.losses.loss import Loss


class Circle(Loss):
    """log(1 + sum over pairs of a class of exp(a_ij) sum over pairs of two of exp(b_ij)) of each sample i, where

        a = gamma (d + margin) (d - margin)    b = gamma max(1 + margin - d, 0) (1 - margin - d)

    with the distance d_ij = max(1 - y_i . y_j, 0) to each sample j of the batch. y_pred (n, D): embeddings of length
    one (layers.UnitNormalization); y_true (n): integers. remove_diagonal: whether a sample makes no pair with itself.
    Samples with a loss of 0 do not count in the mean over samples. Y. Sun et al., "Circle Loss: A Unified Perspective
    of Pair Similarity Optimization", CVPR 2020.
    """

    of_labels = True
    reference_labels = reference_embeddings = None  # what to make pairs with instead of the batch itself

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name="circle",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.gamma, self.margin, self.remove_diagonal = gamma, margin, remove_diagonal

    def prepare(self, y_true, y_pred_shape):
        return labels(f"Loss '{self.name}'", y_true, y_pred_shape)

    def _evaluate(self, y_true, y_pred):
        y, r = y_pred, y_pred if self.reference_embeddings is None else self.reference_embeddings
        r_true = y_true if self.reference_labels is None else self.reference_labels
        same = y_true.reshape(-1, 1) == r_true.reshape(1, -1)
        other = ~same
        if self.remove_diagonal:
            np.fill_diagonal(same, False)
        d = np.empty(same.shape, np.float32)
        gemm(d, y, r, trans_b=True)
        inside = d <= 1  # where d below is not cut off
        np.maximum(1 - d, 0, out=d)

        gamma, m = np.float32(self.gamma), np.float32(self.margin)
        reach = np.maximum(1 + m - d, 0)
        a, p = _log_sum_exp(gamma * (d + m) * (d - m), same)
        b, q = _log_sum_exp(gamma * reach * (1 - m - d), other)
        values = np.logaddexp(np.float32(0), a + b)

        def gradient(factor):
            # dvalue/da = dvalue/db = sigmoid(a + b)    da/dd = p gamma 2 d    db/dd = q gamma (2 d - 2)
            slope = np.exp(a + b - values)[:, None] * 2 * gamma * (p * d + q * (d - 1) * (reach > 0))
            dd = np.where(inside, -slope * factor[:, None], 0).astype(np.float32)  # of y . r
            dy = np.empty_like(y)
            gemm(dy, dd, r)
            if r is y:
                gemm(dy, dd, y, trans_a=True, accumulate=True)
            return dy

        return values, gradient

    def _factors(self, values, weights, scale):
        counts = (values > 0).astype(np.float32)
        if self.reduction in ("sum_over_batch_size", "mean"):
            scale *= len(counts) / max(1, np.count_nonzero(counts))
        return super()._factors(values, counts if weights is None else counts * weights, scale)

    def get_config(self):
        config = {"gamma": self.gamma, "margin": self.margin, "remove_diagonal": self.remove_diagonal}
        return {**super().get_config(), **config}


def _log_sum_exp(x, counts):
    """log of the sum of exp(x) over what counts in each row, -inf if nothing does: (n), and its slopes, like x."""
    x = np.where(counts, x, -np.inf)
    largest = x.max(axis=1, keepdims=True, initial=np.finfo(np.float32).min)
    e = np.exp(x - largest)
    total = e.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return (largest + np.log(total))[:, 0], e / np.maximum(total, 1)


def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """As Circle: y_true (n), y_pred (n, D) -> (n); pairs are made with ref_embeddings (m, D) of ref_labels (m), if they
    are given, which count as constants."""
    loss = Circle(gamma, margin, remove_diagonal)
    if ref_labels is not None:
        loss.reference_labels = np.asarray(ref_labels, np.int32)
    if ref_embeddings is not None:
        loss.reference_embeddings = np.ascontiguousarray(ref_embeddings, np.float32)
    return loss.call(y_true, y_pred)
