"""tf.random."""

from fastkeras.random_state import set_random_seed as set_seed

__all__ = ["set_seed"]
