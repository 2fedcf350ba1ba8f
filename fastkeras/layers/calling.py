"""Layers of the user's own that define `call` with ops: how such a layer runs, forward and back, and what it makes of
shapes."""

import inspect

import numpy as np

from fastkeras.core.nest import flat
from fastkeras.core.rows import dense
from fastkeras.core.tape import recorded
from fastkeras.core.tensor import Tensor, Watchable, cast, tapes
from fastkeras.layers.inside import inside
from fastkeras.layers.recording import output_penalty


def eagerly(layer, inputs, training, mask):
    """layer.call on data, recorded by the tapes that record now, and the list of what it added to the loss."""
    before = tapes.training, tapes.losses
    tapes.training, tapes.losses = training, []
    try:
        y = run_call(layer, [_as_input(x, layer.input_dtype) for x in inputs], training, mask)
        if layer.activity_regularizer is not None:
            tapes.losses += [output_penalty(layer, part) for part in (y if _several(y) else [y])]
        return y, tapes.losses
    finally:
        tapes.training, tapes.losses = before


def _as_input(x, dtype):
    """A tensor of this type; what leads back is kept."""
    if isinstance(x, Tensor):
        return x if x.dtype == dtype else cast(x, dtype)
    return cast(x, dtype) if isinstance(x, Watchable) else np.asarray(x, dtype).view(Tensor)


def run_call(layer, inputs, training, mask):
    """layer.call on tensors, with what it takes of training and mask. A cell's (layers/rnn.py) is call(x, states)."""
    parameters = inspect.signature(layer.call).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    given = {"training": training, "mask": mask}
    told = {name: value for name, value in given.items() if name in parameters or (takes_all and value is not None)}
    if "states" in parameters:
        return layer.call(inputs[0], inputs[1:], **told)
    return layer.call(inputs if len(inputs) > 1 or layer.takes_list else inputs[0], **told)


def _several(y):
    return isinstance(y, (list, tuple))


def forward(layer, x, run):
    """What Layer.forward gives for a layer that defines `call`, recorded on a tape of its own."""
    several_inputs = type(x) is list
    given = [dense(item, run, f"input_{i}") for i, item in enumerate(x if several_inputs else [x])]
    arrays = [array for array, _ in given]
    mask = run.masks if several_inputs and run.masks else run.mask
    trained = [v for inner in inside(layer) if inner in run.trained for v in inner.own_trainable_variables]

    def call(*tensors):
        return run_call(layer, list(tensors), run.training, mask)

    before = tapes.losses, tapes.trained
    tapes.losses, tapes.trained = [], run.trained
    try:
        y, back = recorded(call, arrays, trained, run.training)
        losses = tapes.losses
    finally:
        tapes.losses, tapes.trained = before
    for loss in losses:
        run.add_loss(float(np.sum(loss)))
    parts = flat(y)
    outputs = [np.ascontiguousarray(part, np.float32) for part in parts]

    def backward(dy):
        dys = dy if _several(y) else [dy]
        targets = [(part, d) for part, d in zip(parts, dys, strict=True) if d is not None]
        for part, _ in targets:
            if not isinstance(part, Tensor):
                raise TypeError(
                    f"Layer '{layer.name}': `call` must compute with fastkeras.ops and return a tensor, or nothing can "
                    f"be trained through it. Received: {type(part).__name__}"
                )
        found = back(targets + [(loss, None) for loss in losses if isinstance(loss, Tensor)])
        for variable, gradient in zip(trained, found[len(arrays) :], strict=True):
            if gradient is not None:
                variable.grad += gradient
        if not run.wants_dx:
            return [None] * len(arrays) if several_inputs else None
        dxs = [
            undo(np.zeros_like(array) if d is None else np.array(d, np.float32, order="C"))
            for (array, undo), d in zip(given, found, strict=False)
        ]
        return dxs if several_inputs else dxs[0]

    return (outputs if _several(y) else outputs[0]), backward


def output_shape(layer, input_shape):
    """The shape of what `call` gives, found by calling it on zeros: twice, with different extents for each None; what
    differs is None."""
    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    before = tapes.recording, tapes.losses, tapes.training
    tapes.recording, tapes.training = (), False
    try:
        tried = [_shapes_with(layer, shapes, unknown) for unknown in (2, 3)]
    finally:
        tapes.recording, tapes.losses, tapes.training = before
    if isinstance(tried[0], list):
        return [_common(*pair) for pair in zip(*tried, strict=True)]
    return _common(*tried)


def _common(shape, other):
    return tuple(n if n == m else None for n, m in zip(shape, other, strict=True))


def _shapes_with(layer, shapes, unknown):
    tapes.losses = []
    zeros = [np.zeros([unknown if n is None else n for n in shape], layer.input_dtype).view(Tensor) for shape in shapes]
    with np.errstate(all="ignore"):  # of zeros divided by zeros
        y = run_call(layer, zeros, False, None)
    return [np.shape(part) for part in y] if _several(y) else np.shape(y)
