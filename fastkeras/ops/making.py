"""New tensors, and what can be said about one."""

import numpy as np

from fastkeras.core.tensor import SymbolicTensor, Tensor, Watchable, cast, linked, made, operation, value

__all__ = [
    "arange", "array", "bartlett", "blackman", "convert_to_numpy", "convert_to_tensor", "copy", "dtype", "empty",
    "empty_like", "eye", "full", "full_like", "geomspace", "hamming", "hanning", "identity", "is_tensor", "kaiser",
    "linspace", "logspace", "meshgrid", "ndim", "ones", "ones_like", "saturate_cast", "shape", "size", "tri", "view",
    "zeros", "zeros_like",
]  # fmt: skip


@operation
def convert_to_tensor(x, dtype=None, sparse=None):
    """A tensor of an array, a variable, a number or a list; lists of Python's numbers become float32 or int32. Of a
    variable it has the values of now, whatever is assigned later."""
    if isinstance(x, Tensor) and dtype is None:
        return x
    if dtype is not None:
        return cast(x, dtype)
    y = value(x).copy() if isinstance(x, Watchable) else np.asarray(value(x))
    if not isinstance(x, (np.ndarray, Watchable)) and y.dtype in (np.float64, np.int64):
        y = y.astype(np.float32 if y.dtype == np.float64 else np.int32)
    return linked(y, (x, lambda d, y: d))


array = convert_to_tensor


@operation
def copy(x):
    """The same values in a tensor of their own."""
    return linked(np.array(value(x)), (x, lambda d, y: d))


def convert_to_numpy(x):
    """The values as a plain numpy array."""
    return np.asarray(value(x))


def is_tensor(x):
    """Whether x is a tensor, one of a functional model too. Arrays and variables are none."""
    return isinstance(x, (Tensor, SymbolicTensor))


def dtype(x):
    """The name of the type, "float32"."""
    return str(np.dtype(getattr(x, "dtype", None) or np.asarray(value(x)).dtype))


@operation
def saturate_cast(x, dtype):
    """`cast`, but numbers that the type does not reach become the nearest that it has."""
    kind = np.dtype(dtype)
    if kind.kind not in "iu":
        return cast(x, kind)
    limits, array = np.iinfo(kind), np.asarray(value(x))
    with np.errstate(invalid="ignore"):
        y = array.astype(kind)
    y[array >= limits.max], y[array <= limits.min] = limits.max, limits.min
    return linked(y)


@operation
def view(x, dtype=None):
    """The same bits as numbers of another type, which has no slope."""
    array = np.array(value(x))
    return linked(array.view(dtype or array.dtype))


def shape(x):
    """The extents, a tuple; None is one that a functional model does not know yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(value(x))


def ndim(x):
    """How many axes there are."""
    return len(shape(x))


@operation
def size(x):
    """How many elements there are."""
    return int(np.size(value(x)))


def zeros(shape, dtype="float32"):
    """0 everywhere."""
    return linked(np.zeros(shape, dtype or np.float32))


def ones(shape, dtype="float32"):
    """1 everywhere."""
    return linked(np.ones(shape, dtype or np.float32))


empty = zeros


def full(shape, fill_value, dtype=None):
    """fill_value everywhere."""
    return linked(np.full(shape, value(fill_value), dtype or np.float32))


@operation
def zeros_like(x, dtype=None):
    """0 in the shape of x."""
    return linked(np.zeros_like(value(x), dtype))


empty_like = zeros_like


@operation
def ones_like(x, dtype=None):
    """1 in the shape of x."""
    return linked(np.ones_like(value(x), dtype))


@operation
def full_like(x, fill_value, dtype=None):
    """fill_value in the shape of x."""
    return linked(np.full_like(value(x), value(fill_value), dtype))


def eye(N, M=None, k=0, dtype=None):
    """N rows and M columns (N by default) with 1 on the k-th diagonal, 0 elsewhere."""
    return linked(np.eye(N, M, k, dtype or np.float32))


def identity(n, dtype=None):
    """The unit matrix."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=None):
    """N rows and M columns (N by default) with 1 on the k-th diagonal and below, 0 above."""
    return linked(np.tri(N, M, k, dtype or np.float32))


def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, ... below stop; from 0 if one number is given. Of integers int32, else float32."""
    numbers = [value(n) for n in (start, stop, step) if n is not None]
    y = np.arange(value(start), None if stop is None else value(stop), 1 if step is None else value(step))
    whole = all(np.issubdtype(np.asarray(n).dtype, np.integer) for n in numbers)
    return linked(y.astype(dtype or (np.int32 if whole else np.float32)))


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """num numbers at equal distances from start to stop; with retstep, (the numbers, the distance)."""
    y, step = np.linspace(value(start), value(stop), num, endpoint, True, axis=axis)
    y = linked(y.astype(dtype or np.float32))
    return (y, step) if retstep else y


def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """num numbers from base^start to base^stop, with exponents at equal distances."""
    return linked(np.logspace(value(start), value(stop), num, endpoint, base, dtype or np.float32, axis))


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """num numbers from start to stop, each the same multiple of the one before."""
    return linked(np.geomspace(value(start), value(stop), num, endpoint, dtype or np.float32, axis))


# Windows of x numbers, by which a stretch of a signal is weighted; n goes from 0 to x - 1.


def bartlett(x):
    """1 - |2 n / (x - 1) - 1|"""
    return linked(np.bartlett(int(x)).astype(np.float32))


def hanning(x):
    """0.5 - 0.5 cos(2 pi n / (x - 1))"""
    return linked(np.hanning(int(x)).astype(np.float32))


def hamming(x):
    """0.54 - 0.46 cos(2 pi n / (x - 1))"""
    return linked(np.hamming(int(x)).astype(np.float32))


def blackman(x):
    """0.42 - 0.5 cos(2 pi n / (x - 1)) + 0.08 cos(4 pi n / (x - 1))"""
    return linked(np.blackman(int(x)).astype(np.float32))


def kaiser(x, beta):
    """I0(beta sqrt(1 - (2 n / (x - 1) - 1)^2)) / I0(beta), I0 being the modified Bessel function"""
    return linked(np.kaiser(int(x), float(beta)).astype(np.float32))


def meshgrid(*x, indexing="xy"):
    """The coordinates of a grid, one array for each vector given."""
    return [made(a) for a in np.meshgrid(*map(value, x), indexing=indexing)]
