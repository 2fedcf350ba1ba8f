"""Cells called by themselves, on arrays, while a tape records and on symbolic tensors; those of recurrent layers."""

import numpy as np
import pytest
from checks import assert_close, random
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import GradientTape, Input, Model, ops
from fastkeras.core import nest
from fastkeras.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    GRUCell,
    Layer,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from fastkeras.models import load_model

CELLS = {
    "simple_rnn": lambda: SimpleRNNCell(5),
    "lstm": lambda: LSTMCell(5),
    "gru": lambda: GRUCell(5),
    "stacked": lambda: StackedRNNCells([LSTMCell(5), GRUCell(3)]),
}
for_each_cell = pytest.mark.parametrize("kind", CELLS)
LAYERS = pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])


def states_of(cell, batch):
    return [ops.convert_to_tensor(random(batch, size)) for size in nest.flat(cell.state_size)]


@for_each_cell
def test_gradients_go_through_a_call_as_through_rnn(kind):
    """Two steps by hand, and RNN of the same cell over both."""
    cell, x = CELLS[kind](), ops.convert_to_tensor(random(7, 2, 3))
    rnn = RNN(cell, return_state=True)
    states = states_of(cell, 7)
    found = []
    for by_hand in (True, False):
        with GradientTape() as tape:
            tape.watch([x, *states])
            if by_hand:
                y, new = cell(x[:, 0], states)
                y, new = cell(x[:, 1], new)
            else:
                y, *new = rnn(x, initial_state=states)
            loss = ops.sum(ops.square(y)) + sum(ops.sum(state) for state in nest.flat(new))
        found.append([loss, *tape.gradient(loss, [x, *states, *cell.trainable_variables])])
    assert len(found[0]) == 2 + len(states) + len(cell.trainable_variables)
    for one, other in zip(*found, strict=True):
        assert_close(one, other, 1e-5)


def test_a_variable_may_be_the_state_before():
    cell, x = GRUCell(5), random(1, 3)
    first = fastkeras.Variable(random(1, 5))
    with GradientTape() as tape:
        y, _ = cell(x, [first])
        loss = ops.sum(ops.square(y))
    found = tape.gradient(loss, first)
    tensor = ops.convert_to_tensor(first.numpy())
    with GradientTape() as tape:
        tape.watch(tensor)
        loss = ops.sum(ops.square(cell(x, [tensor])[0]))
    assert np.abs(found).max() > 1e-3
    assert_close(found, tape.gradient(loss, tensor), 1e-6)


def test_one_output_of_a_call_may_be_all_that_counts():
    cell, x, states = LSTMCell(5), ops.convert_to_tensor(random(7, 3)), None
    states = states_of(cell, 7)
    with GradientTape() as tape:
        tape.watch(x)
        _, (_, c) = cell(x, states)
        loss = ops.sum(c)
    only_c = tape.gradient(loss, x)
    with GradientTape() as tape:
        tape.watch(x)
        y, (_, c) = cell(x, states)
        loss = ops.sum(c) + 0 * ops.sum(y)
    assert_close(only_c, tape.gradient(loss, x), 1e-6)


@for_each_cell
def test_new_states_have_the_form_of_those_given(kind):
    cell, x = CELLS[kind](), random(2, 3)
    flat = states_of(cell, 2)
    _, new = cell(x, flat)
    assert isinstance(new, list) and len(new) == len(flat)
    _, as_tuple = cell(x, tuple(flat))
    assert isinstance(as_tuple, list)
    if kind in ("simple_rnn", "gru"):
        _, bare = cell(x, flat[0])
        np.testing.assert_array_equal(bare, new[0])
    if kind == "stacked":
        _, grouped = cell(x, [flat[:2], flat[2]])
        assert [len(grouped[0]), grouped[1].shape] == [2, (2, 3)]
        np.testing.assert_array_equal(grouped[1], new[2])
    y, _ = cell(x, states=flat, training=True)
    np.testing.assert_array_equal(y, cell(x, flat)[0])  # nothing is dropped


