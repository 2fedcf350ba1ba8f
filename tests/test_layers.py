"""Layers against the reference: what they compute, every gradient, shapes, masks, and rows computed once."""

import re

import numpy as np
import pytest
import reference
from checks import as_rows, assert_close, built, random, summed_by_row

import fastkeras as keras
from fastkeras import activations, losses, metrics
from fastkeras.core.rows import Rows, dense
from fastkeras.core.run import Run
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Layer,
    Masking,
    RepeatVector,
    SimpleRNN,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)

RNG = np.random.default_rng(5)


def run_layer(layer, x, dy=None, training=False, mask=None):
    """y, dx and the weights' gradients; dy is the gradient of the dense output."""
    run = Run(training=training, mask=mask, trains=True, wants_dx=True)
    y, backward = layer.forward(x, run)
    dense_y, back = dense(y, run, "test")
    dense_y = dense_y.copy()
    if dy is None:
        return dense_y
    for v in layer.variables:
        v.grad.fill(0)
    dx = backward(back(dy.astype("f").copy()))
    return dense_y, dx, [v.grad.copy() for v in layer.variables]


def repeated(B, T, D, R):
    """(B, T, D) made of R distinct rows."""
    return random(R, D)[RNG.integers(0, R, (B, T))]


# --- Dense ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(7, 5), (2, 3, 5), (2, 3, 2, 5), (1, 5), (0, 5)])
@pytest.mark.parametrize("activation", [None, "relu", "softmax", "gelu"])
def test_dense(shape, activation):
    layer = built(Dense(3, activation=activation), *shape)
    x, dy = random(*shape), random(*shape[:-1], 3)
    y, dx, (dW, db) = run_layer(layer, x, dy)
    name = activation or "linear"
    W, b = (w.astype(np.float64) for w in layer.get_weights())
    flat, flat_dy = x.reshape(-1, 5).astype(np.float64), dy.reshape(-1, 3)
    expected = reference.dense_backward(flat_dy, flat, W, b, name)
    assert_close(y.reshape(-1, 3), reference.dense(flat, W, b, name), 1e-5)
    for gradient, wanted in zip((dx.reshape(-1, 5), dW, db), expected, strict=True):
        assert_close(gradient, wanted, 3e-5)
    assert dx.shape == shape


def test_dense_computes_each_distinct_row_once():
    x = repeated(5, 7, 3, 4)
    layer, dy = built(Dense(2, activation="tanh"), 5, 7, 3), random(5, 7, 2)
    rows = as_rows(x)
    run = Run()
    y, _ = layer.forward(rows, run)
    assert y.values.shape == (4, 2)
    plain, with_rows = run_layer(layer, x, dy), run_layer(layer, rows, dy)
    assert_close(with_rows[0], plain[0], 1e-6)
    assert_close(with_rows[1], summed_by_row(plain[1], rows), 1e-5)
    for a, b in zip(with_rows[2], plain[2], strict=True):
        assert_close(a, b, 1e-5)


def test_dense_without_bias_and_without_activation_when_logits_are_asked_for():
    layer = built(Dense(3, activation="softmax", use_bias=False), 2, 5)
    run, x = Run(), random(2, 5)
    run.logits = True
    y, _ = layer.forward(x, run)
    assert_close(y, x @ layer.get_weights()[0], 1e-6)


# --- Embedding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 5), (7,), (2, 3, 2), (0, 5), (1, 1)])
def test_embedding(shape):
    layer = built(Embedding(11, 3), *shape)
    ids, dy = RNG.integers(0, 11, shape).astype(np.int32), random(*shape, 3)
    y, _, (dtable,) = run_layer(layer, ids, dy)
    table = layer.get_weights()[0]
    np.testing.assert_array_equal(y, reference.embedding(table, ids))
    assert_close(dtable, reference.embedding_backward(dy, table, ids), 1e-6)


