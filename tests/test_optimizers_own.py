"""Optimizers of the user's own."""

import copy

import numpy as np
import pytest
from checks import assert_close
from optimizer_cases import make_gradients, make_variables, train

import fastkeras
from fastkeras import ops, optimizers
from fastkeras.optimizers import SGD


def test_an_optimizer_of_ones_own():
    class Signs(optimizers.Optimizer):
        """weight -= learning_rate sign(g), and a count of steps for each weight"""

        def slot_groups(self):
            return (("count",),)

        def update(self, segment, numbers):
            rate, scale, _, _ = numbers
            segment.value -= rate * np.sign(scale * segment.grad)
            segment.slots["count"] += 1
            segment.grad[...] = 0

    variables = make_variables()
    start = [v.value.copy() for v in variables]
    gradients = make_gradients(variables, 3)
    optimizer = Signs(0.5)
    optimizer.build(variables)
    train(optimizer, variables, gradients)
    signs = sum(np.sign(step[0]) for step in gradients)
    assert_close(variables[0].value, start[0] - 0.5 * signs, 1e-6)
    assert all((slot.value == 3).all() for slot in optimizer.slots)
    assert optimizer.get_config()["name"] == "signs"
    with pytest.raises(NotImplementedError, match="Optimizer must define update"):
        base = optimizers.Optimizer(0.1)
        base.build(variables)
        base.step()


class Momentum(optimizers.Optimizer):
    """SGD with momentum as Keras 3's documentation has people write it."""

    def __init__(self, learning_rate=0.01, momentum=0.9, name="momentum", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        m = self.momentums[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign(m, ops.subtract(ops.multiply(m, self.momentum), ops.multiply(gradient, rate)))
        self.assign_add(variable, m)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@pytest.mark.parametrize(
    "options", [{}, {"clipvalue": 0.3}, {"clipnorm": 0.5}, {"weight_decay": 0.1}, {"use_ema": True}]
)
def test_an_optimizer_in_keras_3_style_does_what_the_built_in_one_does(options):
    ours, own = SGD(0.1, momentum=0.9, **options), Momentum(0.1, **options)
    results = []
    for optimizer in (ours, own):
        variables = make_variables()
        optimizer.turn_to(variables[:2])
        train(optimizer, variables[:2], make_gradients(variables[:2], 2))
        optimizer.turn_to(variables)  # what it kept for the first two stays
        train(optimizer, variables, make_gradients(variables, 3))
        assert all(not v.grad.any() for v in variables)
        results.append([*(v.value for v in variables), *optimizer.state()])
    assert [name for name, _ in own.variables] == [name for name, _ in ours.variables]
    for actual, expected in zip(results[1], results[0], strict=True):
        assert_close(actual, expected, 1e-5)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_an_optimizer_in_keras_3_style_trains_and_is_saved_with_a_model(tmp_path, name):
    fastkeras.saving.register_keras_serializable("own")(Momentum)
    x = np.random.default_rng(2).normal(size=(7, 3)).astype(np.float32)
    model = fastkeras.Sequential([fastkeras.layers.Dense(2, input_shape=(3,))])
    model.compile(Momentum(0.1, 0.8), "mse")
    history = model.fit(x, x[:, :2], epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]
    model.save(tmp_path / name)
    again = fastkeras.saving.load_model(tmp_path / name)
    assert type(again.optimizer) is Momentum and again.optimizer.get_config() == model.optimizer.get_config()
    copied = copy.deepcopy(model)
    for each in (model, again, copied):
        each.fit(x, x[:, :2], verbose=0, shuffle=False)
    for each in (again, copied):
        for actual, expected in zip(each.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(actual, expected)


def test_slots_of_several_names_and_starts():
    class Two(Momentum):
        def build(self, variables):
            super(Momentum, self).build(variables)
            self.ones, self.zeros = self.add_optimizer_variables(variables, ["one", "zero"], ["ones", "zeros"])
            self.unnamed = [self.add_variable_from_reference(variables[0]) for _ in range(2)]

    optimizer, variables = Two(0.1), make_variables()
    optimizer.turn_to(variables)
    assert all(
        (one.value == 1).all() and not zero.value.any()
        for one, zero in zip(optimizer.ones, optimizer.zeros, strict=True)
    )
    assert optimizer.unnamed[0] is not optimizer.unnamed[1]
    unnamed = optimizer.unnamed
    optimizer.turn_to(variables[:2])
    assert [a is b for a, b in zip(optimizer.unnamed, unnamed, strict=True)] == [True, True]
    assert len(optimizer.variables) == 2 + 4 + 2

    class Forgetful(Momentum):
        def build(self, variables):
            self.momentums = []

    with pytest.raises(ValueError, match=r"Forgetful: build\(variables\) must call super"):
        Forgetful().turn_to(variables)
