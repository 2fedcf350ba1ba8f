"""fastkeras.metrics: Keras's protocol, what the training loop calls, and metrics of the user's own."""

import numpy as np
import pytest
import reference

import fastkeras as keras
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
    (metrics.RootMeanSquaredError(), [1, 3], [2, 5], np.sqrt(2.5)),
    (metrics.CosineSimilarity(), [[1, 0], [1, 1]], [[0.0, 2.0], [3.0, 3.0]], 0.5),
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


def test_sum():
    total = metrics.Sum()
    total.update_state([1, 3])
    total.update_state([[1, 2], [3, 4]], sample_weight=[2, 1])
    assert total.result() == 4 + 2 * 3 + 7
    total.reset_state()
    assert total.result() == 0


def test_top_k():
    y, t = np.float32([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4]]), np.eye(3)[[2, 1]]
    assert metrics.TopKCategoricalAccuracy(k=1)(t, y) == 0
    assert metrics.TopKCategoricalAccuracy(k=2)(t, y) == 1, "of equal ones both are among the k"
    assert metrics.SparseTopKCategoricalAccuracy(k=2)([0, 1], y, [1, 3]) == 0.75
    np.testing.assert_array_equal(metrics.top_k_categorical_accuracy(t, y, 1), [0, 0])
    np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy([1, 2], y, 1), [1, 1])
    ids = np.float32([[2, 1, 0], [0, 2, 1]])
    np.testing.assert_array_equal(
        metrics.sparse_top_k_categorical_accuracy([1, 1], ids, 2, from_sorted_ids=True), [1, 0]
    )
    assert metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)([1, 1], ids) == 0.5


# --- counts above thresholds ------------------------------------------------------------------------------------------

CHANCES = RNG.uniform(0.02, 0.98, (31, 3))
HAPPENED = (RNG.random((31, 3)) < CHANCES).astype(float)
ROW_WEIGHTS = RNG.random(31)


def counts(threshold, weights=None, columns=slice(None)):
    """(TP, FP, TN, FN) by their definitions."""
    y, t = CHANCES[:, columns] > threshold, HAPPENED[:, columns] > 0
    w = np.ones_like(CHANCES[:, columns]) if weights is None else np.broadcast_to(weights[:, None], y.shape)
    return np.array([w[t & y].sum(), w[~t & y].sum(), w[~t & ~y].sum(), w[t & ~y].sum()])


