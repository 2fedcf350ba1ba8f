"""The benchmarks' own logic: turns, failures, ratios, tables, and the pipe to a peer. No time is judged here."""

import gzip
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastkeras

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # after an installed fastkeras

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import (  # noqa: E402
    compare,
    data,
    installed,
    libraries,
    machine,
    memory,
    phases,
    report,
    results,
    worker,
    workload,
)
from benchmarks.peer import MissingError, Peer, PeerError  # noqa: E402
from benchmarks.workloads import (  # noqa: E402
    WORKLOADS,
    blocks,
    characters,
    gemm,
    graph,
    mlp,
    predict,
    reuters,
    startup,
    sweeps,
)
from fastkeras._kernels import lstm  # noqa: E402


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


def row(**times):
    peers = {
        name: {"times": list(t), "first": 2.5, "units": 50, "losses": [0.125], "memory": 64e6, "disturbance": 0.01}
        for name, t in times.items()
    }
    return {"case": "", "x": None, "flops": None, "peers": peers}


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    measured = row(fastkeras=[1.0, 2.0, 4.0], torch=[3.0, 8.0, 8.0], tf=[9.0, 9.0, 9.0])
    assert report.ratio(measured, "torch") == 3.0  # of 3, 4, 2; the medians' ratio would be 4
    assert report.fastest_peer(measured) == "torch"
    assert report.ratio(measured, "fastkeras") is None
    assert report.ratio(row(torch=[1.0]), "torch") is None
    assert report.fastest_peer(row(fastkeras=[1.0])) is None


def test_the_preparation_is_what_the_first_epoch_takes_beyond_a_later_one():
    peer = row(torch=[0.01, 0.04, 0.02])["peers"]["torch"]
    assert report.preparation(peer) == pytest.approx(2.5 - 50 * 0.02)
    assert report.preparation(peer | {"times": [0.1]}) == 0
    assert report.preparation(peer | {"first": None}) is None


def test_losses_are_compared_over_the_epochs_that_both_trained():
    found = row(fastkeras=[1.0], torch=[1.0], tf=[1.0])
    for name, losses in {"fastkeras": [2.0, 1.0, 0.5], "torch": [2.0, 1.1], "tf": []}.items():
        found["peers"][name]["losses"] = losses
    assert report.loss_difference(found, "torch") == pytest.approx(0.05)  # of the first loss
    assert report.loss_difference(found, "tf") is None
    assert report.loss_difference(found, "fastkeras") is None
    assert report.loss_difference(row(torch=[1.0]), "torch") is None


def test_spread_is_the_distance_of_the_quartiles_over_the_median():
    assert report.spread([4.0, 1.0, 2.0, 3.0, 5.0]) == pytest.approx(2.0 / 3.0)
    assert report.spread([4.0]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (1234.4, "1234"), (45.67, "45.7"), (4.567, "4.57"), (0.4567, "0.457"), (0.0123, "0.0123")],
)
def test_numbers_have_three_digits(value, text):
    assert report.number(value) == text


def whole_report(**changes):
    product = {
        "case": "2 x 3 x 5 y",
        "x": None,
        "flops": 60,
        "peers": {"fastkeras": {"times": [2e-6]}, "numpy": {"times": [1e-6]}},
    }
    steps = {
        "name": "steps",
        "title": "a model",
        "batch": 32,
        "unit": "ms",
        "per": "step",
        "axis": None,
        "date": "2026-11-23",
    }
    products = steps | {"name": "gemm", "title": "products", "batch": None, "unit": "us", "per": "call", "failed": {}}
    return {
        "machine": {"cpu": "A processor", "instruction set": "AVX2", "processors": 2, "system": "Linux"},
        "threads": 2,
        "installed": {"fastkeras": 92e6, "torch": 865e6, "numpy": 70e6},
        "versions": {"fastkeras": {"fastkeras": "1.0"}, "torch": {"torch": "2.0"}},
        "missing": {"tf": "No module named 'tensorflow'"},
        "workloads": [
            steps
            | {"failed": {"jax": "it broke"}, "rows": [row(fastkeras=[0.001, 0.002, 0.003], torch=[0.01, 0.02, 0.03])]},
            products | {"rows": [product]},
        ],
    } | changes


