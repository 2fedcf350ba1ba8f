"""GradientTape, Variable, and layers and models called within a tape."""

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from checks import assert_close, central_difference

import fastkeras
from fastkeras import layers, ops, optimizers
from fastkeras._kernels import steps
from fastkeras.core.tensor import made, value

RNG = np.random.default_rng(5)


def tensor(*shape):
    return ops.convert_to_tensor(RNG.normal(size=shape).astype(np.float32))


# --- the tape --------------------------------------------------------------------------------------------------------


def test_gradients_of_variables_and_watched_tensors():
    w, x = fastkeras.Variable([[1.0, 2.0]]), tensor(3, 2)
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(w * x)
        y += ops.sum(x[0])
    dw, dx = tape.gradient(y, [w, x])
    assert_close(dw, np.asarray(x).sum(0, keepdims=True), 1e-6)
    assert_close(dx, [[2, 3], [1, 2], [1, 2]], 1e-6)
    assert isinstance(dw, np.ndarray) and dw.numpy().dtype == np.float32


def test_what_the_target_does_not_depend_on_has_no_gradient():
    w, v = fastkeras.Variable([1.0]), fastkeras.Variable([1.0, 2.0])
    with fastkeras.GradientTape(persistent=True) as tape:
        y = w * 2
    assert tape.gradient(y, v) is None
    np.testing.assert_array_equal(tape.gradient(y, {"v": v}, unconnected_gradients="zero")["v"], [0, 0])


def test_only_what_is_watched_is_recorded():
    w, frozen = fastkeras.Variable(2.0), fastkeras.Variable(3.0, trainable=False)
    with fastkeras.GradientTape(persistent=True) as tape:
        y = w * frozen
        with tape.stop_recording():
            z = w * w
    assert float(tape.gradient(y, w)) == 3 and tape.gradient(y, frozen) is None and tape.gradient(z, w) is None
    with fastkeras.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(frozen)
        y = w * frozen
    assert tape.gradient(y, w) is None and float(tape.gradient(y, frozen)) == 2
    assert (w * w).node is None  # outside


def test_tapes_within_tapes_give_gradients_of_gradients():
    x = fastkeras.Variable(3.0)
    with fastkeras.GradientTape() as outer:
        with fastkeras.GradientTape() as inner:
            y = x**3
        slope = inner.gradient(y, x)
    assert float(slope) == 27 and float(outer.gradient(slope, x)) == 18


def test_a_tape_answers_as_often_as_it_is_asked():
    x = fastkeras.Variable([1.0, 2.0])
    with fastkeras.GradientTape(persistent=True) as tape:
        y = x * x
        z = ops.sum(y)
    for _ in range(2):
        np.testing.assert_array_equal(tape.gradient(z, x), [2, 4])
    np.testing.assert_array_equal(tape.gradient([y, z], x), [4, 8])
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=np.float32([1, 10])), [2, 40])


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (2, 3)], ids=str)
def test_gradients_lie_in_order_and_may_be_written_to(shape):
    x = fastkeras.Variable(np.ones(shape, np.float32))
    with fastkeras.GradientTape() as tape:
        y = ops.sum(x)
    d = tape.gradient(y, x)
    assert d.flags.carray and d.shape == shape and np.all(d == 1)


def test_output_gradients_are_numbers_or_have_the_shapes_of_the_targets():
    v = fastkeras.Variable([[1.0], [2.0]])
    with fastkeras.GradientTape(persistent=True) as tape:
        y = v * 3.0
    for d in (2, 2.0, np.float64(2), [[[2.0], [2.0]]], ops.full((2, 1), 2.0), fastkeras.Variable([2.0])):
        found = tape.gradient(y, v, output_gradients=d)
        np.testing.assert_array_equal(found, [[6], [6]])
        assert found.dtype == np.float32
    for d in (np.ones((3, 1)), [[[1.0], [2.0, 3.0]]]):
        with pytest.raises(ValueError, match=r"the shapes of the targets, \(2, 1\). Received: "):
            tape.gradient(y, v, output_gradients=d)


