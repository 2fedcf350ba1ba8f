"""Tensors: arrays that know, while a tape records, how they were computed; and placeholders for what is not there yet.

An operation is its value, by numpy or a kernel, and for each input the way its gradient comes back.

    multiply = formula2(np.multiply, "x1 x2", lambda d, y, x1, x2: d * x2, lambda d, y, x1, x2: d * x1)

    @operation
    def multiply(x1, x2):
        return made(value(x1) * value(x2), (x1, lambda d, y: d * x2), (x2, lambda d, y: d * x1))

d is the gradient of the result y. Both forms say the same; the first costs less. Gradients are computed on arrays, and
on tensors while a tape records them, so that they have gradients too: they are written with operators, methods and
functions of elements, numpy's or those of _kernels/broadcast.pyx, which both know, or with operations. Where an input
was repeated to fit another (numpy's broadcasting), its gradient is summed in _kernels/steps.pyx.

Here are the operations that Python's operators stand for; the others, under Keras's names, are in fastkeras/ops.
"""

import itertools
import math

import numpy as np

from fastkeras._kernels import broadcast, gemm
from fastkeras._kernels.steps import (  # noqa: F401 (others take them from here)
    Node,
    computed,
    formula,
    formula2,
    kinds,
    linked,
    made,
    operation,
    operations_on_symbols,
    source_of,
    tapes,
    ufuncs,
    value,
)

FLOAT32 = np.dtype(np.float32)


def as_input(array, dtype):
    """The array as layers take it: C-contiguous, float32, int32 or int64, or, where they take a "string", of objects;
    for a "number", int32 if it holds integers, else float32."""
    if dtype == "number":
        dtype = np.int32 if array.dtype.kind in "iub" else np.float32
    return np.ascontiguousarray(array, object if dtype == "string" else dtype)


_numbers = itertools.count()


# --- how a tensor was computed ---------------------------------------------------------------------------------------


class Parts(dict):
    """{output: its gradient}: the gradient of a step with several outputs."""

    def __add__(self, other):
        return Parts({**self, **other})


class Whole(Node):
    """One step with several outputs, computed by a layer or by code of the user's.

    sources: what it was computed from, None for what nobody asks about. gradients(ds): the gradient for each source, or
    None, from the list of those of the outputs, plain arrays, None for one that nothing depends on. The outputs are
    tensors, whose nodes lead here. who: what a message calls the step.
    """

    def __init__(self, sources, gradients, outputs, who):
        super().__init__(None)
        self.sources, self.gradients, self.count, self.who = sources, gradients, len(outputs), who
        for i, output in enumerate(outputs):
            output.node = Node(np.asarray(output), [(self, lambda d, y, i=i: Parts({i: d}), None)])

    def clear(self):
        self.sources = self.gradients = ()

    def back(self, parts):
        ds = [None if i not in parts else np.asarray(parts[i]) for i in range(self.count)]
        pairs = zip(self.sources, self.gradients(ds), strict=True)
        found = [(source, np.asarray(d)) for source, d in pairs if source is not None and d is not None]
        if not tapes.recording:
            return found
        links = [(source, self._refuse, None) for source, _ in found]
        tensors = [(source, d.view(Tensor)) for source, d in found]
        for _, tensor in tensors:
            tensor.node = Node(np.asarray(tensor), links)
        return tensors

    def _refuse(self, d, y):
        raise NotImplementedError(
            f"GradientTape: the gradient of a gradient is taken through {self.who}, whose kernels give the first "
            "derivative alone; write it with fastkeras.ops"
        )


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

    def set_shape(self, shape):
        """Nothing, if the tensor may have this shape, None meaning any extent or shape; else a ValueError."""
        same_rank = shape is None or len(shape) == self.ndim
        if not same_rank or any(n not in (None, m) for n, m in zip(shape or (), self.shape, strict=False)):
            raise ValueError(f"set_shape: expected a shape that the tensor's, {self.shape}, fits. Received: {shape}")

    def sum(self, axis=None, dtype=None, out=None, keepdims=False):
        """As numpy's; out must be None."""
        return sum_over(self if dtype is None else cast(self, dtype), axis, keepdims)

    def mean(self, axis=None, dtype=None, out=None, keepdims=False):
        """As numpy's; out must be None."""
        return mean_over(self if dtype is None else cast(self, dtype), axis, keepdims)

    def reshape(self, *shape):
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        return transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, axis1, axis2):
        return swapaxes(self, axis1, axis2)

    @property
    def T(self):
        return transpose(self)

    def astype(self, dtype):
        return cast(self, dtype)

    def __round__(self, ndigits=None):
        return round(self.item(), ndigits)


def as_tensor(array):
    """A Tensor with the array's values; it owns them."""
    return np.array(array).view(Tensor)


