"""Arguments that several of the commands take."""

import argparse
from pathlib import Path

from benchmarks.machine import processors
from benchmarks.workloads import in_steps


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a positive integer. Received: {text!r}")
    return int(text)


def folder(text):
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"expected a folder that exists. Received: {text!r}")
    return Path(text)


def of_steps(command, description):
    """The parser of a command that looks into steps of fastkeras: --workload, --threads and --data."""
    names = in_steps()
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{command}", description=description)
    parser.add_argument("--workload", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--threads", type=positive, default=processors(), metavar="N", help="default: all processors")
    parser.add_argument("--data", type=folder, metavar="FOLDER", help="as for python -m benchmarks")
    return parser
