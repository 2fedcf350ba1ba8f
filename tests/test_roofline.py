"""The roofline: products counted with and without sharing, what is lost beneath the roof, and its table."""

import numpy as np
import pytest

from benchmarks import roofline, workload
from benchmarks.phases import Clock, Spent
from fastkeras import Model
from fastkeras.layers import Embedding, Input, MultiHeadAttention

B, T, V, D, U = 8, 5, 7, 2, 4


class SmallText(workload.Training):
    name, title, batch = "small-text", "a small text model", B

    def data(self):
        return {"x": np.arange(B * T).reshape(B, T) % V, "y": np.ones((B, 1), np.float32)}

    def layers(self, layers):
        return [layers.LSTM(U)]

    def keras_model(self, keras):
        start = [keras.Input((T,), dtype="int32"), keras.layers.Embedding(V, D, mask_zero=True)]
        model = keras.Sequential([*start, *self.layers(keras.layers), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model


def test_without_sharing_each_step_of_each_row_has_a_product():
    forward = Embedding.forward
    flops = roofline.flops_without_sharing(SmallText())
    assert Embedding.forward is forward
    time_loop, dense = 2 * B * T * U * 4 * U, 2 * B * U
    assert flops["time loop, forward"] == flops["time loop, backward"] == time_loop
    assert flops["projection"] == 2 * B * T * D * 4 * U + dense
    gradients = 2 * (flops["projection"] - dense) + 2 * dense + time_loop
    assert flops["weight and input gradients"] == gradients


class SmallPeaks(SmallText):
    name, title = "small-peaks", "a small convolution under pooling"

    def layers(self, layers):
        return [layers.Conv1D(3, 2), layers.GlobalMaxPooling1D()]


def test_without_sharing_each_pixel_has_a_gradient():
    flops = roofline.flops_without_sharing(SmallPeaks())
    convolution = 2 * B * (T - 1) * 2 * D * 3
    assert flops["convolution"] == convolution
    assert flops["convolution, backward"] == 2 * convolution  # of the kernel, and of the embedding


def small_rows():
    """Rows of a workload whose products run at 10 flops/s and whose arrays move at 100 bytes/s, two steps in 8 s."""
    kernels = {("lstm", "forward"): Spent(2, 6.0, 40, 100), ("losses", "mse"): Spent(2, 1.0, 0, 300)}
    return roofline.rows_of("small", kernels, 8.0, 2, {"time loop, forward": 50}, 10.0, 100.0)


def test_lost_is_what_lies_above_the_roof():
    rows = {row["phase"]: row for row in small_rows()}
    loop, loss, rest, step = (
        rows[name] for name in ("time loop, forward", "loss and metrics", "Python and numpy", "a step")
    )
    assert loop["lost"] == pytest.approx((6.0 - 4.0) / 2)  # its products need 4 s, its arrays 1
    assert loss["lost"] == 0  # its arrays, from a cache, came faster than memory gives them
    assert loss["of_bandwidth"] == pytest.approx(3.0)
    assert rest["lost"] == pytest.approx(1.0 / 2)
    assert (loop["seconds"], loop["share"], loop["of_peak"]) == pytest.approx((3.0, 0.75, 40 / 60))
    assert (loop["flops"], loop["needed"]) == (20, 50)
    assert (step["seconds"], step["share"], step["flops"], step["needed"]) == (4.0, 1.0, 20, 50)
    assert step["lost"] == pytest.approx(loop["lost"] + rest["lost"])


def test_the_largest_losses_are_named_by_time_and_by_their_share_of_the_step():
    def row(workload, phase, seconds, lost):
        return {
            **dict.fromkeys(("share", "flops", "needed", "of_peak", "of_bandwidth"), 0.0),
            **{"workload": workload, "title": workload.title(), "phase": phase, "seconds": seconds, "lost": lost},
        }

    rows = [
        row("long", "projection", 6e-3, 1e-3),
        row("long", "optimizer", 4e-3, 4e-3),
        row("long", roofline.WHOLE, 10e-3, 5e-3),
        row("short", "projection", 1e-3, 0.9e-3),
        row("short", "optimizer", 1e-3, 0.1e-3),
        row("short", roofline.WHOLE, 2e-3, 1e-3),
    ]
    found = {"threads": 2, "peak": 1e9, "bandwidth": 3e9, "rows": rows}
    by_time, by_share = (
        [(row["workload"], row["phase"]) for row in roofline.losses(found, shares)] for shares in (False, True)
    )
    assert by_time == [("long", "optimizer"), ("long", "projection"), ("short", "projection")]
    assert by_share == [("short", "projection"), ("long", "optimizer"), ("long", "projection")]
    text = roofline.markdown(found)
    assert "in time:\n\n1. Long: optimizer, 4.00 ms, 40% of the step\n" in text
    assert "of a step:\n\n1. Short: projection, 0.900 ms, 45% of the step\n" in text
    assert "1.00 GFLOP/s; memory: 3.00 GB/s" in text
    assert "threads: 2. Arrays that stay in caches pass faster than memory, so the roof is no strict bound." in text
    assert len([line for line in text.splitlines() if line.startswith("|")]) == 2 + len(rows)


def test_measure_gives_a_row_for_each_phase_and_each_whole_step():
    found = roofline.measure(["xor"], threads=1, least=0.01)
    step = found["rows"][-1]
    assert step["phase"] == roofline.WHOLE
    assert step["needed"] == step["flops"] > 0  # nothing is shared
    assert (
        sum(row["share"] for row in found["rows"][:-1]) > 0.999
    )  # more if a kernel was held up in the one measurement
    assert found["peak"] > 0
    assert found["bandwidth"] > 0


def test_the_passes_of_an_attention_are_timed_and_their_products_counted():
    B, T, H, K = 3, 5, 2, 7
    x = Input((T, 11))
    model = Model(x, MultiHeadAttention(H, K)(x, x))
    model.compile("sgd", "mse")
    with Clock() as clock:
        model.train_on_batch(np.ones((B, T, 11), "f"), np.ones((B, T, 11), "f"))
    spent = {way: clock.spent["attention", way] for way in ("forward", "backward")}
    assert [its.calls for its in spent.values()] == [1, 1]
    assert spent["forward"].flops == 2 * B * H * T * T * (K + K)
    assert spent["backward"].flops == 2 * B * H * T * T * (3 * K + 2 * K)
