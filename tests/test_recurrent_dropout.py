"""Dropout of SimpleRNN, LSTM and GRU, of inputs and of states: its masks, its mean, and its seed."""

import numpy as np
import pytest
from checks import as_rows, assert_close
from recurrent_cases import (
    EVERY_OUTPUT,
    LAYERS,
    assert_as_specified,
    for_each_layer,
    layer_of,
    mask_of,
    repeated,
    run_layer,
    specified,
)

from fastkeras.core.run import Run


@for_each_layer
@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)], ids=str)
@pytest.mark.parametrize("padding", [None, "middle"])
@pytest.mark.parametrize("shared", [False, True])
def test_dropout_is_one_mask_per_row(kind, rates, padding, shared):
    rng = np.random.default_rng(53)
    B, T, D, U = 19, 5, 3, 7
    layer = layer_of(kind, U, (B, T, D), rng, dropout=rates[0], recurrent_dropout=rates[1], **EVERY_OUTPUT)
    x, mask = repeated(rng, B, T, D), mask_of(rng, padding, B, T)
    dy, dstates = rng.normal(size=(B, T, U)), [rng.normal(size=(B, U)) for _ in layer.state_names]
    rows = as_rows(x) if shared else None
    run = Run(True, mask, trains=True, wants_dx=True)
    found = run_layer(layer, rows if shared else x, (), dy, dstates, run=run)

    m_x = run.buffer("mask", (B, D)) if rates[0] else np.ones((B, D))
    m_h = run.buffer("recurrent_mask", (B, U)) if rates[1] else None
    for rate, m in zip(rates, (m_x, m_h), strict=True):
        assert not rate or set(np.unique(m)) == {0.0, 2.0}
    outputs, gradients = specified(layer, x * m_x[:, None], (), dy, dstates, mask, m_h)
    gradients["x"] = gradients["x"] * m_x[:, None]
    assert_as_specified(found, (outputs, gradients), rows)

    for a, b in zip(run_layer(layer, x, mask=mask), specified(layer, x, mask=mask), strict=True):
        assert_close(a, b, 2e-5)  # nothing is dropped but in training


@for_each_layer
def test_dropout_keeps_the_mean_and_draws_anew_for_each_batch(kind):
    """The layers are nearly linear in small inputs and states."""
    rng = np.random.default_rng(59)
    layer = layer_of(kind, 3, (2003, 2, 5), rng, dropout=0.3, recurrent_dropout=0.2, use_bias=False)
    x = np.broadcast_to(0.01 * rng.normal(size=(1, 2, 5)), (2003, 2, 5)).astype("f")
    (kept,) = run_layer(layer, x)
    drawn = [run_layer(layer, x, training=True)[0] for _ in range(2)]
    assert (drawn[0] != drawn[1]).any()
    assert len(np.unique(drawn[0], axis=0)) > 10
    for y in drawn:
        assert np.linalg.norm(y.mean(axis=0) - kept[0]) < 0.1 * np.linalg.norm(kept[0])


@for_each_layer
def test_dropout_with_a_seed_repeats(kind):
    cls, own = LAYERS[kind]
    x = np.ones((5, 3, 2), "f")
    first, second = (cls(4, dropout=0.5, recurrent_dropout=0.5, seed=3, **own) for _ in range(2))
    kept, _ = first(x).numpy(), second(x)
    second.set_weights(first.get_weights())
    dropped = first(x, training=True).numpy()
    assert (dropped != kept).any()
    np.testing.assert_array_equal(second(x, training=True), dropped)
