"""SimpleRNN, LSTM and GRU against the reference: outputs, states, every gradient, masks, and what they keep.

The layers share their states inside blocks of 16 batch rows, so most batches here have more.
"""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras import Model, Sequential
from fastkeras.core.rows import Rows, dense
from fastkeras.core.run import Run
from fastkeras.core.variable import pack
from fastkeras.layers import GRU, LSTM, Dense, Embedding, Input, SimpleRNN
from fastkeras.optimizers import SGD

LAYERS = {
    "simple_rnn": (SimpleRNN, {}),
    "lstm": (LSTM, {}),
    "gru": (GRU, {}),
    "gru_reset_before": (GRU, {"reset_after": False}),
}
EVERY_OUTPUT = {"return_sequences": True, "return_state": True}
for_each_layer = pytest.mark.parametrize("kind", LAYERS)


def layer_of(kind, units, shape, rng, **options):
    """The layer, built for inputs of the shape, with random weights and gradients to add to."""
    cls, own = LAYERS[kind]
    layer = cls(units, **own, **options)
    layer.ensure_built(shape)
    layer.set_weights([rng.normal(size=w.shape) / np.sqrt(w.shape[0] + 1) for w in layer.get_weights()])
    pack(layer.variables)
    return layer


def repeated(rng, B, T, D, R=3):
    """x (B, T, D) made of R distinct rows; batch row 2 equals row 1."""
    x = rng.normal(size=(R, D)).astype("f")[rng.integers(0, R, (B, T))]
    if B > 2:
        x[2] = x[1]
    return x


def as_rows(x):
    """x (B, T, D) with its distinct rows stored once, in another order than they appear."""
    values, index = np.unique(x.reshape(-1, x.shape[-1]), axis=0, return_inverse=True)
    return Rows(np.ascontiguousarray(values), index.reshape(x.shape[:-1]).astype(np.int32))


def mask_of(rng, padding, B, T):
    """Masks as texts have them; rows 0, 3, 6, ... are masked throughout, and rows 1 and 2 alike."""
    if padding is None:
        return None
    steps, lengths = np.arange(T), rng.integers(1, T + 1, (B, 1))
    mask = {"pre": steps >= T - lengths, "post": steps < lengths, "middle": rng.random((B, T)) < 0.6}[padding]
    mask[::3] = False
    if B > 2:
        mask[2] = mask[1]
    return mask


def run_layer(layer, x, states=(), dy=None, dstates=None, mask=None, training=False, run=None):
    """What the layer gives, as `specified` gives it: y and the last states, and the gradients in a dictionary.

    dy, dstates: the gradients of y and of the last states; without dy, nothing goes back.
    """
    run = run or Run(training, mask, trains=True, wants_dx=True)
    out, backward = layer.forward([x, *states] if states else x, run)
    y, *last = out if layer.return_state else [out]
    dense_y, back = dense(y, run, "test")
    outputs = [array.copy() for array in (dense_y, *last)]
    if dy is None:
        return outputs
    for v in layer.variables:
        v.grad.fill(0)
    dy = back(dy.astype("f"))
    dx = backward([dy, *(d.astype("f") for d in dstates)] if layer.return_state else dy)
    dx, *dinitial = dx if states else [dx]
    return outputs, {
        "x": dx.copy(),
        **{f"initial state {i}": d.copy() for i, d in enumerate(dinitial)},
        **{v.name: v.grad.copy() for v in layer.variables},
    }


