"""The CTC loss: on arrays, over masked steps, in training, what it refuses, and as an op; and decoding."""

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference

import fastkeras
from fastkeras import losses, ops

RNG = np.random.default_rng(13)


SAID = np.array([[1, 2, 0], [3, 3, 0], [0, 0, 0], [2, 1, 2]])
STEPS = RNG.normal(size=(4, 5, 4)).astype("f")


def ctc_values(steps=(5, 5, 5, 5)):
    samples = zip(SAID, STEPS.astype("d"), steps, strict=True)
    return np.array([reference.ctc_loss(y[y > 0], x[:n]) for y, x, n in samples])


def test_ctc_on_arrays():
    weights = np.array([1.0, 0.5, 0.0, 2.0])
    assert_close(losses.ctc(SAID, STEPS), ctc_values(), 2e-6)
    assert_close(losses.CTC()(SAID, STEPS), ctc_values().mean(), 2e-6)
    assert_close(losses.CTC()(SAID, STEPS, weights), (weights * ctc_values()).mean(), 2e-6)
    weighted = losses.CTC(reduction="mean_with_sample_weight")(SAID, STEPS, weights)
    assert_close(weighted, weights @ ctc_values() / weights.sum(), 2e-6)
    assert_close(losses.CTC(reduction="none")(SAID, STEPS, weights), weights * ctc_values(), 2e-6)
    with fastkeras.GradientTape() as tape:
        x = ops.convert_to_tensor(STEPS)
        tape.watch(x)
        loss = losses.CTC()(SAID, x, weights)
    slopes = [reference.ctc_loss_backward(y[y > 0], x) for y, x in zip(SAID, STEPS.astype("d"), strict=True)]
    assert_close(tape.gradient(loss, x), weights[:, None, None] * slopes / 4, 1e-5)


def test_ctc_of_masked_steps():
    steps, dx = np.array([5, 4, 1, 3]), np.empty_like(STEPS)
    mask, loss = np.arange(5) < steps[:, None], losses.CTC()
    prepared = loss.prepare(SAID, (None, None, 4))
    assert_close(
        loss.compute_whole(prepared, STEPS, mask, None, 2.0, dx, None, None), 2 * ctc_values(steps).mean(), 2e-6
    )
    assert not dx[~mask].any()
    with pytest.raises(ValueError, match="at the end only"):
        loss.compute_whole(prepared, STEPS, mask[:, ::-1], None, 1.0, None, None, None)
    with pytest.raises(ValueError, match=r"the 2 labels of sample 1 need 3 steps .*Received: predictions of 2 steps"):
        loss.compute_whole(prepared, STEPS, np.arange(5) < [[5], [2], [2], [3]], None, 1.0, None, None, None)


def test_a_model_learns_by_ctc_what_is_said():
    """Steps that show a class or silence; the labels, without times, are enough to learn to read them."""
    classes = RNG.integers(1, 4, (64, 3))
    x = np.eye(4, dtype="f")[np.repeat(np.stack([classes, 0 * classes], axis=2).reshape(64, 6), 2, axis=1)]
    model = fastkeras.Sequential([fastkeras.Input((12, 4)), fastkeras.layers.Dense(4)])
    model.compile(fastkeras.optimizers.Adam(0.1), "ctc")
    history = model.fit(x, classes, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.1 * history[0]
    assert_close(model.evaluate(x, classes, verbose=0), losses.ctc(classes, model.predict(x, verbose=0)).mean(), 1e-5)


@pytest.mark.parametrize(("y", "shape", "message"), [
    ([[1, 2]], (1, 5), r"\(samples, labels\).*Received: shapes \(1, 2\) and \(1, 5\)"),
    ([[1, 0, 2]], (1, 5, 3), r"0 is the blank.*Received: \[1 0 2\]"),
    ([[1, 3]], (1, 5, 3), r"labels must lie in \[1, 3\).*Received: labels from 1 to 3"),
    ([[1, 1, 1]], (1, 4, 3), r"the 3 labels of sample 0 need 5 steps"),
])  # fmt: skip
def test_what_ctc_cannot_take_is_named(y, shape, message):
    with pytest.raises(ValueError, match=message):
        losses.ctc(np.array(y), np.zeros(shape, "f"))


def test_the_op_takes_the_numbers_of_labels_and_steps():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(3, 7, 5)).astype(np.float32), np.array([[1, 1, 4], [2, 3, 0], [4, 0, 0]])
    labels, steps = np.array([3, 2, 1]), np.array([7, 5, 6])
    tensor = ops.convert_to_tensor(x)
    with fastkeras.GradientTape() as tape:
        tape.watch(tensor)
        loss = ops.ctc_loss(y, tensor, labels, steps)
    gradient = tape.gradient(loss, tensor)
    said = zip(y, x.astype("d"), labels, steps, strict=True)
    assert_close(loss, [reference.ctc_loss(y[:n], x[:t]) for y, x, n, t in said], 2e-6)
    last = np.roll(x, -1, axis=-1)  # the blank behind the labels
    assert_close(ops.ctc_loss(y - 1, last, labels, steps, mask_index=-1), loss, 1e-6)
    dy = np.float32([1.0, 1.0, 1.0])
    assert_close(gradient, central_difference(lambda x: ops.ctc_loss(y, x, labels, steps), x, dy, step=1e-2), 1e-3)
    assert np.isinf(ops.ctc_loss(y, x, labels, np.array([3, 5, 6]))[0])


def test_decoding_takes_the_best_of_each_step():
    best = np.array([[0, 1, 1, 0, 1, 2], [3, 3, 0, 3, 2, 2]])
    x = np.float32(np.eye(4)[best] * 2)
    labels, scores = ops.ctc_decode(x, np.array([6, 4]))
    np.testing.assert_array_equal(labels, [[[1, 1, 2, -1, -1, -1], [3, 3, -1, -1, -1, -1]]])
    np.testing.assert_array_equal(scores, [[-12], [-8]])
    labels, _ = ops.ctc_decode(x, np.array([6, 4]), merge_repeated=False, mask_index=3)
    np.testing.assert_array_equal(labels, [[[0, 1, 1, 0, 1, 2], [0, -1, -1, -1, -1, -1]]])
