"""fastkeras.losses: classes, functions, what the training loop calls, and losses of the user's own."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import reference
from checks import assert_close
from loss_cases import CLASSES, SPARSE

import fastkeras
from fastkeras import losses, ops

RNG = np.random.default_rng(13)
N, T, D = 5, 3, 7
PROBABILITIES = RNG.uniform(0.05, 0.95, (N, T, D))
LABELS = RNG.integers(0, D, (N, T))


def targets(name):
    return LABELS if name == SPARSE else np.eye(D)[LABELS]


def expected(name, y, t):
    """The reference's values for arrays of any rank."""
    rows = t.reshape(-1) if name.startswith(SPARSE) else t.reshape(-1, t.shape[-1])
    return getattr(reference, name)(y.reshape(-1, y.shape[-1]), rows).reshape(y.shape[:-1])


# --- on arrays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSES)
def test_a_function_gives_one_value_per_row(name):
    values = getattr(losses, name)(targets(name), PROBABILITIES)
    assert values.dtype == np.float32
    assert_close(values, expected(name, PROBABILITIES, targets(name)), 2e-6)


@pytest.mark.parametrize("name", [n for n in CLASSES if "crossentropy" in n])
def test_logits(name):
    z = RNG.normal(0, 3, (N, T, D))
    want = expected(f"{name}_from_logits", z, targets(name))
    assert_close(getattr(losses, name)(targets(name), z, from_logits=True), want, 2e-6)
    assert_close(CLASSES[name](from_logits=True)(targets(name), z), want.mean(), 2e-6)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_reduces_to_one_number(name):
    t, values = targets(name), expected(name, PROBABILITIES, targets(name))
    weights = RNG.random((N, T))
    for reduction, plain, weighted in [
        ("sum_over_batch_size", values.mean(), (values * weights).mean()),
        ("mean", values.mean(), (values * weights).mean()),
        ("sum", values.sum(), (values * weights).sum()),
        ("mean_with_sample_weight", values.mean(), (values * weights).sum() / weights.sum()),
        ("none", values, values * weights),
        (None, values, values * weights),
    ]:
        loss = CLASSES[name](reduction=reduction)
        assert_close(loss(t, PROBABILITIES), plain, 2e-6, reduction)
        assert_close(loss(t, PROBABILITIES, sample_weight=weights), weighted, 2e-6, reduction)


@pytest.mark.parametrize(
    "weights", [np.arange(1.0, 6), np.arange(1.0, 6)[:, None], np.outer(np.arange(1.0, 6), [1, 1, 1])]
)
def test_weights_by_sample_and_by_row(weights):
    loss = losses.MeanSquaredError()
    want = (expected("mean_squared_error", PROBABILITIES, targets("")) * np.arange(1.0, 6)[:, None]).mean()
    assert_close(loss(targets(""), PROBABILITIES, sample_weight=weights), want, 1e-6)


def test_label_smoothing():
    t = targets("categorical_crossentropy")
    want = expected("categorical_crossentropy", PROBABILITIES, reference.smooth_categorical(t, 0.2))
    assert_close(losses.categorical_crossentropy(t, PROBABILITIES, label_smoothing=0.2), want, 2e-6)
    want = expected("binary_crossentropy", PROBABILITIES, reference.smooth_binary(t, 0.2))
    assert_close(losses.binary_crossentropy(t, PROBABILITIES, label_smoothing=0.2), want, 2e-6)


def test_no_rows_cost_nothing():
    assert losses.MeanSquaredError()(np.zeros((0, 3)), np.zeros((0, 3))) == 0
    v = fastkeras.Variable(np.zeros((0, 3)))
    with fastkeras.GradientTape() as tape:
        values = losses.MeanSquaredError(reduction="sum").call(np.zeros((0, 3)), v)
    assert tape.gradient(values, v).shape == (0, 3)


