"""Layers of the user's own that define `call` with ops: how such a layer is called, on data and on symbolic tensors,
runs in a graph, forward and back, and what it makes of shapes.

call(inputs, ...) may take whatever it likes: its first argument is a tensor or a structure of them, the others are
tensors, structures or plain values; training and mask are told to it if it takes them. What it returns may be a
structure too. Tensors carry their masks, where they have one, in the attribute _keras_mask.
"""

import inspect
import itertools
import weakref
from functools import partial

import numpy as np

from fastkeras.core import nest
from fastkeras.core.rows import dense
from fastkeras.core.tape import recorded
from fastkeras.core.tensor import SymbolicTensor, Tensor, Watchable, cast, mask_of, tapes
from fastkeras.layers.arguments import Nth, inputs_by_name, numbered
from fastkeras.layers.inside import inside, trained_variables
from fastkeras.layers.penalties import of_output
from fastkeras.utils.arrays import to_array
from fastkeras.utils.messages import message, names_of

# --- what `call` takes -----------------------------------------------------------------------------------------------


class _Parameters:
    """first: the name of call's first argument. names: of all. takes_all: whether it takes any keyword."""

    def __init__(self, call):
        self.signature = inspect.signature(call)
        kinds = {name: parameter.kind for name, parameter in self.signature.parameters.items()}
        self.names = [name for name, kind in kinds.items() if kind is not inspect.Parameter.VAR_KEYWORD]
        self.first = self.names[0]
        self.takes_all = len(self.names) < len(kinds)

    def told(self, args, kwargs):
        """{name: value} of a call's arguments; training and mask may be given though `call` does not take them."""
        unasked = {name: kwargs.pop(name) for name in ("training", "mask") if name in kwargs and name not in self.names}
        bound = self.signature.bind(*args, **kwargs).arguments
        rest = [bound.pop(name) for name in list(bound) if name not in self.names]  # the dict of **kwargs
        return {**bound, **unasked, **(rest[0] if rest else {})}


_known = weakref.WeakKeyDictionary()  # {the function call: its _Parameters}


def parameters_of(layer):
    function = getattr(layer.call, "__func__", layer.call)
    if function not in _known:
        _known[function] = _Parameters(layer.call)
    return _known[function]


def run_call(layer, inputs, training, mask, keywords=None):
    """layer.call on a list of tensors, with the call's keywords and what it takes of training and mask."""
    parameters = parameters_of(layer)
    x, told = inputs_by_name(inputs, keywords) if keywords else (inputs, {})
    if not parameters.takes_all:  # training and mask may be told to any layer
        told = {name: value for name, value in told.items() if name in parameters.names}
    if isinstance(told.get("mask"), np.ndarray):
        told["mask"] = told["mask"] != 0
    first = told.pop(parameters.first) if parameters.first in told else x if len(x) > 1 or layer.takes_list else x[0]
    for name, value in (("training", bool(training)), ("mask", mask)):
        if name not in told and (name in parameters.names or (parameters.takes_all and value is not None)):
            told[name] = value
    return layer.call(first, **told)


# --- calls on tensors and on symbols ---------------------------------------------------------------------------------


def called(layer, args, kwargs):
    """What layer(*args, **kwargs) gives."""
    parameters = parameters_of(layer)
    told = parameters.told(args, dict(kwargs))
    first = told.pop(parameters.first)
    if any(isinstance(item, SymbolicTensor) for item in nest.flat([first, told])):
        return _on_symbols(layer, first, told)
    training, mask = told.pop("training", None), told.pop("mask", None)
    return _on_data(layer, first, told, tapes.training if training is None else bool(training), mask)


def _on_symbols(layer, first, told):
    """The symbolic outputs, in the structure that `call` gives them in."""
    told = {name: value for name, value in told.items() if value is not None}
    if isinstance(first, SymbolicTensor):
        inputs = [first]
    elif _is_list(first) and all(isinstance(t, SymbolicTensor) for t in first) and (len(first) > 1 or layer.takes_list):
        inputs = list(first)
    else:
        inputs, told = [], {parameters_of(layer).first: first, **told}
    keywords = numbered(told, SymbolicTensor, inputs)
    layer.trial_dtypes = [t.dtype_for_call for t in inputs]
    shape = _shapes(first)
    layer.ensure_built(shape)
    if inputs and "mask" in parameters_of(layer).names and "mask" not in told:
        layer.trial_masks = {unknown: _masks_on_trial(first, unknown) for unknown in _UNKNOWN}
    try:
        found = _tried(layer, [t.shape for t in inputs], keywords) if keywords else layer.compute_output_shape(shape)
    finally:
        layer.trial_masks = None
    shapes = []
    return nest.packed(_places(found, shapes), layer.add_site(inputs, shapes, keywords))


