"""What the tests of all kinds of convolution share: layers with random weights, and one pass against the reference."""

import numpy as np
import reference
from checks import assert_close, built

import fastkeras
from fastkeras.core.run import Run


def run_layer(layer, x, seed=1, **options):
    """y, dy, dx and the weights' gradients, for a random dy."""
    run = Run(training=True, **{"trains": True, "wants_dx": True, **options})
    y, backward = layer.forward(x, run)
    y = y.copy()
    dy = np.random.default_rng(seed).normal(size=y.shape).astype("f")
    for v in layer.variables:
        v.grad.fill(0)
    dx = backward(dy.copy())
    return y, dy, None if dx is None else dx.copy(), [v.grad.copy() for v in layer.variables]


def check(layer, x, sums, sums_backward):
    """y, dx and the weights' gradients of the layer are those of the reference.

    sums(x, *weights) gives z (B, H, W, N), before the activation, for x (B, H, W, C), and sums_backward(dz, x,
    *weights) the gradients of x and of the weights; a weight has the axes of images too. Activations that look at a
    whole row look at the last axis of the layer's output, as in Keras.
    """
    y, dy, dx, gradients = run_layer(built(layer, *x.shape), x)
    assert y.shape == layer.compute_output_shape(x.shape)
    f, f_backward = reference.activation(fastkeras.activations.serialize(layer.activation))
    axis = 3 if layer.data_format == "channels_last" else 2  # where the last axis of y lies in z
    images, weights = _images(x, layer), [_weight(v.value, layer) for v in layer.variables]
    z = sums(images, *weights)
    dz = f_backward(_images(dy, layer).swapaxes(axis, 3), z.swapaxes(axis, 3)).swapaxes(axis, 3)
    expected_dx, *expected = sums_backward(dz, images, *weights)
    assert_close(_images(y, layer), f(z.swapaxes(axis, 3)).swapaxes(axis, 3), 1e-5, "y")
    assert_close(_images(dx, layer), expected_dx, 1e-5, "dx")
    for v, gradient, wanted in zip(layer.variables, gradients, expected, strict=True):
        assert_close(gradient, wanted.reshape(v.shape), 1e-5, f"d{v.name}")


def _images(x, layer):
    """x (B, H, W, C) in float64."""
    x = np.moveaxis(x, 1, -1) if layer.data_format == "channels_first" else x
    return x.astype(np.float64).reshape(len(x), *(1,) * (2 - layer.rank), *x.shape[1:])


def _weight(value, layer):
    return value.astype(np.float64).reshape((1,) * (2 - layer.rank) * (value.ndim > 1) + value.shape)


def geometry(layer):
    """(strides, dilation) for images: a sequence is one of height one."""
    ones = (1,) * (2 - layer.rank)
    return ones + layer.strides, ones + layer.dilation_rate


def around(x, border, rank):
    """(top, bottom, left, right), and x with that border; border: (before, after) on each axis."""
    sides = [n for pair in [(0, 0)] * (2 - rank) + list(border) for n in pair]
    return sides, reference.pad(x, *sides)


def without(dx, sides):
    """dx without such a border."""
    top, bottom, left, right = sides
    return dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]


def same_border(n, window, stride):
    """What TensorFlow adds before and after an axis for padding "same"."""
    missing = max(0, (-(-n // stride) - 1) * stride + window - n)
    return missing // 2, missing - missing // 2