@pytest.mark.parametrize(("y_true", "y_pred", "want"), [
    ([1, 2], [3, 5], 6.5),                              # one row
    ([1, 2], [[3], [5]], [4, 9]),                       # one number per sample, given without its axis
    ([[1], [2]], [3, 5], [4, 9]),                       # or the prediction's
    ([[1], [2]], [[3, 1], [5, 2]], [2, 4.5]),           # one target for all columns
    (np.zeros((2, 3)), np.ones((2, 3, 1)), np.ones((2, 3))),
])  # fmt: skip
def test_shapes_that_are_brought_together(y_true, y_pred, want):
    np.testing.assert_allclose(losses.mean_squared_error(y_true, y_pred), want)


# --- in the training loop ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSES)
def test_compute_gives_the_scaled_sum_and_its_gradient(name):
    y, t = PROBABILITIES.reshape(-1, D).astype(np.float32), targets(name)
    rows = t.reshape(-1) if name == SPARSE else t.reshape(-1, D)
    weights, dy = RNG.random(N * T).astype(np.float32), np.empty((N * T, D), np.float32)
    loss = losses.get(name)
    prepared = loss.prepare(t, (None, T, D))
    assert len(prepared) == N
    value = loss.compute(prepared, y, weights, 0.3, dy)
    want = getattr(reference, name)(y.astype(np.float64), rows)
    assert isinstance(value, float)
    assert_close(value, 0.3 * want @ weights, 2e-6)
    assert_close(dy, getattr(reference, f"{name}_backward")(0.3 * weights, y.astype(np.float64), rows), 2e-6)
    assert_close(loss.compute(prepared, y, None, 1.0, None), want.sum(), 2e-6)


@pytest.mark.parametrize(("name", "link"), [
    ("binary_crossentropy", "sigmoid"), ("categorical_crossentropy", "softmax"), (SPARSE, "softmax"),
])  # fmt: skip
def test_a_crossentropy_takes_logits_in_place_of_its_activation(name, link):
    loss = losses.get(name)
    assert loss.fuses_with == link
    z = RNG.normal(0, 3, (N * T, D)).astype(np.float32)
    dy, p = np.empty_like(z), np.empty_like(z)
    value = loss.compute(loss.prepare(targets(name), (N, T, D)), z, None, 0.5, dy, p, True)
    rows = targets(name).reshape(-1) if name == SPARSE else targets(name).reshape(-1, D)
    z = z.astype(np.float64)
    assert_close(value, 0.5 * getattr(reference, f"{name}_from_logits")(z, rows).sum(), 2e-6)
    assert_close(dy, getattr(reference, f"{name}_from_logits_backward")(np.full(N * T, 0.5), z, rows), 2e-6)
    assert_close(p, getattr(reference, link)(z), 2e-6)


@pytest.mark.parametrize(("reduction", "factor"), [
    ("sum_over_batch_size", 1), ("mean", 1), ("sum", 4), ("none", 4), ("mean_with_sample_weight", 4 / 2.5),
])  # fmt: skip
def test_reductions_in_training(reduction, factor):
    y, t = np.float32([[1], [2], [3], [4]]), np.zeros((4, 1), np.float32)
    weights, dy = np.float32([1, 0, 1, 0.5]), np.empty((4, 1), np.float32)
    value = losses.MeanSquaredError(reduction=reduction).compute(t, y, weights, 1 / 4, dy)
    assert_close(value, factor * (1 + 9 + 8) / 4, 1e-6)
    assert_close(dy[:, 0], factor * np.array([2, 0, 6, 4]) / 4, 1e-6)


def test_weights_that_are_all_zero_give_zero():
    loss, y = losses.MeanSquaredError(reduction="mean_with_sample_weight"), np.ones((2, 1), np.float32)
    assert loss.compute(y * 0, y, np.zeros(2, np.float32), 0.5, None) == 0


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
def test_ignored_classes_do_not_count(reduction):
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction=reduction)
    y, labels = PROBABILITIES[:, 0].astype(np.float32), np.array([2, -1, 0, -1, 6])
    kept = labels >= 0
    values = np.where(kept, reference.sparse_categorical_crossentropy(y.astype(np.float64), labels * kept), 0)
    divisor = 1 if reduction == "sum" else kept.sum()
    of_rows = partial(losses.sparse_categorical_crossentropy, ignore_class=-1)
    assert_close(of_rows(labels, y), values, 2e-6)
    assert_close(loss(labels, y), values.sum() / divisor, 2e-6)
    dy = np.empty_like(y)
    assert_close(loss.compute(loss.prepare(labels, y.shape), y, None, 1 / 5, dy), values.sum() / divisor, 2e-6)
    want = reference.sparse_categorical_crossentropy_backward(kept / divisor, y.astype(np.float64), labels * kept)
    assert_close(dy, want, 2e-6)
    v = fastkeras.Variable(y)
    for function, weight in ((loss, kept / divisor), (loss.call, 1.0 * kept), (of_rows, 1.0 * kept)):
        with fastkeras.GradientTape() as tape:
            value = function(labels, v * 1.0)
        want = reference.sparse_categorical_crossentropy_backward(weight, y.astype(np.float64), labels * kept)
        assert_close(tape.gradient(value, v), want, 2e-6)