def cells(text, start):
    """The cells of the one table line that starts with a text."""
    (line,) = [line for line in text.split("\n") if line.startswith(start)]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_report_says_machine_versions_and_what_is_missing():
    text = report.markdown(whole_report())
    assert "A processor, AVX2, 2 processors, Linux; 2 threads\n" in text
    assert "Measured on 2026-11-23." in text
    assert "- PyTorch: torch 2.0" in text
    assert "- TF + Keras 3: skipped: No module named 'tensorflow'" in text


def test_the_report_has_a_line_for_each_workload():
    text = report.markdown(whole_report())
    steps, losses, preparation, memory = text.split("| workload")[1:]
    assert "Medians of 3 rounds" in text
    assert cells(steps, "| a model") == ["a model", "32", "ms a step", "2.00", "20.0", "10.0 x"]
    assert cells(losses, "| a model") == ["a model", "-", "0e+00"]
    assert cells(preparation, "| a model") == ["a model", "2.40", "1.50"]
    assert cells(memory, "| a model") == ["a model", "64.0", "64.0"]
    assert cells(text, "| 92.0") == ["92.0", "865"]  # numpy is no peer
    assert cells(text, "| 2 x 3 x 5 y") == ["2 x 3 x 5 y", "2.00", "1.00", "0.0300", "0.500", "50%"]


def test_sizes_are_a_table_of_their_own_and_figures_are_shown_where_they_belong():
    found = whole_report()
    sweep = found["workloads"][0] | {
        "title": "a sweep",
        "axis": "rows",
        "rows": [row(torch=[0.5]) | {"case": "8", "x": 8}],
    }
    found["workloads"].append(sweep)
    text = report.markdown(found, ["steps.svg", "sizes.svg"])
    assert text.index("| a model") < text.index("## Time and size") < text.index("| a sweep, 8")
    assert text.index("## Time\n\n![Time](steps.svg)") < text.index("## Time and size\n\n![Time and size](sizes.svg)")
    assert "losses.svg" not in text
    assert "## Time and size" not in report.markdown(whole_report())


def test_a_report_of_nothing_is_its_heading():
    text = report.markdown(whole_report(workloads=[], installed={}))
    assert "A processor" in text
    assert "|" not in text


def test_a_peer_without_a_time_is_a_dash():
    found = whole_report()
    found["workloads"][0]["rows"].append(row(torch=[0.5]) | {"case": "long"})
    assert cells(report.markdown(found).split("| workload")[1], "| a model, long")[3:] == ["-", "500", "-"]


def test_details_have_a_line_for_each_peer():
    text = report.details(whole_report()["workloads"][0])
    assert "## steps: a model, batch 32" in text
    assert "Keras on JAX failed: it broke" in text
    assert cells(text, "| fastkeras") == ["fastkeras", "2.00", "50%", "-", "3", "2.40", "64.0", "0.125", "1%"]
    assert cells(text, "| PyTorch")[1:4] == ["20.0", "50%", "10.0"]


def test_the_command_prints_the_reports_of_files(tmp_path, monkeypatch, capsys):
    for name, threads in ("one.json", 1), ("two.json", 2):
        (tmp_path / name).write_text(json.dumps(whole_report(threads=threads)))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--tables", str(tmp_path / "one.json"), str(tmp_path / "two.json")])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert printed.index("1 thread\n") < printed.index("2 threads\n")


def short_report(*names, **changes):
    """A report of the named workloads, each measured by fastkeras and torch."""
    about = whole_report()["workloads"][0] | {"rows": [row(fastkeras=[0.001], torch=[0.002])]}
    return whole_report(workloads=[about | {"name": name} for name in names]) | changes


