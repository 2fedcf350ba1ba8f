"""LeakyReLU, PReLU, ELU, ReLU and Softmax in fastkeras alone: the reference, distinct rows, masks, configurations.

Values, gradients, masks and shapes are compared with Keras in test_keras_layers.py.
"""

import json

import numpy as np
import pytest
import reference
from checks import assert_close, assert_rows_give_what_the_array_gives

import fastkeras as keras
from fastkeras import layers
from fastkeras.core.run import Run
from fastkeras.core.variable import pack

RNG = np.random.default_rng(31)
X = RNG.normal(size=(3, 5, 7)).astype("f")


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.LeakyReLU(), lambda x: reference.leaky_relu(x, 0.3)),
        (layers.LeakyReLU(alpha=0.1), lambda x: reference.leaky_relu(x, 0.1)),
        (layers.ELU(0.5), lambda x: reference.elu(x, 0.5)),
        (layers.ReLU(), lambda x: np.maximum(x, 0)),
        (layers.ReLU(0.8), lambda x: np.clip(x, 0, 0.8)),
        (layers.ReLU(threshold=0.5), lambda x: np.where(x > 0.5, x, 0)),
        (layers.ReLU(negative_slope=0.2, threshold=0.5), lambda x: np.where(x > 0.5, x, 0.2 * (x - 0.5))),
        (layers.Softmax(), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        (layers.Softmax((1, 2)), lambda x: np.exp(x) / np.exp(x).sum((1, 2), keepdims=True)),
        (layers.PReLU("ones"), lambda x: x),
    ],
)
def test_values(layer, expected):
    y = layer(X)
    assert y.shape == X.shape
    assert_close(y, expected(X.astype(float)), 2e-6)


@pytest.mark.parametrize("shared", [None, [1], 2, [1, 2]])
def test_prelu_is_the_reference_s(shared):
    layer = layers.PReLU("normal", shared_axes=shared)
    layer.ensure_built(X.shape)
    pack(layer.variables)
    run = Run(trains=True, wants_dx=True)
    y, backward = layer.forward(X, run)
    dy = RNG.normal(size=X.shape).astype("f")
    y, dx = y.copy(), backward(dy.copy())
    rows = [a.reshape(3, 35).astype(float) for a in (dy, X)]
    slopes = np.broadcast_to(layer.alpha.value, (5, 7))
    wanted_dx, dslopes = reference.prelu_backward(*rows, slopes.reshape(-1))
    assert_close(y.reshape(3, 35), reference.prelu(rows[1], slopes.reshape(-1)), 1e-6, "y")
    assert_close(dx.reshape(3, 35), wanted_dx, 1e-6, "dx")
    axes = tuple(i for i, n in enumerate(layer.alpha.shape) if n == 1)
    assert_close(layer.alpha.grad, dslopes.reshape(5, 7).sum(axes, keepdims=True), 1e-5, "dalpha")


@pytest.mark.parametrize(
    "make",
    [
        layers.LeakyReLU,
        layers.Softmax,
        lambda: layers.Softmax(axis=1),
        lambda: layers.PReLU("normal", shared_axes=1),
        lambda: layers.PReLU("normal"),
    ],
)
def test_rows_give_what_the_dense_array_gives(make):
    layer = make()
    layer.ensure_built((3, 5, 7))
    pack(layer.variables)
    index = RNG.integers(0, 11, (3, 5)).astype(np.int32)
    assert_rows_give_what_the_array_gives(layer, RNG.normal(size=(11, 7)).astype("f"), index, 1e-5)


def test_softmax_over_unmasked_steps():
    """What attention wants: weights of steps, none for the masked ones."""
    mask = np.array([[1, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    layer = layers.Softmax(axis=1)
    y = layer(X, mask=mask)
    e = np.exp(X) * mask[:, :, None]
    np.testing.assert_allclose(y, e / np.maximum(e.sum(1, keepdims=True), 1e-9), rtol=1e-5)
    _, backward = layer.forward(X, Run(mask=mask, wants_dx=True))
    dx = backward(RNG.normal(size=X.shape).astype("f"))
    assert not dx[~mask].any() and dx[mask].any()
    with pytest.raises(ValueError, match=r"`mask` must have the shape of the input, \(3, 5, 7\), or of its first axes"):
        layer(X, mask=mask[:, :3])


@pytest.mark.parametrize("softmax", [lambda: layers.Activation("softmax"), layers.Softmax])
def test_a_crossentropy_is_computed_from_what_is_under_the_softmax(softmax):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([layers.Dense(3, input_dim=2, kernel_initializer="ones"), softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.layers[0].set_weights([np.array([[200.0, 0, 0], [0, 0, 0]]), np.zeros(3)])
    # the probability of label 1 is exp(-200), which float32 does not hold: its logarithm is -200 all the same
    assert model.evaluate(np.ones((1, 2)), np.array([1]), verbose=0) == pytest.approx(200, rel=1e-5)


def test_configurations():
    for layer in (
        layers.LeakyReLU(0.1),
        layers.ELU(0.5, name="e"),
        layers.ReLU(6.0, 0.1, 0.2),
        layers.PReLU("ones", "l2", "non_neg", shared_axes=(1, 2)),
        layers.Softmax((1, 2)),
    ):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
        assert "activation" not in layer.get_config()
    model = keras.Sequential([layers.LeakyReLU(0.1, input_shape=(3,))])
    config = json.loads(model.to_json())["config"]["layers"][-1]["config"]
    assert config["alpha"] == 0.1 and "negative_slope" not in config  # Keras 2 knows no other name, and 3 takes both
    assert keras.models.model_from_json(model.to_json()).layers[0].negative_slope == 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.LeakyReLU(-0.1), "LeakyReLU: `negative_slope` must be a number from 0 up. Received: .*=-0.1"),
        (lambda: layers.LeakyReLU(None), "LeakyReLU: `negative_slope` must be a number from 0 up"),
        (lambda: layers.ReLU(max_value=-1), "ReLU: `max_value` must be a number from 0 up"),
        (lambda: layers.ReLU(threshold="0"), "ReLU: `threshold` must be a number from 0 up"),
        (lambda: layers.PReLU(shared_axes=[3])(X), r"\(PReLU\): expected an input whose extents are known"),
        (lambda: layers.PReLU()(keras.Input((None, 3))), r"\(PReLU\): expected an input whose extents are known"),
        (lambda: layers.Softmax(3)(X), r"\(Softmax\): `axis` must name axes of the input, and not the batch axis"),
        (lambda: layers.Softmax([1, 1])(X), "`axis` must name axes of the input"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_prelu_keeps_to_the_shape_it_was_built_for():
    layer = layers.PReLU(shared_axes=[1])
    layer(X)
    assert layer(X[:, :2]).shape == (3, 2, 7)
    with pytest.raises(ValueError, match=r"`alpha` has shape \(1, 7\)"):
        layer(X[:, :, :3])
