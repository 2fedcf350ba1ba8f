"""Preparing: what people pass as x, y and sample_weight, as the arrays that a step takes.

Whatever cannot be trained on is refused here, before the first step, with the name of the argument, what was
expected, and what came.
"""

import math

import numpy as np

from fastkeras.core.tensor import as_input
from fastkeras.layers.inside import inside
from fastkeras.training import advice
from fastkeras.training.heads import by_output
from fastkeras.utils.arrays import brief, to_array
from fastkeras.utils.messages import message


def prepare(model, x, y=None, sample_weight=None, class_weight=None):
    """(xs, ys, weights) for training and evaluation; builds the model if it was waiting for a shape, and binds
    what was compiled to it.

    xs: one C-contiguous array per input, float32 or int32 ids. Per output, ys: the targets as the loss wants them, or
    None if nothing does; weights: float32 of shape (n,) or (n, steps), or None.
    """
    compiled = model.require_compiled()
    if not compiled.has_loss and not (model.graph and model.graph.loss_slots):
        raise ValueError(message("no_loss"))
    xs = prepare_inputs(model, x)
    for array in xs:
        refuse_nan("x", array)
    compiled.bind(model)
    n = len(xs[0])
    heads = compiled.heads
    names = [head.name for head in heads]
    if class_weight is not None and len(heads) > 1:
        raise ValueError(
            f"`class_weight` is for a model with one output; give a `sample_weight` for each. Received: outputs {names}"
        )
    if class_weight is not None and sample_weight is not None:
        raise ValueError(message("two_weights"))
    targets = targets_by_output(y, heads, names, n)
    weights = [sample_weight] if len(heads) == 1 else by_output("`sample_weight`", sample_weight, names)
    if not compiled.advised:
        advice.look_at_outputs(heads, model.outputs)
    is_known = _is_known(model.inputs, xs)
    prepared = [
        _prepare_output(head, tensor, n, is_known, target, weight, class_weight)
        for head, tensor, target, weight in zip(heads, model.outputs, targets, weights, strict=True)
    ]
    targets = [target for target, _ in prepared]
    if not compiled.advised:
        advice.look_at_targets(heads, model.outputs, targets)
        compiled.advised = True
    return xs, targets, [weight for _, weight in prepared]


def targets_by_output(y, heads, names, n):
    """What is given as targets of each output: y itself for one output; else by name or in order, where those that
    nothing is compared with may be left out."""
    if y is None:
        if any(head.wants_targets for head in heads):
            raise ValueError(message("y_missing"))
        return [None] * len(heads)
    if len(heads) == 1:
        if isinstance(y, dict):
            return by_output("`y`", y, names)
        return [y[0] if isinstance(y, (list, tuple)) and len(y) == 1 and n > 1 else y]  # a list of outputs
    wanted = [name for head, name in zip(heads, names, strict=True) if head.wants_targets]
    if isinstance(y, (list, tuple)) and len(y) == len(wanted) < len(names):
        y = dict(zip(wanted, y, strict=True))
    elif not isinstance(y, (list, tuple, dict)):
        if len(wanted) != 1:
            raise ValueError(f"`y` must be a list or a dict with the targets of {names}. Received: {brief(y)}")
        y = {wanted[0]: y}
    targets = by_output("`y`", y, names)
    missing = [name for name, target in zip(names, targets, strict=True) if name in wanted and target is None]
    if missing:
        raise ValueError(message("targets_missing", missing=missing, received=brief(y)))
    return targets


def _is_known(tensors, xs):
    """Whether the outputs have the shapes that the graph tells: not if its inputs have other steps than were seen."""
    for tensor, x in zip(tensors, xs, strict=True):
        if not tensor.declared and tensor.shape[1:] != x.shape[1:]:
            return False
    return True


def _prepare_output(head, tensor, n, is_known, y, sample_weight, class_weight):
    """(targets, weights) of one output, a symbolic tensor, for n samples, from what is given for it; it settles what
    the head's metrics are. is_known: whether the output has the tensor's shape, else as many axes and columns.

    Without a loss the targets are float32, or int32 labels, for the metrics; with no metrics either, None.
    """
    if not head.wants_targets:
        return None, None
    shape = tensor.shape[1:]
    output_shape = (n, *shape) if is_known else (n, *(None for _ in shape[:-1]), *shape[-1:])
    y = to_array(head.called("y"), y)
    if y.ndim == 0 or len(y) != n:
        received = len(y) if y.ndim else 1
        raise ValueError(message("lengths_differ", y=head.called("y"), received_x=n, received=received))
    refuse_nan(head.called("y"), y)
    if head.loss is None:
        targets = np.ascontiguousarray(y, np.float32 if y.dtype.kind == "f" else np.int32)
    else:
        try:
            targets = head.loss.prepare(y, output_shape)
        except ValueError:
            clearer = advice.why_refused(head, tensor, y)
            if clearer is None:
                raise
            raise ValueError(clearer) from None
    head.bind_metrics(y.shape, output_shape, targets)
    if class_weight is None:
        return targets, prepare_weights(sample_weight, n, output_shape, head.called("sample_weight"))
    return targets, weights_of_classes(class_weight, labels(y, targets))


