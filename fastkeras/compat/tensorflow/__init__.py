"""TensorFlow outside keras: the names that scripts use, over fastkeras.ops, each as far as its arguments go here.

Operations compute at once, with gradients for tf.GradientTape. Arguments that only name an operation or say where and
how to run it (name=, tf.device, tf.function) are taken and change nothing.
"""

import contextlib
import importlib
import logging
import sys

from fastkeras.compat.tensorflow.types import (  # noqa: F401 (tf.float32 and its kind)
    bool,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
)

newaxis = None
__version__ = "2.21.0"  # the TensorFlow that fastkeras gives the results of: scripts ask what they may use

# Looked up when first used: they take the network's modules with them.
_ELSEWHERE = {
    "GradientTape": "fastkeras.core.tape",
    "Tensor": "fastkeras.core.tensor",
    "TensorSpec": "fastkeras.utils.dataset",
    "Variable": "fastkeras.compat.tensorflow.variable",
}


def __getattr__(name):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    if not name.startswith("_"):
        return getattr(importlib.import_module("fastkeras.compat.tensorflow.functions"), name)
    raise AttributeError(name)


def __dir__():
    functions = importlib.import_module("fastkeras.compat.tensorflow.functions")
    return [name for name in (*globals(), *_ELSEWHERE, *functions.__all__) if not name.startswith("_")]


def function(func=None, input_signature=None, autograph=True, jit_compile=None, reduce_retracing=False, **how):
    """The function itself: it runs as Python every time, which has the same results."""
    return func if func is not None else lambda func: func


@contextlib.contextmanager
def device(device_name):
    """Everything runs on the CPU."""
    yield


@contextlib.contextmanager
def name_scope(name):
    """Operations have no names."""
    yield


def executing_eagerly():
    """Always."""
    return True


def get_logger():
    """Python's logger for it; nothing is logged."""
    return logging.getLogger("tensorflow")


def print(*values, output_stream=None, sep=" ", end="\n", **how):
    """Prints to stderr, as TensorFlow's does, unless told another stream."""
    (output_stream or sys.stderr).write(sep.join(map(str, values)) + end)
