"""Initializers: the values that weights start from.

An initializer is called with a shape (and a dtype, float32 if it is left out) and returns a numpy array.
Those that draw random numbers take a `seed`: with an integer, or with None (an integer is then chosen when
the initializer is made), every call gives the same values for the same shape; with a
fastkeras.random_state.SeedGenerator every call gives new ones. Random values are not those of TensorFlow
for the same seed, but have the same distribution.
"""

import math

import numpy as np

from fastkeras import random_state
from fastkeras.utils.registry import Registry


def _dtype(dtype):
    return np.dtype(np.float32 if dtype is None else dtype)


class Initializer:
    """The base of all initializers. A subclass defines __call__(shape, dtype=None) and get_config()."""

    def __call__(self, shape, dtype=None):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def get_config(self):
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The initializer that `get_config` describes; a `dtype`, as old files have it, is left out."""
        return cls(**{name: value for name, value in config.items() if name != "dtype"})

    def clone(self):
        """A new initializer with the same arguments."""
        return type(self).from_config(self.get_config())


# --- constant --------------------------------------------------------------------------------------------


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, _dtype(dtype))


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape, dtype=None):
        return np.ones(shape, _dtype(dtype))


class Constant(Initializer):
    """All `value`, a number (or an array that broadcasts to the shape)."""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.full(shape, self.value, _dtype(dtype))

    def get_config(self):
        return {"value": self.value.tolist() if isinstance(self.value, (np.ndarray, np.generic)) else self.value}

    @classmethod
    def from_config(cls, config):
        value = config.get("value", 0.0)
        if isinstance(value, dict):  # how Keras 3 writes an array
            value = np.asarray(value["config"]["value"], np.float32)
        return cls(value)


class Identity(Initializer):
    """gain on the diagonal of a matrix, 0 elsewhere."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices: `shape` must have two axes. Received: shape={shape}")
        return (self.gain * np.eye(*shape)).astype(_dtype(dtype))

    def get_config(self):
        return {"gain": self.gain}


# --- random ----------------------------------------------------------------------------------------------


class RandomInitializer(Initializer):
    """The base of those that draw: keeps the seed."""

    def __init__(self, seed=None):
        if isinstance(seed, dict):
            seed = random_state.SeedGenerator.from_config(seed.get("config", {}))
        if seed is not None and not isinstance(seed, (int, np.integer, random_state.SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}: `seed` must be an integer, a SeedGenerator or None. Received: seed={seed!r}"
            )
        self._given_seed = seed
        self.seed = random_state.fresh_seed() if seed is None else seed

    def get_config(self):
        seed = self._given_seed
        if isinstance(seed, random_state.SeedGenerator):
            seed = {
                "module": "keras.random",
                "class_name": "SeedGenerator",
                "config": seed.get_config(),
                "registered_name": None,
            }
        return {"seed": seed}

    # Drawn in float32 (float64 if that is asked for), then scaled.

    def _uniform(self, shape, low, high, dtype):
        dtype = _dtype(dtype)
        unit = random_state.numpy_generator(self.seed).random(shape, _drawn_in(dtype))
        return np.asarray(unit * (high - low) + low, dtype)

    def _normal(self, shape, mean, stddev, dtype):
        dtype = _dtype(dtype)
        unit = random_state.numpy_generator(self.seed).standard_normal(shape, _drawn_in(dtype))
        return np.asarray(unit * stddev + mean, dtype)

    def _truncated_normal(self, shape, mean, stddev, dtype):
        """Values further than two standard deviations from the mean are drawn again."""
        dtype = _dtype(dtype)
        generator = random_state.numpy_generator(self.seed)
        unit = np.asarray(generator.standard_normal(shape, _drawn_in(dtype)))
        far = np.abs(unit) > 2
        while far.any():
            unit[far] = generator.standard_normal(np.count_nonzero(far), unit.dtype)
            far = np.abs(unit) > 2
        return np.asarray(unit * stddev + mean, dtype)


def _drawn_in(dtype):
    return np.float64 if dtype == np.float64 else np.float32


