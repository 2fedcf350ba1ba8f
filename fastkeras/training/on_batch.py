"""train_on_batch, test_on_batch and predict_on_batch: one step, without a loop around it."""

from fastkeras.training.interrupt import Interrupt
from fastkeras.training.prepare import prepare, prepare_inputs
from fastkeras.training.step import Meters, predict_step, result, test_step, train_step


def _meters(compiled, reset_metrics):
    """The meters of the last call, set back to nothing if `reset_metrics`."""
    if compiled.running is None:
        compiled.running = Meters(compiled)
    elif reset_metrics:
        compiled.running.reset()
    return compiled.running


def train_on_batch(model, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False):
    """One update on one batch. Returns the loss, or [loss, metric, ...], or a dict of them.

    reset_metrics: False to go on averaging from the last call.
    """
    batch = prepare(model, x, y, sample_weight, class_weight)
    meters = _meters(model.compiled, reset_metrics)
    with Interrupt() as interrupt:
        interrupt.protect(train_step(model, meters))(*batch)
    return result(meters.logs(), return_dict)


def test_on_batch(model, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
    """The loss, or [loss, metric, ...], or a dict of them, of one batch; reset_metrics as in train_on_batch."""
    batch = prepare(model, x, y, sample_weight)
    meters, walk = _meters(model.compiled, reset_metrics), model.take_pass()
    test_step(model, walk, meters)(*batch)
    model.give_pass(walk)
    return result(meters.logs(), return_dict)


def predict_on_batch(model, x):
    """The model's outputs for one batch, as a numpy array; a list or dict of them if there are several."""
    xs = prepare_inputs(model, x)
    walk, outputs = model.take_pass(), []
    predict_step(walk, outputs)(xs, (), ())
    model.give_pass(walk)
    return model.as_outputs(outputs[0])
