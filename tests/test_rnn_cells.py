"""RNN and its cells: against the layers, whose own tests compare them with the reference, and cells of a user's own."""

import copy
import json
import textwrap

import numpy as np
import pytest
from checks import as_rows, assert_close, central_difference, random, summed_by_row
from wrapped import all_layers, built, repeated, run_layer

import fastkeras as keras
from fastkeras import Model, ops
from fastkeras.core import nest
from fastkeras.core.run import Run
from fastkeras.layers import (
    GRU,
    LSTM,
    RNN,
    Add,
    Bidirectional,
    Dense,
    Embedding,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)
from fastkeras.layers import cells as cells_module
from fastkeras.models import load_model

RNG = np.random.default_rng(29)
PAIRS = [
    (SimpleRNN, SimpleRNNCell, {}),
    (LSTM, LSTMCell, {}),
    (GRU, GRUCell, {}),
    (GRU, GRUCell, {"reset_after": False}),
]
IDS = ["simple_rnn", "lstm", "gru", "gru_reset_before"]
MASKS = {
    "none": None,
    "pre": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]],
    "post": [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]],
    "middle and all": [[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 1]],
}


class Leaky(Layer):
    """A cell as a user writes one: s_t = a s_{t-1} + x_t W, n_t = n_{t-1} + 1, y_t = 2 s_t; its output is no state."""

    state_size = (2, 1)

    def __init__(self, output_size=2, **kwargs):
        super().__init__(**kwargs)
        self.output_size = output_size

    def build(self, input_shape):
        self.a = self.add_weight("a", (2,))
        self.W = self.add_weight("W", (input_shape[-1], 2))

    def get_config(self):
        return {**super().get_config(), "output_size": self.output_size}


class LeakyCell(Leaky):
    def forward(self, x, run):
        x, s, n = x
        new_s = self.a.value * s + x @ self.W.value

        def backward(dys):
            ds = 2 * dys[0] + dys[1]
            self.a.grad += (ds * s).sum(axis=0)
            self.W.grad += x.T @ ds
            return [ds @ self.W.value.T, ds * self.a.value, dys[2]]

        return [2 * new_s, new_s, n + 1], backward


class LeakyCellInOps(Leaky):
    def call(self, x, states):
        s, n = states
        new_s = self.a * s + ops.matmul(x, self.W)
        return 2 * new_s, [new_s, n + 1]


def leaky(x, a, W, s, n, mask, sequences, zero=False):
    """What RNN(LeakyCell()) is to give: [y, s, n]."""
    B, T = x.shape[:2]
    y, ys = np.zeros((B, 2)), np.zeros((B, T, 2))
    for t in range(T):
        steps = mask[:, t, None]
        new_s = a * s + x[:, t] @ W
        s, n = np.where(steps, new_s, s), np.where(steps, n + 1, n)
        y = ys[:, t] = np.where(steps, 2 * new_s, 0 if zero else y)
    return [ys if sequences else y, s, n]


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize("cell", [LeakyCell, LeakyCellInOps])
def test_a_cell_of_the_users_own(cell, masked, sequences, zero):
    """Outputs that masked steps repeat, and the gradients of everything, by central differences."""
    B, T, D = 3, 5, 2
    mask = None if MASKS[masked] is None else np.array(MASKS[masked], bool)
    layer = RNN(cell(), return_sequences=sequences, return_state=True, zero_output_for_mask=zero)
    shapes = [(B, T, D), (B, 2), (B, 1)]
    built(layer, shapes)
    x, s, n = random(B, T, D), random(B, 2), random(B, 1)
    arrays = [v.astype(np.float64) for v in (x, s, n, *layer.get_weights())]

    def function(x, s, n, a, W):
        return leaky(x, a, W, s, n, np.ones((B, T), bool) if mask is None else mask, sequences, zero)

    expected = function(*arrays)
    assert layer.compute_output_shape(shapes) == [e.shape for e in expected]
    dys = [random(*e.shape) for e in expected]
    ys, dxs, dweights = run_layer(layer, [x, s, n], dys, mask)
    for y, wanted in zip(ys, expected, strict=True):
        assert_close(y, wanted, 1e-5)
    for i, gradient in enumerate([*dxs, *dweights]):

        def changed(value, i=i):
            return np.concatenate([out.ravel() for out in function(*arrays[:i], value, *arrays[i + 1 :])])

        wanted = central_difference(changed, arrays[i], np.concatenate([dy.ravel() for dy in dys]))
        assert_close(gradient, wanted, 1e-4, f"gradient {i}")


