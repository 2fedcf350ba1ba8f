"""Weights as Keras 1 and cuDNN laid them out, in the shapes of today.

    Keras 1    LSTM    W_i U_i b_i  W_c U_c b_c  W_f U_f b_f  W_o U_o b_o      kernel = [W_i W_f W_c W_o], ...
               GRU     W_z U_z b_z  W_r U_r b_r  W_h U_h b_h                   kernel = [W_z W_r W_h], ...
               Conv1D  (filters, channels, window, 1), or (window, 1, channels, filters)
               Conv2D  (filters, channels, rows, columns) where dim_ordering was "th"
               Conv2DTranspose  (rows, columns, channels, filters), or with "th" (filters, channels, rows, columns)
    cuDNN      kernels (D, gates u) and (u, gates u) whose gates are each transposed; a bias for x and one for h,
               (2 gates u,), which LSTM adds up and GRU keeps, as (2, 3u)

The backend Theano flips the windows of its convolutions.
"""

import math

import numpy as np

from fastkeras.layers.convolutional import Conv
from fastkeras.layers.gru import GRU
from fastkeras.layers.lstm import LSTM
from fastkeras.layers.transposed import ConvTranspose


class _Array:
    """An array of a file that is read, and brought into its new shape, when it is asked for."""

    def __init__(self, shape, read):
        self.shape, self.read = shape, read


def as_today(layer, arrays, version, backend):
    """The arrays of a layer in the order of `in_file_order`, as they would be written today.

    version: of the Keras that wrote them, None or "1..." for Keras 1; backend: "theano" or another.
    """
    old, flipped, result = version is None or version.startswith("1"), backend == "theano", []
    arrays = list(arrays)
    for leaf, variables in _groups(layer):
        count = _PARTS[type(leaf)] * 3 if old and type(leaf) in _PARTS and variables else len(variables)
        own, arrays = arrays[:count], arrays[count:]
        result += _of_leaf(leaf, variables, own, old, flipped)
    return result + arrays


def _groups(layer):
    """[(layer, its weights)] for a layer and all in it, in the order of its arrays: those that are trained first."""
    leaves = list(_leaves(layer))
    trained = {id(v) for v in layer.trainable_variables}
    groups = [(leaf, [v for v in leaf._variables if id(v) in trained]) for leaf in leaves]
    return groups + [(leaf, [v for v in leaf._variables if id(v) not in trained]) for leaf in leaves]


def _leaves(layer):
    yield layer
    for inner in layer.sublayers():
        yield from _leaves(inner)


def _of_leaf(leaf, variables, arrays, old, flipped):
    if not variables or not arrays:
        return arrays
    kind, wanted = type(leaf), variables[0].shape
    if kind in _PARTS and old and len(arrays) == 3 * _PARTS[kind]:
        return _of_gates(arrays, [0, 2, 1, 3] if kind is LSTM else [0, 1, 2])
    if kind in _PARTS and len(arrays) == 3 and arrays[2].shape == (2 * _PARTS[kind] * leaf.units,):
        return _of_cudnn(kind, arrays)
    if isinstance(leaf, (Conv, ConvTranspose)):
        axes = _axes(leaf, arrays[0].shape, wanted) if old and len(arrays[0].shape) == 4 else None
        return [_window(arrays[0], axes, wanted, flipped), *arrays[1:]]
    return arrays


# --- recurrent layers ------------------------------------------------------------------------------------------------

_PARTS = {LSTM: 4, GRU: 3}  # how many gates there are


def _of_gates(arrays, order):
    """kernel, recurrent kernel and bias from the three of each gate; `order`: today's gates in the order of then."""

    if any(array.shape != arrays[i % 3].shape or not array.shape for i, array in enumerate(arrays)):
        return arrays  # which do not fit, and are named for it

    def joined(parts):
        parts = [parts[i] for i in order]
        *rows, columns = parts[0].shape
        return _Array((*rows, columns * len(parts)), lambda: np.concatenate([p.read() for p in parts], axis=-1))

    return [joined(arrays[kind::3]) for kind in range(3)]


def _of_cudnn(kind, arrays):
    kernel, recurrent, bias = arrays
    gates = _PARTS[kind]

    def turned(array, gate_of):
        read = lambda: np.hstack([gate_of(gate) for gate in np.hsplit(array.read(), gates)])  # noqa: E731
        return _Array(array.shape, read)

    both = _Array((2, bias.shape[0] // 2), lambda: bias.read().reshape(2, -1))
    if kind is LSTM:
        both = _Array((bias.shape[0] // 2,), lambda: bias.read().reshape(2, -1).sum(axis=0))
    return [turned(kernel, lambda k: k.T.reshape(k.shape, order="F")), turned(recurrent, lambda k: k.T), both]


# --- convolutions ----------------------------------------------------------------------------------------------------


def _axes(leaf, shape, wanted):
    """The axes of an old kernel in today's order, without the one of extent 1 that Conv1D had; None if they are."""
    if len(wanted) == 3:  # Conv1D; a window as long as there are filters cannot be told apart, and is taken as "tf"
        return (0, 2, 3) if shape[:2] == (wanted[0], 1) and shape[3] == wanted[2] else (2, 1, 0)
    if isinstance(leaf, ConvTranspose):
        return (2, 3, 0, 1) if leaf.data_format == "channels_first" else (0, 1, 3, 2)
    return (2, 3, 1, 0) if leaf.data_format == "channels_first" else None


def _window(array, axes, wanted, flipped):
    if axes is None and not flipped:
        return array
    shape = tuple(array.shape[axis] for axis in axes) if axes else array.shape

    def read():
        kernel = array.read()
        if axes:
            rest = [axis for axis in range(kernel.ndim) if axis not in axes]
            kernel = kernel.transpose(*axes, *rest)
            kernel = kernel.reshape(kernel.shape[: len(axes)])
        return kernel[tuple(slice(None, None, -1) for _ in range(len(wanted) - 2))] if flipped else kernel

    return _Array(shape if math.prod(shape) == math.prod(array.shape) else array.shape, read)