def test_a_later_run_replaces_its_workloads_and_keeps_the_others():
    earlier = short_report("char-lstm", "tiny-mlp", installed={"fastkeras": 1}, missing={"tf": "no", "jax": "no"})
    later = short_report("tiny-mlp", "gemm", versions={"fastkeras": {"fastkeras": "1.0"}, "tf": {"keras": "3"}},
                         installed={"tf": 2}, missing={})  # fmt: skip
    later["workloads"][0]["title"] = "later"
    both = results.merged(earlier, later)
    assert [(w["name"], w["title"]) for w in both["workloads"]] == [
        ("gemm", "a model"),
        ("tiny-mlp", "later"),
        ("char-lstm", "a model"),
    ]
    assert both["versions"].keys() == {"fastkeras", "torch", "tf"}
    assert both["installed"] == {"fastkeras": 1, "tf": 2}
    assert both["missing"] == {"jax": "no"}  # TensorFlow was found later
    assert results.merged(None, later) is later
    assert results.merged(earlier | {"roofline": {"rows": []}}, later)["roofline"] == {"rows": []}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"threads": 1}, "threads 2, now 1"),
        ({"machine": {"cpu": "another"}}, "machine .* now {'cpu': 'another'}"),
        ({"versions": {"torch": {"torch": "2.1"}}}, r"versions of torch {'torch': '2.0'}, now {'torch': '2.1'}"),
    ],
)
def test_results_of_other_circumstances_are_not_mixed(changes, what):
    with pytest.raises(results.ResultsError, match=what):
        results.merged(short_report("gemm"), short_report("gemm", **changes))


def run_of(*names):
    """A stand-in for compare.run that has measured these workloads; it calls `keep` before and after each."""

    def run(chosen, pythons, threads, rounds, texts, roofline, keep):
        assert (threads, rounds, roofline) == (2, 4, False)
        for n in range(len(names) + 1):
            keep(short_report(*names[:n]))
        return short_report(*names)

    return run


def test_the_command_writes_a_report_and_goes_on_with_it(tmp_path, monkeypatch, capsys):
    arguments = ["benchmarks", "--threads", "2", "--repeat", "4", "--report", str(tmp_path / "new" / "report")]
    monkeypatch.setattr(sys, "argv", arguments)
    for names in ["reuters-lstm"], ["tiny-mlp", "char-lstm"]:
        monkeypatch.setattr(compare, "run", run_of(*names))
        assert command.main() == 1  # JAX failed
    folder = tmp_path / "new" / "report"
    report = json.loads((folder / "results.json").read_text())
    assert [workload["name"] for workload in report["workloads"]] == ["tiny-mlp", "reuters-lstm", "char-lstm"]
    assert (folder / "report.md").read_text().count("| a model") == 4 * 3
    assert "report.md, steps.svg" in capsys.readouterr().out

    monkeypatch.setattr(compare, "run", lambda *arguments: arguments[-1](short_report(threads=1)))
    with pytest.raises(SystemExit, match="another run: threads 2, now 1"):
        command.main()


