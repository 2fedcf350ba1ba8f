"""One step: a batch through the model, its loss and metrics, and in training the gradients and the update."""

import numpy as np

from fastkeras.training import data


class Meters:
    """The running values of an epoch: the loss, averaged over samples, and the metrics."""

    def __init__(self, compiled):
        self.compiled = compiled
        self.reset()

    def reset(self):
        self.loss_sum, self.samples = 0.0, 0
        for _, metric, _ in self.compiled.metrics or ():
            metric.reset_state()

    def add_loss(self, loss, samples):
        self.loss_sum += loss * samples
        self.samples += samples

    def logs(self):
        """{"loss": ..., metric: ...} so far."""
        logs = {"loss": self.loss_sum / self.samples if self.samples else 0.0}
        for key, metric, _ in self.compiled.metrics or ():
            logs[key] = float(metric.result())
        return logs


def row_weights(sample_weight, mask, shape):
    """One weight per row of the output's leading axes `shape`, flat float32, or None if all are 1.

    A mask keeps the mean over unmasked steps: its weights are scaled by steps / unmasked steps (as in Keras).
    """
    if mask is None and sample_weight is None:
        return None
    weights = np.ones(shape, np.float32) if mask is None else mask.astype(np.float32)
    if mask is not None:
        kept = weights.sum()
        weights *= weights.size / kept if kept else 0.0
    if sample_weight is not None:
        extra = (1,) * (len(shape) - sample_weight.ndim)
        weights = weights * sample_weight.reshape(sample_weight.shape + extra)
    return np.ascontiguousarray(np.broadcast_to(weights, shape), np.float32).reshape(-1)


def _score(compiled, walk, y_pred, mask, y, sample_weight, with_gradient):
    """The batch's loss, and its gradient with respect to what the pass gave; metrics are updated on the way."""
    loss, run = compiled.loss, walk.loss_run
    D = y_pred.shape[-1]
    flat = y_pred.reshape(-1, D)
    if mask is not None and mask.shape != y_pred.shape[:-1]:
        mask = None
    weights = row_weights(sample_weight, mask, y_pred.shape[:-1])
    dy = run.buffer("dy", flat.shape) if with_gradient else None
    probabilities = run.buffer("probabilities", flat.shape) if compiled.fuses else None
    scale = compiled.loss_weight / max(len(flat), 1)
    value = loss.compute(y, flat, weights, scale, dy, probabilities, compiled.fuses)
    predictions = flat if probabilities is None else probabilities
    if compiled.metrics:
        unweighted = weights if sample_weight is None else row_weights(None, mask, y_pred.shape[:-1])
        for _, metric, weighted in compiled.metrics:
            metric.update(y, predictions, weights if weighted else unweighted)
    return value, dy if dy is None else dy.reshape(y_pred.shape)


def train_step(model, walk, meters, xs, y, sample_weight):
    """Forward, loss, backward, update. The model's weights change only in the last line."""
    compiled = model.compiled
    (y_pred,), (mask,) = walk.forward(xs, training=True, logits=compiled.fuses)
    loss, dy = _score(compiled, walk, y_pred, mask, y, sample_weight, with_gradient=True)
    walk.backward([dy])
    loss += walk.penalty
    for variable in compiled.regularized:
        loss += variable.regularizer.value_and_gradient(variable.value, variable.grad)
    meters.add_loss(loss, len(xs[0]))
    compiled.optimizer.step()
    return loss


def test_step(model, walk, meters, xs, y, sample_weight):
    """Forward and loss."""
    compiled = model.compiled
    (y_pred,), (mask,) = walk.forward(xs, logits=compiled.fuses)
    loss, _ = _score(compiled, walk, y_pred, mask, y, sample_weight, with_gradient=False)
    loss += walk.penalty + sum(v.regularizer(v.value) for v in compiled.penalised)
    meters.add_loss(loss, len(xs[0]))
    return loss


def _one_batch(model, x, y, sample_weight, class_weight):
    compiled = model.require_compiled()
    batch = data.Arrays(model, x, y, sample_weight, class_weight, batch_size=None)
    compiled.bind(model)
    return next(iter(batch))


def _result(meters, return_dict):
    logs = meters.logs()
    if return_dict:
        return logs
    return list(logs.values()) if len(logs) > 1 else logs["loss"]


def train_on_batch(model, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
    """One update on one batch. Returns the loss, or [loss, metrics...], or a dict of them."""
    xs, y, weights = _one_batch(model, x, y, sample_weight, class_weight)
    meters = Meters(model.compiled)
    train_step(model, model.training_pass(), meters, xs, y, weights)
    return _result(meters, return_dict)


def test_on_batch(model, x, y=None, sample_weight=None, return_dict=False):
    """The loss, or [loss, metrics...], or a dict of them, of one batch."""
    xs, y, weights = _one_batch(model, x, y, sample_weight, None)
    meters = Meters(model.compiled)
    walk = model.take_pass()
    test_step(model, walk, meters, xs, y, weights)
    model.give_pass(walk)
    return _result(meters, return_dict)


def predict_on_batch(model, x):
    """The model's outputs for one batch, as numpy arrays."""
    xs = data.prepare_inputs(model, x)
    walk = model.take_pass()
    outputs, _ = walk.forward(xs)
    outputs = [y.copy() for y in outputs]
    model.give_pass(walk)
    return outputs[0] if len(outputs) == 1 else outputs
