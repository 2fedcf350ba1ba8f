"""Activations: y = f(x), as functions on arrays and as what a layer holds.

    activations.relu([-1.0, 2.0])                  # array([0., 2.], dtype=float32)
    Dense(8, activation="relu")                    # a name
    Dense(8, activation=activations.relu)          # a function of this module

The formulas are those of keras.activations and stand in src_c/activations.h. An activation of your own is an
object with

    forward(x) -> (y, backward)      x, y: float32 (rows, columns), and backward(dy) -> dx, all of one shape

and, if a model that uses it is to be saved, `get_config()`; or a function of x that computes with fastkeras.ops; or one
of the layers of layers/activation.py, such as LeakyReLU(0.2).
"""

import math
import types

import numpy as np

from fastkeras._kernels import activations as kernels
from fastkeras.core.tape import recorded
from fastkeras.core.tensor import SymbolicTensor, Tensor, Whole, source_of, swapaxes, value
from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_object


def _leads_back(x):
    """Whether x is a tensor that a tape has recorded; a TypeError if it is a symbolic one."""
    if isinstance(x, SymbolicTensor):
        raise TypeError(
            f"An activation computes with arrays; call layers.Activation on a symbolic tensor. Received: {x}"
        )
    return source_of(x) is not None


def _recorded_as_one(activation, x):
    """activation(x) as a step of the tape, whose gradient is that of `forward`."""
    y, backward = activation.forward(np.asarray(value(x)))
    tensor = y.view(Tensor)
    Whole([source_of(x)], lambda ds: [backward(ds[0])], [tensor], f"activation '{activation.name}'")
    return tensor


class _Named:
    """What a layer's activation is to a script: equal to the function it was made from, and of its __name__."""

    name = function = None

    @property
    def __name__(self):
        return self.name

    def __eq__(self, other):
        return self is other or (self.function is not None and self.function is getattr(other, "function", other))

    def __hash__(self):
        return object.__hash__(self) if self.function is None else hash(self.function)


class Activation(_Named):
    """One of the library's activations, with its numbers.

    name: Keras's name. kernel: the compiled activation (fastkeras._kernels.activations.Activation). function: the one
    of this module that it stands for, if its numbers are the default ones.
    Called on an array of any shape it gives float32; a rowwise one (softmax) works along the last axis.
    """

    def __init__(self, name, *numbers, function=None):
        self.name = name
        self.function = function
        self.kernel = kernels.Activation(name, *numbers)

    def __call__(self, x):
        if _leads_back(x):
            return _recorded_as_one(self, x)
        x = np.asarray(x, np.float32, order="C")
        y = np.empty_like(x)
        kernels.forward(y, x, self.kernel)
        return y.view(Tensor)

    def forward(self, x):
        """f(x), and the closure that gives dx for dy."""
        x = np.asarray(x, np.float32, order="C")
        y = np.empty_like(x)
        kernels.forward(y, x, self.kernel)

        def backward(dy):
            dy = np.asarray(dy, np.float32, order="C")
            dx = np.empty_like(dy)
            kernels.backward(dx, dy, x, y, self.kernel)
            return dx

        return y, backward

    def __repr__(self):
        return f"<Activation {self.name}>"


class OwnActivation(_Named):
    """A user's activation object, as layers want it: with a name, and no kernel."""

    kernel = None

    def __init__(self, wrapped):
        self.wrapped = self.function = wrapped
        self.name = getattr(wrapped, "name", None) or type(wrapped).__name__
        self.forward = wrapped.forward

    def __call__(self, x):
        return _recorded_as_one(self, x) if _leads_back(x) else self.forward(np.asarray(x, np.float32, order="C"))[0]


class FunctionActivation(_Named):
    """A user's function in ops as an activation."""

    kernel = None

    def __init__(self, function):
        self.wrapped = self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def forward(self, x):
        y, back = recorded(self.wrapped, [x])

        def backward(dy):
            self._check(y)
            (dx,) = back([(y, dy)])
            return np.zeros_like(x) if dx is None else np.array(dx, np.float32, order="C")

        return np.array(y, np.float32, order="C"), backward

    def _check(self, y):
        if not isinstance(y, Tensor):
            raise TypeError(
                f"Activation '{self.name}' must compute with fastkeras.ops and return a tensor, or its gradient is not "
                f"known. Received: {type(y).__name__}"
            )

    def __call__(self, x):
        if not _leads_back(x):
            return self.forward(np.asarray(x, np.float32, order="C"))[0]
        y = self.wrapped(x)
        self._check(y)
        return y


class LayerActivation(_Named):
    """A layer that does nothing but apply an activation to its input, as an activation."""

    def __init__(self, layer):
        self.wrapped = self.function = layer
        self.name = layer.name
        self.kernel, self.forward = layer.activation.kernel, layer.activation.forward

    def __call__(self, x):
        return self.wrapped.activation(x)


LAYERS = {}  # {name: class} of the layers that can stand for an activation, which is their `activation`