def test_without_matplotlib_a_report_has_no_plots_and_says_so(tmp_path, monkeypatch):
    for name in list(sys.modules):
        if name == "benchmarks.plots" or name.split(".")[0] == "matplotlib":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("benchmarks.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    results.keeper(tmp_path)(short_report("tiny-mlp"))
    said = results.publish(tmp_path)
    assert said.endswith('no plots: matplotlib is not installed (pip install "fastkeras[plots]")')
    assert "svg" not in (tmp_path / "report.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.md", "results.json"]


def test_the_roofline_is_that_of_the_trainings_that_were_measured(monkeypatch, capsys):
    about = {"versions": {"fastkeras": {}}, "installed": {}, "missing": {}}
    results = {name: short_report(name)["workloads"][0] for name in ("gemm", "tiny-mlp", "char-lstm")}
    results["char-lstm"]["failed"] = {"fastkeras": "it broke"}
    monkeypatch.setattr(compare, "find_peers", lambda pythons, threads: dict(about))
    monkeypatch.setattr(compare, "run_workload", lambda work, *arguments: results[work.name])
    monkeypatch.setattr(compare, "measure_roofline", lambda *arguments: arguments)
    kept, names = [], list(results)
    report = compare.run(names, {"fastkeras": "python"}, 2, 1, [""], True, lambda report: kept.append(dict(report)))
    assert report["roofline"] == (["tiny-mlp"], "python", 2)
    assert kept[-1] == report

    def fail(*arguments):
        raise PeerError("it broke")

    monkeypatch.setattr(compare, "measure_roofline", fail)
    assert "roofline" not in compare.run(names, {"fastkeras": "python"}, 2, 1, [""], True)
    assert "roofline: failed: it broke" in capsys.readouterr().out
    assert "roofline" not in compare.run(["gemm"], {"fastkeras": "python"}, 2, 1, [""], True)
    assert "roofline" not in compare.run(names, {"fastkeras": "python"}, 2, 1, [""])


def test_a_report_ends_with_the_roofline(tmp_path):
    found = {"threads": 2, "peak": 7e9, "bandwidth": 3e9, "rows": []}
    results.keeper(tmp_path)(short_report("tiny-mlp", roofline=found))
    results.publish(tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "## Where fastkeras's steps lose\n\nFastest product: 7.00 GFLOP/s; memory: 3.00 GB/s" in text


def test_plots_are_drawn_again_from_a_folder(tmp_path, monkeypatch, capsys):
    found = short_report("tiny-mlp", "import", "first-epoch-imdb-simple-rnn")
    found["workloads"][1]["rows"][0]["case"] = "numpy included"
    for name in "fastkeras", "torch":
        found["workloads"][0]["rows"][0]["peers"][name]["losses"] = [0.5, 0.25]
    points = [row(fastkeras=[0.001 * n], torch=[0.002]) | {"case": str(n), "x": n} for n in (8, 32)]
    found["workloads"].append(found["workloads"][0] | {"name": "sweep-batch", "axis": "rows", "rows": points})
    monkeypatch.setattr(sys, "argv", ["results", str(tmp_path)])
    with pytest.raises(SystemExit):
        results.main()
    assert "no results.json in" in capsys.readouterr().err

    results.keeper(tmp_path)(found)
    results.main()
    drawn = ["costs.svg", "losses.svg", "sizes.svg", "steps.svg"]
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == drawn
    report = (tmp_path / "report.md").read_text()
    for name in drawn:
        text = (tmp_path / name).read_text()
        assert text.count("fastkeras") > 0
        assert len(text) < 100_000
        assert f"({name})" in report
    before = (tmp_path / "steps.svg").read_bytes()
    results.main()
    assert (tmp_path / "steps.svg").read_bytes() == before


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


@pytest.mark.parametrize("name", libraries.LIBRARIES)
def test_the_environment_is_ours_but_for_threads_and_what_tunes_openblas(name):
    inherited = {"HOME": "/home", "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "1", "OMP_NUM_THREADS": "64"}
    environment = libraries.environment(name, 3, inherited)
    assert environment["HOME"] == "/home"
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(environment)
    told = {key: value for key, value in environment.items() if key.endswith("_THREADS") and value == "3"}
    assert told or name == "jax"


def test_a_missing_library_and_an_error_are_answers(monkeypatch):
    nowhere = libraries.Kind("nowhere", ("no_such_module",), {})
    monkeypatch.setitem(libraries.LIBRARIES, "nowhere", nowhere)
    assert worker.Worker("nowhere", 1).answer("load") == {"missing": "No module named 'no_such_module'"}
    assert "AttributeError" in worker.Worker("numpy", 1).answer("measure", case="a")["error"]


def test_peers_that_cannot_run_are_missing(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')  # no site-packages, so no numpy
    bare.chmod(0o755)
    found = compare.find_peers({"jax": str(tmp_path / "nothing"), "torch": str(bare)}, 1)
    assert found["versions"] == found["installed"] == {}
    assert "No such file or directory" in found["missing"]["jax"]
    assert "No module named 'numpy'" in found["missing"]["torch"]


def test_a_peer_works_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path)
    with Peer("numpy", sys.executable, 1) as peer:
        assert peer.load()["numpy"] == np.__version__
        with pytest.raises(PeerError, match="KeyError: 'no-such-workload'"):
            peer.start("no-such-workload", path)
        assert peer.start("gemm", path) == {"first": None, "units": 1}
        assert peer.losses() == []
        assert 1e6 < peer.installed() < 1e9
        assert 0 < peer.measure("32 x 8 x 4 y") < 1
        if sys.platform == "linux":
            assert 1e6 < peer.memory() < 1e9
            assert 0 <= peer.disturbance() <= 1
        peer._process.kill()
        with pytest.raises(PeerError, match="the process ended"):
            peer.measure("32 x 8 x 4 y")


def test_an_interpreter_that_is_not_there_is_missing():
    with pytest.raises(MissingError, match="no-such-python"):
        Peer("numpy", "no-such-python", 1)


class FakeKeras:
    """A keras module on a clock of its own: building takes 1 s, a fit's first epoch 5 s and each later one 0.1 s."""

    def __init__(self, clock):
        self.clock = clock
        self.callbacks = SimpleNamespace(Callback=object)
        self.epochs_of_fits = []

    @property
    def weights(self):
        return [SimpleNamespace(name=name, shape=shape) for name, shape in (("kernel", (3, 2)), ("gru/bias:0", (2, 3)))]

    def set_weights(self, weights):
        self.weights_set = weights

    def fit(self, x, y, batch_size, epochs, shuffle, verbose, callbacks):
        assert (len(x), batch_size, shuffle, verbose) == (10, 4, False, 0)
        self.epochs_of_fits.append(epochs)
        for callback in callbacks:
            callback.on_train_begin()
        for epoch in range(epochs):
            self.clock.now += 0.1 if epoch else 5.0
            for callback in callbacks:
                callback.on_epoch_end(epoch)
        return SimpleNamespace(history={"loss": [0.75] * epochs})


class FakeTraining(workload.Training):
    batch = 4

    def keras_model(self, keras):
        keras.clock.now += 1.0
        return keras


def test_a_step_is_timed_from_the_second_epoch_on(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(workload.time, "perf_counter", lambda: clock.now)
    keras = FakeKeras(clock)
    np.savez(tmp_path / "data.npz", x=np.zeros((10, 3)), y=np.zeros((10, 1)))
    session = FakeTraining().start(libraries.Library("tf", 1, keras, {}), tmp_path / "data.npz")
    assert session.first == pytest.approx(6.0)
    assert session.units == 3
    assert session.measure("") == pytest.approx(0.1 / 3)  # 10 rows are 3 steps
    assert session.measure("") == pytest.approx(0.1 / 3)
    assert keras.epochs_of_fits == [1, 2, 4, 4]  # 3 epochs of 0.1 s last SLICE
    assert session.losses() == [0.75] * 11


def test_an_epoch_that_lasts_long_enough_is_not_repeated_to_find_out(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(workload, "SLICE", 0.05)
    monkeypatch.setattr(workload.time, "perf_counter", lambda: clock.now)
    keras = FakeKeras(clock)
    trainer = workload.KerasTrainer(FakeTraining(), keras, np.zeros((10, 3)), np.zeros((10, 1)))
    assert trainer.measure("") == trainer.measure("") == pytest.approx(0.1 / 3)
    assert keras.epochs_of_fits == [2, 2]


def test_the_first_weights_are_the_same_everywhere():
    kernels = [workload.FirstWeights()((200, 300)) for _ in range(2)]
    np.testing.assert_array_equal(*kernels)
    assert kernels[0].std() == pytest.approx(200**-0.5, rel=0.05)
    keras = FakeKeras(None)
    workload.set_keras_weights(keras)
    np.testing.assert_array_equal(keras.weights_set[0], workload.FirstWeights()((3, 2)))
    np.testing.assert_array_equal(keras.weights_set[1], np.zeros((2, 3)))


def ours():
    return libraries.Library("fastkeras", 1, fastkeras, {})


def digits(tmp_path):
    random = np.random.default_rng(0)
    path = tmp_path / "digits.npz"
    np.savez(path, x=random.random((256, 784), np.float32), y=random.integers(0, 10, 256))
    return path


def test_a_training_runs_in_fastkeras(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.ones((64, 4), np.float32), y=np.ones((64, 1), np.float32))
    session = mlp.TinyMLP().start(ours(), tmp_path / "data.npz")
    assert 0 < session.losses()[0] < 2
    assert session.measure("") > 0
    assert len(session.losses()) > 1


def test_the_wide_network_trains_in_fastkeras(tmp_path):
    assert 0 < mlp.WideMLP().start(ours(), digits(tmp_path)).losses()[0] < 10


@pytest.mark.parametrize("work", [mlp.TrainOneRow(), mlp.PredictOneRow()])
def test_one_row_runs_in_fastkeras(tmp_path, work):
    np.savez(tmp_path / "data.npz", x=np.ones((1, 4), np.float32), y=np.ones((1, 1), np.float32))
    assert 0 < work.start(ours(), tmp_path / "data.npz").measure("") < 1


def test_the_layers_of_a_graph_are_timed_in_it_and_by_themselves():
    session = graph.ManySmallLayers().start(ours(), None)
    whole, parts = (session.measure(case) for case in graph.ManySmallLayers.cases)
    assert whole > 0
    assert parts > 0


@pytest.mark.parametrize(
    "block",
    [blocks.Convolutions(3, 5), blocks.Normalization("LayerNormalization"), blocks.Normalization("BatchNormalization")],
)
def test_a_block_trains_in_fastkeras(tmp_path, block):
    block.rows = 7
    np.savez(tmp_path / "data.npz", **block.data())
    assert 1 < block.start(ours(), tmp_path / "data.npz").losses()[0] < 5  # log(10) for who knows nothing


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process holds")
@pytest.mark.parametrize("make", [memory.predictions, memory.models])
def test_the_memory_held_is_read_after_each_tenth_of_a_loop(make):
    held = memory.held_by_tenths(make(fastkeras), 20)
    assert len(held) == 10
    assert min(held) > 1e6


def test_a_first_epoch_runs_in_a_new_process(tmp_path):
    session = startup.FirstEpoch(mlp.DigitsMLP()).start(ours(), digits(tmp_path))
    assert session.measure("") > 0
    if sys.platform == "linux":
        assert session.memory() > 1e6


@pytest.mark.parametrize("case", startup.Import.cases)
def test_an_import_is_timed_in_a_new_process(case):
    assert 0 < startup.Import().start(ours(), None).measure(case) < 60


@pytest.mark.parametrize("part", ["y", "dx", "dW"])
def test_both_libraries_are_asked_for_the_same_product(part):
    results = []
    for library in "fastkeras", "numpy":
        call, result = gemm.product(library, *gemm.sizes(f"7 x 5 x 3 {part}"))
        call()
        results.append(result)
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)
    assert np.abs(results[0]).min() > 0
    assert gemm.Gemm().flops(f"7 x 5 x 3 {part}") == 2 * 7 * 5 * 3


def test_reviews_keep_the_last_frequent_words_behind_zeros(monkeypatch):
    monkeypatch.setattr(data, "review_words", lambda: [[1, 9, 2], [3, 1, 2, 4, 5], []])
    np.testing.assert_array_equal(data.review_ids(5, 3), [[0, 1, 2], [1, 2, 4], [0, 0, 0]])


def test_newswires_and_sentences_come_from_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "folder", tmp_path)
    monkeypatch.setattr(data, "shuffled", lambda *arrays: list(arrays))
    for name, found in [
        ("reuters", [[3, "Oil, oil and gold"], [7, "gold and oil: oil!"]]),
        ("treebank", [[["The", "DT"], ["dog", "NN"], ["the", "DT"]], [["dog", "VB"], ["dog", "NN"]]]),
    ]:
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(line) + "\n" for line in found)
    ids, topics = data.newswires(3, 3)
    np.testing.assert_array_equal(ids, [[1, 1, 2], [2, 1, 1]])  # "and" and "gold" come twice, and "gold" last
    np.testing.assert_array_equal(topics, [3, 7])
    words, tags = data.tagged_sentences(4)
    np.testing.assert_array_equal(words, [[1, 2, 1, 0], [2, 2, 0, 0]])
    np.testing.assert_array_equal(tags, [[1, 2, 1, 0], [3, 2, 0, 0]])


@pytest.mark.parametrize("folder", [None, "."])
def test_a_workload_without_its_file_is_skipped(folder, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(data, "folder", folder and tmp_path)
    report = compare.run(["reuters-lstm"], {}, 1, 1, [""])
    assert report["workloads"] == []
    assert (
        "reuters-lstm: skipped: no file reuters.jsonl.gz (name a folder that has it: --data" in capsys.readouterr().out
    )


class SmallLSTM(workload.Training):
    name, title, batch = "small", "a small LSTM", 8

    def data(self):
        return {"x": np.arange(80).reshape(16, 5) % 7, "y": np.ones((16, 1), np.float32)}

    def keras_model(self, keras):
        layers = [keras.layers.Embedding(7, 2), keras.layers.LSTM(4), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((5,), dtype="int32"), *layers])
        model.compile("sgd", "mse")
        return model


def test_a_predict_runs_in_fastkeras(tmp_path):
    work = predict.Predict(SmallLSTM())
    np.savez(tmp_path / "data.npz", **work.data())
    assert 0 < work.start(ours(), tmp_path / "data.npz").measure("") < 1
    assert (work.name, work.batch) == ("predict-small", 8)


def test_many_rows_are_predicted_in_one_call(tmp_path):
    work = predict.PredictMany(SmallLSTM(), 70)
    np.savez(tmp_path / "data.npz", **work.data())
    session = work.start(ours(), tmp_path / "data.npz")
    assert 0 < session.measure("") < 1
    assert session.units == 1
    assert len(work.data()["x"]) == 70
    assert (work.name, work.batch, work.per) == ("predict-70-rows", 32, "call")


def test_letters_are_pieces_of_the_text_and_what_follows(monkeypatch, tmp_path):
    text = "The cat sat on the mat. " * 40 + "\u00e9"
    monkeypatch.setattr(data, "reviews", lambda: ([text], [1]))
    work = characters.Letters()
    x, y = work.data().values()
    ids = characters.letter_ids(text)
    assert x.shape == (len(y), characters.LENGTH)
    assert len(ids) == 24 * 40  # the last letter is not in the alphabet
    for piece, letter in zip(x, y, strict=True):
        start = next(i for i in range(0, 24) if np.array_equal(ids[i : i + characters.LENGTH], piece))
        assert ids[start + characters.LENGTH] == letter
    np.savez(tmp_path / "data.npz", x=x, y=y)
    assert 3 < work.start(ours(), tmp_path / "data.npz").losses()[0] < 5  # log(54) for who knows nothing


@pytest.mark.parametrize("work", [reuters.NewswiresStack(), reuters.NewswiresStackWithDropout()])
def test_a_stack_trains_in_fastkeras(work, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=random.integers(0, 1000, (7, 100)), y=random.integers(0, 46, 7))
    assert 3 < work.start(ours(), tmp_path / "data.npz").losses()[0] < 5  # log(46) for who knows nothing
    _, first, second, _ = work.keras_model(fastkeras).layers
    assert (first.units, first.return_sequences, second.return_sequences) == (64, True, False)
    assert first.dropout == first.recurrent_dropout == work.rate


def some_reviews(monkeypatch):
    random = np.random.default_rng(0)
    monkeypatch.setattr(data, "reviews", lambda: ([""] * 1024, random.integers(0, 2, 1024).astype(np.float32)))
    monkeypatch.setattr(data, "review_ids", lambda V, T: random.integers(1, V, (1024, T)).astype(np.int32))


def test_a_share_of_a_batch_are_copies_of_its_other_rows(monkeypatch):
    some_reviews(monkeypatch)
    for copies, distinct in (0.0, 32), (0.5, 16), (0.9, 3):
        x, y = sweeps.Reader(copies=copies, length=10).data().values()
        assert x.shape == (512, 10)
        batches = x.reshape(-1, 32, 10)
        assert {len(np.unique(batch, axis=0)) for batch in batches} == {distinct}
        assert len(np.unique(x, axis=0)) == distinct * len(batches)
        rows = {tuple(row): label for row, label in zip(x, y[:, 0], strict=True)}
        assert all(rows[tuple(row)] == label for row, label in zip(x, y[:, 0], strict=True))  # the label comes along


def test_a_sweep_measures_one_size_after_another(monkeypatch, tmp_path):
    some_reviews(monkeypatch)
    sweep = sweeps.Sweep("length", "length", "words", (2, 5))
    np.savez(tmp_path / "data.npz", **sweep.data())
    session = sweep.start(ours(), tmp_path / "data.npz")
    assert sweep.cases == ("2", "5")
    assert [sweep.x(case) for case in sweep.cases] == [2, 5]
    assert sweep.title == "Embedding(10000, 64) batch 32 LSTM(64) adam, by words"
    for case in sweep.cases:
        assert 0 < session.measure(case) < 1
    assert session.first is None


def test_sweeps_change_what_they_say():
    changed = {"batch": [8, 32, 128, 512], "length": [25, 50, 100, 200, 400], "units": [16, 64, 128, 256]}
    for sweep, (parameter, values) in zip(("batch", "length", "hidden"), changed.items(), strict=True):
        readers = WORKLOADS[f"sweep-{sweep}"].readers.values()
        assert [getattr(reader, parameter) for reader in readers] == values
    assert [r.copies for r in WORKLOADS["sweep-duplicates"].readers.values()] == [0, 0.25, 0.5, 0.75, 0.9]


def test_the_disk_that_a_library_takes_includes_what_it_needs(tmp_path, monkeypatch):
    for name, required in {"one": ["two >=1; python_version > '3'", 'three; extra == "more"', "absent"], "two": ["One"],
                           "three": []}.items():  # fmt: skip
        package, about = tmp_path / name, tmp_path / f"{name}-1.dist-info"
        package.mkdir()
        about.mkdir()
        (package / "__init__.py").write_bytes(b"#" * 1000)
        (package / "weights.bin").write_bytes(b"#" * 70)
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n" + "".join(f"Requires-Dist: {r}\n" for r in required)
        )
        (about / "RECORD").write_text(f"{name}/__init__.py,,\n{name}/weights.bin,,\n{name}/gone.py,,\n")
        (about / "top_level.txt").write_text(name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed.size(["three"]) == 1070
    assert installed.size(["one"]) == installed.size(["two"]) == installed.size(["one", "two"]) == 2140
    monkeypatch.setitem(installed.NEEDED_BY_A_CHECKOUT, "built", ("three",))
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "__init__.py").write_bytes(b"#" * 300)
    (tmp_path / "built" / "kernel.c").write_bytes(b"#" * 9000)
    assert installed.size(["built"]) == 1370


def test_phases_share_out_the_time_of_a_step():
    before = lstm.forward
    spent, seconds, steps = phases.measure(SmallLSTM(), least=0.01)
    assert lstm.forward is before
    assert spent["lstm", "forward"].calls == spent["optimizers", "sgd"].calls == steps
    assert spent["prefix", "States"].calls == steps
    # Eight rows of five ids, two of them alike: 35 states, each multiplied by the recurrent kernel (4, 16)
    assert spent["lstm", "forward"].flops == spent["lstm", "backward"].flops == steps * 2 * 35 * 4 * 16
    found = phases.by_phase(spent, seconds)
    assert sum(its.seconds for its in found.values()) == pytest.approx(seconds)
    assert not found[phases.OTHER].calls
    text = phases.report(spent, seconds, steps, 1e12)
    assert cells(text, "| a step")[3] == "100%"
    assert cells(text, "| time loop, forward")[1] == "1.00"


class SmallCNN(workload.Training):
    name, title, batch = "small", "a small CNN", 4

    def data(self):
        return {"x": np.ones((8, 11, 9, 2), np.float32), "y": np.ones((8, 1), np.float32)}

    def keras_model(self, keras):
        layers = keras.layers
        convolutions = [layers.Conv2D(5, 3), layers.MaxPooling2D(), layers.Conv2D(7, 2, padding="same")]
        inside = [*convolutions, layers.GlobalMaxPooling2D(), layers.Dense(1)]
        model = keras.Sequential([keras.Input((11, 9, 2)), *inside])
        model.compile("sgd", "mse")
        return model


def test_phases_count_the_products_of_convolutions():
    spent, seconds, steps = phases.measure(SmallCNN(), least=0.01)
    # 9 x 7 pixels of 18 products with 5 filters, then 4 x 3 of 20 with 7
    assert spent["conv", "forward_max"].flops == steps * 2 * 4 * (9 * 7 * 18 * 5 + 4 * 3 * 20 * 7)
    # 4 x 3 maxima of 5 filters and 1 of 7, the second in products for x as well
    assert spent["conv", "backward_max"].flops == steps * 2 * 4 * (4 * 3 * 18 * 5 + 20 * 7)
    assert spent["conv", "backward_peaks"].flops == steps * 2 * 4 * 20 * 7
    found = phases.by_phase(spent, seconds)
    assert not found[phases.OTHER].calls
    assert found["borders"].calls == 2 * steps


def test_the_machine_is_described():
    found = machine.describe("processor\t: 0\nmodel name\t: A processor\nflags\t\t: sse2 avx2 fma avx512f\n")
    assert found["cpu"] == "A processor"
    assert found["instruction set"] == "AVX-512"
    assert machine.describe("Features\t: fp asimd\n")["instruction set"] == "NEON"
    assert found["processors"] >= 1
