"""losses.c against the reference: values, gradient, probabilities, and the same bits for any threads."""

import numpy as np
import pytest
import reference
from checks import assert_close, same_bits_for_any_threads

from fastkeras._kernels import losses

RNG = np.random.default_rng(41)
# one row, one column, odd widths around a vector's length, and enough for several blocks and threads
SHAPES = [(1, 1), (2, 3), (5, 1), (67, 1), (7, 11), (3, 17), (13, 46), (1, 1031), (5003, 1), (1009, 31)]
NUMBERS = ["mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "huber", "log_cosh"]
NUMBERS += ["hinge", "squared_hinge", "categorical_hinge", "cosine_similarity"]
POSITIVE = ["mean_squared_logarithmic_error", "poisson", "kl_divergence"]
CROSSENTROPIES = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]
FOCAL = ["binary_focal_crossentropy", "categorical_focal_crossentropy"]
CASES = [(name, False) for name in NUMBERS + POSITIVE]
CASES += [(name, from_logits) for name in CROSSENTROPIES + FOCAL for from_logits in (False, True)]
GIVES_PROBABILITIES = [(name, True) for name in CROSSENTROPIES]
# What the kernels and the reference take beside predictions and targets.
NUMBERS_OF = {
    "huber": ({"delta": 1.5}, {"delta": 1.5}),
    "binary_focal_crossentropy": ({"gamma": 2.0}, {"gamma": 2.0}),
    "categorical_focal_crossentropy": ({"alpha": 0.25, "gamma": 2.0},) * 2,
}


def make(name, from_logits=False, smoothing=0.0):
    return losses.Loss(name, from_logits, smoothing, **NUMBERS_OF.get(name, ({}, {}))[0])


def predictions(name, from_logits, shape):
    if from_logits or name in NUMBERS:
        return RNG.normal(0.3, 3.0, shape).astype(np.float32)
    p = RNG.random(shape) ** 2 + 1e-3
    if name == "poisson" or name in FOCAL:
        return p.astype(np.float32) / 1.1
    if shape[1] == 1:
        return p.astype(np.float32)  # categorical divides by the sum
    return np.where(RNG.random(shape) < 0.2, RNG.choice([0.0, 1.0, 1e-7, 1e-9], shape), p).astype(np.float32)


def targets(name, shape):
    if name == "sparse_categorical_crossentropy":
        return RNG.integers(0, shape[1], shape[0]).astype(np.int32)
    if name in ("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence"):
        return RNG.dirichlet(np.ones(shape[1]), shape[0]).astype(np.float32)
    if name == "categorical_hinge":
        return np.eye(shape[1], dtype=np.float32)[RNG.integers(0, shape[1], shape[0])]
    if name in ("binary_crossentropy", "binary_focal_crossentropy", "hinge"):
        return (RNG.random(shape) < 0.4).astype(np.float32)
    if name == "squared_hinge":
        return np.where(RNG.random(shape) < 0.4, -1, 1).astype(np.float32)
    return RNG.normal(size=shape).astype(np.float32) + 2 * (name in [*POSITIVE, "cosine_similarity"])


def run(kernel, y, t, w=None, scale=1.0, gradient=True, probabilities=False):
    values = np.empty(len(y), np.float32)
    dy = np.empty_like(y) if gradient else None
    p = np.empty_like(y) if probabilities else None
    total = losses.forward(values, dy, p, y, t, w, scale, kernel)
    return total, values, dy, p


def expected(name, from_logits, y, t, w, scale, smoothing=0.0):
    y = y.astype(np.float64)
    numbers = NUMBERS_OF.get(name, ({}, {}))[1]
    if name.startswith("binary"):
        t = reference.smooth_binary(t, smoothing)
    if name.startswith("categorical") and name != "categorical_hinge":
        t = reference.smooth_categorical(t, smoothing)
    name += "_from_logits" * from_logits
    values = getattr(reference, name)(y, t, **numbers)
    return values @ w, values, getattr(reference, f"{name}_backward")(scale * w, y, t, **numbers)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "from_logits"), CASES)
