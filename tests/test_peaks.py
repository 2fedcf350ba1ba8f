"""Gradients at the maxima alone: what max pooling gives to convolutions, and where it must not."""

import numpy as np
import pytest
from checks import assert_close

import fastkeras
from fastkeras import layers
from fastkeras._kernels import conv as kernel
from fastkeras.core.variable import pack
from fastkeras.layers import (
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from fastkeras.models.graph import Pass

RNG = np.random.default_rng(29)


def weights_after_a_step(model, x):
    """The weights after a step of plain gradient descent from those the model has, to which it then returns."""
    before = model.get_weights()
    model.compile(optimizer=fastkeras.optimizers.SGD(1.0), loss="mse")
    model.train_on_batch(x, np.ones((len(x), 2), "f"))
    after = model.get_weights()
    model.set_weights(before)
    return after


@pytest.fixture
def calls(monkeypatch):
    """A list that grows with the name of each kernel that takes gradients at maxima alone."""
    seen = []

    def counted(name, call):
        def call_and_tell(*arguments):
            seen.append(name)
            call(*arguments)

        return call_and_tell

    for name in ("backward_peaks", "backward_max"):
        monkeypatch.setattr(kernel, name, counted(name, getattr(kernel, name)))
    return seen


def check(model, x, calls, monkeypatch, expected_calls):
    """A step's weights and predictions are the same with Unpooled and Peaks and without, and these kernels are used."""
    actual, predicted = weights_after_a_step(model, x), model.predict(x, verbose=0)
    assert calls == expected_calls
    monkeypatch.setattr(layers.convolutional.Conv, "can_give_unpooled", False)
    expected = weights_after_a_step(model, x)
    model.compile("sgd", "mse")
    np.testing.assert_allclose(predicted, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    assert calls == expected_calls
    for before, with_peaks, without in zip(model.get_weights(), actual, expected, strict=True):
        assert_close(with_peaks - before, without - before, 1e-5)


P, M = "backward_peaks", "backward_max"
STACKS = {
    "images": (lambda: [Conv2D(5, 3, activation="relu"), MaxPooling2D(), Conv2D(7, 3), MaxPooling2D((2, 3))], [P, P]),
    "few floats": (lambda: [Conv2D(5, 2, activation="relu"), MaxPooling2D(), Conv2D(7, 2), MaxPooling2D()], [M, P, M]),
    "strides and a border": (
        lambda: [Conv2D(5, 3, 2, "same", activation="tanh"), MaxPooling2D(2, padding="same")],
        [P],
    ),
    "gaps between windows": (lambda: [Conv2D(5, 3, activation="sigmoid"), MaxPooling2D(1, 3)], [P]),
    "overlapping columns": (lambda: [Conv2D(5, 2, activation="elu"), MaxPooling2D((4, 2), (4, 1))], [M]),
    "groups": (lambda: [Conv2D(6, (5, 4), groups=2, activation="relu"), MaxPooling2D(2)], [P]),
    "groups of few floats": (lambda: [Conv2D(6, 2, groups=2, activation="relu"), MaxPooling2D(2)], [P]),
    "the whole image": (lambda: [Conv2D(5, 3, activation="relu"), GlobalMaxPooling2D(keepdims=True)], [P]),
    "frozen": (lambda: [Conv2D(5, 3), Conv2D(5, 2, trainable=False), GlobalMaxPooling2D()], [P]),
    "no bias": (lambda: [Conv2D(5, 3, use_bias=False), GlobalMaxPooling2D()], [P]),
    "sequences": (
        lambda: [Conv1D(5, 9, padding="causal"), MaxPooling1D(3), Conv1D(3, 7), GlobalMaxPooling1D()],
        [P, P],
    ),
}


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_gradients_as_the_whole_of_them(stack, calls, monkeypatch):
    x = RNG.standard_normal((3, 37, 4) if stack == "sequences" else (3, 19, 17, 4)).astype("f")
    inside, expected_calls = STACKS[stack]
    model = fastkeras.Sequential([fastkeras.Input(x.shape[1:]), *inside(), Flatten(), Dense(2)])
    check(model, x, calls, monkeypatch, expected_calls)


@pytest.mark.parametrize(
    "pooling", [GlobalMaxPooling1D, lambda: MaxPooling1D(5), lambda: MaxPooling1D(4, padding="same")]
)
@pytest.mark.parametrize("ids", [11, 1009])  # each many times, or hardly any twice
def test_the_same_gradients_behind_an_embedding(pooling, ids, calls, monkeypatch):
    x = RNG.integers(0, ids, (3, 37))
    first = [fastkeras.Input(x.shape[1:], dtype="int32"), layers.Embedding(ids, 6)]
    inside = [Conv1D(5, 8, padding="same", activation="relu"), pooling()]
    check(fastkeras.Sequential([*first, *inside, Flatten(), Dense(2)]), x, calls, monkeypatch, [P])


UNSUITED = {
    "rows of windows that overlap": lambda: [Conv2D(5, 3, activation="relu"), MaxPooling2D(3, 2)],
    "as many windows as places": lambda: [Conv2D(5, 3, activation="relu"), MaxPooling2D(1, 1)],
    "an activation that needs its input": lambda: [Conv2D(5, 3, activation="silu"), MaxPooling2D()],
    "an activation over rows": lambda: [Conv2D(5, 3, activation="softmax"), MaxPooling2D()],
    "a penalty on the output": lambda: [Conv2D(5, 3, activity_regularizer="l2"), MaxPooling2D()],
    "channels first": lambda: [Conv2D(5, 3, data_format="channels_first"), MaxPooling2D(data_format="channels_first")],
    "pooling over channels": lambda: [Conv2D(5, 3), MaxPooling2D(data_format="channels_first")],
    "a mean": lambda: [Conv2D(5, 3), layers.AveragePooling2D()],
}


@pytest.mark.parametrize("stack", UNSUITED)
def test_where_they_cannot_be_used(stack, calls, monkeypatch):
    x = RNG.standard_normal((3, 13, 11, 4)).astype("f")
    model = fastkeras.Sequential([fastkeras.Input(x.shape[1:]), *UNSUITED[stack](), Flatten(), Dense(2)])
    check(model, x, calls, monkeypatch, [])


@pytest.mark.parametrize("read_again", [MaxPooling2D(), Flatten()])
def test_what_is_read_twice_gets_the_sum_of_its_gradients(read_again, calls):
    x = RNG.standard_normal((3, 13, 11, 4)).astype("f")
    inputs = fastkeras.Input(x.shape[1:])
    y = Conv2D(5, 3)(inputs)
    check_outputs(inputs, [GlobalMaxPooling2D()(y), read_again(y)], x, calls)


def test_an_output_of_the_model_gets_its_own_gradient_too(calls):
    x = RNG.standard_normal((3, 13, 11, 4)).astype("f")
    inputs = fastkeras.Input(x.shape[1:])
    y = Conv2D(5, 3)(inputs)
    check_outputs(inputs, [GlobalMaxPooling2D()(y), y], x, calls)


def check_outputs(inputs, outputs, x, calls):
    """The gradient of the first weight through all outputs is the sum of those through each alone, without Peaks."""
    ones = [np.ones((len(x), *output.shape[1:]), "f") for output in outputs]

    def gradient(outputs, gradients):
        model = fastkeras.Model(inputs, outputs)
        walk = Pass(model.graph, model.layers)
        model.layers[1].kernel.grad.fill(0)
        walk.forward([x], training=True)
        walk.backward(gradients)
        return model.layers[1].kernel.grad.copy()

    pack(outputs[0].site.inputs[0].site.layer.variables)
    both = gradient(outputs, [one.copy() for one in ones])
    assert not calls
    assert_close(both, sum(gradient([y], [one.copy()]) for y, one in zip(outputs, ones, strict=True)), 1e-5)