def test_prepared_targets_keep_their_samples():
    assert losses.get("mse").prepare(np.zeros(4), (4, 1)).shape == (4, 1)
    assert losses.get("mse").prepare(np.zeros((4, 3)), (4, None, 1)).shape == (4, 3, 1)
    assert losses.get(SPARSE).prepare(np.zeros((4, 3, 1)), (4, None, 5)).shape == (4, 3)
    for y in (np.zeros(4), np.zeros(4, np.int64), np.zeros(4, bool), np.zeros((4, 1), np.uint8)):
        labels = losses.get(SPARSE).prepare(y, (4, 5))
        assert (labels.dtype, labels.shape) == (np.int32, (4,))


@pytest.mark.parametrize(("name", "y_true", "shape", "message"), [
    ("mse", np.zeros((4, 2)), (4, 3), r"'mean_squared_error'.*the predictions, \(4, 3\).*Received: shape \(4, 2\)"),
    ("mse", np.zeros(4), (4, 3), r"Received: shape \(4,\)"),
    ("mse", np.zeros((5, 1)), (4, 1), r"Received: shape \(5, 1\)"),
    ("bce", np.zeros((4, 1)), (4, 3), r"'binary_crossentropy'.*Received: shape \(4, 1\)"),
    ("categorical_crossentropy", np.zeros(4), (4, 3), r"integer labels use sparse_categorical_crossentropy"),
    (SPARSE, np.zeros((4, 3)), (4, 3), r"one-hot targets use the name without 'sparse'"),
    (SPARSE, np.zeros((4, 2)), (4, 3), r"integer labels of shape \(4,\).*Received: shape \(4, 2\)"),
    (SPARSE, np.array([0, 0.5]), (2, 3), r"integers from 0 on. Received: 0.5"),
    (SPARSE, np.array([0, np.nan]), (2, 3), r"Received: nan"),
    (SPARSE, np.array([0, 2**40]), (2, 3), rf"Received: {2**40}"),
])  # fmt: skip
def test_targets_that_do_not_fit_are_named(name, y_true, shape, message):
    with pytest.raises(ValueError, match=message):
        losses.get(name).prepare(y_true, shape)


def test_labels_outside_the_classes_are_named():
    with pytest.raises(ValueError, match=r"\[0, 3\).*Received: 3 at row 1"):
        losses.SparseCategoricalCrossentropy()([0, 3], np.full((2, 3), 0.3))


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: losses.MeanSquaredError(reduction="avg"), r"MeanSquaredError: `reduction`.*Received: 'avg'"),
    (lambda: losses.MeanSquaredError(dtype="float16"), "`dtype` must be float32"),
    (lambda: losses.BinaryCrossentropy(label_smoothing=2), r"label_smoothing.*Received: 2"),
    (lambda: losses.CategoricalCrossentropy(axis=0), r"`axis` must not be 0.*Received: 0"),
    (lambda: losses.MeanSquaredError()(1.0, 2.0), "must have an axis"),
    (lambda: losses.MeanSquaredError()([[1.0]], [[2.0]], [1.0, 2.0]), r"`sample_weight` must have shape \(1,\)"),
])  # fmt: skip
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


# --- losses with numbers, and of regions ------------------------------------------------------------------------------