def test_embedding_gathers_each_distinct_id_once_and_names_bad_ids():
    layer, run = built(Embedding(5, 2, name="words"), 2, 3), Run()
    y, _ = layer.forward(np.array([[4, 1, 4], [1, 1, 0]], np.int32), run)
    assert y.values.shape == (3, 2)
    with pytest.raises(ValueError, match=r"Layer 'words' \(Embedding\): ids must lie in \[0, 5\).*id 5 at position 2"):
        layer.forward(np.array([[0, 1, 5], [1, 1, 0]], np.int32), run)
    y, _ = layer.forward(np.array([[3, 3, 3]], np.int32), run)  # and works on
    np.testing.assert_array_equal(y.values, layer.get_weights()[0][[3]])


def test_embedding_masks_zeros():
    layer, ids = Embedding(5, 2, mask_zero=True), np.array([[0, 1, 2]], np.int32)
    np.testing.assert_array_equal(layer.compute_mask(ids, None), [[False, True, True]])
    assert Embedding(5, 2).compute_mask(ids, None) is None


# --- Dropout, Activation, Masking, Flatten -------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_takes_gradients_through_the_same_mask():
    layer, x = Dropout(0.25, seed=3), np.ones((101, 103), "f")
    y, dx, _ = run_layer(layer, x, np.ones_like(x), training=True)
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert abs(y.mean() - 1) < 0.02
    np.testing.assert_array_equal(dx, y)
    np.testing.assert_array_equal(run_layer(layer, x), x)


def test_noise_shape_must_fit():
    with pytest.raises(ValueError, match=r"noise_shape` must have 1, None or the input's extent .* \(3, 5\). Received"):
        run_layer(Dropout(0.5, noise_shape=(3, 2)), np.ones((3, 5), "f"), training=True)
    with pytest.raises(ValueError, match="`noise_shape` must be a tuple"):
        Dropout(0.5, noise_shape=3)


def test_types_by_name_and_from_numpy():
    assert Dense(2, dtype=np.float32).dtype == Dense(2).compute_dtype == "float32"
    with pytest.raises(ValueError, match=r"`dtype` must be 'float32'\. Received: 'float16'"):
        Dense(2, dtype="float16")
    with pytest.raises(ValueError, match=r"`shape` must be a tuple .* Received: shape=4"):
        Input(shape=4)


def test_dropout_noise_shape_is_broadcast():
    y = run_layer(Dropout(0.5, noise_shape=(None, 1, None), seed=1), np.ones((3, 5, 7), "f"), training=True)
    assert (y == y[:, :1]).all()
    assert len(np.unique(y)) == 2


@pytest.mark.parametrize("activation", ["relu", "softmax", "silu"])
@pytest.mark.parametrize("shared", [False, True])
def test_activation(activation, shared):
    x, dy = repeated(3, 5, 4, 6), random(3, 5, 4)
    layer = Activation(activation)
    y, dx, _ = run_layer(layer, as_rows(x) if shared else x, dy)
    x64 = x.astype(np.float64)
    expected = getattr(reference, activation + "_backward")(dy, x64)
    if shared:
        expected = summed_by_row(expected, as_rows(x))
    assert_close(y, getattr(reference, activation)(x64), 1e-5)
    assert_close(dx, expected, 1e-5)


def test_masking_skips_steps_that_equal_the_value():
    x = random(2, 3, 4)
    x[0, 1] = 7.0
    x[1, 2, :3] = 7.0  # not every feature: kept
    layer, dy = Masking(7.0), random(2, 3, 4)
    np.testing.assert_array_equal(layer.compute_mask(x, None), [[True, False, True], [True, True, True]])
    y, dx, _ = run_layer(layer, x, dy)
    assert (y[0, 1] == 0).all() and (dx[0, 1] == 0).all()
    np.testing.assert_array_equal(y[1], x[1])
    np.testing.assert_array_equal(dx[1], dy[1])
    endless = np.array([[[np.inf, np.inf], [np.inf, 1.0]]], "f")
    np.testing.assert_array_equal(run_layer(Masking(np.inf), endless), [[[0.0, 0.0], [np.inf, 1.0]]])


@pytest.mark.parametrize("shape", [(2, 3, 4), (5, 3), (2, 3, 2, 2), (0, 3, 4), (4,)])
def test_flatten(shape):
    x = random(*shape)
    size = int(np.prod(shape[1:]))
    y, dx, _ = run_layer(Flatten(), x, random(shape[0], size))
    np.testing.assert_array_equal(y, x.reshape(shape[0], size))
    assert dx.shape == shape


