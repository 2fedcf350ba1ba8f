"""Regularizers: penalties on weights, or on a layer's output, that are added to the loss.

A regularizer called with an array returns its penalty, a float. `value_and_gradient(w, dw)` returns it as
well and adds the penalty's gradient with respect to w to dw, in place.
"""

import math
import types

import numpy as np

from fastkeras._kernels import optimizers as kernels
from fastkeras.core.tape import recorded
from fastkeras.core.tensor import Tensor
from fastkeras.utils.registry import Registry


class Regularizer:
    """The base of all: a subclass defines __call__(w) and get_config().

    If __call__ computes with fastkeras.ops, its gradient is found by itself; else value_and_gradient(w, dw) is defined
    too.
    """

    def __call__(self, w):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(w), which returns the penalty")

    def value_and_gradient(self, w, dw):
        """The penalty on w, a float; its gradient is added to dw. w, dw: float32 arrays of one shape."""
        return _recorded(self, type(self).__name__, w, dw)

    def get_config(self):
        """The arguments that make an equal regularizer."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The regularizer that `get_config` describes."""
        return cls(**config)


def _recorded(function, name, w, dw):
    """function(w), a penalty in ops, as a float; its gradient is added to dw."""
    penalty, back = recorded(function, [w])
    if not isinstance(penalty, Tensor):
        raise TypeError(
            f"{name}: a penalty must be computed with fastkeras.ops (or in numpy, with a regularizer that defines "
            f"value_and_gradient(w, dw) too, which adds its gradient to dw). Received: {penalty!r:.200}"
        )
    (gradient,) = back([(penalty, None)])
    if gradient is not None:
        dw += gradient
    return float(penalty)


def _factor(owner, name, value):
    """A factor as a float; it must be a finite number that is not negative."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise ValueError(f"{owner}: `{name}` must be a number >= 0. Received: {name}={value!r}")
    return float(value)


class L1L2(Regularizer):
    """l1 sum |w| + l2 sum w^2"""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _factor(type(self).__name__, "l1", 0.0 if l1 is None else l1)
        self.l2 = _factor(type(self).__name__, "l2", 0.0 if l2 is None else l2)

    def __call__(self, w):
        w = np.ascontiguousarray(w, np.float32)
        penalty = self.l1 * float(np.abs(w).sum(dtype=np.float64)) if self.l1 else 0.0
        return penalty + self.l2 * kernels.square_sum(w.ravel()) if self.l2 else penalty

    def value_and_gradient(self, w, dw):
        # d|w| = sign(w), with 0 at 0      d(w^2) = 2 w
        if self.l1:
            dw += self.l1 * np.sign(w)
        if self.l2:
            dw += (2 * self.l2) * w
        return self(w)

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 sum |w|"""

    def __init__(self, l1=0.01):
        super().__init__(l1=0.01 if l1 is None else l1)

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """l2 sum w^2"""

    def __init__(self, l2=0.01):
        super().__init__(l2=0.01 if l2 is None else l2)

    def get_config(self):
        return {"l2": self.l2}


class FunctionRegularizer:
    """A user's function of w in fastkeras.ops, which returns the penalty. Files hold its name."""

    def __init__(self, function):
        self.function, self.__name__ = function, function.__name__

    def __call__(self, w):
        return float(self.function(np.asarray(w).view(Tensor)))

    def value_and_gradient(self, w, dw):
        return _recorded(self.function, self.__name__, w, dw)


class OrthogonalRegularizer(Regularizer):
    """factor times the mean of |cos(angle)| over all pairs of a matrix's rows (or columns, by `mode`)."""

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor("OrthogonalRegularizer", "factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: `mode` must be 'rows' or 'columns'. Received: mode={mode!r}")
        self.mode = mode

    def __call__(self, w):
        return self._penalty(w)[0]

    def value_and_gradient(self, w, dw):
        penalty, gradient = self._penalty(w)
        dw += gradient
        return penalty

    def _penalty(self, w):
        """The penalty and its gradient.

        u_i = w_i / ||w_i||    penalty = factor / pairs sum_{i<j} |u_i . u_j|
        du_i = factor / pairs sum_{j != i} sign(u_i . u_j) u_j
        dw_i = (du_i - (du_i . u_i) u_i) / ||w_i||
        """
        w = np.asarray(w)
        if w.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix. Received: shape {w.shape}")
        rows = w if self.mode == "rows" else w.T
        count = len(rows)
        if count < 2:
            return 0.0, np.zeros_like(w)
        norms = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-7)
        u = rows / norms
        products = u @ u.T
        np.fill_diagonal(products, 0.0)
        scale = self.factor / (count * (count - 1) / 2)
        du = scale * np.sign(products) @ u
        gradient = (du - np.sum(du * u, axis=1, keepdims=True) * u) / norms
        penalty = scale * float(np.abs(products).sum(dtype=np.float64)) / 2
        return penalty, gradient if self.mode == "rows" else gradient.T

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


def l1(l1=0.01):
    """L1(l1)"""
    return L1(l1)


def l2(l2=0.01):
    """L2(l2)"""
    return L2(l2)


def l1_l2(l1=0.01, l2=0.01):
    """L1L2(l1, l2), with factors of 0.01 where L1L2 itself has 0"""
    return L1L2(l1, l2)


_REGISTRY = Registry(
    "regularizer",
    "keras.regularizers",
    Regularizer,
    {"l1": L1, "l2": L2, "l1_l2": L1L2, "orthogonal_regularizer": OrthogonalRegularizer},
)
serialize = _REGISTRY.serialize
deserialize = _REGISTRY.deserialize
__getattr__ = _REGISTRY.attribute


def get(identifier):
    """The regularizer that `identifier` stands for.

    identifier: a name ("l1", "l2", "l1_l2", with factors of 0.01), a configuration dictionary, a class, an
    object with `value_and_gradient`, a function of w in fastkeras.ops, or None, which stays None.
    Raises a ValueError otherwise.
    """
    if isinstance(identifier, str) and _REGISTRY.find(identifier) is L1L2:
        return l1_l2()
    if hasattr(identifier, "value_and_gradient") and not isinstance(identifier, type):
        return identifier
    found = identifier if isinstance(identifier, types.FunctionType) else _REGISTRY.get(identifier)
    return FunctionRegularizer(found) if isinstance(found, types.FunctionType) else found