@for_each_cell
def test_wrong_states_are_named(kind):
    cell = CELLS[kind]()
    cell.name = "step"
    for states in (None, [], [random(2, 5)] * 4):
        with pytest.raises(
            ValueError, match=r"Layer 'step' .*`states` must be those of the step before.*Received: states="
        ):
            cell(random(2, 3), states)


@pytest.mark.parametrize("ending", ["h5", "keras"])
@for_each_cell
def test_a_cell_in_a_graph(kind, ending, tmp_path):
    cell, start = CELLS[kind](), Input((3,))
    sizes = nest.flat(cell.state_size)
    before = [Input((size,)) for size in sizes]
    y, after = cell(start, nest.packed(cell.state_size, before) if kind == "stacked" else before)
    model = Model([start, *before], [y, *nest.flat(after)])
    x, states = random(2, 3), [random(2, size) for size in sizes]
    expected = cell(x, states)
    found = model.predict([x, *states], verbose=0)
    for a, b in zip(found, [expected[0], *expected[1]], strict=True):
        assert_close(a, b, 1e-6)
    model.save(tmp_path / f"model.{ending}")
    again = load_model(tmp_path / f"model.{ending}", compile=False)
    for a, b in zip(again.predict([x, *states], verbose=0), found, strict=True):
        np.testing.assert_array_equal(a, b)


# --- the cells of layers ---------------------------------------------------------------------------------------------


@LAYERS
@pytest.mark.parametrize("flags", [{}, {"return_sequences": True, "stateful": True, "go_backwards": True}], ids=str)
@pytest.mark.parametrize("built_by", ["layer", "cell"])
def test_a_layer_has_a_cell_with_its_weights(cls, flags, built_by):
    layer, x = cls(5, use_bias=False, **flags), random(2, 1, 3)
    assert layer.cell is layer.cell and not layer.cell.weights and type(layer.cell).__name__ == f"{cls.__name__}Cell"
    assert layer.cell.name == {"SimpleRNN": "simple_rnn_cell", "LSTM": "lstm_cell", "GRU": "gru_cell"}[cls.__name__]
    states = states_of(layer.cell, 2)
    if built_by == "layer":
        y = layer(x, initial_state=states)
        by_cell, _ = layer.cell(x[:, 0], states)
    else:
        by_cell, _ = layer.cell(x[:, 0], states)
        y = layer(x, initial_state=states)
    np.testing.assert_array_equal(y.numpy().reshape(2, 5), by_cell)
    assert layer.cell.kernel is layer.kernel and len(layer.weights) == len(layer.cell.weights) == 2
    carried = layer.states
    layer.cell(x[:, 0], states)
    assert layer.states is carried  # a step by hand is none of the layer's batches
    assert layer.cell.units == 5 and layer.cell.use_bias is False and layer.cell.activation is layer.activation
    config = layer.cell.get_config()
    assert type(layer.cell).from_config(config).get_config() == config and "stateful" not in config


@LAYERS
def test_a_layer_and_rnn_of_its_cell_share_weights(cls):
    layer, start = cls(5), Input((4, 3))
    other = RNN(layer.cell)
    model = Model(start, [layer(start), other(start)])
    assert len(model.weights) == 3
    x = random(7, 4, 3)
    model.compile("sgd", "mse")
    model.fit(x, [random(7, 5), random(7, 5)], verbose=0)
    y, z = model.predict(x, verbose=0)
    assert_close(y, z, 1e-6)


@LAYERS
def test_a_layer_and_its_cell_are_frozen_together(cls):
    layer = cls(5)
    layer.cell.build((None, 3))
    for frozen, other in ((layer, layer.cell), (layer.cell, layer)):
        assert len(other.trainable_weights) == 3
        frozen.trainable = False
        assert not other.trainable_weights and other.get_config()["trainable"] is False
        frozen.trainable = True
    assert not cls(5, trainable=False).cell.trainable


