"""Optimizers: variables and segments, clipping, averages, the learning rate, state.

Their steps are in test_optimizers_steps.py and test_optimizers_kernel.py.
"""

import copy
import json
import math
import pickle
import warnings

import numpy as np
import pytest
from checks import assert_close
from optimizer_cases import SHAPES, make_gradients, make_variables, train

import fastkeras
from fastkeras import constraints
from fastkeras.core.variable import Variable, pack
from fastkeras.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSprop, schedules

# --- variables and segments ------------------------------------------------------------------------------------------


def test_packed_variables_are_one_segment_in_any_order():
    variables = make_variables()
    optimizer = Adam()
    optimizer.build(variables[::-1])
    (segment,) = optimizer._segments
    assert segment.variables == variables
    assert segment.offsets.tolist() == [0, 35, 42, 63, 66, 77]
    assert segment.value.size == segment.grad.size == 77
    for variable in variables:
        assert np.shares_memory(variable.value, segment.value)
        assert np.shares_memory(variable.grad, segment.grad)


def test_a_gap_cuts_a_segment():
    variables = make_variables()
    optimizer = SGD(learning_rate=1.0)
    optimizer.build(variables[:1] + variables[2:])
    assert [s.variables for s in optimizer._segments] == [variables[:1], variables[2:]]
    before = variables[1].value.copy()
    train(optimizer, variables, make_gradients(variables, 1))
    np.testing.assert_array_equal(variables[1].value, before)
    assert variables[1].grad.any()


def test_values_that_follow_each_other_with_gradients_that_do_not_are_apart():
    values, grads = np.ones(5, np.float32), np.ones(7, np.float32)
    first, second = Variable(np.zeros(2), "first"), Variable(np.zeros(3), "second")
    first.value, first.grad = values[:2], grads[:2]
    second.value, second.grad = values[2:], grads[4:]
    optimizer = SGD(learning_rate=0.5)
    optimizer.build([first, second])
    assert len(optimizer._segments) == 2
    optimizer.step()
    np.testing.assert_array_equal(values, np.full(5, 0.5, np.float32))
    np.testing.assert_array_equal(grads, np.array([0, 0, 1, 1, 0, 0, 0], np.float32))


def test_gradients_are_left_zero_and_arrays_where_they_are():
    variables = make_variables()
    arrays = [(v.value, v.grad) for v in variables]
    optimizer = RMSprop()
    optimizer.build(variables)
    train(optimizer, variables, make_gradients(variables, 2))
    for variable, (value, grad) in zip(variables, arrays, strict=True):
        assert variable.value is value
        assert variable.grad is grad
        assert not grad.any()


def test_building_again_keeps_what_is_known():
    variables = make_variables()
    gradients = make_gradients(variables, 4)
    optimizer = Adam()
    optimizer.build(variables)
    train(optimizer, variables, gradients[:2])
    kept = {(s.name, s.variable.path): s.value.copy() for s in optimizer.slots}

    more = make_variables({"d/kernel": (2, 3)})
    optimizer.build([*variables[:2], *more])
    for slot in optimizer.slots:
        if slot.variable in more:
            assert not slot.value.any()
        else:
            np.testing.assert_array_equal(slot.value, kept[slot.name, slot.variable.path])
    assert optimizer.iterations == 2


def test_no_variables_at_all():
    optimizer = Adam(global_clipnorm=1.0)
    optimizer.build([])
    optimizer.step()
    assert optimizer.iterations == 1


def test_constraints_are_applied_after_the_step():
    variables = make_variables()
    variables[0].constraint = constraints.MaxNorm(0.5)
    variables[1].constraint = constraints.NonNeg()
    optimizer = SGD(learning_rate=0.1)
    optimizer.build(variables)
    train(optimizer, variables, make_gradients(variables, 1))
    assert np.linalg.norm(variables[0].value, axis=0).max() < 0.5 + 1e-6
    assert variables[1].value.min() == 0.0
    assert variables[2].value.min() < 0.0


