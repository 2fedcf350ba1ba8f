"""Arrays of objects from pickles, in which nothing but lists, strings, numbers and numpy's arrays is possible."""

import pickle
import zipfile

import numpy as np
from numpy.lib import format as npy

_RECONSTRUCT = np.empty(0).__reduce__()[0]  # what numpy's pickles call to make an empty array, which they then fill
_ALLOWED = {
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,  # numpy 1
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,  # numpy 2
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _ALLOWED:
            raise ValueError(f"A pickle of arrays must not name anything but numpy's arrays. Received: {module}.{name}")
        return _ALLOWED[module, name]


def load(file):
    """The object in the pickle that the binary `file` holds; a str that Python 2 has written becomes bytes."""
    return _Unpickler(file, encoding="bytes").load()


def load_npz(path):
    """The arrays in an .npz file, arrays of objects included, as a dict."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                arrays[name.removesuffix(".npy")] = _load_npy(file)
    return arrays


def _load_npy(file):
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        return load(file).reshape(shape)
    file.seek(0)
    return npy.read_array(file, allow_pickle=False)
