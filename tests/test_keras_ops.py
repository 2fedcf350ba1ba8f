"""fastkeras.ops against keras.ops on TensorFlow, live: values and gradients, eagerly.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow
from op_cases import ALL, PLAIN, arguments, function_of, label

import fastkeras
from fastkeras import ops

pytestmark = needs_tensorflow

# TensorFlow has no gradient for Keras's slice_update, cannot correlate with what is longer, and reads the weights of
# bicubic without antialias from a table, exact to 1e-3. Keras's sparsemax does not sum to 1 where two are positive.
COMPARED = [
    case for case in ALL
    if case[0] not in ("slice_update", "sparsemax") and case[:2] != ("correlate", [(3,), (7,)])
    and case[2] != {"interpolation": "bicubic", "antialias": False}
]  # fmt: skip


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
        wanted = function_of(keras.ops, name)(*theirs, **options)
        total = tf.reduce_sum(wanted**3)
    wanted_gradients = tape.gradient(total, sources)

    ours = [fastkeras.Variable(x) if moved else x for x, moved in zip(xs, moves, strict=True)]
    with fastkeras.GradientTape() as tape:
        y = function_of(ops, name)(*ours, **options)
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


def test_every_name_is_here_or_said_to_be_absent(keras):
    for theirs, ours in ((keras.ops, ops), (keras.ops.image, ops.image), (keras.ops.nn, ops.nn)):
        names = {name for name in vars(theirs) if not name.startswith("_")}
        absent = getattr(ours, "ABSENT", ops.ABSENT)
        assert {name for name in names if not hasattr(ours, name)} <= absent.keys(), ours
        assert not any(hasattr(ours, name) for name in getattr(ours, "ABSENT", ())), ours


def test_fourier_transforms_are_keras_s(keras):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2, 5, 6)).astype(np.float32)
    window = rng.uniform(0.5, 1, 4).astype(np.float32)
    calls = [
        lambda k, a, b: k.fft((a, b)),
        lambda k, a, b: k.fft2((a, b)),
        lambda k, a, b: k.ifft2((a, b)),
        lambda k, a, b: k.rfft(a + b),
        lambda k, a, b: [k.irfft((a, b))],
        lambda k, a, b: k.stft(a + b, 4, 2, 5),
        lambda k, a, b: k.stft(a + b, 4, 1, 6, window=window, center=False),
        lambda k, a, b: k.stft(a + b, 3, 1, 4, window=None),
        # Not at its ends: TensorFlow divides there by what windows outside would add, too. (Nor with windows of odd
        # lengths, which it makes symmetric.)
        lambda k, a, b: [k.istft((k.tile(a, (1, 3, 1)), k.tile(b, (1, 3, 1))), 8, 2, 10)[..., 8:-8]],
        lambda k, a, b: [k.istft((k.tile(a, (1, 3, 1)), k.tile(b, (1, 3, 1))), 8, 3, 10, 20, "hamming")[..., 9:15]],
    ]
    for n in (5, 9):  # for which TensorFlow has no gradient
        for y, want in zip(ops.rfft(a, n), keras.ops.rfft(a, n), strict=True):
            assert_close(y, want, 1e-5)
        assert_close(ops.irfft((a, b), n), keras.ops.irfft((a, b), n), 1e-5)
    for i, call in enumerate(calls):
        theirs, ours = [tf.constant(a), tf.constant(b)], [fastkeras.Variable(a), fastkeras.Variable(b)]
        with tf.GradientTape() as tape:
            tape.watch(theirs)
            wanted = call(keras.ops, *theirs)
            total = sum(tf.reduce_sum((j + 1) * part**2) for j, part in enumerate(wanted))
        expected = tape.gradient(total, theirs)
        with fastkeras.GradientTape() as tape:
            found = call(ops, *ours)
            total = sum(ops.sum((j + 1) * part**2) for j, part in enumerate(found))
        for y, want in zip([*found, *tape.gradient(total, ours)], [*wanted, *expected], strict=True):
            assert y.dtype == np.float32
            assert_close(y, want, 1e-5, f"call {i}")


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
        "associative_scan": (lambda k, a: k.associative_scan(k.matmul, k.stack([a, a + 1, a * a])), a),
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
