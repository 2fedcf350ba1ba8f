"""One step: a batch through the model, its loss and metrics, and in training the gradients and the update.

The makers below (train_step, test_step, predict_step) look up once what a loop needs at every batch, and return the
step itself as a function of (xs, y, weights), the batches that the sources of data.py give.
"""

import numpy as np

from fastkeras._kernels import activations as activation_kernel
from fastkeras.core.targets import row_weights


class Meters:
    """The running values of an epoch: the loss, averaged over samples, and the metrics; with several losses each of
    them, averaged over batches, as in Keras."""

    def __init__(self, compiled):
        self._metrics = compiled.metrics
        self._heads = compiled.losses_apart
        self.reset()

    def reset(self):
        self.loss_sum, self.samples, self.batches = 0.0, 0, 0
        self.sums = dict.fromkeys(self._heads, 0.0)
        for _, metric, _ in self._metrics:
            metric.reset_state()

    def logs(self):
        """{"loss": ..., the loss of each output: ..., metric: ...} so far."""
        logs = {"loss": self.loss_sum / self.samples if self.samples else 0.0}
        for head, total in self.sums.items():
            logs[head.loss_key] = total / self.batches if self.batches else 0.0
        for key, metric, _ in self._metrics:
            value = metric.result()
            several = type(value) is np.ndarray and value.ndim > 0  # one for each class, or each threshold
            logs[key] = value if several else float(value)
        return logs


def result(values, return_dict):
    """What evaluate and the functions on one batch return."""
    if return_dict:
        return values
    return list(values.values()) if len(values) > 1 else values["loss"]


def _scorer(compiled, run, meters, with_gradient):
    """score(outputs, masks, ys, weights) -> (loss, the gradients of the outputs) of a batch, each list in the order of
    the outputs; it updates the metrics too. A gradient is None if the loss does not depend on the output."""
    scorers = [_head_scorer(head, run, f"{i}", with_gradient) for i, head in enumerate(compiled.heads)]
    if len(scorers) == 1:
        only, weight = scorers[0], compiled.heads[0].weight

        def score_one(outputs, masks, ys, weights):
            loss, dy = only(outputs[0], masks[0], ys[0], weights[0])
            return weight * loss, (dy,)

        return score_one

    def score(outputs, masks, ys, weights):
        total, gradients = 0.0, []
        for head, scorer, *batch in zip(compiled.heads, scorers, outputs, masks, ys, weights, strict=True):
            loss, dy = scorer(*batch)
            total += head.weight * loss
            gradients.append(dy)
            if head in meters.sums:
                meters.sums[head] += loss
        meters.batches += 1
        return total, gradients

    return score


def _head_scorer(head, run, name, with_gradient):
    """score(y_pred, mask, y, sample_weight) -> (loss, head.weight times its gradient or None) of an output.

    y_pred: what the pass gave, (n, ..., D), with mask (n, ...) or None; sample_weight: (n,), (n, ...) or None.
    The loss is the mean over rows; where a mask leaves rows out, over those that it keeps, and so are the metrics.
    """
    loss, left_out, factor = head.loss, head.left_out, head.weight
    averages = loss is not None and loss.reduction in ("sum_over_batch_size", "mean")
    updates = [(metric.update, weighted) for _, metric, weighted in head.metrics or ()]
    fuses = left_out is not None
    # The loss gives the probabilities that metrics want on its way, if the activation left out is its own.
    wants_probabilities = fuses and len(updates) > 0
    loss_gives_them = fuses and left_out.name == loss.fuses_with
    wants_gradient = with_gradient and loss is not None and factor != 0.0
    if factor == 0.0:
        factor = 1.0  # the loss is reported, but nothing learns from it
    dy_name, probabilities_name = f"dy_{name}", f"probabilities_{name}"

    def score(y_pred, mask, y, sample_weight):
        rows = y_pred if y_pred.ndim == 2 else y_pred.reshape(-1, y_pred.shape[-1])
        if mask is not None and mask.shape != y_pred.shape[:-1]:
            mask = None  # of an axis that the output no longer has
        weights = kept = None
        scale = factor / max(len(rows), 1)
        if mask is not None:
            weights = kept = mask.reshape(-1).astype(np.float32)
            if averages:
                scale = factor / max(np.count_nonzero(mask), 1)
        if sample_weight is not None:
            weights = row_weights("fit", sample_weight, y_pred.shape[:-1])
            if kept is not None:
                weights = weights * kept
        dy = run.buffer(dy_name, rows.shape) if wants_gradient else None
        probabilities = run.buffer(probabilities_name, rows.shape) if wants_probabilities else None
        value = 0.0
        if loss is not None and loss.of_sequences:
            whole = [None if part is None else part.reshape(y_pred.shape) for part in (dy, probabilities)]
            value = loss.compute_sequences(y, y_pred, mask, sample_weight, factor, *whole, left_out)
        elif loss is not None:
            value = loss.compute(y, rows, weights, scale, dy, probabilities if loss_gives_them else None, fuses)
        if wants_probabilities and not loss_gives_them:
            activation_kernel.forward(probabilities, rows, left_out.kernel)
        predictions = rows if probabilities is None else probabilities
        for update, weighted in updates:
            update(y, predictions, weights if weighted else kept)
        return value / factor, dy if dy is None or rows is y_pred else dy.reshape(y_pred.shape)

    return score


def train_step(model, meters):
    """step(xs, ys, weights): forward, loss, backward, update.

    The weights change in the update alone. A step that fails before it leaves no trace: the gradients are cleared, and
    the buffers of the pass, which may be half filled, are given up.
    """
    compiled = model.compiled
    walk, update = model.training_pass(), compiled.require_optimizer(model).step
    forward, backward = walk.forward, walk.backward
    regularized, logits = compiled.regularized, compiled.logits
    score = _scorer(compiled, walk.loss_run, meters, with_gradient=True)

    def step(xs, ys, weights):
        try:
            outputs, masks = forward(xs, True, None, logits)
            loss, gradients = score(outputs, masks, ys, weights)
            backward(gradients)
            loss += walk.penalty
            for variable in regularized:
                loss += variable.regularizer.value_and_gradient(variable.value, variable.grad)
        except BaseException:
            compiled.clear_gradients()
            model.drop_training_pass()
            raise
        update()
        samples = len(xs[0])
        meters.loss_sum += loss * samples
        meters.samples += samples

    return step


def test_step(model, walk, meters):
    """step(xs, ys, weights): forward and loss; `walk` is the pass to use."""
    compiled = model.compiled
    forward, regularized, logits = walk.forward, compiled.regularized, compiled.logits
    score = _scorer(compiled, walk.loss_run, meters, with_gradient=False)

    def step(xs, ys, weights):
        outputs, masks = forward(xs, False, None, logits)
        loss, _ = score(outputs, masks, ys, weights)
        loss += walk.penalty + sum(v.regularizer(v.value) for v in regularized)
        samples = len(xs[0])
        meters.loss_sum += loss * samples
        meters.samples += samples

    return step


def predict_step(walk, outputs):
    """step(xs, ys, weights): forward; a list of copies of what the model gives is appended to `outputs`."""

    def step(xs, ys, weights):
        given, _ = walk.forward(xs)
        outputs.append([y.copy() for y in given])

    return step
