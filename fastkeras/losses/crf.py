"""CRFLoss: the loss of a model that ends in a layers.CRF."""

import numpy as np

from fastkeras._kernels import crf as kernel
from fastkeras.core.targets import labels, like_predictions
from fastkeras.losses.loss import Loss


class CRFLoss(Loss):
    """-log p(tags | scores) of each sample, by the transitions of the CRF layer that the model ends in (src_c/crf.h).

    y_true: the tags (n, T), or one-hot (n, T, C); what stands at masked steps has no meaning. The loss is the mean over
    samples, and a sample whose every step is masked adds nothing to it; sample weights are one for each sample. It is
    what "crf", and the `loss` of the layer, mean.
    """

    fuses_with = "crf"
    of_rows, of_labels = False, True

    def __init__(self, reduction="sum_over_batch_size", name="crf", dtype=None):
        super().__init__(name, reduction, dtype)

    def prepare(self, y_true, y_pred_shape):
        if y_true.ndim == len(y_pred_shape) and y_true.shape[-1] == y_pred_shape[-1]:
            return like_predictions("Loss 'crf'", y_true, y_pred_shape)
        return labels("Loss 'crf'", y_true, y_pred_shape)

    def compute_whole(self, y_true, x, mask, weights, factor, dx, probabilities, left_out):
        if left_out is None:
            raise ValueError(f"Loss '{self.name}': the model must end in a CRF layer. Received: another one at its end")
        self._check_one_per_sample(weights)
        layer, nll = left_out.layer, np.empty(len(x), np.float32)
        w = self._factors(nll, weights, factor / max(len(x), 1))
        tags = y_true if y_true.ndim == 2 else y_true.argmax(axis=-1).astype(np.int32)
        variables = layer.transitions()
        # Those of a frozen layer are thrown away: another model may be training it.
        slopes = [
            None if dx is None or v is None else v.grad if left_out.trains else np.zeros_like(v.value)
            for v in variables
        ]
        values = [None if variable is None else variable.value for variable in variables]
        try:
            kernel.loss(nll, dx, *slopes, x, *values, tags, mask, w)
        except IndexError:
            raise ValueError(
                f"Loss '{self.name}': tags must lie in [0, {layer.units}), the units of layer '{layer.name}'. "
                f"Received: tags from {tags.min()} to {tags.max()}"
            ) from None
        if probabilities is not None:
            layer.decode(probabilities, x, mask)
        return float(w @ nll.astype(np.float64))
