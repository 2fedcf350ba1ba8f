"""Random tensors: keras.random's functions.

seed: an integer, with which the same call always gives the same numbers; a SeedGenerator, with which each call gives
new ones, and the same series in each run; or None, for the next of the seeds that `utils.set_random_seed` starts.
The numbers are not those of TensorFlow for the same seed, but have the same distributions; they are the same on every
machine and with any number of threads.

shape: integers. dtype: by default float32, or int32 where integers are drawn. Results are tensors; gradients come back
through `dropout` and `shuffle`.
"""

import numpy as np

from fastkeras import initializers
from fastkeras.core.tensor import linked, operation, value
from fastkeras.ops.indexing import take
from fastkeras.random_state import SeedGenerator, numpy_generator

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip


def _extents(name, shape):
    """A shape as a tuple of integers."""
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(n is None for n in shape):
        raise ValueError(
            f"random.{name}: `shape` must be known; where it depends on the batch, draw in the `call` of a layer. "
            f"Received: shape={shape}"
        )
    return tuple(int(n) for n in shape)


def _real(name, dtype):
    """The type to draw in; only real numbers have it."""
    dtype = np.dtype(dtype or np.float32)
    if dtype.kind != "f":
        raise ValueError(f"random.{name}: `dtype` must be a floating point type. Received: dtype={dtype.name}")
    return dtype


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal with this mean and standard deviation."""
    draw = initializers.RandomNormal(value(mean), value(stddev), seed)
    return linked(draw(_extents("normal", shape), _real("normal", dtype)))


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal, but values further than two `stddev` from the mean are drawn again."""
    draw = initializers.TruncatedNormal(value(mean), value(stddev), seed)
    return linked(draw(_extents("truncated_normal", shape), _real("truncated_normal", dtype)))


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Uniform in [minval, maxval)."""
    draw = initializers.RandomUniform(value(minval), value(maxval), seed)
    return linked(draw(_extents("uniform", shape), _real("uniform", dtype)))


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers from minval to maxval - 1, each as likely as the others."""
    if np.dtype(dtype).kind not in "iu":
        raise ValueError(f"random.randint: `dtype` must be a type of integers. Received: dtype={dtype}")
    drawn = numpy_generator(seed).integers(value(minval), value(maxval), _extents("randint", shape))
    return linked(np.asarray(drawn).astype(dtype))


def gamma(shape, alpha, dtype=None, seed=None):
    """Gamma with this shape parameter and scale 1: density x^(alpha - 1) exp(-x) / Gamma(alpha)."""
    drawn = numpy_generator(seed).gamma(value(alpha), 1.0, _extents("gamma", shape))
    return linked(np.asarray(drawn).astype(_real("gamma", dtype)))


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Beta with these parameters: density proportional to x^(alpha - 1) (1 - x)^(beta - 1)."""
    drawn = numpy_generator(seed).beta(value(alpha), value(beta), _extents("beta", shape))
    return linked(np.asarray(drawn).astype(_real("beta", dtype)))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` trials succeed, each with this probability. counts, probabilities: numbers or arrays."""
    trials = np.asarray(value(counts)).astype(np.int64)
    drawn = numpy_generator(seed).binomial(trials, value(probabilities), _extents("binomial", shape))
    return linked(np.asarray(drawn).astype(_real("binomial", dtype)))


def categorical(logits, num_samples, dtype="int32", seed=None):
    """Classes, drawn with the probabilities softmax(logits): (rows, classes) gives (rows, num_samples)."""
    rows = np.asarray(value(logits), np.float64)
    if rows.ndim != 2:
        raise ValueError(f"random.categorical: `logits` must be (rows, classes). Received: shape {rows.shape}")
    p = np.exp(rows - rows.max(axis=1, keepdims=True))
    ends = np.cumsum(p, axis=1)
    drawn = numpy_generator(seed).random((len(rows), int(num_samples))) * ends[:, -1:]
    # the class of a number below the last end is how many ends it has reached
    found = [np.searchsorted(row_ends, row, side="right") for row_ends, row in zip(ends, drawn, strict=True)]
    return linked(np.reshape(found, drawn.shape).astype(dtype))


@operation
def dropout(inputs, rate, noise_shape=None, seed=None):
    """0 with probability `rate`, inputs / (1 - rate) else. noise_shape: extent 1 where an axis shares its fate."""
    if not 0 <= rate < 1:
        raise ValueError(f"random.dropout: `rate` must be in [0, 1). Received: rate={rate}")
    extents = np.shape(value(inputs))
    wanted = extents if noise_shape is None else [n or m for n, m in zip(noise_shape, extents, strict=True)]
    kept = numpy_generator(seed).random(wanted, np.float32) >= rate
    return inputs * (kept / np.float32(1 - rate)).astype(np.float32)


@operation
def shuffle(x, axis=0, seed=None):
    """The parts of x along an axis in random order."""
    return take(x, numpy_generator(seed).permutation(np.shape(value(x))[axis]), axis)
