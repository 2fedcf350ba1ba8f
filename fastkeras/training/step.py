"""One step: a batch through the model, its loss and metrics, and in training the gradients and the update.

The makers below (train_step, test_step, predict_step) look up once what a loop needs at every batch, and give the
step itself as a function of (xs, ys, weights), the batches that the sources of data.py give. A model that defines its
steps itself is asked for them (own.py).
"""

from contextlib import nullcontext

import numpy as np

from fastkeras._kernels import activations as activation_kernel
from fastkeras.core.targets import row_weights
from fastkeras.training import own


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
            logs[key] = own.number(metric.result())
        return logs


def meters_of(model, mode):
    """The meters of a model's steps in this mode, "train" or "test"."""
    return own.OwnMeters(model) if own.replaces(model, mode) else Meters(model.compiled)


def result(values, return_dict):
    """What evaluate and the functions on one batch return."""
    if return_dict:
        return values
    return list(values.values()) if len(values) != 1 else next(iter(values.values()))


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
    updates = [(metric, weighted) for _, metric, weighted in head.metrics or ()]
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
        if loss is not None and loss.is_whole(y_pred.ndim):
            whole = [None if part is None else part.reshape(y_pred.shape) for part in (dy, probabilities)]
            value = loss.compute_whole(y, y_pred, mask, sample_weight, factor, *whole, left_out)
        elif loss is not None:
            value = loss.compute(y, rows, weights, scale, dy, probabilities if loss_gives_them else None, fuses)
        if wants_probabilities and not loss_gives_them:
            activation_kernel.forward(probabilities, rows, left_out.kernel)
        predictions = rows if probabilities is None else probabilities
        for metric, weighted in updates:
            counted = weights if weighted else kept
            if y_pred.ndim == 2 or metric.of_rows:
                metric.update(y, predictions, counted)
            else:
                counted = None if counted is None else counted.reshape(y_pred.shape[:-1])
                metric.update(y, predictions.reshape(y_pred.shape), counted)
        return value / factor, dy if dy is None or rows is y_pred else dy.reshape(y_pred.shape)

    return score


def train_step(model, meters):
    """step(xs, ys, weights): forward, loss, backward, update.

    The weights change in the update alone. A step that fails before it leaves no trace: the gradients are cleared, and
    the buffers of the pass, which may be half filled, are given up.
    """
    if own.replaces(model, "train"):
        return own.run(model, "train", meters)
    compiled = model.compiled
    walk = model.training_pass()
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
        compiled.optimizer_of(model).step()
        walk.forget()
        samples = len(xs[0])
        meters.loss_sum += loss * samples
        meters.samples += samples

    return step


class _Lent:
    """Within it there is the step, in a pass that the model has lent. It is given back at the end, but not after an
    error, which may have left its buffers half filled."""

    def __init__(self, model, walk, step):
        self._model, self._walk, self._step = model, walk, step

    def __enter__(self):
        return self._step

    def __exit__(self, error, *rest):
        if error is None:
            self._model.give_pass(self._walk)


def test_step(model, meters, same_weights=None):
    """Within it there is step(xs, ys, weights): forward and loss. same_weights: as for Pass.expect_same_weights."""
    if own.replaces(model, "test"):
        return nullcontext(own.run(model, "test", meters))
    compiled, walk = model.compiled, model.take_pass()
    walk.expect_same_weights(same_weights)
    forward, regularized, logits = walk.forward, compiled.regularized, compiled.logits
    score = _scorer(compiled, walk.loss_run, meters, with_gradient=False)

    def step(xs, ys, weights):
        outputs, masks = forward(xs, False, None, logits)
        loss, _ = score(outputs, masks, ys, weights)
        loss += walk.penalty + sum([float(v.regularizer(v.value)) for v in regularized])
        samples = len(xs[0])
        meters.loss_sum += loss * samples
        meters.samples += samples

    return _Lent(model, walk, step)


class Predictions:
    """What a model gives for the batches of predict.

    batches: for each the list of its outputs. as_given: the outputs in the form that the model gives them in, from such
    a list.
    """

    def __init__(self, model):
        self.batches, self.as_given = [], model.as_outputs

    def last(self):
        return self.as_given(self.batches[-1])

    def whole(self):
        if len(self.batches) == 1:
            return self.last()
        return self.as_given([np.concatenate(parts) for parts in zip(*self.batches, strict=True)])


def predict_step(model, predictions, same_weights=None):
    """Within it there is step(xs, ys, weights): forward; copies of what the model gives are added to `predictions`.
    same_weights: as for Pass.expect_same_weights."""
    if own.replaces(model, "predict"):
        return nullcontext(own.run_predict(model, predictions))
    walk = model.take_pass()
    walk.expect_same_weights(same_weights)

    def step(xs, ys, weights):
        given, _ = walk.forward(xs)
        predictions.batches.append([y.copy() for y in given])

    return _Lent(model, walk, step)
