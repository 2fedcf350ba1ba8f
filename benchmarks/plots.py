"""The plots of a report, as SVG files. Needs matplotlib: pip install "fastkeras[plots]"."""

import math
from statistics import median

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from benchmarks.libraries import LIBRARIES, TRAINERS
from benchmarks.report import OURS, fastest_peer, number, ratio

# Okabe and Ito's colours, which the colour-blind can tell apart, and a marker each for those who see none.
COLOURS = {"fastkeras": "#d55e00", "tf": "#0072b2", "tf_keras": "#56b4e9", "jax": "#009e73", "torch": "#cc79a7"}
MARKERS = {"fastkeras": "o", "tf": "s", "tf_keras": "D", "jax": "^", "torch": "v"}
GREY = "#666666"
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text, and the files small
    "svg.hashsalt": "fastkeras",  # the same file for the same figures
}
# trainings whose losses mean something to a reader, and in which chance has no part
CURVES = ("linear-regression", "tiny-mlp", "mnist-cnn", "imdb-simple-rnn", "reuters-lstm", "char-lstm")
STARTED = "first-epoch-imdb-simple-rnn"  # the workload whose time and memory stand for a learner's first run


def write(folder, report):
    """Draws what the report has figures for, and returns the names of the files."""
    figures = {"steps.svg": steps, "sizes.svg": sizes, "losses.svg": losses, "costs.svg": costs}
    drawn = []
    with matplotlib.rc_context(STYLE):
        for name, draw in figures.items():
            figure = draw(report)
            if figure is not None:
                figure.savefig(folder / name, bbox_inches="tight", metadata={"Date": None})
                drawn.append(name)
    return drawn


def plain(value, _position=None):
    """Ticks of a logarithmic axis: 0.01, 1, 100."""
    return f"{value:g}"


def peers_of(rows):
    return [name for name in TRAINERS if any(name in row["peers"] for row in rows)]


def look(name):
    """How a library is drawn: ours in front, and larger."""
    ours = name == OURS
    return {"color": COLOURS[name], "marker": MARKERS[name], "label": LIBRARIES[name].title, "zorder": 4 if ours else 3}


def legend(figure, rows, **style):
    """One legend for all axes, above them; style: what is not as `look` has it."""
    handles = [Line2D([], [], **look(name) | style) for name in peers_of(rows)]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), handletextpad=0.5)


def steps(report):
    """A line for each workload, a dot on it for each peer's time, and the ratio to the fastest at its end."""
    panels = [
        ("training, ms a step", [w for w in report["workloads"] if not w["axis"] and w["per"] == "step"]),
        ("one call or a batch of predictions, ms", [w for w in report["workloads"] if w["per"] in ("call", "batch")]),
    ]
    lines = []
    for title, workloads in panels:
        rows = [(workload["name"], row) for workload in workloads for row in workload["rows"] if not row["flops"]]
        compared = [(name, row) for name, row in rows if OURS in row["peers"] and fastest_peer(row)]
        lines.append((title, sorted(compared, key=lambda line: -median(line[1]["peers"][OURS]["times"]))))
    lines = [(title, rows) for title, rows in lines if rows]
    if not lines:
        return None
    counts = [len(rows) for _, rows in lines]
    figure = Figure(figsize=(8, 1.2 + 0.24 * sum(counts) + 0.5 * len(counts)), layout="constrained")
    axes = figure.subplots(len(lines), squeeze=False, height_ratios=counts)[:, 0]
    for ax, (title, rows) in zip(axes, lines, strict=True):
        times = [{name: 1e3 * median(peer["times"]) for name, peer in row["peers"].items()} for _, row in rows]
        for name in peers_of([row for _, row in rows]):
            places = [(its[name], y) for y, its in enumerate(times) if name in its]
            ax.plot(*zip(*places, strict=True), linestyle="", markersize=7 if name == OURS else 5, **look(name))
        bounds = [min(its.values()) for its in times], [max(its.values()) for its in times]
        ax.hlines(range(len(rows)), *bounds, color="#cccccc", linewidth=1, zorder=2)
        for y, (_, row) in enumerate(rows):
            gain = number(ratio(row, fastest_peer(row)))
            ax.text(1.01, y, f"{gain} x", transform=ax.get_yaxis_transform(), va="center")
        ax.set(xscale="log", yticks=range(len(rows)), yticklabels=[name for name, _ in rows])
        ax.set(ylim=(-0.6, len(rows) - 0.4), xlabel=title)
        ax.xaxis.set_major_formatter(FuncFormatter(plain))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.text(1.01, 1, "against the\nfastest", transform=ax.transAxes, va="bottom", color=GREY, fontsize=8)
    legend(figure, [row for _, rows in lines for _, row in rows], linestyle="")
    return figure


