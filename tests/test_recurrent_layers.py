"""SimpleRNN, LSTM and GRU against the reference: outputs, states, every gradient, masks, stacks, and threads."""

import numpy as np
import pytest
import reference
from checks import as_rows, assert_close, same_bits_for_any_threads
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

from fastkeras import Model, Sequential
from fastkeras.core.rows import dense
from fastkeras.core.run import Run
from fastkeras.layers import Dense, Embedding, Input
from fastkeras.optimizers import SGD


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
