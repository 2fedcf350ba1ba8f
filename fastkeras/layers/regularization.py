"""Dropout."""

from fastkeras._kernels import random as random_kernel
from fastkeras.core.rows import dense
from fastkeras.layers.layer import Layer
from fastkeras.layers.recurrent import rate as checked_rate
from fastkeras.random_state import SeedGenerator


class Dropout(Layer):
    """In training, sets each element to zero with probability `rate` and scales the others by 1 / (1 - rate).

    Srivastava et al. 2014. noise_shape, if given, is the shape of the random mask, broadcast against x: 1 (or the
    input's extent where it is None) on each axis. The mask depends on the seed and the number of calls alone, never
    on threads.
    """

    supports_masking = True

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = checked_rate("Dropout", "rate", rate)
        self.noise_shape = noise_shape
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def forward(self, x, run):
        if not run.training or self.rate == 0:
            return x, lambda dy: dy
        x, back = dense(x, run)
        key, counter = self.seed_generator.next()
        if self.noise_shape is None:
            y = run.buffer("y", x.shape)
            random_kernel.dropout(y, x, key, counter, self.rate)

            def backward(dy):
                dx = run.buffer("dx", x.shape)
                random_kernel.dropout(dx, dy, key, counter, self.rate)  # the same mask: same key, same counter
                return back(dx)

            return y, backward
        mask = self._broadcast_mask(x, run, key, counter)
        return x * mask, lambda dy: back(dy * mask)

    def _broadcast_mask(self, x, run, key, counter):
        shape = tuple(n if want is None else want for n, want in zip(x.shape, self.noise_shape, strict=True))
        mask = run.buffer("mask", shape)
        mask.fill(1.0)
        random_kernel.dropout(mask, mask, key, counter, self.rate)
        return mask

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
