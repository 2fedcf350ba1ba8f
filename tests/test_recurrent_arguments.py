"""Weights and configurations of SimpleRNN, LSTM and GRU, and the arguments, inputs and states that are refused."""

import numpy as np
import pytest
from checks import assert_close
from recurrent_cases import EVERY_OUTPUT, LAYERS, for_each_layer, layer_of, repeated, specified

from fastkeras import Sequential, ops
from fastkeras.core import nest
from fastkeras.layers import GRU, LSTM, RNN, Input, LSTMCell, SimpleRNN, StackedRNNCells
from fastkeras.optimizers import SGD


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


# --- what is refused -------------------------------------------------------------------------------------------------


@for_each_layer
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "`units` must be a positive integer. Received: units=0"),
        ({"activation": "sofmax"}, "Did you mean 'softmax'"),
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


@for_each_layer
def test_what_a_batch_starts_from(kind):
    cls, own = LAYERS[kind]
    layer = cls(3, **own)
    assert layer.state_size == [3] * len(layer.state_names)
    states = layer.get_initial_state(batch_size=2)
    assert [state.shape for state in states] == [(2, 3)] * len(layer.state_names)
    assert not any(np.any(state) for state in states)
    x = np.ones((2, 5, 7), np.float32)
    for of_inputs in (layer, layer.cell, RNN(layer.cell), StackedRNNCells([layer.cell])):
        for asked in ({"inputs": x}, {"batch_size": ops.convert_to_tensor(x)}, {"batch_size": np.int32(2)}):
            found = of_inputs.get_initial_state(**asked, dtype="float32")
            assert [state.shape for state in nest.flat(found)] == [(2, 3)] * len(states)
        with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
            of_inputs.get_initial_state()
    np.testing.assert_array_equal(layer(x), layer(x, initial_state=states))


@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_cudnn_may_be_asked_for_or_not(cls):
    for value in ("auto", True, False):
        layer = cls(3, use_cudnn=value)
        assert layer.use_cudnn is value and "use_cudnn" not in layer.get_config()
    with pytest.raises(
        ValueError, match=f"{cls.__name__}: `use_cudnn` must be 'auto', True or False. Received: .*'no'"
    ):
        cls(3, use_cudnn="no")
    with pytest.raises(TypeError, match="use_cudnn"):
        SimpleRNN(3, use_cudnn=True)
    with pytest.raises(TypeError, match="use_cudnn"):
        LSTMCell(3, use_cudnn=True)


def test_a_layer_is_no_cell():
    for layer in (LSTM(3), RNN(LSTMCell(3))):
        with pytest.raises(ValueError, match="a cell must be a layer with `state_size`"):
            RNN(layer)


def test_arguments_of_one_layer_only():
    with pytest.raises(ValueError, match="Did you mean 'hard_sigmoid'"):
        LSTM(3, recurrent_activation="hard_sigmiod")
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
