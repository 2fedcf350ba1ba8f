"""Dropout, of single elements and of whole features; noise; ActivityRegularization."""

import math
import numbers

import numpy as np

from fastkeras import regularizers
from fastkeras._kernels import merging as merging_kernel
from fastkeras._kernels import random as random_kernel
from fastkeras.core.rows import Rows, dense, masked
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import check_axes, checked_format, parts, whole
from fastkeras.random_state import SeedGenerator


def checked_rate(layer, name, value):
    """A dropout rate as a float; a ValueError that names layer and argument unless it lies in [0, 1]."""
    if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
        raise ValueError(f"{layer}: `{name}` must be a number from 0 to 1. Received: {name}={value!r}")
    return float(value)


def dropout_mask(run, name, shape, rate, seeds):
    """A buffer of `shape` that holds 0 with probability `rate` and 1 / (1 - rate) elsewhere.

    The later steps of a sequence have the mask of the first.
    """
    if run.first is not None:
        return run.first.kept[name]
    mask = run.kept[name] = run.buffer(name, shape)
    mask.fill(1.0)
    random_kernel.dropout(mask, None, mask, *seeds.next(), rate)
    return mask


def _checked_noise_shape(layer, value):
    """`value`, a tuple or None; else a ValueError that names the layer."""
    if value is not None and not isinstance(value, (tuple, list)):
        raise ValueError(
            f"{layer}: `noise_shape` must be a tuple with an extent for each axis. Received: noise_shape={value!r}"
        )
    return value


def _noise_shape(layer, shape):
    """The shape of the random mask for an input of this shape; a ValueError if it cannot be repeated along it."""
    wanted = layer.noise_shape or (None,) * len(shape)
    if len(wanted) != len(shape) or any(w not in (None, 1, n) for w, n in zip(wanted, shape, strict=True)):
        raise ValueError(
            f"Layer '{layer.name}' ({type(layer).__name__}): `noise_shape` must have 1, None or the input's extent on "
            f"each axis of an input of shape {shape}. Received: noise_shape={wanted}"
        )
    return tuple(n if want is None else want for n, want in zip(shape, wanted, strict=True))


class Dropout(Layer):
    """In training, sets each element to zero with probability `rate` and scales the others by 1 / (1 - rate).

    Srivastava et al. 2014. noise_shape, if given, is the shape of the random mask, broadcast against x: 1 (or the
    input's extent where it is None) on each axis. seed: an integer, or None for one that utils.set_random_seed settles.
    The mask depends on the seed and the number of calls alone, never on threads.
    """

    supports_masking = True

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = checked_rate("Dropout", "rate", rate)
        self.noise_shape = _checked_noise_shape("Dropout", noise_shape)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def forward(self, x, run):
        if not run.training or self.rate == 0:
            return x, lambda dy: dy
        x, back = dense(x, run)
        if self.noise_shape is not None:
            shape = _noise_shape(self, x.shape)
            mask = dropout_mask(run, "mask", shape, self.rate, self.seed_generator)
            return x * mask, lambda dy: back(dy * mask)
        y, kept = run.buffer("y", x.shape), run.buffer("kept", x.shape, np.bool_)
        random_kernel.dropout(y, kept, x, *self.seed_generator.next(), self.rate)

        def backward(dy):
            dx = run.buffer("dx", x.shape)
            random_kernel.dropout_backward(dx, dy, kept, self.rate)
            return back(dx)

        return y, backward

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


class SpatialDropout(Layer):
    """In training, drops whole channels: the mask of a sample is the same at all of its places.

    y[b, ..., c] = x[b, ..., c] m[b, c], where m is 0 with probability `rate` and 1 / (1 - rate) elsewhere (Tompson et
    al. 2014). x: a batch axis, `rank` axes of places, and the channels, last or, with data_format "channels_first",
    on axis 1. seed: as for Dropout.
    """

    rank = None
    supports_masking = True

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = checked_rate(type(self).__name__, "rate", rate)
        self.data_format = checked_format(type(self).__name__, data_format)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def check_input_shape(self, input_shape):
        check_axes(self, input_shape)

    def forward(self, x, run):
        if not run.training or self.rate == 0:
            return x, lambda dy: dy
        _, channels = parts(x.shape, self.data_format)
        m = dropout_mask(run, "mask", (x.shape[0], channels), self.rate, self.seed_generator)
        if type(x) is Rows and self.data_format == "channels_last":
            return masked(x, m, run)
        x, back = dense(x, run)
        m = m.reshape(whole(len(x), (1,) * self.rank, channels, self.data_format))
        y = np.multiply(x, m, out=run.buffer("y", x.shape))
        return y, lambda dy: back(np.multiply(dy, m, out=run.buffer("dx", x.shape)))

    def get_config(self):
        config = super().get_config()
        del config["trainable"]  # Keras 3 does not take it, and there is nothing to train
        return {**config, "rate": self.rate, "seed": self.seed, "data_format": self.data_format}