def test_arrays_on_the_left_of_variables_and_tensors_are_recorded():
    w, x = fastkeras.Variable([1.0, 2.0]), np.float32([[3.0, 4.0], [5.0, 6.0]])
    with fastkeras.GradientTape(persistent=True) as tape:
        y = x * w + x @ w.value + np.exp(w) - (x / w) * ops.ones(2)
        z = x @ w
    assert_close(tape.gradient(y, w), x.sum(0) + 2 * np.exp(w.value) + x.sum(0) / w.value**2, 1e-5)
    assert_close(tape.gradient(z, w), x.sum(0), 1e-6)
    x += w
    assert type(x) is np.ndarray and x[0, 0] == 4


def test_numpys_functions_of_tensors_are_recorded():
    x = fastkeras.Variable([1.0, 4.0])
    with fastkeras.GradientTape() as tape:
        y = np.sum(np.sqrt(x * 1.0)) + np.mean(x * x)
    assert_close(tape.gradient(y, x), [0.5 + 1, 0.25 + 4], 1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda tape: tape.watch(np.ones(2)), TypeError, "convert_to_tensor makes one"),
        (lambda tape: tape.watch(ops.arange(3)), TypeError, "a tensor of real numbers"),
        (lambda tape: tape.gradient(ops.ones(2), [np.ones(2)]), TypeError, "expected a tensor or variable as source"),
        (lambda tape: tape.gradient(1.0, []), TypeError, "expected a tensor or variable as target"),
        (lambda tape: tape.gradient(ops.ones(2), [], unconnected_gradients="no"), ValueError, "'none' or 'zero'"),
    ],
)
def test_errors_say_what_was_received(call, error, message):
    with pytest.raises(error, match=message):
        call(fastkeras.GradientTape())


# --- variables -------------------------------------------------------------------------------------------------------


def test_variables_are_assigned_and_computed_with():
    v = fastkeras.Variable(np.zeros((2, 3)), name="v")
    assert v.dtype == "float32" and v.shape == (2, 3) and len(v) == 2 and v.ndim == 2
    assert v.assign(np.ones((2, 3))) is v
    v.assign_add(np.full((2, 3), 2))
    v.assign_sub(1)
    np.testing.assert_array_equal(v.numpy(), np.full((2, 3), 2))
    np.testing.assert_array_equal(1 + v / 4, np.full((2, 3), 1.5))
    np.testing.assert_array_equal(v[0, 1:], [2, 2])
    count = fastkeras.Variable(3, dtype="int32", trainable=False)
    assert count.assign_add(2).dtype == "int32" and int(count) == 5 and float(count) == 5.0
    made = fastkeras.Variable(fastkeras.initializers.Ones(), shape=(2,), dtype="float32")
    np.testing.assert_array_equal(made, [1, 1])
    with pytest.raises(ValueError, match=r"a value of shape \(2, 3\). Received: \(2,\)"):
        v.assign(np.ones(2))


# --- layers and models -----------------------------------------------------------------------------------------------


def models():
    """(name, model, inputs)"""
    image = RNG.normal(size=(3, 8, 8, 2)).astype(np.float32)
    ids = RNG.integers(1, 11, (5, 7))
    ids[0, :3] = 0
    rows = RNG.normal(size=(5, 4)).astype(np.float32)
    yield "dense", [layers.Dense(6, activation="relu"), layers.Dropout(0.0), layers.Dense(3)], rows
    yield "norm", [layers.Dense(6), layers.BatchNormalization(), layers.Activation("tanh"), layers.Dense(3)], rows
    yield (
        "conv",
        [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)],
        image,
    )
    yield "lstm", [layers.Embedding(11, 4, mask_zero=True), layers.LSTM(5), layers.Dense(3)], ids
    yield (
        "gru",
        [layers.Embedding(11, 4), layers.Bidirectional(layers.GRU(5)), layers.Dense(3, kernel_regularizer="l2")],
        ids,
    )


@pytest.mark.parametrize(("name", "stack", "x"), list(models()), ids=lambda item: item if isinstance(item, str) else "")
def test_a_custom_loop_trains_as_fit_does(name, stack, x):
    fastkeras.utils.set_random_seed(3)
    y = RNG.normal(size=(len(x), 3)).astype(np.float32)
    fitted = fastkeras.Sequential(stack)
    fitted.build((None, *x.shape[1:]))
    looped = fastkeras.models.clone_model(fitted)
    looped.set_weights(fitted.get_weights())
    fitted.compile(optimizer="adam", loss="mse")
    losses = fitted.fit(x, y, batch_size=len(x), epochs=3, verbose=0, shuffle=False).history["loss"]
    optimizer = optimizers.Adam()
    for loss in losses:
        with fastkeras.GradientTape() as tape:
            own = ops.mean(ops.square(y - looped(x, training=True))) + sum(looped.losses)
        gradients = tape.gradient(own, looped.trainable_variables)
        optimizer.apply_gradients(zip(gradients, looped.trainable_variables, strict=True))
        assert abs(float(own) - loss) <= 1e-5 * abs(loss)
    for a, b in zip(fitted.get_weights(), looped.get_weights(), strict=True):
        assert_close(a, b, 1e-3)


