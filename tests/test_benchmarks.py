"""Running the benchmarks: peers in turns, rounds, failures, and the command's arguments. No time is judged here."""

import os
import sys

import pytest
from benchmark_cases import short_report

from benchmarks import __main__ as command
from benchmarks import compare, data, libraries, workload
from benchmarks.peer import PeerError
from benchmarks.workloads import WORKLOADS, gemm


class TwoCases(workload.Workload):
    name = "two-cases"
    title = "two cases"
    unit, per = "ms", "step"
    batch = 32
    cases = ("a", "b")
    most_rounds = 3


class FakePeer:
    """Takes `seconds` for a unit of work, more by a tenth each time; fails when it is asked to do `fails`."""

    def __init__(self, name, seconds, turns, fails=None):
        self.name, self.seconds, self.turns, self.fails = name, seconds, turns, fails

    def load(self):
        self._fail("load")

    def start(self, name, path):
        self.turns.append((self.name, "start"))
        self._fail("start")
        return {"first": 1.5, "units": 3}

    def measure(self, case):
        self.turns.append((self.name, case))
        self._fail(case)
        self.seconds *= 1.1
        return self.seconds

    def losses(self):
        self._fail("losses")
        return [0.5, 0.25]

    def memory(self):
        self._fail("memory")
        return 50_000_000

    def disturbance(self):
        return 0.02

    def _fail(self, doing):
        if doing == self.fails:
            raise PeerError("it broke")


def measured(peers, rounds=2):
    return compare.measure(TwoCases(), peers, "data.npz", rounds, pause=0)


def test_peers_take_turns_round_after_round():
    turns = []
    measured({"fastkeras": FakePeer("fastkeras", 1.0, turns), "torch": FakePeer("torch", 2.0, turns)})
    assert turns[:2] == [("fastkeras", "start"), ("torch", "start")]
    assert turns[2:] == [(name, case) for case in "ab" for _ in range(2) for name in ("fastkeras", "torch")]


def test_every_round_is_kept_but_no_more_than_the_workload_allows():
    rows = measured({"torch": FakePeer("torch", 1.0, [])}, rounds=9)["rows"]
    assert [row["case"] for row in rows] == ["a", "b"]
    assert rows[0]["peers"]["torch"]["times"] == pytest.approx([1.1, 1.21, 1.331])
    assert rows[1]["peers"]["torch"]["times"] == pytest.approx([1.4641, 1.61051, 1.771561])


def test_what_is_known_of_a_peer_stands_beside_its_times():
    peer = measured({"torch": FakePeer("torch", 1.0, [])})["rows"][0]["peers"]["torch"]
    about = {"first": 1.5, "units": 3, "losses": [0.5, 0.25], "memory": 50_000_000, "disturbance": 0.02}
    assert peer == {"times": peer["times"]} | about


@pytest.mark.parametrize(
    ("done", "seconds", "rounds", "most", "more"),
    [
        (6, 1.0, None, 9, True),
        (7, 1.0, None, 9, False),
        (5, 1.0, None, 5, False),
        (2, 99.0, None, 9, True),
        (3, 99.0, None, 9, False),
        (8, 99.0, 9, 9, True),
        (9, 1.0, 9, 9, False),
        (3, 1.0, 9, 3, False),
    ],
)
def test_rounds_that_take_long_are_fewer_unless_a_number_is_asked_for(done, seconds, rounds, most, more):
    assert compare.another_round(done, seconds, rounds, most) is more


def test_cases_can_be_chosen():
    chosen = compare.measure(TwoCases(), {"torch": FakePeer("torch", 1.0, [])}, "data.npz", 1, ["b", "c"], pause=0)
    assert [row["case"] for row in chosen["rows"]] == ["b"]
    sizes = gemm.Gemm().chosen(["64 x 96 x", "7 x 5 x 3 y", "64 x 96 x 32 y", "7 x 5"])
    assert sizes == ["64 x 96 x 32 y", "64 x 96 x 32 dx", "64 x 96 x 32 dW", "7 x 5 x 3 y"]


