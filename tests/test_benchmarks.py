"""The benchmarks' own logic: turns, failures, ratios, tables, and the pipe to a peer. No time is judged here."""

import gzip
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastkeras

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # after an installed fastkeras

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import compare, data, libraries, machine, memory, phases, report, worker, workload  # noqa: E402
from benchmarks.peer import MissingError, Peer, PeerError  # noqa: E402
from benchmarks.workloads import WORKLOADS, blocks, gemm, graph, mlp, predict, startup  # noqa: E402
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
        return {"first": 1.5, "loss": 0.25}

    def measure(self, case):
        self.turns.append((self.name, case))
        self._fail(case)
        self.seconds *= 1.1
        return self.seconds

    def memory(self):
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


def test_cases_can_be_chosen():
    chosen = compare.measure(TwoCases(), {"torch": FakePeer("torch", 1.0, [])}, "data.npz", 1, ["b", "c"], pause=0)
    assert [row["case"] for row in chosen["rows"]] == ["b"]
    sizes = gemm.Gemm().chosen(["64 x 96 x", "7 x 5 x 3 y", "64 x 96 x 32 y", "7 x 5"])
    assert sizes == ["64 x 96 x 32 y", "64 x 96 x 32 dx", "64 x 96 x 32 dW", "7 x 5 x 3 y"]


@pytest.mark.parametrize("fails", ["load", "start", "b"])
def test_a_peer_that_fails_is_left_out_and_said(fails):
    result = measured({"jax": FakePeer("jax", 1.0, [], fails), "torch": FakePeer("torch", 1.0, [])})
    assert result["failed"] == {"jax": "it broke"}
    assert [list(row["peers"]) for row in result["rows"]] == [["torch"], ["torch"]]
    assert len(result["rows"][1]["peers"]["torch"]["times"]) == 2


def row(**times):
    peers = {
        name: {"times": list(t), "first": 2.5, "loss": 0.125, "memory": 64e6, "disturbance": 0.01}
        for name, t in times.items()
    }
    return {"case": "", "flops": None, "peers": peers}


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    measured = row(fastkeras=[1.0, 2.0, 4.0], torch=[3.0, 8.0, 8.0], tf=[9.0, 9.0, 9.0])
    assert report.ratio(measured, "torch") == 3.0  # of 3, 4, 2; the medians' ratio would be 4
    assert report.fastest_peer(measured) == "torch"
    assert report.ratio(measured, "fastkeras") is None
    assert report.ratio(row(torch=[1.0]), "torch") is None
    assert report.fastest_peer(row(fastkeras=[1.0])) is None


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
        "flops": 60,
        "peers": {"fastkeras": {"times": [2e-6]}, "numpy": {"times": [1e-6]}},
    }
    steps = {
        "name": "steps",
        "title": "a model",
        "batch": 32,
        "unit": "ms",
        "per": "step",
        "failed": {"jax": "it broke"},
    }
    products = {"name": "gemm", "title": "products", "batch": None, "unit": "us", "per": "call", "failed": {}}
    return {
        "machine": {"cpu": "A processor", "instruction set": "AVX2", "processors": 2, "system": "Linux"},
        "threads": 2,
        "rounds": 3,
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
    assert "A processor, AVX2, 2 processors, Linux; 2 threads, medians of 3 rounds" in text
    assert "- PyTorch: torch 2.0" in text
    assert "- TF + Keras 3: skipped: No module named 'tensorflow'" in text


def test_the_report_has_a_line_for_each_workload():
    text = report.markdown(whole_report())
    steps, first, memory = text.split("| workload")[1:]
    assert cells(steps, "| a model") == ["a model", "32", "ms a step", "2.00", "20.0", "10.0 x"]
    assert cells(first, "| a model") == ["a model", "2.50", "2.50"]
    assert cells(memory, "| a model") == ["a model", "64.0", "64.0"]
    assert cells(text, "| 2 x 3 x 5 y") == ["2 x 3 x 5 y", "2.00", "1.00", "0.0300", "0.500", "50%"]


def test_a_peer_without_a_time_is_a_dash():
    found = whole_report()
    found["workloads"][0]["rows"].append(row(torch=[0.5]) | {"case": "long"})
    assert cells(report.markdown(found).split("| workload")[1], "| a model, long")[3:] == ["-", "500", "-"]


def test_details_have_a_line_for_each_peer():
    text = report.details(whole_report()["workloads"][0])
    assert "## steps: a model, batch 32" in text
    assert "Keras on JAX failed: it broke" in text
    assert cells(text, "| fastkeras") == ["fastkeras", "2.00", "50%", "-", "2.50", "64.0", "0.125", "1%"]
    assert cells(text, "| PyTorch")[1:4] == ["20.0", "50%", "10.0"]


def test_the_command_prints_the_reports_of_files(tmp_path, monkeypatch, capsys):
    for name, threads in ("one.json", 1), ("two.json", 2):
        (tmp_path / name).write_text(json.dumps(whole_report(threads=threads)))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--report", str(tmp_path / "one.json"), str(tmp_path / "two.json")])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert printed.index("1 thread,") < printed.index("2 threads,")


def test_peers_are_given_with_their_interpreters():
    options = command.parse_arguments(["--peer", "tf=/a/python", "fastkeras=/b/python", "torch"])
    expected = {"tf": "/a/python", "fastkeras": "/b/python", "torch": sys.executable, "numpy": "/b/python"}
    assert options.peer == expected
    assert command.parse_arguments([]).peer == dict.fromkeys(libraries.LIBRARIES, sys.executable)
    assert command.parse_arguments([]).workload == list(WORKLOADS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--peer", "theano=/a/python"],
            "expected one of fastkeras, tf, tf_keras, jax, torch, numpy. Received: 'theano'",
        ),
        (["--threads", "0"], "expected a positive integer. Received: '0'"),
        (["--rounds", "many"], "expected a positive integer. Received: 'many'"),
        (["--workload", "sleep"], "invalid choice: 'sleep'"),
        (["--data", "no/such/folder"], "expected a folder that exists. Received: 'no/such/folder'"),
        (["--json", "no/such/folder/x.json"], "expected a file in a folder that exists"),
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
    versions, missing = compare.find_peers({"jax": str(tmp_path / "nothing"), "torch": str(bare)}, 1)
    assert versions == {}
    assert "No such file or directory" in missing["jax"]
    assert "No module named 'numpy'" in missing["torch"]


def test_a_peer_works_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path)
    with Peer("numpy", sys.executable, 1) as peer:
        assert peer.load()["numpy"] == np.__version__
        with pytest.raises(PeerError, match="KeyError: 'no-such-workload'"):
            peer.start("no-such-workload", path)
        assert peer.start("gemm", path) == {"first": None, "loss": None}
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
    assert session.loss == 0.75
    assert session.measure("") == pytest.approx(0.1 / 3)  # 10 rows are 3 steps
    assert session.measure("") == pytest.approx(0.1 / 3)
    assert keras.epochs_of_fits == [1, 2, 4, 4]  # 3 epochs of 0.1 s last SLICE


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
    assert 0 < session.loss < 2
    assert session.measure("") > 0


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
    assert 1 < block.start(ours(), tmp_path / "data.npz").loss < 5  # log(10) for who knows nothing


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
