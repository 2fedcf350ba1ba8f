"""tf.linalg."""

from fastkeras.compat.tensorflow.functions import eye, matmul, norm
from fastkeras.ops import diag, trace

__all__ = ["diag", "eye", "matmul", "norm", "trace"]