def prepare_inputs(model, x):
    """The model's inputs as a list of C-contiguous arrays; builds a Sequential that was waiting for a shape."""
    wanted = model.inputs
    if wanted is None and model.call is not None and isinstance(x, dict):
        model.input_keys = list(x)
    texts = _takes_texts(model)
    arrays = [to_array("x", item, texts) for item in _as_list(x, wanted, model.input_keys, model.call is not None)]
    for array in arrays:
        if array.ndim == 0:
            raise ValueError(message("no_batch_axis", received=brief(x)))
        if len(array) != len(arrays[0]):
            raise ValueError(message("inputs_differ_in_length", received=[len(a) for a in arrays]))
        if len(array) == 0:
            raise ValueError(message("x_empty", received=array.shape))
    if wanted is None:
        shapes = [a.shape if a.ndim > 1 else (*a.shape, 1) for a in arrays]
        model.build_for(shapes, [_dtype_of(a) for a in arrays])
        wanted = model.inputs
    if len(arrays) != len(wanted):
        names = [tensor.name for tensor in wanted]
        fields = {"model": model.name, "count": len(wanted), "names": names, "received": len(arrays)}
        raise ValueError(message("number_of_inputs", **fields))
    return [_prepare_input(model, slot, array) for slot, array in enumerate(arrays)]


def _takes_texts(model):
    """Whether one of the inputs may be texts; of a model that is not built yet, whether there is a layer for them."""
    if model.graph:
        return "string" in model.graph.input_dtypes
    layers = inside(model) if model.call is not None else model.layers[:1]
    return any(layer.input_dtype == "string" for layer in layers)


def _dtype_of(array):
    """What a model that is built for an array is told of it."""
    return "string" if array.dtype == object else "int32" if array.dtype.kind in "iub" else "float32"


def _as_list(x, wanted, keys, is_own):
    """A list with one item per input. A list of numbers or rows is one input, but one of arrays is several for a model
    with a `call` of its own that is not built yet; a dict goes by the keys that the inputs were given under, or by
    their names."""
    if isinstance(x, dict):
        names = sorted(keys) if keys else [tensor.name for tensor in wanted] if wanted else list(x)
        missing = [name for name in names if name not in x]
        if missing:
            raise ValueError(message("inputs_missing", missing=missing, received=list(x)))
        return [x[name] for name in names]
    if isinstance(x, (list, tuple)):
        several = len(wanted) > 1 if wanted else is_own and all(getattr(item, "ndim", 0) > 0 for item in x)
        if several:
            return list(x)
        if len(x) == 1 and isinstance(x[0], np.ndarray) and (not wanted or x[0].ndim == wanted[0].ndim):
            return list(x)
    return [x]


def _prepare_input(model, slot, array):
    tensor = model.inputs[slot]
    layers = model.graph.input_layers[slot]
    if array.ndim == tensor.ndim - 1 and tensor.shape[-1] in (1, None):
        array = array[..., None]  # one feature per sample, given without its axis
    elif array.ndim == tensor.ndim + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    if not tensor.accepts(array.shape):
        raise ValueError(advice.of_input(model, layers[0], tensor.shape, array.shape))
    for layer in model.graph.sole_readers[slot]:
        layer.check_input_shape(array.shape)
        layer.check_input(array)
    return as_input(array, model.graph.input_dtypes[slot])


def prepare_weights(sample_weight, n, output_shape, name="sample_weight"):
    """float32 weights of shape (n,), or one for each leading axis of the output: (n, steps)."""
    if sample_weight is None:
        return None
    weights = np.ascontiguousarray(to_array(name, sample_weight), np.float32)
    refuse_nan(name, weights)
    if weights.ndim > 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    fits = 0 < weights.ndim < len(output_shape) and all(
        want in (None, got) for want, got in zip(output_shape, weights.shape, strict=False)
    )
    if not fits:
        steps = f" / {output_shape[:-1]}" if len(output_shape) > 2 else ""
        raise ValueError(message("shape_of_weights", name=name, shape=f"({n},){steps}", received=weights.shape))
    return weights


def labels(y, targets):
    """The class of each target: integer labels as they are, one-hot rows by the place of their largest element."""
    if targets.dtype == np.int32:
        return targets
    return y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)[:, 0]


def weights_of_classes(class_weight, classes):
    """The weight of each target's class, float32; classes that the dict leaves out weigh 1."""
    try:
        table = {int(label): float(weight) for label, weight in class_weight.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(message("class_weight", received=repr(class_weight))) from None
    weights = np.ones(classes.shape, np.float32)
    for label, weight in table.items():
        weights[classes == label] = weight
    return weights


def refuse_nan(name, array):
    """A ValueError if a float array holds NaN."""
    if array.dtype.kind == "f" and math.isnan(array.sum()) and np.isnan(array).any():  # the sum is the quicker look
        where = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise ValueError(message("nan", name=name, received=where))
