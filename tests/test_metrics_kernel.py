"""metrics.c against the reference."""

import numpy as np
import pytest
import reference

from fastkeras._kernels import metrics

RNG = np.random.default_rng(17)
SHAPES = [(1, 1), (2, 3), (5, 1), (7, 11), (3, 17), (13, 46), (5, 1031), (0, 3)]


def data(kind, shape):
    if kind == "sparse":
        return RNG.random(shape).astype(np.float32), RNG.integers(0, shape[1], shape[0]).astype(np.int32)
    if kind == "categorical":
        return RNG.random(shape).astype(np.float32), RNG.random(shape).astype(np.float32)
    if kind == "binary":
        return RNG.random(shape).astype(np.float32), RNG.integers(0, 2, shape).astype(np.float32)
    return RNG.integers(0, 3, shape).astype(np.float32), RNG.integers(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["equal", "binary", "categorical", "sparse"])
def test_accuracy_is_the_reference(kind, shape):
    y, t = data(kind, shape)
    w = RNG.random(shape[0]).astype(np.float32)
    values = getattr(reference, f"{kind}_accuracy")(y, t)
    total, weight = metrics.accuracy(y, t, w, kind)
    np.testing.assert_allclose([total, weight], [values @ w, w.sum(dtype=float)], rtol=1e-6)
    assert metrics.accuracy(y, t, None, kind) == pytest.approx((values.sum(), shape[0]), rel=1e-12)


@pytest.mark.parametrize("k", [1, 3, 100])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_top_k(shape, k):
    y, labels = data("equal", shape)[0], data("sparse", shape)[1]
    t, w = data("categorical", shape)[1], RNG.random(shape[0]).astype(np.float32)
    values = reference.sparse_top_k_accuracy(y, labels, k)
    assert metrics.accuracy(y, labels, w, "sparse_top_k", k=k)[0] == pytest.approx(values @ w, rel=1e-6)
    values = reference.top_k_categorical_accuracy(y, t, k)
    assert metrics.accuracy(y, t, w, "top_k_categorical", k=k)[0] == pytest.approx(values @ w, rel=1e-6)
    assert metrics.accuracy(y, labels - 2000, None, "sparse_top_k", k=k)[0] == 0, "no class is no match"


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 200])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bins_between_thresholds(shape, count, even):
    y, t = data("binary", shape)
    thresholds = np.linspace(0, 1, count) if even else np.sort(RNG.random(count))
    w, v = RNG.random(shape[0]).astype(np.float32), RNG.random(shape[1]).astype(np.float32)
    edges = thresholds.astype(np.float32)
    even = even and count > 1
    tp, fp = reference.counts_above(y, t, w, edges)
    for columns in {1, shape[1]}:
        bins = np.zeros((2, count + 1, columns))
        for part in (slice(0, 2), slice(2, None)):
            metrics.threshold_bins(*bins, y[part], t[part], w[part], v, edges, even)
        above = bins[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
        for got, want in zip(above, (tp * v, fp * v), strict=True):
            want = want if columns > 1 or shape[1] == 1 else want.sum(axis=1, keepdims=True)
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9)
        assert bins.sum() == pytest.approx((w[:, None] * v).sum(dtype=float), rel=1e-6)


def test_predictions_outside_and_none_at_all():
    y, ones = np.float32([[-1, 0, 1, 7, np.nan]]), np.ones((1, 5), np.float32)
    for edges, even, want in [
        ([0, 0.5, 1], True, [3, 0, 2, 0]),  # clipped to [0, 1]
        ([-1e-7, 0.5, 1 + 1e-7], True, [0, 3, 2, 0]),  # all of it is above the first
        ([0, 0.5, 1], False, [3, 0, 1, 1]),
    ]:
        bins = np.zeros((2, 4, 1))
        metrics.threshold_bins(*bins, y, ones, None, None, np.float32(edges), even)
        assert bins[0, :, 0].tolist() == want
        assert not bins[1].any()
    for wrong in (np.zeros((3, 1)), np.zeros((4, 2)), np.zeros((4, 1), np.float32)):
        with pytest.raises(ValueError, match="bins must"):
            metrics.threshold_bins(wrong, wrong.copy(), y, ones, None, None, np.float32([0, 0.5, 1]))


def test_a_prediction_at_the_threshold_is_not_above_it():
    y, t = np.array([[0.3, 0.30001, 0.2]], np.float32), np.array([[0, 1, 0]], np.float32)
    assert metrics.accuracy(y, t, None, "binary", 0.3) == (1, 1)
    assert metrics.accuracy(y, 1 - t, None, "binary", 0.3) == (0, 1)


@pytest.mark.parametrize("width", [2, 19, 37])
def test_the_first_of_equal_largest_counts(width):
    y = np.zeros((3, width), np.float32)
    y[1, width - 1] = y[2, width // 2] = 0.5
    labels = np.array([0, width - 1, width // 2], np.int32)
    assert metrics.accuracy(y, labels, None, "sparse") == (3, 3)
    assert metrics.accuracy(y, labels[[1, 2, 0]], None, "sparse")[0] == (width == 2)
    t = np.eye(width, dtype=np.float32)[labels]
    assert metrics.accuracy(y, t, None, "categorical") == (3, 3)


def test_a_label_outside_the_classes_is_no_match():
    y = np.ones((2, 3), np.float32)
    assert metrics.accuracy(y, np.array([-1, 3], np.int32), None, "sparse") == (0, 2)


def test_the_first_class_is_the_largest_of_nothing_but_nan():
    y = np.full((2, 5), np.nan, np.float32)
    assert metrics.accuracy(y, np.array([0, 4], np.int32), None, "sparse") == (1, 2)


def test_wrong_arguments_are_named():
    y = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"y_true.*\(2, 3\)"):
        metrics.accuracy(y, y[:1], None, "binary")
    with pytest.raises(ValueError, match=r"y_true.*int32"):
        metrics.accuracy(y, y, None, "sparse")
    with pytest.raises(ValueError, match="weights"):
        metrics.accuracy(y, y, np.zeros(3, np.float32), "binary")
