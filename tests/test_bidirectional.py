"""Bidirectional against compositions of the reference: outputs, gradients, masks, states."""

import numpy as np
import pytest
import reference
from checks import as_rows, assert_close, random, summed_by_row
from wrapped import RNG, all_layers, assert_gradients, built, repeated, run_layer

import fastkeras as keras
from fastkeras.core.rows import Rows, dense
from fastkeras.core.run import Run
from fastkeras.core.variable import pack
from fastkeras.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Layer,
    SimpleRNN,
    TimeDistributed,
)

MERGE_MODES = ["concat", "sum", "mul", "ave", None]


def one_direction(kind, x, weights, states, mask):
    """All outputs (B, T, U) in the order read, and the last states, of one recurrent layer."""
    W, R, b = weights
    if kind is GRU:
        return reference.gru(x @ W + b[0], R, b[1], *states, mask)
    return (reference.lstm if kind is LSTM else reference.simple_rnn)(x @ W + b, R, *states, mask)


def both_directions(kind, x, weights, states=None, mask=None, sequences=True, mode="concat", return_state=False):
    """The list of outputs, as Keras defines them: with sequences masked steps give zero."""
    count = 2 if kind is LSTM else 1
    states = [None] * 2 * count if states is None else states
    half = len(weights) // 2
    y, *y_states = one_direction(kind, x, weights[:half], states[:count], mask)
    turned = None if mask is None else mask[:, ::-1]
    z, *z_states = one_direction(kind, x[:, ::-1], weights[half:], states[count:], turned)
    if sequences:
        z = z[:, ::-1]
        if mask is not None:
            y, z = (np.where(mask[..., None], out, 0.0) for out in (y, z))
    else:
        y, z = y[:, -1], z[:, -1]
    merged = {
        "concat": lambda: [np.concatenate([y, z], axis=-1)],
        "sum": lambda: [y + z],
        "mul": lambda: [y * z],
        "ave": lambda: [(y + z) / 2],
        None: lambda: [y, z],
    }[mode]()
    return merged + (y_states + z_states if return_state else [])


MASKS = {
    "none": None,
    "pre": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]],
    "post": [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]],
    "middle and all": [[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 1]],
}


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_bidirectional(kind, masked, sequences):
    """Outputs and every gradient, for an array and for Rows."""
    B, T, D, U = 3, 5, 2, 2
    mask = None if MASKS[masked] is None else np.array(MASKS[masked], bool)
    layer = built(Bidirectional(kind(U, return_sequences=sequences)), (B, T, D))
    x = repeated(B, T, D, 4)
    dys = [random(B, T, 2 * U) if sequences else random(B, 2 * U)]

    def function(x, *weights):
        return both_directions(kind, x, weights, mask=mask, sequences=sequences)

    arrays = [a.astype(np.float64) for a in (x, *layer.get_weights())]
    (y,), (dx,), dweights = run_layer(layer, x, dys, mask)
    assert_close(y, function(*arrays)[0], 1e-5)
    assert_gradients(function, arrays, dys, [dx, *dweights])

    rows = as_rows(x)
    (shared_y,), (shared_dx,), shared_dweights = run_layer(layer, rows, dys, mask)
    assert_close(shared_y, y, 1e-5)
    assert_close(shared_dx, summed_by_row(dx, rows), 1e-4)
    for a, b in zip(shared_dweights, dweights, strict=True):
        assert_close(a, b, 1e-4)