def pair(layer_class, cell_class, options, units, shape, **flags):
    """A layer, and RNN of its cell with the same weights."""
    layer = built(layer_class(units, **options, **flags), shape)
    rnn = built(RNN(cell_class(units, **options), **flags), shape)
    rnn.set_weights(layer.get_weights())
    return layer, rnn


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"return_sequences": True, "go_backwards": True},
        {"zero_output_for_mask": True},
        {"zero_output_for_mask": True, "return_sequences": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("masked", MASKS)
@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS, ids=IDS)
def test_rnn_of_a_cell_is_the_layer(layer_class, cell_class, options, masked, flags):
    B, T, D, U = 3, 5, 4, 7
    mask = None if MASKS[masked] is None else np.array(MASKS[masked], bool)
    layer, rnn = pair(layer_class, cell_class, options, U, (B, T, D), return_state=True, **flags)
    x = repeated(B, T, D, 4)
    states = [random(B, U) for _ in rnn.state_size]
    shapes = [x.shape, *(s.shape for s in states)]
    assert rnn.compute_output_shape(shapes) == layer.compute_output_shape(shapes)
    for start in (x, [x, *states], as_rows(x), [as_rows(x), *states]):
        ys = run_layer(layer, start, mask=mask)
        dys = [random(*y.shape) for y in ys]
        expected, actual = run_layer(layer, start, dys, mask), run_layer(rnn, start, dys, mask)
        for got, wanted in zip(actual, expected, strict=True):
            for a, b in zip(got, wanted, strict=True):
                assert_close(a, b, 2e-5)


@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS, ids=IDS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 2), (1, 6, 3)])
def test_one_step_and_one_row(layer_class, cell_class, options, shape):
    layer, rnn = pair(layer_class, cell_class, {**options, "use_bias": False, "activation": "softplus"}, 2, shape)
    x, dy = random(*shape), random(shape[0], 2)
    expected, actual = run_layer(layer, x, [dy]), run_layer(rnn, x, [dy])
    for got, wanted in zip(actual, expected, strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, b, 2e-5)


@pytest.mark.parametrize(("layer_class", "cell_class", "options"), PAIRS, ids=IDS)
def test_dropout_of_a_cell_has_one_mask_for_all_steps(layer_class, cell_class, options):
    """The same seed gives a layer and its cell the same masks."""
    B, T, D, U = 5, 4, 3, 6
    options = {**options, "dropout": 0.4, "recurrent_dropout": 0.3, "seed": 7}
    layer, rnn = pair(layer_class, cell_class, options, U, (B, T, D), return_sequences=True)
    x, dy = random(B, T, D), random(B, T, U)
    first = run_layer(layer, x, [dy], training=True)
    for got, wanted in zip(run_layer(rnn, x, [dy], training=True), first, strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, b, 2e-5)
    run = Run(training=True)
    y, _ = rnn.forward(x, run)
    y = y.copy()
    again, _ = rnn.forward(x, run)
    assert np.abs(again - y).max() > 1e-3  # each batch has masks of its own
    assert_close(run_layer(rnn, x)[0], run_layer(layer, x)[0], 2e-5)  # and predictions have none


