"""Single layers against Keras 3 on TensorFlow, live: outputs, all gradients, masks, shapes and configurations.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import numpy as np
import pytest
from checks import assert_close
from layer_cases import CASES, inputs, weights
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras.core.rows import dense
from fastkeras.core.run import Run
from fastkeras.core.variable import pack

pytestmark = needs_tensorflow


def of_fastkeras(layer, xs, masks, training):
    """(y, gradients of inputs and weights for dy = cos(0), cos(1) ..., mask, weights)"""
    shapes = [x.shape for x in xs]
    layer._prepare(shapes)
    variables = layer.trainable_variables
    pack(layer.variables)
    for variable, value in zip(variables, weights([v.shape for v in variables]), strict=True):
        variable.value[...] = value
    run = Run(training=training, mask=masks[0], trains=True, wants_dx=True)
    several = len(xs) > 1
    run.masks = masks if several else None
    x, mask = (xs, masks) if several else (xs[0], masks[0])
    y, backward = layer.forward(x, run)
    mask = layer.compute_mask(x, mask)
    y = dense(y, run)[0].copy()
    dx = backward(upstream(y.shape))
    return y, [*(dx if several else [dx]), *(v.grad for v in variables)], mask


def upstream(shape):
    return np.cos(np.arange(np.prod(shape))).reshape(shape).astype("f")


def of_keras(layer, xs, masks, training):
    import tensorflow as tf
    from keras.src import backend

    several = len(xs) > 1 or hasattr(layer, "_merge_function")
    layer.build([x.shape for x in xs] if several else xs[0].shape)
    for variable, value in zip(
        layer.trainable_variables, weights([v.shape for v in layer.trainable_variables]), strict=True
    ):
        variable.assign(value)
    given = [tf.Variable(x) for x in xs]
    with tf.GradientTape() as tape:
        tensors = [tf.identity(x) for x in given]
        for tensor, mask in zip(tensors, masks, strict=True):
            if mask is not None:
                backend.set_keras_mask(tensor, tf.constant(mask))
        y = layer(tensors if several else tensors[0], training=training)
        total = tf.reduce_sum(y * upstream(y.shape))
    gradients = tape.gradient(total, [*given, *(v.value for v in layer.trainable_variables)])
    mask = backend.get_keras_mask(y)
    return y.numpy(), gradients, None if mask is None else mask.numpy()


def label(case):
    name, arguments, shapes, *options = case
    return f"{name}-{arguments}-{shapes}-{options}"


@pytest.mark.parametrize("case", CASES, ids=label)
def test_layer(case):
    keras = keras_module()
    name, arguments, shapes, *rest = case
    options = rest[0] if rest else {}
    xs, masks = inputs(shapes, options.get("masks", ()))
    ours, theirs = getattr(fastkeras.layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    y, gradients, mask = of_fastkeras(ours, xs, masks, options.get("training", False))
    wanted_y, wanted_gradients, wanted_mask = of_keras(theirs, xs, masks, options.get("training", False))

    assert_close(y, wanted_y, 2e-5, "y")
    for i, (gradient, wanted) in enumerate(zip(gradients, wanted_gradients, strict=True)):
        assert_close(gradient, wanted, 5e-5, f"gradient {i}")
    if wanted_mask is None:
        assert mask is None
    else:
        np.testing.assert_array_equal(mask, wanted_mask)

    symbolic = [fastkeras.Input(batch_shape=(None, *shape[1:])) for shape in shapes]
    theirs_symbolic = [keras.Input(batch_shape=(None, *shape[1:])) for shape in shapes]
    several = len(shapes) > 1 or ours.takes_list
    expected = theirs(theirs_symbolic if several else theirs_symbolic[0]).shape
    assert ours(symbolic if several else symbolic[0]).shape == expected

    config, wanted_config = ours.get_config(), theirs.get_config()
    for skipped in ("name", "dtype"):
        config.pop(skipped), wanted_config.pop(skipped)
    if "activity_regularizer" not in config:  # ours is only written if there is one
        assert wanted_config.pop("activity_regularizer", None) is None
    assert set(config) == set(wanted_config)
    for key, value in wanted_config.items():
        if not isinstance(value, dict):  # objects are written in a form that Keras 2 reads, too
            assert np.array_equal(config[key], value), key
    assert type(theirs).from_config(config).get_config().get("trainable", True) is True
