"""BatchNormalization and LayerNormalization."""

import numbers

import numpy as np

from fastkeras import initializers
from fastkeras._kernels import normalization as kernel
from fastkeras.core.rows import Rows, dense, flat, like
from fastkeras.layers.layer import Layer

_WEIGHTS = {"gamma": "ones", "beta": "zeros"}  # and what they start from
_TOLD = ("initializer", "regularizer", "constraint")


def _fraction(layer, name, value):
    if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
        raise ValueError(f"{layer}: `{name}` must be a number from 0 to 1. Received: {name}={value!r}")
    return float(value)


def _positive(layer, name, value):
    if not isinstance(value, numbers.Real) or not value > 0:
        raise ValueError(f"{layer}: `{name}` must be a positive number. Received: {name}={value!r}")
    return float(value)


def _checked_axes(layer, axis, input_shape):
    """The axes as numbers from 0 on, in order; a ValueError unless each is one of the input's and its extent known."""
    rank = len(input_shape)
    axes = sorted(a % rank for a in np.atleast_1d(axis) if -rank <= a < rank)
    if len(set(axes)) != np.size(axis) or 0 in axes or any(input_shape[a] is None for a in axes):
        raise ValueError(
            f"Layer '{layer.name}' ({type(layer).__name__}): `axis` must name axes of the input whose extents are "
            f"known, and not the batch axis. Received: axis={axis}, input shape {tuple(input_shape)}"
        )
    return axes


class _Normalization(Layer):
    """gamma and beta, by the names that Keras has for what is said about them."""

    supports_masking = True

    def keep_gamma_and_beta(self, center, scale, options):
        self.center, self.scale = bool(center), bool(scale)
        for name, start in _WEIGHTS.items():
            initializer, regularizer, constraint = (options.pop(f"{name}_{what}", None) for what in _TOLD)
            self.keep_options(name, initializer or start, regularizer, constraint)
        return options

    def add_gamma_and_beta(self, shape):
        self.gamma = self.add_weight_as_told("gamma", shape) if self.scale else None
        self.beta = self.add_weight_as_told("beta", shape) if self.center else None

    def gamma_and_beta(self):
        return tuple(None if v is None else v.value.reshape(-1) for v in (self.gamma, self.beta))

    def gradients(self, run):
        return tuple(None if v is None or not run.trains else v.grad.reshape(-1) for v in (self.gamma, self.beta))

    @classmethod
    def _arguments(cls):
        names = {f"{name}_{what}" for name in _WEIGHTS for what in _TOLD}
        return (super()._arguments() | names) - {"options"}

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self.options_config("gamma", "beta"),
        }


class BatchNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with moments over all axes but `axis`

    (Ioffe and Szegedy 2015). In training they are those of the batch, over the unmasked steps if there is a mask, and
    moving averages of them are kept: moving = momentum moving + (1 - momentum) batch's. Otherwise, and in a layer that
    is not trainable, these averages are used.

    gamma, beta, moving_mean, moving_variance: one number for each place of `axis`. Arguments: axis; momentum; epsilon;
    center (beta), scale (gamma); initializers, regularizers and constraints as in Keras; synchronized is accepted.
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        synchronized=False,
        **options,
    ):
        super().__init__(**self.keep_gamma_and_beta(center, scale, options))
        self.axis = int(axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis)
        self.momentum = _fraction("BatchNormalization", "momentum", momentum)
        self.epsilon = _positive("BatchNormalization", "epsilon", epsilon)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = bool(synchronized)

    def check_input_shape(self, input_shape):
        (axis,) = _checked_axes(self, self.axis, input_shape)
        if self.built and input_shape[axis] != self.moving_mean.shape[0]:
            raise ValueError(
                f"Layer '{self.name}' (BatchNormalization): expected {self.moving_mean.shape[0]} places on axis "
                f"{self.axis}. Received: shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        shape = (input_shape[self.axis],)
        self.add_gamma_and_beta(shape)
        self.moving_mean = self.add_weight("moving_mean", shape, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(
            "moving_variance", shape, self.moving_variance_initializer, trainable=False
        )

    def forward(self, x, run):
        batch_moments = run.training and self.trainable
        back = None
        if batch_moments:
            x, back = dense(x, run)  # each row counts as often as it is there
        last = self.axis in (-1, len(x.shape) - 1)
        if not last and back is None:
            x, back = dense(x, run)
        moved = x if last else np.ascontiguousarray(np.moveaxis(x, self.axis, -1))
        rows = flat(moved)
        gamma, beta = self.gamma_and_beta()
        mean, variance = self.moving_mean.value, self.moving_variance.value
        mask = None
        if batch_moments:
            if run.mask is not None and run.mask.size == len(rows):
                mask = run.mask.reshape(-1)
            moving, keep = (mean, variance), np.float32(self.momentum)
            mean, variance = run.buffer("mean", mean.shape), run.buffer("variance", mean.shape)
            kernel.batch_moments(mean, variance, rows, mask)
            for average, value in zip(moving, (mean, variance), strict=True):
                average *= keep
                average += value * np.float32(1.0 - self.momentum)
        else:
            mean, variance = mean.copy(), variance.copy()
        y = run.buffer("y", rows.shape)
        kernel.batch_apply(y, rows, mean, variance, gamma, beta, self.epsilon)

        def backward(dy):
            dy = dy if last or type(x) is Rows else np.ascontiguousarray(np.moveaxis(dy, self.axis, -1))
            dx = run.buffer("dx", rows.shape) if run.wants_dx else None
            dgamma, dbeta = self.gradients(run)
            fixed = not batch_moments
            kernel.batch_backward(
                dx, dgamma, dbeta, dy.reshape(rows.shape), rows, mean, variance, gamma, mask, fixed, self.epsilon
            )
            if dx is None or type(x) is Rows:
                return dx
            dx = dx.reshape(moved.shape)
            dx = dx if last else np.ascontiguousarray(np.moveaxis(dx, -1, self.axis))
            return dx if back is None else back(dx)

        y = like(moved, y)
        return (y if last else np.ascontiguousarray(np.moveaxis(y, -1, self.axis))), backward

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
        }


class LayerNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with moments over `axis` (Ba, Kiros and Hinton 2016)

    gamma, beta: a number for each place of `axis`, which may be several axes. Over the last axis, distinct rows are
    computed once. Arguments: axis; epsilon; center (beta), scale (gamma); initializers, regularizers and constraints as
    in Keras.
    """

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, **options):
        super().__init__(**self.keep_gamma_and_beta(center, scale, options))
        self.axis = [int(a) for a in axis] if isinstance(axis, (list, tuple)) else int(axis)
        self.epsilon = _positive("LayerNormalization", "epsilon", epsilon)

    def check_input_shape(self, input_shape):
        axes = _checked_axes(self, self.axis, input_shape)
        shape = tuple(input_shape[a] for a in axes)
        if self.built and self.parameters_shape != shape:
            raise ValueError(
                f"Layer '{self.name}' (LayerNormalization): expected extents {self.parameters_shape} on axis "
                f"{self.axis}. Received: shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        self.parameters_shape = tuple(input_shape[a] for a in _checked_axes(self, self.axis, input_shape))
        self.add_gamma_and_beta(self.parameters_shape)

    def forward(self, x, run):
        axes = _checked_axes(self, self.axis, x.shape)
        ends = list(range(len(x.shape) - len(axes), len(x.shape)))
        if axes == [len(x.shape) - 1]:
            moved, back, turn_back = x, None, None
        else:
            x, back = dense(x, run)
            moved = np.ascontiguousarray(np.moveaxis(x, axes, ends))
            turn_back = moved.shape
        size = int(np.prod(self.parameters_shape))
        rows = flat(moved) if turn_back is None else moved.reshape(-1, size)
        gamma, beta = self.gamma_and_beta()
        y, xhat, rstd = run.buffer("y", rows.shape), run.buffer("xhat", rows.shape), run.buffer("rstd", rows.shape[:1])
        kernel.layer_forward(y, xhat, rstd, rows, gamma, beta, self.epsilon)

        def backward(dy):
            if turn_back is not None:
                dy = np.ascontiguousarray(np.moveaxis(dy, axes, ends))
            dx = run.buffer("dx", rows.shape) if run.wants_dx else None
            dgamma, dbeta = self.gradients(run)
            kernel.layer_backward(dx, dgamma, dbeta, dy.reshape(rows.shape), xhat, rstd, gamma)
            if dx is None or type(x) is Rows:
                return dx
            if turn_back is None:
                return dx.reshape(x.shape)
            return back(np.ascontiguousarray(np.moveaxis(dx.reshape(turn_back), ends, axes)))

        if turn_back is None:
            return like(x, y), backward
        return np.ascontiguousarray(np.moveaxis(y.reshape(turn_back), ends, axes)), backward
