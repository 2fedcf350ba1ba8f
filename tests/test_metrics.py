"""fastkeras.metrics: Keras's protocol, what the training loop calls, and metrics of the user's own."""

import numpy as np
import pytest
import reference

from fastkeras import losses, metrics

RNG = np.random.default_rng(19)
N, T, D = 5, 3, 7
Y = RNG.uniform(0.05, 0.95, (N, T, D))
LABELS = RNG.integers(0, D, (N, T))
ONE_HOT = np.eye(D)[LABELS]
WEIGHTS = RNG.random((N, T))

# name: targets, and the values per row
CASES = {
    "accuracy": (ONE_HOT, reference.equal_accuracy),
    "binary_accuracy": (ONE_HOT, reference.binary_accuracy),
    "categorical_accuracy": (ONE_HOT, reference.categorical_accuracy),
    "sparse_categorical_accuracy": (LABELS, reference.sparse_accuracy),
    "mean_squared_error": (ONE_HOT, reference.mean_squared_error),
    "mean_absolute_error": (ONE_HOT, reference.mean_absolute_error),
    "binary_crossentropy": (ONE_HOT, reference.binary_crossentropy),
    "categorical_crossentropy": (ONE_HOT, reference.categorical_crossentropy),
    "sparse_categorical_crossentropy": (LABELS, reference.sparse_categorical_crossentropy),
}
CLASSES = {
    "accuracy": metrics.Accuracy,
    "binary_accuracy": metrics.BinaryAccuracy,
    "categorical_accuracy": metrics.CategoricalAccuracy,
    "sparse_categorical_accuracy": metrics.SparseCategoricalAccuracy,
    "mean_squared_error": metrics.MeanSquaredError,
    "mean_absolute_error": metrics.MeanAbsoluteError,
    "binary_crossentropy": metrics.BinaryCrossentropy,
    "categorical_crossentropy": metrics.CategoricalCrossentropy,
    "sparse_categorical_crossentropy": metrics.SparseCategoricalCrossentropy,
}


def row_values(name, part=slice(None)):
    t, values = CASES[name]
    t = t[part]
    return values(Y[part].reshape(-1, D), t.reshape(-1) if "sparse" in name else t.reshape(-1, D))


