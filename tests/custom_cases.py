"""What the tests of layers, models and losses of the user's own share: layers in ops, data, and training on them."""

import numpy as np

import fastkeras
from fastkeras import layers, ops

RNG = np.random.default_rng(11)
X = RNG.normal(size=(7, 4)).astype(np.float32)
Y = RNG.normal(size=(7, 3)).astype(np.float32)


class Linear(layers.Layer):
    """Dense, in ops."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
        super().build(input_shape)

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Around(layers.Layer):
    """Calls the layer inside it, and counts how often."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.calls = inner, 0

    def call(self, x):
        self.calls += 1
        return self.inner(x)


class Size(layers.Layer):
    """Adds the mean of its squared input to the loss."""

    def call(self, x):
        self.add_loss(ops.mean(ops.square(x)))
        return x


def trained(model, **compiled):
    model.compile(optimizer="sgd", **{"loss": "mse", **compiled})
    return model.fit(X, Y, epochs=4, verbose=0, shuffle=False, batch_size=7).history["loss"]


def trained_on(layer):
    """A model of one layer after a step, with the loss of it."""
    start = fastkeras.Input((4,))
    model = fastkeras.Model(start, layer(start))
    model.compile(fastkeras.optimizers.SGD(0.1), "mse")
    return model, model.train_on_batch(X, X + 1)


def pair(own, built_in):
    """Two Sequential models that begin with equal weights."""
    models = [
        fastkeras.Sequential([layers.Dense(5, activation="tanh", input_shape=(4,)), *tail]) for tail in (own, built_in)
    ]
    models[1].set_weights(models[0].get_weights())
    return models