@pytest.mark.parametrize(("name", "stack", "x"), list(models()), ids=lambda item: item if isinstance(item, str) else "")
def test_a_persistent_tape_takes_a_model_back_twice(name, stack, x):
    model = fastkeras.Sequential(stack)
    with fastkeras.GradientTape(persistent=True) as tape:
        y = ops.sum(ops.square(model(x, training=True)))
    first, second = (tape.gradient(y, model.trainable_variables) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_tapes_take_one_layer_back_and_one_tape_only_once():
    lstm, x = layers.LSTM(3), tensor(2, 5, 4)
    with fastkeras.GradientTape() as first, fastkeras.GradientTape() as second:
        y = lstm(x)
    for a, b in zip(*(t.gradient(y, lstm.trainable_variables) for t in (first, second)), strict=True):
        np.testing.assert_array_equal(a, b)
    with fastkeras.GradientTape() as tape:
        y = lstm(x)
    tape.gradient(y, lstm.kernel)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, lstm.kernel)


def test_what_leads_back_goes_with_the_tape_not_with_the_tensors():
    class Kept:
        pass

    layer, kept = layers.Dense(2), []
    for persistent in (False, True):
        token = Kept()
        gone = weakref.ref(token)
        with fastkeras.GradientTape(persistent) as tape, fastkeras.GradientTape() as other:
            y = layer(tensor(3, 4))
            loss = ops.sum(made(value(y) * 1, (y, lambda d, y, token=token: d)))
        del token
        kept.append(loss)
        for each in (tape, other):
            assert each.gradient(loss, layer.kernel).shape == (4, 2)
        assert gone() is not None or not persistent
        del tape, other, each
        assert gone() is None


def test_what_another_tape_has_recorded_is_a_constant():
    w = fastkeras.Variable([2.0])
    with fastkeras.GradientTape():
        state = w * 3
    with fastkeras.GradientTape() as tape:
        y = state * w
    np.testing.assert_array_equal(tape.gradient(y, w), [6])


def test_the_second_derivative_through_a_layer_is_refused():
    layer, x = layers.Dense(1, activation="tanh", name="critic"), tensor(3, 4)
    with fastkeras.GradientTape() as outer:
        with fastkeras.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
        penalty = ops.sum(ops.square(inner.gradient(y, x)))
    with pytest.raises(NotImplementedError, match=r"a gradient is taken through layer 'critic'.*fastkeras\.ops"):
        outer.gradient(penalty, layer.trainable_variables)


def test_calls_between_two_gradients_have_memory_of_their_own():
    model = fastkeras.Sequential([layers.Dense(6, activation="tanh", input_shape=(4,)), layers.LayerNormalization()])
    xs = [tensor(5, 4) for _ in range(3)]
    expected = []
    for x in xs:
        with fastkeras.GradientTape() as tape:
            y = ops.sum(ops.square(model(x)) * ops.arange(6.0))
        expected.append(tape.gradient(y, model.trainable_variables))
    with fastkeras.GradientTape() as tape:
        y = sum(ops.sum(ops.square(model(x)) * ops.arange(6.0)) for x in xs)
    for d, *parts in zip(tape.gradient(y, model.trainable_variables), *expected, strict=True):
        assert_close(d, sum(parts), 1e-5)
    model.layers[0].trainable = False
    with fastkeras.GradientTape() as tape:
        y = ops.sum(ops.square(model(xs[0])) * ops.arange(6.0))
    for d, other in zip(tape.gradient(y, model.trainable_variables), expected[0][2:], strict=True):
        assert_close(d, other, 1e-5)