@pytest.mark.parametrize("name", CASES)
def test_the_state_is_a_mean_over_rows(name):
    t, metric = CASES[name][0], CLASSES[name]()
    assert metric.name == name
    assert metric.result() == 0
    metric.update_state(t[:2], Y[:2])
    assert metric.result() == pytest.approx(row_values(name, slice(0, 2)).mean(), rel=2e-6)
    metric.update_state(t[2:], Y[2:])
    assert metric.result() == pytest.approx(row_values(name).mean(), rel=2e-6)
    metric.reset_state()
    assert metric.result() == 0
    assert metric(t[2:], Y[2:]) == pytest.approx(row_values(name, slice(2, N)).mean(), rel=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_weights_by_row_and_by_sample(name):
    t, metric = CASES[name][0], CLASSES[name]()
    metric.update_state(t, Y, sample_weight=WEIGHTS)
    values, w = row_values(name), WEIGHTS.reshape(-1)
    assert metric.result() == pytest.approx(values @ w / w.sum(), rel=2e-6)
    metric.reset_state()
    metric.update_state(t, Y, sample_weight=WEIGHTS[:, 0])
    w = np.repeat(WEIGHTS[:, 0], T)
    assert metric.result() == pytest.approx(values @ w / w.sum(), rel=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_update_takes_targets_as_a_loss_prepared_them(name):
    rows = Y.reshape(-1, D).astype(np.float32)
    loss = losses.get("sparse_categorical_crossentropy" if "sparse" in name else "categorical_crossentropy")
    w = WEIGHTS.reshape(-1).astype(np.float32)
    metric = metrics.get(name)
    metric.update(loss.prepare(CASES[name][0], Y.shape), rows, w)
    assert metric.result() == pytest.approx(row_values(name) @ w / w.sum(), rel=2e-6)


def test_update_takes_labels_for_one_column():
    metric, y = metrics.get("mse"), np.array([[0.5], [2.0]], np.float32)
    metric.update(np.array([1, 4], np.int32), y, None)
    assert metric.result() == (0.25 + 4) / 2


@pytest.mark.parametrize(("metric", "y_true", "y_pred", "want"), [
    (metrics.BinaryAccuracy(), [1, 0, 1], [0.9, 0.1, 0.2], 2 / 3),
    (metrics.BinaryAccuracy(), [1, 0], [[0.9], [0.8]], 0.5),
    (metrics.BinaryAccuracy(threshold=0.85), [1, 0], [[0.9], [0.8]], 1),
    (metrics.SparseCategoricalAccuracy(), [[1], [0]], [[0.1, 0.9], [0.2, 0.8]], 0.5),
    (metrics.MeanSquaredError(), [1, 3], [2, 5], 2.5),
    (metrics.BinaryCrossentropy(from_logits=True), [[1]], [[0.0]], np.log(2)),
    (metrics.BinaryCrossentropy(label_smoothing=1), [[1]], [[0.25]], -(np.log(0.25) + np.log(0.75)) / 2),
    (metrics.CategoricalCrossentropy(from_logits=True), [[1, 0]], [[0.0, 0.0]], np.log(2)),
    (metrics.SparseCategoricalCrossentropy(from_logits=True), [1], [[0.0, 0.0]], np.log(2)),
    (metrics.SparseCategoricalCrossentropy(ignore_class=0), [1, 0], [[0.75, 0.25], [0.9, 0.1]], -np.log(0.25)),
])  # fmt: skip
def test_shapes_and_numbers(metric, y_true, y_pred, want):
    assert metric(y_true, y_pred) == pytest.approx(want, rel=1e-6)


def test_an_ignored_class_with_weights():
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=0)
    metric.update_state([1, 0, 1], [[0.75, 0.25], [0.9, 0.1], [0.5, 0.5]], sample_weight=[1, 5, 3])
    assert metric.result() == pytest.approx(-(np.log(0.25) + 3 * np.log(0.5)) / 4, rel=1e-6)


def test_functions_give_one_value_per_element_or_row():
    t = (ONE_HOT > 0).astype(float)
    np.testing.assert_array_equal(metrics.binary_accuracy(t, Y, threshold=0.7), (Y > 0.7) == t)
    np.testing.assert_array_equal(metrics.categorical_accuracy(t, Y), Y.argmax(-1) == LABELS)
    np.testing.assert_array_equal(metrics.sparse_categorical_accuracy(LABELS, Y), Y.argmax(-1) == LABELS)
    np.testing.assert_array_equal(metrics.binary_accuracy([1, 0], [[0.7], [0.6]]), [[1], [0]])
    assert metrics.mean_squared_error is losses.mean_squared_error


def test_mean():
    mean = metrics.Mean()
    mean.update_state([1, 3, 5])
    mean.update_state(7)
    assert mean.result() == 4
    mean.reset_state()
    mean.update_state([1, 3], sample_weight=[3, 1])
    assert mean.result() == 1.5
    mean.reset_state()
    mean.update_state([[1, 3], [5, 7]])  # counts two
    mean.update_state([10, 10])
    assert mean.result() == 7
    mean.reset_state()
    mean.update_state([[1, 3], [5, 7]], sample_weight=[1, 3])
    mean.update_state([])
    assert mean.result() == 5


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy"])
@pytest.mark.parametrize(("y_true", "y_pred", "kind"), [
    ((5,), (5, 1), metrics.BinaryAccuracy), ((5, 1), (5, 1), metrics.BinaryAccuracy),
    ((5, 3, 1), (5, 3, 1), metrics.BinaryAccuracy), ((5,), (5, 4), metrics.SparseCategoricalAccuracy),
    ((5, 1), (5, 4), metrics.SparseCategoricalAccuracy), ((5, 3), (5, 3, 4), metrics.SparseCategoricalAccuracy),
    ((5, 4), (5, 4), metrics.CategoricalAccuracy), ((5, 3, 4), (5, 3, 4), metrics.CategoricalAccuracy),
])  # fmt: skip
def test_accuracy_is_the_one_that_fits(name, y_true, y_pred, kind):
    metric = metrics.get(name, y_true, y_pred)
    assert type(metric) is kind
    assert metric.name == metrics.key(name) == name


@pytest.mark.parametrize(("identifier", "kind", "key"), [
    ("mse", metrics.MeanSquaredError, "mse"), ("MAE", metrics.MeanAbsoluteError, "MAE"),
    ("BinaryAccuracy", metrics.BinaryAccuracy, "BinaryAccuracy"), ("bce", metrics.BinaryCrossentropy, "bce"),
    (metrics.binary_accuracy, metrics.BinaryAccuracy, "binary_accuracy"),
    (losses.mse, metrics.MeanSquaredError, "mean_squared_error"),
    (metrics.MeanSquaredError(name="mine"), metrics.MeanSquaredError, "mine"),
    (metrics.BinaryAccuracy, metrics.BinaryAccuracy, "binary_accuracy"),
    ({"class_name": "BinaryAccuracy", "config": {"threshold": 0.2}}, metrics.BinaryAccuracy, None),
])  # fmt: skip
def test_get_and_key(identifier, kind, key):
    assert type(metrics.get(identifier)) is kind
    assert key is None or metrics.key(identifier) == key


@pytest.mark.parametrize(("slip", "name"), [
    ("acuracy", "accuracy"), ("mean_square_error", "mean_squared_error"), ("Mae", "mae"),
    ("binary_acc", "binary_accuracy"),
])  # fmt: skip
def test_unknown_names_get_the_nearest(slip, name):
    with pytest.raises(ValueError, match=rf"Unknown metric. Did you mean '{name}'\? Received: '{slip}'"):
        metrics.get(slip)


def test_get_of_nothing_and_of_what_is_none():
    assert metrics.get(None) is None
    with pytest.raises(TypeError, match="Received: 3"):
        metrics.get(3)


@pytest.mark.parametrize("metric", [
    metrics.Mean(), metrics.Accuracy(), metrics.BinaryAccuracy(threshold=0.3), metrics.CategoricalAccuracy(),
    metrics.SparseCategoricalAccuracy(name="mine"), metrics.MeanSquaredError(), metrics.MeanAbsoluteError(),
    metrics.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), metrics.CategoricalCrossentropy(),
    metrics.SparseCategoricalCrossentropy(ignore_class=2),
], ids=lambda metric: type(metric).__name__)  # fmt: skip
def test_serialized_metrics_come_back(metric):
    config = metrics.serialize(metric)
    assert config["module"] == "keras.metrics"
    again = metrics.deserialize(config)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config() == config["config"]


