"""States of SimpleRNN, LSTM and GRU: kept from batch to batch, set, given at first, and reset."""

import numpy as np
import pytest
from checks import as_rows, assert_close, summed_by_row
from recurrent_cases import (
    EVERY_OUTPUT,
    assert_as_specified,
    for_each_layer,
    layer_of,
    mask_of,
    repeated,
    run_layer,
    specified,
)

import fastkeras
from fastkeras import layers
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run


@for_each_layer
@pytest.mark.parametrize("padding", [None, "pre", "middle"])
def test_a_stateful_layer_goes_on_where_it_stopped(kind, padding):
    rng = np.random.default_rng(31)
    layer = layer_of(kind, 5, (19, 4, 3), rng, stateful=True, **EVERY_OUTPUT)
    x, mask = repeated(rng, 19, 12, 3), mask_of(rng, padding, 19, 12)
    whole = specified(layer, x, mask=mask)
    parts = []
    for t in (0, 4, 8):
        run = Run(mask=None if mask is None else np.ascontiguousarray(mask[:, t : t + 4]))
        parts.append(run_layer(layer, as_rows(x[:, t : t + 4].copy()), run=run))
    for last, expected in zip(parts[-1][1:], whole[1:], strict=True):
        assert_close(last, expected, 2e-5)
    if mask is None:
        assert_close(np.concatenate([part[0] for part in parts], axis=1), whole[0], 2e-5)
    layer.reset_states()
    for a, b in zip(run_layer(layer, x[:, :4].copy()), specified(layer, x[:, :4]), strict=True):
        assert_close(a, b, 2e-5)


@for_each_layer
def test_a_stateful_layer_gives_no_gradient_to_the_batch_before(kind):
    rng = np.random.default_rng(37)
    layer = layer_of(kind, 5, (19, 4, 3), rng, stateful=True, **EVERY_OUTPUT)
    first, second = repeated(rng, 19, 4, 3), repeated(rng, 19, 4, 3)
    _, *states = run_layer(layer, first)
    dy, dstates = rng.normal(size=(19, 4, 5)), [rng.normal(size=(19, 5)) for _ in layer.state_names]
    found = run_layer(layer, second, (), dy, dstates)
    outputs, gradients = specified(layer, second, states, dy, dstates)
    assert_as_specified(found, (outputs, {k: d for k, d in gradients.items() if not k.startswith("initial")}))


@for_each_layer
def test_states_can_be_set(kind):
    rng = np.random.default_rng(41)
    layer = layer_of(kind, 5, (3, 4, 2), rng, stateful=True, **EVERY_OUTPUT)
    x, states = repeated(rng, 3, 4, 2), [rng.normal(size=(3, 5)).astype("f") for _ in layer.state_names]
    layer.reset_states(states if len(states) > 1 else states[0])
    for a, b in zip(run_layer(layer, x), specified(layer, x, states), strict=True):
        assert_close(a, b, 2e-5)
    with pytest.raises(ValueError, match=rf"{len(states)} arrays of shapes \(batch, 5\).*Received: shapes \[\(3, 4\)"):
        layer.reset_states([np.zeros((3, 4))] * len(states))
    with pytest.raises(ValueError, match=rf"{len(states)} arrays of shapes"):
        layer.reset_states([np.zeros((3, 5))] * 3)


@for_each_layer
def test_initial_states_may_come_as_distinct_rows(kind):
    rng = np.random.default_rng(43)
    layer, x = layer_of(kind, 5, (3, 4, 2), rng), repeated(rng, 3, 4, 2)
    table, ids = rng.normal(size=(7, 5)).astype("f"), np.array([6, 1, 6], np.int32)
    rows = Rows(table, ids)
    states = [rows for _ in layer.state_names]
    dy = rng.normal(size=(3, 5))
    (y,), gradients = run_layer(layer, x, states, dy)
    (expected,), wanted = specified(layer, x, [table[ids]] * len(states), dy)
    assert_close(y, expected, 2e-5)
    for i in range(len(states)):
        assert_close(gradients[f"initial state {i}"], summed_by_row(wanted[f"initial state {i}"], rows), 1e-4)


@for_each_layer
def test_a_layer_called_on_data_takes_states_and_a_mask(kind):
    rng = np.random.default_rng(47)
    layer, x, mask = (
        layer_of(kind, 5, (19, 4, 2), rng, **EVERY_OUTPUT),
        repeated(rng, 19, 4, 2),
        rng.random((19, 4)) < 0.5,
    )
    states = [rng.normal(size=(19, 5)).astype("f") for _ in layer.state_names]
    found = layer(x, initial_state=states if len(states) > 1 else states[0], mask=mask)
    for a, b in zip(found, specified(layer, x, states, mask=mask), strict=True):
        assert_close(a, b, 2e-5)


def test_a_model_resets_the_states_of_its_layers():
    model = fastkeras.Sequential([fastkeras.Input((3, 2), batch_size=5), layers.LSTM(4, stateful=True)])
    x = np.random.default_rng(53).normal(size=(5, 3, 2))
    first = model.predict(x, batch_size=5, verbose=0)
    assert np.abs(model.predict(x, batch_size=5, verbose=0) - first).max() > 1e-4
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=5, verbose=0), first)