def test_value_and_gradient_are_the_reference(name, from_logits, shape):
    y, t = predictions(name, from_logits, shape), targets(name, shape)
    w = RNG.random(shape[0]).astype(np.float32)
    kernel = make(name, from_logits)
    gives = (name, from_logits) in GIVES_PROBABILITIES
    total, values, dy, p = same_bits_for_any_threads(lambda: run(kernel, y, t, w, 0.7, probabilities=gives))
    want_total, want_values, want_dy = expected(name, from_logits, y, t, w.astype(np.float64), 0.7)
    assert_close(values, want_values, 4e-6, "values")
    if name != "cosine_similarity" or shape[1] > 1:  # a number alone has only a direction
        assert_close(dy, want_dy, 4e-6, "dy")
    assert_close(total, want_total, 4e-6, "total")
    if gives:
        link = reference.sigmoid if name == "binary_crossentropy" else reference.softmax
        assert_close(p, link(y.astype(np.float64)), 2e-6, "p")


@pytest.mark.parametrize(("name", "from_logits"), CASES)
def test_evaluating_gives_the_same_values_without_a_gradient(name, from_logits):
    y, t = predictions(name, from_logits, (7, 19)), targets(name, (7, 19))
    kernel = make(name, from_logits)
    total, values, _, _ = run(kernel, y, t)
    total_only, values_only, _, _ = run(kernel, y, t, gradient=False)
    assert total_only == total
    assert values_only.tobytes() == values.tobytes()
    if (name, from_logits) in GIVES_PROBABILITIES:
        _, _, _, p = run(kernel, y, t, gradient=False, probabilities=True)
        _, _, _, p_too = run(kernel, y, t, probabilities=True)
        assert p.tobytes() == p_too.tobytes()


@pytest.mark.parametrize("shape", [(5, 1), (5, 7), (3, 37)], ids=str)
@pytest.mark.parametrize(("name", "from_logits"), CASES[:5] + GIVES_PROBABILITIES)
def test_outputs_may_overwrite_the_predictions(name, from_logits, shape):
    y, t = predictions(name, from_logits, shape), targets(name, shape)
    kernel, values = make(name, from_logits), np.empty(len(y), np.float32)
    total, _, dy, p = run(kernel, y, t, probabilities=from_logits)
    in_place = y.copy()
    assert losses.forward(values, in_place, None, in_place, t, None, 1.0, kernel) == total
    assert_close(in_place, dy, 3e-7)
    if from_logits:
        in_place, dy_too = y.copy(), np.empty_like(y)
        assert losses.forward(values, dy_too, in_place, in_place, t, None, 1.0, kernel) == total
        assert in_place.tobytes() == p.tobytes()
        assert dy_too.tobytes() == dy.tobytes()


@pytest.mark.parametrize("shape", [(5, 1), (5, 7), (3, 37)], ids=str)
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy", *FOCAL])
def test_label_smoothing(name, from_logits, shape):
    y, t = predictions(name, from_logits, shape), targets(name, shape)
    kernel = make(name, from_logits, 0.3)
    total, values, dy, _ = run(kernel, y, t, scale=2.0)
    want_total, want_values, want_dy = expected(name, from_logits, y, t, np.ones(len(y)), 2.0, 0.3)
    assert_close(values, want_values, 2e-6, "values")
    assert_close(dy, want_dy, 2e-6, "dy")
    assert_close(total, want_total, 2e-6, "total")


def test_focal_losses_balance_classes_and_take_any_focus():
    y, t = predictions("binary_focal_crossentropy", False, (5, 7)), targets("binary_crossentropy", (5, 7))
    for gamma, alpha in [(0.0, 0.3), (1.0, 0.9), (0.5, 0.25)]:
        for from_logits in (False, True):
            kernel = losses.Loss("binary_focal_crossentropy", from_logits, gamma=gamma, alpha=alpha, balanced=True)
            _, values, dy, _ = run(kernel, y, t)
            name = "binary_focal_crossentropy" + "_from_logits" * from_logits
            y64 = y.astype(np.float64)
            assert_close(values, getattr(reference, name)(y64, t, gamma, alpha), 4e-6, "values")
            assert_close(dy, getattr(reference, f"{name}_backward")(np.ones(5), y64, t, gamma, alpha), 4e-6, "dy")


def test_hinge_takes_zeros_and_ones_only_if_there_is_nothing_else():
    y, t = np.float32([[0.5, -2.0], [3.0, 0.25]]), np.float32([[0, 1], [1, 1]])
    assert_close(run(make("hinge"), y, t)[1], [(1.5 + 3) / 2, (0 + 0.75) / 2], 1e-6)
    t[0, 1] = -1
    assert_close(run(make("hinge"), y, t)[1], [(1 + 0) / 2, (0 + 0.75) / 2], 1e-6)