class StepsOnOwnForecasts(Model):
    """Reads with a layer, goes on with the layer's cell."""

    def __init__(self, holds_cell):
        super().__init__()
        self.reader = LSTM(5, return_state=True)
        if holds_cell:
            self.step = self.reader.cell
        self.last = Dense(3)

    def call(self, x):
        y, *states = self.reader(x)
        y, _ = self.reader.cell(self.last(y), states)
        return self.last(y)


def test_a_layers_cell_trains_whether_the_model_holds_it_or_not():
    """By a step of fit, and by hand."""
    x, y, trained = random(7, 4, 3), random(7, 3), []
    weights = None
    for holds_cell in (False, True):
        model = StepsOnOwnForecasts(holds_cell)
        model(x)
        weights = weights or [random(*w.shape) for w in model.get_weights()]
        model.set_weights(weights)
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=7, verbose=0)
        trained.append(model.get_weights())
    model.set_weights(weights)
    with GradientTape() as tape:
        loss = ops.mean(ops.square(model(x) - y))
    gradients = tape.gradient(loss, model.trainable_weights)
    for *found, w, gradient in zip(*trained, weights, gradients, strict=True):
        for each in found:
            assert_close(each, w - 0.01 * np.array(gradient), 1e-5)


def test_bidirectional_groups_states_by_cell():
    inner = RNN([LSTMCell(3), GRUCell(2)], return_state=True)
    for merge_mode, outputs in (("concat", 1), (None, 2)):
        layer, x, start = Bidirectional(inner, merge_mode=merge_mode), random(7, 4, 3), Input((4, 3))
        for found in (layer(x), layer(start)):
            assert [len(g) if isinstance(g, list) else g.shape[1] for g in found[outputs:]] == [2, 2, 2, 2]
        *_, (h, c), s, (h2, c2), s2 = layer(x)
        grouped = layer(x, initial_state=[[h, c], s, [h2, c2], s2])
        flat = layer(x, initial_state=[h, c, s, h2, c2, s2])
        for a, b in zip(nest.flat(grouped), nest.flat(flat), strict=True):
            np.testing.assert_array_equal(a, b)
        assert np.abs(nest.flat(grouped)[0] - nest.flat(layer(x))[0]).max() > 1e-3
        model = Model(start, nest.flat(layer(start)[outputs:]))
        for a, b in zip(model.predict(x, verbose=0), [h, c, s, h2, c2, s2], strict=True):
            assert_close(a, b, 1e-6)


@pytest.mark.parametrize("return_state", [False, True])
def test_bidirectional_takes_a_layer_that_tells_one_size(return_state):
    class Means(Layer):
        state_size, return_sequences, stateful = 2, False, False

        def __init__(self, return_state=False, go_backwards=False, **kwargs):
            super().__init__(**kwargs)
            self.return_state, self.go_backwards = return_state, go_backwards

        def call(self, x):
            mean = ops.mean(x, axis=1)
            return (mean, mean) if self.return_state else mean

        def get_config(self):
            return {**super().get_config(), "return_state": self.return_state, "go_backwards": self.go_backwards}

    x = random(7, 4, 2)
    found = Bidirectional(Means(return_state))(x)
    y, *states = found if return_state else [found]
    assert_close(y, np.tile(x.mean(axis=1), 2), 1e-6)
    assert [state.shape for state in states] == [(7, 2)] * 2 * return_state


# --- layers inside several -------------------------------------------------------------------------------------------


