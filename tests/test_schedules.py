"""Learning rate schedules: values by hand and against Keras, configurations, errors."""

import keras_optimizers
import numpy as np
import pytest
from checks import assert_close
from live import needs_tensorflow

from fastkeras.optimizers import schedules


def make(name):
    class_name, arguments = keras_optimizers.SCHEDULES[name]
    return getattr(schedules, class_name)(**arguments)


def rates(schedule):
    return np.array([schedule(step) for step in range(keras_optimizers.SCHEDULE_STEPS)])


@pytest.mark.parametrize("name", keras_optimizers.SCHEDULES)
def test_values_are_those_of_keras(name):
    with np.load(keras_optimizers.FIXTURE) as file:
        assert_close(rates(make(name)), file[f"schedule, {name}"], 1e-6)


@needs_tensorflow
def test_values_are_those_of_the_installed_keras():
    for name in keras_optimizers.SCHEDULES:
        assert_close(rates(make(name)), keras_optimizers.keras_schedule(name), 1e-6, name)


@pytest.mark.parametrize(
    "schedule, values",
    [
        (schedules.ExponentialDecay(8.0, 2, 0.25), {0: 8, 1: 4, 2: 2, 3: 1}),
        (schedules.ExponentialDecay(8.0, 2, 0.25, staircase=True), {0: 8, 1: 8, 2: 2, 3: 2}),
        (schedules.InverseTimeDecay(12.0, 2, 1.0), {0: 12, 2: 6, 4: 4}),
        (schedules.PiecewiseConstantDecay([2], [1.0, 0.5]), {0: 1, 2: 1, 3: 0.5}),
        (schedules.PolynomialDecay(9.0, 4, 1.0), {0: 9, 1: 7, 4: 1, 9: 1}),
        (schedules.PolynomialDecay(9.0, 4, 1.0, cycle=True), {0: 9, 4: 1, 5: 4, 8: 1}),
        (schedules.CosineDecay(4.0, 2), {0: 4, 1: 2, 2: 0, 9: 0}),
        (schedules.CosineDecay(0.0, 2, 0.5, warmup_target=4.0, warmup_steps=4), {0: 0, 3: 3, 4: 4, 5: 3, 6: 2, 9: 2}),
        (schedules.CosineDecayRestarts(4.0, 2, m_mul=0.5), {0: 4, 1: 2, 2: 2, 4: 1, 6: 1, 14: 0.5}),
        (schedules.CosineDecayRestarts(4.0, 2, m_mul=0.5, alpha=0.5), {0: 4, 1: 3, 2: 3, 4: 2.5}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)
def test_values_by_hand(schedule, values):
    for step, rate in values.items():
        assert schedule(step) == pytest.approx(rate), step


@pytest.mark.parametrize("name", keras_optimizers.SCHEDULES)
def test_configurations_make_equal_schedules(name):
    schedule = make(name)
    config = schedules.serialize(schedule)
    assert config["module"] == "keras.optimizers.schedules"
    again = schedules.deserialize(config)
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    np.testing.assert_array_equal(rates(again), rates(schedule))


def test_names_are_kept_as_keras_has_them():
    assert schedules.InverseTimeDecay(0.1, 2, 0.5).get_config() == {
        "initial_learning_rate": 0.1,
        "decay_steps": 2,
        "decay_rate": 0.5,
        "staircase": False,
        "name": "InverseTimeDecay",
    }
    assert schedules.CosineDecayRestarts(0.1, 2).get_config()["name"] == "SGDRDecay"


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "ExponentialDecay: `decay_steps` must be positive"),
        (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), "InverseTimeDecay: `decay_steps` must be positive"),
        (lambda: schedules.PolynomialDecay(0.1, 0), "PolynomialDecay: `decay_steps` must be positive"),
        (lambda: schedules.CosineDecay(0.1, 0), "CosineDecay: `decay_steps` must be positive"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "CosineDecayRestarts: `first_decay_steps` must be positive"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "`values` must have one element more"),
        (lambda: schedules.deserialize({"class_name": "CosinDecay", "config": {}}), "Did you mean 'CosineDecay'"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