def test_huber_takes_delta_and_files_keep_it():
    y, t = RNG.normal(0, 3, (5, 7)), RNG.normal(0, 3, (5, 7))
    loss = losses.Huber(delta=0.5)
    assert_close(loss(t, y), reference.huber(y, t, 0.5).mean(), 2e-6)
    assert_close(losses.huber(t, y, delta=2.0), reference.huber(y, t, 2.0), 2e-6)
    assert "delta" not in losses.Huber().get_config(), "as in Keras"
    assert losses.deserialize(losses.serialize(loss)).delta == 0.5


def test_focal_losses_take_weights_of_classes():
    t, alpha = np.eye(D)[LABELS], np.linspace(0.1, 0.9, D)
    smoothed = reference.smooth_categorical(t, 0.2)
    want = expected("categorical_focal_crossentropy", PROBABILITIES, 4 * alpha * smoothed)  # the reference has 0.25
    loss = losses.CategoricalFocalCrossentropy(alpha=list(alpha), label_smoothing=0.2)
    assert_close(loss(t, PROBABILITIES), want.mean(), 2e-6)
    rows = PROBABILITIES.reshape(-1, D)
    want = reference.binary_focal_crossentropy(rows, t.reshape(-1, D), 1.5, 0.9)
    loss = losses.BinaryFocalCrossentropy(True, 0.9, 1.5)
    assert_close(loss(t, PROBABILITIES), want.mean(), 2e-6)
    assert losses.deserialize(losses.serialize(loss)).get_config() == loss.get_config()


def test_the_generalized_crossentropy_of_labels():
    rows, labels = PROBABILITIES.reshape(-1, D).astype(np.float32), LABELS.reshape(-1)
    loss, dy = losses.CategoricalGeneralizedCrossEntropy(0.7), np.empty_like(rows)
    want = reference.generalized_crossentropy(rows.astype(np.float64), labels, 0.7)
    assert_close(losses.categorical_generalized_cross_entropy(LABELS, PROBABILITIES, 0.7), want.reshape(N, T), 2e-6)
    assert_close(loss.compute(loss.prepare(LABELS, (N, T, D)), rows, None, 0.5, dy), 0.5 * want.sum(), 2e-6)
    backward = reference.generalized_crossentropy_backward
    assert_close(dy, backward(np.full(N * T, 0.5), rows.astype(np.float64), labels, 0.7), 2e-6)
    with pytest.raises(ValueError, match=r"`q` must be in \(0, 1\). Received: 1"):
        losses.CategoricalGeneralizedCrossEntropy(1)
    with pytest.raises(ValueError, match=r"labels must be in \[0, 7\).*Received: 7 at row 0"):
        loss(LABELS + 7 - LABELS[0, 0], PROBABILITIES)


@pytest.mark.parametrize("axis", [None, 1, -1, (1, 2), (0, 2)])
@pytest.mark.parametrize(("name", "numbers"), [("dice", {}), ("tversky", {"alpha": 0.2, "beta": 0.9})])
def test_overlap_of_regions(name, numbers, axis):
    y, t = PROBABILITIES, np.eye(D)[LABELS]
    want = getattr(reference, name)(y, t, axis=axis, **numbers)
    assert_close(getattr(losses, name)(t, y, axis=axis, **numbers), want, 2e-6)
    weights = 1.0 + np.arange(N)
    each = np.broadcast_to(weights[:, None, None], y.shape).mean(axis=axis)
    for reduction, plain, weighted in [
        ("sum_over_batch_size", np.mean(want), np.mean(want * each)),
        ("sum", np.sum(want), np.sum(want * each)),
        ("mean_with_sample_weight", np.mean(want), np.sum(want * each) / np.sum(each)),
        (None, want, want * each),
    ]:
        loss = losses.get(name).__class__(reduction=reduction, axis=axis, **numbers)
        assert_close(loss(t, y), plain, 2e-6, reduction)
        assert_close(loss(t, y, sample_weight=weights), weighted, 2e-6, reduction)
    loss, dy = losses.get(name).__class__(axis=axis, **numbers), np.empty((N * T, D), np.float32)
    prepared = loss.prepare(t, y.shape)
    row_weights = np.repeat(weights, T).astype(np.float32)
    value = loss.compute(prepared, y.reshape(-1, D).astype(np.float32), row_weights, 0.5 / (N * T), dy)
    assert_close(value, 0.5 * np.mean(want * each), 2e-6)
    backward = getattr(reference, f"{name}_backward")
    assert_close(dy.reshape(y.shape), backward(0.5 * each / np.size(want), y, t, axis=axis, **numbers), 2e-6)


