"""What the package `keras` has and fastkeras does not."""

__all__ = ["__version__"]

__version__ = "3.15.0"  # the Keras that fastkeras behaves like: scripts ask what they may use
