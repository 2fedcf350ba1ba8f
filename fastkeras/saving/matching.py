"""Weights of a file and those of a layer: whether they fit, and from the one into the other.

Nothing in a model is changed before everything has been read and has been found to fit. An array
of a file has `shape` and `read()`.
"""

from fastkeras.utils.messages import warn


def matched(layer, variables, arrays, path, skip_mismatch):
    """[(variable, array)] for the weights of a layer, from the file at `path`; a ValueError if they do not fit.

    skip_mismatch: then there is a warning instead, and an empty list.
    """
    wanted, given = [v.shape for v in variables], [a.shape for a in arrays]
    if wanted == given:
        return list(zip(variables, arrays, strict=True))
    message = (
        f"Layer '{layer.name}' ({type(layer).__name__}): expected weights of shapes {wanted}. "
        f"Received: shapes {given}, from '{path}'"
    )
    if not skip_mismatch:
        raise ValueError(message)
    warn(f"{message}. The layer keeps its weights.")
    return []


def assign(pairs):
    """Reads all arrays, and only then sets the variables."""
    values = [(variable, array.read()) for variable, array in pairs]
    for variable, value in values:
        variable.value[...] = value