# --- along another axis -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy", SPARSE])
@pytest.mark.parametrize("axis", [1, -2])
def test_another_axis_is_as_if_it_were_the_last(name, axis):
    y, kind = np.ascontiguousarray(PROBABILITIES.swapaxes(1, 2), np.float32), CLASSES[name]
    t, last, at_axis = targets(name), kind(), kind(axis=axis)
    moved = t if name == SPARSE else t.swapaxes(1, 2)
    weights = RNG.random((N, T))
    np.testing.assert_array_equal(at_axis.call(moved, y), last.call(t, PROBABILITIES))
    assert_close(at_axis(moved, y, weights), last(t, PROBABILITIES, weights), 1e-6)
    with fastkeras.GradientTape() as tape:
        x = ops.convert_to_tensor(y)
        tape.watch(x)
        loss = at_axis(moved, x)
    dy, want = np.empty_like(y), np.empty((N * T, D), np.float32)
    prepared = at_axis.prepare(moved, (None, D, T))
    value = at_axis.compute_whole(prepared, y, None, weights, 0.5, dy, None, None)
    rows, flat = PROBABILITIES.reshape(-1, D).astype(np.float32), weights.reshape(-1).astype(np.float32)
    assert value == last.compute(last.prepare(t, (N, T, D)), rows, flat, 0.5 / (N * T), want)
    np.testing.assert_array_equal(dy, want.reshape(N, T, D).swapaxes(1, 2))
    last.compute(last.prepare(t, (N, T, D)), rows, None, 1 / (N * T), want)
    assert_close(tape.gradient(loss, x), want.reshape(N, T, D).swapaxes(1, 2), 1e-6)
    with pytest.raises(ValueError, match="only `axis` -1 can go with a mask"):
        at_axis.compute_whole(prepared, y, np.ones((N, D), bool), None, 1.0, None, None, None)


