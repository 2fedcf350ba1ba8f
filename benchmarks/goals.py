"""What stands between fastkeras and its goals: the workloads that have not reached them, and how far they could come.

The roof of a step (roofline.py) is what its products take at the speed of the fastest product, and its arrays at
that of memory.
"""

from statistics import median

from benchmarks.report import OURS, UNITS, fastest_peer, goal_of, number, ratio, table, title_of, unit_of
from benchmarks.roofline import BEYOND_MEMORY, WHOLE

ABOUT = (
    "At the roof: what a step would take if its products ran at the speed of the fastest product, and its arrays at "
    f"that of memory; would be: the times of the fastest peer's speed that this makes. {BEYOND_MEMORY}"
)


def short_of_goal(report):
    """[(workload, row, seconds that fastkeras takes, how many times as fast as the fastest peer it is)]"""
    found = []
    for workload in report["workloads"]:
        for row in workload["rows"]:
            gain = ratio(row, fastest_peer(row))
            if gain is None or row["flops"]:  # no peer, or a product alone, which has a table of its own
                continue
            ours = median(row["peers"][OURS]["times"])
            if gain < workload["goal"] or ours > (workload["limit"] or ours):
                found.append((workload, row, ours, gain))
    return found


def markdown(report):
    """A table of the workloads that are short of their goals; "" if there are none."""
    phases = report.get("roofline", {"rows": []})["rows"]
    roofs = {phase["workload"]: phase["seconds"] - phase["lost"] for phase in phases if phase["phase"] == WHOLE}
    lines = []
    for workload, row, ours, gain in short_of_goal(report):
        unit, roof = UNITS[workload["unit"]], roofs.get(workload["name"])
        at_roof = (number(roof / unit), f"{number(gain * ours / roof)} x") if roof else ("-", "-")
        cells = unit_of(workload), goal_of(workload), f"{number(gain)} x", number(ours / unit), *at_roof
        lines.append([title_of(workload, row), *cells])
    header = ["workload", "unit", "goal", "reached", "takes", "at the roof", "would be"]
    return table(header, lines) if lines else ""