def test_names_and_functions_serialize_to_names():
    assert metrics.serialize("acc") == "acc"
    assert metrics.serialize(metrics.binary_accuracy) == "binary_accuracy"
    assert type(metrics.deserialize("mse")) is metrics.MeanSquaredError


# --- metrics of the user's own ----------------------------------------------------------------------------------------


def largest_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max(axis=1)


def test_a_function_of_values_per_row():
    metric = metrics.get(largest_error)
    assert metric.name == metrics.key(largest_error) == metrics.serialize(metric) == "largest_error"
    y, w = Y[:, 0].astype(np.float32), WEIGHTS[:, 0].astype(np.float32)
    values = largest_error(ONE_HOT[:, 0], y)
    metric.update(ONE_HOT[:, 0].astype(np.float32), y, w)
    assert metric.result() == pytest.approx(values @ w / w.sum(), rel=1e-6)
    metric.update(ONE_HOT[:, 0].astype(np.float32), y, None)
    assert metric.result() == pytest.approx((values @ w + values.sum()) / (w.sum() + N), rel=1e-6)
    again = metrics.deserialize("largest_error", {"largest_error": largest_error})
    assert again.function is largest_error


def test_a_function_of_one_number_counts_batches():
    metric = metrics.get(lambda y_true, y_pred: y_pred.max())
    metric.update(np.zeros((2, 1), np.float32), np.float32([[1], [3]]), None)
    metric.update(np.zeros((1, 1), np.float32), np.float32([[5]]), np.float32([0.5]))
    assert metric.result() == 4


def test_a_loss_as_a_metric():
    metric = metrics.get(losses.MeanSquaredError(name="squares"))
    assert metrics.key(losses.MeanSquaredError(name="squares")) == "squares"
    assert metric([[1.0], [2.0]], [[2.0], [4.0]]) == 2.5


class Total(metrics.Metric):
    def __init__(self, factor=1, name="total", dtype=None):
        super().__init__(name, dtype)
        self.factor = factor
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.sum += self.factor * y_pred.sum()

    def result(self):
        return self.sum

    def reset_state(self):
        self.sum = 0.0

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_a_metric_class_of_ones_own():
    metric = metrics.get(Total(2))
    metric.update(np.zeros(3, np.int32), np.ones((3, 2), np.float32), None)
    assert metric.result() == 12
    config = metrics.serialize(metric)
    assert metrics.deserialize(config, {"Total": Total}).factor == 2
    with pytest.raises(ValueError, match="Unknown metric"):
        metrics.deserialize(config)


@pytest.mark.parametrize("method", ["update_state", "result", "reset_state"])
def test_what_a_subclass_must_define_is_named(method):
    metric = metrics.Metric("mine")
    arguments = (np.zeros(1), np.zeros(1)) if method == "update_state" else ()
    with pytest.raises(NotImplementedError, match=f"'mine': Metric must define {method}"):
        getattr(metric, method)(*arguments)


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: metrics.get("mse")(np.zeros((2, 3)), np.zeros((2, 2))), r"'mean_squared_error'.*Received: shape \(2, 3\)"),
    (lambda: metrics.SparseCategoricalAccuracy()(np.zeros((2, 3)), np.zeros((2, 3))), "one-hot targets"),
    (lambda: metrics.CategoricalAccuracy().update(np.zeros(2, np.int32), np.zeros((2, 3), np.float32), None),
     "'categorical_accuracy': the targets must have the shape"),
    (lambda: metrics.get("mse")(np.zeros((2, 3)), np.zeros((2, 3)), [1, 2, 3]), "sample_weight"),
    (lambda: metrics.MeanSquaredError(dtype="float64"), "`dtype` must be float32"),
])  # fmt: skip
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
