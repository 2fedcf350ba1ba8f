"""Merging layers in fastkeras alone: distinct rows, graphs, calls on data, and what is refused.

Values, gradients, masks and shapes are compared with Keras in test_keras_layers.py, models in test_keras_parity.py.
"""

import numpy as np
import pytest
import reference
from checks import assert_close, central_difference

import fastkeras as keras
from fastkeras import layers
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run

RNG = np.random.default_rng(29)
A, B, C = RNG.normal(size=(3, 2, 5, 3)).astype("f")
ELEMENTWISE = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_are_the_reference_s(name):
    xs = [A, B] if name == "Subtract" else [A, B, C]
    y = getattr(layers, name)()(xs)
    assert_close(y, getattr(reference, name.lower())([x.astype(float) for x in xs]), 1e-6)
    np.testing.assert_array_equal(getattr(layers, name.lower())(xs), y)


def test_functions_are_the_layers():
    np.testing.assert_array_equal(layers.concatenate([A, B], axis=1), np.concatenate([A, B], 1))
    np.testing.assert_array_equal(layers.Concatenate()([A.tolist(), B]), np.concatenate([A, B], -1))
    assert_close(layers.dot([A, B], axes=(2, 2)), reference.dot(A.astype(float), B), 1e-6)
    cosine = layers.dot([A[:, 0], B[:, 0]], normalize=True)
    expected = (A[:, 0] * B[:, 0]).sum(1) / np.linalg.norm(A[:, 0], axis=1) / np.linalg.norm(B[:, 0], axis=1)
    assert_close(cosine, expected[:, None], 1e-6)
    assert layers.add([A, B]).shape == A.shape
    assert layers.add([keras.Input((3,)), keras.Input((3,))], name="both").name == "both"


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate"])
def test_the_same_rows_are_merged_once(name):
    """Inputs that share an index give what the dense arrays give, and the gradients of the rows."""
    values, index = RNG.normal(size=(2, 5, 3)).astype("f"), RNG.integers(0, 5, (7, 11)).astype(np.int32)
    layer = getattr(layers, name)()
    y, backward = layer.forward([Rows(v, index) for v in values], Run(wants_dx=True))
    plain, plain_backward = layer.forward([v[index] for v in values], Run(wants_dx=True))
    assert type(y) is Rows and y.index is index
    np.testing.assert_array_equal(y.values[index], plain)
    dy = RNG.normal(size=plain.shape).astype("f")
    dvalues = np.zeros(y.values.shape, "f")
    np.add.at(dvalues, index, dy)
    for found, dx in zip(backward(dvalues), plain_backward(dy), strict=True):
        expected = np.zeros((5, 3))
        np.add.at(expected, index, dx)
        assert_close(found, expected, 1e-5)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate", "Dot"])
def test_other_rows_are_made_dense(name):
    rng = np.random.default_rng(3)
    values, index = rng.normal(size=(5, 3)).astype("f"), rng.integers(0, 5, (2, 5)).astype(np.int32)
    layer = layers.Dot((2, 2)) if name == "Dot" else getattr(layers, name)()
    y, backward = layer.forward([Rows(values, index), A], Run(wants_dx=True))
    dy = rng.normal(size=y.shape).astype("f")
    dvalues, da = backward(dy.copy())

    def of_values(v):
        return layer.forward([v.astype("f")[index], A], Run())[0]

    assert_close(dvalues, central_difference(of_values, values, dy, step=1e-2), 2e-3, "dvalues")
    assert da.shape == A.shape


def test_a_layer_may_be_merged_with_itself_and_with_what_follows_it():
    """Gradients that two inputs share must not be overwritten by one of them."""
    keras.utils.set_random_seed(3)
    start = keras.Input((4,))
    h = layers.Dense(4, activation="tanh")(start)
    wide = layers.Reshape((1, 4))(layers.Dense(4, activation="tanh")(h))
    y = layers.add([h, layers.Dense(4, activation="sigmoid")(h), h, wide])  # (None, 1, 4)
    y = layers.Multiply()([y, y, layers.Average()([y, wide])])
    model = keras.Model(start, layers.Concatenate()([y, layers.Subtract()([wide, y])]))
    x, dy = RNG.normal(size=(3, 4)).astype("f"), RNG.normal(size=(3, 1, 8)).astype("f")
    run = Run(wants_dx=True)
    _, backward = model.forward(x, run)
    dx = backward(dy.copy())
    expected = central_difference(lambda v: model.forward(v.astype("f"), Run())[0], x, dy, step=1e-2)
    assert_close(dx, expected, 2e-3)


def test_masks_reach_a_model_inside_a_model():
    a, b = keras.Input((5, 3)), keras.Input((5, 3))
    inner = keras.Model([a, b], layers.Multiply()([a, b]))
    masks = [RNG.random((2, 5)) < 0.5 for _ in range(2)]
    expected = layers.Multiply()([A, B], mask=masks)
    np.testing.assert_array_equal(inner([A, B], mask=masks), expected)
    assert not np.array_equal(expected, A * B)


def test_an_input_alone():
    start = keras.Input((3,))
    model = keras.Model(start, layers.Average()([layers.Concatenate()([start])]))
    x = A[:, 0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    for again in (keras.Model.from_config(model.get_config()), keras.models.clone_model(model)):
        np.testing.assert_array_equal(again.predict(x, verbose=0), x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Add()(A), r"Layer 'add.*' \(Add\): expected a list of inputs. Received: array"),
        (lambda: layers.Add()(keras.Input((3,))), "expected a list of inputs"),
        (lambda: layers.Add()([]), "expected a list of inputs"),
        (lambda: layers.Add()([A, keras.Input((5, 3))]), "expected arrays, or tensors of a model, not both"),
        (lambda: keras.Sequential([layers.Dense(3, input_dim=2), layers.Add()]), "expected a list of inputs"),
        (lambda: layers.Subtract()([A, B, C]), r"\(Subtract\): expected 2 inputs. Received: shapes \[\(2, 5, 3\), "),
        (lambda: layers.Add()([A, B[:1]]), "whose extents are the same, or but for the batch 1"),
        (lambda: layers.Add()([A, B[:, :2]]), r"Received: shapes \[\(2, 5, 3\), \(2, 2, 3\)\]"),
        (lambda: layers.Multiply()([A, B[:, 0, :2]]), "whose extents are the same"),
        (lambda: layers.Concatenate(axis=1.5), "`axis` must be an integer. Received: axis=1.5"),
        (lambda: layers.Concatenate(3)([A, B]), "equally many axes, one of which is axis 3"),
        (lambda: layers.Concatenate()([A, B[:, 0]]), "equally many axes"),
        (lambda: layers.concatenate([A, B[:, :2]]), "whose extents are the same but on axis -1"),
        (lambda: layers.Dot((1, 2, 3)), r"Dot: `axes` must be an integer or two of them. Received: axes=\(1, 2, 3\)"),
        (lambda: layers.Dot("last"), "Dot: `axes` must be"),
        (lambda: layers.Dot(0)([A, B]), "and them not as the batch's"),
        (lambda: layers.Dot(3)([A, B]), "inputs that have the axes 3"),
        (lambda: layers.Dot(1)([A, B, C]), "expected 2 inputs"),
        (lambda: layers.Dot((1, 2))([A, B]), r"the same extent on the axes \(1, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
