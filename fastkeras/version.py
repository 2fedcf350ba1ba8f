"""The version, as pyproject.toml takes it."""

__version__ = "0.1.0"