def specified(layer, x, states=(), dy=None, dstates=None, mask=None, m=None):
    """The same by the reference. m: the dropout mask of the recurrent kernel."""
    W, R, *b = (w.astype(np.float64) for w in layer.get_weights())
    b = b[0] if b else np.zeros(R.shape[1])
    name = {SimpleRNN: "simple_rnn", LSTM: "lstm", GRU: "gru"}[type(layer)]
    options = {"mask": mask, "m": m, "activation": layer.activation.name}
    if name != "simple_rnn":
        options["recurrent_activation"] = layer.recurrent_activation.name
    if name == "gru":
        options["reset_after"] = layer.reset_after
        if layer.reset_after:
            b, options["b"] = b if layer.use_bias else (b, None)
    options |= dict(zip(("h0", "c0"), states, strict=False))
    if layer.go_backwards:
        x, options["mask"] = x[:, ::-1], None if mask is None else mask[:, ::-1]

    p = x @ W + b
    y, *last = getattr(reference, name)(p, R, **options)
    outputs = [y if layer.return_sequences else y[:, -1], *(last if layer.return_state else [])]
    if dy is None:
        return outputs
    if not layer.return_sequences:
        dy = np.concatenate([np.zeros(y[:, 1:].shape), dy[:, None]], axis=1)
    dstates = dstates or [np.zeros(s.shape) for s in last]
    dp, dR, *rest = getattr(reference, f"{name}_backward")(dy, *dstates, p, R, **options)
    flat = x.reshape(-1, x.shape[2])
    dx, dW, db = reference.dense_backward(dp.reshape(-1, p.shape[2]), flat, W, b)
    dx = dx.reshape(x.shape)
    gradients = {"x": dx[:, ::-1] if layer.go_backwards else dx, "kernel": dW, "recurrent_kernel": dR}
    if layer.use_bias:
        gradients["bias"] = np.stack([db, rest[0]]) if "b" in options else db
    if states:
        gradients |= {f"initial state {i}": d for i, d in enumerate(rest[-len(states) :])}
    return outputs, gradients


def assert_as_specified(found, expected, rows=None):
    """rows: the Rows that the layer got, whose gradient is summed over the places of each distinct row."""
    (outputs, gradients), (expected_outputs, expected_gradients) = found, expected
    assert len(outputs) == len(expected_outputs)
    for i, (a, b) in enumerate(zip(outputs, expected_outputs, strict=True)):
        assert_close(a, b, 2e-5, f"output {i}")
    if rows is not None:
        summed = np.zeros(rows.values.shape)
        np.add.at(summed, rows.index, expected_gradients["x"])
        expected_gradients = {**expected_gradients, "x": summed}
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        assert_close(gradient, expected_gradients[name], 1e-4, name)


def check(layer, x, rng, given=False, mask=None, shared=True):
    """Everything that the layer computes from x, with random states if they are given, and random gradients."""
    B, U = len(x), layer.units
    states = [rng.normal(size=(B, U)).astype("f") for _ in layer.state_names] if given else []
    dy = rng.normal(size=(B, x.shape[1], U) if layer.return_sequences else (B, U))
    dstates = [rng.normal(size=(B, U)) for _ in layer.state_names] if layer.return_state else None
    rows = as_rows(x) if shared else None
    found = same_bits(lambda: run_layer(layer, rows if shared else x, states, dy, dstates, mask))
    assert_as_specified(found, specified(layer, x, states, dy, dstates, mask), rows)


def same_bits(run):
    """`run` gives the same bits with 1, 2 and 3 threads; its result."""
    results = []

    def arrays():
        results.append(run())
        outputs, gradients = results[-1]
        return (*outputs, *gradients.values())

    same_bits_for_any_threads(arrays)
    return results[-1]


# --- what they compute -----------------------------------------------------------------------------------------------

SHAPES = [(2, 5, 3, 7), (1, 1, 1, 1), (1, 13, 2, 3), (5, 1, 2, 3), (37, 11, 5, 13), (19, 3, 2, 67)]


@for_each_layer
@pytest.mark.parametrize("B, T, D, U", SHAPES)
@pytest.mark.parametrize("padding", [None, "pre", "post", "middle"])
@pytest.mark.parametrize("given", [False, True])
def test_outputs_states_and_gradients(kind, B, T, D, U, padding, given):
    rng = np.random.default_rng(B + T)
    layer = layer_of(kind, U, (B, T, D), rng, **EVERY_OUTPUT)
    for shared in (False, True):
        check(layer, repeated(rng, B, T, D), rng, given, mask_of(rng, padding, B, T), shared)


