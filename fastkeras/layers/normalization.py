"""Normalization within the network: BatchNormalization, LayerNormalization, GroupNormalization, UnitNormalization."""

import numbers

import numpy as np

from fastkeras import initializers
from fastkeras._kernels import normalization as kernel
from fastkeras.core.rows import Rows, dense, flat, like
from fastkeras.layers.layer import Layer
from fastkeras.layers.regularization import checked_rate
from fastkeras.utils.arguments import axis_or_axes, integers
from fastkeras.utils.messages import message

_WEIGHTS = {"gamma": "ones", "beta": "zeros"}  # and what they start from
_TOLD = ("initializer", "regularizer", "constraint")


def _positive(layer, name, value):
    if not isinstance(value, numbers.Real) or not value > 0:
        raise ValueError(f"{layer}: `{name}` must be a positive number. Received: {name}={value!r}")
    return float(value)


def one_axis(layer, axis):
    """The argument `axis` of a layer, an integer or a list of one, as an int."""
    axes = integers(layer, "axis", axis)
    if len(axes) != 1:
        raise ValueError(f"{layer}: " + message("not_an_integer", name="axis", received=axis))
    return axes[0]


def checked_axes(layer, axis, input_shape, known=True):
    """The axes as numbers from 0 on, in order; a ValueError unless each is one of the input's, and its extent `known`
    if it has to be."""
    rank = len(input_shape)
    axes = sorted(int(a) % rank for a in np.atleast_1d(axis) if -rank <= a < rank)
    if len(set(axes)) != np.size(axis) or 0 in axes or (known and any(input_shape[a] is None for a in axes)):
        raise ValueError(
            f"Layer '{layer.name}' ({type(layer).__name__}): `axis` must name axes of the input"
            f"{' whose extents are known' if known else ''}, and not the batch axis. "
            f"Received: axis={axis}, input shape {tuple(input_shape)}"
        )
    return axes