def _on_data(layer, first, told, training, mask):
    """The outputs as `call` gives them, recorded by the tapes that record now."""
    first = _as_tensors(layer, first)
    told = {name: nest.mapped(_tensor_if_array, value) for name, value in told.items()}
    if mask is None:
        mask = _masks(first)
    layer.ensure_built(_shapes(first))
    before, layer_losses = (tapes.training, tapes.losses), []
    if tapes.losses is None:
        layer.forget_losses()
    tapes.training, tapes.losses = training, layer_losses
    try:
        keywords = {parameters_of(layer).first: first, **told}
        y = run_call(layer, [], training, mask, keywords)
        if layer.activity_regularizer is not None:
            layer_losses += [of_output(layer, part) for part in nest.flat(y)]
    finally:
        tapes.training, tapes.losses = before
    layer.take_losses(layer_losses)
    _mark(nest.flat(y), layer, first, mask)
    return y


def _is_list(x):
    return isinstance(x, (list, tuple))


def _as_tensors(layer, given):
    """The first argument of a call with tensors for arrays; a list of numbers, or of rows of them, is an array."""
    if isinstance(given, dict) or (_is_list(given) and any(isinstance(item, _ARRAYS) for item in nest.flat(given))):
        return nest.mapped(partial(_as_tensors, layer), given)
    if _is_list(given):
        given = to_array("inputs", given, True, message("in_layer", **names_of(layer)))
    return given if given is None else _tensor(given)


_ARRAYS = (np.ndarray, Watchable)


def _tensor(x):
    """A tensor, float32 if x holds real numbers; what leads back is kept."""
    if isinstance(x, Watchable):
        return cast(x, x.dtype)
    array = np.asarray(x) if not isinstance(x, Tensor) else x
    if array.dtype == np.float64:
        return cast(array, np.float32)
    return array if isinstance(array, Tensor) else array.view(Tensor)


def _tensor_if_array(x):
    return _tensor(x) if isinstance(x, np.ndarray) else x


def _shapes(structure):
    """The shape of a tensor, or a list or dict of them."""
    if isinstance(structure, dict):
        return {key: _shapes(item) for key, item in structure.items()}
    return [_shapes(item) for item in structure] if _is_list(structure) else tuple(np.shape(structure))


def tensor_arguments(layer, args, kwargs):
    """{name: shape, or list or dict of shapes} of a call's arguments that are tensors, but for its mask."""
    told = parameters_of(layer).told(args, dict(kwargs))
    told.pop("mask", None)
    return {name: _shapes(value) for name, value in told.items() if _is_tensors(nest.flat(value))}


def _is_tensors(items):
    return len(items) > 0 and all(isinstance(item, (*_ARRAYS, SymbolicTensor)) for item in items)


def build_for_arguments(layer, shapes):
    """Makes the weights of a layer by a call on zeros; shapes: as `tensor_arguments` gives them."""
    found = []
    keywords = {name: nest.mapped(Nth, _places(shape, found)) for name, shape in shapes.items()}
    layer.ensure_built(shapes.get(parameters_of(layer).first))
    _tried(layer, found, keywords)


# --- masks -----------------------------------------------------------------------------------------------------------


def _masks(structure):
    """The masks that tensors carry, in their structure; None if none does."""
    if all(mask_of(item) is None for item in nest.flat(structure)):
        return None
    return nest.mapped(mask_of, structure)


def _mark(parts, layer, x, mask):
    """Gives outputs that have no mask yet the one that the layer computes."""
    if mask is not None or layer.makes_masks():
        found = layer.compute_mask(x, mask)
        for part, own in zip(parts, found if isinstance(found, list) else [found] * len(parts), strict=False):
            if own is not None and isinstance(part, Tensor) and mask_of(part) is None:
                part._keras_mask = own


# --- in a graph ------------------------------------------------------------------------------------------------------


