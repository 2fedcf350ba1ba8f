"""Tensors: arrays that know, while a tape records, how they were computed; and placeholders for what is not there yet.

An operation is a few lines: the value by numpy, and for each input the way its gradient comes back.

    @operation
    def multiply(x1, x2):
        return made(value(x1) * value(x2), (x1, lambda d, y: d * x2), (x2, lambda d, y: d * x1))

d is the gradient of the result y; both are tensors, and gradients are computed by operations, so they have gradients
too. Where an input was repeated to fit another (numpy's broadcasting), its gradient is summed in core/tape.py.

Here are the operations that Python's operators stand for; the others, under Keras's names, are in fastkeras/ops.
"""

import functools
import itertools
import threading

import numpy as np


def as_input(array, dtype):
    """The array as layers take it: C-contiguous, float32 or int32, or, where they take a "string", of objects."""
    return np.ascontiguousarray(array, object if dtype == "string" else dtype)


_numbers = itertools.count()


# --- how a tensor was computed ---------------------------------------------------------------------------------------


class _Tapes(threading.local):
    """What holds in this thread now.

    recording: the tapes that record, the innermost last. training: whether layers called now are in training, unless
    their calls say so themselves. losses: where a layer that is called adds to the loss, or None.
    trained: the layers that the model under way trains, or None if none is.
    """

    recording = ()
    training = False
    losses = None
    trained = None


tapes = _Tapes()


class Node:
    """One step of a computation: its value, and its links (source, gradient, shape) to what it was computed from.

    source: a Node, or a Variable. gradient(d, y): the source's gradient for d, that of this step's value y. shape: the
    source's. Numbers grow with time: a node's is larger than its sources'.
    """

    __slots__ = ("links", "number", "value")

    def __init__(self, value, links=()):
        self.value, self.links, self.number = value, links, next(_numbers)

    def back(self, d):
        """(source, its gradient, its shape) for each link, from this step's gradient."""
        y = self.value.view(Tensor)
        y.node = self
        return [(source, gradient(d, y), shape) for source, gradient, shape in self.links]


class Parts(dict):
    """{output: its gradient}: the gradient of a step with several outputs."""

    def __add__(self, other):
        return Parts({**self, **other})


class Whole(Node):
    """One step with several outputs, computed by a layer or by code of the user's.

    sources: what it was computed from, None for what nobody asks about. gradients(ds): the gradient for each source, or
    None, from the list of those of the outputs, plain arrays, None for one that nothing depends on. The outputs are
    tensors, whose nodes lead here.
    """

    __slots__ = ("count", "gradients", "sources")

    def __init__(self, sources, gradients, outputs):
        super().__init__(None)
        self.sources, self.gradients, self.count = sources, gradients, len(outputs)
        for i, output in enumerate(outputs):
            output.node = Node(np.asarray(output), [(self, lambda d, y, i=i: Parts({i: d}), None)])

    def back(self, parts):
        ds = [None if i not in parts else np.asarray(parts[i]) for i in range(self.count)]
        found = zip(self.sources, self.gradients(ds), strict=True)
        return [(source, d.view(Tensor), d.shape) for source, d in found if source is not None and d is not None]


def source_of(x):
    """What leads back from an input: the node of a tensor, a variable that a tape watches, or None."""
    if isinstance(x, Tensor):
        return x.node
    is_watched = isinstance(x, Watchable) and any(tape.watches(x) for tape in tapes.recording)
    return x if is_watched else None


def value(x):
    """The plain array, or Python's number, that an operation computes with."""
    if isinstance(x, np.ndarray):
        return x.view(np.ndarray) if isinstance(x, Tensor) else x
    if isinstance(x, (bool, int, float, np.generic)):
        return x
    if isinstance(x, Watchable):
        return x.value
    array = np.asarray(x)
    return array.astype(np.float32) if array.dtype == np.float64 else array  # a list of Python's numbers


def made(result, *links):
    """The tensor of an operation's result. links: (input, gradient) for each input, see Node; gradient is None where
    there is no slope.

    What numpy made float64 of integers or Python's numbers alone becomes float32.
    """
    y = np.asarray(result)
    if y.dtype == np.float64 and not any(isinstance(x, np.ndarray) and x.dtype == np.float64 for x, _ in links):
        y = y.astype(np.float32)
    return linked(y, *links)


