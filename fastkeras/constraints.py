"""Constraints: what a weight is brought back to after each step of the optimizer.

A constraint called with an array returns an array of the same shape that keeps to it. `axis` (an integer or
a list) says along which axes a norm is taken: 0 for the incoming weights of each unit of a Dense layer, [0,
1, 2] for each filter of a Conv2D.
"""

import numpy as np

from fastkeras.core.tensor import as_axes
from fastkeras.utils.registry import Registry

_EPSILON = 1e-7  # keeps a norm of 0 from dividing


class Constraint:
    """The base of all constraints. A subclass defines __call__(w) and get_config()."""

    def __call__(self, w):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(w), the new weight")

    def get_config(self):
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The constraint that `get_config` describes."""
        return cls(**config)


def _norms(w, axis):
    return np.sqrt(np.sum(np.square(w), axis=as_axes(axis), keepdims=True))


class MaxNorm(Constraint):
    """w min(||w||, max_value) / ||w||    (Srivastava et al. 2014, "Dropout", section 5.1)

    axis: along which ||w|| is taken: 0 for the incoming weights of each unit of a Dense layer.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        return w * (np.clip(norms, 0, self.max_value) / (_EPSILON + norms))

    def get_config(self):
        return {"max_value": self.max_value, "axis": self.axis}


class MinMaxNorm(Constraint):
    """w (rate clip(||w||, min_value, max_value) + (1 - rate) ||w||) / ||w||;  axis as in MaxNorm"""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        wanted = self.rate * np.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (_EPSILON + norms))

    def get_config(self):
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


class UnitNorm(Constraint):
    """w / ||w||;  axis as in MaxNorm"""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        return w / (_EPSILON + _norms(w, self.axis))

    def get_config(self):
        return {"axis": self.axis}


class NonNeg(Constraint):
    """max(w, 0)"""

    def __call__(self, w):
        return np.maximum(w, 0)


_REGISTRY = Registry(
    "constraint",
    "keras.constraints",
    Constraint,
    {"max_norm": MaxNorm, "min_max_norm": MinMaxNorm, "unit_norm": UnitNorm, "non_neg": NonNeg},
)
serialize = _REGISTRY.serialize
deserialize = _REGISTRY.deserialize
__getattr__ = _REGISTRY.attribute


def get(identifier):
    """The constraint that `identifier` stands for.

    identifier: a name ("max_norm"), a configuration dictionary, a class, a constraint, any function from
    the weight to the new weight, or None, which stays None. Raises a ValueError otherwise.
    """
    if callable(identifier) and not isinstance(identifier, (type, Constraint)):
        return identifier
    return _REGISTRY.get(identifier)
