"""Variables, and how their values are read and set."""

import numpy as np

from fastkeras import random
from fastkeras.config import floatx
from fastkeras.core.tensor import value as value_of
from fastkeras.core.variable import Variable
from fastkeras.utils.naming import unique_name


def variable(value, dtype=None, name=None, constraint=None):
    """A Variable with this value."""
    return Variable(value, name or unique_name("variable"), dtype=dtype or floatx(), constraint=constraint)


def zeros(shape, dtype=None, name=None):
    """A Variable of zeros."""
    return variable(np.zeros(shape), dtype, name)


def ones(shape, dtype=None, name=None):
    """A Variable of ones."""
    return variable(np.ones(shape), dtype, name)


def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
    """A Variable that starts uniform in [low, high)."""
    return variable(random.uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):
    """A Variable that starts normal."""
    return variable(random.normal(shape, mean, scale, dtype, seed), dtype, name)


def get_value(x):
    """The values as a numpy array; a single number as numpy's number."""
    return np.array(value_of(x))[()]


def eval(x):
    """The values as a numpy array."""
    return get_value(x)


def set_value(x, value):
    """Sets a variable's value."""
    x.assign(value)


def batch_get_value(tensors):
    """The values of several, as numpy arrays."""
    return [get_value(x) for x in tensors]


def batch_set_value(tuples):
    """Sets variables from pairs (variable, value)."""
    for x, new in tuples:
        x.assign(new)


def update(x, new_x):
    """Sets a variable's value; returns it."""
    return x.assign(new_x)


def update_add(x, increment):
    """Adds to a variable; returns it."""
    return x.assign_add(increment)


def update_sub(x, decrement):
    """Subtracts from a variable; returns it."""
    return x.assign_sub(decrement)


def moving_average_update(x, value, momentum):
    """x = momentum x + (1 - momentum) value, for a variable; returns it."""
    return x.assign(x * momentum + value * (1 - momentum))