def test_equal_largest_terms_share_the_gradient():
    y, t = np.float32([[2.0, 3.0, 3.0, 1.0]]), np.float32([[1, 0, 0, 0]])
    _, values, dy, _ = run(make("categorical_hinge"), y, t)
    assert_close(values, [2.0], 1e-7)
    assert_close(dy, [[-1, 0.5, 0.5, 0]], 1e-7)


def test_a_row_of_zeros_has_no_direction():
    _, values, dy, _ = run(make("cosine_similarity"), np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))
    assert values[0] == 0
    assert np.isfinite(dy).all()


@pytest.mark.parametrize("shape", [(3, 1), (3, 23)], ids=str)
@pytest.mark.parametrize(("name", "from_logits"), CASES)
def test_nan_stays_in_the_loss_and_its_gradient(name, from_logits, shape):
    y, t = predictions(name, from_logits, shape), targets(name, shape)
    _, whole, whole_dy, _ = run(make(name, from_logits), y, t)
    y[1, 0] = np.nan
    _, values, dy, _ = run(make(name, from_logits), y, t)
    assert np.isnan(values).tolist() == [False, True, False]
    if name == "hinge":
        assert dy[1, 0] == 0
    else:
        assert np.isnan(dy[1, 0])
    assert values[::2].tobytes() == whole[::2].tobytes()
    assert dy[::2].tobytes() == whole_dy[::2].tobytes()


@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_large_logits_do_not_overflow(name):
    y = np.array([[1e4, -1e4, 3e38], [-90, 90, 0], [-3e38, 100, 1e4]], np.float32)
    t = np.array([0, 2, 1], np.int32) if "sparse" in name else np.eye(3, dtype=np.float32)[[0, 2, 1]]
    _, values, dy, p = run(losses.Loss(name, True), y, t, probabilities=True)
    _, want_values, want_dy = expected(name, True, y, t, np.ones(3), 1.0)
    assert_close(values, want_values, 1e-6)
    assert_close(dy, want_dy, 1e-6)
    assert np.isfinite(p).all()


def test_the_loss_of_a_confident_right_answer_is_accurate():
    z = np.array([[12.0], [16.0], [40.0]], np.float32)
    _, values, _, _ = run(losses.Loss("binary_crossentropy", True), z, np.ones((3, 1), np.float32))
    np.testing.assert_allclose(values, np.log1p(np.exp(-z[:, 0].astype(np.float64))), rtol=3e-7)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize(("labels", "row"), [([0, 3, 1], 1), ([0, 1, -1], 2), ([2**31 - 1, 0, 0], 0)])
def test_a_label_outside_the_classes_is_named_and_nothing_written(labels, row, from_logits):
    y, values, dy = (
        np.full((3, 3), 0.5, np.float32),
        np.full(3, 7, np.float32),
        np.full((3, 3), 7, np.float32),
    )
    kernel = losses.Loss("sparse_categorical_crossentropy", from_logits)
    with pytest.raises(ValueError, match=rf"\[0, 3\).*Received: {labels[row]} at row {row}"):
        losses.forward(values, dy, None, y, np.array(labels, np.int32), None, 1.0, kernel)
    assert (values == 7).all()
    assert (dy == 7).all()


@pytest.mark.parametrize(("name", "from_logits"), CASES)
def test_no_rows(name, from_logits):
    y, t = predictions(name, from_logits, (0, 3)), targets(name, (0, 3))
    assert run(make(name, from_logits), y, t)[0] == 0.0


def test_wrong_shapes_and_types_are_named():
    y, t, values = np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32), np.zeros(2, np.float32)
    mse, scce = losses.Loss("mean_squared_error"), losses.Loss("sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"y_true.*\(2, 3\)"):
        losses.forward(values, None, None, y, t[:, :2].copy(), None, 1.0, mse)
    with pytest.raises(ValueError, match=r"y_true.*int32"):
        losses.forward(values, None, None, y, values, None, 1.0, scce)
    with pytest.raises(ValueError, match="weights"):
        losses.forward(values, None, None, y, t, np.zeros(3, np.float32), 1.0, mse)
    with pytest.raises(ValueError, match="dy"):
        losses.forward(values, y[:1], None, y, t, None, 1.0, mse)
    with pytest.raises(ValueError, match="from logits"):
        losses.forward(values, None, y, y, t, None, 1.0, mse)