@pytest.mark.parametrize("B, T", [(1, 1), (2, 1), (1, 7), (19, 11)])
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("mode", MERGE_MODES)
def test_merge_modes(mode, sequences, B, T):
    D, U = 3, 5
    layer = built(Bidirectional(SimpleRNN(U, return_sequences=sequences), merge_mode=mode), (B, T, D))
    x, mask = repeated(B, T, D, 3), RNG.random((B, T)) < 0.7
    weights = [w.astype(np.float64) for w in layer.get_weights()]
    expected = both_directions(SimpleRNN, x, weights, None, mask, sequences, mode)
    shapes = layer.compute_output_shape((B, T, D))
    assert shapes == ([e.shape for e in expected] if mode is None else expected[0].shape)
    marks = layer.compute_mask(x, mask)
    for mark in marks if mode is None else [marks]:
        assert mark is (mask if sequences else None)

    dys = [random(*e.shape) for e in expected]
    ys, (dx,), _ = run_layer(layer, x, dys, mask)
    for y, wanted in zip(ys, expected, strict=True):
        assert_close(y, wanted, 1e-5)
    direction = random(*x.shape).astype(np.float64)  # the derivative along one direction; all of them are tested above
    step = 1e-5

    def total(x):
        outputs = both_directions(SimpleRNN, x, weights, None, mask, sequences, mode)
        return sum((dy * out).sum() for dy, out in zip(dys, outputs, strict=True))

    above, below = total(x + step * direction), total(x - step * direction)
    np.testing.assert_allclose((dx * direction).sum(), (above - below) / (2 * step), rtol=1e-3, atol=1e-4)
    rows = as_rows(x)
    shared_ys, (shared_dx,), _ = run_layer(layer, rows, dys, mask)
    for y, wanted in zip(shared_ys, ys, strict=True):
        assert_close(y, wanted, 1e-5)
    assert_close(shared_dx, summed_by_row(dx, rows), 1e-4)


@pytest.mark.parametrize("mode", ["concat", None])
@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_states_in_and_out(kind, mode):
    B, T, D, U = 2, 3, 2, 2
    count = 4 if kind is LSTM else 2
    layer = Bidirectional(kind(U, return_sequences=True, return_state=True), merge_mode=mode)
    shapes = [(B, T, D)] + [(B, U)] * count
    built(layer, shapes)
    x, states = random(B, T, D), [random(B, U) for _ in range(count)]
    mask = np.array([[1, 1, 0], [0, 1, 1]], bool)

    def function(x, *rest):
        return both_directions(kind, x, rest[count:], rest[:count], mask, True, mode, return_state=True)

    arrays = [a.astype(np.float64) for a in (x, *states, *layer.get_weights())]
    expected = function(*arrays)
    assert layer.compute_output_shape(shapes) == [e.shape for e in expected]
    masks = layer.compute_mask([x, *states], [mask, *[None] * count])
    assert [m is mask for m in masks] == [i < len(expected) - count for i in range(len(expected))]
    dys = [random(*e.shape) for e in expected]
    ys, dxs, dweights = run_layer(layer, [x, *states], dys, mask)
    for y, wanted in zip(ys, expected, strict=True):
        assert_close(y, wanted, 1e-5)
    assert_gradients(function, arrays, dys, [*dxs, *dweights])


def test_outputs_that_nothing_depends_on():
    """Gradients that do not come: of states, of one direction."""
    x = random(2, 3, 2)
    layer = built(Bidirectional(LSTM(3, return_sequences=True, return_state=True)), x.shape)
    dy = random(2, 3, 6)
    whole = run_layer(layer, x, [dy, *(np.zeros((2, 3)) for _ in range(4))])
    part = run_layer(layer, x, [dy, None, None, None, None])
    assert_close(part[1][0], whole[1][0], 1e-6)
    only_state = run_layer(layer, x, [None, random(2, 3), None, None, None])
    assert only_state[2][0].any() and not any(g.any() for g in only_state[2][3:])  # the forward layer's alone

    apart = built(Bidirectional(LSTM(3), merge_mode=None), x.shape)
    _, (dx,), gradients = run_layer(apart, x, [None, random(2, 3)])
    assert dx.any() and gradients[3].any() and not any(g.any() for g in gradients[:3])