class SpatialDropout1D(SpatialDropout):
    """Drops whole features of sequences x (B, T, D); see SpatialDropout."""

    rank = 1

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, None, seed, **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["data_format"]  # Keras has but one for sequences
        return config


class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of images x (B, H, W, C); see SpatialDropout."""

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of x (B, D, H, W, C), which has places in space; see SpatialDropout."""

    rank = 3


# --- noise -----------------------------------------------------------------------------------------------------------


class GaussianNoise(Layer):
    """In training, y = x + z, z normal with mean 0 and standard deviation `stddev`, which lies in [0, 1]. seed: as for
    Dropout."""

    supports_masking = True

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = checked_rate("GaussianNoise", "stddev", stddev)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def forward(self, x, run):
        if not run.training or self.stddev == 0:
            return x, lambda dy: dy
        x, back = dense(x, run)
        y = run.buffer("y", x.shape)
        random_kernel.normal(y, *self.seed_generator.next(), 0.0, self.stddev)
        merging_kernel.sum(y, x, y, 1.0, 1.0)
        return y, back

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


def _rate_below_1(layer, rate):
    rate = checked_rate(layer, "rate", rate)
    if rate == 1:
        raise ValueError(f"{layer}: `rate` must be below 1: nothing would be left. Received: rate=1")
    return rate


class GaussianDropout(Layer):
    """In training, y = x z, z normal with mean 1 and the standard deviation of dropout's factors,
    sqrt(rate / (1 - rate)) (Srivastava et al. 2014, section 10)."""

    supports_masking = True

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = _rate_below_1("GaussianDropout", rate)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def forward(self, x, run):
        if not run.training or self.rate == 0:
            return x, lambda dy: dy
        x, back = dense(x, run)
        y, z = run.buffer("y", x.shape), run.buffer("z", x.shape)
        random_kernel.normal(z, *self.seed_generator.next(), 1.0, math.sqrt(self.rate / (1 - self.rate)))
        merging_kernel.multiply(y, x, z)

        def backward(dy):
            dx = run.buffer("dx", x.shape)
            merging_kernel.multiply(dx, dy, z)
            return back(dx)

        return y, backward

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


_LOWEST = -1.0507009873554805 * 1.6732632423543772  # what selu comes to far below zero


class AlphaDropout(Layer):
    """Dropout for selu: in training, y = a x + b with probability 1 - rate, a s + b elsewhere, s being the value that
    selu has far below zero, and a and b such that mean 0 and variance 1 stay (Klambauer et al., arXiv 1706.02515):

        a = ((1 - rate) (1 + rate s^2))^(-1/2)      b = -a rate s

    noise_shape, seed: as for Dropout.
    """

    supports_masking = True

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = _rate_below_1("AlphaDropout", rate)
        self.noise_shape = _checked_noise_shape("AlphaDropout", noise_shape)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def forward(self, x, run):
        if not run.training or self.rate == 0:
            return x, lambda dy: dy
        x, back = dense(x, run)
        shape = _noise_shape(self, x.shape)
        factor, kept = run.buffer("factor", shape), run.buffer("kept", shape, np.bool_)
        factor.fill(1.0)
        random_kernel.dropout(factor, kept, factor, *self.seed_generator.next(), self.rate)
        a = ((1 - self.rate) * (1 + self.rate * _LOWEST**2)) ** -0.5
        b = -a * self.rate * _LOWEST
        np.multiply(kept, np.float32(a), out=factor)
        shift = np.where(kept, np.float32(b), np.float32(a * _LOWEST + b))
        return x * factor + shift, lambda dy: back(dy * factor)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


# --- penalties -------------------------------------------------------------------------------------------------------


class ActivityRegularization(Layer):
    """y = x, and the penalty l1 sum |x| + l2 sum x^2, per sample, is added to the loss."""

    supports_masking = True

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = float(l1), float(l2)

    def forward(self, x, run):
        return x, lambda dy: dy

    def get_config(self):
        config = super().get_config()
        del config["activity_regularizer"]
        return {**config, "l1": self.l1, "l2": self.l2}
