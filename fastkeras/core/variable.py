"""Variables, and the arena in which those of a model lie side by side."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from fastkeras.core.run import empty
from fastkeras.core.tensor import Watchable
from fastkeras.utils.naming import unique_name

_source = ContextVar("source of initial values", default=None)


@contextmanager
def initial_values_from(source):
    """Within it, new weights start from source(shape), float32, instead of from their initializers."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def initial_value(initializer, shape):
    """What a new weight of this shape starts from."""
    return (_source.get() or initializer)(shape)


class Variable(Watchable):
    """A tensor that changes: a layer's weight, or a user's own: keras.Variable([1.0, 2.0]). Set as an attribute of a
    layer with a `call`, or of a model, it is a weight of that.

    value: an array of `shape`, or what has its values; float32 unless `dtype` says otherwise, or a function of
    (shape, dtype). A weight has `value` (float32) and, once it takes part in training, `grad` of the same shape.
    Integers are not trainable.

    Both may move: `pack` puts the variables of a model into one flat array, so that the optimizer updates all of
    them in one call. So take `variable.value` when it is used, and never keep it.
    """

    is_owned = False  # whether some layer counts it among its weights

    def __init__(
        self,
        initializer,
        name=None,
        trainable=True,
        regularizer=None,
        constraint=None,
        path=None,
        shape=None,
        dtype="float32",
    ):
        if callable(initializer) and not hasattr(initializer, "__array__"):
            initializer = initializer(shape, dtype=dtype)
        self.value = np.array(initializer, dtype, order="C")  # its own: a user's initializer may keep what it gave
        self.grad = None
        self.name = name or unique_name("variable")
        self.path = path or self.name
        self.trainable = bool(trainable) and self.value.dtype.kind == "f"
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def shape(self):
        return self.value.shape

    @property
    def dtype(self):
        return self.value.dtype.name

    @property
    def ndim(self):
        return self.value.ndim

    def __len__(self):
        return len(self.value)

    def __bool__(self):
        return bool(self.value)

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __format__(self, spec):
        return format(self.value, spec) if spec else repr(self)

    def numpy(self):
        """A copy of the value."""
        return self.value.copy()

    def assign(self, value):
        """Sets the value in place; the shape must be equal. Returns the variable, as the two below."""
        value = np.asarray(value)
        if value.shape != self.value.shape:
            raise ValueError(
                f"Variable '{self.path}': expected a value of shape {self.value.shape}. Received: {value.shape}"
            )
        self.value[...] = value
        return self

    def assign_add(self, value):
        """Adds to the value in place."""
        return self.assign(self.value + np.asarray(value, self.value.dtype))

    def assign_sub(self, value):
        """Subtracts from the value in place."""
        return self.assign(self.value - np.asarray(value, self.value.dtype))

    def __array__(self, dtype=None, copy=None):
        if dtype is None and not copy:
            return self.value
        return np.array(self.value, dtype=dtype)

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, trainable={self.trainable}>"


def pack(variables):
    """Moves the variables that have no gradient yet, but for integers, into one flat array of values and one of
    gradients (zeros), float32.

    Those packed before, with another model that shares the layer, stay where they are.
    """
    loose = [v for v in variables if v.grad is None and v.value.dtype.kind == "f"]
    if not loose:
        return
    size = sum(v.value.size for v in loose)
    values, grads = empty(size), empty(size)
    grads.fill(0.0)
    start = 0
    for v in loose:
        part = slice(start, start + v.value.size)
        values[part] = v.value.ravel()
        v.value, v.grad = values[part].reshape(v.shape), grads[part].reshape(v.shape)
        start = part.stop
