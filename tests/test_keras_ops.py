"""fastkeras.ops against keras.ops on TensorFlow, live: values and gradients, eagerly.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import numpy as np
import pytest
from checks import assert_close
from live import keras_module, needs_tensorflow
from op_cases import ALL, arguments, label

import fastkeras
from fastkeras import ops

pytestmark = needs_tensorflow

COMPARED = [case for case in ALL if case[0] != "slice_update"]  # TensorFlow has no gradient for Keras's


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
