"""Activations that are layers by themselves, with numbers of their own: LeakyReLU, PReLU, ELU, ReLU, Softmax."""

import numbers

import numpy as np

from fastkeras import activations
from fastkeras._kernels import activations as activation_kernel
from fastkeras._kernels import prelu as prelu_kernel
from fastkeras.core.rows import Rows, dense, flat, like
from fastkeras.layers.core import Activation
from fastkeras.layers.layer import Layer
from fastkeras.layers.normalization import as_rows, checked_axes
from fastkeras.utils.arguments import axis_or_axes, integers


def _from_zero(layer, name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not value >= 0:
        raise ValueError(f"{layer}: `{name}` must be a number from 0 up. Received: {name}={value!r}")
    return float(value)


class LeakyReLU(Activation):
    """y = x where x > 0, negative_slope x elsewhere (Maas et al., Rectifier Nonlinearities Improve Neural Network
    Acoustic Models, 2013). alpha: what Keras 2 calls the slope."""

    def __init__(self, negative_slope=0.3, alpha=None, **kwargs):
        self.negative_slope = _from_zero("LeakyReLU", "negative_slope", negative_slope if alpha is None else alpha)
        super().__init__(activations.Activation("leaky_relu", self.negative_slope), **kwargs)

    def get_config(self):
        return {**Layer.get_config(self), "negative_slope": self.negative_slope}


class ELU(Activation):
    """y = x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert et al., arXiv 1511.07289)."""

    def __init__(self, alpha=1.0, **kwargs):
        self.alpha = _from_zero("ELU", "alpha", alpha)
        super().__init__(activations.Activation("elu", self.alpha), **kwargs)

    def get_config(self):
        return {**Layer.get_config(self), "alpha": self.alpha}


class ReLU(Activation):
    """y = min(x, max_value) where x > threshold, negative_slope (x - threshold) elsewhere; max_value may be None."""

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        self.max_value = None if max_value is None else _from_zero("ReLU", "max_value", max_value)
        self.negative_slope = _from_zero("ReLU", "negative_slope", negative_slope)
        self.threshold = _from_zero("ReLU", "threshold", threshold)
        plain = self.max_value is None and self.negative_slope == 0 and self.threshold == 0
        largest = np.inf if self.max_value is None else self.max_value
        general = ("general_relu", self.negative_slope, largest, self.threshold)
        super().__init__(activations.Activation(*(("relu",) if plain else general)), **kwargs)

    def get_config(self):
        return {
            **Layer.get_config(self),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class PReLU(Layer):
    """y = x where x > 0, alpha x elsewhere, alpha being learned (He et al., arXiv 1502.01852).

    alpha: the shape of a sample, with extents of 1 on `shared_axes`, which count from 1 (the batch is axis 0).
    Arguments: alpha_initializer, alpha_regularizer, alpha_constraint; shared_axes.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer="zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.keep_options("alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = None if shared_axes is None else list(integers("PReLU", "shared_axes", shared_axes))

    def check_input_shape(self, input_shape):
        rank, shared = len(input_shape), self.shared_axes or []
        known = all(n is not None or axis in shared for axis, n in enumerate(input_shape) if axis > 0)
        if rank < 2 or not known or not all(0 < axis < rank for axis in shared):
            raise ValueError(
                f"Layer '{self.name}' (PReLU): expected an input whose extents are known but for the batch's and those "
                f"of `shared_axes`. Received: shared_axes={self.shared_axes}, input shape {tuple(input_shape)}"
            )
        if self.built and any(a not in (1, n) for a, n in zip(self.alpha.shape, input_shape[1:], strict=True)):
            raise ValueError(
                f"Layer '{self.name}' (PReLU): `alpha` has shape {self.alpha.shape}, which must be a sample's but for "
                f"the shared axes. Received: input shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        shared = self.shared_axes or []
        self.alpha = self.add_weight_as_told(
            "alpha", tuple(1 if axis in shared else n for axis, n in enumerate(input_shape) if axis > 0)
        )

    def forward(self, x, run):
        # Slopes for the axes that follow those at the front that are shared: x is seen as rows of so many columns.
        shape = x.shape[1:]
        front = next((i for i, n in enumerate(self.alpha.shape) if n != 1), len(shape) - 1)
        alpha = np.ascontiguousarray(np.broadcast_to(self.alpha.value.reshape(self.alpha.shape[front:]), shape[front:]))
        slopes, back = alpha.reshape(-1), None
        if type(x) is Rows and slopes.size != x.shape[-1]:
            x, back = dense(x, run)
        rows = flat(x) if slopes.size == shape[-1] else x.reshape(-1, slopes.size)
        y = run.buffer("y", rows.shape)
        prelu_kernel.forward(y, rows, slopes)

        def backward(dy):
            dx = run.buffer("dx", rows.shape) if run.wants_dx else None
            dslopes = np.zeros_like(slopes) if run.trains else None
            prelu_kernel.backward(dx, dslopes, dy.reshape(rows.shape), rows, slopes)
            if run.trains:
                self._add_gradient(dslopes.reshape(alpha.shape))
            if dx is None or type(x) is Rows:
                return dx
            return back(dx.reshape(x.shape)) if back else dx.reshape(x.shape)

        return (like(x, y) if type(x) is Rows else y.reshape(x.shape)), backward

    def _add_gradient(self, dalpha):
        """dalpha, for each of the last axes of a sample, summed over those that share a slope."""
        own = self.alpha.shape[len(self.alpha.shape) - dalpha.ndim :]
        shared = tuple(axis for axis, n in enumerate(own) if n == 1)
        self.alpha.grad += dalpha.sum(axis=shared, keepdims=True).reshape(self.alpha.shape)

    def get_config(self):
        return {**super().get_config(), **self.options_config("alpha"), "shared_axes": self.shared_axes}


_FAR_BELOW = np.float32(-1e9)  # what a masked place counts as under the exponential


class Softmax(Layer):
    """y = exp(x) / sum(exp(x)), summed over `axis`: one axis or several.

    Where the mask is False, y is 0 and the others sum to 1. The mask has the shape of x, or of its first axes (a mask
    of steps, which with axis=1 leaves out steps), or 1 for any extent.
    """

    supports_masking = True
    can_give_logits = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis_or_axes("Softmax", axis)
        # Under a crossentropy, this is the activation that is left out of the last layer.
        self.activation = activations.get("softmax") if self.axis in (-1, [-1]) else None

    def check_input_shape(self, input_shape):
        checked_axes(self, self.axis, input_shape, known=False)

    def forward(self, x, run):
        kept, undense = None, None
        if run.mask is not None:
            x, undense = dense(x, run)
            kept = self._places(run.mask, x.shape)
            x = np.where(kept, x, _FAR_BELOW)
        if run.logits:
            return x, lambda dy: dy if kept is None else undense(dy * kept)
        rows, form, to_rows, gradient = as_rows(x, checked_axes(self, self.axis, x.shape), run)
        y, softmax = run.buffer("y", rows.shape), activations.get("softmax").kernel
        activation_kernel.forward(y, rows, softmax)

        def backward(dy):
            dx = run.buffer("dx", rows.shape)
            activation_kernel.backward(dx, to_rows(dy if kept is None else dy * kept), None, y, softmax)
            dx = gradient(dx)
            return dx if kept is None else undense(dx * kept)

        return (form(y) if kept is None else form(y) * kept), backward

    def _places(self, mask, shape):
        """The mask with as many axes as x has."""
        kept = mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim))
        if kept.ndim != len(shape) or any(m not in (1, n) for m, n in zip(kept.shape, shape, strict=True)):
            raise ValueError(
                f"Layer '{self.name}' (Softmax): `mask` must have the shape of the input, {shape}, or of its first "
                f"axes. Received: shape {mask.shape}"
            )
        return kept

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


activations.LAYERS.update((kind.__name__, kind) for kind in (Activation, ELU, LeakyReLU, ReLU, Softmax))