@for_each_layer
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"use_bias": False},
        {"go_backwards": True},
        {"go_backwards": True, "use_bias": False, **EVERY_OUTPUT},
    ],
    ids=str,
)
@pytest.mark.parametrize("padding", [None, "middle"])
@pytest.mark.parametrize("given", [False, True])
def test_options(kind, options, padding, given):
    rng = np.random.default_rng(7)
    layer = layer_of(kind, 7, (19, 5, 3), rng, **options)
    check(layer, repeated(rng, 19, 5, 3), rng, given, mask_of(rng, padding, 19, 5))


GATED = [("relu", "sigmoid"), ("tanh", "hard_sigmoid"), ("silu", "softsign"), ("gelu", "mish"), ("linear", "silu")]


@for_each_layer
@pytest.mark.parametrize("activations", GATED, ids=str)
@pytest.mark.parametrize("shared", [False, True])
def test_activations(kind, activations, shared):
    rng = np.random.default_rng(11)
    options = dict(zip(("activation", "recurrent_activation"), activations, strict=True))
    if kind == "simple_rnn":
        del options["recurrent_activation"]
    layer = layer_of(kind, 5, (3, 7, 2), rng, **options, **EVERY_OUTPUT)
    check(layer, repeated(rng, 3, 7, 2), rng, mask=mask_of(rng, "middle", 3, 7), shared=shared)


@for_each_layer
def test_a_batch_of_equal_rows_is_computed_once(kind):
    rng = np.random.default_rng(13)
    layer = layer_of(kind, 5, (11, 7, 2), rng, return_sequences=True)
    x = np.repeat(repeated(rng, 1, 7, 2), 11, axis=0)
    y, _ = layer.forward(as_rows(x), Run())
    assert len(y.values) == 1 + 7  # nothing yet, and one state for each step
    assert (y.index == y.index[0]).all()
    check(layer, x, rng)


@for_each_layer
@pytest.mark.parametrize("gradient_of", [0, 1])
def test_only_some_outputs_have_a_gradient(kind, gradient_of):
    """The others' is None, as a graph gives it for outputs that nobody uses."""
    rng = np.random.default_rng(17)
    B, T, U = 5, 7, 3
    layer, x = layer_of(kind, U, (B, T, 2), rng, **EVERY_OUTPUT), repeated(rng, B, T, 2)
    dy, *dstates = (np.zeros(s) for s in ((B, T, U), *((B, U) for _ in layer.state_names)))
    some = [None] * (1 + len(dstates))
    run = Run(trains=True, wants_dx=True)
    (y, *_), backward = layer.forward(x, run)
    if gradient_of == 0:
        dy = rng.normal(size=dy.shape)
        some[0] = dense(y, run, "test")[1](dy.astype("f"))
    else:
        dstates[-1] = rng.normal(size=(B, U))
        some[-1] = dstates[-1].astype("f")
    _, expected = specified(layer, x, (), dy, dstates)
    assert_close(backward(some), expected["x"], 1e-4)
    assert_close(layer.recurrent_kernel.grad, expected["recurrent_kernel"], 1e-4)


@for_each_layer
def test_weights_that_do_not_train_get_no_gradient(kind):
    rng = np.random.default_rng(19)
    layer, x, dy = layer_of(kind, 3, (5, 7, 2), rng), repeated(rng, 5, 7, 2), rng.normal(size=(5, 3))
    run = Run(wants_dx=True)
    _, gradients = run_layer(layer, x, (), dy, run=run)
    assert_close(gradients.pop("x"), specified(layer, x, (), dy)[1]["x"], 1e-4)
    assert not any(gradient.any() for gradient in gradients.values())


