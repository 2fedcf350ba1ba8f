"""Medians, spread and ratios of what was measured, as Markdown tables."""

from statistics import median, quantiles

from benchmarks.libraries import LIBRARIES

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
        f"{report['threads']} thread{'s' if report['threads'] > 1 else ''}, medians of {report['rounds']} rounds",
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
    header += ["first, s", "peak memory, MB", "loss", "others' load"]
    rows = []
    for row in workload["rows"]:
        for name, peer in row["peers"].items():
            rows.append(
                [
                    ", ".join(filter(None, [LIBRARIES[name].title, row["case"]])),
                    number(median(peer["times"]) / unit),
                    percent(spread(peer["times"])),
                    number(ratio(row, name)),
                    number(peer["first"]),
                    number(peer["memory"] and peer["memory"] / 1e6),
                    number(peer["loss"]),
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


def markdown(report):
    """The whole report: what the README shows."""
    products = [workload for workload in report["workloads"] if any(row["flops"] for row in workload["rows"])]
    rows = [(workload, row) for workload in report["workloads"] if workload not in products for row in workload["rows"]]
    names = [name for name in LIBRARIES if any(name in row["peers"] for _, row in rows)]
    parts = [heading(report)]
    if rows:
        parts.append(time_table(rows, names))
        parts.append("Seconds of the first epoch or call (build, trace, compile, train):")
        parts.append(figure_table(rows, names, "first", 1))
        parts.append("Peak memory, MB:")
        parts.append(figure_table(rows, names, "memory", 1e6))
    for workload in products:
        parts.append(f"{workload['title']}:")
        parts.append(product_table(workload))
    return "\n\n".join(parts)


def time_table(rows, names):
    """Each workload's median time in every library, and how many times faster than the fastest peer fastkeras is."""
    lines = []
    for workload, row in rows:
        unit = UNITS[workload["unit"]]
        times = {name: median(peer["times"]) / unit for name, peer in row["peers"].items()}
        gain = ratio(row, fastest_peer(row))
        line = [title_of(workload, row), workload["batch"] or "-", unit_of(workload)]
        line += [number(times.get(name)) for name in names]
        lines.append([*line, f"{number(gain)} x" if gain else "-"])
    return table(["workload", "batch", "unit", *titles_of(names), "against the fastest"], lines)


def figure_table(rows, names, key, scale):
    """One figure of each workload, such as its peak memory, in every library; workloads without it are left out."""
    lines = []
    for workload, row in rows:
        figures = [row["peers"].get(name, {}).get(key) for name in names]
        if any(figures):
            figures = [number(figure and figure / scale) for figure in figures]
            lines.append([title_of(workload, row), *figures])
    return table(["workload", *titles_of(names)], lines)
