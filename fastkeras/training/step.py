"""One step: a batch through the model, its loss and metrics, and in training the gradients and the update.

The makers below (train_step, test_step, predict_step) look up once what a loop needs at every batch, and return the
step itself as a function of (xs, y, weights), the batches that the sources of data.py give.
"""

import numpy as np

from fastkeras._kernels import activations as activation_kernel
from fastkeras.core.targets import row_weights


class Meters:
    """The running values of an epoch: the loss, averaged over samples, and the metrics."""

    def __init__(self, compiled):
        self._metrics = compiled.metrics
        self.reset()

    def reset(self):
        self.loss_sum, self.samples = 0.0, 0
        for _, metric, _ in self._metrics:
            metric.reset_state()

    def logs(self):
        """{"loss": ..., metric: ...} so far."""
        logs = {"loss": self.loss_sum / self.samples if self.samples else 0.0}
        for key, metric, _ in self._metrics:
            logs[key] = float(metric.result())
        return logs


def result(values, return_dict):
    """What evaluate and the functions on one batch return."""
    if return_dict:
        return values
    return list(values.values()) if len(values) > 1 else values["loss"]


def _scorer(compiled, run, with_gradient):
    """score(y_pred, mask, y, sample_weight) -> (loss, its gradient or None) of a batch; it updates the metrics too.

    y_pred: what the pass gave, (n, ..., D), with mask (n, ...) or None; sample_weight: (n,), (n, ...) or None.
    The loss is the mean over rows; where a mask leaves rows out, over those that it keeps, and so are the metrics.
    """
    compute, fuses, loss_weight = compiled.loss.compute, compiled.fuses, compiled.loss_weight
    averages = compiled.loss.reduction in ("sum_over_batch_size", "mean")
    updates = [(metric.update, weighted) for _, metric, weighted in compiled.metrics]
    # The loss gives the probabilities that metrics want on its way, if the activation left out is its own.
    wants_probabilities = fuses and len(updates) > 0
    loss_gives_them = fuses and compiled.left_out.name == compiled.loss.fuses_with

    def score(y_pred, mask, y, sample_weight):
        rows = y_pred if y_pred.ndim == 2 else y_pred.reshape(-1, y_pred.shape[-1])
        if mask is not None and mask.shape != y_pred.shape[:-1]:
            mask = None  # of an axis that the output no longer has
        weights = kept = None
        scale = loss_weight / max(len(rows), 1)
        if mask is not None:
            weights = kept = mask.reshape(-1).astype(np.float32)
            if averages:
                scale = loss_weight / max(np.count_nonzero(mask), 1)
        if sample_weight is not None:
            weights = row_weights("fit", sample_weight, y_pred.shape[:-1])
            if kept is not None:
                weights = weights * kept
        dy = run.buffer("dy", rows.shape) if with_gradient else None
        probabilities = run.buffer("probabilities", rows.shape) if wants_probabilities else None
        loss = compute(y, rows, weights, scale, dy, probabilities if loss_gives_them else None, fuses)
        if wants_probabilities and not loss_gives_them:
            activation_kernel.forward(probabilities, rows, compiled.left_out.kernel)
        predictions = rows if probabilities is None else probabilities
        for update, weighted in updates:
            update(y, predictions, weights if weighted else kept)
        return loss, dy if dy is None or rows is y_pred else dy.reshape(y_pred.shape)

    return score


def train_step(model, meters):
    """step(xs, y, weights): forward, loss, backward, update.

    The weights change in the update alone. A step that fails before it leaves no trace: the gradients are cleared, and
    the buffers of the pass, which may be half filled, are given up.
    """
    compiled = model.compiled
    walk, update = model.training_pass(), compiled.require_optimizer(model).step
    forward, backward = walk.forward, walk.backward
    regularized, fuses = compiled.regularized, compiled.fuses
    score = _scorer(compiled, walk.loss_run, with_gradient=True)

    def step(xs, y, weights):
        try:
            (y_pred,), (mask,) = forward(xs, True, None, fuses)
            loss, dy = score(y_pred, mask, y, weights)
            backward((dy,))
            loss += walk.penalty
            for variable in regularized:
                loss += variable.regularizer.value_and_gradient(variable.value, variable.grad)
        except BaseException:
            compiled.clear_gradients()
            model.drop_training_pass()
            raise
        update()
        samples = len(y_pred)
        meters.loss_sum += loss * samples
        meters.samples += samples

    return step


def test_step(model, walk, meters):
    """step(xs, y, weights): forward and loss; `walk` is the pass to use."""
    compiled = model.compiled
    forward, regularized, fuses = walk.forward, compiled.regularized, compiled.fuses
    score = _scorer(compiled, walk.loss_run, with_gradient=False)

    def step(xs, y, weights):
        (y_pred,), (mask,) = forward(xs, False, None, fuses)
        loss, _ = score(y_pred, mask, y, weights)
        loss += walk.penalty + sum(v.regularizer(v.value) for v in regularized)
        samples = len(y_pred)
        meters.loss_sum += loss * samples
        meters.samples += samples

    return step


def predict_step(walk, outputs):
    """step(xs, y, weights): forward; a list of copies of what the model gives is appended to `outputs`."""

    def step(xs, y, weights):
        given, _ = walk.forward(xs)
        outputs.append([y.copy() for y in given])

    return step
