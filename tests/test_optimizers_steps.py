"""Every optimizer's steps, with every option, against the reference and against Keras; threads, and steps resumed."""

import inspect

import keras_optimizers
import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads
from live import needs_tensorflow
from optimizer_cases import OPTIMIZERS, OPTIONS, make_gradients, make_variables, train

from fastkeras import optimizers
from fastkeras.core.variable import Variable, pack

each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)

# --- against the reference -------------------------------------------------------------------------------------------


def reference_step(optimizer, p, slots, d, t, rate):
    """(p, slots) after a step, by the reference's function of that name: of p, the slots, and what it asks for."""
    name, config = type(optimizer).__name__.lower(), optimizer.get_config()
    formula = getattr(reference, {"adamw": "adam"}.get(name, name))  # weight decay is an option of all
    known = {"d": d, "t": t, "rate": rate, **config}
    names = list(inspect.signature(formula).parameters)[1:]
    options = {name: known[name] for name in names if name in known}
    if not slots:
        slots = [config.get("initial_accumulator_value", 0.0), *[0.0] * (len(names) - len(options) - 1)]
    p, *slots = formula(p, *slots, **options)
    return p, slots


def reference_clip(config, d):
    if config["clipnorm"]:
        return [reference.clip_by_norm(g, config["clipnorm"]) for g in d]
    if config["global_clipnorm"]:
        norm = np.linalg.norm(np.concatenate([g.ravel() for g in d]))
        return [g * min(1, config["global_clipnorm"] / norm) for g in d]
    return [np.clip(g, -config["clipvalue"], config["clipvalue"]) for g in d] if config["clipvalue"] else d


def reference_train(optimizer, values, gradients):
    """The values after all steps, in float64, one variable after the other as Keras's documentation has it."""
    config = optimizer.get_config()
    values = [v.astype(np.float64) for v in values]
    slots, averages = [[] for _ in values], values
    every = config["gradient_accumulation_steps"] or 1
    for step in range(len(gradients)):
        updates = step // every
        if (step + 1) % every == 0:
            group = np.array(gradients[step + 1 - every : step + 1], object)
            d = reference_clip(config, [np.mean(list(gs), axis=0, dtype=np.float64) for gs in group.T])
            rate = config["learning_rate"] / (1 + config.get("decay", 0.0) * updates)
            values = [reference.decayed(v, rate, config["weight_decay"] or 0.0) for v in values]
            steps = [
                reference_step(optimizer, v, kept, g, updates + 1, rate)
                for v, kept, g in zip(values, slots, d, strict=True)
            ]
            values, slots = zip(*steps, strict=True)
        if config["use_ema"]:
            momentum = config["ema_momentum"] if updates else 0.0
            averages = [momentum * a + (1 - momentum) * v for a, v in zip(averages, values, strict=True)]
            if config["ema_overwrite_frequency"] and (updates + 1) % config["ema_overwrite_frequency"] == 0:
                values = averages
    return values


@pytest.mark.filterwarnings("ignore:The argument `decay`")
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "apart"])
@each_optimizer
def test_ten_steps_are_the_reference(make, packed, options):
    variables = make_variables(packed=packed)
    gradients = make_gradients(variables)
    optimizer = make(learning_rate=0.02, **options)
    optimizer.build(variables)
    start = [v.value.copy() for v in variables]
    expected = reference_train(optimizer, start, gradients)
    actual = train(optimizer, variables, gradients)
    for variable, before, a, e in zip(variables, start, actual, expected, strict=True):
        np.testing.assert_allclose(a, e, 0, 1e-6 * np.abs(before).max(), err_msg=variable.path)
        assert_close(a - before, e - before, 2e-5, f"change of {variable.path}")


@each_optimizer
def test_the_same_bits_for_any_threads(make):
    shapes = {"embeddings": (1009, 131), "kernel": (131, 7)}

    def run():
        variables = make_variables(shapes)
        optimizer = make(global_clipnorm=1.0, weight_decay=0.1)
        optimizer.build(variables)
        return train(optimizer, variables, make_gradients(variables, steps=3))

    same_bits_for_any_threads(run)


# --- against Keras ---------------------------------------------------------------------------------------------------


def fastkeras_run(optimizer, option):
    """What keras_optimizers.keras_run returns, of ours."""
    class_name, arguments = keras_optimizers.OPTIMIZERS[optimizer]
    made = getattr(optimizers, class_name)(**arguments, **keras_optimizers.OPTIONS[option])
    values, gradients = keras_optimizers.data()
    variables = [Variable(value, path, path=path) for path, value in values.items()]
    pack(variables)
    made.build(variables)
    train(made, variables, [list(step.values()) for step in gradients])
    result = {v.path: v.value for v in variables}
    return result | {f"slot {i}": array for i, (_, array) in enumerate(made.variables)}


def check_like_keras(optimizer, option, theirs):
    ours, start = fastkeras_run(optimizer, option), keras_optimizers.data()[0]
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype, name
        assert_close(array, theirs[name], 2e-6, name)
        if name in start:  # the change, but for what rounds off a weight near 2
            np.testing.assert_allclose(array - start[name], theirs[name] - start[name], 1e-5, 2.4e-7, err_msg=name)


@pytest.mark.parametrize("optimizer, option", keras_optimizers.CASES)
def test_values_and_slots_are_those_of_keras(optimizer, option):
    with np.load(keras_optimizers.FIXTURE) as file:
        prefix = f"{optimizer}, {option}, "
        theirs = {key.removeprefix(prefix): file[key] for key in file.files if key.startswith(prefix)}
    check_like_keras(optimizer, option, theirs)


@needs_tensorflow
def test_values_and_slots_are_those_of_the_installed_keras():
    for optimizer, option in keras_optimizers.CASES:
        check_like_keras(optimizer, option, keras_optimizers.keras_run(optimizer, option))


# --- resumed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["plain", "everything"])
@each_optimizer
def test_training_resumes_from_a_state(make, option):
    options = {**OPTIONS[option], "global_clipnorm": None}
    variables = make_variables()
    gradients = make_gradients(variables, 7)
    through = make(**options)
    through.build(variables)
    train(through, variables, gradients[:3])
    state, values = through.state(), [v.value.copy() for v in variables]
    expected = train(through, variables, gradients[3:])

    resumed, again = make(**options), make_variables(seed=9)
    resumed.build(again)
    for variable, value in zip(again, values, strict=True):
        variable.assign(value)
    resumed.set_state(state)
    assert resumed.iterations == through.iterations - 4 // (resumed.gradient_accumulation_steps or 1)
    for a, e in zip(train(resumed, again, gradients[3:]), expected, strict=True):
        np.testing.assert_array_equal(a, e)