def test_distinct_pairs_are_few():
    """Equal rows share their pairs, and all masked steps are one pair."""
    B, T, D, U = 7, 5, 3, 2
    layer = built(Bidirectional(LSTM(U, return_sequences=True)), (B, T, D))
    x = np.repeat(random(1, T, D), B, axis=0)
    mask = np.ones((B, T), bool)
    mask[:, 3:] = False
    y, _ = layer.forward(as_rows(x), Run(mask=mask))
    assert y.values.shape == (4, 2 * U) and y.index.shape == (B, T)
    assert not y.values[y.index[:, 3:]].any()


def test_bidirectional_and_a_dense_layer_over_pairs():
    """The tagger's layers: Rows pass from one to the other, and the gradients agree with those of plain arrays."""
    B, T, D = 5, 7, 3
    x = repeated(B, T, D, 4)
    mask = RNG.random((B, T)) < 0.6
    dy = random(B, T, 4)
    results = []
    for start in (x, as_rows(x)):
        weights_rng = np.random.default_rng(3)
        layers = [Bidirectional(GRU(3, return_sequences=True)), TimeDistributed(Dense(4, activation="tanh"))]
        runs, backs, y = [], [], start
        for layer, shape in zip(layers, [(B, T, D), (B, T, 6)], strict=True):
            layer.ensure_built(shape)
            layer.set_weights([weights_rng.normal(size=w.shape) for w in layer.get_weights()])
            pack(layer.variables)
            runs.append(Run(mask=mask, trains=True, trained=all_layers(layer), wants_dx=True))
            y, back = layer.forward(y, runs[-1])
            backs.append(back)
        assert type(y) is Rows and len(y.values) <= B * T
        out, back = dense(y, Run())
        gradient = back(dy.copy())
        for back in reversed(backs):
            gradient = back(gradient)
        results.append((out, gradient, [v.grad for layer in layers for v in layer.variables]))
    (y, dx, weights), (shared_y, shared_dx, shared_weights) = results
    assert_close(shared_y, y, 1e-5)
    assert_close(shared_dx, summed_by_row(dx, as_rows(x)), 1e-4)
    for a, b in zip(shared_weights, weights, strict=True):
        assert_close(a, b, 1e-4)


def test_a_backward_layer_of_the_users_own():
    B, T, D = 2, 4, 3
    layer = Bidirectional(
        LSTM(5, return_sequences=True), backward_layer=GRU(2, return_sequences=True, go_backwards=True)
    )
    built(layer, (B, T, D))
    x = random(B, T, D)
    (y,) = run_layer(layer, x)
    weights = [w.astype(np.float64) for w in layer.get_weights()]
    expected, _, _ = one_direction(LSTM, x, weights[:3], [None, None], None)
    turned, _ = one_direction(GRU, x[:, ::-1], weights[3:], [None], None)
    assert_close(y, np.concatenate([expected, turned[:, ::-1]], axis=-1), 1e-5)
    assert layer.compute_output_shape((B, T, D)) == y.shape
    assert layer.backward_layer.name.startswith("gru")
    again = Bidirectional.from_config(layer.get_config())
    assert type(again.backward_layer) is GRU and again.backward_layer.go_backwards and again.forward_layer.units == 5


def test_a_layer_that_reads_backwards_is_copied_to_one_that_reads_forwards():
    layer = Bidirectional(SimpleRNN(2, go_backwards=True))
    assert layer.forward_layer.go_backwards and not layer.backward_layer.go_backwards


