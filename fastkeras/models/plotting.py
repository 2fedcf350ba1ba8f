"""plot_model: a model as a picture.

SVG is drawn by models/svg.py. For PNG and other formats the graph is written in the language of Graphviz and given to
its program `dot`, by the package of the extra `graphviz`.
"""

import html
import os

from fastkeras.models.diagram import TRAINABLE, Box, Diagram, Shown, diagram_of
from fastkeras.models.svg import svg
from fastkeras.utils import suggest
from fastkeras.utils.messages import message

_DIRECTIONS = ("TB", "BT", "LR", "RL")


def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **unknown,
):
    """Draws the model's layers and what feeds what, and returns a Picture, which notebooks show.

    to_file: *.svg needs nothing else; *.png (also *.jpg, *.pdf, ...) needs Graphviz, its program `dot`, and the
    extra `graphviz`; *.dot is Graphviz's own language. rankdir: from top to bottom "TB", "BT", "LR" or "RL".
    show_...: whether to write the layers' names, the shapes and types of their inputs and outputs, their activations,
    and whether they are trainable. expand_nested: whether to draw the layers of models inside. dpi, splines: for
    Graphviz; dots per inch, and how it draws lines.
    """
    suggest.refuse_arguments("plot_model", plot_model, unknown)
    dot = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    path = os.fspath(to_file)
    dot.write(path, format=os.path.splitext(path)[1][1:].lower() or "png")
    return Picture(path)


def model_to_dot(
    model,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **unknown,
):
    """The model as a Dot, which can be written in many formats. The arguments are those of plot_model."""
    suggest.refuse_arguments("model_to_dot", model_to_dot, unknown)
    if rankdir not in _DIRECTIONS:
        raise ValueError(message("plot_direction", known=_DIRECTIONS, received=repr(rankdir)))
    shown = Shown(
        shapes=show_shapes,
        dtype=show_dtype,
        names=show_layer_names,
        activations=show_layer_activations,
        trainable=show_trainable,
        nested=expand_nested,
    )
    return Dot(diagram_of(model, shown), rankdir, dpi, splines)


class Dot:
    """A graph that can be drawn: `to_string()` in Graphviz's language, `create(format="svg")` as bytes,
    `write(path, format="png")`; notebooks show it."""

    def __init__(self, diagram, rankdir="TB", dpi=200, splines="ortho"):
        self.diagram, self.rankdir, self.dpi, self.splines = diagram, rankdir, dpi, splines

    def to_string(self):
        """The graph in Graphviz's language."""
        lines = [
            "digraph model {",
            f"graph [rankdir={self.rankdir}, dpi={self.dpi}, splines={self.splines}, compound=true];",
            "node [shape=plain, fontname=Helvetica];",
            *_statements(self.diagram, "n"),
            "}",
        ]
        return "\n".join(lines) + "\n"

    def create(self, prog=None, format="svg"):
        """The picture as bytes. prog: Graphviz's engine, if not `dot`; an SVG is drawn without."""
        if format == "svg":
            return svg(self.diagram, self.rankdir).encode()
        if format in ("dot", "gv"):
            return self.to_string().encode()
        try:
            import graphviz
        except ImportError as error:
            raise ImportError(message("plot_needs_graphviz", received=error)) from error
        try:
            return graphviz.pipe(prog or "dot", format, self.to_string().encode())
        except graphviz.ExecutableNotFound as error:
            raise ImportError(message("plot_needs_graphviz", received=error)) from error
        except graphviz.CalledProcessError as error:
            raise ValueError(message("plot_failed", format=format, received=error.stderr.decode().strip())) from error
        except ValueError as error:  # of a format that the package does not know
            raise ValueError(message("plot_failed", format=format, received=error)) from error

    def write(self, path, prog=None, format="png"):
        """Writes the picture to a file."""
        picture = self.create(prog, format)
        with open(path, "wb") as file:
            file.write(picture)

    def _repr_svg_(self):
        return svg(self.diagram, self.rankdir)


class Picture:
    """A file with a picture; notebooks show it."""

    def __init__(self, path):
        self.path = path

    def __repr__(self):
        return f"<Picture {self.path}>"

    def _repr_svg_(self):
        content = self._content("svg")
        return content and content.decode()

    def _repr_png_(self):
        return self._content("png")

    def _content(self, kind):
        """The bytes of the file, if it is of that kind."""
        if not self.path.lower().endswith(f".{kind}"):
            return None
        with open(self.path, "rb") as file:
            return file.read()


# --- Graphviz's language ---------------------------------------------------------------------------------------------


def _statements(diagram, name):
    """What declares the nodes of a diagram, with all that is inside them, and then its edges."""
    lines = []
    for i, node in enumerate(diagram.nodes):
        own = f"{name}_{i}"
        if isinstance(node, Box):
            lines.append(f"{own} [label=<{_table(node)}>];")
        else:
            title = node.name.replace("\\", "\\\\").replace('"', '\\"')
            lines += [f"subgraph cluster_{own} {{", f'label="{title}"; style=dashed;', *_statements(node, own), "}"]
    for i, j in diagram.edges:
        start, tail = _end(diagram.nodes[i], f"{name}_{i}", -1)
        end, head = _end(diagram.nodes[j], f"{name}_{j}", 0)
        ends = [f"ltail={tail}"] * bool(tail) + [f"lhead={head}"] * bool(head)
        lines.append(f"{start} -> {end} [{', '.join(ends)}];" if ends else f"{start} -> {end};")
    return lines


def _end(node, name, which):
    """(the name of the box that an edge is tied to, the frame at which it ends if the node is a diagram)."""
    frame = None
    while isinstance(node, Diagram):
        frame = frame or f"cluster_{name}"
        at = which % len(node.nodes)
        node, name = node.nodes[at], f"{name}_{at}"
    return name, frame


def _table(box):
    head = f'<tr><td bgcolor="black"><font color="white"><b>{html.escape(box.title)}</b></font></td></tr>'
    cells = "".join(f"<tr><td>{html.escape(line)}</td></tr>" for line in box.lines)
    if box.trainable is not None:
        word, colour = TRAINABLE[box.trainable]
        cells += f'<tr><td bgcolor="{colour}"><font color="white">{word}</font></td></tr>'
    return f'<table border="0" cellborder="1" cellspacing="0" cellpadding="8">{head}{cells}</table>'
