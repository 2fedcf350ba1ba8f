"""plot_model, model_to_dot and History.plot: every layer and every edge is in the picture, and no two boxes overlap."""

import itertools
import re
import stat
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from drawn_models import branches, circles, nested, skips, states
from small_models import classifier, points

import fastkeras as keras
from fastkeras.layers import Dense
from fastkeras.utils import model_to_dot, plot_model
from fastkeras.utils.layered import layout

_SVG = "{http://www.w3.org/2000/svg}"


def offset(element):
    """Where a <g transform="translate(x y)"> moves what is in it."""
    found = re.match(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    return np.array([float(found[1]), float(found[2])]) if found else np.zeros(2)


def boxes(element, origin=(0, 0)):
    """{name: (left, top, right, bottom)} of the layers in a picture."""
    origin = origin + offset(element)
    if element.get("class") == "layer":
        sides = [
            [float(rect.get(side, 0)) for side in ("x", "y", "width", "height")] for rect in element.iter(f"{_SVG}rect")
        ]
        width, height = sides[0][2], sum(h for *_, h in sides)
        return {element.get("data-name"): (*origin, origin[0] + width, origin[1] + height)}
    return {name: box for child in element for name, box in boxes(child, origin).items()}


def lines(element, origin=(0, 0)):
    """(from, to, the points that the line touches) for each edge."""
    origin = origin + offset(element)
    if element.get("class") == "edge":
        corners = re.findall(r"(?:[ML]|C(?:\S+ ){4})(\S+) (\S+)", element.get("d"))
        return [(element.get("data-from"), element.get("data-to"), np.array(corners, float) + origin)]
    return [line for child in element for line in lines(child, origin)]


def picture(model, **options):
    return ElementTree.fromstring(model_to_dot(model, **options).create(format="svg"))


def edges_of(model):
    """The names of the layers at the ends of each edge, told from the call sites of the model alone."""
    pairs = set()
    for layer, reads, _ in model.graph.steps:
        for slot in reads:
            tensor = model.graph.tensors[slot]
            maker = tensor.site.layer.name if tensor.site else tensor.name
            if maker in {layer.name for layer in model.layers}:
                pairs.add((maker, layer.name))
    return pairs


MODELS = [branches, nested, states, skips, circles]


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("build", MODELS)
def test_every_layer_and_edge_is_drawn_and_no_boxes_overlap(build, rankdir):
    model = build(keras)
    drawn = picture(model, rankdir=rankdir, show_shapes=True)
    found = boxes(drawn)
    assert set(found) == {layer.name for layer in model.layers}
    assert {(start, end) for start, end, _ in lines(drawn)} == edges_of(model)
    for (left, top, right, bottom), (a, b, c, d) in itertools.combinations(found.values(), 2):
        assert right <= a or c <= left or bottom <= b or d <= top
    width, height = float(drawn.get("width")), float(drawn.get("height"))
    assert all(
        left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in found.values()
    )


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("build", MODELS)
def test_lines_begin_and_end_at_their_boxes_and_pass_by_the_others(build, rankdir):
    drawn = picture(build(keras), rankdir=rankdir)
    found = boxes(drawn)

    def touches(point, box, room):
        return box[0] - room <= point[0] <= box[2] + room and box[1] - room <= point[1] <= box[3] + room

    for start, end, touched in lines(drawn):
        assert touches(touched[0], found[start], 0.2) and touches(touched[-1], found[end], 0.2)
        others = [box for name, box in found.items() if name not in (start, end)]
        assert not any(touches(point, box, -0.2) for point in touched for box in others)


@pytest.mark.parametrize(("rankdir", "axis", "sign"), [("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)])
def test_edges_lead_the_way_that_rankdir_says(rankdir, axis, sign):
    drawn = picture(skips(keras), rankdir=rankdir)
    found = boxes(drawn)
    assert all(sign * (found[end][axis] - found[start][axis]) > 0 for start, end, _ in lines(drawn))


def test_a_line_through_several_rows_stays_straight_in_a_chain():
    centres, ways, (width, height) = layout([(30, 10), (50, 10), (30, 20)], [(0, 1), (1, 2)])
    assert [x for x, _ in centres] == [25, 25, 25] and (width, height) == (50, 40 + 2 * 44)
    assert ways[0] == [(25, 10), (25, 54)]


def test_few_lines_cross():
    crossed = [(0, 5), (1, 4), (2, 3)]
    centres, _, _ = layout([(10, 10)] * 6, crossed)
    places = sorted((centres[i][0], centres[j][0]) for i, j in crossed)
    assert [end for _, end in places] == sorted(end for _, end in places)


def texts(drawn):
    return [text.text for text in drawn.iter(f"{_SVG}text")]


def test_what_a_box_tells():
    model = nested(keras)
    options = {"show_shapes": True, "show_dtype": True, "show_layer_activations": True, "show_trainable": True}
    told = texts(picture(model, **options))
    assert told[:6] == [
        "first (Dense)",
        "Activation: linear",
        "Input shape: (None, 4)",
        "Output shape: (None, 5)",
        "Output dtype: float32",
        "Non-trainable",
    ]
    assert "inner (Sequential)" in told and told[-1] == "Trainable"
    assert texts(picture(model, show_layer_names=False)) == ["Dense", "Sequential", "Dense"]
    assert texts(picture(keras.Sequential([Dense(1, input_dim=1, name="<&>")]))) == ["<&> (Dense)"]


def test_models_inside_are_drawn_in_frames():
    drawn = picture(nested(keras), expand_nested=True)
    assert set(boxes(drawn)) == {"first", "inner_1", "inner_2", "last"}
    ends = {(start, end) for start, end, _ in lines(drawn)}
    assert ends == {("first", "inner"), ("inner", "last"), ("inner_1", "inner_2")}
    frame = next(group for group in drawn.iter(f"{_SVG}g") if group.get("class") == "model")
    assert set(boxes(frame)) == {"inner_1", "inner_2"}


def test_a_model_with_a_call_of_its_own_is_one_box():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs * 2

    assert texts(picture(Own(name="own"))) == ["own (Own)"]


def test_the_graph_in_graphvizs_language():
    text = model_to_dot(nested(keras), expand_nested=True, rankdir="LR", dpi=96).to_string()
    assert "rankdir=LR, dpi=96" in text and text.count("{") == text.count("}") == 2
    assert "subgraph cluster_n_1 {" in text
    assert re.findall(r"^n_\S+ -> .*$", text, re.M) == [
        "n_1_0 -> n_1_1;",
        "n_0 -> n_1_0 [lhead=cluster_n_1];",
        "n_1_1 -> n_2 [ltail=cluster_n_1];",
    ]


def test_plot_model_writes_the_file_that_is_asked_for(tmp_path, monkeypatch):
    shown = plot_model(branches(keras), tmp_path / "model.svg", show_layer_names=True)
    assert shown._repr_svg_() == (tmp_path / "model.svg").read_text() and shown._repr_png_() is None
    assert texts(ElementTree.parse(tmp_path / "model.svg"))[-1] == "out (Dense)"

    program = tmp_path / "dot"  # stands in for Graphviz: gives back its arguments and what it reads
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(*sys.argv[1:])\nprint(sys.stdin.read())\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, kind in [("model.png", "png"), ("model.PDF", "pdf"), ("model", "png")]:
        plot_model(branches(keras), str(tmp_path / name))
        arguments, first, *_ = (tmp_path / name).read_text().splitlines()
        assert f"-T{kind}" in arguments.split() and first == "digraph model {"
    with pytest.raises(ValueError, match=r"could not draw the format 'xyz'. Received: .*'xyz'"):
        plot_model(branches(keras), str(tmp_path / "model.xyz"))
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such font')\n")
    with pytest.raises(ValueError, match=r"could not draw the format 'pdf'. Received: no such font"):
        plot_model(branches(keras), str(tmp_path / "other.pdf"))
    assert not (tmp_path / "other.pdf").exists()


def test_a_png_without_graphviz_names_what_to_install(tmp_path, monkeypatch):
    def refused(received):
        what = rf"'fastkeras\[graphviz\]'; to_file='model.svg' needs neither\. Received: {received}"
        with pytest.raises(ImportError, match=what):
            plot_model(branches(keras), str(tmp_path / "model.png"))
        assert not (tmp_path / "model.png").exists()

    monkeypatch.setenv("PATH", str(tmp_path))
    refused("failed to execute .*'dot'")
    monkeypatch.setitem(sys.modules, "graphviz", None)
    refused("import of graphviz")


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (ValueError, lambda m: plot_model(m, "x.svg", rankdir="UP"), "`rankdir` must be one of .*Received: 'UP'"),
        (TypeError, lambda m: plot_model(m, "x.svg", show_shape=True), "Did you mean 'show_shapes'"),
        (TypeError, lambda m: model_to_dot(m, rank_dir="LR"), "argument of model_to_dot. Did you mean 'rankdir'"),
        (ValueError, lambda m: plot_model(keras.Sequential([Dense(1)]), "x.svg"), "is not built yet"),
    ],
)
def test_slips(error, call, message):
    with pytest.raises(error, match=message):
        call(branches(keras))


# --- History.plot -----------------------------------------------------------------------------------------------------


@pytest.fixture
def history(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    x, y = points(23)
    yield classifier().fit(x, y, epochs=4, verbose=0, validation_data=(x, y), validation_freq=2)
    pyplot.close("all")


def test_the_curves_of_a_history(history, tmp_path):
    figure = history.plot(to_file=tmp_path / "curves.png")
    loss, accuracy = figure.axes
    assert (loss.get_title(), accuracy.get_title()) == ("loss", "acc")
    for ax, key in ((loss, "loss"), (accuracy, "acc")):
        training, validation = ax.get_lines()
        np.testing.assert_array_equal(training.get_xydata(), np.c_[1:5, history.history[key]])
        np.testing.assert_array_equal(validation.get_xydata(), np.c_[[2, 4], history.history[f"val_{key}"]])
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]
    assert (tmp_path / "curves.png").read_bytes()[1:4] == b"PNG"


def test_the_curve_that_is_asked_for(history):
    (ax,) = history.plot("val_loss").axes
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), history.history["val_loss"])
    (ax,) = history.plot("accuracy").axes  # another name of the same
    assert ax.get_title() == "accuracy" and len(ax.get_lines()) == 2
    with pytest.raises(KeyError, match="Did you mean 'loss'"):
        history.plot("lost")


def test_no_curves(history, monkeypatch):
    with pytest.raises(ValueError, match=r"nothing to draw before an epoch has ended. Received: \{\}"):
        keras.callbacks.History().plot()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'fastkeras\[plots\]'\. Received: "):
        history.plot()
