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
    """A list that grows with each convolution that takes its gradient as Peaks."""
    seen, backward_peaks = [], kernel.backward_peaks

    def counted(*arguments):
        seen.append(arguments)
        backward_peaks(*arguments)

    monkeypatch.setattr(kernel, "backward_peaks", counted)
    return seen


def check(model, x, calls, monkeypatch, taken):
    """A step's weights are the same with Peaks and without, and so many convolutions take them."""
    with_peaks = weights_after_a_step(model, x)
    assert len(calls) == taken
    monkeypatch.setattr(layers.convolutional.Conv, "takes_peaks", False)
    without = weights_after_a_step(model, x)
    assert len(calls) == taken
    for before, actual, expected in zip(model.get_weights(), with_peaks, without, strict=True):
        assert_close(actual - before, expected - before, 1e-5)


STACKS = {
    "images": lambda: [Conv2D(5, 3, activation="relu"), MaxPooling2D(), Conv2D(7, 3), MaxPooling2D((2, 3))],
    "strides and a border": lambda: [Conv2D(5, 3, 2, "same", activation="tanh"), MaxPooling2D(2, padding="same")],
    "gaps between windows": lambda: [Conv2D(5, 3, activation="sigmoid"), MaxPooling2D(1, 3)],
    "groups": lambda: [Conv2D(6, (5, 4), groups=2, activation="relu"), MaxPooling2D(2)],
    "the whole image": lambda: [Conv2D(5, 3, activation="relu"), GlobalMaxPooling2D(keepdims=True)],
    "frozen": lambda: [Conv2D(5, 3), Conv2D(5, 3, trainable=False), GlobalMaxPooling2D()],
    "no bias": lambda: [Conv2D(5, 3, use_bias=False), GlobalMaxPooling2D()],
    "sequences": lambda: [Conv1D(5, 8, padding="causal"), MaxPooling1D(3), Conv1D(3, 7), GlobalMaxPooling1D()],
}


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_gradients_as_the_whole_of_them(stack, calls, monkeypatch):
    x = RNG.standard_normal((3, 37, 4) if stack == "sequences" else (3, 19, 17, 4)).astype("f")
    inside = STACKS[stack]()
    model = fastkeras.Sequential([fastkeras.Input(x.shape[1:]), *inside, Flatten(), Dense(2)])
    check(model, x, calls, monkeypatch, sum(isinstance(layer, layers.convolutional.Conv) for layer in inside[-2::-2]))


@pytest.mark.parametrize(
    "inside",
    [
        [Conv1D(5, 8, activation="relu"), GlobalMaxPooling1D()],
        [Conv1D(5, 8, 2, "same", activation="tanh"), MaxPooling1D(5)],
        [Conv1D(5, 8, padding="causal"), MaxPooling1D(4, padding="same"), Conv1D(3, 7), GlobalMaxPooling1D()],
    ],
)
@pytest.mark.parametrize("ids", [11, 1009])
def test_the_same_gradients_behind_an_embedding(inside, ids, calls, monkeypatch):
    x = RNG.integers(0, ids, (3, 37))
    first = [fastkeras.Input(x.shape[1:], dtype="int32"), layers.Embedding(ids, 6)]
    model = fastkeras.Sequential([*first, *inside, Flatten(), Dense(2)])
    check(model, x, calls, monkeypatch, len(inside) // 2)
    assert (calls[-1][5] is not None) == (ids == 11)  # by distinct rows only where they repeat


UNSUITED = {
    "windows that overlap": lambda: [Conv2D(5, 3, activation="relu"), MaxPooling2D(3, 1)],
    "an activation that needs its input": lambda: [Conv2D(5, 3, activation="silu"), MaxPooling2D()],
    "an activation over rows": lambda: [Conv2D(5, 3, activation="softmax"), MaxPooling2D()],
    "a penalty on the output": lambda: [Conv2D(5, 3, activity_regularizer="l2"), MaxPooling2D()],
    "a few floats in a window": lambda: [Conv2D(5, 2, activation="relu"), MaxPooling2D()],
    "channels first": lambda: [Conv2D(5, 3, data_format="channels_first"), MaxPooling2D(data_format="channels_first")],
    "pooling over channels": lambda: [Conv2D(5, 3), MaxPooling2D(data_format="channels_first")],
    "a mean": lambda: [Conv2D(5, 3), layers.AveragePooling2D()],
}


@pytest.mark.parametrize("stack", UNSUITED)
def test_where_they_cannot_be_used(stack, calls, monkeypatch):
    x = RNG.standard_normal((3, 13, 11, 4)).astype("f")
    model = fastkeras.Sequential([fastkeras.Input(x.shape[1:]), *UNSUITED[stack](), Flatten(), Dense(2)])
    check(model, x, calls, monkeypatch, 0)


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
