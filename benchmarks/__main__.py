"""The command: see `python -m benchmarks --help`."""

import argparse
import os
import sys
from pathlib import Path

from benchmarks import compare, data, machine, results
from benchmarks.arguments import folder, positive
from benchmarks.libraries import LIBRARIES
from benchmarks.report import markdown
from benchmarks.workloads import WORKLOADS


def peer(text):
    """("tf", interpreter) of "tf=interpreter"; this interpreter for "tf" alone. A path is made absolute."""
    name, _, python = text.partition("=")
    if name not in LIBRARIES:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(LIBRARIES)}. Received: {name!r}")
    return name, os.path.abspath(python) if os.sep in python else python or sys.executable


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="The same work in fastkeras and in its peers, in turn, round after round. A peer that is not "
        "installed is skipped. Times are medians; a ratio is a peer's time / fastkeras's.",
    )
    here = [(name, sys.executable) for name in LIBRARIES]
    add = parser.add_argument
    add("--workload", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME", help=", ".join(WORKLOADS))
    add(
        "--case", nargs="+", default=[""], metavar="TEXT", help="only cases that hold such a text, as '1024 x' for gemm"
    )
    add("--peer", nargs="+", type=peer, default=here, metavar="NAME[=PYTHON]",
        help=f"which libraries, and the interpreter that has each (default: all, this one): {', '.join(LIBRARIES)}; "
        "numpy, for gemm, is found beside fastkeras")  # fmt: skip
    add("--threads", type=positive, default=machine.processors(), metavar="N", help="default: all processors")
    least, most = compare.ROUNDS
    add("--repeat", "--rounds", type=positive, metavar="R", help="how often each peer is measured "
        f"(default: {least} times or, if that takes less than {compare.ENOUGH:.0f} s, up to {most} times)")  # fmt: skip
    add("--data", type=folder, metavar="FOLDER", help="where reuters.jsonl.gz and treebank.jsonl.gz are (see data.py)")
    add("--report", type=Path, metavar="FOLDER", help="write results.json, report.md and plots into it; workloads that "
        "results.json has from earlier runs stay if they are not measured again")  # fmt: skip
    add(
        "--roofline", action="store_true", help="tell also what each phase of fastkeras's steps loses (see roofline.py)"
    )
    add("--tables", nargs="+", type=Path, metavar="FILE", help="measure nothing, print the tables of such results.json")
    options = parser.parse_args(arguments)
    options.peer = dict(options.peer)
    if "fastkeras" in options.peer:
        options.peer.setdefault("numpy", options.peer["fastkeras"])
    return options


def main():
    options = parse_arguments()
    if options.tables:
        print("\n\n".join(markdown(results.load(file)) for file in options.tables))
        return 0
    data.folder = options.data
    keep = results.keeper(options.report) if options.report else compare.keep_nothing
    asked = options.workload, options.peer, options.threads, options.repeat, options.case, options.roofline
    try:
        report = compare.run(*asked, keep)
    except results.ResultsError as error:
        sys.exit(f"python -m benchmarks: {error}")
    if options.report:
        print(results.publish(options.report))
    return 1 if any(workload["failed"] for workload in report["workloads"]) else 0


if __name__ == "__main__":
    sys.exit(main())
