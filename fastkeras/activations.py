"""Activations: y = f(x), as functions on arrays and as what a layer holds.

    activations.relu([-1.0, 2.0])                  # array([0., 2.], dtype=float32)
    Dense(8, activation="relu")                    # a name
    Dense(8, activation=activations.relu)          # a function of this module

The formulas are those of keras.activations and stand in src_c/activations.h. An activation of your own is an
object with

    forward(x) -> (y, backward)      x, y: float32 (rows, columns), and backward(dy) -> dx, all of one shape

and, if a model that uses it is to be saved, `get_config()`.
"""

import math

import numpy as np

from fastkeras._kernels import activations as kernels
from fastkeras.utils import suggest


class Activation:
    """One of the library's activations, with its numbers.

    name: Keras's name. kernel: the compiled activation (fastkeras._kernels.activations.Activation).
    Called on an array of any shape it gives float32; a rowwise one (softmax) works along the last axis.
    """

    def __init__(self, name, *numbers):
        self.name = name
        self.kernel = kernels.Activation(name, *numbers)

    def __call__(self, x):
        x = np.asarray(x, np.float32, order="C")
        y = np.empty_like(x)
        shape = self._matrix(x)
        kernels.forward(y.reshape(shape), x.reshape(shape), self.kernel)
        return y

    def forward(self, x):
        """f(x), and the closure that gives dx for dy."""
        x = np.asarray(x, np.float32, order="C")
        y, shape = self(x), self._matrix(x)

        def backward(dy):
            dy = np.asarray(dy, np.float32, order="C")
            dx = np.empty_like(dy)
            kernels.backward(*(a.reshape(shape) for a in (dx, dy, x, y)), self.kernel)
            return dx

        return y, backward

    def _matrix(self, x):
        """The two extents under which the kernel sees x."""
        if not self.kernel.rowwise:
            return 1, x.size
        if x.ndim == 0:
            raise ValueError(f"{self.name} works along an axis. Received: a number, {x}")
        return math.prod(x.shape[:-1]), x.shape[-1]

    def __repr__(self):
        return f"<Activation {self.name}>"


class OwnActivation:
    """A user's activation object, as layers want it: with a name, and no kernel."""

    kernel = None

    def __init__(self, wrapped):
        self.wrapped = wrapped
        self.name = getattr(wrapped, "name", None) or type(wrapped).__name__
        self.forward = wrapped.forward

    def __call__(self, x):
        return self.forward(np.asarray(x, np.float32, order="C"))[0]


def _along(activation, x, axis):
    """The rowwise `activation` along any axis."""
    x = np.asarray(x, np.float32)
    return np.moveaxis(activation(np.moveaxis(x, axis, -1)), -1, axis)


def linear(x):
    """x, unchanged."""
    return _LINEAR(x)


def relu(x):
    """max(x, 0)"""
    return _RELU(x)


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    return _SIGMOID(x)


def tanh(x):
    """tanh(x)"""
    return _TANH(x)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)), along an axis"""
    return _along(_SOFTMAX, x, axis)


_LINEAR = Activation("linear")
_RELU = Activation("relu")
_SIGMOID = Activation("sigmoid")
_TANH = Activation("tanh")
_SOFTMAX = Activation("softmax")

_BY_NAME = {a.name: a for a in (_LINEAR, _RELU, _SIGMOID, _TANH, _SOFTMAX)}
_BY_FUNCTION = {linear: _LINEAR, relu: _RELU, sigmoid: _SIGMOID, tanh: _TANH, softmax: _SOFTMAX}


def get(identifier):
    """The activation that `identifier` means, with `name`, `kernel` (None for one of your own) and `forward`.

    identifier: None (linear), a name, a function of this module, an activation, an object with
    forward(x) -> (y, backward), or what `serialize` gave.
    """
    if identifier is None:
        return _LINEAR
    if isinstance(identifier, (Activation, OwnActivation)):
        return identifier
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise ValueError(suggest.unknown("activation", identifier, _BY_NAME))
        return _BY_NAME[identifier]
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if callable(identifier) and identifier in _BY_FUNCTION:
        return _BY_FUNCTION[identifier]
    if hasattr(identifier, "forward"):
        return OwnActivation(identifier)
    raise TypeError(
        "An activation must be a name, a function of fastkeras.activations, or an object with "
        f"forward(x) -> (y, backward), since training needs its gradient. Received: {identifier!r}"
    )


def serialize(activation):
    """The activation's name, or for one of your own {"class_name": ..., "config": ...}."""
    activation = get(activation)
    if activation.kernel is not None:
        return activation.name
    own = activation.wrapped
    return {
        "class_name": type(own).__name__,
        "config": own.get_config() if hasattr(own, "get_config") else {},
    }


def deserialize(config, custom_objects=None):
    """The activation that `serialize` or Keras wrote; your own classes are found in `custom_objects`."""
    if not isinstance(config, dict):
        return get(config)
    name, numbers = config.get("class_name"), config.get("config", {})
    if name == "function":
        return get(numbers)
    own = (custom_objects or {}).get(name)
    if own is None:
        raise ValueError(suggest.unknown("activation class", name, custom_objects or _BY_NAME))
    return get(own(**numbers))
