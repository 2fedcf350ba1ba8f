"""The phases of a step: their times, calls and products, and their table."""

import numpy as np
import pytest
from benchmark_cases import SmallLSTM, cells

from benchmarks import data, phases, workload
from benchmarks.workloads.mlp import PredictOneRow, TrainOneRow
from benchmarks.workloads.predict import Predict, PredictMany
from fastkeras import activations
from fastkeras._kernels import lstm


def test_phases_share_out_the_time_of_a_step():
    before = lstm.forward
    spent, seconds, steps = phases.measure(SmallLSTM(), least=0.01)
    assert lstm.forward is before
    assert spent["lstm", "forward"].calls == spent["optimizers", "sgd"].calls == steps
    assert spent["prefix", "States"].calls == steps
    # Eight rows of five ids, two of them alike: 35 states, each multiplied by the recurrent kernel (4, 16)
    assert spent["lstm", "forward"].flops == spent["lstm", "backward"].flops == steps * 2 * 35 * 4 * 16
    found = phases.by_phase(spent, seconds)
    assert not found[phases.OTHER].calls
    text = phases.report(spent, seconds, steps, 1e12)
    assert cells(text, "| a step")[3] == "100%"
    assert cells(text, "| time loop, forward")[1] == "1.00"


@pytest.mark.parametrize("work", [Predict(SmallLSTM()), PredictMany(SmallLSTM(), 16)])
def test_phases_of_a_prediction_are_those_of_its_forward_passes(work):
    spent, seconds, steps = phases.measure(work, least=0.01)
    found = phases.by_phase(spent, seconds)
    # Two batches of 8 rows or one of 16, of which 7 differ: 35 states in each
    assert found["time loop, forward"].flops == steps * 2 * 35 * 4 * 16
    assert not found["time loop, backward"].calls
    assert not found["optimizer"].calls


def test_phases_of_a_call_with_one_row_are_those_of_the_call(monkeypatch):
    monkeypatch.setattr(data, "iris", lambda: (np.ones((3, 4), np.float32), np.arange(3)))
    spent, _, calls = phases.measure(PredictOneRow(), least=0.001)
    assert spent["dense", "forward"].calls == 2 * calls
    assert ("dense", "backward") not in {key for key, its in spent.items() if its.calls}
    spent, _, calls = phases.measure(TrainOneRow(), least=0.001)
    assert spent["optimizers", "rmsprop"].calls == calls


@pytest.mark.parametrize(("seconds", "rest"), [(8.0, 1.0), (6.5, 0.0)])
def test_python_has_what_no_kernel_took_and_never_less_than_nothing(seconds, rest):
    found = phases.by_phase(
        {("lstm", "forward"): phases.Spent(2, 6.0), ("losses", "mse"): phases.Spent(2, 1.0)}, seconds
    )
    assert found["time loop, forward"].seconds == 6.0
    assert found["loss and metrics"].seconds == 1.0
    assert found[phases.REST].seconds == rest


class SlowClock:
    """Stands for the module time: a reading takes a second, or as long as is said."""

    def __init__(self, reading=1.0):
        self.now, self.reading = 0.0, reading

    def perf_counter(self):
        self.now += self.reading
        return self.now


class TenSeconds(workload.Workload):
    """A step takes ten seconds beside a kernel that takes none, and each next step `drift` seconds more."""

    def __init__(self, clock, drift=0.0):
        self.clock, self.drift, self.took = clock, drift, 10.0

    def again(self, keras, rows=None):
        def steps(n):
            for _ in range(n):
                activations.relu(np.float32([1]))
                self.clock.now += self.took
                self.took += self.drift

        return steps, 1


def test_readings_of_the_clock_are_no_part_of_a_step(monkeypatch):
    clock = SlowClock()
    monkeypatch.setattr(phases, "time", clock)
    spent, seconds, steps = phases.measure(TenSeconds(clock), least=1100.0)
    assert steps == spent["activations", "forward"].calls == 100
    assert seconds == 100 * 10 + 2  # two readings around all
    assert spent["activations", "forward"].seconds == 0


def test_a_machine_that_slows_down_does_so_for_both_measurements(monkeypatch):
    clock = SlowClock(0.0)
    monkeypatch.setattr(phases, "time", clock)
    _, seconds, steps = phases.measure(TenSeconds(clock, drift=1.0), least=100.0)
    assert steps == 10
    # 10 for the first step, 11 to 15, then with the Clock 16 to 25, then 26 to 30
    assert seconds == sum(range(11, 16)) + sum(range(26, 31)) == sum(range(16, 26))


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