def sizes(report):
    """The time of a step against each size: small multiples."""
    sweeps = [workload for workload in report["workloads"] if workload["axis"] and workload["rows"]]
    if not sweeps:
        return None
    columns = min(2, len(sweeps))
    rows = math.ceil(len(sweeps) / columns)
    figure = Figure(figsize=(4 * columns, 2.7 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for ax, sweep in zip(axes.flat, sweeps, strict=False):
        for name in peers_of(sweep["rows"]):
            points = [(row["x"], median(row["peers"][name]["times"])) for row in sweep["rows"] if name in row["peers"]]
            xs, times = zip(*points, strict=True)
            width = 2.5 if name == OURS else 1.2
            ax.plot(xs, [1e3 * t for t in times], linewidth=width, markersize=5, **look(name))
        values = [row["x"] for row in sweep["rows"]]
        share = max(values) <= 1
        ax.set(xscale="linear" if share else "log", yscale="log", xlabel=sweep["axis"], xticks=values)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}") if share else FuncFormatter(plain))
        ax.yaxis.set_major_formatter(FuncFormatter(plain))
        ax.grid()
    for ax in axes[:, 0]:
        ax.set_ylabel("ms a step")
    for ax in axes.flat[len(sweeps) :]:
        ax.set_visible(False)
    legend(figure, [row for sweep in sweeps for row in sweep["rows"]], linewidth=2)
    return figure


def losses(report):
    """The losses of the epochs that all peers trained: one over another if all do the same."""
    found = {workload["name"]: workload["rows"][0] for workload in report["workloads"] if workload["rows"]}
    curves = [(name, found[name]) for name in CURVES if name in found and len(peers_of([found[name]])) > 1]
    if not curves:
        return None
    columns = min(3, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(2.8 * columns, 2.3 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax, (name, row) in zip(axes.flat, curves, strict=False):
        names = peers_of([row])
        epochs = min(12, *(len(row["peers"][peer]["losses"]) for peer in names))
        others = [peer for peer in names if peer != OURS]
        for i, peer in enumerate(others):  # dashes that alternate, so that lines on one another are all seen
            its = look(peer) | {"marker": "", "linewidth": 1.5, "linestyle": (3 * i, (3, 3 * len(others) - 3))}
            ax.plot(range(1, epochs + 1), row["peers"][peer]["losses"][:epochs], **its)
        if OURS in names:  # a broad band under them
            its = look(OURS) | {"zorder": 2, "alpha": 0.4, "marker": "", "linewidth": 7}
            ax.plot(range(1, epochs + 1), row["peers"][OURS]["losses"][:epochs], **its)
        ax.set_title(name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        ax.grid()
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    for ax in axes.flat[len(curves) :]:
        ax.set_visible(False)
    legend(figure, [row for _, row in curves], marker="", linewidth=2)
    return figure


def costs(report):
    """What a library costs before the first result: disk, import, first epoch, memory. Bars, one panel each."""
    found = {
        (workload["name"], row["case"]): row["peers"] for workload in report["workloads"] for row in workload["rows"]
    }
    started = found.get((STARTED, ""), {})
    imports = found.get(("import", "numpy included"), {})
    panels = [
        ("installed, MB", {name: size / 1e6 for name, size in report["installed"].items() if name in TRAINERS}),
        ("import, s", {name: median(peer["times"]) for name, peer in imports.items()}),
        ("start to the first IMDB epoch, s", {name: median(peer["times"]) for name, peer in started.items()}),
        ("memory of that, MB", {name: peer["memory"] / 1e6 for name, peer in started.items() if peer["memory"]}),
    ]
    panels = [(title, values) for title, values in panels if values]
    if not panels:
        return None
    names = [name for name in reversed(TRAINERS) if any(name in values for _, values in panels)]
    figure = Figure(figsize=(2.6 * len(panels) + 1, 0.32 * len(names) + 0.7), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for ax, (title, values) in zip(axes, panels, strict=True):
        for y, name in enumerate(names):
            if name in values:
                ax.barh(y, values[name], height=0.7, color=COLOURS[name])
                ax.text(values[name], y, f" {number(values[name])}", va="center")
        ax.set(title=title, yticks=range(len(names)), yticklabels=[LIBRARIES[name].title for name in names], xticks=[])
        ax.margins(x=0.25)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    return figure