@for_each_layer
def test_gradients_add_up_when_a_layer_is_used_twice(kind):
    rng = np.random.default_rng(23)
    layer, start = layer_of(kind, 3, (5, 4, 3), rng, return_sequences=True), Input((4, 3))
    model = Model(start, layer(layer(start)))
    model.compile(SGD(1.0), "mse")
    x, y, before = repeated(rng, 5, 4, 3), rng.normal(size=(5, 4, 3)).astype("f"), layer.get_weights()[1]
    (inner,) = specified(layer, x)
    (out,) = specified(layer, inner)
    _, second = specified(layer, inner, (), 2 * (out - y) / y.size)
    _, first = specified(layer, x, (), second["x"])
    model.train_on_batch(x, y)
    assert_close(before - layer.get_weights()[1], first["recurrent_kernel"] + second["recurrent_kernel"], 1e-4)


@for_each_layer
def test_buffers_of_one_size_do_not_leak_into_the_next(kind):
    """One run serves batches of many shapes, as the last batch of an epoch is smaller."""
    rng = np.random.default_rng(29)
    layer = layer_of(kind, 5, (1, 1, 2), rng, **EVERY_OUTPUT)
    run = Run(trains=True, wants_dx=True)
    for B, T, padding in [(19, 7, "pre"), (3, 2, None), (37, 3, "middle"), (19, 7, None), (1, 1, "post")]:
        x, mask, dy = repeated(rng, B, T, 2), mask_of(rng, padding, B, T), rng.normal(size=(B, T, 5))
        dstates = [rng.normal(size=(B, 5)) for _ in layer.state_names]
        run.mask = mask
        found = run_layer(layer, x, (), dy, dstates, run=run)
        assert_as_specified(found, specified(layer, x, (), dy, dstates, mask))


# --- states ----------------------------------------------------------------------------------------------------------


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
    states = [Rows(table, ids) for _ in layer.state_names]
    dy = rng.normal(size=(3, 5))
    (y,), gradients = run_layer(layer, x, states, dy)
    (expected,), wanted = specified(layer, x, [table[ids]] * len(states), dy)
    assert_close(y, expected, 2e-5)
    for i in range(len(states)):
        summed = np.zeros(table.shape)
        np.add.at(summed, ids, wanted[f"initial state {i}"])
        assert_close(gradients[f"initial state {i}"], summed, 1e-4)


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


# --- dropout ---------------------------------------------------------------------------------------------------------


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
    first(x), second(x)
    second.set_weights(first.get_weights())
    np.testing.assert_array_equal(first(x, training=True), second(x, training=True))


# --- weights ---------------------------------------------------------------------------------------------------------


def test_shapes_of_weights_and_outputs():
    for layer, wide, bias in [
        (SimpleRNN(7), 7, (7,)),
        (LSTM(7), 28, (28,)),
        (GRU(7), 21, (2, 21)),
        (GRU(7, reset_after=False), 21, (21,)),
    ]:
        assert layer(np.ones((2, 5, 3))).shape == (2, 7)
        assert [w.shape for w in layer.get_weights()] == [(3, wide), (7, wide), bias]
        assert layer.count_params() == 10 * wide + np.prod(bias)
        assert layer.compute_output_shape((None, 5, 3)) == (None, 7)
    assert LSTM(7, **EVERY_OUTPUT).compute_output_shape((2, 5, 3)) == [(2, 5, 7), (2, 7), (2, 7)]
    assert GRU(7, return_state=True).compute_output_shape((2, None, 3)) == [(2, 7), (2, 7)]


