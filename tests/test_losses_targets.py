"""Gradients of losses lead back to the targets as well as to the predictions."""

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference
from loss_cases import CLASSES, SPARSE

import fastkeras
from fastkeras import losses, ops

RNG = np.random.default_rng(13)


# (what the reference calls it, the loss, its targets): y_true may be what a tape watches, as well as y_pred.
COUNTS, SHARES, EDGE = RNG.uniform(0.1, 3, (5, 3)), RNG.uniform(0.1, 0.9, (5, 3)), np.eye(3)[[0, 2, 1, 1, 0]]
TO_TARGETS = [
    *[(name, CLASSES[name](), RNG.normal(size=(5, 3))) for name in (
        "mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "mean_absolute_percentage_error",
        "cosine_similarity", "hinge", "squared_hinge")],
    *[(name, CLASSES[name](), SHARES) for name in (
        "mean_squared_logarithmic_error", "poisson", "kl_divergence", "binary_crossentropy", "categorical_crossentropy",
        "binary_focal_crossentropy", "categorical_focal_crossentropy")],
    *[(f"{name}_from_logits", CLASSES[name](from_logits=True), SHARES) for name in (
        "binary_crossentropy", "categorical_crossentropy", "binary_focal_crossentropy",
        "categorical_focal_crossentropy")],
    ("categorical_hinge", losses.CategoricalHinge(), SHARES),
    ("dice", losses.Dice(axis=-1), SHARES),
    ("tversky", losses.Tversky(0.2, 0.9, axis=-1), SHARES),
]  # fmt: skip


def gradients(loss, t, y, *arguments):
    """Those of sum(loss(t, y)), of targets and predictions."""
    u, v = fastkeras.Variable(t), fastkeras.Variable(y)
    with fastkeras.GradientTape() as tape:
        value = ops.sum(loss(u * 1.0, v * 1.0, *arguments))
    return tape.gradient(value, [u, v])


@pytest.mark.parametrize(("name", "loss", "t"), TO_TARGETS, ids=[case[0] for case in TO_TARGETS])
def test_gradients_of_targets_are_those_of_central_differences(name, loss, t):
    y, d = RNG.uniform(0.1, 0.9, (5, 3)), RNG.uniform(0.5, 1.5, 5)
    numbers = {"alpha": 0.2, "beta": 0.9, "axis": -1} if name == "tversky" else {"axis": -1} if name == "dice" else {}

    def function(t):
        return getattr(reference, name)(y, t, **numbers)

    u, v = fastkeras.Variable(t), fastkeras.Variable(y)
    with fastkeras.GradientTape() as tape:
        values = loss.call(u * 1.0, v * 1.0)
    of_targets, of_predictions = tape.gradient(values, [u, v], ops.convert_to_tensor(d))
    assert_close(of_targets, central_difference(function, t, d), 2e-5)
    backward = getattr(reference, f"{name}_backward")
    assert_close(of_predictions, backward(d, y, t, **numbers), 2e-5)
    reduced, _ = gradients(loss, t, y, d)
    assert_close(reduced, central_difference(function, t, d / 5), 2e-5)


@pytest.mark.parametrize("name", [n for n in CLASSES if "crossentropy" in n and n != SPARSE])
@pytest.mark.parametrize("options", [
    {"label_smoothing": 0.3}, {"axis": 1}, {"reduction": "none"}, {"reduction": "sum", "from_logits": True},
])  # fmt: skip
def test_gradients_of_targets_of_crossentropies_that_are_smoothed_or_lie_across(name, options):
    if "focal" in name:
        binary = {"apply_class_balancing": True, "alpha": 0.3}
        options = {**options, **(binary if "binary" in name else {"alpha": [0.2, 0.5, 1.1]})}
    y, t = RNG.uniform(0.1, 0.9, (2, 3, 3)), RNG.uniform(0.1, 0.9, (2, 3, 3))
    loss = CLASSES[name](**options)

    def function(t):
        smooth = reference.smooth_binary if "binary" in name else reference.smooth_categorical
        across = "axis" in options
        rows_y, rows_t = (np.swapaxes(x, 1, 2).reshape(6, 3) if across else x.reshape(6, 3) for x in (y, t))
        rows_t = smooth(rows_t, options.get("label_smoothing", 0))
        numbers = {"alpha": np.array(options["alpha"])} if "focal" in name else {}
        whole = f"{name}_from_logits" if "from_logits" in options else name
        return getattr(reference, whole)(rows_y, rows_t, **numbers)

    scale = 1 if "reduction" in options else 1 / 6
    assert_close(gradients(loss, t, y)[0], central_difference(function, t, np.full(6, scale)), 3e-5)


