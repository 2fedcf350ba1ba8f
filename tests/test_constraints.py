"""Constraints: values against the reference, names, configurations."""

import numpy as np
import pytest
import reference
from checks import assert_close

from fastkeras import constraints
from fastkeras.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm

CASES = {
    "max_norm": (MaxNorm(1.5), lambda w: reference.min_max_norm(w, 0.0, 1.5)),
    "max_norm of rows": (MaxNorm(1.5, axis=1), lambda w: reference.min_max_norm(w, 0.0, 1.5, axis=1)),
    "max_norm of all": (
        MaxNorm(1.5, axis=[0, 1]),
        lambda w: reference.min_max_norm(w, 0.0, 1.5, axis=(0, 1)),
    ),
    "min_max_norm": (MinMaxNorm(1.5, 2.5), lambda w: reference.min_max_norm(w, 1.5, 2.5)),
    "half way": (MinMaxNorm(1.5, 2.5, rate=0.5), lambda w: reference.min_max_norm(w, 1.5, 2.5, 0.5)),
    "unit_norm": (UnitNorm(), lambda w: reference.min_max_norm(w, 1.0, 1.0)),
    "unit_norm of rows": (UnitNorm(axis=1), lambda w: reference.min_max_norm(w, 1.0, 1.0, axis=1)),
    "non_neg": (NonNeg(), lambda w: np.where(w > 0, w, 0)),
}


@pytest.mark.parametrize("constraint, expected", CASES.values(), ids=CASES)
@pytest.mark.parametrize("shape", [(5, 7), (2, 3), (11, 1)], ids=str)
def test_values(constraint, expected, shape):
    w = np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)
    before = w.copy()
    result = constraint(w)
    assert result.dtype == np.float32
    assert_close(result, expected(w.astype(np.float64)), 1e-6)
    np.testing.assert_array_equal(w, before)


def test_norms_end_up_where_they_should():
    w = np.random.default_rng(1).normal(size=(13, 17)).astype(np.float32)
    assert_close(np.linalg.norm(UnitNorm()(w), axis=0), np.ones(17), 1e-6)
    norms = np.linalg.norm(MinMaxNorm(3.0, 3.5)(w), axis=0)
    assert 3.0 - 1e-5 < norms.min() < norms.max() < 3.5 + 1e-5
    short = 0.01 * w
    assert_close(MaxNorm(2.0)(short), short, 1e-5)  # epsilon 1e-7 against norms of 0.04


def test_a_weight_of_zeros_stays():
    for constraint in (MaxNorm(), MinMaxNorm(), UnitNorm(), NonNeg()):
        np.testing.assert_array_equal(constraint(np.zeros((2, 3), np.float32)), np.zeros((2, 3)))


def test_get():
    assert constraints.get(None) is None
    assert constraints.get("max_norm").get_config() == {"max_value": 2, "axis": 0}
    assert type(constraints.get("MaxNorm")) is MaxNorm
    assert type(constraints.get("non_neg")) is NonNeg
    assert type(constraints.get("nonneg")) is NonNeg
    assert type(constraints.get(UnitNorm)) is UnitNorm
    unit = UnitNorm(1)
    assert constraints.get(unit) is unit
    assert constraints.get(np.abs) is np.abs
    assert type(constraints.max_norm(3)) is MaxNorm
    with pytest.raises(ValueError, match=r"Unknown constraint. Did you mean 'max_norm'"):
        constraints.get("max_nrom")
    with pytest.raises(ValueError, match=r"Could not interpret the constraint.*Received: 2"):
        constraints.get(2)


@pytest.mark.parametrize("constraint", [case[0] for case in CASES.values()], ids=CASES)
def test_configurations_make_equal_constraints(constraint):
    config = constraints.serialize(constraint)
    assert config["module"] == "keras.constraints"
    again = constraints.deserialize(config)
    assert type(again) is type(constraint)
    assert again.get_config() == constraint.get_config()


def test_configurations_of_keras():
    config = {
        "class_name": "MinMaxNorm",
        "config": {"min_value": 0.1, "max_value": 2.0, "rate": 0.5, "axis": 1},
    }
    assert constraints.get(config).get_config() == config["config"]
    assert type(constraints.get({"class_name": "NonNeg", "config": {}})) is NonNeg