def test_the_forget_gates_bias_starts_at_one():
    np.testing.assert_array_equal(built_bias(LSTM(3)), [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(built_bias(LSTM(3, unit_forget_bias=False)), np.zeros(12))
    bias = built_bias(LSTM(3, bias_initializer="random_normal"))
    np.testing.assert_array_equal(bias[3:6], np.ones(3))
    assert (bias[[0, 11]] != 0).all() and (bias[[0, 11]] != 1).all()
    assert not built_bias(GRU(3)).any()


def built_bias(layer):
    layer.ensure_built((None, 2, 2))
    return layer.get_weights()[2]


@for_each_layer
def test_the_recurrent_kernel_starts_with_orthogonal_rows(kind):
    cls, own = LAYERS[kind]
    layer = cls(5, **own)
    layer.ensure_built((None, 3, 2))
    R = layer.get_weights()[1]
    np.testing.assert_allclose(R @ R.T, np.eye(5), atol=1e-5)


@for_each_layer
def test_penalties_and_constraints_act_on_every_weight(kind):
    rng = np.random.default_rng(61)
    told = {}
    for weight, l2 in ("kernel", 0.01), ("recurrent", 0.02), ("bias", 0.03):
        told[f"{weight}_regularizer"] = {"class_name": "L2", "config": {"l2": l2}}
        told[f"{weight}_constraint"] = "non_neg"
    layer = layer_of(kind, 3, (5, 4, 2), rng, **told)
    x, y = repeated(rng, 5, 4, 2), rng.normal(size=(5, 3)).astype("f")
    model = Sequential([Input((4, 2)), layer])
    model.compile(SGD(0.1), "mse")
    (out,), weights = specified(layer, x), layer.get_weights()
    _, gradients = specified(layer, x, (), 2 * (out - y) / y.size)
    del gradients["x"]
    penalty = sum(l2 * (w.astype(float) ** 2).sum() for l2, w in zip((0.01, 0.02, 0.03), weights, strict=True))
    loss = model.train_on_batch(x, y)
    np.testing.assert_allclose(loss, ((out - y) ** 2).mean() + penalty, rtol=1e-5)
    for l2, w, gradient, new in zip((0.01, 0.02, 0.03), weights, gradients.values(), layer.get_weights(), strict=True):
        assert_close(new, np.maximum(w - 0.1 * (gradient + 2 * l2 * w), 0), 1e-5)


@for_each_layer
def test_the_configuration_makes_an_equal_layer(kind):
    cls, own = LAYERS[kind]
    options = {"activation": "relu", "use_bias": False, "dropout": 0.1, "recurrent_dropout": 0.2, "stateful": True}
    options |= {"go_backwards": True, "kernel_regularizer": "l2", "recurrent_constraint": "unit_norm", "seed": 4}
    options |= EVERY_OUTPUT
    if cls is not SimpleRNN:
        options["recurrent_activation"] = "hard_sigmoid"
    if cls is LSTM:
        options["unit_forget_bias"] = False
    config = cls(5, **own, **options).get_config()
    assert {key: config[key] for key in own} == own
    assert cls.from_config(config).get_config() == config
    assert config != cls(5).get_config()


# --- stacked, and in a model -----------------------------------------------------------------------------------------


def test_stacked_layers_pass_on_states_masks_and_gradients():
    """Rows over distinct states are the next layer's distinct rows, zero where nothing was read yet."""
    rng = np.random.default_rng(67)
    B, T, V = 37, 7, 5
    ids = rng.integers(0, V, (B, T))
    ids[0] = 0
    layers = [layer_of(kind, 3 + i, (B, T, 2 + i), rng, return_sequences=True) for i, kind in enumerate(LAYERS)]
    embedding = Embedding(V, 2, mask_zero=True)
    model = Sequential([embedding, *layers])
    y = 300 * rng.normal(size=(B, T, 6)).astype("f")  # so that the first layer's weights move far enough to compare
    model(ids)
    model.compile(SGD(1.0), "mse")
    table, mask = embedding.get_weights()[0], ids != 0

    inputs = [table[ids]]
    for layer in layers:
        inputs.append(specified(layer, inputs[-1], mask=mask)[0])
    assert_close(model.predict(ids, verbose=0), inputs[-1], 2e-5)
    d = 2 * (inputs[-1] - y) / 6 * mask[..., None] / mask.sum()
    steps = {}
    for layer, x in zip(reversed(layers), reversed(inputs[:-1]), strict=True):
        _, gradients = specified(layer, x, (), d, mask=mask)
        d = gradients.pop("x")
        steps[layer] = gradients
    dtable = reference.embedding_backward(d, table, ids)
    before = {layer: layer.get_weights() for layer in layers}
    model.train_on_batch(ids, y)
    assert_close(table - embedding.get_weights()[0], dtable, 2e-4)
    for layer, gradients in steps.items():
        for old, new, (name, gradient) in zip(before[layer], layer.get_weights(), gradients.items(), strict=True):
            assert_close(old - new, gradient, 2e-4, name)


@for_each_layer
def test_training_has_the_same_bits_with_any_number_of_threads(kind):
    rng = np.random.default_rng(71)
    ids, y = rng.integers(0, 7, (67, 9)), rng.integers(0, 2, (67, 1))
    cls, own = LAYERS[kind]

    def weights():
        model = Sequential([Embedding(7, 5, mask_zero=True), cls(23, recurrent_dropout=0.2, seed=1, **own), Dense(1)])
        model(ids)
        fixed = np.random.default_rng(0)
        model.set_weights([fixed.normal(size=w.shape) / 3 for w in model.get_weights()])
        model.compile(SGD(0.1), "mse")
        model.fit(ids, y, batch_size=37, epochs=2, shuffle=False, verbose=0)
        return tuple(model.get_weights())

    same_bits_for_any_threads(weights)


# --- what is refused -------------------------------------------------------------------------------------------------


@for_each_layer
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "`units` must be a positive integer. Received: units=0"),
        ({"activation": "softmax"}, "`activation` must be an elementwise activation"),
        ({"dropout": 1.5}, "`dropout` must be a number from 0 to 1"),
        ({"recurrent_dropout": -0.1}, "`recurrent_dropout` must be a number from 0 to 1"),
        ({"recurrent_dropuot": 0.1}, "Did you mean 'recurrent_dropout'"),
        ({"kernel_initializer": "glorot"}, "Did you mean"),
    ],
    ids=str,
)
def test_bad_arguments_are_named(kind, options, message):
    cls, own = LAYERS[kind]
    with pytest.raises((TypeError, ValueError), match=message) as error:
        cls(**{"units": 3, **own, **options})
    assert cls.__name__ in str(error.value) or "Did you mean" in message


