"""clone_model: the same architecture once more, with layers and weights of its own."""

from fastkeras.layers.core import InputLayer
from fastkeras.layers.inside import inside
from fastkeras.models.model import Model
from fastkeras.models.sequential import Sequential
from fastkeras.utils.custom_objects import custom_object_scope


def clone_model(model, input_tensors=None, clone_function=None):
    """A model of the same layers, connected in the same way, with new weights.

    input_tensors: what the new model begins with instead of inputs like the old one's: a symbolic tensor, or as many
    of them as it has inputs. clone_function(layer) gives the layer that stands for `layer` in the new model: one like
    it, as its get_config() tells, unless it is given; it may give the layer itself, whose weights both models then
    share.
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: `model` must be a model. Received: {model!r}")
    starts = None if input_tensors is None else _as_list(input_tensors)
    wanted = len(model.inputs) if model.inputs else 1
    if starts is not None and len(starts) != wanted:
        raise ValueError(f"clone_model: `input_tensors` must be {wanted} tensors. Received: {len(starts)}")
    make = clone_function or _like
    with custom_object_scope({type(layer).__name__: type(layer) for layer in inside(model)}):
        return (_cloned_chain if isinstance(model, Sequential) else _cloned_graph)(model, starts, make)


def _as_list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _like(layer):
    return type(layer).from_config(layer.get_config())


def _cloned_chain(model, starts, make):
    start = model.inputs[0] if model.inputs and len(model.inputs) == 1 else None  # the first layer says of several
    if starts is None and start is not None and start.declared:
        starts = [_fresh(start)]
    clone = Sequential(starts, name=model.name)
    for layer in model.layers:
        clone.add(make(layer))
    if starts is None and start is not None:
        clone.build_for([start.shape])
    return clone


def _cloned_graph(model, starts, make):
    graph = model.require_graph()
    made = {layer: make(layer) for layer in graph.layers if layer not in graph.sources}
    tensors = starts or [_fresh(tensor) for tensor in graph.inputs]
    inputs = tensors[:]
    for site, (layer, reads, _) in zip(graph.sites, graph.steps, strict=True):
        tensors += _as_list(made[layer]._call_symbolic([tensors[slot] for slot in reads], site.keywords))
    clone = Model(inputs, [tensors[slot] for slot in graph.output_slots], name=model.name)
    clone.input_keys, clone.output_keys = model.input_keys, model.output_keys
    for slot in graph.loss_slots:
        clone.add_loss(tensors[slot])
    made.update(zip(graph.sources, clone.graph.sources, strict=True))
    clone.graph.layers = list(dict.fromkeys(made[layer] for layer in graph.layers))  # names may come twice
    return clone


def _fresh(tensor):
    """An input of the same name and shape."""
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name).output
