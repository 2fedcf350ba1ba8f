"""fastkeras: Keras on a CPU, with TensorFlow's results and files, several times faster.

    import fastkeras as keras

    model = keras.Sequential([keras.layers.Dense(8, input_dim=4, activation="relu"), keras.layers.Dense(1)])
    model.compile(optimizer="rmsprop", loss="mse")
    model.fit(x, y, epochs=10)
"""

import importlib

from fastkeras.layers import Input, Layer
from fastkeras.models import Model, Sequential
from fastkeras.utils import suggest
from fastkeras.version import __version__

# Imported when they are first used, so that `import fastkeras` takes no longer than it must.
_MODULES = (
    "activations",
    "callbacks",
    "config",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "preprocessing",
    "regularizers",
    "saving",
    "utils",
)

__all__ = ["Input", "Layer", "Model", "Sequential", "__version__", *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"fastkeras.{name}")
    raise AttributeError(suggest.unknown("name in fastkeras", name, __all__))


def __dir__():
    return __all__
