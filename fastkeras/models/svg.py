"""Diagrams as SVG, drawn without any help: utils/layered.py says where things stand."""

import html
import unicodedata

from fastkeras.models.diagram import TRAINABLE, Box
from fastkeras.utils.layered import layout

_LETTER = 8.0  # the width of a letter at the font's size, at most
_LINE = 24.0  # the height of a line of text
_MARGIN = 16.0  # around a picture, and inside the frame of a model

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" \
viewBox="0 0 {width:.1f} {height:.1f}" font-family="Helvetica, Arial, sans-serif" font-size="13">
<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">\
<path d="M0 0 L10 5 L0 10 z"/></marker></defs>
<rect width="100%" height="100%" fill="white"/>
"""


def svg(diagram, rankdir="TB"):
    """The diagram as the text of an SVG file.

    Each layer is a <g class="layer"> with data-name, each model inside a <g class="model">, and each edge a
    <path class="edge"> with data-from and data-to.
    """
    drawing, (width, height) = _drawn(diagram, rankdir)
    width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
    head = _HEAD.format(width=width, height=height)
    return f'{head}<g transform="translate({_MARGIN} {_MARGIN})">\n{drawing}</g>\n</svg>\n'


def _drawn(diagram, rankdir):
    """(the elements of a diagram, from its upper left corner on, its (width, height))."""
    parts = [_drawn_node(node, rankdir) for node in diagram.nodes]
    sideways = rankdir in ("LR", "RL")
    sizes = [(h, w) if sideways else (w, h) for _, (w, h) in parts]
    down = sorted({(min(edge), max(edge)) for edge in diagram.edges if edge[0] != edge[1]})
    centres, lines, (across, along) = layout(sizes, down)

    def turned(point):
        """From across and along to x and y."""
        x, y = point
        y = along - y if rankdir in ("BT", "RL") else y
        return (y, x) if sideways else (x, y)

    elements = []
    for (part, (w, h)), centre in zip(parts, centres, strict=True):
        x, y = turned(centre)
        elements.append(f'<g transform="translate({x - w / 2:.1f} {y - h / 2:.1f})">\n{part}</g>\n')
    ways = dict(zip(down, lines, strict=True))
    for i, j in diagram.edges:
        if i == j:
            way = _loop(turned(centres[i]), parts[i][1])
        else:
            points = [turned(point) for point in ways[min(i, j), max(i, j)]]
            way = _curve(points if i < j else points[::-1], sideways)
        ends = f'data-from="{_text(diagram.nodes[i].name)}" data-to="{_text(diagram.nodes[j].name)}"'
        elements.append(
            f'<path class="edge" {ends} d="{way}" fill="none" stroke="black" stroke-width="1.3" '
            'marker-end="url(#arrow)"/>\n'
        )
    return "".join(elements), ((along, across) if sideways else (across, along))


def _drawn_node(node, rankdir):
    if isinstance(node, Box):
        return _drawn_box(node)
    inside, (width, height) = _drawn(node, rankdir)
    width = max(width, _width(node.name)) + 2 * _MARGIN
    height += _LINE + 2 * _MARGIN
    frame = (
        f'<g class="model" data-name="{_text(node.name)}">\n<rect width="{width:.1f}" height="{height:.1f}" rx="6" '
        f'fill="#f6f6f6" stroke="#666" stroke-dasharray="5 4"/>\n'
        f'<text x="{_MARGIN}" y="{_LINE * 0.8:.1f}">{_text(node.name)}</text>\n'
        f'<g transform="translate({_MARGIN} {_LINE + _MARGIN})">\n{inside}</g>\n</g>\n'
    )
    return frame, (width, height)


def _drawn_box(box):
    rows = [(box.title, "black", "white"), *((line, "white", "black") for line in box.lines)]
    if box.trainable is not None:
        word, colour = TRAINABLE[box.trainable]
        rows.append((word, colour, "white"))
    width, height = max(_width(text) for text, _, _ in rows) + 2 * _MARGIN, len(rows) * _LINE
    elements = [f'<g class="layer" data-name="{_text(box.name)}">\n']
    for i, (text, ground, ink) in enumerate(rows):
        at = f'x="{width / 2:.1f}" y="{(i + 0.68) * _LINE:.1f}"'
        elements.append(
            f'<rect y="{i * _LINE:.1f}" width="{width:.1f}" height="{_LINE:.1f}" fill="{ground}" stroke="black"/>\n'
            f'<text {at} text-anchor="middle" fill="{ink}">{_text(text)}</text>\n'
        )
    return "".join(elements) + "</g>\n", (width, height)


def _curve(points, sideways):
    """The path through the points: straight along the picture's direction, bent where a line changes its place."""
    (x, y), way = points[0], f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for u, v in points[1:]:
        if (y == v) if sideways else (x == u):
            way += f" L{u:.1f} {v:.1f}"
        elif sideways:
            way += f" C{(x + u) / 2:.1f} {y:.1f} {(x + u) / 2:.1f} {v:.1f} {u:.1f} {v:.1f}"
        else:
            way += f" C{x:.1f} {(y + v) / 2:.1f} {u:.1f} {(y + v) / 2:.1f} {u:.1f} {v:.1f}"
        x, y = u, v
    return way


def _loop(centre, size):
    """The path from a box's right side back to it, for a layer that reads what it gives."""
    x, y = centre[0] + size[0] / 2, centre[1]
    return f"M{x:.1f} {y - 6:.1f} C{x + 22:.1f} {y - 16:.1f} {x + 22:.1f} {y + 16:.1f} {x:.1f} {y + 6:.1f}"


def _text(text):
    return html.escape(str(text))


def _width(text):
    """How wide a text may be; Korean letters are twice as wide as others."""
    return sum(2 * _LETTER if unicodedata.east_asian_width(letter) in "WF" else _LETTER for letter in text)
