"""Diagrams: a model's layers as boxes, and which feeds which, for plot_model to draw."""

from dataclasses import dataclass

# What is said of a layer's weights, and on which ground.
TRAINABLE = {True: ("Trainable", "#2e7d32"), False: ("Non-trainable", "#b23a2e")}


@dataclass
class Box:
    """A layer. title: its name and class; lines: what else is said of it; trainable: True, False, or None if nothing is
    to be said."""

    name: str
    title: str
    lines: list
    trainable: bool | None


@dataclass
class Diagram:
    """A model: nodes, each a Box or the Diagram of a model inside, and edges, the numbers (i, j) of nodes of which the
    one feeds the other. A layer that is used twice is one node, so edges may lead back."""

    name: str
    nodes: list
    edges: list


@dataclass(frozen=True)
class Shown:
    """What a diagram tells of each layer: the arguments of plot_model."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool
    nested: bool


def diagram_of(model, shown):
    """The Diagram of a model. One that defines `call` has no graph to show, and is a single box."""
    if model.call is not None:
        return Diagram(model.name, [_box(model, shown)], [])
    graph = model.require_graph()
    layers = model.layers
    number = {layer: i for i, layer in enumerate(layers)}
    makers = dict(enumerate(graph.sources))
    makers.update((slot, layer) for layer, _, writes in graph.steps for slot in writes)
    # The source of a Sequential's input is no layer of it.
    edges = dict.fromkeys(
        (number[makers[slot]], number[layer])
        for layer, reads, _ in graph.steps
        for slot in reads
        if makers[slot] in number
    )
    return Diagram(model.name, [_node(layer, shown) for layer in layers], list(edges))


def _node(layer, shown):
    is_model = shown.nested and layer.is_model and layer.graph is not None and layer.call is None
    return diagram_of(layer, shown) if is_model else _box(layer, shown)


def _box(layer, shown):
    kind = type(layer).__name__
    lines = []
    if shown.activations and getattr(layer, "activation", None) is not None:
        activation = layer.activation
        lines.append(f"Activation: {getattr(activation, 'name', None) or getattr(activation, '__name__', activation)}")
    if shown.shapes and kind != "InputLayer":
        lines.append(f"Input shape: {getattr(layer, 'input_shape', '?')}")
    if shown.shapes:
        lines.append(f"Output shape: {getattr(layer, 'output_shape', '?')}")
    if shown.dtype:
        lines.append(f"Output dtype: {_dtype(layer)}")
    title = f"{layer.name} ({kind})" if shown.names else kind
    return Box(layer.name, title, lines, layer.trainable if shown.trainable and layer.weights else None)


def _dtype(layer):
    output = getattr(layer, "output", None)
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, list):
        return ", ".join(tensor.dtype for tensor in output)
    return "?" if output is None else output.dtype