def test_stacked_cells_are_stacked_layers():
    B, T, D = 3, 4, 2
    cells = [LSTMCell(3), SimpleRNNCell(5), GRUCell(2)]
    rnn = built(RNN(cells, return_sequences=True, return_state=True), (B, T, D))
    layers = [LSTM(3), SimpleRNN(5), GRU(2)]
    shape, weights = (B, T, D), rnn.get_weights()
    for layer in layers:
        layer.return_sequences = layer.return_state = True
        built(layer, shape)
        layer.set_weights(weights[:3])
        weights = weights[3:]
        shape = (B, T, layer.units)
    assert rnn.state_size == rnn.cell.state_size == [[3, 3], 5, 2] and rnn.cell.output_size == 2
    x, mask = random(B, T, D), np.array([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
    dy, dstates = random(B, T, 2), [random(B, n) for n in rnn.state_sizes]
    ys, (dx,), gradients = run_layer(rnn, x, [dy, *dstates], mask)

    runs = [Run(mask=mask, trains=True, wants_dx=True) for _ in layers]
    y, states, backs = x, [], []
    for layer, run in zip(layers, runs, strict=True):
        (y, *own), back = layer.forward(y, run)
        states += own
        backs.append(back)
    for got, wanted in zip(ys[1:], states, strict=True):
        assert_close(got, wanted, 1e-5)
    assert_close(ys[0], y.values[y.index], 1e-5)
    d = np.zeros_like(y.values)
    np.add.at(d, y.index, dy)
    groups = [dstates[:2], dstates[2:3], dstates[3:]]
    for back, own in zip(reversed(backs), reversed(groups), strict=True):
        d = back([d, *own])
    assert_close(dx, d, 2e-5)
    expected = [v.grad for layer in layers for v in layer.variables]
    for a, b in zip(gradients, expected, strict=True):
        assert_close(a, b, 2e-5)


def test_initial_states_may_be_grouped_by_cell():
    x, h, c, s = random(2, 3, 4), random(2, 3), random(2, 3), random(2, 5)
    layer = RNN([LSTMCell(3), SimpleRNNCell(5)], return_state=True)
    grouped, flat = layer(x, initial_state=[[h, c], s]), layer(x, initial_state=[h, c, s])
    for a, b in zip(grouped, flat, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(grouped[0] - layer(x)[0]).max() > 1e-3
    of_first, s = layer.get_initial_state(7)
    assert [state.shape for state in (*of_first, s)] == [(7, 3), (7, 3), (7, 5)] and not s.any()


@pytest.mark.parametrize("cells", ["several", "one in a list", "alone", "deep"])
def test_returned_states_are_grouped_by_cell(tmp_path, cells):
    cell, sizes = {
        "several": ([LSTMCell(3), GRUCell(2)], [[3, 3], 2]),
        "one in a list": ([LSTMCell(3)], [[3, 3]]),
        "alone": (LSTMCell(3), [3, 3]),
        "deep": ([StackedRNNCells([LSTMCell(3), GRUCell(2)]), SimpleRNNCell(5)], [[[3, 3], 2], 5]),
    }[cells]
    layer, x = RNN(cell, return_state=True), random(2, 7, 4)
    assert layer.state_size == sizes
    y, *states = layer(x)
    assert nest.mapped(lambda state: state.shape[1], states) == sizes

    start = Input((7, 4))
    symbolic = layer(start)
    assert nest.mapped(lambda state: state.shape[1], symbolic[1:]) == sizes
    model = Model(start, [symbolic[0], Add()([nest.flat(symbolic)[1], nest.flat(symbolic)[2]])])
    model.save(tmp_path / "model.keras")
    for again in (model, load_model(tmp_path / "model.keras", compile=False)):
        first, total = again.predict(x)
        assert_close(first, y, 1e-6)
        assert_close(total, nest.flat(states)[0] + nest.flat(states)[1], 1e-6)
    every = Model(start, symbolic).predict(x)
    assert [array.shape[1] for array in every] == [y.shape[1], *nest.flat(sizes)]


def test_the_cell_of_the_docstring_is_a_linear_simple_rnn():
    told = cells_module.__doc__
    example = told[told.index("    class MinimalCell") : told.index("A layer that a cell holds")]
    names = {"Layer": Layer}
    exec(textwrap.dedent(example), names)
    cell = names["MinimalCell"]
    layer, own = built(SimpleRNN(5, "linear", use_bias=False), (3, 4, 2)), built(RNN(cell(5)), (3, 4, 2))
    own.set_weights(layer.get_weights())
    x, dy = random(3, 4, 2), random(3, 5)
    for got, wanted in zip(run_layer(own, x, [dy]), run_layer(layer, x, [dy]), strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, b, 1e-5)
    assert cell.from_config(own.cell.get_config()).units == 5


class Holder(Layer):
    """A cell that holds a model: h' = h + model(x)."""

    state_size = 3

    def __init__(self, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner or keras.Sequential([keras.Input((2,)), Dense(4, activation="tanh"), Dense(3)])

    def sublayers(self):
        return [self.inner]

    def forward(self, x, run):
        x, h = x
        y, back = self.inner.forward(x, run.inside(self.inner, "inner"))
        y = h + y
        return [y, y], lambda dys: [back(dys[0] + dys[1]), dys[0] + dys[1]]


def test_a_cell_may_hold_a_model():
    """Each step has arrays of its own, down to those of the layers inside."""
    x, dy = random(2, 4, 2), random(2, 3)
    rnn = built(RNN(Holder()), x.shape)
    each = TimeDistributed(rnn.cell.inner)
    (y,), (dx,), gradients = run_layer(rnn, x, [dy])
    gradients = [g.copy() for g in gradients]
    (ys,), (expected_dx,), expected = run_layer(each, x, [np.repeat(dy[:, None], 4, axis=1)])
    assert_close(y, ys.sum(axis=1), 1e-5)
    assert_close(dx, expected_dx, 1e-5)
    for a, b in zip(gradients, expected, strict=True):
        assert_close(a, b, 1e-5)


def test_a_cell_in_ops_learns_when_its_input_does_not():
    """The gradients of its states lead from step to step, though nothing before it is trained; also in a stack."""
    x, y = random(8, 5, 3), random(8, 2)
    trained = []
    for cell in (LeakyCell, LeakyCellInOps):
        model = keras.Sequential([keras.Input((5, 3)), RNN([cell(), cell()])])
        model.compile("sgd", "mse")
        random_weights = np.random.default_rng(3)
        model.set_weights([random_weights.uniform(0.2, 0.8, w.shape) for w in model.get_weights()])
        model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for own, in_ops in zip(*trained, strict=True):
        assert_close(in_ops, own, 1e-5)


class Counter(Layer):
    """A cell that starts from ten."""

    state_size = 1

    def forward(self, x, run):
        return [x[1] + x[0]] * 2, lambda dys: [dys[0] + dys[1]] * 2

    def get_initial_state(self, batch_size):
        return np.full((batch_size, 1), 10)


def test_a_cell_may_say_what_it_starts_from():
    np.testing.assert_array_equal(RNN(Counter())(np.ones((2, 3, 1), "f")), [[13], [13]])
    np.testing.assert_array_equal(RNN([Counter(), Counter()])(np.zeros((2, 1, 1), "f")), [[20], [20]])


def test_stacked_cells_have_one_mask_for_all_steps():
    """The same seeds give stacked layers and stacked cells the same masks."""
    B, T, D = 3, 6, 2
    told = {"dropout": 0.5, "recurrent_dropout": 0.3}
    rnn = built(RNN([SimpleRNNCell(4, seed=1, **told), GRUCell(5, seed=2, **told)]), (B, T, D))
    lower = built(SimpleRNN(4, seed=1, return_sequences=True, **told), (B, T, D))
    upper = built(GRU(5, seed=2, **told), (B, T, 4))
    lower.set_weights(rnn.get_weights()[:3])
    upper.set_weights(rnn.get_weights()[3:])
    x = random(B, T, D)
    expected = run_layer(upper, run_layer(lower, x, training=True)[0], training=True)[0]
    assert_close(run_layer(rnn, x, training=True)[0], expected, 1e-5)


def test_a_stateful_rnn_goes_on_where_it_stopped():
    x = random(2, 6, 3)
    whole = built(RNN(LSTMCell(5)), (2, 6, 3))
    parts = built(RNN(LSTMCell(5), stateful=True), (2, 3, 3))
    parts.set_weights(whole.get_weights())
    first = run_layer(parts, x[:, :3].copy())[0]
    assert_close(run_layer(parts, x[:, 3:].copy())[0], run_layer(whole, x)[0], 1e-5)
    parts.reset_states()
    np.testing.assert_array_equal(run_layer(parts, x[:, :3].copy())[0], first)
    parts.reset_states([np.zeros((2, 5)), np.zeros((2, 5))])
    np.testing.assert_array_equal(run_layer(parts, x[:, :3].copy())[0], first)
    with pytest.raises(ValueError, match=r"initial states of shapes .*reset_states\(\) before batches"):
        run_layer(parts, random(3, 3, 3))


def test_a_cell_called_by_itself():
    x, h, c = random(2, 3), random(2, 5), random(2, 5)
    cell = LSTMCell(5)
    y, (new_h, new_c) = cell(x, [h, c])
    layer = LSTM(5, return_state=True, weights=cell.get_weights())
    expected, _, expected_c = layer(x[:, None], initial_state=[h, c])
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(new_h, y)
    np.testing.assert_array_equal(new_c, expected_c)
    y, states = StackedRNNCells([cell, SimpleRNNCell(2)])(x, [[h, c], random(2, 2)])
    assert y.shape == (2, 2) and [len(states), len(states[0])] == [2, 2]


def test_bidirectional_rnn_of_cells():
    """The two directions of RNN are those of the layer; the user's own cell need not be registered."""
    B, T, D, U = 3, 5, 2, 3
    x, mask = random(B, T, D), np.array(MASKS["middle and all"], bool)
    layer = built(Bidirectional(GRU(U, return_sequences=True)), (B, T, D))
    rnn = built(Bidirectional(RNN(GRUCell(U), return_sequences=True)), (B, T, D))
    rnn.set_weights(layer.get_weights())
    dy = random(B, T, 2 * U)
    for got, wanted in zip(run_layer(rnn, x, [dy], mask), run_layer(layer, x, [dy], mask), strict=True):
        for a, b in zip(got, wanted, strict=True):
            assert_close(a, b, 2e-5)
    own = Bidirectional(RNN([LeakyCell(), LeakyCell()]))
    assert own(x).shape == (B, 4)
    names = (own.forward_layer.name, own.backward_layer.name)
    assert names[0].startswith("forward_rnn") and names[1].startswith("backward_rnn")


def test_penalties_constraints_and_options_of_a_cell():
    options = {"kernel_regularizer": "l2", "recurrent_constraint": "non_neg", "bias_initializer": "ones"}
    cell = LSTMCell(3, "relu", kernel_initializer="zeros", unit_forget_bias=False, **options)
    RNN(cell, name="reader").ensure_built((None, 5, 2))
    assert cell.kernel.regularizer is not None and cell.recurrent_kernel.constraint is not None
    assert not cell.kernel.value.any() and (cell.bias.value == 1).all()
    assert cell.get_config()["activation"] == "relu" and cell.count_params() == 12 * (2 + 3 + 1)
    assert [v.path for v in cell.variables] == [
        f"reader/{cell.name}/{name}" for name in ("kernel", "recurrent_kernel", "bias")
    ]


@pytest.mark.parametrize("make", [LSTM, lambda units, **options: RNN(LSTMCell(units), **options)], ids=["LSTM", "RNN"])
def test_a_mask_reaches_the_loss_past_states_in_and_out(make):
    ids, h, c = keras.Input((4,), dtype="int32"), keras.Input((3,)), keras.Input((3,))
    steps = Embedding(7, 2, mask_zero=True)(ids)
    y, *_ = make(3, return_sequences=True, return_state=True)(steps, initial_state=[h, c])
    model = keras.Model([ids, h, c], y)
    model.compile("sgd", "mse")
    x = [np.array([[1, 2, 0, 0], [1, 0, 3, 4]]), random(2, 3), random(2, 3)]
    error = (model.predict(x, verbose=0) - 1) ** 2
    np.testing.assert_allclose(model.evaluate(x, np.ones((2, 4, 3)), verbose=0), error[x[0] != 0].mean(), rtol=1e-5)


def reader():
    return keras.Sequential(
        [
            Embedding(11, 4, mask_zero=True, input_length=6),
            RNN([LSTMCell(3, dropout=0.1), GRUCell(4, recurrent_dropout=0.1)], return_sequences=True),
            Bidirectional(RNN(SimpleRNNCell(2))),
            Dense(1, activation="sigmoid"),
        ]
    )


def test_a_model_of_cells_learns_and_is_saved(tmp_path):
    keras.utils.set_random_seed(3)
    ids = RNG.integers(1, 11, (60, 6))
    ids[np.arange(6) > RNG.integers(1, 7, 60)[:, None]] = 0
    y = (ids == 3).any(axis=1)
    model = reader()
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["acc"])
    assert model.fit(ids, y, epochs=25, verbose=0).history["acc"][-1] > 0.9
    expected = model.predict(ids, verbose=0)
    model.save(tmp_path / "reader.h5")
    model.save_weights(tmp_path / "reader.weights.h5")
    loaded = keras.models.load_model(tmp_path / "reader.h5")
    np.testing.assert_array_equal(loaded.predict(ids, verbose=0), expected)
    assert loaded.optimizer.iterations == model.optimizer.iterations == 50
    other = reader()
    other.load_weights(tmp_path / "reader.weights.h5")
    np.testing.assert_array_equal(other.predict(ids, verbose=0), expected)
    np.testing.assert_array_equal(copy.deepcopy(model).predict(ids, verbose=0), expected)


def test_own_cells_in_files(tmp_path):
    model = keras.Sequential([RNN(LeakyCell(), input_shape=(3, 2))])
    model.compile("sgd", "mse")
    x = random(4, 3, 2)
    model.fit(x, random(4, 2), verbose=0)
    model.save(tmp_path / "own.h5")
    with pytest.raises(ValueError, match="LeakyCell"):
        keras.models.load_model(tmp_path / "own.h5")
    loaded = keras.models.load_model(tmp_path / "own.h5", custom_objects={"LeakyCell": LeakyCell})
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_configurations_make_equal_layers():
    for layer in (
        RNN(GRUCell(3, reset_after=False, dropout=0.1), return_sequences=True, zero_output_for_mask=True, name="r"),
        RNN([LSTMCell(2), SimpleRNNCell(3, "relu")], go_backwards=True, stateful=True, return_state=True),
        LSTMCell(2, recurrent_activation="hard_sigmoid", name="cell", trainable=False),
        TimeDistributed(RNN(LSTMCell(2))),
    ):
        again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
        assert again.get_config() == layer.get_config()
    assert set(LSTMCell(2).get_config()) < set(LSTM(2).get_config())


def test_a_cell_that_is_not_trained_keeps_its_weights():
    layer = RNN([LSTMCell(2, trainable=False), GRUCell(2)], input_shape=(3, 2))
    model = keras.Sequential([layer])
    assert len(layer.trainable_weights) == 3 and len(layer.weights) == 6
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(random(4, 3, 2), random(4, 2), verbose=0)
    assert [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)] == [False] * 3 + [True] * 3


def test_rows_give_gradients_of_rows():
    x = repeated(3, 5, 2, 4)
    layer, rows, dy = built(RNN(LeakyCell()), x.shape), as_rows(x), random(3, 2)
    plain, shared = run_layer(layer, x, [dy]), run_layer(layer, rows, [dy])
    assert_close(shared[1][0], summed_by_row(plain[1][0], rows), 1e-5)
    assert all_layers(layer) == {layer, layer.cell}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RNN(3), ValueError, "RNN: a cell must be a layer with `state_size`"),
        (lambda: RNN(Dense(3)), ValueError, "RNN: a cell must be a layer with `state_size`"),
        (lambda: RNN([]), ValueError, "at least one"),
        (lambda: StackedRNNCells([LSTMCell(2), Dense(2)]), ValueError, "StackedRNNCells: a cell must be"),
        (lambda: RNN(LSTMCell(2))(keras.Input((3,))), ValueError, r"\(RNN\): expected an input of shape"),
        (lambda: RNN(LSTMCell(2))(random(2, 0, 3)), ValueError, "at least one step"),
        (
            lambda: RNN(LSTMCell(2))(random(2, 3, 4), initial_state=random(2, 2)),
            ValueError,
            "expected 2 initial states. Received: 1",
        ),
        (
            lambda: RNN(GRUCell(2))(random(2, 3, 4), initial_state=random(2, 3)),
            ValueError,
            r"initial states of shapes \[\(2, 2\)\]. Received: \[\(2, 3\)\]",
        ),
        (lambda: LSTMCell(0), ValueError, "LSTM: `units` must be a positive integer"),
        (lambda: LSTMCell(2, return_sequences=True), TypeError, "Unknown argument of LSTMCell.*'return_sequences'"),
        (lambda: GRUCell(2, activaton="relu"), TypeError, "Did you mean 'activation'"),
    ],
)
def test_errors_say_what_was_expected(make, error, message):
    with pytest.raises(error, match=message):
        make()