def test_gradients_of_a_models_inputs_and_of_ops_around_it():
    model = fastkeras.Sequential([layers.Dense(3, activation="tanh", input_shape=(4,))])
    x = tensor(5, 4)
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(model(2 * x) ** 2)
    dx, dw = tape.gradient(y, [x, model.trainable_variables[0]])
    w, b = model.get_weights()
    a = np.tanh(2 * np.asarray(x) @ w + b)
    dz = 2 * a * (1 - a * a)
    assert_close(dx, 2 * dz @ w.T, 1e-5)
    assert_close(dw, 2 * np.asarray(x).T @ dz, 1e-5)


def test_gradients_may_come_to_a_layer_transposed_or_repeated():
    layer, x, c = layers.Dense(3), tensor(5, 4), tensor(3, 5)
    with fastkeras.GradientTape(persistent=True) as tape:
        turned = ops.sum(ops.transpose(layer(x)) * c)
        summed = ops.sum(ops.sum(layer(x), axis=0) * c[:, 0])
    a = np.asarray(x)
    assert_close(tape.gradient(turned, layer.kernel), a.T @ np.asarray(c).T, 1e-5)
    assert_close(tape.gradient(summed, layer.kernel), np.outer(a.sum(0), np.asarray(c)[:, 0]), 1e-5)


def test_layers_of_several_outputs_and_models_with_frozen_layers():
    lstm, x = layers.LSTM(3, return_sequences=True, return_state=True), tensor(2, 5, 4)
    with fastkeras.GradientTape() as tape:
        tape.watch(x)
        sequence, _, carry = lstm(x)
        y = ops.sum(sequence) + ops.sum(carry)
    dx, dw = tape.gradient(y, [x, lstm.trainable_variables[0]])
    assert dx.shape == x.shape and np.abs(dw).max() > 0
    frozen = fastkeras.Sequential([layers.Dense(3), layers.Dense(1)])
    frozen(np.ones((2, 4), np.float32))
    frozen.layers[0].trainable = False
    with fastkeras.GradientTape(persistent=True) as tape:
        y = ops.sum(frozen(np.ones((2, 4), np.float32)))
    assert tape.gradient(y, frozen.layers[0].variables) == [None, None]
    np.testing.assert_array_equal(tape.gradient(y, frozen.layers[1].bias), [2])


def test_what_layers_add_to_the_loss_is_in_losses():
    layer = layers.Dense(
        3, kernel_regularizer="l2", activity_regularizer=fastkeras.regularizers.L2(0.5), use_bias=False
    )
    x = tensor(2, 4)
    with fastkeras.GradientTape() as tape:
        y = layer(x, training=True)
        loss = ops.sum(y) + sum(layer.losses)
    w = layer.get_weights()[0]
    product = np.asarray(x) @ w
    assert_close(float(loss), product.sum() + 0.01 * (w**2).sum() + 0.5 * (product**2).sum() / 2, 1e-5)
    expected = np.asarray(x).T @ (1 + product / 2) + 0.02 * w
    assert_close(tape.gradient(loss, layer.kernel), expected, 1e-5)


def test_an_optimizer_leaves_variables_without_gradient_alone():
    v, w = fastkeras.Variable([1.0, 2.0]), fastkeras.Variable([3.0])
    optimizer = optimizers.SGD(0.5)
    optimizer.apply_gradients([(np.float32([1, 1]), v), (None, w)])
    np.testing.assert_array_equal(v, [0.5, 1.5])
    np.testing.assert_array_equal(w, [3])
    optimizer.apply([np.float32([2])], [w])
    np.testing.assert_array_equal(w, [2])
    with pytest.raises(ValueError, match="a gradient for at least one variable"):
        optimizer.apply_gradients([(None, w)])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
@pytest.mark.parametrize("name", ["MeanSquaredError", "SparseCategoricalCrossentropy", "Huber"])
def test_losses_called_within_a_tape_are_recorded(name, reduction):
    loss = getattr(fastkeras.losses, name)(reduction=reduction)
    y_true = RNG.integers(0, 3, (5,)) if name.startswith("Sparse") else RNG.uniform(size=(5, 3)).astype(np.float32)
    y_pred = fastkeras.Variable(RNG.dirichlet(np.full(3, 50.0), 5))
    for weights in (None, RNG.uniform(size=5).astype(np.float32)):
        with fastkeras.GradientTape() as tape:
            value = loss(y_true, y_pred, weights)
        assert_close(value, loss(y_true, y_pred.numpy(), weights), 1e-6)
        gradient = tape.gradient(value, y_pred)

        def function(x, weights=weights):
            return np.sum(loss(y_true, x.astype(np.float32), weights), dtype=np.float64)

        assert_close(gradient, central_difference(function, y_pred.numpy(), 1.0, step=1e-2), 2e-2)