def forward(layer, x, run):
    """What Layer.forward gives for a layer that defines `call`, recorded on a tape of its own."""
    several_inputs = type(x) is list
    given = [dense(item, run, f"input_{i}") for i, item in enumerate(x if several_inputs else [x])]
    arrays = [array for array, _ in given]
    masks = run.masks or [run.mask]
    mask = run.masks if several_inputs and run.masks else run.mask
    trained = trained_variables([inner for inner in inside(layer) if inner in run.trained])

    def call(*tensors):
        for tensor, own in zip(tensors, masks, strict=False):
            if own is not None:
                tensor._keras_mask = own
        return run_call(layer, list(tensors), run.training, mask, run.keywords)

    before = tapes.losses, tapes.trained
    tapes.losses, tapes.trained = [], run.trained
    try:
        y, back = recorded(call, arrays, trained, run.training, run.wants_dx)
        _refuse_nothing(layer, y)
        losses = tapes.losses
    finally:
        tapes.losses, tapes.trained = before
    layer.keep_losses(losses)
    for loss in losses:
        run.add_loss(float(np.sum(loss)))
    parts = nest.flat(y)
    outputs = [np.ascontiguousarray(part, np.float32) for part in parts]
    of_parts = [mask_of(part) for part in parts]
    run.output_masks = None if all(own is None for own in of_parts) else of_parts

    def backward(dy):
        dys = dy if len(parts) > 1 else [dy]
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
            undo(np.zeros_like(array, np.float32) if d is None else np.array(d, np.float32, order="C"))
            for (array, undo), d in zip(given, found, strict=False)
        ]
        return dxs if several_inputs else dxs[0]

    return (outputs if len(parts) > 1 else outputs[0]), backward


# --- shapes ----------------------------------------------------------------------------------------------------------

_UNKNOWN = 2, 3  # what stands for extents that are None
_WORDS = 64  # in texts at least: as many as a convolution over them may want


def output_shape(layer, input_shape):
    """The shapes of what `call` gives for inputs of these shapes, each in their structure."""
    shapes = []
    places = _places(input_shape, shapes)
    plain = not _is_list(places) or (len(places) > 1 or layer.takes_list)
    keywords = {} if plain and not isinstance(places, dict) else {parameters_of(layer).first: nest.mapped(Nth, places)}
    return _tried(layer, shapes, keywords)


def _tried(layer, shapes, keywords):
    """The same, found by calling it on zeros, or texts: twice, with different extents for each None; what differs is
    None."""
    before = tapes.recording, tapes.losses, tapes.training
    tapes.recording, tapes.training = (), False
    try:
        one, other = (_on_trial(layer, shapes, keywords, unknown) for unknown in _UNKNOWN)
    finally:
        tapes.recording, tapes.losses, tapes.training = before
    pairs = zip(nest.flat(one), nest.flat(other), strict=True)
    return nest.packed(one, [_common(np.shape(a), np.shape(b)) for a, b in pairs])


def _common(shape, other):
    return tuple(n if n == m else None for n, m in zip(shape, other, strict=True))


def _on_trial(layer, shapes, keywords, unknown):
    tapes.losses = []
    dtypes = itertools.chain(layer.trial_dtypes, itertools.repeat("float32"))
    tensors = [_trial(shape, dtype, unknown) for shape, dtype in zip(shapes, dtypes, strict=False)]
    with np.errstate(all="ignore"):  # of zeros divided by zeros
        y = run_call(layer, tensors, False, layer.trial_masks and layer.trial_masks[unknown], keywords)
    _refuse_nothing(layer, y)
    return y


def _trial(shape, dtype, unknown):
    """Zeros, or texts, whose number of words is not known either."""
    shape = [unknown if n is None else n for n in shape]
    if dtype == "string":
        return np.full(shape, " ".join(["a"] * (_WORDS + unknown)), object).view(Tensor)
    return np.zeros(shape, dtype).view(Tensor)


def _masks_on_trial(tensors, unknown, found=None):
    """The mask that zeros in place of a symbolic tensor carry, or the list of masks for a list of them; None if there
    is none. found: what it is for the outputs of call sites."""
    found = {} if found is None else found
    if _is_list(tensors):
        masks = [_masks_on_trial(tensor, unknown, found) for tensor in tensors]
        return None if all(mask is None for mask in masks) else masks
    site = tensors.site
    if site is None:
        return None
    if site not in found:
        several = len(site.inputs) > 1
        mask, masks = _masks_on_trial(site.inputs if several else site.inputs[0], unknown, found), None
        if mask is not None or site.layer.makes_masks():
            trials = [_trial(t.shape, t.dtype_for_call, unknown) for t in site.inputs]
            masks = site.layer.compute_mask(trials if several else trials[0], mask)
        found[site] = masks if isinstance(masks, list) else [masks] * len(site.outputs)
    return found[site][site.outputs.index(tensors)]


def _refuse_nothing(layer, y):
    if y is None:
        raise ValueError(
            f"Layer '{layer.name}': `call` of {type(layer).__name__} must return a tensor; is there no `return`? "
            "Received: None"
        )


def _places(shape, shapes):
    """The structure with a number in the place of each shape, which is added to the list `shapes`."""
    if isinstance(shape, dict):
        return {key: _places(shape[key], shapes) for key in sorted(shape)}
    if all(n is None or isinstance(n, (int, np.integer)) for n in shape):
        shapes.append(tuple(shape))
        return len(shapes) - 1
    return type(shape)([_places(item, shapes) for item in shape])
