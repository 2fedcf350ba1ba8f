"""TimeDistributed against its layer called at each step: outputs, gradients, masks, states."""

import numpy as np
import pytest
import reference
from checks import as_rows, assert_close, random, summed_by_row
from wrapped import RNG, assert_gradients, built, repeated, run_layer

import fastkeras as keras
from fastkeras.core.run import Run
from fastkeras.layers import (
    LSTM,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    TimeDistributed,
)


@pytest.mark.parametrize("shape", [(3, 5, 2), (2, 3, 5, 2), (1, 1, 1), (0, 3, 2)])
def test_time_distributed_dense(shape):
    layer = built(TimeDistributed(Dense(4, activation="tanh")), shape)
    x, dy = random(*shape), random(*shape[:-1], 4)
    (y,), (dx,), (dW, db) = run_layer(layer, x, [dy])
    W, b = (w.astype(np.float64) for w in layer.get_weights())
    flat, flat_dy = x.reshape(-1, shape[-1]).astype(np.float64), dy.reshape(-1, 4)
    expected = reference.dense_backward(flat_dy, flat, W, b, "tanh")
    assert_close(y.reshape(-1, 4), reference.dense(flat, W, b, "tanh"), 1e-5)
    for gradient, wanted in zip((dx.reshape(flat.shape), dW, db), expected, strict=True):
        assert_close(gradient, wanted, 3e-5)
    assert y.shape == layer.compute_output_shape(shape) and dx.shape == shape


@pytest.mark.parametrize("inner", [Dense(4), Activation("relu"), Dense(3, activation="softmax")], ids=repr)
def test_row_wise_layers_compute_each_distinct_row_once(inner):
    x = repeated(5, 7, 3, 4)
    layer, rows = built(TimeDistributed(inner), x.shape), as_rows(x)
    y, _ = layer.forward(rows, Run())
    assert y.values.shape[0] == 4 and y.index.shape == (5, 7)
    dy = random(*layer.compute_output_shape(x.shape))
    plain, shared = run_layer(layer, x, [dy]), run_layer(layer, rows, [dy])
    assert_close(shared[0][0], plain[0][0], 1e-6)
    assert_close(shared[1][0], summed_by_row(plain[1][0], rows), 1e-5)
    for a, b in zip(shared[2], plain[2], strict=True):
        assert_close(a, b, 1e-5)


def test_a_recurrent_layer_at_each_step():
    """Sentences of a document: the inner mask is the inner layer's."""
    B, S, T, D, U = 2, 3, 5, 2, 3
    layer = built(TimeDistributed(LSTM(U)), (B, S, T, D))
    x, dy = random(B, S, T, D), random(B, S, U)
    mask = RNG.random((B, S, T)) < 0.7
    mask[1, 2] = False
    W, R, b = (w.astype(np.float64) for w in layer.get_weights())
    p = x.reshape(B * S, T, D) @ W + b
    _, expected, _ = reference.lstm(p, R, mask=mask.reshape(B * S, T))
    (y,), (dx,), _ = run_layer(layer, x, [dy], mask)
    assert_close(y.reshape(B * S, U), expected, 1e-5)
    zero = np.zeros((B * S, U))
    gradients = reference.lstm_backward(
        np.zeros((B * S, T, U)), dy.reshape(B * S, U), zero, p, R, mask=mask.reshape(B * S, T)
    )
    assert_close(dx.reshape(B * S, T, D), gradients[0] @ W.T, 5e-5)
    np.testing.assert_array_equal(layer.compute_mask(x, mask), mask.any(axis=2))  # a sentence without words


def test_masks_of_steps_pass_through():
    x, mask = random(2, 3, 4, 5), RNG.random((2, 3)) < 0.5
    for inner in (Flatten(), Dense(2), LSTM(3)):
        layer = built(TimeDistributed(inner), x.shape)
        assert layer.compute_mask(x, mask) is mask
        assert layer.compute_mask(x, None) is None
        run_layer(layer, x, mask=mask)
    words = RNG.random((2, 3, 4)) < 0.5
    np.testing.assert_array_equal(TimeDistributed(Dense(2)).compute_mask(x, words), words)


def test_a_model_at_each_step():
    inner = keras.Sequential([Dense(4, activation="relu"), Dense(2)])
    layer = built(TimeDistributed(inner), (3, 5, 2))
    x, dy = random(3, 5, 2), random(3, 5, 2)
    (y,), (dx,), gradients = run_layer(layer, x, [dy])
    weights = [w.astype(np.float64) for w in layer.get_weights()]

    def function(x, W, b, V, c):
        return [np.maximum(x @ W + b, 0) @ V + c]

    arrays = [x.astype(np.float64), *weights]
    assert_close(y, function(*arrays)[0], 1e-5)
    assert_gradients(function, arrays, [dy], [dx, *gradients])


def test_ids_at_each_step():
    ids = RNG.integers(0, 5, (2, 3, 4)).astype(np.int32)
    layer = TimeDistributed(Embedding(5, 2))
    assert layer.input_dtype == "int32"
    np.testing.assert_array_equal(layer(ids), layer.get_weights()[0][ids])
    with pytest.raises(ValueError, match=r"Embedding\): ids must lie in \[0, 5\)"):
        layer(ids + 1)


def test_dropout_at_each_step_is_active_in_training_only():
    x = np.ones((11, 13, 7), "f")
    layer = TimeDistributed(Dropout(0.5, seed=2))
    np.testing.assert_array_equal(run_layer(layer, x)[0], x)
    assert abs((run_layer(layer, x, training=True)[0] == 0).mean() - 0.5) < 0.05


def test_the_penalty_of_the_layer_inside_is_a_mean_over_samples_and_steps():
    x = random(2, 3, 4)
    layer = built(TimeDistributed(Dense(5, activity_regularizer=keras.regularizers.L2(0.1))), x.shape)
    run = Run()
    y, _ = layer.forward(x, run)
    np.testing.assert_allclose(run.penalty, 0.1 * (y**2).sum() / (2 * 3), rtol=1e-5)


def test_the_loss_is_computed_from_probabilities():
    """As in Keras, which sees no softmax at the end of the model: clipped at 1e-7, not from what is under it."""
    model = keras.Sequential([TimeDistributed(Dense(3, activation="softmax"), input_shape=(4, 2))])
    model.set_weights([1000 * np.eye(2, 3), np.zeros(3)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.tile(np.array([1.0, 0.0], "f"), (1, 4, 1))
    np.testing.assert_allclose(model.evaluate(x, np.ones((1, 4), int), verbose=0), -np.log(1e-7), rtol=1e-5)