def mask_of(x):
    """The mask that a tensor carries, Keras's attribute of that name, or None."""
    return getattr(x, "_keras_mask", None)


def mask_of_rows(x):
    """The mask that x (..., columns) carries, if it has an element for each row, else None: it may be of an axis that x
    no longer has."""
    mask = mask_of(x)
    return mask if mask is not None and mask.shape == x.shape[:-1] else None


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

    @property
    def dtype_for_call(self):
        """What a `call` of the user's own is given: "int32" or "string" if it was declared so, else "float32"."""
        return self.dtype if self.dtype in ("int32", "string") else "float32"

    def accepts(self, shape):
        """Whether data of this shape may stand for the tensor; the batch axis may be of any size."""
        if len(shape) != len(self.shape):
            return False
        if not self.declared or shape[1:] == self.shape[1:]:  # nearly always one of the two
            return True
        return all(want in (None, got) for want, got in zip(self.shape[1:], shape[1:], strict=True))

    def __iter__(self):
        raise TypeError(f"A symbolic tensor has no values to iterate over before there is data. Received: {self}")

    def __repr__(self):
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


kinds(Tensor, Watchable, SymbolicTensor)


# --- arithmetic ------------------------------------------------------------------------------------------------------


add = formula2(broadcast.add, "x1 + x2", lambda d, y, x1, x2: d, lambda d, y, x1, x2: d)
subtract = formula2(broadcast.subtract, "x1 - x2", lambda d, y, x1, x2: d, lambda d, y, x1, x2: -d)
multiply = formula2(
    broadcast.multiply,
    "x1 x2, element by element",
    lambda d, y, x1, x2: broadcast.multiply(d, x2),
    lambda d, y, x1, x2: broadcast.multiply(d, x1),
)
ufuncs |= {np.add: add, np.subtract: subtract, np.multiply: multiply}
divide = formula2(np.true_divide, "x1 / x2", lambda d, y, x1, x2: d / x2, lambda d, y, x1, x2: -d * y / x2)
floor_divide = formula2(np.floor_divide, "floor(x1 / x2); it has no slope.", None, None)
mod = formula2(
    np.mod,
    "x1 - floor(x1 / x2) x2, which has the sign of x2",
    lambda d, y, x1, x2: d,
    lambda d, y, x1, x2: -d * np.floor_divide(x1, x2),
)
negative = formula(np.negative, "-x", lambda d, y, x: -d)
absolute = formula(np.absolute, "|x|; its slope at 0 is 0.", lambda d, y, x: d * np.sign(x))
log = formula(np.log, "The natural logarithm.", lambda d, y, x: d / x)
less = formula2(np.less, "x1 < x2", None, None)
less_equal = formula2(np.less_equal, "x1 <= x2", None, None)
greater = formula2(np.greater, "x1 > x2", None, None)
greater_equal = formula2(np.greater_equal, "x1 >= x2", None, None)


def _power(a, b):
    return a**b  # numpy squares where b is 2, which its function `power` does not


def _exponent_gradient(d, y, x1, x2):
    return d * y * log(where(np.greater(value(x1), 0), x1, 1))


power = formula2(
    _power,
    "x1 to the power x2. Where x1 <= 0, the gradient of x2 is 0, as in TensorFlow.",
    lambda d, y, x1, x2: d * x2 * x1 ** (x2 - 1),
    _exponent_gradient,
)


def _matmul(a, b):
    """a @ b; where b is one matrix, as one product of all rows of a."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return matmul(a, b)
    try:
        if a.ndim == b.ndim == 2:
            return _product(a, b)
        if a.ndim > 2 and b.ndim == 2:
            return _product(_rows(a), b).reshape(*a.shape[:-1], b.shape[1])
        return a @ b
    except (AttributeError, ValueError):  # a number, or extents that differ
        raise ValueError(
            "ops.matmul: the last axis of the first must be as long as the last but one of the second. "
            f"Received: shapes {np.shape(a)} and {np.shape(b)}"
        ) from None


def _product(a, b):
    """The product of two matrices: of float32 by our kernel, which gives the same bits with any number of threads."""
    return gemm.product(a, b) if a.dtype == b.dtype == FLOAT32 else a @ b


def _rows(x):
    """All rows of x, (..., n), as one matrix."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _matmul_gradient_1(d, y, a, b):  # dA = dY B^T
    if b.ndim == 1:
        return d * b if a.ndim == 1 else d[..., None] * b
    if a.ndim == 1:
        return (d[..., None, :] @ b.swapaxes(-1, -2))[..., 0, :]
    return _matmul(d, b.swapaxes(-1, -2))


