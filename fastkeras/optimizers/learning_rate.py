"""LearningRate: what `optimizer.learning_rate` gives."""

import numpy as np


class LearningRate(float):
    """What `optimizer.learning_rate` was when it was read: a number that can be written back as Keras's variables are,
    by `assign` (or backend.set_value)."""

    def __new__(cls, value, optimizer):
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def numpy(self):
        """The number as numpy's float32."""
        return np.float32(self)

    def assign(self, value):
        """Sets the optimizer's learning rate, and returns that."""
        self._optimizer.learning_rate = float(value)
        return self._optimizer.learning_rate

    def __reduce__(self):
        return float, (float(self),)