def test_weight_decay_leaves_out_what_is_excluded():
    variables = make_variables()
    start = [v.value.copy() for v in variables]
    optimizer = SGD(learning_rate=0.5, weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_list=[variables[4]], var_names=["bias"])
    optimizer.build(variables)
    assert [len(s.variables) for s in optimizer._segments] == [1, 1, 1, 2]
    optimizer.step()
    for k, (variable, before) in enumerate(zip(variables, start, strict=True)):
        assert_close(variable.value, before * (0.9 if k in (0, 2) else 1.0), 1e-7, variable.path)


def test_exclusion_after_build_keeps_slots():
    variables = make_variables()
    optimizer = SGD(momentum=0.9, weight_decay=0.2)
    optimizer.build(variables)
    train(optimizer, variables, make_gradients(variables, 1))
    before = optimizer.state()
    optimizer.exclude_from_weight_decay(var_names=["gamma"])
    assert [s.decay for s in optimizer._segments] == [0.2, 0.0]
    for a, b in zip(optimizer.state(), before, strict=True):
        np.testing.assert_array_equal(a, b)


# --- clipping --------------------------------------------------------------------------------------------------------


def test_a_gradient_that_is_not_finite_is_passed_on_by_global_clipnorm():
    variables = make_variables()
    optimizer = SGD(global_clipnorm=1.0)
    optimizer.build(variables)
    variables[1].grad[0] = np.inf
    optimizer.step()
    assert all(np.isnan(v.value).all() for v in variables)


@pytest.mark.parametrize("clipping", [{"clipvalue": 0.25}, {"clipnorm": 0.25}, {"global_clipnorm": 0.25}], ids=str)
def test_the_gradient_of_a_repeated_id_is_summed_before_it_is_clipped(clipping):
    model = fastkeras.Sequential([fastkeras.layers.Embedding(5, 1), fastkeras.layers.Flatten()])
    model.compile(SGD(1.0, **clipping), "mse")
    model.build((None, 3))
    model.set_weights([np.zeros((5, 1), np.float32)])
    model.train_on_batch(np.array([[2, 2, 2]]), np.full((1, 3), 6.0))
    assert_close(model.get_weights()[0], [[0], [0], [0.25], [0], [0]], 1e-6)


def test_small_gradients_are_not_clipped():
    for option in ({"clipnorm": 1e3}, {"global_clipnorm": 1e3}, {"clipvalue": 1e3}, {"clipnorm": 0.0}):
        variables, same = make_variables(), make_variables()
        clipping, plain = SGD(**option), SGD()
        clipping.build(variables)
        plain.build(same)
        gradients = make_gradients(variables, 2)
        for a, b in zip(train(clipping, variables, gradients), train(plain, same, gradients), strict=True):
            np.testing.assert_array_equal(a, b)


# --- averages and accumulation ---------------------------------------------------------------------------------------


def test_the_average_replaces_the_weights_at_the_end():
    variables = make_variables()
    optimizer = SGD(learning_rate=0.5, use_ema=True, ema_momentum=0.5)
    optimizer.build(variables)
    first = train(optimizer, variables, make_gradients(variables, 1))
    second = train(optimizer, variables, make_gradients(variables, 1, seed=3))
    optimizer.finalize_variable_values(variables)
    for variable, a, b in zip(variables, first, second, strict=True):
        assert_close(variable.value, (a.astype(np.float64) + b) / 2, 1e-6)


def test_without_a_step_there_is_no_average_to_replace_the_weights():
    variables = make_variables()
    before = [v.value.copy() for v in variables]
    optimizer = Adam(use_ema=True)
    optimizer.build(variables)
    optimizer.finalize_variable_values(variables)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.value, value)


def test_accumulation_waits_for_the_last_gradient():
    variables = make_variables()
    optimizer = Adam(gradient_accumulation_steps=3)
    optimizer.build(variables)
    start = [v.value.copy() for v in variables]
    gradients = make_gradients(variables, 3)
    for before, after in zip(start, train(optimizer, variables, gradients[:2]), strict=True):
        np.testing.assert_array_equal(before, after)
    assert optimizer.iterations == 0
    sums = {s.variable.path: s.value for s in optimizer.slots if s.name == "gradient_accumulator"}
    assert_close(sums["b/kernel"], gradients[0][2] + gradients[1][2], 1e-6)
    train(optimizer, variables, gradients[2:])
    assert optimizer.iterations == 1
    assert not any(v.grad.any() for v in variables)


