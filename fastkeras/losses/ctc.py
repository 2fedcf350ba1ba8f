"""CTC: labels in order, of which nobody says at which steps they are."""

import numpy as np

from fastkeras._kernels import ctc as kernel
from fastkeras.core.targets import labels
from fastkeras.losses.loss import Loss


class CTC(Loss):
    """-log p(labels | y_pred) of each sample: of all the ways to spread its labels over the steps (src_c/ctc.h).

    y_pred (n, T, C): what a softmax would be applied to, class 0 being the blank. y_true (n, L): labels from 1 on, with
    zeros behind them. The loss is the mean over samples; sample weights are one for each. A mask of y_pred says how
    many of its steps count, and must keep those before it leaves any out. A. Graves et al., "Connectionist Temporal
    Classification", ICML 2006.
    """

    of_rows, of_labels = False, True

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(name, reduction, dtype)

    def prepare(self, y_true, y_pred_shape):
        who = f"Loss '{self.name}'"
        if y_true.ndim != 2 or len(y_pred_shape) != 3:
            raise ValueError(
                f"{who}: expected targets of shape (samples, labels) and predictions of shape (samples, steps, "
                f"classes). Received: shapes {y_true.shape} and {tuple(y_pred_shape)}"
            )
        y_true = labels(who, y_true, (None, None, y_pred_shape[-1]))
        count = np.count_nonzero(y_true, axis=1)
        behind = (y_true != 0) & (np.arange(y_true.shape[1]) >= count[:, None])
        if behind.any():
            raise ValueError(
                f"{who}: 0 is the blank, and may stand only behind the labels of a sample, which count from 1 on. "
                f"Received: {y_true[behind.any(axis=1)][0]}"
            )
        return y_true

    def _as_rows_of(self, y_pred):
        return y_pred, y_pred.shape[:1]  # a value is one of a whole sample

    def _evaluate(self, y_true, x):
        def gradient(factors):
            dx = np.empty_like(x)
            self._values(y_true, x, None, dx, np.ascontiguousarray(factors))
            return dx

        return self._values(y_true, x, None, None, None), gradient

    def compute_whole(self, y_true, x, mask, weights, factor, dx, probabilities, left_out):
        self._check_one_per_sample(weights)
        w = self._factors(x, weights, factor / max(1, len(x)))
        return float(w @ self._values(y_true, x, mask, dx, w).astype(np.float64))

    def _values(self, y_true, x, mask, dx, w):
        """-log p of each sample, and in dx, if it is not None, the gradient of the sum of w times them."""
        n, T = x.shape[:2]
        count, steps = np.count_nonzero(y_true, axis=1), np.full(n, T)
        if mask is not None:
            steps = np.count_nonzero(mask, axis=1)
            if not np.array_equal(mask, np.arange(T) < steps[:, None]):
                raise ValueError(f"Loss '{self.name}': the mask must leave out steps at the end only. Received: {mask}")
        values = np.empty(n, np.float32)
        try:
            kernel.loss(values, dx, x, y_true, count.astype(np.int32), steps.astype(np.int32), w)
        except IndexError:
            raise ValueError(
                f"Loss '{self.name}': labels must lie in [1, {x.shape[2]}), one of the classes but the blank. "
                f"Received: labels from {y_true.min()} to {y_true.max()}"
            ) from None
        needed = count + ((y_true[:, 1:] == y_true[:, :-1]) & (y_true[:, 1:] != 0)).sum(axis=1)
        if (needed > steps).any():
            b = (needed > steps).argmax()
            raise ValueError(
                f"Loss '{self.name}': the {count[b]} labels of sample {b} need {needed[b]} steps (a blank must stand "
                f"between equal ones). Received: predictions of {steps[b]} steps"
            )
        return values


def ctc(y_true, y_pred):
    """As CTC: y_true (n, L) labels, y_pred (n, T, C) -> (n)"""
    return CTC().call(y_true, y_pred)
