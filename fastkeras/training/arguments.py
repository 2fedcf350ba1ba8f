"""The arguments of fit, evaluate and predict, checked before anything is done."""

import math

import numpy as np

from fastkeras.utils import suggest
from fastkeras.utils.arrays import brief
from fastkeras.utils.messages import message, with_cure

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
        raise ValueError(message("verbose", received=repr(verbose)))
    return int(verbose)


def count(name, value, least=1):
    """`value` as an int, if it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        text = message("not_an_integer", name=name, received=brief(value))
        raise TypeError(with_cure(text, message("cure_by_name")) if isinstance(value, (list, tuple)) else text)
    if value < least:
        raise ValueError(message("too_small", name=name, least=least, received=value))
    return int(value)


def optional_count(name, value):
    """None, or as `count`."""
    return None if value is None else count(name, value)


def optional_steps(name, value):
    """None, or as `count`, but that a float, as len(x) / 32 is, is rounded up."""
    fits = isinstance(value, (float, np.floating)) and np.isfinite(value)
    return optional_count(name, math.ceil(value) if fits else value)


def fraction(name, value):
    """`value` as a float, if it lies in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ValueError(message("not_a_fraction", name=name, received=repr(value)))
    return float(value)


def shuffling(value):
    """True, False or "batch"."""
    if not isinstance(value, (bool, np.bool_, int)) and value != "batch":
        raise ValueError(message("shuffle", received=brief(value)))
    return value


def frequency(value):
    """The function of epoch (from 0) that tells whether to validate: every `value` epochs, or after those listed,
    which count from 1."""
    if isinstance(value, (list, tuple, set, range)):
        listed = frozenset(value)
        return lambda epoch: epoch + 1 in listed
    every = count("validation_freq", value)
    return lambda epoch: (epoch + 1) % every == 0