# --- the learning rate -----------------------------------------------------------------------------------------------


def one_step(optimizer):
    """How far one step moves a weight with gradient 1; the next call goes on with the same weight."""
    if not optimizer.built:
        variables = [Variable(np.zeros(1), "w")]
        pack(variables)
        optimizer.build(variables)
    (variable,) = optimizer._variables
    variable.value[...] = 0.0
    variable.grad[...] = 1.0
    optimizer.step()
    return -float(variable.value[0])


def test_the_learning_rate_can_be_read_and_set():
    optimizer = SGD(0.25)
    assert optimizer.learning_rate == optimizer.lr == 0.25
    assert one_step(optimizer) == 0.25
    optimizer.learning_rate = 0.5
    assert one_step(optimizer) == 0.5
    optimizer.lr = 1
    assert optimizer.learning_rate == 1.0
    assert json.dumps(optimizer.get_config()["learning_rate"]) == "1.0"
    optimizer.learning_rate = np.float32(0.125)
    assert one_step(optimizer) == 0.125
    optimizer.learning_rate = np.array(0.5)
    assert one_step(optimizer) == 0.5


def test_the_learning_rate_is_written_as_a_variable_of_keras_is():
    optimizer = SGD(0.25)
    rate = optimizer.learning_rate
    assert rate.numpy() == np.float32(0.25) and type(rate.numpy()) is np.float32
    assert f"{rate:.3f} {rate * 2}" == "0.250 0.5"
    assert rate.assign(0.5) == optimizer.learning_rate == 0.5 and one_step(optimizer) == 0.5
    fastkeras.backend.set_value(optimizer.lr, 0.125)
    assert fastkeras.backend.get_value(optimizer.lr) == one_step(optimizer) == 0.125
    for again in (copy.deepcopy(rate), pickle.loads(pickle.dumps(rate))):
        assert type(again) is float and again == rate
    with pytest.raises(ValueError, match="`learning_rate` must be a number"):
        rate.assign(math.nan)
    with pytest.raises(TypeError, match="given by a schedule"):
        SGD(schedules.ExponentialDecay(1.0, 1, 0.5)).learning_rate.assign(0.1)


