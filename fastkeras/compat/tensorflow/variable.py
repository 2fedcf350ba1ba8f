"""tf.Variable: a Variable with TensorFlow's arguments."""

import numpy as np

from fastkeras.compat.tensorflow.functions import constant
from fastkeras.core import variable
from fastkeras.ops import convert_to_tensor


class Variable(variable.Variable):
    """A tensor that changes, with the type of its initial value (of Python's numbers float32 or int32)."""

    def __init__(self, initial_value, trainable=True, validate_shape=True, caching_device=None, name=None, **options):
        dtype = options.pop("dtype", None)
        if options.keys() - {"constraint", "shape", "synchronization", "aggregation"}:
            raise TypeError(f"tf.Variable: unknown argument. Received: {', '.join(options)}")
        initial = initial_value() if callable(initial_value) else initial_value
        initial = np.asarray(constant(initial, dtype))
        super().__init__(
            initial, name or "Variable", trainable, constraint=options.get("constraint"), dtype=initial.dtype
        )

    def read_value(self):
        """The value as a tensor."""
        return convert_to_tensor(self)

    def get_shape(self):
        """The extents, a tuple."""
        return self.shape