@pytest.mark.parametrize("fails", ["load", "start", "b", "memory", "losses"])
def test_a_peer_that_fails_is_left_out_and_said(fails):
    result = measured({"jax": FakePeer("jax", 1.0, [], fails), "torch": FakePeer("torch", 1.0, [])})
    assert result["failed"] == {"jax": "it broke"}
    assert [list(row["peers"]) for row in result["rows"]] == [["torch"], ["torch"]]
    assert len(result["rows"][1]["peers"]["torch"]["times"]) == 2


@pytest.mark.parametrize("folder", [None, "."])
def test_a_workload_without_its_file_is_skipped(folder, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(data, "folder", folder and tmp_path)
    report = compare.run(["reuters-lstm"], {}, 1, 1, [""])
    assert report["workloads"] == []
    assert (
        "reuters-lstm: skipped: no file reuters.jsonl.gz (name a folder that has it: --data" in capsys.readouterr().out
    )


def test_the_roofline_is_that_of_what_was_measured_in_steps(monkeypatch, capsys):
    about = {"versions": {"fastkeras": {}}, "installed": {}, "missing": {}}
    results = {
        name: short_report(name)["workloads"][0] for name in ("gemm", "tiny-mlp", "char-lstm", "predict-tagging-bilstm")
    }
    results["char-lstm"]["failed"] = {"fastkeras": "it broke"}
    monkeypatch.setattr(compare, "find_peers", lambda pythons, threads: dict(about))
    monkeypatch.setattr(compare, "run_workload", lambda work, *arguments: results[work.name])
    monkeypatch.setattr(compare, "measure_roofline", lambda *arguments: arguments)
    kept, names = [], list(results)
    report = compare.run(names, {"fastkeras": "python"}, 2, 1, [""], True, lambda report: kept.append(dict(report)))
    assert report["roofline"] == (["tiny-mlp", "predict-tagging-bilstm"], "python", 2)
    assert kept[-1] == report

    def fail(*arguments):
        raise PeerError("it broke")

    monkeypatch.setattr(compare, "measure_roofline", fail)
    assert "roofline" not in compare.run(names, {"fastkeras": "python"}, 2, 1, [""], True)
    assert "roofline: failed: it broke" in capsys.readouterr().out
    assert "roofline" not in compare.run(["gemm"], {"fastkeras": "python"}, 2, 1, [""], True)
    assert "roofline" not in compare.run(names, {"fastkeras": "python"}, 2, 1, [""])


def test_peers_are_given_with_their_interpreters():
    options = command.parse_arguments(["--peer", "tf=venv/python", "fastkeras=/b/python", "torch", "jax=python3"])
    here = os.path.abspath("venv/python")  # each peer works in a folder of its own
    expected = {"tf": here, "fastkeras": "/b/python", "torch": sys.executable, "jax": "python3", "numpy": "/b/python"}
    assert options.peer == expected
    assert command.parse_arguments([]).peer == dict.fromkeys(libraries.LIBRARIES, sys.executable)
    assert command.parse_arguments([]).workload == list(WORKLOADS)
    assert command.parse_arguments([]).repeat is None
    assert command.parse_arguments(["--rounds", "3"]).repeat == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--peer", "theano=/a/python"],
            "expected one of fastkeras, tf, tf_keras, jax, torch, numpy. Received: 'theano'",
        ),
        (["--threads", "0"], "expected a positive integer. Received: '0'"),
        (["--repeat", "many"], "expected a positive integer. Received: 'many'"),
        (["--workload", "sleep"], "invalid choice: 'sleep'"),
        (["--data", "no/such/folder"], "expected a folder that exists. Received: 'no/such/folder'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        command.parse_arguments(arguments)
    assert message in capsys.readouterr().err
