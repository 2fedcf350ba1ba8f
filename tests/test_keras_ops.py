"""fastkeras.ops against keras.ops on TensorFlow, live: values and gradients, eagerly.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow
from op_cases import ALL, PLAIN, arguments, label

import fastkeras
from fastkeras import ops

pytestmark = needs_tensorflow

# TensorFlow has no gradient for Keras's slice_update, and cannot correlate with what is longer.
COMPARED = [case for case in ALL if case[0] != "slice_update" and case[:2] != ("correlate", [(3,), (7,)])]


@pytest.fixture(scope="module")
def keras():
    return keras_module()


@pytest.mark.parametrize("case", COMPARED, ids=label)
def test_values_and_gradients_are_keras_s(keras, case):
    import tensorflow as tf

    name, _, options = case
    xs, moves = arguments(case, np.float32)
    theirs = [tf.constant(x) if moved else x for x, moved in zip(xs, moves, strict=True)]
    sources = [x for x, moved in zip(theirs, moves, strict=True) if moved]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        wanted = getattr(keras.ops, name)(*theirs, **options)
        total = tf.reduce_sum(wanted**3)
    wanted_gradients = tape.gradient(total, sources)

    ours = [fastkeras.Variable(x) if moved else x for x, moved in zip(xs, moves, strict=True)]
    with fastkeras.GradientTape() as tape:
        y = getattr(ops, name)(*ours, **options)
        total = ops.sum(y**3)
    gradients = tape.gradient(total, [x for x, moved in zip(ours, moves, strict=True) if moved])
    assert y.dtype == wanted.dtype.as_numpy_dtype
    assert_close(y, wanted, 1e-5)
    for gradient, expected in zip(gradients, wanted_gradients, strict=True):
        assert_close(gradient, tf.convert_to_tensor(expected), 3e-5)


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: f"{case[0]} {case[2]}")
def test_values_without_a_slope_are_keras_s(keras, case):
    name, args, kwargs = case
    found, wanted = (getattr(module, name)(*args, **kwargs) for module in (ops, keras.ops))
    several = isinstance(wanted, (list, tuple))
    for y, expected in zip(*((found, wanted) if several else ([found], [wanted])), strict=True):
        assert_close(y, expected, 1e-5)


def test_factors_and_ctc_are_keras_s(keras):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 3)).astype(np.float32)
    a = x @ x.T + np.diag(np.float32([1.0, 2.0, 3.0]))
    logits, labels = rng.normal(size=(2, 7, 5)).astype(np.float32), np.array([[1, 1, 4], [2, 3, 0]], np.int32)
    counts = np.array([3, 2], np.int32), np.array([7, 5], np.int32)
    calls = {
        "cholesky": (lambda k, a: k.cholesky(a), a),
        "eigh": (lambda k, a: k.eigh(a)[0], a),
        "logdet": (lambda k, a: k.logdet(a), a),
        "slogdet": (lambda k, a: k.slogdet(a)[1], a),
        "ctc_loss": (lambda k, x: k.ctc_loss(labels, x, *counts), logits),
    }
    for name, (call, source) in calls.items():
        theirs, ours = tf.constant(source), fastkeras.Variable(source)
        with tf.GradientTape() as tape:
            tape.watch(theirs)
            wanted = call(keras.ops, theirs)
            total = tf.reduce_sum(wanted**2)
        expected = np.asarray(tape.gradient(total, theirs))
        with fastkeras.GradientTape() as tape:
            y = call(ops, ours)
            total = ops.sum(y**2)
        gradient = np.asarray(tape.gradient(total, ours))
        if source is a:  # of a symmetric matrix: TensorFlow may give its lower triangle alone
            expected, gradient = expected + expected.T, gradient + gradient.T
        assert_close(y, wanted, 1e-5, name)
        assert_close(gradient, expected, 1e-4, name)
    for found, wanted in zip(*(k.ctc_decode(logits, counts[1]) for k in (ops, keras.ops)), strict=True):
        assert_close(found, wanted, 1e-6)
