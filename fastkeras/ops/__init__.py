"""Functions of tensors, under Keras's names, with gradients: for layers, losses and training loops of your own.

    with fastkeras.GradientTape() as tape:
        loss = ops.mean(ops.square(y - ops.matmul(x, w)))
    (gradient,) = tape.gradient(loss, [w])

Arguments are tensors, arrays, variables, numbers or lists; results are tensors: numpy arrays that remember, while a
tape records, how they were computed. Types are numpy's, but that float64 arises only from float64.
"""

# ruff: noqa: F401, F403 (this module is its parts' names)

from fastkeras.core.tensor import Tensor, broadcast_to, cast, reshape, swapaxes, transpose
from fastkeras.ops import linalg, nn, numpy
from fastkeras.ops.control import *
from fastkeras.ops.linalg import *
from fastkeras.ops.nn import *
from fastkeras.ops.numpy import *
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


_LEFT_OUT = {
    "angle", "conj", "conjugate", "eig", "fft", "fft2", "ifft2", "imag", "image", "irfft", "isreal", "istft", "polar",
    "real", "rfft", "stft", "view_as_complex", "view_as_real",
}  # fmt: skip


def __getattr__(name):
    if name in _LEFT_OUT:
        raise AttributeError(
            f"fastkeras.ops has no {name}: there are no complex numbers here, and no functions of images. numpy has."
        )
    raise AttributeError(suggest.unknown("name in fastkeras.ops", name, globals()))