def test_arguments_of_one_layer_only():
    with pytest.raises(ValueError, match="LSTM: `recurrent_activation` must be an elementwise activation"):
        LSTM(3, recurrent_activation="softmax")
    with pytest.raises(TypeError, match="argument of SimpleRNN"):
        SimpleRNN(3, recurrent_activation="sigmoid")
    with pytest.raises(TypeError, match="Did you mean 'reset_after'"):
        GRU(3, reset_afer=False)


@for_each_layer
def test_bad_inputs_and_states_are_named(kind):
    rng = np.random.default_rng(73)
    cls, _ = LAYERS[kind]
    layer = layer_of(kind, 5, (1, 2, 3), rng, name="memory", stateful=True)
    n, said = len(layer.state_names), rf"Layer 'memory' \({cls.__name__}\): expected "
    x = np.ones((4, 2, 3))
    for bad, message in [
        (np.ones((2, 3)), r"an input of shape \(batch, steps, features\). Received: shape \(2, 3\)"),
        (np.ones((2, 2, 7)), r"3 input features on the last axis. Received: shape \(2, 2, 7\)"),
        (np.ones((4, 0, 3)), r"at least one step. Received: shape \(4, 0, 3\)"),
    ]:
        with pytest.raises(ValueError, match=said + message):
            layer(bad)
    for shape in (1, 5), (5,), (4, 1):
        with pytest.raises(ValueError, match=said + r"initial states of shapes \[\(4, 5\)"):
            layer(x, initial_state=[np.ones(shape)] * n)
    with pytest.raises(ValueError, match=said + f"{n} initial state.*Received: 3"):
        layer(x, initial_state=[np.ones((4, 5))] * 3)
    layer(x[:1])
    with pytest.raises(ValueError, match=said + r"initial states of shapes .*, or reset_states\(\) before batches"):
        layer(x)
    layer.reset_states()
    assert layer(x).shape == (4, 5)
