"""train_on_batch, test_on_batch and predict_on_batch: one step, without a loop around it."""

from fastkeras.training import own
from fastkeras.training.interrupt import Interrupt
from fastkeras.training.prepare import prepare, prepare_inputs
from fastkeras.training.step import Predictions, meters_of, predict_step, result, test_step, train_step


def _batch(model, mode, x, y, sample_weight, class_weight=None):
    """The batch as the step of this mode takes it."""
    if own.replaces(model, mode):
        model.require_compiled()
        form = own.Form(x, y, sample_weight, class_weight)
        return form.batch(*form.arrays)
    return prepare(model, x, y, sample_weight, class_weight)


def _meters(model, mode, reset_metrics):
    """The meters of the last call, set back to nothing if `reset_metrics`."""
    running, kind = model.compiled.running, own.replaces(model, mode)
    if kind not in running:
        running[kind] = meters_of(model, mode)
    elif reset_metrics:
        running[kind].reset()
    return running[kind]


def train_on_batch(model, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False):
    """One update on one batch. Returns the loss, or [loss, metric, ...], or with return_dict a dict of them.

    x, y, sample_weight, class_weight: as in fit. reset_metrics: False to go on averaging from the last call.
    """
    batch = _batch(model, "train", x, y, sample_weight, class_weight)
    meters = _meters(model, "train", reset_metrics)
    with Interrupt() as interrupt:
        interrupt.protect(train_step(model, meters))(*batch)
    return result(meters.logs(), return_dict)


def test_on_batch(model, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
    """The loss, or [loss, metric, ...], or a dict of them, of one batch; the arguments are those of train_on_batch."""
    batch = _batch(model, "test", x, y, sample_weight)
    meters = _meters(model, "test", reset_metrics)
    with test_step(model, meters) as step:
        step(*batch)
    return result(meters.logs(), return_dict)


def predict_on_batch(model, x):
    """The model's outputs for one batch, as a numpy array; a list or dict of them if there are several."""
    batch = own.batch((x,)) if own.replaces(model, "predict") else (prepare_inputs(model, x), (), ())
    predictions = Predictions(model)
    with predict_step(model, predictions) as step:
        step(*batch)
    return predictions.last()