def test_a_model_learns_along_another_axis():
    """A softmax over axis 1: the loss neither takes logits in its place nor rows of the last axis."""
    x, labels = RNG.normal(size=(6, 4, 5)).astype("f"), RNG.integers(0, 4, (6, 5))
    model = fastkeras.Sequential([fastkeras.Input((4, 5)), fastkeras.layers.Dense(5), fastkeras.layers.Softmax(axis=1)])
    model.compile(fastkeras.optimizers.Adam(0.05), losses.SparseCategoricalCrossentropy(axis=1))
    want = losses.SparseCategoricalCrossentropy()(labels, model.predict(x, verbose=0).swapaxes(1, 2))
    assert_close(model.evaluate(x, labels, verbose=0), want, 1e-6)
    history = model.fit(x, labels, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.9 * history[0]


# --- circle -----------------------------------------------------------------------------------------------------------

KINDS = np.array([0, 2, 0, 1, 2, 2, 5])
NEAR = RNG.normal(size=(7, 3))
NEAR /= np.linalg.norm(NEAR, axis=1, keepdims=True)


@pytest.mark.parametrize("remove_diagonal", [True, False])
def test_circle(remove_diagonal):
    margin, gamma = 0.25, 3.0
    values = reference.circle(NEAR, KINDS, margin, gamma, remove_diagonal)
    counts, weights = values > 0, RNG.random(7)
    assert counts.sum() == (5 if remove_diagonal else 7), "two samples are the only ones of their class"
    numbers = {"gamma": gamma, "margin": margin, "remove_diagonal": remove_diagonal}
    assert_close(losses.circle(KINDS, NEAR, **numbers), values, 3e-6)
    for reduction, plain, weighted in [
        ("sum_over_batch_size", values.sum() / counts.sum(), values @ weights / counts.sum()),
        ("sum", values.sum(), values @ weights),
        ("mean_with_sample_weight", values.sum() / counts.sum(), values @ weights / weights[counts].sum()),
        ("none", values, values * weights),
    ]:
        loss = losses.Circle(reduction=reduction, **numbers)
        assert_close(loss(KINDS, NEAR), plain, 3e-6, reduction)
        assert_close(loss(KINDS, NEAR, weights), weighted, 3e-6, reduction)
    loss, y, dy = losses.Circle(**numbers), NEAR.astype("f"), np.empty((7, 3), np.float32)
    loss.compute(loss.prepare(KINDS, (7, 3)), y, weights.astype("f"), 1 / 7, dy)
    want = reference.circle_backward(weights / counts.sum(), NEAR, KINDS, margin, gamma, remove_diagonal)
    assert_close(dy, want, 1e-5)
    with fastkeras.GradientTape() as tape:
        x = ops.convert_to_tensor(y)
        tape.watch(x)
        total = ops.sum(loss.call(KINDS, x) * weights.astype("f"))
    want = reference.circle_backward(weights, NEAR, KINDS, margin, gamma, remove_diagonal)
    assert_close(tape.gradient(total, x), want, 1e-5)
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config() == loss.get_config()


def test_circle_with_other_embeddings():
    theirs, kinds = 0.3 * RNG.normal(size=(4, 3)), np.array([0, 1, 2, 5])
    both = reference.circle(np.vstack([NEAR[:1], theirs]), np.append(KINDS[0], kinds))
    found = losses.circle(KINDS[:1], NEAR[:1], kinds, theirs, remove_diagonal=False)
    assert_close(found, both[:1], 3e-6)


# --- "crossentropy" ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("units", "activation", "y", "name"), [
    (1, "sigmoid", [0, 1, 1, 0], "binary_crossentropy"),
    (3, "softmax", [0, 1, 2, 0], SPARSE),
    (3, "softmax", [[0], [1], [2], [0]], SPARSE),
    (3, "softmax", np.eye(3)[[0, 1, 2, 0]], "categorical_crossentropy"),
])  # fmt: skip
@pytest.mark.parametrize("given", ["crossentropy", "ce"])
def test_crossentropy_is_the_one_that_suits(units, activation, y, name, given):
    x, results = RNG.normal(size=(4, 5)).astype("f"), []
    for loss in (given, name):
        fastkeras.utils.set_random_seed(3)
        model = fastkeras.Sequential([fastkeras.Input((5,)), fastkeras.layers.Dense(units, activation)])
        model.compile("adam", loss, metrics=["acc"])
        results.append(model.fit(x, np.array(y), epochs=3, verbose=0).history)
        assert_close(
            losses.get(loss)(np.array(y), model.predict(x, verbose=0)), model.evaluate(x, y, verbose=0)[0], 1e-5
        )
    assert results[0] == results[1]


# --- losses of the user's own -----------------------------------------------------------------------------------------


def cubed(y_true, y_pred):
    """sum |y - t|^3 and its gradient."""
    error = y_pred - y_true
    return (np.abs(error) ** 3).sum(axis=1), 3 * error * np.abs(error)