def as_rows(x, axes, run):
    """x as rows with a column for each place of `axes`, and three functions: of rows y in the form of x, of a gradient
    in that form as rows, and of rows dx as the gradient of x."""
    if axes == [len(x.shape) - 1]:
        rows = flat(x)

        def gradient(dx):
            return dx if type(x) is Rows else dx.reshape(x.shape)

        return rows, lambda y: like(x, y), lambda dy: dy.reshape(rows.shape), gradient

    x, back = dense(x, run)
    ends = list(range(-len(axes), 0))
    moved = np.ascontiguousarray(np.moveaxis(x, axes, ends))
    rows = moved.reshape(-1, int(np.prod(moved.shape[-len(axes) :])))

    def form(y):
        return np.ascontiguousarray(np.moveaxis(y.reshape(moved.shape), ends, axes))

    def to_rows(dy):
        return np.ascontiguousarray(np.moveaxis(dy, axes, ends)).reshape(rows.shape)

    return rows, form, to_rows, lambda dx: back(form(dx))


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
        self.axis = one_axis("BatchNormalization", axis)
        self.momentum = checked_rate("BatchNormalization", "momentum", momentum)
        self.epsilon = _positive("BatchNormalization", "epsilon", epsilon)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = bool(synchronized)

    def check_input_shape(self, input_shape):
        (axis,) = checked_axes(self, self.axis, input_shape)
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
        batch_moments, undense = run.training and self.trainable, None
        if batch_moments:
            x, undense = dense(x, run)  # each row counts as often as it is there
        rows, form, to_rows, gradient = as_rows(x, checked_axes(self, self.axis, x.shape), run)
        gamma, beta = self.gamma_and_beta()
        moving, mask = (self.moving_mean.value, self.moving_variance.value), None
        if batch_moments:
            if run.mask is not None and run.mask.size == len(rows):
                mask = run.mask.reshape(-1)
            mean, variance = (run.buffer(name, moving[0].shape) for name in ("mean", "variance"))
            kernel.batch_moments(mean, variance, rows, mask)
            for average, value in zip(moving, (mean, variance), strict=True):
                average *= np.float32(self.momentum)
                average += value * np.float32(1.0 - self.momentum)
        else:
            mean, variance = (average.copy() for average in moving)
        y = run.buffer("y", rows.shape)
        kernel.batch_apply(y, rows, mean, variance, gamma, beta, self.epsilon)

        def backward(dy):
            dx = run.buffer("dx", rows.shape) if run.wants_dx else None
            dgamma, dbeta = self.gradients(run)
            fixed = not batch_moments
            kernel.batch_backward(
                dx, dgamma, dbeta, to_rows(dy), rows, mean, variance, gamma, mask, fixed, self.epsilon
            )
            if dx is None:
                return None
            return undense(gradient(dx)) if undense else gradient(dx)

        return form(y), backward

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
        self.axis = axis_or_axes("LayerNormalization", axis)
        self.epsilon = _positive("LayerNormalization", "epsilon", epsilon)

    def check_input_shape(self, input_shape):
        axes = checked_axes(self, self.axis, input_shape)
        shape = tuple(input_shape[a] for a in axes)
        if self.built and self.parameters_shape != shape:
            raise ValueError(
                f"Layer '{self.name}' (LayerNormalization): expected extents {self.parameters_shape} on axis "
                f"{self.axis}. Received: shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        self.parameters_shape = tuple(input_shape[a] for a in checked_axes(self, self.axis, input_shape))
        self.add_gamma_and_beta(self.parameters_shape)

    def forward(self, x, run):
        rows, form, to_rows, gradient = as_rows(x, checked_axes(self, self.axis, x.shape), run)
        gamma, beta = self.gamma_and_beta()
        y, xhat, rstd = run.buffer("y", rows.shape), run.buffer("xhat", rows.shape), run.buffer("rstd", rows.shape[:1])
        kernel.layer_forward(y, xhat, rstd, rows, gamma, beta, self.epsilon)

        def backward(dy):
            dx = run.buffer("dx", rows.shape) if run.wants_dx else None
            dgamma, dbeta = self.gradients(run)
            kernel.layer_backward(dx, dgamma, dbeta, to_rows(dy), xhat, rstd, gamma)
            return None if dx is None else gradient(dx)

        return form(y), backward


class GroupNormalization(_Normalization):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with moments over each sample's places and over groups of
    channels that lie side by side (Wu and He, arXiv 1803.08494).

    gamma, beta: a number for each channel. Arguments: groups, which divides the channels (-1: as many groups as
    channels); axis, that of the channels; epsilon; center (beta), scale (gamma); initializers, regularizers and
    constraints as in Keras.
    """

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, **options):
        super().__init__(**self.keep_gamma_and_beta(center, scale, options))
        if isinstance(groups, bool) or not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ValueError(f"GroupNormalization: `groups` must be a positive integer, or -1. Received: {groups!r}")
        self.groups = groups
        self.axis = one_axis("GroupNormalization", axis)
        self.epsilon = _positive("GroupNormalization", "epsilon", epsilon)

    def check_input_shape(self, input_shape):
        (axis,) = checked_axes(self, self.axis, input_shape)
        C = input_shape[axis]
        if self.groups != -1 and C % self.groups:
            raise ValueError(
                f"Layer '{self.name}' (GroupNormalization): `groups` must divide the {C} channels on axis {self.axis}. "
                f"Received: groups={self.groups}"
            )
        if self.built and self.channels != C:
            raise ValueError(
                f"Layer '{self.name}' (GroupNormalization): expected {self.channels} channels on axis {self.axis}. "
                f"Received: shape {tuple(input_shape)}"
            )

    def build(self, input_shape):
        self.channels = input_shape[self.axis]
        if self.groups == -1:
            self.groups = self.channels
        self.add_gamma_and_beta((self.channels,))

    def forward(self, x, run):
        x, back = dense(x, run)
        rows, form, to_rows, gradient = as_rows(x, checked_axes(self, self.axis, x.shape), run)
        C, G = self.channels, self.groups
        places = int(np.prod(x.shape[1:])) // C
        by_place, by_group = (len(x), places, G, C // G), (len(x), G, places, C // G)

        def grouped(rows, name):
            """A row for each group of each sample."""
            groups = run.buffer(name, (len(x) * G, places * (C // G)))
            np.copyto(groups.reshape(by_group), rows.reshape(by_place).transpose(0, 2, 1, 3))
            return groups

        def ungrouped(groups, name):
            rows = run.buffer(name, (len(x) * places, C))
            np.copyto(rows.reshape(by_place), groups.reshape(by_group).transpose(0, 2, 1, 3))
            return rows

        groups, rstd = grouped(rows, "groups"), run.buffer("rstd", (len(x) * G,))
        kernel.layer_forward(groups, groups, rstd, groups, None, None, self.epsilon)
        # gamma and beta are applied to what is normal already: as with a mean of 0 and a variance of 1
        xhat, normal = ungrouped(groups, "xhat"), (np.zeros(C, np.float32), np.ones(C, np.float32))
        gamma, beta = self.gamma_and_beta()
        y = run.buffer("y", xhat.shape)
        kernel.batch_apply(y, xhat, *normal, gamma, beta, 0.0)

        def backward(dy):
            dxhat = run.buffer("dxhat", xhat.shape) if run.wants_dx else None
            dgamma, dbeta = self.gradients(run)
            kernel.batch_backward(dxhat, dgamma, dbeta, to_rows(dy), xhat, *normal, gamma, None, True, 0.0)
            if dxhat is None:
                return None
            dgroups = run.buffer("dgroups", groups.shape)
            kernel.layer_backward(dgroups, None, None, grouped(dxhat, "dxhat_of_groups"), groups, rstd, None)
            return back(gradient(ungrouped(dgroups, "dxhat")))

        return form(y), backward

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


_LONGEST = 1e12  # what a vector is scaled by at most: 1 / epsilon, as in Keras


class UnitNormalization(Layer):
    """y = x / |x|: the vectors along `axis`, which may be several axes, are scaled to length one."""

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis_or_axes("UnitNormalization", axis)

    def check_input_shape(self, input_shape):
        checked_axes(self, self.axis, input_shape, known=False)

    def forward(self, x, run):
        rows, form, to_rows, gradient = as_rows(x, checked_axes(self, self.axis, x.shape), run)
        y, r = run.buffer("y", rows.shape), run.buffer("r", rows.shape[:1])
        kernel.unit_forward(y, r, rows, _LONGEST)

        def backward(dy):
            dx = run.buffer("dx", rows.shape)
            kernel.unit_backward(dx, to_rows(dy), y, r, _LONGEST)
            return gradient(dx)

        return form(y), backward

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
