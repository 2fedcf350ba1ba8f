"""What layers add to the loss: the penalties of regularizers on weights and on outputs."""

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.tensor import Tensor, Whole, as_tensor, source_of


def with_penalty(layer, y, backward, run):
    """(y, backward) with the penalty of activity_regularizer on the layer's outputs, per sample.

    Its value goes to run.add_loss, its gradient is added to what comes back.
    """
    outputs, undo = [], []
    for i, part in enumerate(y if isinstance(y, list) else [y]):
        part, back = dense(part, run, f"penalised_{i}")
        number, slope = _per_sample(layer.activity_regularizer, part)
        run.add_loss(number)
        outputs.append(part)
        undo.append(lambda dy, back=back, slope=slope: back(slope if dy is None else dy + slope))
    if isinstance(y, list):
        return outputs, lambda dys: backward([f(dy) for f, dy in zip(undo, dys, strict=True)])
    return outputs[0], lambda dy: backward(undo[0](dy))


def _per_sample(regularizer, y):
    """(its penalty on y, the gradient of that), both divided by the number of samples."""
    slope, samples = np.zeros_like(y), max(len(y), 1)
    number = regularizer.value_and_gradient(y, slope) / samples
    slope /= samples
    return number, slope


def of_weight(variable):
    """What a variable's regularizer adds to the loss, as a tensor."""

    def gradients(ds):
        slope = np.zeros_like(variable.value)
        variable.regularizer.value_and_gradient(variable.value, slope)
        return [ds[0] * slope]

    return _number(variable.regularizer(variable.value), variable, gradients)


def of_output(layer, y):
    """What the layer's activity_regularizer adds to the loss for an output, per sample, as a tensor."""
    number, slope = _per_sample(layer.activity_regularizer, np.asarray(y))
    return _number(number, y, lambda ds: [ds[0] * slope])


def _number(number, x, gradients):
    """What a regularizer has made of x, as a tensor."""
    tensor = as_tensor(np.float32(number))
    if source_of(x) is not None:
        Whole([source_of(x)], gradients, [tensor], "a regularizer")
    return tensor


def numbers(values):
    """What layers have added to the loss, as tensors. The gradients of plain numbers come back with the layers' own."""
    return [v if isinstance(v, Tensor) else np.asarray(v, np.float32).view(Tensor) for v in values]
