"""The folder of a report: results.json with all that was measured, report.md, and the plots.

A later run into the same folder replaces the workloads that it measures and keeps the others, so that a report may be
made piece by piece. It must be of the same machine, threads and versions: the report says them once.
"""

import argparse
import json
from pathlib import Path

from benchmarks import goals, roofline
from benchmarks.report import markdown
from benchmarks.workload import Workload
from benchmarks.workloads import WORKLOADS

NAME = "results.json"


class ResultsError(Exception):
    """The folder's results and the new ones do not go together."""


def read(folder):
    """The report of an earlier run into the folder, or None."""
    path = folder / NAME
    return load(path) if path.exists() else None


def load(path):
    """The report in a results.json. A workload that was written without a goal or a limit has that of today."""
    report = json.loads(path.read_text())
    for workload in report["workloads"]:
        today = WORKLOADS.get(workload["name"], Workload)
        for key in "goal", "limit":
            workload.setdefault(key, getattr(today, key))
    return report


def merged(earlier, report):
    """A report of both runs. A workload that both have is the later one's."""
    if earlier is None:
        return report
    for key in "machine", "threads":
        _same(key, earlier[key], report[key])
    for name in earlier["versions"].keys() & report["versions"].keys():
        _same(f"versions of {name}", earlier["versions"][name], report["versions"][name])
    workloads = {workload["name"]: workload for workload in earlier["workloads"] + report["workloads"]}
    both = {key: earlier[key] | report[key] for key in ("versions", "installed", "missing")}
    both["missing"] = {name: why for name, why in both["missing"].items() if name not in both["versions"]}
    order = [name for name in WORKLOADS if name in workloads]
    return earlier | report | both | {"workloads": [workloads[name] for name in order]}


def _same(what, before, now):
    if before != now:
        raise ResultsError(
            f"the folder holds results of another run: {what} {before}, now {now}. "
            f"Name another folder, or remove its {NAME}"
        )


def keeper(folder):
    """A function that writes a report, as far as it has come, into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    earlier = read(folder)

    def keep(report):
        (folder / NAME).write_text(json.dumps(merged(earlier, report), indent=1) + "\n")

    return keep


def publish(folder):
    """Writes report.md and the plots of a folder's results.json; returns what there is to say about it."""
    report, figures, said = read(folder), [], f"written: {folder / 'report.md'}"
    try:
        from benchmarks import plots
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        said += '; no plots: matplotlib is not installed (pip install "fastkeras[plots]")'
    else:
        figures = plots.write(folder, report)
        said += "".join(f", {name}" for name in figures)
    text = markdown(report, figures)
    short = goals.markdown(report)
    if short:
        text += "\n\n## Short of the goal\n\n" + goals.ABOUT + "\n\n" + short
    if report.get("roofline"):
        text += "\n\n## Where fastkeras's steps lose\n\n" + roofline.markdown(report["roofline"])
    (folder / "report.md").write_text(text + "\n")
    return said


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.results",
        description="Writes report.md and the plots of a folder's results.json again.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="one that python -m benchmarks --report has written"
    )
    folder = parser.parse_args().folder
    if read(folder) is None:
        parser.error(f"no {NAME} in {folder}")
    print(publish(folder))


if __name__ == "__main__":
    main()
