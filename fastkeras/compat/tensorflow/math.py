"""tf.math: the operations on numbers, and those that tf has under the same names."""

from fastkeras.compat.tensorflow import functions
from fastkeras.compat.tensorflow.functions import *  # noqa: F403

__all__ = functions.__all__