def linked(y, *links):
    """`made` of an array that keeps its type."""
    tensor = y.view(Tensor)
    if tapes.recording:
        known = [
            (source, gradient, np.shape(x))
            for x, gradient in links
            if gradient and (source := source_of(x)) is not None
        ]
        if known:
            tensor.node = Node(y, known)
    return tensor


def _is_symbolic(x):
    return isinstance(x, SymbolicTensor)


_call_site_of = None


def operations_on_symbols(make):
    """Says what an operation on symbolic tensors does: make(function, args, kwargs) adds a call site to their graph.
    layers/operation.py says it, for which this file is too far down."""
    global _call_site_of
    _call_site_of = make


def operation(function):
    """Lets a function of tensors take symbolic tensors too, alone or in lists."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        for x in (*args, *kwargs.values()):
            if isinstance(x, SymbolicTensor) or (isinstance(x, (list, tuple)) and any(map(_is_symbolic, x))):
                return _call_site_of(call, args, kwargs)
        return function(*args, **kwargs)

    call.is_operation = True
    return call


# --- tensors ---------------------------------------------------------------------------------------------------------


class Operators:
    """Python's operators, as operations. They never change a tensor in place: x += y gives x a new one."""

    def __add__(self, other):
        return add(self, other)

    def __radd__(self, other):
        return add(other, self)

    def __sub__(self, other):
        return subtract(self, other)

    def __rsub__(self, other):
        return subtract(other, self)

    def __mul__(self, other):
        return multiply(self, other)

    def __rmul__(self, other):
        return multiply(other, self)

    def __truediv__(self, other):
        return divide(self, other)

    def __rtruediv__(self, other):
        return divide(other, self)

    def __pow__(self, other):
        return power(self, other)

    def __rpow__(self, other):
        return power(other, self)

    def __matmul__(self, other):
        return matmul(self, other)

    def __rmatmul__(self, other):
        return matmul(other, self)

    def __floordiv__(self, other):
        return floor_divide(self, other)

    def __rfloordiv__(self, other):
        return floor_divide(other, self)

    def __mod__(self, other):
        return mod(self, other)

    def __rmod__(self, other):
        return mod(other, self)

    def __neg__(self):
        return negative(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return absolute(self)

    def __getitem__(self, key):
        return getitem(self, key)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __lt__(self, other):
        return less(self, other)

    def __le__(self, other):
        return less_equal(self, other)

    def __gt__(self, other):
        return greater(self, other)

    def __ge__(self, other):
        return greater_equal(self, other)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        """numpy's own functions, and array * self: those in `ufuncs` keep what leads back, others give plain arrays."""
        if method == "__call__" and out is None and not kwargs and ufunc in ufuncs:
            return ufuncs[ufunc](*inputs)
        if out is not None:
            kwargs["out"] = tuple(value(part) for part in out)
        return getattr(ufunc, method)(*(value(x) if isinstance(x, Operators) else x for x in inputs), **kwargs)

    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = __add__, __sub__, __mul__, __truediv__, __pow__
    __ifloordiv__, __imod__, __imatmul__ = __floordiv__, __mod__, __matmul__


class Watchable(Operators):
    """What a tape may watch though it is no tensor: a Variable, with its `value`."""


class Tensor(Operators, np.ndarray):
    """An array that also answers `.numpy()` and, if a tape recorded how it was computed, has a `node`."""

    node = None

    def numpy(self):
        """The values as a plain numpy array."""
        return np.asarray(self)

    def sum(self, axis=None, dtype=None, out=None, keepdims=False):
        """As numpy's; out must be None."""
        return sum_over(self if dtype is None else cast(self, dtype), axis, keepdims)

    def mean(self, axis=None, dtype=None, out=None, keepdims=False):
        """As numpy's; out must be None."""
        return mean_over(self if dtype is None else cast(self, dtype), axis, keepdims)

    def reshape(self, *shape):
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        return transpose(self, axes or None)

    @property
    def T(self):
        return transpose(self)

    def astype(self, dtype):
        return cast(self, dtype)


def as_tensor(array):
    """A Tensor with the array's values; it owns them."""
    return np.array(array).view(Tensor)


class SymbolicTensor(Operators):
    """The output of a layer before there is data: a shape with None for what is not known yet, and where it comes from.

    site: the call site whose output it is, None for an input of a model.
    declared: whether the user gave the shape. One that was read off the first data says what is usual, not what is
    allowed: the next data may have, say, more steps.
    """

    def __init__(self, shape, dtype="float32", name=None, site=None, declared=True):
        self.shape = tuple(shape)
        self.declared = declared
        self.dtype = dtype
        self.name = name or f"tensor_{next(_numbers)}"
        self.site = site

    @property
    def ndim(self):
        return len(self.shape)

    def accepts(self, shape):
        """Whether data of this shape may stand for the tensor; the batch axis may be of any size."""
        return len(shape) == len(self.shape) and not (
            self.declared
            and any(want is not None and want != got for want, got in zip(self.shape[1:], shape[1:], strict=True))
        )

    def __iter__(self):
        raise TypeError(f"A symbolic tensor has no values to iterate over before there is data. Received: {self}")

    def __repr__(self):
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


# --- arithmetic ------------------------------------------------------------------------------------------------------


@operation
def add(x1, x2):
    """x1 + x2"""
    return made(np.add(value(x1), value(x2)), (x1, lambda d, y: d), (x2, lambda d, y: d))


@operation
def subtract(x1, x2):
    """x1 - x2"""
    return made(np.subtract(value(x1), value(x2)), (x1, lambda d, y: d), (x2, lambda d, y: -d))


@operation
def multiply(x1, x2):
    """x1 x2, element by element"""
    return made(np.multiply(value(x1), value(x2)), (x1, lambda d, y: d * x2), (x2, lambda d, y: d * x1))


@operation
def divide(x1, x2):
    """x1 / x2"""
    y = np.true_divide(value(x1), value(x2))
    return made(y, (x1, lambda d, y: d / x2), (x2, lambda d, y: -d * y / x2))


@operation
def floor_divide(x1, x2):
    """floor(x1 / x2); it has no slope."""
    return made(np.floor_divide(value(x1), value(x2)), (x1, None), (x2, None))


@operation
def mod(x1, x2):
    """x1 - floor(x1 / x2) x2, which has the sign of x2"""
    quotient = np.floor_divide(value(x1), value(x2))
    return made(np.mod(value(x1), value(x2)), (x1, lambda d, y: d), (x2, lambda d, y: -d * quotient))


@operation
def power(x1, x2):
    """x1 to the power x2. Where x1 <= 0, the gradient of x2 is 0, as in TensorFlow."""
    base = value(x1)

    def exponent_gradient(d, y):
        return d * y * log(where(np.greater(base, 0), x1, 1))

    return made(np.power(base, value(x2)), (x1, lambda d, y: d * x2 * power(x1, x2 - 1)), (x2, exponent_gradient))


@operation
def negative(x):
    """-x"""
    return made(np.negative(value(x)), (x, lambda d, y: -d))


@operation
def absolute(x):
    """|x|; its slope at 0 is 0."""
    sign = np.sign(value(x))
    return made(np.abs(value(x)), (x, lambda d, y: d * sign))


@operation
def log(x):
    """The natural logarithm."""
    return made(np.log(value(x)), (x, lambda d, y: d / x))


@operation
def matmul(x1, x2):
    """Matrix products over the last two axes; the others are broadcast, as numpy.matmul does it."""
    a, b = value(x1), value(x2)

    def swapped(x):
        return swapaxes(x, -1, -2)

    # forward: Y = A B
    def first(d, y):  # dA = dY B^T
        if a.ndim == 1 and b.ndim == 1:
            return d * x2
        if b.ndim == 1:
            return expand(d, -1) * x2
        if a.ndim == 1:
            return matmul(expand(d, -2), swapped(x2))[..., 0, :]
        return matmul(d, swapped(x2))

    def second(d, y):  # dB = A^T dY
        if a.ndim == 1 and b.ndim == 1:
            return d * x1
        if a.ndim == 1:
            return expand(x1, -1) * expand(d, -2)
        if b.ndim == 1:
            return matmul(swapped(x1), expand(d, -1))[..., 0]
        return matmul(swapped(x1), d)

    return made(np.matmul(a, b), (x1, first), (x2, second))


@operation
def where(condition, x1=None, x2=None):
    """x1 where the condition holds, x2 elsewhere. With the condition alone, where it holds, as numpy.where says it."""
    c = np.asarray(value(condition)).astype(bool)
    if x1 is None and x2 is None:
        return np.where(c)
    return made(np.where(c, value(x1), value(x2)), (x1, lambda d, y: d * c), (x2, lambda d, y: d * ~c))


@operation
def less(x1, x2):
    """x1 < x2"""
    return made(np.less(value(x1), value(x2)))


@operation
def less_equal(x1, x2):
    """x1 <= x2"""
    return made(np.less_equal(value(x1), value(x2)))


@operation
def greater(x1, x2):
    """x1 > x2"""
    return made(np.greater(value(x1), value(x2)))


@operation
def greater_equal(x1, x2):
    """x1 >= x2"""
    return made(np.greater_equal(value(x1), value(x2)))


# --- shape -----------------------------------------------------------------------------------------------------------


@operation
def reshape(x, newshape):
    """The same values in another shape; an extent of -1 is what remains."""
    old = np.shape(x)
    shape = newshape if isinstance(newshape, int) else tuple(int(n) for n in newshape)
    return made(np.reshape(value(x), shape), (x, lambda d, y: reshape(d, old)))


@operation
def transpose(x, axes=None):
    """The axes in another order, by default in reverse."""
    undo = None if axes is None else np.argsort(axes)
    return made(np.transpose(value(x), axes), (x, lambda d, y: transpose(d, undo)))


@operation
def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    return made(np.swapaxes(value(x), axis1, axis2), (x, lambda d, y: swapaxes(d, axis1, axis2)))


def expand(x, axis):
    """A new axis of extent 1."""
    return made(np.expand_dims(value(x), axis), (x, lambda d, y: reshape(d, np.shape(x))))


@operation
def cast(x, dtype):
    """The values as another type; a gradient comes back as the type that was."""
    old = np.asarray(value(x)).dtype
    return linked(np.asarray(value(x)).astype(dtype), (x, lambda d, y: cast(d, old)))


@operation
def getitem(x, key):
    """x[key], for any key that numpy takes."""
    shape = np.shape(x)
    key = tuple(map(_plain, key)) if isinstance(key, tuple) else _plain(key)
    return made(value(x)[key], (x, lambda d, y: put_in_zeros(d, key, shape)))


@operation
def put_in_zeros(d, key, shape):
    """Zeros of this shape to which d is added at `key`; for d the gradient of x[key], the gradient of x."""
    whole = np.zeros(shape, np.asarray(d).dtype)
    if _names_places_once(key):
        whole[key] = value(d)
    else:
        np.add.at(whole, key, value(d))  # places may come twice
    return made(whole, (d, lambda e, y: e[key]))


def _plain(part):
    return value(part) if isinstance(part, Operators) else part


def _names_places_once(key):
    """Whether a key has slices, integers, Ellipsis and None alone."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)) for part in parts)


# --- sums ------------------------------------------------------------------------------------------------------------


def _spread(d, shape, axis, keepdims):
    """The gradient of a sum over `axis`, repeated for what was summed."""
    if axis is not None and not keepdims:
        axes = axis if isinstance(axis, tuple) else (axis,)
        d = made(np.expand_dims(value(d), axes), (d, lambda e, y: reshape(e, d.shape)))
    return broadcast_to(d, shape)


@operation
def broadcast_to(x, shape):
    """x repeated along axes of extent 1, and ones put in front, until it has this shape."""
    return made(np.broadcast_to(value(x), shape), (x, lambda d, y: d))


@operation
def sum_over(x, axis=None, keepdims=False):
    """The sum over the axes, over all by default."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    array = np.asarray(value(x))
    dtype = {"b": np.int32, "i": array.dtype, "u": array.dtype}.get(array.dtype.kind)  # numpy would widen integers
    y = np.sum(array, axis=axis, keepdims=keepdims, dtype=dtype)
    return made(y, (x, lambda d, y: _spread(d, np.shape(x), axis, keepdims)))


@operation
def mean_over(x, axis=None, keepdims=False):
    """The mean over the axes, over all by default."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    y = np.mean(value(x), axis=axis, keepdims=keepdims)
    share = np.size(y) / max(np.size(value(x)), 1)
    return made(y, (x, lambda d, y: _spread(d * share, np.shape(x), axis, keepdims)))


# numpy's functions that stand for operations when they are called on tensors.
ufuncs = {
    np.add: add,
    np.subtract: subtract,
    np.multiply: multiply,
    np.true_divide: divide,
    np.power: power,
    np.matmul: matmul,
    np.negative: negative,
    np.absolute: absolute,
    np.log: log,
}
