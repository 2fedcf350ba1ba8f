"""Turns: each peer in its own process, one works while the others sleep, round after round."""

import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks import data, machine
from benchmarks.data import MissingFileError
from benchmarks.libraries import LIBRARIES
from benchmarks.peer import MissingError, Peer, PeerError
from benchmarks.report import OURS, details, heading
from benchmarks.workloads import WORKLOADS, in_steps

# Seconds before each turn, in which the threads of the peer before stop waiting for work: numpy's (OpenBLAS) turn for
# 0.105 s after a product, and take half of what comes on their core.
PAUSE = 0.2
ROUNDS = 3, 7  # at the least and at the most, where no number is asked for
ENOUGH = 6.0  # seconds of a case after which the least will do


def find_peers(pythons, threads):
    """What is known of the libraries before any work: {"versions": {name: {module: version}} of those that can be
    loaded, "installed": {name: bytes}, "missing": {name: why} of the others}.

    pythons: {name: interpreter}.
    """
    versions, installed, missing = {}, {}, {}
    for name, python in pythons.items():
        try:
            with Peer(name, python, threads) as peer:
                versions[name] = peer.load()
                installed[name] = peer.installed()
        except (MissingError, PeerError) as error:
            missing[name] = str(error)
    return {"versions": versions, "installed": installed, "missing": missing}


def another_round(done, seconds, rounds, most):
    """Whether a case that was measured in so many rounds, and took so long, is measured in another one.

    rounds: how many are asked for, or None for as many as ROUNDS and ENOUGH give. most: of the workload.
    """
    if rounds is None:
        rounds = ROUNDS[0] if seconds > ENOUGH else ROUNDS[1]
    return done < min(rounds, most)


def measure(workload, peers, path, rounds, texts=("",), pause=PAUSE):
    """Measures a workload in peers, in turn: returns {"rows": [...], "failed": {name: why}}.

    peers: {name: Peer}; one that fails is left out altogether. texts: what `chosen` takes of the workload's cases.
    A row is one case: {"case", "x", "flops": what the workload says of it, "peers": {name: {"times": seconds of each
    round, "first", "units", "losses", "memory", "disturbance"}}}.
    """
    going, failed = dict(peers), {}

    def ask(name, do, *arguments):
        if name in failed:
            return None
        try:
            return getattr(going[name], do)(*arguments)
        except (MissingError, PeerError) as error:
            failed[name] = str(error)
            del going[name]
            return None

    for name in peers:
        ask(name, "load")
    about = {name: ask(name, "start", workload.name, path) for name in list(going)}
    cases = workload.chosen(texts)
    times = {case: {name: [] for name in peers} for case in cases}
    for case in cases:
        begin, done = time.perf_counter(), 0
        while another_round(done, time.perf_counter() - begin, rounds, workload.most_rounds):
            for name in list(going):
                time.sleep(pause)
                times[case][name].append(ask(name, "measure", case))
            done += 1
    for name in list(going):
        about[name] |= {"disturbance": peers[name].disturbance()}
        about[name] |= {figure: ask(name, figure) for figure in ("memory", "losses")}
    rows = [
        {
            "case": case,
            "x": workload.x(case),
            "flops": workload.flops(case),
            "peers": {name: {"times": times[case][name]} | about[name] for name in going},
        }
        for case in cases
    ]
    return {"rows": rows, "failed": failed}


def run_workload(workload, pythons, threads, rounds, texts, folder):
    """One workload's result, as `measure` gives it and with what a table says about the workload."""
    path = Path(folder) / f"{workload.name}.npz"
    np.savez(path, **workload.data())
    peers = {}
    try:
        for name in workload.peers:
            if name in pythons:
                peers[name] = Peer(name, pythons[name], threads)
        result = measure(workload, peers, path, rounds, texts)
    finally:
        for peer in peers.values():
            peer.close()
        path.unlink()
    about = {key: getattr(workload, key) for key in ("name", "title", "batch", "unit", "per", "axis", "goal", "limit")}
    return about | {"date": date.today().isoformat()} | result


def measured_in_steps(report):
    """The names of the report's workloads that fastkeras did, and that phases.py can look into."""
    known = in_steps()
    names = [workload["name"] for workload in report["workloads"] if OURS not in workload["failed"]]
    return [name for name in names if name in known]


def measure_roofline(names, python, threads):
    """What each phase of a fastkeras step loses in these workloads, in a process of its own."""
    with Peer(OURS, python, threads) as peer:
        peer.load()
        return peer.roofline(names, data.folder)


def keep_nothing(report):
    """For who does not want the report before the end."""


def run(names, pythons, threads, rounds, texts, roofline=False, keep=keep_nothing):
    """Runs the workloads and returns all that was measured; prints it, and calls `keep` with it, as it comes.

    roofline: whether to tell also what each phase of fastkeras's steps loses.
    """
    report = {"machine": machine.describe(), "threads": threads} | find_peers(pythons, threads) | {"workloads": []}
    keep(report)
    print(heading(report), flush=True)
    found = {name: pythons[name] for name in LIBRARIES if name in report["versions"]}
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(f"{time.perf_counter() - begin:5.0f} s  {name}", file=sys.stderr, flush=True)
            try:
                result = run_workload(WORKLOADS[name], found, threads, rounds, texts, folder)
            except ModuleNotFoundError as error:
                print(f'\n{name}: skipped: {error} (its data: pip install "fastkeras[benchmarks]")', flush=True)
                continue
            except MissingFileError as error:
                print(f"\n{name}: skipped: {error}", flush=True)
                continue
            report["workloads"].append(result)
            print(details(result), flush=True)
            keep(report)
    names = measured_in_steps(report)
    if roofline and names and OURS in found:
        try:
            report["roofline"] = measure_roofline(names, found[OURS], threads)
        except PeerError as error:
            print(f"\nroofline: failed: {error}", flush=True)
        keep(report)
    return report
