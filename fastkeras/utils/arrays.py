"""What people pass where numbers are wanted, as numpy arrays, or an error that names the argument."""

import reprlib

import numpy as np

from fastkeras.utils.messages import message

_HINTS = {"x": "texts_as_inputs", "inputs": "texts_as_inputs", "y": "texts_as_targets", "y_true": "texts_as_targets"}
_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 80


def to_array(name, value, texts=False, who=""):
    """`value` (array, list, pandas frame or series, tensor, sparse matrix) as an aligned numeric numpy array, or if
    there may be texts as one of objects.

    name: what errors call the argument; who: what they begin with, the layer or the function.
    """
    array = value
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            return value if value.flags.aligned else value.copy()  # such as np.frombuffer(file, offset=1)
    else:
        try:
            array = value.toarray() if hasattr(value, "toarray") else np.asarray(value)
        except ValueError as error:
            raise ValueError(who + message("rows_differ_in_length", name=name, received=brief(value))) from error
    first = next(array.flat, "") if array.dtype == object else None
    if texts and (array.dtype.kind in "US" or isinstance(first, (str, bytes))):
        return array.astype(object)
    if array.dtype == object:
        try:
            array = array.astype(np.float32) if array.ndim else np.float32(float(value))
        except (TypeError, ValueError):
            raise TypeError(who + message("rows_of_objects", name=name, received=brief(value))) from None
    if array.dtype.kind not in "biuf":
        problem = _HINTS.get(name.partition("[")[0], "not_numbers") if array.dtype.kind in "US" else "not_numbers"
        raise TypeError(who + message(problem, name=name, dtype=array.dtype, received=brief(value)))
    return array


def brief(value):
    """A repr of about a line, however much the value holds."""
    return " ".join(_SHORT.repr(value).split())
