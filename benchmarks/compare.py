"""Turns: each peer in its own process, one works while the others sleep, round after round."""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.data import MissingFileError
from benchmarks.libraries import LIBRARIES
from benchmarks.peer import MissingError, Peer, PeerError
from benchmarks.report import details, heading
from benchmarks.workloads import WORKLOADS

PAUSE = 0.05  # seconds before each turn: the threads of the peer before stop waiting for work and sleep


def find_peers(pythons, threads):
    """({name: {module: version}} of the libraries that can be loaded, {name: why} of the others).

    pythons: {name: interpreter}.
    """
    versions, missing = {}, {}
    for name, python in pythons.items():
        try:
            with Peer(name, python, threads) as peer:
                versions[name] = peer.load()
        except (MissingError, PeerError) as error:
            missing[name] = str(error)
    return versions, missing


def measure(workload, peers, path, rounds, texts=("",), pause=PAUSE):
    """Measures a workload in peers, in turn: returns {"rows": [...], "failed": {name: why}}.

    peers: {name: Peer}; one that fails is left out altogether. texts: what `chosen` takes of the workload's cases.
    A row is one case: {"case": ..., "flops": ..., "peers": {name: {"times": seconds of each round, "first", "loss",
    "memory", "disturbance"}}}.
    """
    going, failed = dict(peers), {}

    def ask(name, do, *arguments):
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
        for _ in range(min(rounds, workload.most_rounds)):
            for name in list(going):
                time.sleep(pause)
                times[case][name].append(ask(name, "measure", case))
    for name in list(going):
        about[name] |= {"disturbance": peers[name].disturbance(), "memory": ask(name, "memory")}
    rows = [
        {
            "case": case,
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
    about = {key: getattr(workload, key) for key in ("name", "title", "batch", "unit", "per")}
    return about | result


def run(names, pythons, threads, rounds, texts, file=None):
    """Runs the workloads and returns all that was measured; prints it, and writes it to the file, as it comes."""
    versions, missing = find_peers(pythons, threads)
    report = {
        "machine": machine.describe(),
        "threads": threads,
        "rounds": rounds,
        "versions": versions,
        "missing": missing,
        "workloads": [],
    }
    print(heading(report), flush=True)
    found = {name: pythons[name] for name in LIBRARIES if name in versions}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(f"{name} ...", file=sys.stderr, flush=True)
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
            if file:
                file.write_text(json.dumps(report, indent=1) + "\n")
    return report
