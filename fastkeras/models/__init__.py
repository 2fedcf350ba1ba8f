"""Models: a graph of call sites, and Sequential, its simplest case."""

from fastkeras.models.model import Model
from fastkeras.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
