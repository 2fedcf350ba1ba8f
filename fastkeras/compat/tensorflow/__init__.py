"""The names of TensorFlow outside keras that scripts use."""

from fastkeras.core.tape import GradientTape
from fastkeras.core.variable import Variable

__all__ = ["GradientTape", "Variable"]

__version__ = "2.21.0"  # the TensorFlow that fastkeras gives the results of: scripts ask what they may use