def test_flatten_channels_first_moves_channels_last():
    x, dy = random(2, 3, 4, 5), random(2, 60)
    y, dx, _ = run_layer(Flatten(data_format="channels_first"), x, dy)
    np.testing.assert_array_equal(y, np.moveaxis(x, 1, -1).reshape(2, 60))
    np.testing.assert_array_equal(np.moveaxis(dx, 1, -1).reshape(2, 60), dy)


@pytest.mark.parametrize("shape, n", [((3, 5), 7), ((1, 1), 1), ((0, 5), 2)])
def test_repeat_vector(shape, n):
    layer, x, dy = RepeatVector(n), random(*shape), random(shape[0], n, shape[1])
    y, dx, _ = run_layer(layer, x, dy)
    np.testing.assert_array_equal(y, np.repeat(x[:, None], n, axis=1))
    assert_close(dx, dy.sum(axis=1), 1e-6)
    assert y.shape == layer.compute_output_shape(shape) and layer.compute_mask(x, None) is None


def test_repeat_vector_repeats_distinct_rows():
    values, index = random(3, 5), np.array([2, 0, 2, 1], np.int32)
    y, backward = RepeatVector(2).forward(Rows(values, index), Run())
    assert y.values is values
    np.testing.assert_array_equal(y.index, [[2, 2], [0, 0], [2, 2], [1, 1]])
    np.testing.assert_array_equal(backward(values), values)


@pytest.mark.parametrize("shared", [False, True])
def test_spatial_dropout_drops_whole_features_of_a_row(shared):
    B, T, D = 5, 7, 11
    layer, x, dy = SpatialDropout1D(0.4, seed=3), repeated(B, T, D, 4), random(B, T, D)
    y, dx, _ = run_layer(layer, as_rows(x) if shared else x, dy, training=True)
    m = (y / x)[:, :1]
    np.testing.assert_allclose(np.unique(m.round(5)), [0, 1 / 0.6], rtol=1e-4)
    assert_close(y, x * m, 1e-6)
    expected = dy * m
    if shared:
        expected = summed_by_row(expected, as_rows(x))
    assert_close(dx, expected, 1e-5)
    assert (run_layer(layer, x, training=True)[:, :1] / x[:, :1] != m).any()  # the next batch has other masks
    np.testing.assert_array_equal(run_layer(layer, x), x)


def test_spatial_dropout_keeps_each_distinct_row_of_a_batch_row_once():
    x = Rows(random(5, 3), np.array([[0, 4, 0, 0], [4, 4, 4, 4], [1, 0, 2, 3]], np.int32))
    y, _ = SpatialDropout1D(0.4, seed=3).forward(x, Run(True))
    assert type(y) is Rows and len(y.values) == 2 + 1 + 4
    np.testing.assert_array_equal(y.index, [[0, 1, 0, 0], [2, 2, 2, 2], [3, 4, 5, 6]])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (SpatialDropout2D(0.4, seed=3), (5, 3, 7, 11)),
        (SpatialDropout2D(0.4, "channels_first", seed=3), (5, 11, 3, 7)),
        (SpatialDropout3D(0.4, seed=3), (5, 2, 3, 7, 11)),
        (SpatialDropout3D(0.4, "channels_first", seed=3), (5, 11, 2, 3, 7)),
    ],
)
def test_spatial_dropout_drops_whole_channels_of_an_image(layer, shape):
    x, dy = random(*shape), random(*shape)
    y, dx, _ = run_layer(layer, x, dy, training=True)
    axes = tuple(range(2, len(shape))) if layer.data_format == "channels_first" else tuple(range(1, len(shape) - 1))
    m = (y / x).mean(axis=axes, keepdims=True)
    np.testing.assert_allclose(np.unique(m.round(5)), [0, 1 / 0.6], rtol=1e-4)
    assert_close(y, x * m, 1e-6)
    assert_close(dx, dy * m, 1e-5)
    np.testing.assert_array_equal(run_layer(layer, x), x)
    config = layer.get_config()
    assert set(config) == {"name", "dtype", "rate", "seed", "data_format"}
    assert type(layer).from_config(config).get_config() == config


