"""The table that model.summary() prints: a row for each layer, then the totals."""

import itertools
import re

from fastkeras.utils.messages import message

_WIDTH, _COLUMNS = 65, (0.45, 0.85, 1.0)  # of a chain of layers: where each column ends, as a share of the width
_GRAPH_WIDTH, _GRAPH_COLUMNS = 98, (0.33, 0.55, 0.67, 1.0)  # where layers branch, join or are shared
_TRAINABLE_WIDTH = 11


def summary_lines(model, line_length=None, positions=None, expand_nested=False, show_trainable=False, layer_range=None):
    """The lines of the table.

    line_length: how wide the table is (without the column of show_trainable). positions: where each column ends, in
    characters, or as shares of the width. expand_nested: whether to list the layers of models inside this one.
    show_trainable: whether to say Y or N for each layer. layer_range: two names, or regular expressions; only the
    layers from the one to the other are listed.
    """
    linked = model.graph is not None and model.call is None and not _is_chain(model.graph)
    titles = ["Layer (type)", "Output Shape", "Param #", *(["Connected to"] if linked else [])]
    width, ends = (_GRAPH_WIDTH, _GRAPH_COLUMNS) if linked else (_WIDTH, _COLUMNS)
    width = _width_of(line_length) or width
    ends = _ends(positions or ends, len(titles), width)
    if show_trainable:
        titles.append("Trainable")
        width += _TRAINABLE_WIDTH
        ends.append(width)

    def fields(layer, owner):
        params = str(layer.count_params()) if layer.built else "?"
        row = [f"{layer.name} ({type(layer).__name__})", _shape(layer), params]
        if linked:
            row.append("\n".join(_connections(layer, owner)))
        return [*row, "Y" if layer.trainable else "N"] if show_trainable else row

    def rows(layers, owner, level):
        lines = []
        for i, layer in enumerate(layers):
            lines += _row(fields(layer, owner), ends, width, level)
            inner = getattr(layer, "layers", None) if expand_nested else None
            if inner:
                lines.append(_line("¯", width, level + 1))
                lines += rows(inner, layer, level + 1)
                lines.append(_line("¯", width, level))
            elif i < len(layers) - 1:
                lines.append(_line("_", width, level))
        return lines

    shown = model.layers[_range_of(model, layer_range)]
    total, trainable = _count(model.variables), _count(model.trainable_variables)
    return [
        "_" * width,
        *_row(titles, ends, width, 0),
        "=" * width,
        *rows(shown, model, 0),
        *(["=" * width] if shown else []),
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
        "_" * width,
    ]


def _line(character, width, level):
    """A line across the table, inside as many frames as the level says."""
    return "|" * level + character * (width - 2 * level) + "|" * level


def _row(fields, ends, width, level):
    """The lines of one row: what does not fit into its column goes on in the next line."""
    starts = [0, *ends[:-1]]
    rooms = [max(1, end - start - 1) for start, end in zip(starts, ends, strict=True)]
    rooms[0] = max(1, rooms[0] - 2 * level)
    rooms[-1] += 1
    cells = [_wrapped(field, room) for field, room in zip(fields, rooms, strict=True)]
    lines = []
    for i in range(max(len(cell) for cell in cells)):
        line = ""
        for cell, start in zip(cells, starts, strict=True):
            frame = "|" * level + " " if level and start == 0 else ""
            line = line.ljust(start) + frame + (cell[i] if i < len(cell) else "")
        lines.append(line.ljust(width) if level == 0 else line[: width - level].ljust(width - level) + "|" * level)
    return lines


def _wrapped(text, room):
    """The text in pieces of at most `room` characters: broken where it says so, between shapes, or where it must be."""
    pieces = []
    for line in text.split("\n"):
        while len(line) > room:
            at = line.rfind("), ", 0, room + 1) + 2
            at = at if at > 1 else room
            pieces.append(line[:at])
            line = line[at:].lstrip()
        pieces.append(line)
    return pieces


def _shape(layer):
    shape = getattr(layer, "output_shape", None) if layer.built else None
    return "?" if shape is None else str(shape)


def _count(variables):
    return sum(v.value.size for v in {id(v): v for v in variables}.values())


def _is_chain(graph):
    """Whether each layer reads what the one before it gives, and nothing else, and none is called twice."""
    given = set(graph.input_slots)
    for _, reads, writes in graph.steps:
        if len(reads) != 1 or reads[0] not in given:
            return False
        given = set(writes)
    return len(graph.input_slots) == 1 and len({layer for layer, _, _ in graph.steps}) == len(graph.steps)


def _connections(layer, model):
    """What the layer's calls in the model read: "layer[number of its call][number of its output]" for each."""
    here = set(model.graph.sites) if model.graph else ()
    tensors = [tensor for site in layer.sites if site in here for tensor in site.inputs]
    return ["{}[{}][{}]".format(*_origin(tensor, model)) for tensor in tensors]


def _origin(tensor, model):
    """(name of the layer that a symbolic tensor comes from, number of the call, number of the output)"""
    site = tensor.site
    if site is None or tensor in model.graph.inputs:
        return tensor.name, 0, 0
    numbers = [i for i, output in enumerate(site.outputs) if output is tensor]
    return site.layer.name, site.layer.sites.index(site), numbers[0]


# --- the arguments of summary ----------------------------------------------------------------------------------------


def _width_of(line_length):
    if line_length is not None and (type(line_length) is not int or line_length < 1):
        raise ValueError(message("summary_line_length", received=repr(line_length)))
    return line_length


def _ends(positions, columns, width):
    """Where the columns end, in characters."""
    positions = list(positions)
    numbers = len(positions) == columns and all(isinstance(p, (int, float)) for p in positions)
    if not numbers or positions[0] <= 0 or any(a >= b for a, b in itertools.pairwise(positions)):
        raise ValueError(message("summary_positions", columns=columns, received=positions))
    return [int(width * p) for p in positions] if positions[-1] <= 1 else [int(p) for p in positions]


def _range_of(model, layer_range):
    """The slice of model.layers between the layers whose names match."""
    if layer_range is None:
        return slice(None)
    if not isinstance(layer_range, (list, tuple)) or [type(name) for name in layer_range] != [str, str]:
        raise ValueError(message("summary_layer_range", received=repr(layer_range)))
    first, last = ([i for i, x in enumerate(model.layers) if re.match(name, x.name)] for name in layer_range)
    if not first or not last:
        names = [layer.name for layer in model.layers]
        raise ValueError(message("summary_no_such_layer", names=names, received=repr(layer_range)))
    if min(first) > max(last):
        return slice(min(last), max(first) + 1)
    return slice(min(first), max(last) + 1)
