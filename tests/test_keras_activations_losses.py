"""Activations, losses and metrics against Keras 3 on TensorFlow, live: values, gradients, signatures, configurations.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import inspect

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras import activations, losses, metrics

pytestmark = needs_tensorflow

RNG = np.random.default_rng(23)
# numbers of any size, and those where a piecewise function bends
X = np.concatenate([RNG.normal(0, 3, 63), [-6, -3, -1, -0.5, -0.0, 0.0, 0.5, 1, 3, 6]]).astype(np.float32)
ROWS = RNG.normal(0, 3, (5, 7)).astype(np.float32)
EDGES = [0.0, 1.0, 1e-9, 1e-7, 1 - 1e-7, 1 - 6e-8, 0.3]
PROBABILITIES = np.where(RNG.random((11, 7)) < 0.4, RNG.choice(EDGES, (11, 7)), RNG.random((11, 7))).astype(np.float32)
LOGITS = np.concatenate([RNG.normal(0, 3, (9, 7)), [[100, -100, 0, 88, -88, 5, 1], [30] * 7]]).astype(np.float32)
LABELS = RNG.integers(0, 7, 11)
ONE_HOT = np.eye(7, dtype=np.float32)[LABELS]
INSIDE = RNG.uniform(0.02, 0.98, (11, 7)).astype(np.float32)
MANY_HOT = (RNG.random((11, 7)) < 0.4).astype(np.float32)
WEIGHTS = RNG.random(11).astype(np.float32)


@pytest.fixture(scope="module")
def keras():
    return keras_module()


def gradient(function, x):
    """function(x) and the gradient of its sum, by TensorFlow."""
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = function(x)
    return y.numpy(), tape.gradient(y, x).numpy()


# --- activations ------------------------------------------------------------------------------------------------------

NAMES = [name for name in activations._BY_NAME if name != "legacy_hard_sigmoid"]  # which is Keras 2's
ELEMENTWISE = [name for name in NAMES if not activations.get(name).kernel.rowwise]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_activations(keras, name):
    want_y, want_dx = gradient(getattr(keras.activations, name), X)
    y, backward = activations.get(name).forward(X)
    assert_close(y, want_y, 2e-6, "y")
    dx = backward(np.ones_like(X))
    if name == "celu":  # Keras's slope at 0 is 2, the sum of those of its two halves
        dx[X == 0] += 1
    assert_close(dx, want_dx, 3e-6, "dx")


# sparsemax is not compared: in Keras 3.15 its result does not sum to 1 where two elements are positive.


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "glu"])
def test_activations_along_an_axis(keras, name, axis):
    x = ROWS[:4, :6]
    assert_close(getattr(activations, name)(x, axis=axis), getattr(keras.activations, name)(x, axis=axis), 2e-6)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_gradients_along_rows(keras, name):
    dy = RNG.normal(size=ROWS.shape).astype(np.float32)
    _, want = gradient(lambda x: getattr(keras.activations, name)(x) * dy, ROWS)
    _, backward = activations.get(name).forward(ROWS)
    assert_close(backward(dy), want, 3e-6)


@pytest.mark.parametrize(("name", "arguments"), [
    ("relu", {"negative_slope": 0.3}), ("relu", {"max_value": 2.0}), ("relu", {"max_value": 6}),
    ("relu", {"threshold": 0.7}), ("relu", {"threshold": -0.7}), ("relu", {"threshold": -0.7, "max_value": 2.0}),
    ("relu", {"negative_slope": 0.3, "max_value": 2.0, "threshold": 0.7}),
    ("relu", {"negative_slope": 0.3, "max_value": 2.0, "threshold": -0.7}),
    ("leaky_relu", {"negative_slope": 0.4}), ("elu", {"alpha": 0.4}), ("celu", {"alpha": 0.4}),
    ("gelu", {"approximate": True}), ("hard_shrink", {"threshold": 0.9}), ("soft_shrink", {"threshold": 0.9}),
    ("threshold", {"threshold": 0.4, "default_value": -3.0}), ("squareplus", {"b": 0.4}),
])  # fmt: skip
def test_activations_that_take_numbers(keras, name, arguments):
    assert_close(getattr(activations, name)(X, **arguments), getattr(keras.activations, name)(X, **arguments), 2e-6)


def public(module):
    return {name: f for name, f in vars(module).items() if callable(f) and not name.startswith("_")}


def test_every_activation_of_keras_is_here_with_its_arguments(keras):
    for name, theirs in public(keras.activations).items():
        ours = getattr(activations, name)
        if name not in ("get", "serialize", "deserialize"):
            assert str(inspect.signature(ours)) == str(inspect.signature(theirs)), name


@pytest.mark.parametrize("name", NAMES)
def test_activations_serialize_alike(keras, name):
    assert activations.serialize(name) == keras.activations.serialize(keras.activations.get(name))
    theirs = keras.saving.serialize_keras_object(keras.activations.get(name))
    assert activations.deserialize(theirs) is activations.get(name)


# --- losses -----------------------------------------------------------------------------------------------------------

LOSSES = [
    ("mean_squared_error", LOGITS, MANY_HOT, {}),
    ("mean_absolute_error", LOGITS, MANY_HOT, {}),
    ("mean_absolute_error", MANY_HOT, ONE_HOT, {}),
    ("binary_crossentropy", PROBABILITIES, MANY_HOT, {}),
    ("binary_crossentropy", PROBABILITIES, MANY_HOT, {"label_smoothing": 0.2}),
    ("binary_crossentropy", LOGITS, MANY_HOT, {"from_logits": True}),
    ("binary_crossentropy", LOGITS, MANY_HOT, {"from_logits": True, "label_smoothing": 0.2}),
    ("categorical_crossentropy", PROBABILITIES, ONE_HOT, {}),
    ("categorical_crossentropy", PROBABILITIES, MANY_HOT, {"label_smoothing": 0.2}),
    ("categorical_crossentropy", LOGITS, ONE_HOT, {"from_logits": True}),
    ("categorical_crossentropy", LOGITS, MANY_HOT, {"from_logits": True}),
    ("categorical_crossentropy", LOGITS, ONE_HOT, {"from_logits": True, "label_smoothing": 0.2}),
    ("sparse_categorical_crossentropy", PROBABILITIES, LABELS, {}),
    ("sparse_categorical_crossentropy", LOGITS, LABELS, {"from_logits": True}),
    ("sparse_categorical_crossentropy", PROBABILITIES, LABELS, {"ignore_class": 2}),
    ("mean_absolute_percentage_error", LOGITS, INSIDE, {}),
    ("mean_squared_logarithmic_error", LOGITS, INSIDE, {}),
    ("huber", LOGITS, INSIDE, {}),
    ("huber", LOGITS, INSIDE, {"delta": 2.5}),
    ("log_cosh", LOGITS[:9], INSIDE[:9], {}),
    ("cosine_similarity", LOGITS, INSIDE, {}),
    ("poisson", INSIDE, MANY_HOT, {}),
    ("kl_divergence", PROBABILITIES, MANY_HOT, {}),
    ("hinge", LOGITS, MANY_HOT, {}),
    ("squared_hinge", LOGITS, 2 * MANY_HOT - 1, {}),
    ("categorical_hinge", LOGITS[:9], ONE_HOT[:9], {}),
    ("binary_focal_crossentropy", INSIDE, MANY_HOT, {"label_smoothing": 0.1}),
    ("binary_focal_crossentropy", INSIDE, MANY_HOT, {"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.5}),
    ("binary_focal_crossentropy", LOGITS[:9], MANY_HOT[:9], {"from_logits": True}),
    ("categorical_focal_crossentropy", INSIDE, ONE_HOT, {"label_smoothing": 0.1, "alpha": 0.5}),
    ("categorical_focal_crossentropy", LOGITS[:9], ONE_HOT[:9], {"from_logits": True, "gamma": 3.0}),
    ("categorical_generalized_cross_entropy", INSIDE, LABELS, {"q": 0.3}),
    ("dice", INSIDE, MANY_HOT, {"axis": -1}),
    ("tversky", INSIDE, MANY_HOT, {"alpha": 0.2, "beta": 0.7, "axis": -1}),
]
CLASSES = {function.__name__: cls.__name__ for function, cls in losses._CLASSES.items()}


def make(module, name, **arguments):
    return getattr(module, CLASSES[name])(**arguments)


@pytest.mark.parametrize(("name", "y", "t", "arguments"), LOSSES)
def test_loss_values_and_gradients(keras, name, y, t, arguments):
    want, want_dy = gradient(lambda y: getattr(keras.losses, name)(t, y, **arguments), y)
    assert_close(getattr(losses, name)(t, y, **arguments), want, 2e-6, "values")
    loss, dy = make(losses, name, reduction="sum", **arguments), np.empty_like(y)
    loss.compute(loss.prepare(t, y.shape), y, None, 1 / len(y), dy)
    assert_close(dy, want_dy, 2e-6, "dy")


@pytest.mark.parametrize(("name", "y", "t", "arguments"), [case for case in LOSSES if case[2].dtype.kind == "f"])
def test_gradients_of_targets(keras, name, y, t, arguments):
    t = t if "hinge" in name else np.where(t == 0, np.float32(0.05), t)  # at 0, logarithms are cut off
    _, want = gradient(lambda t: getattr(keras.losses, name)(t, y, **arguments), t)
    u = fastkeras.Variable(t)
    with fastkeras.GradientTape() as tape:
        values = getattr(losses, name)(u * 1.0, y, **arguments)
    assert_close(tape.gradient(values, u), want, 1e-5)


def test_losses_along_another_axis(keras):
    """But for label_smoothing: Keras spreads it as if the classes lay in the last axis."""
    y, t = INSIDE.reshape(1, 11, 7), MANY_HOT.reshape(1, 11, 7)
    for name, arguments in [("binary_crossentropy", {}), ("categorical_crossentropy", {}),
                            ("categorical_crossentropy", {"from_logits": True}), ("binary_focal_crossentropy", {}),
                            ("categorical_focal_crossentropy", {})]:  # fmt: skip
        arguments = {"axis": 1, **arguments}
        want, want_dy = gradient(lambda y: getattr(keras.losses, name)(t, y, **arguments), y)  # noqa: B023
        assert_close(getattr(losses, name)(t, y, **arguments), want, 2e-6, name)
        loss, dy = make(losses, name, reduction="sum", **arguments), np.empty_like(y)
        loss.compute_whole(loss.prepare(t, y.shape), y, None, None, 1.0, dy, None, None)
        assert_close(dy, want_dy, 2e-6, name)


def test_ctc(keras):
    x, t = RNG.normal(size=(4, 6, 5)).astype(np.float32), np.array([[1, 2, 0], [3, 3, 3], [4, 4, 0], [0, 0, 0]])
    want, want_dx = gradient(lambda x: keras.losses.ctc(t, x), x)
    assert_close(losses.ctc(t, x), want, 2e-6)
    dx, loss = np.empty_like(x), losses.CTC(reduction="sum")
    value = loss.compute_whole(loss.prepare(t, x.shape), x, None, WEIGHTS[:4], 1.0, dx, None, None)
    assert_close(dx, want_dx * WEIGHTS[:4, None, None], 1e-5)
    assert_close(value, keras.losses.CTC(reduction="sum")(t, x, WEIGHTS[:4]), 2e-6)


@pytest.mark.parametrize("arguments", [{}, {"remove_diagonal": False}, {"gamma": 2.0, "margin": 0.1}])
def test_circle(keras, arguments):
    y, t = LOGITS[:9] / np.linalg.norm(LOGITS[:9], axis=1, keepdims=True), np.array([0, 1, 2, 0, 1, 2, 0, 3, 4])
    want, want_dy = gradient(lambda y: keras.losses.circle(t, y, **arguments), y)
    assert_close(losses.circle(t, y, **arguments), want, 3e-6)
    loss, dy = losses.Circle(reduction="sum", **arguments), np.empty_like(y)
    loss.compute(loss.prepare(t, y.shape), y, None, 1 / 9, dy)
    assert_close(dy, want_dy, 1e-5)
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight", "none"):
        ours, theirs = (m.Circle(reduction=reduction, **arguments)(t, y, WEIGHTS[:9]) for m in (losses, keras.losses))
        assert_close(ours, theirs, 3e-6, reduction)
    theirs = keras.losses.circle(t[:4], y[:4], t[4:], y[4:], remove_diagonal=False)
    assert_close(losses.circle(t[:4], y[:4], t[4:], y[4:], remove_diagonal=False), theirs, 3e-6)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None])
@pytest.mark.parametrize(
    "weights", [None, WEIGHTS, WEIGHTS[:, None]], ids=["no weights", "weights", "a column of them"]
)
@pytest.mark.parametrize(("name", "y", "t", "arguments"), LOSSES)
def test_loss_reductions(keras, name, y, t, arguments, weights, reduction):
    weights = None if weights is None else weights[: len(t)]
    theirs = make(keras.losses, name, reduction=reduction, **arguments)(t, y, sample_weight=weights)
    ours = make(losses, name, reduction=reduction, **arguments)(t, y, sample_weight=weights)
    assert_close(ours, np.reshape(theirs, np.shape(ours)), 2e-6)


@pytest.mark.parametrize("name", CLASSES.values())
def test_losses_have_keras_signatures_and_configurations(keras, name):
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert losses.serialize(ours()) == keras.losses.serialize(theirs())
    assert losses.deserialize(keras.losses.serialize(theirs())).get_config() == ours().get_config()
    if name != "CategoricalGeneralizedCrossEntropy":  # which Keras 3.15 does not find again itself
        assert keras.losses.deserialize(losses.serialize(ours())).get_config() == theirs().get_config()


@pytest.mark.parametrize("name", ["mse", "MSE", "mae", "MAE", "bce", "BCE", "mean_squared_error", "BinaryCrossentropy"])
def test_loss_names(keras, name):
    theirs = keras.losses.get(name)
    assert losses.get(name).name == getattr(theirs, "name", None) or theirs.__name__


# --- metrics ----------------------------------------------------------------------------------------------------------

METRICS = [
    ("Accuracy", ONE_HOT, MANY_HOT, {}),
    ("BinaryAccuracy", MANY_HOT, PROBABILITIES, {}),
    ("BinaryAccuracy", MANY_HOT, PROBABILITIES, {"threshold": 0.3}),
    ("CategoricalAccuracy", ONE_HOT, PROBABILITIES, {}),
    ("CategoricalAccuracy", MANY_HOT, ONE_HOT, {}),
    ("SparseCategoricalAccuracy", LABELS, PROBABILITIES, {}),
    ("SparseCategoricalAccuracy", LABELS, np.full((11, 7), np.nan, np.float32), {}),
    ("MeanSquaredError", MANY_HOT, PROBABILITIES, {}),
    ("MeanAbsoluteError", MANY_HOT, PROBABILITIES, {}),
    ("BinaryCrossentropy", MANY_HOT, PROBABILITIES, {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", ONE_HOT, LOGITS, {"from_logits": True}),
    ("SparseCategoricalCrossentropy", LABELS, PROBABILITIES, {}),
    ("SparseCategoricalCrossentropy", LABELS, LOGITS, {"from_logits": True}),
    ("TopKCategoricalAccuracy", ONE_HOT, PROBABILITIES, {"k": 2}),
    ("SparseTopKCategoricalAccuracy", LABELS, PROBABILITIES, {"k": 3}),
    (
        "SparseTopKCategoricalAccuracy",
        LABELS,
        np.argsort(-LOGITS, axis=1).astype("f"),
        {"k": 3, "from_sorted_ids": True},
    ),
    ("RootMeanSquaredError", MANY_HOT, LOGITS, {}),
    ("MeanAbsolutePercentageError", INSIDE, LOGITS, {}),
    ("MeanSquaredLogarithmicError", INSIDE, LOGITS, {}),
    ("LogCoshError", INSIDE[:9], LOGITS[:9], {}),
    ("CosineSimilarity", INSIDE, LOGITS, {}),
    ("Hinge", MANY_HOT, LOGITS, {}),
    ("SquaredHinge", 2 * MANY_HOT - 1, LOGITS, {}),
    ("CategoricalHinge", ONE_HOT, LOGITS, {}),
    ("KLDivergence", MANY_HOT, PROBABILITIES, {}),
    ("Poisson", MANY_HOT, INSIDE, {}),
    ("R2Score", INSIDE, LOGITS, {}),
    ("R2Score", INSIDE, LOGITS, {"class_aggregation": None}),
    ("R2Score", INSIDE, LOGITS, {"class_aggregation": "variance_weighted_average", "num_regressors": 3}),
    ("PearsonCorrelation", INSIDE, LOGITS, {}),
    ("ConcordanceCorrelation", INSIDE, LOGITS, {}),
    ("F1Score", ONE_HOT, INSIDE, {}),
    ("F1Score", MANY_HOT, INSIDE, {"average": "macro", "threshold": 0.5}),
    ("FBetaScore", MANY_HOT, INSIDE, {"average": "weighted", "threshold": 0.3, "beta": 2.0}),
    ("FBetaScore", ONE_HOT, INSIDE, {"average": "micro", "beta": 0.5}),
    ("TruePositives", MANY_HOT, INSIDE, {}),
    ("TrueNegatives", MANY_HOT, INSIDE, {"thresholds": 0.3}),
    ("FalsePositives", MANY_HOT, INSIDE, {"thresholds": [0.7, 0.2, 0.4]}),
    ("FalseNegatives", MANY_HOT, INSIDE, {"thresholds": [0.0, 0.5, 1.0]}),
    ("Precision", MANY_HOT, PROBABILITIES, {}),
    ("Precision", MANY_HOT, INSIDE, {"thresholds": [0.2, 0.5, 0.9], "class_id": 3}),
    ("Precision", MANY_HOT, INSIDE, {"top_k": 2}),
    ("Recall", MANY_HOT, INSIDE, {"top_k": 3, "class_id": 2}),
    ("Recall", MANY_HOT, PROBABILITIES, {"thresholds": 0.4}),
    ("PrecisionAtRecall", MANY_HOT, INSIDE, {"recall": 0.4}),
    ("RecallAtPrecision", MANY_HOT, INSIDE, {"precision": 0.5, "num_thresholds": 7}),
    ("SensitivityAtSpecificity", MANY_HOT, INSIDE, {"specificity": 0.6, "class_id": 1}),
    ("SpecificityAtSensitivity", MANY_HOT, INSIDE, {"sensitivity": 0.3, "num_thresholds": 1}),
    ("AUC", MANY_HOT, PROBABILITIES, {}),
    ("AUC", MANY_HOT, LOGITS, {"from_logits": True, "num_thresholds": 11}),
    ("AUC", MANY_HOT, INSIDE, {"curve": "PR"}),
    ("AUC", MANY_HOT, INSIDE, {"curve": "PR", "summation_method": "minoring", "thresholds": [0.8, 0.1, 0.35]}),
    ("AUC", MANY_HOT, INSIDE, {"curve": "PRGAIN", "summation_method": "majoring"}),
    ("AUC", MANY_HOT, INSIDE, {"multi_label": True, "num_labels": 7, "label_weights": [1, 2, 3, 4, 3, 2, 1]}),
    ("AUC", MANY_HOT, INSIDE, {"multi_label": True, "curve": "PR"}),
    ("AUC", MANY_HOT, INSIDE, {"label_weights": [1, 2, 3, 4, 3, 2, 1]}),
    ("IoU", LABELS, np.roll(LABELS, 4), {"num_classes": 7, "target_class_ids": [0, 2, 5]}),
    ("MeanIoU", LABELS, INSIDE, {"num_classes": 7, "sparse_y_pred": False, "ignore_class": 2}),
    ("BinaryIoU", MANY_HOT, INSIDE, {"threshold": 0.4}),
    ("OneHotIoU", ONE_HOT, INSIDE, {"num_classes": 7, "target_class_ids": [1, 6]}),
    ("OneHotMeanIoU", ONE_HOT, INSIDE, {"num_classes": 7}),
]
# Of these Keras takes no weights of these shapes, or rounds them down.
UNWEIGHTED = {"IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU"}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "t", "y", "arguments"), METRICS)
def test_metrics(keras, name, t, y, arguments, weighted):
    ours, theirs = getattr(metrics, name)(**arguments), getattr(keras.metrics, name)(**arguments)
    for part in (slice(0, 3), slice(3, 11)):
        for metric in (ours, theirs):
            weights = WEIGHTS[part][: len(t[part])] if weighted and name not in UNWEIGHTED else None
            metric.update_state(t[part], y[part], weights)
        np.testing.assert_allclose(ours.result(), theirs.result(), rtol=3e-6, atol=1e-7)


def test_a_metric_that_ignores_a_class(keras):
    """With weights: without them Keras divides by all rows, ignored or not."""
    ours, theirs = (m.SparseCategoricalCrossentropy(ignore_class=LABELS[0]) for m in (metrics, keras.metrics))
    assert_close(ours(LABELS, PROBABILITIES, WEIGHTS), theirs(LABELS, PROBABILITIES, WEIGHTS), 2e-6)


@pytest.mark.parametrize("name", ["binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"])
def test_accuracy_functions(keras, name):
    t = LABELS if "sparse" in name else ONE_HOT
    np.testing.assert_array_equal(
        getattr(metrics, name)(t, PROBABILITIES), getattr(keras.metrics, name)(t, PROBABILITIES)
    )


def test_mean(keras):
    ours, theirs = metrics.Mean(), keras.metrics.Mean()
    for values, weights in [([1, 3, 5], None), (7, None), ([[1, 2], [3, 4]], None), ([1, 3], [3, 1]),
                            ([[1, 2], [3, 4]], [3, 1]), ([[1, 2], [3, 4]], [[3, 1], [0, 1]])]:  # fmt: skip
        for metric in (ours, theirs):
            metric.update_state(np.float32(values), None if weights is None else np.float32(weights))
        assert_close(ours.result(), theirs.result(), 1e-6)


def test_sum(keras):
    ours, theirs = metrics.Sum(), keras.metrics.Sum()
    for values, weights in [
        ([1, 3, 5], None),
        (7, None),
        ([[1, 2], [3, 4]], [3, 1]),
        ([[1, 2], [3, 4]], [[3, 1], [0, 1]]),
    ]:
        for metric in (ours, theirs):
            metric.update_state(np.float32(values), None if weights is None else np.float32(weights))
        assert_close(ours.result(), theirs.result(), 1e-6)


NEEDED = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "MeanIoU": {"num_classes": 3},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}


@pytest.mark.parametrize("name", list(metrics._CLASSES))
def test_metrics_have_keras_signatures_and_configurations(keras, name):
    ours, theirs = getattr(metrics, name), getattr(keras.metrics, name)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    arguments = {"name": "mine", **NEEDED.get(name, {})}
    assert metrics.serialize(ours(**arguments)) == keras.metrics.serialize(theirs(**arguments))
    again = metrics.deserialize(keras.metrics.serialize(theirs(**arguments)))
    assert again.get_config() == ours(**arguments).get_config()
