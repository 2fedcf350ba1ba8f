"""The arguments of fit, evaluate and predict, checked before anything is done."""

import numpy as np

from fastkeras.training.prepare import brief
from fastkeras.utils import suggest

# Keras 2 arguments that say how batches are made ahead of time; here each is made when it is needed.
_ACCEPTED = {"max_queue_size", "workers", "use_multiprocessing"}


def refuse_unknown(function, given):
    """A TypeError for the first name in `given` that is no argument of the function."""
    suggest.refuse_arguments(function.__name__, function, [name for name in given if name not in _ACCEPTED])


def verbosity(verbose):
    """0, 1 or 2 from 0, 1, 2, a bool or "auto" (which is 1)."""
    if isinstance(verbose, str) and verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")
    return int(verbose)


def count(name, value, least=1):
    """`value` as an int, if it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        hint = "; validation data are given by name, validation_data=(x, y)" if isinstance(value, (list, tuple)) else ""
        raise TypeError(f"`{name}` must be an integer{hint}. Received: {name}={brief(value)}")
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}. Received: {name}={value!r}")
    return int(value)


def optional_count(name, value):
    """None, or as `count`."""
    return None if value is None else count(name, value)


def fraction(name, value):
    """`value` as a float, if it lies in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be a number of at least 0 and below 1. Received: {name}={value!r}")
    return float(value)


def shuffling(value):
    """True, False or "batch"."""
    if not isinstance(value, (bool, np.bool_, int)) and value != "batch":
        raise ValueError(f"`shuffle` must be True, False or 'batch'. Received: shuffle={brief(value)}")
    return value


def frequency(value):
    """The function of epoch (from 0) that tells whether to validate: every `value` epochs, or after those listed,
    which count from 1."""
    if isinstance(value, (list, tuple, set, range)):
        listed = frozenset(value)
        return lambda epoch: epoch + 1 in listed
    every = count("validation_freq", value)
    return lambda epoch: (epoch + 1) % every == 0
