"""Medians, spread and ratios of what was measured, as Markdown tables."""

from statistics import median, quantiles

from benchmarks.libraries import LIBRARIES, TRAINERS

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
OURS = "fastkeras"


def number(value):
    """Three significant digits, without an exponent; "-" for None."""
    if value is None:
        return "-"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3 if value >= 0.1 else 4
    return f"{value:.{digits}f}"


def percent(value):
    return "-" if value is None else f"{value:.0%}"


def spread(times):
    """The distance between the quartiles, as a share of the median."""
    if len(times) < 2:
        return None
    low, middle, high = quantiles(times, n=4, method="inclusive")
    return (high - low) / middle


def ratio(row, peer):
    """How many times faster fastkeras is than a peer: the median of the ratios within each round, or None."""
    peers = row["peers"]
    if OURS not in peers or peer not in peers or peer == OURS:
        return None
    return median(theirs / ours for ours, theirs in zip(peers[OURS]["times"], peers[peer]["times"], strict=True))


def fastest_peer(row):
    """The name of the fastest peer of fastkeras by its median, or None."""
    others = {name: median(peer["times"]) for name, peer in row["peers"].items() if name != OURS}
    return min(others, key=others.get) if others else None


def preparation(peer):
    """Seconds that building, tracing and compiling took: the first epoch or call, less a later one; or None."""
    if peer["first"] is None:
        return None
    return max(0.0, peer["first"] - peer["units"] * median(peer["times"]))


def loss_difference(row, peer):
    """The largest difference of a peer's losses from fastkeras's, over epochs that both trained, or None.

    It is a share of the first loss: later ones may be next to nothing.
    """
    ours, theirs = (row["peers"].get(name, {}).get("losses") or () for name in (OURS, peer))
    pairs = zip(ours, theirs, strict=False)
    return max((abs(a - b) / abs(ours[0]) for a, b in pairs), default=None) if peer != OURS else None


def table(header, rows):
    """A Markdown table, its columns padded so that it reads well in a terminal too; the first is flush left."""
    rows = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(row):
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return "| " + " | ".join(cells) + " |"

    return "\n".join(line(row) for row in (rows[0], rules, *rows[1:]))


def heading(report):
    """The machine, the threads, and every library with its version, or why it is missing."""
    machine = report["machine"]
    lines = [
        f"{machine['cpu']}, {machine['instruction set']}, {machine['processors']} processors, {machine['system']}; "
        f"{report['threads']} thread{'s' if report['threads'] > 1 else ''}",
        "",
    ]
    for name, versions in report["versions"].items():
        said = ", ".join(f"{module} {version}" for module, version in versions.items())
        lines.append(f"- {LIBRARIES[name].title}: {said}")
    for name, why in report["missing"].items():
        lines.append(f"- {LIBRARIES[name].title}: skipped: {why.splitlines()[-1]}")
    return "\n".join(lines)


def unit_of(workload):
    return f"{workload['unit']} a {workload['per']}" if workload["per"] else workload["unit"]


def goal_of(workload):
    """What is to be reached: so many times the fastest peer's speed, or so short a time."""
    if workload["limit"] is None:
        return f"{workload['goal']:g} x"
    return f"{workload['limit'] / UNITS[workload['unit']]:g} {workload['unit']}"


def title_of(workload, row):
    return f"{workload['title']}, {row['case']}" if row["case"] else workload["title"]


def titles_of(names):
    return [LIBRARIES[name].title for name in names]


def details(workload):
    """One workload: a line for each case and peer."""
    unit = UNITS[workload["unit"]]
    batch = f", batch {workload['batch']}" if workload["batch"] else ""
    lines = [f"\n## {workload['name']}: {workload['title']}{batch}\n"]
    for name, why in workload["failed"].items():
        lines.append(f"{LIBRARIES[name].title} failed: {why}\n")
    if any(row["flops"] for row in workload["rows"]):
        return "\n".join([*lines, product_table(workload)])
    header = ["peer", unit_of(workload), "spread", "ratio"]
    header += ["rounds", "preparation, s", "peak memory, MB", "first loss", "others' load"]
    rows = []
    for row in workload["rows"]:
        for name, peer in row["peers"].items():
            rows.append(
                [
                    ", ".join(filter(None, [LIBRARIES[name].title, row["case"]])),
                    number(median(peer["times"]) / unit),
                    percent(spread(peer["times"])),
                    number(ratio(row, name)),
                    len(peer["times"]),
                    number(preparation(peer)),
                    number(peer["memory"] and peer["memory"] / 1e6),
                    number(next(iter(peer["losses"]), None)),
                    percent(peer["disturbance"]),
                ]
            )
    return "\n".join([*lines, table(header, rows)])


