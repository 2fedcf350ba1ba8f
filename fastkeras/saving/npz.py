"""Weights by name in numpy's .npz: {"dense/kernel": array, ...}, which np.load reads anywhere.

Reading trusts nothing: an array is not read before its header has been found to name the shape that is wanted, and
objects, which would be unpickled, are refused.
"""

import io
import math
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np

from fastkeras.utils import atomic


def write(path, named):
    """Writes a file with the arrays of [(name, array)]; the second of equal names gets a number."""
    names = [name for name, _ in named]
    counts = [names[:i].count(name) for i, name in enumerate(names)]
    names = [f"{name}_#{count}" if count else name for name, count in zip(names, counts, strict=True)]
    content = io.BytesIO()
    np.savez(content, **dict(zip(names, (array for _, array in named), strict=True)))
    atomic.write(path, content.getbuffer())


def read(path):
    """{name: array with `shape` and `read()`} in the order of the file.

    Raises OSError if it cannot be read, and ValueError if it is damaged or is none.
    """
    with _members(path) as members:
        return {name.removesuffix(".npy"): _Array(path, name) for name in members.namelist()}


@contextmanager
def _members(path):
    try:
        with zipfile.ZipFile(path) as members:
            yield members
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"'{path}' is damaged, or is no .npz file: {error}") from None


class _Array:
    """An array of the file, of which only the header is read so far."""

    def __init__(self, path, name):
        self._path, self._name = path, name
        with _members(path) as members, members.open(name) as file:
            self.shape, self._dtype = self._header(file)

    def _header(self, file):
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = read(file)
        except ValueError as error:
            raise ValueError(f"'{self._path}': '{self._name}' is not an array: {error}") from None
        if dtype.kind not in "fiu" or by_columns:
            raise ValueError(f"'{self._path}': '{self._name}' must hold numbers, row by row. Received: {dtype}")
        return shape, dtype

    def read(self):
        with _members(self._path) as members, members.open(self._name) as file:
            self._header(file)
            data = file.read(math.prod(self.shape) * self._dtype.itemsize)
        if len(data) != math.prod(self.shape) * self._dtype.itemsize:
            raise ValueError(f"'{self._path}': '{self._name}' ends before its {self.shape} numbers do")
        return np.frombuffer(data, self._dtype).reshape(self.shape)