def test_a_schedule_is_called_with_the_step():
    optimizer = SGD(schedules.PiecewiseConstantDecay([0, 1], [0.5, 0.25, 0.125]))
    assert optimizer.learning_rate == 0.5
    assert [one_step(optimizer) for _ in range(4)] == [0.5, 0.25, 0.125, 0.125]
    with pytest.raises(TypeError, match="SGD: the learning rate is given by a schedule"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = schedules.ExponentialDecay(1.0, 1, 0.5)
    assert one_step(optimizer) == 0.5**4


def test_functions_of_the_step_and_of_nothing():
    assert one_step(SGD(lambda: 0.5)) == 0.5
    optimizer = SGD(lambda step: 2.0**-step)
    assert [one_step(optimizer) for _ in range(3)] == [1.0, 0.5, 0.25]
    optimizer.learning_rate = 0.5
    assert one_step(optimizer) == 0.5


def test_schedules_count_gradients_and_adam_counts_updates():
    """As in Keras: a schedule sees every batch."""
    seen = []
    optimizer = Adam(lambda step: seen.append(step) or 0.1, gradient_accumulation_steps=2)
    for _ in range(4):
        one_step(optimizer)
    assert seen == [1, 3]


def test_keywords_of_keras_2_are_taken_with_a_notice():
    with pytest.warns(UserWarning, match="`lr` is called `learning_rate`") as notices:
        optimizer = SGD(lr=0.5)
    assert len(notices) == 1
    assert notices[0].filename == __file__
    assert optimizer.learning_rate == 0.5
    with pytest.warns(UserWarning, match=r"InverseTimeDecay\(0.5, decay_steps=1, decay_rate=0.25\)") as notices:
        optimizer = SGD(0.5, decay=0.25)
    assert len(notices) == 1
    assert notices[0].filename == __file__
    assert [one_step(optimizer) for _ in range(3)] == pytest.approx([0.5, 0.5 / 1.25, 0.5 / 1.5])
    assert optimizer.learning_rate == 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SGD(0.5, decay=0.0)


# --- state -----------------------------------------------------------------------------------------------------------


def names(optimizer, variables):
    optimizer.build(variables)
    return [name for name, _ in optimizer.variables]


def test_variables_are_named_and_ordered_as_in_keras():
    variables = make_variables({"a/kernel": (3, 2), "a/bias": (2,)})
    numbers = ["iteration", "learning_rate"]
    assert names(SGD(), variables) == numbers
    assert names(SGD(momentum=0.5), variables) == [*numbers, "a_kernel_momentum", "a_bias_momentum"]
    assert names(RMSprop(momentum=0.5, centered=True), variables) == [
        *numbers,
        *("a_kernel_velocity", "a_bias_velocity"),
        *("a_kernel_momentum", "a_bias_momentum"),
        *("a_kernel_average_gradient", "a_bias_average_gradient"),
    ]
    assert names(Adam(amsgrad=True, use_ema=True, gradient_accumulation_steps=2), variables) == [
        *numbers,
        *("a_kernel_average", "a_bias_average"),
        *("a_kernel_gradient_accumulator", "a_bias_gradient_accumulator"),
        *("a_kernel_momentum", "a_kernel_velocity", "a_bias_momentum", "a_bias_velocity"),
        *("a_kernel_velocity_hat", "a_bias_velocity_hat"),
    ]
    assert names(AdamW(), variables) == names(Adam(), variables)
    assert names(Adagrad(), variables) == [*numbers, "a_kernel_accumulator", "a_bias_accumulator"]
    assert names(Nadam(), variables) == [*names(Adam(), variables), "u_product"]
    assert names(Adamax(), variables)[2:4] == ["a_kernel_momentum", "a_kernel_norm"]
    assert names(Adadelta(), variables)[2:4] == ["a_kernel_accumulated_grad", "a_kernel_accumulated_delta_var"]
    assert names(Lion(), variables) == [*numbers, "a_kernel_momentum", "a_bias_momentum"]
    assert names(Ftrl(), variables)[2:4] == ["a_kernel_accumulator", "a_kernel_linear"]
    assert names(SGD(lambda: 0.1), variables) == ["iteration"]
    assert names(SGD(momentum=0.5), variables[::-1]) == [*numbers, "a_bias_momentum", "a_kernel_momentum"]


def test_slots_have_the_names_of_tf_keras_as_well():
    assert SGD(momentum=0.5).legacy_slot_name("momentum") == "m"
    assert [Adam().legacy_slot_name(n) for n in ("momentum", "velocity", "velocity_hat")] == ["m", "v", "vhat"]
    assert [Nadam().legacy_slot_name(n) for n in ("momentum", "velocity")] == ["m", "v"]
    assert [Adamax().legacy_slot_name(n) for n in ("momentum", "norm")] == ["m", "u"]
    assert Lion().legacy_slot_name("momentum") == "m"
    for optimizer in (RMSprop(momentum=0.5, centered=True), Adagrad(), Adadelta(), Ftrl()):
        for name in (name for group in optimizer.slot_groups() for name in group):
            assert optimizer.legacy_slot_name(name) == name


def test_types_of_variables():
    optimizer = Adam(0.1)
    optimizer.build(make_variables())
    optimizer.iterations = 7
    (_, iteration), (_, rate), *slots = optimizer.variables
    assert (iteration.dtype, iteration.shape, int(iteration)) == (np.int64, (), 7)
    assert (rate.dtype, rate.shape, rate) == (np.float32, (), np.float32(0.1))
    assert [array.shape for _, array in slots[::2]] == list(SHAPES.values())


def test_a_state_that_does_not_fit_changes_nothing():
    optimizer = SGD(momentum=0.5)
    optimizer.build(make_variables())
    state = optimizer.state()
    state[0] = np.array(5)
    state[-1] = np.ones(12, np.float32)
    with pytest.raises(ValueError, match=r"SGD: expected a state of shapes .*\(11,\)\]\. Received: .*\(12,\)\]"):
        optimizer.set_state(state)
    with pytest.raises(ValueError, match="SGD: expected a state of shapes"):
        optimizer.set_state(state[:-1])
    assert optimizer.iterations == 0
