"""TensorFlow's Keras, for the tests that compare with it live. The extra `compare` installs it."""

import contextlib
import importlib
import os

import pytest

needs_tensorflow = pytest.mark.needs("tensorflow")


def keras_module(peer="keras"):
    """The module keras or tf_keras, on TensorFlow.

    Its functions run eagerly: the same numbers, without the seconds that each new model takes to be traced and
    compiled. (The fixtures were made by compiled ones.)
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    importlib.import_module("tensorflow").config.run_functions_eagerly(True)
    return importlib.import_module(peer)


@contextlib.contextmanager
def traced():
    """Compiled functions after all: for what TensorFlow can compute on a CPU only once it has rearranged the graph."""
    config = importlib.import_module("tensorflow").config
    config.run_functions_eagerly(False)
    try:
        yield
    finally:
        config.run_functions_eagerly(True)
