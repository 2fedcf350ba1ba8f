"""What the benchmarks measure: how a step is timed, each kind of workload in fastkeras, and its data."""

import gzip
import json
import sys
from functools import partialmethod
from types import SimpleNamespace

import numpy as np
import pytest
from benchmark_cases import SmallLSTM

import fastkeras
from benchmarks import data, libraries, memory, workload
from benchmarks.workloads import WORKLOADS, blocks, characters, gemm, graph, mlp, predict, reuters, startup, sweeps


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
    assert session.losses()[-1] < session.losses()[0]


def test_the_wide_network_trains_in_fastkeras(tmp_path):
    assert 0 < mlp.WideMLP().start(ours(), digits(tmp_path)).losses()[0] < 10


@pytest.mark.parametrize("work", [mlp.TrainOneRow(), mlp.PredictOneRow()])
def test_one_row_runs_in_fastkeras(tmp_path, work, monkeypatch):
    monkeypatch.setattr(mlp, "seconds_per_call", lambda call: [call() for _ in range(3)])  # instead of the time
    np.savez(tmp_path / "data.npz", x=np.ones((1, 4), np.float32), y=np.ones((1, 1), np.float32))
    first, second, third = work.start(ours(), tmp_path / "data.npz").measure("")
    if isinstance(work, mlp.TrainOneRow):
        assert first > second > third > 0  # losses
    else:
        assert first.shape == (1, 1) and first == second == third


def test_the_layers_of_a_graph_are_timed_in_it_and_by_themselves(monkeypatch):
    monkeypatch.setattr(graph, "seconds_per_call", lambda call, least: call() or 2.0)
    session = graph.ManySmallLayers().start(ours(), None)
    assert [session.measure(case) for case in graph.ManySmallLayers.cases] == [2.0, 2.0 * graph.LAYERS]


@pytest.mark.parametrize(
    "block",
    [blocks.Convolutions(3, 5), blocks.Normalization("LayerNormalization"), blocks.Normalization("BatchNormalization")],
)
def test_a_block_trains_in_fastkeras(tmp_path, block):
    block.rows = 7
    np.savez(tmp_path / "data.npz", **block.data())
    assert 1 < block.start(ours(), tmp_path / "data.npz").losses()[0] < 5  # log(10) for who knows nothing


@pytest.mark.parametrize("make", [memory.predictions, memory.models])
def test_the_memory_held_is_read_after_each_tenth_of_a_loop(make, monkeypatch):
    """The calls of predict or fit so far stand for the memory."""
    done = []

    def counted(model, method, *arguments, **options):
        done.append(method(model, *arguments, **options))
        return done[-1]

    for name in "predict", "fit":
        monkeypatch.setattr(fastkeras.Sequential, name, partialmethod(counted, getattr(fastkeras.Sequential, name)))
    monkeypatch.setattr(memory.machine, "memory", lambda: len(done))
    assert memory.held_by_tenths(make(fastkeras), 30) == list(range(3, 31, 3))


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


@pytest.mark.parametrize("work", [reuters.NewswiresStack(), reuters.NewswiresStackWithDropout()])
def test_a_stack_trains_in_fastkeras(work, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=random.integers(0, 1000, (7, 100)), y=random.integers(0, 46, 7))
    assert 3 < work.start(ours(), tmp_path / "data.npz").losses()[0] < 5  # log(46) for who knows nothing
    _, first, second, _ = work.keras_model(fastkeras).layers
    assert (first.units, first.return_sequences, second.return_sequences) == (64, True, False)
    assert first.dropout == first.recurrent_dropout == work.rate


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
