"""tf.random."""

import numpy as np

from fastkeras import random
from fastkeras.compat.tensorflow.functions import shape_of
from fastkeras.random import shuffle as _shuffle
from fastkeras.random_state import set_random_seed as set_seed

__all__ = ["categorical", "normal", "set_seed", "shuffle", "truncated_normal", "uniform"]


def normal(shape, mean=0.0, stddev=1.0, dtype=np.float32, seed=None, name=None):
    """Normal with this mean and standard deviation."""
    return random.normal(shape_of(shape), mean, stddev, dtype, seed)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=np.float32, seed=None, name=None):
    """Normal, but values further than two `stddev` from the mean are drawn again."""
    return random.truncated_normal(shape_of(shape), mean, stddev, dtype, seed)


def uniform(shape, minval=0, maxval=None, dtype=np.float32, seed=None, name=None):
    """Uniform in [minval, maxval), where maxval is 1 for real numbers and must be given for integers."""
    if np.dtype(dtype).kind in "iu":
        if maxval is None:
            raise ValueError("tf.random.uniform: integers need `maxval`. Received: maxval=None")
        return random.randint(shape_of(shape), minval, maxval, dtype, seed)
    return random.uniform(shape_of(shape), minval, 1 if maxval is None else maxval, dtype, seed)


def shuffle(value, seed=None, name=None):
    """The rows in a random order."""
    return _shuffle(value, seed=seed)


def categorical(logits, num_samples, dtype=np.int64, seed=None, name=None):
    """Numbers of columns, drawn for each row with probabilities softmax(logits): (rows, num_samples)."""
    return random.categorical(logits, num_samples, dtype=dtype, seed=seed)
