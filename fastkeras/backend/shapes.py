"""Elements arranged anew: joined, repeated, picked, with zeros around them."""

import numpy as np

from fastkeras import ops
from fastkeras.config import image_data_format


def concatenate(tensors, axis=-1):
    """Tensors one behind the other along an axis, by default the last."""
    return ops.concatenate(tensors, axis)


def expand_dims(x, axis=-1):
    """A new axis of extent 1, by default the last."""
    return ops.expand_dims(x, axis)


def permute_dimensions(x, pattern):
    """The axes in this order."""
    return ops.transpose(x, pattern)


def flatten(x):
    """All elements in one row."""
    return ops.reshape(x, (-1,))


def batch_flatten(x):
    """Each sample's elements in one row: (batch, ...) gives (batch, n)."""
    return ops.reshape(x, (-1, int(np.prod(ops.shape(x)[1:]))))


def repeat(x, n):
    """(batch, features) n times, as steps: (batch, n, features)."""
    return ops.repeat(expand_dims(x, 1), n, axis=1)


def repeat_elements(x, rep, axis):
    """Each element so many times in a row along an axis."""
    return ops.repeat(x, rep, axis=axis)


def reverse(x, axes):
    """The elements in reverse order along these axes."""
    return ops.flip(x, axes)


def gather(reference, indices):
    """The rows with these indices."""
    return ops.take(reference, indices, axis=0)


def temporal_padding(x, padding=(1, 1)):
    """Zeros before and after the steps of (batch, steps, features)."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """Zeros around the rows and the columns of images."""
    around = [tuple(pair) for pair in padding]
    last = (data_format or image_data_format()) == "channels_last"
    return ops.pad(x, ((0, 0), *around, (0, 0)) if last else ((0, 0), (0, 0), *around))