def test_names_and_the_order_of_weights():
    layer = Bidirectional(LSTM(3, name="reader"), name="both")
    assert (layer.forward_layer.name, layer.backward_layer.name) == ("forward_reader", "backward_reader")
    layer.ensure_built((None, 5, 2))
    forward, backward = layer.forward_layer.get_weights(), layer.backward_layer.get_weights()
    assert len(layer.get_weights()) == 6 and layer.count_params() == 2 * (2 + 3 + 1) * 12
    for a, b in zip(layer.get_weights(), forward + backward, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (forward[0] != backward[0]).any()  # two layers, two draws


def test_weights_given_at_the_start():
    weights = [random(2, 3), random(3, 3), random(3), random(2, 3), random(3, 3), random(3)]
    layer = Bidirectional(SimpleRNN(3), weights=weights)
    layer.ensure_built((None, 5, 2))
    for a, b in zip(layer.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_stateful_directions_go_on_where_they_stopped():
    x = random(2, 3, 4)
    layer = built(Bidirectional(GRU(3, stateful=True)), x.shape)
    first, second = run_layer(layer, x)[0], run_layer(layer, x)[0]
    assert np.abs(first - second).max() > 1e-3
    layer.reset_states()
    np.testing.assert_array_equal(run_layer(layer, x)[0], first)
    states = [random(2, 3), random(2, 3)]
    layer.reset_states(states)
    expected = both_directions(GRU, x, [w.astype(np.float64) for w in layer.get_weights()], states, sequences=False)[0]
    assert_close(run_layer(layer, x)[0], expected, 1e-5)


def test_penalties_of_the_layers_inside_count():
    """Keras adds the activity penalties of both directions to the loss."""
    x = random(2, 3, 4)
    inner = SimpleRNN(3, activity_regularizer=keras.regularizers.L2(0.1))
    layer = built(Bidirectional(inner, merge_mode=None), x.shape)
    run = Run(trained=all_layers(layer))
    (y, z), _ = layer.forward(x, run)
    np.testing.assert_allclose(run.penalty, 0.1 * ((y**2).sum() + (z**2).sum()) / 2, rtol=1e-5)
    y, z = y.copy(), z.copy()
    direct = run_layer(layer, x, [0.1 * y, 0.1 * z])  # the gradient of 0.1 y^2 / 2, once more
    none = run_layer(layer, x, [np.zeros_like(y), np.zeros_like(z)])
    assert_close(direct[1][0], 2 * none[1][0], 1e-4)
    layer.forward(x, run)
    assert run.penalty > 0


class Reader(Layer):
    """A recurrent layer as a user might write one: the sum of what was read, as plain arrays."""

    def __init__(self, units=2, go_backwards=False, return_sequences=True, **kwargs):
        super().__init__(**kwargs)
        self.go_backwards, self.return_sequences = go_backwards, return_sequences
        self.units, self.stateful, self.return_state = units, False, False

    def compute_output_shape(self, input_shape):
        return input_shape if self.return_sequences else (input_shape[0], input_shape[2])

    def forward(self, x, run):
        x, back = dense(x, run)
        order = slice(None, None, -1 if self.go_backwards else 1)
        y = np.cumsum(x[:, order], axis=1)
        return y, lambda dy: back(np.ascontiguousarray(np.cumsum(dy[:, ::-1], axis=1)[:, ::-1][:, order]))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "go_backwards": self.go_backwards,
            "return_sequences": self.return_sequences,
        }


def test_a_recurrent_layer_of_the_users_own():
    x, dy = repeated(2, 5, 3, 4), random(2, 5, 6)
    layer = Bidirectional(Reader())
    y, (dx,), _ = run_layer(layer, x, [dy])
    assert_close(y[0], np.concatenate([np.cumsum(x, 1), np.cumsum(x[:, ::-1], 1)[:, ::-1]], axis=2), 1e-6)
    expected = np.cumsum(dy[:, ::-1, :3], 1)[:, ::-1] + np.cumsum(dy[..., 3:], 1)
    assert_close(dx, expected, 1e-5)
    rows = as_rows(x)
    _, (shared_dx,), _ = run_layer(layer, rows, [dy])
    assert_close(shared_dx, summed_by_row(expected, rows), 1e-5)


def test_a_shared_input_that_nothing_learns_from_needs_no_gradient():
    x = random(2, 3, 4)
    layer = built(Bidirectional(LSTM(2)), x.shape)
    _, dx, gradients = run_layer(layer, x, [random(2, 4)], wants_dx=False)
    assert dx == [None] and all(g.any() for g in gradients)