def test_a_tape_that_watches_no_weights_leaves_a_model_as_it_was():
    """Its gradients go to the input alone, and nothing is left for the model's next step."""
    x, y = np.ones((3, 4), np.float32), np.ones((3, 2), np.float32)
    models = [fastkeras.Sequential([layers.Dense(2, kernel_initializer="ones", input_dim=4)]) for _ in "ab"]
    for model in models:
        model.compile("sgd", "mse")
        model.train_on_batch(x, y)
    tensor = ops.convert_to_tensor(x)
    with fastkeras.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensor)
        total = ops.sum(models[0](tensor))
    kernel = models[0].get_weights()[0]
    np.testing.assert_allclose(tape.gradient(total, tensor), np.broadcast_to(kernel.sum(1), (3, 4)), rtol=1e-5)
    for model in models:
        model.train_on_batch(x, y)
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_tape_that_watches_no_weights_around_a_layer_of_no_model():
    layer, tensor = layers.Conv1D(2, 3), ops.ones((1, 5, 2))
    with fastkeras.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensor)
        total = ops.sum(layer(tensor))
    kernel = layer.get_weights()[0]
    np.testing.assert_allclose(tape.gradient(total, tensor)[0, 2], kernel.sum((0, 2)), rtol=1e-5)


def test_what_is_inside_a_frozen_layer_has_no_gradient_in_a_tape():
    """As it is not among the trainable variables, though it may be set trainable itself."""
    inner = layers.Dense(2)
    model = fastkeras.Sequential([layers.Dense(3, input_dim=4), fastkeras.Sequential([inner])])
    model.layers[1].trainable = False
    inner.trainable = True
    with fastkeras.GradientTape() as tape:
        total = ops.sum(model(np.ones((5, 4), np.float32)))
    found = tape.gradient(total, model.trainable_variables + inner.variables)
    assert [d is not None for d in found] == [True, True, False, False]


def test_threads_may_each_take_gradients_through_one_model():
    model = fastkeras.Sequential(
        [layers.Dense(64, activation="relu", input_dim=31), layers.LayerNormalization(), layers.Dense(3)]
    )
    x = tensor(67, 31)

    def gradients(_):
        with fastkeras.GradientTape() as tape:
            loss = ops.mean(ops.square(model(x)))
        return tape.gradient(loss, model.trainable_variables)

    expected = gradients(None)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(gradients, range(100)):
            for d, want in zip(found, expected, strict=True):
                np.testing.assert_array_equal(d, want)


@pytest.mark.parametrize(
    ("computed", "who"),
    [
        (lambda w: fastkeras.activations.tanh(w), "activation 'tanh'"),
        (lambda w: fastkeras.losses.MeanSquaredError()(np.zeros((1, 2)), w), "loss 'mean_squared_error'"),
        (lambda w: fastkeras.losses.MeanSquaredError()(w, np.zeros((1, 2))), "loss 'mean_squared_error'"),
    ],
)
def test_what_has_a_first_derivative_alone_refuses_a_second(computed, who):
    w = fastkeras.Variable([[0.5, 2.0]])
    with fastkeras.GradientTape() as outer:
        with fastkeras.GradientTape() as tape:
            y = ops.sum(computed(w * w))
        slope = ops.sum(tape.gradient(y, w))
    with pytest.raises(NotImplementedError, match=f"the gradient of a gradient is taken through {who}"):
        outer.gradient(slope, w)


def test_a_penalty_refuses_a_second_derivative():
    layer = layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l2")
    layer.build((None, 3))
    with fastkeras.GradientTape() as outer:
        with fastkeras.GradientTape() as tape:
            layer(np.ones((1, 3), np.float32))
            y = sum(layer.losses)
        slope = ops.sum(tape.gradient(y, layer.kernel))
    with pytest.raises(NotImplementedError, match="the gradient of a gradient is taken through"):
        outer.gradient(slope, layer.kernel)


def test_what_takes_arrays_refuses_others():
    for given in (-1, None):
        with pytest.raises(TypeError):
            steps.linked(given)