@pytest.mark.parametrize("cls", [losses.Hinge, losses.SquaredHinge])
def test_targets_of_0_and_1_lead_back_through_those_of_hinges(cls):
    y = RNG.normal(size=(5, 3))
    of_bits, of_signs = (gradients(cls(), t, y)[0] for t in (EDGE, 2 * EDGE - 1))
    assert np.any(of_signs) and np.array_equal(of_bits, 2 * of_signs)


def test_one_column_of_targets_gets_the_sum_of_what_all_columns_get():
    y, t = COUNTS, RNG.uniform(0.1, 3, (5, 1))
    for loss in (losses.Poisson(), losses.CosineSimilarity(axis=1)):
        each = gradients(loss, np.broadcast_to(t, y.shape), y)[0]
        together = gradients(loss, t, y)[0]  # of cosines only rounding is left: lengths do not change them
        np.testing.assert_allclose(together, np.sum(each, axis=1, keepdims=True), atol=1e-6 * np.abs(each).max())


def test_crossentropy_by_any_name_leads_back_to_targets_that_are_no_labels():
    loss, p = losses.get("crossentropy"), reference.softmax(RNG.normal(size=(5, 3)))
    assert_close(gradients(loss, SHARES, p)[0], gradients(losses.CategoricalCrossentropy(), SHARES, p)[0], 1e-7)
    assert_close(
        gradients(loss, SHARES[:, :1], p[:, :1])[0],
        gradients(losses.BinaryCrossentropy(), SHARES[:, :1], p[:, :1])[0],
        1e-7,
    )
    of_labels, of_predictions = gradients(loss, np.float32([[0], [2], [1], [1], [0]]), p)
    assert of_labels is None and np.any(of_predictions)


def test_labels_have_no_gradient():
    logits = RNG.normal(size=(2, 7, 5))
    for loss, labels in (
        (losses.SparseCategoricalCrossentropy(from_logits=True), np.ones((2, 7))),
        (losses.CTC(), np.ones((2, 3))),
    ):
        of_labels, of_predictions = gradients(loss, labels, logits)
        assert of_labels is None and np.any(of_predictions)


def test_losses_of_ones_own_lead_back_to_the_targets_if_they_compute_in_ops():
    t, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))

    class Ours(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_pred * y_true), axis=-1)

    class Forward(losses.Loss):
        def forward(self, y_true, y_pred):
            return ops.mean(ops.square(y_pred * y_true), axis=-1)

    want = 2 * y * y * t / 15
    for loss in (Ours(), Forward(), losses.get(lambda t, y: ops.square(y * t))):
        assert_close(gradients(loss, t, y)[0], want, 1e-5)
    assert_close(gradients(Forward(reduction=None), t, y)[0], 5 * want, 1e-5)
    of_signs, of_predictions = gradients(losses.get(lambda t, y: ops.sign(t) * y), t, y)
    assert of_signs is None and np.any(of_predictions)

    def fast(t, y):
        return ((y - t) ** 2).mean(axis=1), 2 * (y - t) / 3

    with pytest.raises(NotImplementedError, match=r"Loss 'fast' gives the gradient of y_pred alone.*stop_gradient"):
        gradients(losses.get(fast), t, y)
    assert losses.get(fast)(t, y) > 0


@pytest.mark.parametrize("shape", [(5, 3), (5, 1)])
@pytest.mark.parametrize("cls", [losses.MeanSquaredError, losses.MeanAbsoluteError, losses.Huber, losses.LogCosh])
def test_losses_of_differences_lead_back_to_the_targets(cls, shape):
    """Whichever argument is computed with weights: a siamese network compares two."""
    a, b = (RNG.normal(size=n).astype(np.float32) for n in (shape, (5, 3)))
    weights = RNG.uniform(0.5, 1.5, 5).astype(np.float32)
    for loss in (cls(), cls(reduction="none")):
        found = []
        for targets, predictions in ((a, b), (b, np.broadcast_to(a, b.shape))):
            u, v = fastkeras.Variable(targets), fastkeras.Variable(predictions)
            with fastkeras.GradientTape() as tape:
                value = ops.sum(loss(u * 1.0, v * 1.0, weights))
            found.append(tape.gradient(value, [u, v]))
        (of_a, of_b), (of_b_as_targets, of_a_as_predictions) = found
        assert_close(of_b_as_targets, of_b, 1e-6)
        assert_close(
            of_a, np.sum(of_a_as_predictions, axis=1, keepdims=True) if shape == (5, 1) else of_a_as_predictions, 1e-5
        )


def test_a_row_of_targets_may_have_no_axis_of_columns():
    u, v = fastkeras.Variable([1.0, 2.0]), fastkeras.Variable([[3.0], [7.0]])
    with fastkeras.GradientTape() as tape:
        value = losses.MeanSquaredError()(u * 1.0, v * 1.0)
    of_targets, of_predictions = tape.gradient(value, [u, v])
    assert of_predictions.tolist() == [[2], [5]] and of_targets.tolist() == [-2, -5]