class RandomNormal(RandomInitializer):
    """Normal with this mean and standard deviation `stddev`. seed: see the top of this module, as for all that draw."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype=None):
        return self._normal(shape, self.mean, self.stddev, dtype)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """RandomNormal without values further than two `stddev` from the mean: their deviation is 0.88 stddev."""

    def __call__(self, shape, dtype=None):
        return self._truncated_normal(shape, self.mean, self.stddev, dtype)


class RandomUniform(RandomInitializer):
    """Uniform in [minval, maxval)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape, dtype=None):
        return self._uniform(shape, self.minval, self.maxval, dtype)

    def get_config(self):
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def compute_fans(shape, input_axes=None, output_axes=None):
    """(fan_in, fan_out): how many inputs and outputs one unit of a weight of this shape is connected to.

    A matrix is (inputs, outputs); longer shapes are those of convolutions, (..., inputs, outputs), where
    each output sees every position of the kernel. The axes may also be named.
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    positions = math.prod(shape[:-2])
    return shape[-2] * positions, shape[-1] * positions


# The standard deviation of the standard normal distribution cut off at -2 and 2:
# sqrt(1 - 4 phi(2) / (Phi(2) - Phi(-2))).
_TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """Random with variance scale / n, where n is fan_in, fan_out, or their mean.

    scale: positive. mode: "fan_in", "fan_out" or "fan_avg". distribution: "truncated_normal" (also written
    "normal"), "untruncated_normal" or "uniform". input_axes, output_axes: see `compute_fans`.
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        super().__init__(seed)
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if scale <= 0:
            raise ValueError(f"{type(self).__name__}: `scale` must be positive. Received: scale={scale}")
        for name, value, allowed in (
            ("mode", mode, ("fan_in", "fan_out", "fan_avg")),
            ("distribution", distribution, ("truncated_normal", "untruncated_normal", "uniform")),
        ):
            if value not in allowed:
                raise ValueError(
                    f"{type(self).__name__}: `{name}` must be one of {allowed}. Received: {name}={value!r}"
                )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev  # the variance of [-limit, limit] is limit^2 / 3
            return self._uniform(shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, 0.0, stddev, dtype)
        return self._truncated_normal(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _FixedScaling(VarianceScaling):
    """A VarianceScaling whose scale, mode and distribution are its name's."""

    fixed = ()

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.fixed, seed, input_axes, output_axes)

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_FixedScaling):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)): Glorot, Bengio 2010, AISTATS, equation 16."""

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_FixedScaling):
    """Truncated normal, variance 2 / (fan_in + fan_out): Glorot, Bengio 2010, AISTATS, equation 12."""

    fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_FixedScaling):
    """Uniform in +-sqrt(6 / fan_in): He, Zhang, Ren, Sun 2015, arXiv:1502.01852, section 2.2."""

    fixed = (2.0, "fan_in", "uniform")


class HeNormal(_FixedScaling):
    """Truncated normal, variance 2 / fan_in: He, Zhang, Ren, Sun 2015, arXiv:1502.01852, section 2.2."""

    fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_FixedScaling):
    """Uniform in +-sqrt(3 / fan_in): LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp"."""

    fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_FixedScaling):
    """Truncated normal, variance 1 / fan_in: LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp"."""

    fixed = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """gain times a random matrix with orthonormal columns (rows, if it has fewer rows than columns).

    Axes before the last are taken together as rows. The matrix is uniformly distributed (Saxe, McClelland,
    Ganguli 2013, arXiv:1312.6120): Q of a normal matrix's QR decomposition, with R's diagonal made
    positive.
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: `shape` must have two or more axes. Received: shape={tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = self._normal((max(rows, columns), min(rows, columns)), 0.0, 1.0, np.float64)
        q, r = np.linalg.qr(tall)
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        q = q if rows >= columns else q.T
        return (self.gain * q).reshape(shape).astype(_dtype(dtype))

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


# --- by name ---------------------------------------------------------------------------------------------

_REGISTRY = Registry(
    "initializer",
    "keras.initializers",
    Initializer,
    {
        "zeros": Zeros,
        "zero": Zeros,
        "ones": Ones,
        "one": Ones,
        "constant": Constant,
        "identity": Identity,
        "IdentityInitializer": Identity,
        "random_normal": RandomNormal,
        "normal": RandomNormal,
        "random_uniform": RandomUniform,
        "uniform": RandomUniform,
        "truncated_normal": TruncatedNormal,
        "variance_scaling": VarianceScaling,
        "glorot_uniform": GlorotUniform,
        "glorot_normal": GlorotNormal,
        "he_uniform": HeUniform,
        "he_normal": HeNormal,
        "lecun_uniform": LecunUniform,
        "lecun_normal": LecunNormal,
        "orthogonal": Orthogonal,
        "OrthogonalInitializer": Orthogonal,
    },
)
serialize = _REGISTRY.serialize
deserialize = _REGISTRY.deserialize
__getattr__ = _REGISTRY.attribute


def get(identifier):
    """The initializer that `identifier` stands for.

    identifier: a name ("glorot_uniform"), a configuration dictionary, a class, an initializer, an array of
    the weight's shape, any function of (shape, dtype), or None, which stays None. Raises a ValueError
    otherwise.
    """
    if isinstance(identifier, (np.ndarray, np.generic)):
        return _given_values(identifier)
    if callable(identifier) and not isinstance(identifier, (type, Initializer)):
        return identifier
    return _REGISTRY.get(identifier)


def _given_values(values):
    def initializer(shape, dtype=None):
        if tuple(shape) != values.shape:
            raise ValueError(f"The array given as initializer must have shape {tuple(shape)}. Received: {values.shape}")
        return values.astype(_dtype(dtype))

    return initializer