# --- what all layers share -----------------------------------------------------------------------------------------


def test_a_layer_answers_at_once_when_it_is_called_on_data():
    layer = Dense(3)
    y = layer(np.ones((2, 4)))
    assert y.shape == (2, 3) and type(y.numpy()) is np.ndarray
    assert_close(y, np.ones((2, 4)) @ layer.get_weights()[0], 1e-6)
    kept = y.numpy().copy()
    layer(np.zeros((2, 4)))
    np.testing.assert_array_equal(y, kept)  # its own memory
    assert Embedding(5, 2)(np.array([[1, 2, 3]])).shape == (1, 3, 2)
    with pytest.raises(ValueError, match=f"Received: {2**32 + 1} in row 0, place"):
        Embedding(5, 2)(np.array([[2**32 + 1]]))


def test_what_is_computed_at_once_has_numpy():
    y = np.float32([[0.25, 0.75], [0.5, 0.5]])
    metric = metrics.F1Score(average=None)
    metric.update_state(np.float32([[0, 1], [1, 0]]), y)
    mean, precision = metrics.Mean(), metrics.Precision()
    mean.update_state([1, 2, 6])
    precision.update_state([1, 1], [0, 1])
    assert mean.result().numpy() == 3 and precision.result().numpy() == 1 and f"{mean.result():.2f}" == "3.00"
    assert_close(metric.result().numpy(), [1, 2 / 3], 1e-6)
    assert activations.relu(-y).numpy().tolist() == [[0, 0], [0, 0]]
    assert losses.MeanSquaredError()(y, y + 1).numpy() == 1
    assert losses.mean_squared_error(y, y + 1).numpy().tolist() == [1, 1]
    assert losses.MeanSquaredError(reduction="none")(y, y + 1).numpy().tolist() == [1, 1]


@pytest.mark.parametrize("kind", [list, bool, int, np.float32])
def test_a_mask_of_any_kind_may_be_given(kind):
    x, mask = random(2, 3, 4), [[1, 0, 1], [0, 0, 1]]
    layer = built(SimpleRNN(5), 2, 3, 4)
    expected = layer(x, mask=np.array(mask, bool))
    np.testing.assert_array_equal(layer(x, mask=mask if kind is list else np.array(mask, kind)), expected)
    with pytest.raises(ValueError, match=r"`mask`.*\(2, 3\)"):
        layer(x, mask=np.ones((2, 4), bool))


def test_a_layer_adds_to_the_graph_when_it_is_called_on_a_symbol():
    y = SimpleRNN(7, return_sequences=True)(Embedding(5, 3)(Input((11,))))
    assert isinstance(y, SymbolicTensor) and y.shape == (None, 11, 7)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Dense(0), "Dense: `units` must be a positive integer. Received: units=0"),
        (lambda: Dense(2.5), "Received: units=2.5"),
        (lambda: Dense(3, activaton="relu"), "Did you mean 'activation'"),
        (lambda: Dense(3, activation="rellu"), "Did you mean 'relu'"),
        (lambda: Embedding(10, -1), "`output_dim` must be a positive integer"),
        (lambda: SimpleRNN(3, dropout=1.5), "`dropout` must be a number from 0 to 1"),
        (lambda: Dropout(-0.1), "Dropout: `rate`"),
        (lambda: SpatialDropout1D(1.1), "SpatialDropout1D: `rate`"),
        (lambda: SpatialDropout1D(0.5)(Input((3,))), r"SpatialDropout1D\): expected an input of shape"),
        (lambda: SpatialDropout2D(0.5, "first"), "SpatialDropout2D: `data_format` must be one of"),
        (lambda: SpatialDropout3D(0.5)(Input((3, 4, 5))), r"shape \(batch, planes, rows, columns, channels\)"),
        (lambda: RepeatVector(0), "RepeatVector: `n`"),
        (lambda: RepeatVector(2)(Input((3, 4))), r"RepeatVector\): expected an input of shape \(batch, features\)"),
        (lambda: Flatten(data_format="last"), "`data_format`"),
        (lambda: Dense(3, dtype="float64"), "`dtype` must be 'float32'"),
        (lambda: SimpleRNN(3)(np.ones((2, 3))), r"expected an input of shape \(batch, steps, features\)"),
        (lambda: Dense(3, kernel_initializer="glorot"), "Did you mean"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_weights_that_do_not_fit_change_nothing():
    layer = built(Dense(3, name="scores"), 2, 4)
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"Layer 'scores': set_weights\(\) wants 2 arrays of shapes"):
        layer.set_weights([np.zeros((4, 3)), np.zeros(4)])
    for a, b in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_initial_weights_are_taken():
    W, b = random(4, 3), random(3)
    layer = Dense(3, weights=[W, b])
    layer.ensure_built((None, 4))
    np.testing.assert_array_equal(layer.get_weights()[0], W)
    np.testing.assert_array_equal(Embedding(4, 3, weights=W)(np.arange(4)), W)