def product_table(workload):
    """The matrix products: GFLOP/s, and the share of the best speed that numpy reached on any of them."""
    rows = workload["rows"]
    reached = [row["flops"] / min(row["peers"]["numpy"]["times"]) for row in rows if "numpy" in row["peers"]]
    peak = max(reached, default=None)
    cells = []
    for row in rows:
        ours, theirs = (row["peers"].get(name) for name in (OURS, "numpy"))
        speed = ours and row["flops"] / median(ours["times"])
        cells.append(
            [
                row["case"],
                *(number(peer and median(peer["times"]) / 1e-6) for peer in (ours, theirs)),
                number(speed and speed / 1e9),
                number(ratio(row, "numpy")),
                percent(speed / peak if speed and peak else None),
            ]
        )
    return table(["M x N x K", "fastkeras, us", "numpy, us", "GFLOP/s", "ratio", "of peak"], cells)


def markdown(report, figures=()):
    """The whole report: what the README shows. figures: the names of files that plots.write has drawn."""
    workloads = report["workloads"]
    products = [workload for workload in workloads if any(row["flops"] for row in workload["rows"])]
    rows = [(workload, row) for workload in workloads if workload not in products for row in workload["rows"]]
    sizes = [(workload, row) for workload, row in rows if workload["axis"]]
    whole = [(workload, row) for workload, row in rows if not workload["axis"]]
    names = [name for name in LIBRARIES if any(name in row["peers"] for _, row in rows)]
    dates = " and ".join(sorted({workload["date"] for workload in workloads}))
    parts = ["# fastkeras and its peers", heading(report)]
    if dates:
        parts.append(f"Measured on {dates}.")

    def add(title, text, cells, figure=None):
        """A section, if there is something in its table."""
        if cells:
            images = [f"![{title}]({name})" for name in figures if name.startswith(f"{figure}.")]
            parts.extend([f"## {title}", *images, text, cells])

    add(
        "Time",
        f"Medians of {rounds_of(whole)} rounds, in which the peers take turns. A step is one of a later epoch, without "
        "what the first one prepares. Spread: the distance between the quartiles of fastkeras's rounds, as a share of "
        "their median. Against the fastest: its time / fastkeras's, the median of the rounds.",
        time_table(whole, names),
        "steps",
    )
    add(
        "Time and size",
        f"One model at several sizes; medians of {rounds_of(sizes)} rounds.",
        time_table(sizes, names),
        "sizes",
    )
    add(
        "Losses",
        "The largest difference of the epochs' losses from fastkeras's, as a share of the first loss. All start from "
        "the same weights and read the same batches. Models with dropout differ by chance. Where ids repeat under an "
        "adaptive optimizer, Keras 3 on TensorFlow computes another formula; so does PyTorch's RMSprop everywhere.",
        figure_table(whole, names, loss_difference, scientific),
        "losses",
    )
    add(
        "Before the first step",
        "Seconds for building, tracing and compiling: the first epoch or call, less a later one.",
        figure_table(whole, names, lambda row, name: preparation(row["peers"][name]), number),
        "costs",
    )
    add(
        "Peak memory, MB",
        "Of the whole process, after the workload.",
        figure_table(whole, names, lambda row, name: row["peers"][name]["memory"], megabytes),
    )
    add(
        "Installed, MB",
        "The files of the package and of all that it needs, which other packages may need as well.",
        size_table(report["installed"]),
    )
    for workload in products:
        add(f"{workload['title']}".capitalize(), "Against numpy (OpenBLAS).", product_table(workload))
    return "\n\n".join(parts)


def rounds_of(rows):
    """The fewest and the most rounds in which one of the rows was measured, as in "3 to 7"."""
    rounds = {len(peer["times"]) for _, row in rows for peer in row["peers"].values()}
    return " to ".join(map(str, sorted({min(rounds, default=0), max(rounds, default=0)})))


def time_table(rows, names):
    """Each workload's median time in every library, the spread of fastkeras's, how many times the fastest peer's speed
    fastkeras has, and how many it is meant to have."""
    lines = []
    for workload, row in rows:
        unit = UNITS[workload["unit"]]
        times = {name: median(peer["times"]) / unit for name, peer in row["peers"].items()}
        gain = ratio(row, fastest_peer(row))
        line = [title_of(workload, row), workload["batch"] or "-", unit_of(workload)]
        line += [number(times.get(name)) for name in names]
        line.append(percent(spread(row["peers"][OURS]["times"]) if OURS in row["peers"] else None))
        lines.append([*line, f"{number(gain)} x" if gain else "-", goal_of(workload)])
    header = ["workload", "batch", "unit", *titles_of(names), "spread", "against the fastest", "goal"]
    return table(header, lines) if lines else ""


def figure_table(rows, names, figure, text):
    """A figure of each workload, figure(row, name), in every library; workloads without it are left out."""
    lines = []
    for workload, row in rows:
        figures = [figure(row, name) if name in row["peers"] else None for name in names]
        if any(value is not None for value in figures):
            lines.append([title_of(workload, row), *map(text, figures)])
    return table(["workload", *titles_of(names)], lines) if lines else ""


def megabytes(value):
    return number(value and value / 1e6)


def scientific(value):
    """One digit and a power of ten, for differences."""
    return "-" if value is None else f"{value:.0e}"


def size_table(installed):
    names = [name for name in LIBRARIES if name in installed and name in TRAINERS]
    return table(titles_of(names), [[megabytes(installed[name]) for name in names]]) if names else ""