@pytest.mark.parametrize("weights", [None, ROW_WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("thresholds", [None, 0.3, [0.8, 0.1, 0.45], [0.0, 0.25, 0.5, 0.75, 1.0]], ids=str)
def test_counts_and_their_shares(thresholds, weights):
    levels = np.atleast_1d(0.5 if thresholds is None else thresholds)
    tp, fp, tn, fn = np.transpose([counts(level, weights) for level in levels])
    for kind, want in [
        (metrics.TruePositives, tp), (metrics.FalsePositives, fp), (metrics.TrueNegatives, tn),
        (metrics.FalseNegatives, fn), (metrics.Precision, tp / np.maximum(tp + fp, 1e-9)),
        (metrics.Recall, tp / (tp + fn)),
    ]:  # fmt: skip
        metric = kind(thresholds)
        for part in (slice(0, 13), slice(13, 31)):
            metric.update_state(HAPPENED[part], CHANCES[part], None if weights is None else weights[part])
        assert np.shape(metric.result()) == (() if len(levels) == 1 else levels.shape)
        np.testing.assert_allclose(metric.result(), want if len(levels) > 1 else want[0], rtol=1e-6, atol=1e-9)
        metric.reset_state()
        assert np.all(metric.result() == 0)


def test_one_column_or_the_largest_of_a_row():
    tp, fp, _, fn = counts(0.5, None, slice(1, 2))
    assert metrics.Precision(class_id=1)(HAPPENED, CHANCES) == pytest.approx(tp / (tp + fp))
    assert metrics.Recall(class_id=1)(HAPPENED, CHANCES) == pytest.approx(tp / (tp + fn))
    largest = np.eye(3)[CHANCES.argmax(1)]
    assert metrics.Precision(top_k=1)(HAPPENED, CHANCES) == pytest.approx((largest * HAPPENED).sum() / 31)
    assert metrics.Recall(top_k=1)(HAPPENED, CHANCES) == pytest.approx((largest * HAPPENED).sum() / HAPPENED.sum())


def test_the_best_of_one_share_where_another_is_enough():
    tp, fp, tn, fn = np.transpose([counts(level) for level in np.linspace(0, 1, 11)])
    precision, recall = tp / np.maximum(tp + fp, 1), tp / (tp + fn)
    specificity = tn / (tn + fp)
    for metric, want in [
        (metrics.PrecisionAtRecall(0.6, num_thresholds=11), precision[recall >= 0.6].max()),
        (metrics.RecallAtPrecision(0.6, num_thresholds=11), recall[precision >= 0.6].max()),
        (metrics.SensitivityAtSpecificity(0.6, num_thresholds=11), recall[specificity >= 0.6].max()),
        (metrics.SpecificityAtSensitivity(0.6, num_thresholds=11), specificity[recall >= 0.6].max()),
        (metrics.PrecisionAtRecall(1.0, num_thresholds=1), 0.0),
    ]:
        assert metric(HAPPENED, CHANCES) == pytest.approx(want)


def test_the_area_under_the_roc_curve_is_the_chance_to_rank_right():
    """With a threshold between each two predictions it is exact: P(positive > negative)."""
    y, t = CHANCES.reshape(-1).astype(np.float32), HAPPENED.reshape(-1)
    between = np.sort(y)[:-1] / 2 + np.sort(y)[1:] / 2
    right = np.mean(y[t > 0][:, None] > y[t == 0])
    assert metrics.AUC(thresholds=list(map(float, between)))(t, y) == pytest.approx(right, rel=1e-6)
    assert metrics.AUC()(HAPPENED, CHANCES) == pytest.approx(right, abs=2e-3)
    logits = np.log(CHANCES / (1 - CHANCES))
    assert metrics.AUC(from_logits=True)(HAPPENED, logits) == pytest.approx(metrics.AUC()(HAPPENED, CHANCES), abs=1e-3)
    for curve in ("ROC", "PR", "PRGAIN"):
        low, middle, high = (
            metrics.AUC(curve=curve, summation_method=method)(HAPPENED, CHANCES)
            for method in ("minoring", "interpolation", "majoring")
        )
        assert low < middle < high
    columns = [metrics.AUC()(HAPPENED[:, d], CHANCES[:, d]) for d in range(3)]
    assert metrics.AUC(multi_label=True)(HAPPENED, CHANCES) == pytest.approx(np.mean(columns))
    weighted = metrics.AUC(multi_label=True, num_labels=3, label_weights=[1, 2, 5])
    assert weighted(HAPPENED, CHANCES) == pytest.approx(np.average(columns, weights=[1, 2, 5]))


def test_predictions_at_and_beyond_the_ends():
    y, t = np.float32([0.0, 1.0, -3.0, 4.0, np.nan]), [1, 1, 1, 1, 1]
    assert metrics.TruePositives(thresholds=[0.0, 0.5, 1.0])(t, y).tolist() == [2, 2, 0]
    assert metrics.TruePositives(thresholds=[0.0, 1.0])(t, y).tolist() == [2, 1]
    assert metrics.AUC()([0, 1], [0.0, 1.0]) == 1


# --- F-scores, regions, regression ------------------------------------------------------------------------------------


def test_f_scores_are_means_of_precision_and_recall():
    y, t = CHANCES > 0.4, HAPPENED
    precision, recall = (y * t).sum(0) / y.sum(0), (y * t).sum(0) / t.sum(0)
    f1, f2 = 2 * precision * recall / (precision + recall), 5 * precision * recall / (4 * precision + recall)
    for metric, want in [
        (metrics.F1Score(threshold=0.4), f1),
        (metrics.F1Score("macro", threshold=0.4), f1.mean()),
        (metrics.FBetaScore("weighted", 2.0, 0.4), np.average(f2, weights=t.sum(0))),
        (metrics.FBetaScore("micro", 2.0, 0.4), 5 * (y * t).sum() / (4 * t.sum() + y.sum())),
    ]:
        for part in (slice(0, 13), slice(13, 31)):
            metric.update_state(HAPPENED[part], CHANCES[part])
        np.testing.assert_allclose(metric.result(), want, rtol=1e-5)
    largest = metrics.F1Score("micro")(np.eye(3)[CHANCES.argmax(1)], CHANCES)
    assert largest == pytest.approx(1, abs=1e-6)


def test_intersections_over_unions():
    t, p = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 7])  # 7 is no class
    assert metrics.MeanIoU(4)(t, p) == pytest.approx((1 / 3 + 2 / 3 + 0) / 3, abs=1e-6)
    assert metrics.IoU(3, [1])(t, p) == pytest.approx(2 / 3, abs=1e-6)
    assert metrics.IoU(3, [0])(t, p, [1, 1, 1, 1, 0, 1]) == pytest.approx(1 / 2, abs=1e-6)
    assert metrics.MeanIoU(3, ignore_class=2)(t, p) == pytest.approx((1 / 2 + 2 / 3) / 2, abs=1e-6)
    assert metrics.OneHotMeanIoU(3)(np.eye(3)[t[:5]], np.eye(3)[p[:5]]) == pytest.approx(1 / 3, abs=1e-6)
    assert metrics.OneHotIoU(3, [1])(np.eye(3)[t[:5]], np.eye(3)[p[:5]]) == pytest.approx(2 / 3, abs=1e-6)
    binary = metrics.BinaryIoU(threshold=0.3)
    binary.update_state([0, 1], [0.1, 0.2])
    binary.update_state([0, 1], [0.3, 0.9])
    assert binary.result() == pytest.approx((1 / 3 + 1 / 3) / 2, abs=1e-6)
    with pytest.raises(ValueError, match=r"as many targets as predictions. Received: shapes \(2,\) and \(3,\)"):
        binary.update_state([0, 1], [0.1, 0.2, 0.3])


