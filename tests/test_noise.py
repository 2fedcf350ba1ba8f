"""GaussianNoise, GaussianDropout, AlphaDropout: their statistics, gradients and seeds; ActivityRegularization.

That they do nothing when a model predicts is compared with Keras in test_keras_layers.py.
"""

import numpy as np
import pytest
from checks import assert_close

import fastkeras as keras
from fastkeras import layers
from fastkeras.core.rows import Rows
from fastkeras.core.run import Run

RNG = np.random.default_rng(37)
LARGE = RNG.normal(size=(503, 401)).astype("f")
NOISY = [layers.GaussianNoise, layers.GaussianDropout, layers.AlphaDropout]


def noisy(layer, x):
    return layer.forward(x, Run(training=True, wants_dx=True))[0].copy()


def test_gaussian_noise():
    noise = noisy(layers.GaussianNoise(0.3, seed=1), LARGE) - LARGE
    assert abs(noise.mean()) < 0.003 and noise.std() == pytest.approx(0.3, rel=0.01)
    assert abs((noise * LARGE).mean()) < 0.003


def test_gaussian_dropout():
    factors = noisy(layers.GaussianDropout(0.2, seed=1), np.ones_like(LARGE))
    assert factors.mean() == pytest.approx(1, rel=0.01) and factors.std() == pytest.approx(0.5, rel=0.01)


def test_alpha_dropout_keeps_mean_and_variance():
    y = noisy(layers.AlphaDropout(0.3, seed=1), LARGE)
    assert abs(y.mean()) < 0.01 and y.std() == pytest.approx(1, rel=0.01)
    lowest, a = -1.7580993408473766, (0.7 * (1 + 0.3 * 1.7580993408473766**2)) ** -0.5
    b = -a * 0.3 * lowest
    dropped = np.isclose(y, a * lowest + b, rtol=1e-6)
    assert np.count_nonzero(dropped) == pytest.approx(0.3 * y.size, rel=0.02)
    assert_close(y[~dropped], a * LARGE[~dropped] + b, 1e-5)


def test_alpha_dropout_with_a_noise_shape():
    x = RNG.uniform(-1, 1, (7, 11, 13)).astype("f")
    dropped = noisy(layers.AlphaDropout(0.5, (None, 1, None), seed=2), x)
    lost = dropped == dropped.min()
    np.testing.assert_array_equal(lost.any(axis=1), lost.all(axis=1))
    assert 0 < lost.mean() < 1


@pytest.mark.parametrize("make", NOISY)
def test_gradient_of_the_very_noise(make):
    """y is linear in x while the noise stays the same: dx is y(dy) without what is added."""
    x, dy = RNG.normal(size=(2, 5, 7)).astype("f")
    _, backward = make(0.4, seed=3).forward(x, Run(training=True, wants_dx=True))
    dx = backward(dy.copy())
    assert_close(dx, noisy(make(0.4, seed=3), dy) - noisy(make(0.4, seed=3), np.zeros_like(dy)), 1e-5)


@pytest.mark.parametrize("make", NOISY)
def test_seeds_calls_and_rows(make):
    x = np.ascontiguousarray(LARGE[:5, :7])
    layer, again = make(0.4, seed=3), make(0.4, seed=3)
    first = noisy(layer, x)
    np.testing.assert_array_equal(noisy(again, x), first)
    assert not np.array_equal(noisy(layer, x), first)
    assert not np.array_equal(noisy(make(0.4, seed=4), x), first)
    np.testing.assert_array_equal(layer(x), x)
    values, index = np.ascontiguousarray(LARGE[:3, :7]), np.array([0, 2, 1, 1, 0], np.int32)
    again = make(0.4, seed=3)
    np.testing.assert_array_equal(noisy(make(0.4, seed=3), Rows(values, index)), noisy(again, values[index]))
    assert make.from_config(again.get_config()).get_config() == again.get_config()


def test_activity_regularization_reaches_loss_and_gradient():
    """One step of gradient descent on w x with the penalty l1 |w x| + l2 (w x)^2 per sample, by hand."""
    model = keras.Sequential([layers.Dense(1, use_bias=False, input_dim=1), layers.ActivityRegularization(0.1, 0.2)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.set_weights([np.array([[2.0]])])
    x, y = np.array([[1.0], [3.0]]), np.array([[2.0], [6.0]])  # no error: the penalty is all there is
    penalty = np.mean([0.1 * 2 + 0.2 * 4, 0.1 * 6 + 0.2 * 36])
    assert model.evaluate(x, y, verbose=0) == pytest.approx(penalty, rel=1e-6)
    model.fit(x, y, epochs=1, verbose=0)
    slope = np.mean([0.1 * 1 + 0.4 * 2 * 1, 0.1 * 3 + 0.4 * 6 * 3])
    assert model.get_weights()[0][0, 0] == pytest.approx(2 - 0.5 * slope, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.GaussianNoise(1.5), "GaussianNoise: `stddev` must be a number from 0 to 1. Received: .*1.5"),
        (lambda: layers.GaussianDropout(-0.1), "GaussianDropout: `rate` must be a number from 0 to 1"),
        (lambda: layers.GaussianDropout(1), "GaussianDropout: `rate` must be below 1"),
        (lambda: layers.AlphaDropout(1.0), "AlphaDropout: `rate` must be below 1"),
        (lambda: layers.AlphaDropout(0.5, 3), "AlphaDropout: `noise_shape` must be a tuple"),
        (lambda: noisy(layers.AlphaDropout(0.5, (1, 2)), LARGE), r"\(AlphaDropout\): `noise_shape` must have 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
