"""Seeds: one global source of them, generators with a seed of their own, and what is drawn from both.

Everything random in fastkeras takes its seed from here, in the order in which it is made, so
`set_random_seed` at the start of a script makes the script repeat bit for bit. numpy.random is imported
when it is first needed: that takes as long as the rest of the package.
"""

import random

import numpy as np

_SEED_BITS = 32  # as many as every backend of Keras can read back from a file

_source = random.Random()  # starts from the operating system's randomness


def set_random_seed(seed):
    """Seeds Python's `random`, numpy's global generator and fastkeras.

    seed: an integer from 0 to 2^32 - 1 (numpy takes no other).
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: `seed` must be an integer from 0 to 2^32 - 1. Received: seed={seed!r}")
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed)
    _source.seed(seed)


def fresh_seed():
    """The next seed of the global source."""
    return _source.getrandbits(_SEED_BITS)


class SeedGenerator:
    """A stream of random states: each `next()` is new, and the same seed gives the same stream.

    seed: an integer of 64 bits, or None for the next one of the global source. name: kept for files.
    """

    def __init__(self, seed=None, name=None):
        integer = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if seed is not None and not (integer and -(2**63) <= seed < 2**63):
            raise ValueError(f"SeedGenerator: `seed` must be an integer of 64 bits or None. Received: seed={seed!r}")
        self.name = name or "seed_generator"
        self._initial_seed = seed
        self.seed = fresh_seed() if seed is None else int(seed)
        self.counter = 0

    def next(self):
        """(key, counter), unsigned 64-bit integers, for one random array; never the same pair twice."""
        pair = self.seed & 0xFFFFFFFFFFFFFFFF, self.counter
        self.counter += 1
        return pair

    @property
    def state(self):
        """[seed, counter], as files hold it; assigning it continues the stream from there."""
        return np.array([self.seed, self.counter], np.int64)

    @state.setter
    def state(self, value):
        self.seed, self.counter = (int(number) for number in value)

    def get_config(self):
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def draw(seed=None):
    """(key, counter) from an integer (always the same), a SeedGenerator (its next) or None (a fresh one)."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    return (fresh_seed() if seed is None else int(seed)) & 0xFFFFFFFFFFFFFFFF, 0


def numpy_generator(seed=None):
    """A numpy.random.Generator that starts from `draw(seed)`."""
    key, counter = draw(seed)
    bits = np.random.Philox(key=key, counter=[0, 0, 0, counter])
    return np.random.Generator(bits)


def permutation(n, seed=None):
    """The numbers 0 to n - 1 in random order, int64."""
    return numpy_generator(seed).permutation(n)


# --- states, to go on from in another process ------------------------------------------------------------------------


def global_state():
    """The state of the three streams that `set_random_seed` seeds, as plain values that JSON holds."""
    kind, keys, *rest = np.random.get_state()
    return {"python": random.getstate(), "numpy": [kind, keys.tolist(), *rest], "fastkeras": _source.getstate()}


def set_global_state(state):
    """Continues the streams from where `global_state` found them."""
    for stream, name in ((random, "python"), (_source, "fastkeras")):
        version, numbers, gauss = state[name]
        stream.setstate((version, tuple(numbers), gauss))
    np.random.set_state(tuple(state["numpy"]))


def generator_state(generator):
    """The state of a `numpy_generator`, as plain values that JSON holds; None for None."""
    return None if generator is None else _plain(generator.bit_generator.state)


def set_generator_state(generator, state):
    if generator is not None and state is not None:
        generator.bit_generator.state = state


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value
