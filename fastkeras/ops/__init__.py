"""Functions of tensors, under Keras's names, with gradients: for layers, losses and training loops of your own.

    with fastkeras.GradientTape() as tape:
        loss = ops.mean(ops.square(y - ops.matmul(x, w)))
    (gradient,) = tape.gradient(loss, [w])

Arguments are tensors, arrays, variables, numbers or lists; results are tensors: numpy arrays that remember, while a
tape records, how they were computed. Types are numpy's, but that float64 arises only from float64.
"""

# ruff: noqa: F401, F403 (this module is its parts' names)

from fastkeras.core.tensor import Tensor, broadcast_to, cast, reshape, swapaxes, transpose
from fastkeras.ops import image, linalg, nn, numpy
from fastkeras.ops.control import *
from fastkeras.ops.linalg import *
from fastkeras.ops.nn import *
from fastkeras.ops.numpy import *
from fastkeras.ops.segments import *
from fastkeras.ops.signal import *
from fastkeras.utils import suggest

# What numpy's functions say to the methods of what they are given, even where nobody asks for it.
_SAID = {"ddof": 0, "dtype": None, "order": "C", "out": None}


def _method(operation):
    def method(self, *args, **kwargs):
        return operation(self, *args, **{k: v for k, v in kwargs.items() if k not in _SAID or v is not _SAID[k]})

    method.__name__, method.__doc__ = operation.__name__, operation.__doc__
    return method


# numpy's own methods would forget how a tensor was computed.
for _name in ("clip", "cumsum", "dot", "max", "min", "prod", "ravel", "repeat", "squeeze", "std", "var"):
    setattr(Tensor, _name, _method(globals()[_name]))
Tensor.flatten = Tensor.ravel


# Keras's names that are not here, and why.
_COMPLEX = "there are no complex numbers here; fft, rfft, stft and their inverses take and give pairs of real tensors"
ABSENT = {
    **dict.fromkeys(
        ("angle", "conj", "conjugate", "eig", "imag", "isreal", "polar", "real", "view_as_complex", "view_as_real"),
        _COMPLEX,
    ),
    "i0": "numpy.i0 has its values, without a gradient",
    "jvp": "derivatives are taken backwards alone, by GradientTape",
    "lu_factor": "ops.solve, ops.inv and ops.det need no factors, and scipy.linalg has them",
    "rearrange": "write ops.reshape and ops.transpose",
    "vectorize": "operations broadcast, and ops.map calls a function for each element of an axis",
}


def __getattr__(name):
    if name in ABSENT:
        raise AttributeError(f"fastkeras.ops has no {name}, unlike keras.ops: {ABSENT[name]}")
    raise AttributeError(suggest.unknown("name in fastkeras.ops", name, globals()))