def test_r2_and_correlations():
    y, t = CHANCES, HAPPENED + CHANCES
    r2 = 1 - ((y - t) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0)
    metric = metrics.R2Score(None)
    for part in (slice(0, 13), slice(13, 31)):
        metric.update_state(t[part], y[part])
    np.testing.assert_allclose(metric.result(), r2, rtol=1e-5)
    assert metrics.R2Score()(t, y) == pytest.approx(r2.mean(), rel=1e-5)
    assert metrics.R2Score(num_regressors=4)(t, y) == pytest.approx(1 - (1 - r2.mean()) * 92 / 88, rel=1e-5)
    with pytest.warns(UserWarning, match="93 numbers are too few to adjust the score for 93 regressors"):
        metrics.R2Score(num_regressors=93)(t, y)
    pearson = [np.corrcoef(a, b)[0, 1] for a, b in zip(t, y, strict=True)]
    assert metrics.PearsonCorrelation()(t, y) == pytest.approx(np.mean(pearson), rel=1e-5)
    concordance = [
        2 * np.cov(a, b, bias=True)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
        for a, b in zip(t, y, strict=True)
    ]
    assert metrics.ConcordanceCorrelation()(t, y) == pytest.approx(np.mean(concordance), rel=1e-5)


def test_metrics_with_a_number_for_each_class_are_reported_as_arrays():
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax", input_dim=3)])
    model.compile("sgd", "categorical_crossentropy", metrics=[metrics.F1Score(), "AUC", metrics.Precision(top_k=1)])
    history = model.fit(CHANCES, np.eye(3)[CHANCES.argmax(1)], epochs=2, verbose=2).history
    assert list(history) == ["loss", "f1_score", "AUC", model.metrics_names[3]]
    assert history["f1_score"][1].shape == (3,)


def test_a_metric_of_ones_own_may_keep_its_state_in_weights():
    class Largest(metrics.Metric):
        def __init__(self, name="largest"):
            super().__init__(name)
            self.largest = self.add_weight(name="largest", initializer="zeros")
            self.sums = self.add_variable((2,), "zeros", name="sums")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest.assign(max(self.largest, y_pred.max()))
            self.sums.assign_add([1, y_pred.sum()])
            self.sums.assign_sub([0, 1])

        def result(self):
            return self.largest + self.sums.numpy()[0]

    metric = Largest()
    metric.update_state(None, np.float32([2, 5]))
    assert metric(None, np.float32([3])) == 5 + 2
    assert [v.tolist() for v in metric.variables] == [5, [2, 8]]
    metric.reset_states()
    assert metric.result() == 0


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
    metrics.SparseCategoricalCrossentropy(ignore_class=2), metrics.AUC(curve="PR", thresholds=[0.7, 0.2]),
    metrics.Precision([0.2, 0.4], class_id=1), metrics.RecallAtPrecision(0.3, 10), metrics.FBetaScore("macro", 2.0),
    metrics.IoU(3, [0, 2], ignore_class=1), metrics.OneHotMeanIoU(2), metrics.R2Score(None, 2),
    metrics.SparseTopKCategoricalAccuracy(2, from_sorted_ids=True), metrics.CosineSimilarity(), metrics.Sum(),
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


def test_a_metric_says_what_it_computes_in():
    assert metrics.Mean().dtype == metrics.MeanSquaredError().dtype == "float32"


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
