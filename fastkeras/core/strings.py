"""Texts as tensors: arrays of bytes in UTF-8, as TensorFlow has them."""

import numpy as np

from fastkeras.core.tensor import Tensor


class Strings(Tensor):
    """An array of objects, each of them bytes. `.numpy()` of a single text is the bytes themselves."""

    def numpy(self):
        return self.item() if self.ndim == 0 else np.asarray(self)

    def astype(self, dtype):
        return np.asarray(self).astype(dtype)

    def __getitem__(self, key):
        return strings(np.asarray(self)[key])

    def __eq__(self, other):
        return np.asarray(np.asarray(self) == np.asarray(strings(other)), bool).view(Tensor)

    def __ne__(self, other):
        return ~(self == other)

    __hash__ = None


def strings(x):
    """Strings of a text or an array or list of texts, each str or bytes; a TypeError if one is neither."""
    array = np.asarray(x, object)
    made = np.empty(array.shape, object)
    made.ravel()[:] = [encoded(text) for text in array.ravel().tolist()]
    return made.view(Strings)


def encoded(text):
    """The bytes of a text; a TypeError if it is none."""
    if isinstance(text, str):
        return text.encode()
    if not isinstance(text, bytes):
        raise TypeError(f"Expected texts, str or bytes. Received: {text!r:.100}")
    return text


def are_texts(x):
    """Whether x is a text, or a list or array that begins with one."""
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    if getattr(getattr(x, "dtype", None), "kind", "") == "O":
        x = next(iter(np.ravel(x).tolist()), None)
    return isinstance(x, (str, bytes)) or getattr(getattr(x, "dtype", None), "kind", "") in ("U", "S")