def _matmul_gradient_2(d, y, a, b):  # dB = A^T dY
    if a.ndim == 1:
        return d * a if b.ndim == 1 else a[:, None] * d[..., None, :]
    if b.ndim == 1:
        return (a.swapaxes(-1, -2) @ d[..., None])[..., 0]
    if b.ndim == 2:
        return _matmul(_rows(a).T, _rows(d))
    return a.swapaxes(-1, -2) @ d


matmul = formula2(
    _matmul,
    "Matrix products over the last two axes; the others are broadcast, as numpy.matmul does it.",
    _matmul_gradient_1,
    _matmul_gradient_2,
)
ufuncs |= {np.matmul: matmul, np.power: power}


@operation
def where(condition, x1=None, x2=None):
    """x1 where the condition holds, x2 elsewhere. With the condition alone, where it holds, as numpy.where says it."""
    c = np.asarray(value(condition)).astype(bool)
    if x1 is None and x2 is None:
        return np.where(c)
    return made(np.where(c, value(x1), value(x2)), (x1, lambda d, y: d * c), (x2, lambda d, y: d * ~c))


# --- shape -----------------------------------------------------------------------------------------------------------

_RESHAPED = (lambda d, y, x: d.reshape(x.shape),)


def reshaped(y, x):
    """The tensor of y, the values of x in another shape."""
    return computed(y, _RESHAPED, (x,), (np.asarray(value(x)),))


@operation
def reshape(x, newshape):
    """The same values in another shape; an extent of -1 is what remains."""
    shape = newshape if isinstance(newshape, int) else tuple(int(n) for n in newshape)
    return reshaped(np.asarray(value(x)).reshape(shape), x)


@operation
def transpose(x, axes=None):
    """The axes in another order, by default in reverse."""
    undo = None if axes is None else np.argsort(axes)
    return made(np.asarray(value(x)).transpose(axes), (x, lambda d, y: d.transpose(undo)))


@operation
def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    return made(np.asarray(value(x)).swapaxes(axis1, axis2), (x, lambda d, y: d.swapaxes(axis1, axis2)))


@operation
def cast(x, dtype):
    """The values as another type; a gradient comes back as the type that was."""
    array = np.asarray(value(x))
    return linked(array.astype(dtype), (x, lambda d, y: d.astype(array.dtype)))


@operation
def getitem(x, key):
    """x[key], for any key that numpy takes."""
    array = np.asarray(value(x))
    key = tuple(map(_plain, key)) if isinstance(key, tuple) else _plain(key)
    return made(array[key], (x, lambda d, y: put_in_zeros(d, key, array.shape)))


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


@operation
def broadcast_to(x, shape):
    """x repeated along axes of extent 1, and ones put in front, until it has this shape."""
    return made(np.broadcast_to(value(x), shape), (x, lambda d, y: d))


def as_axes(axis):
    """One axis or several, or None, as numpy takes them: a list as a tuple."""
    return tuple(axis) if isinstance(axis, list) else axis


def kept(d, shape, axis, keepdims):
    """What was reduced from `shape` over the axes, with extent 1 where they were, so that it fits what was reduced; of
    all axes one number, which fits as it is."""
    if keepdims or axis is None:
        return d
    gone = [a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    return d.reshape([1 if a in gone else n for a, n in enumerate(shape)])


def _spread(d, shape, axis, keepdims, count=1):
    """The gradient of a sum over `axis`, or of that sum / count, repeated for what was summed."""
    d = kept(d, shape, axis, keepdims)
    if count != 1:
        d = d / d.dtype.type(count)  # by Python's integer, numpy 1 would make float64 of one float32
    return broadcast_to(d, shape) if isinstance(d, Tensor) else broadcast.repeated(np.asarray(d), shape)


@operation
def sum_over(x, axis=None, keepdims=False):
    """The sum over the axes, over all by default."""
    axis = as_axes(axis)
    array = np.asarray(value(x))
    if array.dtype.kind in "iub":  # numpy would widen them
        y = array.sum(axis=axis, keepdims=keepdims, dtype=np.int32 if array.dtype.kind == "b" else array.dtype)
    else:
        y = broadcast.summed(array, axis, keepdims)
    return computed(y, (lambda d, y, x: _spread(d, x.shape, axis, keepdims),), (x,), (array,))


@operation
def mean_over(x, axis=None, keepdims=False):
    """The mean over the axes, over all by default."""
    axis = as_axes(axis)
    array = np.asarray(value(x))
    if array.dtype.kind != "f":
        return made(np.mean(array, axis=axis, keepdims=keepdims), (x, None))
    total = broadcast.summed(array, axis, keepdims)
    count = array.size // max(total.size, 1)
    return computed(total / count, (lambda d, y, x: _spread(d, x.shape, axis, keepdims, count),), (x,), (array,))
