"""Advice: mistakes that people make while they learn, found before the first step.

What can never be right is a ValueError; what somebody might mean, a warning. Each names the layer and the argument, the
shapes, and the usual cure; the texts are in utils/messages.py. Whole data are looked at when fit or evaluate get them,
single batches only the first time, and targets that a loss refuses are looked at again for the reason.
"""

import math

import numpy as np

from fastkeras import losses
from fastkeras.utils.messages import message, names_of, notice, with_cure

_OF_CLASSES = (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy)
_OF_COLUMNS = (losses.BinaryCrossentropy,)
_CROSSENTROPIES = (*_OF_CLASSES, *_OF_COLUMNS)
_PROBABILITIES = ("sigmoid", "softmax")
# Activations whose outputs are no probabilities.
_OTHERS = {"linear", "relu", "tanh", "elu", "selu", "gelu", "silu", "leaky_relu", "softplus", "softsign", "relu6"}


def look_at_outputs(heads, tensors):
    """Refuses, or warns of, a last layer that does not go with its loss.

    heads: one for each output (training/heads.py); tensors: the model's symbolic outputs.
    """
    for head, tensor in zip(heads, tensors, strict=True):
        if head.loss is None:
            continue
        layer, activation = _end(tensor)
        names = {**names_of(layer), "received": tensor.shape}
        if activation == "softmax" and tensor.shape[-1] == 1:
            raise ValueError(message("softmax_of_one", **names))
        if not isinstance(head.loss, _CROSSENTROPIES) or not head.loss.of_rows:
            continue
        if isinstance(head.loss, _OF_CLASSES) and tensor.shape[-1] == 1:
            raise ValueError(message("classes_of_one", loss=head.loss.name, **names))
        _compare_with_logits(head.loss, layer, activation)


def _compare_with_logits(loss, layer, activation):
    names = {**names_of(layer), "loss": loss.name, "activation": activation}
    if loss.from_logits and activation in _PROBABILITIES:
        notice("logits_of_probabilities", **names)
    elif not loss.from_logits and activation in _OTHERS:
        wanted = "softmax" if isinstance(loss, _OF_CLASSES) else "sigmoid"
        notice("probabilities_of_logits", wanted=wanted, received=activation, **names)


def look_at_targets(heads, tensors, targets):
    """Refuses targets that a binary crossentropy has no minimum for.

    targets: as the losses want them, an array or None for each head.
    """
    for head, tensor, y in zip(heads, tensors, targets, strict=True):
        if isinstance(head.loss, _OF_COLUMNS) and y.size:
            low, high = float(y.min()), float(y.max())
            if low < 0 or high > 1:
                _refuse_outside(head, tensor, y, low, high)


def _refuse_outside(head, tensor, y, low, high):
    """An error for labels; numbers that are none may be meant, and a little beyond 0 or 1 by rounding they may lie."""
    labels = bool(np.all(y == np.round(y)))
    if not labels and low > -1e-3 and high < 1 + 1e-3:
        return
    cure = message("cure_scale")
    if labels and (low, high) == (-1, 1):
        cure = message("cure_minus_one_to_one")
    elif labels and (low, high) == (1, 2):
        cure = message("cure_labels_from_one")
    elif labels and tensor.shape[-1] == 1 and high < 255:
        cure = message("cure_more_classes")
    fields = {"y": head.called("y"), "loss": head.loss.name, "cure": cure}
    fields.update(received_from=f"{low:g}", received=f"{high:g}")
    if labels:
        raise ValueError(message("not_between_0_and_1", **fields))
    notice("not_between_0_and_1", **fields)


def why_refused(head, tensor, y):
    """Why the loss has refused the targets y, in words that name layer, shapes and cure; None if that is not known."""
    layer, _ = _end(tensor)
    units, loss = tensor.shape[-1], head.loss
    if not _is_ours(loss) or not loss.of_rows:
        return None
    names = {**names_of(layer), "y": head.called("y"), "loss": loss.name, "units": units}
    shapes = {"received": y.shape, "output": tensor.shape}
    one_less, one_label = y.ndim == tensor.ndim - 1, y.ndim == tensor.ndim and y.shape[-1] == 1
    if isinstance(loss, losses.SparseCategoricalCrossentropy):
        if y.ndim == tensor.ndim and y.shape[-1] == units:
            return message("one_hot_for_sparse", **names, **shapes)
        if (one_less or one_label) and y.size and np.all(np.isfinite(y) & (y == np.round(y))):
            return message("labels_outside", cure=_cure_of_labels(y, units, loss), **_range(y), **names)
    elif (one_less or one_label) and units != 1 and y.dtype.kind in "biu":
        if isinstance(loss, losses.CategoricalCrossentropy):
            return message("labels_for_categorical", **names, **shapes)
        if isinstance(loss, _OF_COLUMNS):
            return message("two_units_for_binary", **names, **shapes)
    if tensor.ndim == 3 and (y.ndim == 1 or (y.ndim == 2 and y.shape[1] in (1, units))):
        return message("steps_left_over", **names, **shapes)
    if y.ndim == tensor.ndim and y.shape[-1] != units:
        return message("columns_differ", columns=y.shape[-1], **names, **shapes)
    return None


def _range(y):
    return {"received_from": f"{float(y.min()):g}", "received": f"{float(y.max()):g}"}


def _cure_of_labels(y, units, loss):
    low, high = int(y.min()), int(y.max())
    if low == 1 and high == units:
        return message("cure_labels_from_one")
    if low < 0 and low != loss.ignore_class:
        return message("cure_negative_labels")
    return message("cure_more_units", classes=high + 1)


def of_input(model, layer, expected, received):
    """The message for data of another shape than the layer that reads them takes."""
    text = message(
        "input_shape", model=model.name, **names_of(layer), expected=tuple(expected), received=tuple(received)
    )
    sizes = [math.prod(shape[1:]) if None not in shape[1:] else None for shape in (expected, received)]
    if received == expected[1:]:
        return with_cure(text, message("cure_single_sample"))
    if None in sizes or sizes[0] != sizes[1]:
        return text
    if len(expected) == 2:
        return with_cure(text, message("cure_flatten", size=sizes[0], shape=tuple(received[1:])))
    return with_cure(text, message("cure_reshape", shape=", ".join(map(str, expected[1:]))))


def _end(tensor):
    """(the layer that an output comes from, the name of the activation that it ends in, None if that is not known)."""
    layer = _maker(tensor)
    while getattr(layer, "is_model", False) and layer.call is None and len(layer.graph.outputs) == 1:
        tensor = layer.graph.outputs[0]
        layer = _maker(tensor)
    inner = getattr(layer, "layer", layer)  # of TimeDistributed
    activation = getattr(inner, "activation", None) if _is_ours(layer) and _is_ours(inner) else None
    along_last = getattr(inner, "axis", -1) in (-1, tensor.ndim - 1)
    return layer, getattr(activation, "name", None) if along_last else None


def _maker(tensor):
    """What gives a symbolic tensor: a layer, a model by its `call`, or, of a model's input, the tensor itself."""
    layer = tensor.site.layer if tensor.site else tensor
    return getattr(layer, "model", layer)


def _is_ours(thing):
    """Whether the library made its class: one of the user's own may do more."""
    return type(thing).__module__.startswith("fastkeras.")
