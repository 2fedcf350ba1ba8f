"""to_categorical and normalize."""

import doctest

import numpy as np
import pytest

from fastkeras.utils import numerical
from fastkeras.utils.numerical import normalize, to_categorical


def test_examples_of_the_documentation():
    assert doctest.testmod(numerical) == (0, 2)


@pytest.mark.parametrize(
    "x, shape",
    [
        ([1, 0, 3], (3, 4)),
        ([[1], [0], [3]], (3, 4)),
        ([[1, 0], [2, 3]], (2, 2, 4)),
        ([[[3], [1]]], (1, 2, 4)),
        ([3], (1, 4)),
        ([[3]], (1, 4)),
        (3, (4,)),
        (np.array([3, 2], np.uint8), (2, 4)),
        (["3", "1"], (2, 4)),
        ([3.9, 1.2], (2, 4)),
    ],
)
def test_one_hot_rows(x, shape):
    y = to_categorical(x)
    assert y.shape == shape
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.argmax(-1).reshape(-1), np.asarray(x, dtype=int).reshape(-1))
    assert set(np.unique(y)) <= {0.0, 1.0}
    np.testing.assert_array_equal(y.sum(-1), 1)


def test_number_of_classes_and_dtype():
    assert to_categorical([1, 0], num_classes=5).shape == (2, 5)
    assert to_categorical([], num_classes=5).shape == (0, 5)
    assert to_categorical([1], dtype="int64").dtype == np.int64


@pytest.mark.parametrize("x, received", [([0, 3], 3), ([[-1, 0]], -1), ([-(2**40)], -(2**40))])
def test_labels_outside_the_classes_are_named(x, received):
    with pytest.raises(IndexError, match=rf"labels in \[0, 3\). Received: {received}$"):
        to_categorical(x, num_classes=3)


@pytest.mark.parametrize("x", [["spam", "ham"], [1, None], [0.0, float("nan")], [[1, 2], [3]], "label"])
def test_labels_that_are_no_integers_are_named(x):
    with pytest.raises(ValueError, match="to_categorical needs integers as labels") as caught:
        to_categorical(x)
    assert str(caught.value).endswith(f"Received: {x!r}")


def test_labels_are_needed_to_find_the_number_of_classes():
    with pytest.raises(ValueError, match="`num_classes`"):
        to_categorical([])


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_normalize(axis, order):
    x = np.random.default_rng(1).normal(size=(5, 7))
    x[:, 2] = 0
    x[3] = 0
    y = normalize(x, axis, order)
    norms = np.linalg.norm(y, order, axis)
    zero = (x == 0).all(axis)
    np.testing.assert_allclose(norms, np.where(zero, 0, 1), atol=1e-15)
    np.testing.assert_array_equal(np.sign(y), np.sign(x))
