"""Regularizers: penalties and gradients against the reference, names, configurations."""

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference

import fastkeras as keras
from fastkeras import ops, regularizers
from fastkeras.regularizers import L1, L1L2, L2, OrthogonalRegularizer

CASES = {
    "l1": (L1(0.3), lambda w: reference.l1_l2_penalty(w, l1=0.3)),
    "l2": (L2(0.2), lambda w: reference.l1_l2_penalty(w, l2=0.2)),
    "l1_l2": (L1L2(0.3, 0.2), lambda w: reference.l1_l2_penalty(w, 0.3, 0.2)),
    "rows": (OrthogonalRegularizer(0.7), lambda w: reference.orthogonal_penalty(w, 0.7)),
    "columns": (
        OrthogonalRegularizer(0.7, mode="columns"),
        lambda w: reference.orthogonal_penalty(w, 0.7, "columns"),
    ),
}


@pytest.mark.parametrize("regularizer, penalty", CASES.values(), ids=CASES)
@pytest.mark.parametrize("shape", [(2, 3), (7, 5), (3, 11)], ids=str)
def test_penalty_and_gradient(regularizer, penalty, shape):
    rng = np.random.default_rng(sum(shape))
    w = rng.normal(size=shape).astype(np.float32)
    before = rng.normal(size=shape).astype(np.float32)
    dw = before.copy()
    value = regularizer.value_and_gradient(w, dw)
    assert type(value) is float
    assert_close(value, penalty(w.astype(np.float64)), 1e-6)
    assert_close(regularizer(w), value, 1e-12)
    assert_close(dw, before + central_difference(penalty, w, 1.0), 2e-6)


def test_any_shape_but_for_orthogonal():
    w = np.random.default_rng(1).normal(size=(2, 3, 5)).astype(np.float32)
    assert_close(L2(0.5)(w), 0.5 * np.sum(w.astype(np.float64) ** 2), 1e-7)
    assert_close(L1(0.5)(w[:, ::2]), 0.5 * np.abs(w[:, ::2].astype(np.float64)).sum(), 1e-7)
    assert L2(0.5)(np.zeros((0, 3), np.float32)) == 0.0
    with pytest.raises(ValueError, match=r"OrthogonalRegularizer: expected a matrix. Received: shape \(2, 3, 5\)"):
        OrthogonalRegularizer()(w)


def test_the_gradient_of_l1_is_zero_at_zero():
    dw = np.zeros(3, np.float32)
    L1(0.1).value_and_gradient(np.array([-2, 0, 3], np.float32), dw)
    assert_close(dw, [-0.1, 0, 0.1], 1e-7)


def test_one_row_has_no_pair():
    dw = np.zeros((1, 3), np.float32)
    assert OrthogonalRegularizer().value_and_gradient(np.ones((1, 3), np.float32), dw) == 0.0
    assert not dw.any()


def test_defaults_are_those_of_keras():
    assert L1().get_config() == {"l1": 0.01}
    assert L2().get_config() == {"l2": 0.01}
    assert L1L2().get_config() == {"l1": 0.0, "l2": 0.0}
    assert L1L2(None, 0.1).get_config() == {"l1": 0.0, "l2": 0.1}
    assert OrthogonalRegularizer().get_config() == {"factor": 0.01, "mode": "rows"}


def test_functions_of_keras_2():
    assert type(regularizers.l1(0.2)) is L1
    assert regularizers.l1(0.2).get_config() == {"l1": 0.2}
    assert regularizers.l2().get_config() == {"l2": 0.01}
    assert regularizers.l1_l2().get_config() == {"l1": 0.01, "l2": 0.01}
    assert regularizers.l1_l2(l1=0.1, l2=0.2).get_config() == {"l1": 0.1, "l2": 0.2}


def test_get():
    assert regularizers.get(None) is None
    assert regularizers.get("l2").get_config() == {"l2": 0.01}
    assert type(regularizers.get("L1")) is L1
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.01, "l2": 0.01}
    assert type(regularizers.get("orthogonal_regularizer")) is OrthogonalRegularizer
    assert type(regularizers.get(L2)) is L2
    l2 = L2(0.3)
    assert regularizers.get(l2) is l2

    class Mine:
        def value_and_gradient(self, w, dw):
            return 0.0

    mine = Mine()
    assert regularizers.get(mine) is mine


@pytest.mark.parametrize("regularizer", [case[0] for case in CASES.values()], ids=CASES)
def test_configurations_make_equal_regularizers(regularizer):
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


def test_configurations_of_keras():
    assert regularizers.serialize(None) is None
    assert regularizers.serialize(L2(0.5)) == {
        "module": "keras.regularizers",
        "class_name": "L2",
        "config": {"l2": 0.5},
        "registered_name": None,
    }
    assert regularizers.get({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}}).get_config()["l2"] == 0.5


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: L2(-1), "L2: `l2` must be a number >= 0. Received: l2=-1"),
        (lambda: L1(float("nan")), "L1: `l1` must be a number >= 0. Received: l1=nan"),
        (lambda: L1L2(l1="0.1"), "L1L2: `l1` must be a number >= 0. Received: l1='0.1'"),
        (
            lambda: OrthogonalRegularizer(mode="row"),
            "`mode` must be 'rows' or 'columns'. Received: mode='row'",
        ),
        (lambda: regularizers.get("l1l3"), "Unknown regularizer. Did you mean 'l1_l2'"),
        (lambda: regularizers.get(0.01), "Could not interpret the regularizer.*Received: 0.01"),
        (
            lambda: regularizers.get(abs),
            "Could not interpret the regularizer.*Received: <built-in function abs>",
        ),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Cubes(regularizers.Regularizer):
    """A user's own, in ops."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, w):
        return self.factor * ops.sum(ops.abs(w) ** 3)

    def get_config(self):
        return {"factor": self.factor}


def test_a_subclass_in_ops_finds_its_gradient():
    w = np.random.default_rng(3).normal(size=(3, 5)).astype("f")
    dw = np.ones_like(w)
    penalty = Cubes(0.5).value_and_gradient(w, dw)
    assert penalty == pytest.approx(float(0.5 * (np.abs(w) ** 3).sum()), rel=1e-5)
    assert_close(dw, 1 + 1.5 * w * np.abs(w), 1e-5)


def test_a_subclass_in_ops_is_part_of_the_loss():
    x = np.zeros((4, 3), "f")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_regularizer=Cubes(0.5))])
    model.compile("sgd", "mse")
    model.set_weights([np.full((3, 2), 2.0), np.zeros(2)])
    assert model.evaluate(x, np.zeros((4, 2)), verbose=0) == pytest.approx(24.0)
    history = model.fit(x, np.zeros((4, 2)), verbose=0)
    assert history.history["loss"] == [pytest.approx(24.0)] and type(history.history["loss"][0]) is float
    np.testing.assert_allclose(model.get_weights()[0], 2.0 - 0.01 * 6.0, rtol=1e-6)


def test_a_penalty_that_leaves_ops_says_so():
    class Half(regularizers.Regularizer):
        def __call__(self, w):
            return 0.5

    for penalty, name in ((Half(), "Half"), (regularizers.get(lambda w: float(w[0])), "<lambda>")):
        with pytest.raises(TypeError, match=rf"{name}: a penalty must be computed with fastkeras.ops .* Received: "):
            penalty.value_and_gradient(np.full(2, 0.5), np.ones(2))