class Cubed(losses.Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def forward(self, y_true, y_pred):
        values, gradient = cubed(y_true, y_pred)
        return self.factor * values, self.factor * gradient

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@pytest.mark.parametrize(("loss", "factor", "name"), [
    (losses.get(cubed), 1, "cubed"), (Cubed(2.0), 2, "cubed"), (losses.get(Cubed), 1, "cubed"),
])  # fmt: skip
def test_a_loss_of_ones_own(loss, factor, name):
    y, t = RNG.normal(size=(4, 3)).astype(np.float32), RNG.normal(size=(4, 3))
    values, gradient = cubed(t, y)
    weights, dy = np.float32([1, 2, 0, 3]), np.empty_like(y)
    assert loss.name == name
    assert_close(loss(t, y), factor * values.mean(), 1e-6)
    value = loss.compute(loss.prepare(t, y.shape), y, weights, 0.25, dy)
    assert_close(value, 0.25 * factor * values @ weights, 1e-6)
    assert_close(dy, 0.25 * factor * gradient * weights[:, None], 1e-6)


def test_values_without_a_gradient_evaluate_but_do_not_train():
    loss = losses.get(lambda y_true, y_pred: np.abs(np.array(y_pred) - y_true).mean(axis=1).numpy())
    y = np.ones((2, 3), np.float32)
    assert loss(y * 0, y) == 1
    with pytest.raises(TypeError, match=r"its gradient is needed.*\(values, gradient\)"):
        loss.compute(y * 0, y, None, 1.0, np.empty_like(y))


@pytest.mark.parametrize(("function", "message"), [
    (lambda t, y: np.array(y - t), r"one value per row, shape \(2,\). Received: shape \(2, 3\)"),
    (lambda t, y: float((y - t).mean()), r"one value per row, shape \(2,\). Received: shape \(\)"),
    (lambda t, y: ((y - t).mean(axis=1), y[:, :1]), r"gradient .* shape \(2, 3\). Received: shape \(2, 1\)"),
])  # fmt: skip
def test_wrong_results_of_ones_own_are_named(function, message):
    with pytest.raises(ValueError, match=message):
        losses.get(function)(np.zeros((2, 3)), np.ones((2, 3)))


def test_a_subclass_without_forward():
    class Nothing(losses.Loss):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing must define call.* or forward"):
        Nothing()([[1.0]], [[2.0]])


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("identifier", "name"), [
    ("mse", "mean_squared_error"), ("MSE", "mean_squared_error"), ("MeanSquaredError", "mean_squared_error"),
    ("mae", "mean_absolute_error"), ("bce", "binary_crossentropy"), (losses.mse, "mean_squared_error"),
    ("mape", "mean_absolute_percentage_error"), ("MSLE", "mean_squared_logarithmic_error"), ("kld", "kl_divergence"),
    ("logcosh", "log_cosh"), (losses.logcosh, "log_cosh"), ("kullback_leibler_divergence", "kl_divergence"),
    (losses.binary_crossentropy, "binary_crossentropy"), (losses.MeanAbsoluteError, "mean_absolute_error"),
    ({"class_name": "function", "config": "mean_squared_error"}, "mean_squared_error"),
    ({"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}, "binary_crossentropy"),
])  # fmt: skip
def test_get(identifier, name):
    loss = losses.get(identifier)
    assert isinstance(loss, CLASSES[name])
    assert loss.name == name
    assert losses.get(loss) is loss


def test_get_of_nothing_and_of_what_is_none():
    assert losses.get(None) is None
    with pytest.raises(TypeError, match="Received: 3"):
        losses.get(3)


@pytest.mark.parametrize(("slip", "name"), [
    ("binary_crossent", "binary_crossentropy"), ("mean_square_error", "mean_squared_error"), ("Mse", "mse"),
])  # fmt: skip
def test_unknown_names_get_the_nearest(slip, name):
    with pytest.raises(ValueError, match=rf"Unknown loss. Did you mean '{name}'\? Received: '{slip}'"):
        losses.get(slip)


@pytest.mark.parametrize("loss", [
    losses.MeanSquaredError(), losses.MeanAbsoluteError(reduction="sum", name="mine"),
    losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), losses.CategoricalCrossentropy(),
    losses.SparseCategoricalCrossentropy(ignore_class=3),
], ids=lambda loss: loss.name)  # fmt: skip
def test_serialized_losses_come_back(loss):
    config = losses.serialize(loss)
    assert config["module"] == "keras.losses"
    again = losses.deserialize(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config() == config["config"]


def test_serialized_losses_of_ones_own_come_back():
    config = losses.serialize(Cubed(2.0, reduction="sum"))
    assert config["class_name"] == "Cubed"
    again = losses.deserialize(config, {"Cubed": Cubed})
    assert (again.factor, again.reduction) == (2.0, "sum")
    assert losses.serialize(losses.get(cubed)) == losses.serialize(cubed) == "cubed"
    assert losses.deserialize("cubed", {"cubed": cubed}).function is cubed
    with pytest.raises(ValueError, match="Unknown loss"):
        losses.deserialize(config)


def test_losses_can_be_copied_and_pickled():
    loss = losses.BinaryCrossentropy(label_smoothing=0.2)
    want = loss([[1.0]], [[0.3]])
    for again in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert again([[1.0]], [[0.3]]) == want


def test_functions_and_names_serialize_to_names():
    assert losses.serialize("mse") == "mse"
    assert losses.serialize(losses.mse) == "mean_squared_error"
