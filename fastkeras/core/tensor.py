"""Tensors: what a layer returns when it is called on an array, and the placeholder when it is called on another."""

import itertools

import numpy as np


class Tensor(np.ndarray):
    """The result of a layer called on data: a numpy array that also answers `.numpy()`."""

    def numpy(self):
        """The values as a plain numpy array."""
        return np.asarray(self)


def as_tensor(array):
    """A Tensor with the array's values; it owns them."""
    return np.array(array).view(Tensor)


_numbers = itertools.count()


class SymbolicTensor:
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

    def __repr__(self):
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"
