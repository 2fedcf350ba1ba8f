"""What the tests of wrappers and cells share: a layer built and run, and data whose rows repeat."""

import numpy as np
from checks import assert_close, central_difference, random

from fastkeras.core.rows import dense
from fastkeras.core.run import Run
from fastkeras.core.variable import pack

RNG = np.random.default_rng(23)


def built(layer, shape):
    layer.check_input_shape(shape)
    layer.ensure_built(shape)
    layer.set_weights([random(*w.shape) / 2 for w in layer.get_weights()])
    pack(layer.variables)
    return layer


def all_layers(layer):
    return {layer}.union(*map(all_layers, layer.sublayers()))


def run_layer(layer, x, dys=None, mask=None, training=False, wants_dx=True):
    """The dense outputs; with their gradients dys also the inputs' (a list) and the weights'."""
    run = Run(training, mask, trains=True, trained=all_layers(layer), wants_dx=wants_dx)
    y, backward = layer.forward(x, run)
    ys, backs = [], []
    for i, part in enumerate(y if isinstance(y, list) else [y]):
        part, back = dense(part, run, f"test_{i}")
        ys.append(part.copy())
        backs.append(back)
    if dys is None:
        return ys
    for v in layer.variables:
        v.grad.fill(0)
    dys = [None if dy is None else back(dy.astype("f").copy()) for back, dy in zip(backs, dys, strict=True)]
    dx = backward(dys if isinstance(y, list) else dys[0])
    return ys, dx if isinstance(dx, list) else [dx], [v.grad.copy() for v in layer.variables]


def repeated(B, T, D, R):
    return random(R, D)[RNG.integers(0, R, (B, T))]


def assert_gradients(function, arrays, dys, gradients, tol=1e-4):
    """`gradients` are those of sum(dys * function(*arrays)), by central differences."""
    for i, gradient in enumerate(gradients):

        def changed(a, i=i):
            outputs = function(*arrays[:i], a, *arrays[i + 1 :])
            return np.concatenate([out.ravel() for out in outputs])

        expected = central_difference(changed, arrays[i], np.concatenate([dy.ravel() for dy in dys]))
        assert_close(gradient, expected, tol, f"gradient {i}")