class _Halves:
    """What `glu` computes, and its gradient."""

    name = "glu"

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        x = np.moveaxis(np.asarray(x, np.float32), self.axis, -1)
        *shape, columns = x.shape
        if columns % 2:
            raise ValueError(f"glu halves axis {self.axis}, so its extent must be even. Received: {columns}")
        rows = math.prod(shape)
        x = np.ascontiguousarray(x).reshape(rows, columns)
        y = np.empty((rows, columns // 2), np.float32)
        kernels.glu_forward(y, x)

        def backward(dy):
            dy, dx = np.moveaxis(np.asarray(dy, np.float32), self.axis, -1), np.empty_like(x)
            kernels.glu_backward(dx, np.ascontiguousarray(dy).reshape(y.shape), x)
            return np.moveaxis(dx.reshape(*shape, columns), -1, self.axis)

        return np.moveaxis(y.reshape(*shape, columns // 2), -1, self.axis), backward


def _along(activation, x, axis):
    """The rowwise `activation` along any axis."""
    if _leads_back(x):
        return swapaxes(activation(swapaxes(x, axis, -1)), axis, -1)
    x = np.asarray(x, np.float32)
    return np.moveaxis(activation(np.moveaxis(x, axis, -1)), -1, axis)


# --- functions on arrays of any shape: float32 -----------------------------------------------------------------------


def linear(x):
    """x, unchanged."""
    return Activation("linear")(x)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """max(x, 0); in general x, clipped to [0, max_value], above the threshold, negative_slope (x - threshold) below."""
    if negative_slope == 0 and max_value is None and threshold == 0:
        return Activation("relu")(x)
    return Activation("general_relu", negative_slope, np.inf if max_value is None else max_value, threshold)(x)


def leaky_relu(x, negative_slope=0.2):
    """x where x > 0, negative_slope x elsewhere."""
    return Activation("leaky_relu", negative_slope)(x)


def relu6(x):
    """min(max(x, 0), 6)"""
    return Activation("relu6")(x)


def elu(x, alpha=1.0):
    """x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert et al., arXiv 1511.07289); alpha >= 0."""
    return Activation("elu", alpha)(x)


def selu(x):
    """1.0507 elu(x, 1.6733), which keeps mean 0 and variance 1 (Klambauer et al., arXiv 1706.02515)."""
    return Activation("selu")(x)


def celu(x, alpha=1.0):
    """max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1) (Barron, arXiv 1704.07483); alpha > 0."""
    return Activation("celu", alpha)(x)


def gelu(x, approximate=False):
    """x P(X <= x) for a normal X, or its approximation by tanh (Hendrycks and Gimpel, arXiv 1606.08415)."""
    return Activation("gelu_tanh" if approximate else "gelu")(x)


def glu(x, axis=-1):
    """a sigmoid(b), a and b being the halves of x along the axis (Dauphin et al., arXiv 1612.08083)."""
    halves = _Halves(axis)
    return _recorded_as_one(halves, x) if _leads_back(x) else halves.forward(x)[0]


def silu(x):
    """x sigmoid(x), also called swish (Ramachandran et al., arXiv 1710.05941)."""
    return Activation("silu")(x)


def hard_silu(x):
    """x hard_sigmoid(x), also called hard_swish (Howard et al., arXiv 1905.02244)."""
    return Activation("hard_silu")(x)


def mish(x):
    """x tanh(softplus(x)) (Misra, arXiv 1908.08681)."""
    return Activation("mish")(x)


def softplus(x):
    """log(1 + exp(x))"""
    return Activation("softplus")(x)


def softsign(x):
    """x / (1 + |x|)"""
    return Activation("softsign")(x)


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    return Activation("sigmoid")(x)


def hard_sigmoid(x):
    """min(max(x + 3, 0), 6) / 6"""
    return Activation("hard_sigmoid")(x)


def legacy_hard_sigmoid(x):
    """min(max(0.2 x + 0.5, 0), 1): what Keras 1 and 2 call hard_sigmoid. Models in their files have it."""
    return Activation("legacy_hard_sigmoid")(x)


def log_sigmoid(x):
    """log(sigmoid(x))"""
    return Activation("log_sigmoid")(x)


def sparse_sigmoid(x):
    """min(max((x + 1) / 2, 0), 1) (Blondel et al., arXiv 1901.02324)."""
    return Activation("sparse_sigmoid")(x)


def tanh(x):
    """tanh(x)"""
    return Activation("tanh")(x)


def tanh_shrink(x):
    """x - tanh(x)"""
    return Activation("tanh_shrink")(x)


def hard_tanh(x):
    """min(max(x, -1), 1)"""
    return Activation("hard_tanh")(x)


def hard_shrink(x, threshold=0.5):
    """x where |x| > threshold, 0 elsewhere; threshold >= 0."""
    return Activation("hard_shrink", threshold)(x)


def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by the threshold, and 0 where |x| is not above it; threshold >= 0."""
    return Activation("soft_shrink", threshold)(x)


def threshold(x, threshold, default_value):
    """x where x > threshold, default_value elsewhere."""
    return Activation("threshold", threshold, default_value)(x)


def sparse_plus(x):
    """0 up to x = -1, x from x = 1 on, (x + 1)^2 / 4 between."""
    return Activation("sparse_plus")(x)


def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2 (Barron, arXiv 2112.11687)."""
    return Activation("squareplus", b)(x)


def exponential(x):
    """exp(x)"""
    return Activation("exponential")(x)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along the axis: positive, with sum 1."""
    return _along(Activation("softmax"), x, axis)


def log_softmax(x, axis=-1):
    """log(softmax(x)) along the axis."""
    return _along(Activation("log_softmax"), x, axis)


def sparsemax(x, axis=-1):
    """max(x - tau, 0) along the axis, tau such that the sum is 1 (Martins and Astudillo, arXiv 1602.02068)."""
    return _along(Activation("sparsemax"), x, axis)


swish, hard_swish = silu, hard_silu

# --- names ------------------------------------------------------------------------------------------------------------

# The functions that a layer can apply, with the numbers they take by default. (glu changes the shape, and threshold
# has no defaults.)
_BY_FUNCTION = {
    function: Activation(function.__name__, *numbers, function=function)
    for function, numbers in {
        linear: (),
        relu: (),
        leaky_relu: (0.2,),
        relu6: (),
        elu: (1.0,),
        selu: (),
        celu: (1.0,),
        gelu: (),
        silu: (),
        hard_silu: (),
        mish: (),
        softplus: (),
        softsign: (),
        sigmoid: (),
        hard_sigmoid: (),
        legacy_hard_sigmoid: (),
        log_sigmoid: (),
        sparse_sigmoid: (),
        tanh: (),
        tanh_shrink: (),
        hard_tanh: (),
        hard_shrink: (0.5,),
        soft_shrink: (0.5,),
        sparse_plus: (),
        squareplus: (4.0,),
        exponential: (),
        softmax: (),
        log_softmax: (),
        sparsemax: (),
    }.items()
}
_BY_NAME = {activation.name: activation for activation in _BY_FUNCTION.values()}
_BY_NAME |= {"swish": _BY_FUNCTION[silu], "hard_swish": _BY_FUNCTION[hard_silu]}


def get(identifier):
    """The activation that `identifier` means, with `name`, `kernel` (None for one of your own) and `forward`.

    identifier: None (linear), a name, a function of this module, an activation, an object with
    forward(x) -> (y, backward), a function in fastkeras.ops, a layer of LAYERS, or what `serialize` gave.
    """
    if identifier is None:
        return _BY_NAME["linear"]
    if isinstance(identifier, _Named):
        return identifier
    if isinstance(identifier, str):
        own = get_registered_object(identifier)
        if own is not None:
            return get(own)
        if identifier not in _BY_NAME:
            raise ValueError(suggest.unknown("activation", identifier, _BY_NAME))
        return _BY_NAME[identifier]
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, types.FunctionType) and identifier in _BY_FUNCTION:
        return _BY_FUNCTION[identifier]
    if hasattr(identifier, "ensure_built"):
        if type(identifier) not in LAYERS.values() or identifier.activation is None:
            raise ValueError(
                f"A layer as an activation must be one of {', '.join(LAYERS)}, with the last axis alone. "
                f"Received: {identifier!r}"
            )
        return LayerActivation(identifier)
    if hasattr(identifier, "forward"):
        return OwnActivation(identifier() if isinstance(identifier, type) else identifier)
    if callable(identifier):
        return FunctionActivation(identifier)
    raise TypeError(
        "An activation must be a name, a function of fastkeras.activations, one of your own in fastkeras.ops, or an "
        f"object with forward(x) -> (y, backward). Received: {identifier!r}"
    )


def serialize(activation):
    """The activation's name, or for one of your own, or a layer, {"class_name": ..., "config": ...}."""
    activation = get(activation)
    own = getattr(activation, "wrapped", None)
    if isinstance(activation, LayerActivation):
        kind = type(own).__name__
        return {"module": "keras.layers", "class_name": kind, "config": own.get_config(), "registered_name": None}
    if own is None or (isinstance(activation, FunctionActivation) and not hasattr(own, "get_config")):
        return activation.name
    return {"class_name": type(own).__name__, "config": own.get_config() if hasattr(own, "get_config") else {}}


def deserialize(config, custom_objects=None):
    """The activation that `serialize` or Keras wrote; your own come from `custom_objects` or utils.custom_objects."""
    if not isinstance(config, dict):
        return get(config)
    name, numbers = config.get("class_name"), config.get("config", {})
    if not isinstance(name, str):
        raise ValueError(f"The configuration of an activation must have a `class_name`. Received: {config!r}")
    if name == "function":
        return get(numbers)
    own = (custom_objects or {}).get(name) or get_registered_object(config.get("registered_name") or name)
    own = own or get_registered_object(name) or LAYERS.get(name)
    if own is None:
        raise ValueError(suggest.unknown("activation class", name, custom_objects or {**_BY_NAME, **LAYERS}))
    return get(own.from_config(numbers) if hasattr(own, "from_config") else own(**numbers))