def test_initializers_of_the_users_own():
    W = random(4, 3)
    layers = [Dense(3, kernel_initializer=lambda shape, dtype=None: W) for _ in range(2)]
    for layer in layers:
        layer.ensure_built((None, 4))
    layers[0].set_weights([np.zeros((4, 3)), np.zeros(3)])
    assert W.all() and layers[1].get_weights()[0].all()  # nothing is shared
    with pytest.raises(ValueError, match=r"the initializer of 'kernel' must give an array of shape \(5, 3\)"):
        layers[0].from_config({"units": 3, "kernel_initializer": lambda shape, dtype=None: W})(random(2, 5))


def test_rates_may_be_numbers_of_any_kind():
    assert Dropout(np.float32(0.5)).rate == SimpleRNN(2, dropout=np.float16(0.5)).dropout == 0.5


class Scale(Layer):
    """A layer as a user writes one: y = a x, with one weight."""

    def build(self, input_shape):
        self.a = self.add_weight("a", (1,), "ones")

    def forward(self, x, run):
        def backward(dy):
            self.a.grad += (dy * x).sum()
            return dy * self.a.value

        return x * self.a.value, backward


def test_a_layer_of_the_users_own():
    layer, x, dy = built(Scale(), 2, 3), random(2, 3), random(2, 3)
    y, dx, (da,) = run_layer(layer, x, dy)
    a = layer.get_weights()[0]
    assert_close(y, x * a, 1e-6)
    assert_close(dx, dy * a, 1e-6)
    assert_close(da, [(dy * x).sum()], 1e-5)
    assert re.fullmatch(r"scale(_\d+)?", layer.name)


class Around(Layer):
    """A layer that builds the one inside by hand, as layers written for Keras 3 do."""

    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(3)

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.factor = self.add_weight(shape=(3,))
        super().build(input_shape)

    def call(self, x):
        return self.inner(x) * self.factor


@pytest.mark.parametrize(
    "make, shape, weights",
    [
        (lambda: keras.layers.Dense(3), (2, 5), 2),
        (lambda: keras.layers.LSTM(3), (2, 7, 5), 3),
        (lambda: keras.layers.Bidirectional(keras.layers.GRU(3)), (2, 7, 5), 6),
        (lambda: keras.layers.TimeDistributed(keras.layers.Dense(3)), (2, 7, 5), 2),
        (lambda: keras.layers.Flatten(), (2, 7, 5), 0),
        (Around, (2, 5), 3),
    ],
)
def test_a_layer_built_by_hand_keeps_its_weights(make, shape, weights):
    layer = make()
    layer.build((None, *shape[1:]))
    assert layer.built and len(layer.weights) == weights
    layer.set_weights([np.full(w.shape, i + 1.0) for i, w in enumerate(layer.get_weights())])
    before = layer.get_weights()
    layer.build((None, *shape[1:]))
    layer(random(*shape))
    assert len(layer.weights) == weights
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), before, strict=True))


def test_attention_is_built_as_in_keras_3_too():
    layer = keras.layers.MultiHeadAttention(2, 3)
    layer.build((None, 5, 7), (None, 11, 13))
    assert [w.shape for w in layer.weights][::2] == [(7, 2, 3), (13, 2, 3), (13, 2, 3), (2, 3, 7)]
    assert layer(random(2, 5, 7), random(2, 11, 13)).shape == (2, 5, 7)
    assert len(layer.weights) == 8
