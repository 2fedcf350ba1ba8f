"""Tensors: new ones, and what is known of one."""

import numpy as np

from fastkeras import layers, ops, random
from fastkeras.config import floatx
from fastkeras.core.tensor import Operators, SymbolicTensor
from fastkeras.core.tensor import value as value_of


def constant(value, dtype=None, shape=None, name=None):
    """A tensor with this value, repeated to the shape if one is given."""
    tensor = ops.convert_to_tensor(value, dtype or floatx())
    return tensor if shape is None else ops.full(shape, 0, tensor.dtype) + tensor


def arange(start, stop=None, step=1, dtype="int32"):
    """start, start + step, ... below stop; 0, 1, ... below start if it stands alone."""
    return ops.arange(*((0, start) if stop is None else (start, stop)), step, dtype)


def placeholder(shape=None, ndim=None, dtype=None, sparse=False, name=None, ragged=False):
    """An input of a model, or of `function`: of this shape, with the batch axis, or with so many axes."""
    if sparse or ragged:
        raise ValueError(f"placeholder: tensors are dense here. Received: sparse={sparse}, ragged={ragged}")
    if shape is None and ndim is None:
        raise ValueError("placeholder: expected `shape`, or `ndim`. Received: neither")
    return layers.Input(batch_shape=shape or (None,) * ndim, dtype=dtype, name=name)


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability p, else 0."""
    return random.binomial(shape, 1, p, dtype, seed)


random_binomial = random_bernoulli


def identity(x, name=None):
    """x"""
    return ops.convert_to_tensor(x)


# --- what is known of a tensor ---------------------------------------------------------------------------------------


def int_shape(x):
    """The extents, a tuple; None is one that a model does not know yet."""
    return ops.shape(x)


def dtype(x):
    """The name of the type."""
    return np.dtype(x.dtype).name


def count_params(x):
    """How many elements there are."""
    return int(np.prod(ops.shape(x)))


def is_keras_tensor(x):
    """Whether x stands for an output of a layer in a model, before there is data."""
    if not isinstance(x, (Operators, np.ndarray)):
        raise ValueError(f"is_keras_tensor: expected a tensor or a variable. Received: {type(x).__name__}")
    return isinstance(x, SymbolicTensor)


def is_sparse(tensor):
    """Always False: tensors are dense here."""
    return False


def to_dense(tensor):
    """The tensor, which is dense."""
    return tensor


def cast_to_floatx(x):
    """x as float32: a numpy array stays one."""
    return np.asarray(x, floatx()) if not isinstance(x, Operators) else ops.cast(x, floatx())


def print_tensor(x, message="", summarize=3):
    """Prints the message and the values; returns x. summarize: so many at each end of an axis, -1 for all."""
    edge = np.size(value_of(x)) if summarize == -1 else summarize
    print(message, np.array2string(np.asarray(value_of(x)), edgeitems=edge, threshold=2 * edge), sep="")
    return x