def test_what_two_layers_share_counts_once():
    shared, start = Dense(2), Input((3,))
    first, second = fastkeras.Sequential([Dense(3), shared]), fastkeras.Sequential([Dense(3), shared])
    model = Model(start, [first(start), second(start)])
    assert len(model.weights) == len(model.trainable_weights) == len(model.get_weights()) == 6
    assert model.count_params() == 2 * 12 + 8
    x, before = ops.convert_to_tensor(random(7, 3)), shared.get_weights()
    with GradientTape() as tape:
        y, z = model(x)
        loss = ops.sum(y) + ops.sum(z)
    expected = ops.sum(first.layers[0](x), axis=0) + ops.sum(second.layers[0](x), axis=0)
    gradient = dict(zip([v.path for v in model.weights], tape.gradient(loss, model.weights), strict=True))
    assert_close(gradient[shared.kernel.path][:, 0], expected, 1e-5)
    model.compile(fastkeras.optimizers.SGD(0.1), "mse")
    model.fit(x, [np.zeros((7, 2)), np.zeros((7, 2))], batch_size=7, verbose=0)
    assert (shared.get_weights()[0] != before[0]).all()


@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
def test_what_two_layers_share_is_in_files(ending, tmp_path):
    shared, start, path = Dense(2), Input((3,)), tmp_path / f"model.{ending}"
    parts = [fastkeras.Sequential([Input((3,)), Dense(3), shared]) for _ in range(2)]
    model, x = Model(start, [part(start) for part in parts]), random(7, 3)
    expected = model.predict(x, verbose=0)
    if ending == "weights.h5":
        model.save_weights(path)
        model.set_weights([w + 1 for w in model.get_weights()])
        model.load_weights(path)
    else:
        model.save(path)
        model = load_model(path, compile=False)
    for a, b in zip(model.predict(x, verbose=0), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def forecaster(keras):
    """A cell that RNN runs over what is known, and that a loop runs on its own forecasts."""

    class FeedBack(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.step = keras.layers.LSTMCell(5)
            self.warm_up = keras.layers.RNN(self.step, return_state=True)
            self.last = keras.layers.Dense(3)

        def call(self, x, training=None):
            y, *state = self.warm_up(x)
            forecasts = [self.last(y)]
            for _ in range(3):
                y, state = self.step(forecasts[-1], states=state, training=training)
                forecasts.append(self.last(y))
            return keras.ops.stack(forecasts, axis=1)

    rng = np.random.default_rng(61)
    model, x = FeedBack(), rng.normal(size=(7, 6, 3)).astype("f")
    model(x)
    model.set_weights([rng.normal(size=w.shape) / 2 for w in model.get_weights()])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    losses = model.fit(x, np.ones((7, 4, 3)), batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    return model, x, losses


@needs_tensorflow
def test_a_cell_fed_with_its_own_forecasts_trains_as_in_keras(tmp_path):
    (ours, x, losses), (theirs, _, expected) = (forecaster(keras) for keras in (fastkeras, keras_module()))
    assert_close(losses, expected, 1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(a, b, 1e-4)
    for writer, reader in ((ours, theirs), (theirs, ours)):
        path = str(tmp_path / "forecaster.weights.h5")
        writer.set_weights([w + 0.1 for w in writer.get_weights()])
        writer.save_weights(path)
        reader.load_weights(path)
        assert_close(reader.predict(x, verbose=0), writer.predict(x, verbose=0), 1e-5)


@needs_tensorflow
def test_files_of_a_model_that_holds_a_layer_and_its_cell(tmp_path):
    def made(keras):
        class Holder(keras.Model):
            def __init__(self):
                super().__init__()
                self.reader = keras.layers.LSTM(5)
                self.step = self.reader.cell

            def call(self, x):
                return self.reader(x)

        model = Holder()
        model(np.zeros((1, 4, 3), np.float32))
        model.set_weights([random(*w.shape) for w in model.get_weights()])
        return model

    ours, theirs, x = made(fastkeras), made(keras_module()), random(7, 4, 3)
    for writer, reader in ((theirs, ours), (ours, theirs)):
        path = str(tmp_path / "holder.weights.h5")
        writer.set_weights([w + 0.1 for w in writer.get_weights()])
        writer.save_weights(path)
        reader.load_weights(path)
        assert_close(reader.predict(x, verbose=0), writer.predict(x, verbose=0), 1e-5)
