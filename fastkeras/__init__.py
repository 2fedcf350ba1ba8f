"""fastkeras: Keras on a CPU, with TensorFlow's results and files, several times faster.

import fastkeras as keras

model = keras.Sequential([keras.layers.Dense(8, input_dim=4, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="rmsprop", loss="mse")
model.fit(x, y, epochs=10)
"""

import importlib

from fastkeras.version import __version__

# Everything is imported when it is first used, numpy too: `import fastkeras` itself takes a few milliseconds.
MODULES = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "utils",
)
_NAMES = {
    "GradientTape": "core.tape",
    "Initializer": "initializers",
    "Input": "layers",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "core.variable",
}

__all__ = ["__version__", *_NAMES, *MODULES]


def __getattr__(name):
    if name in MODULES:
        return importlib.import_module(f"fastkeras.{name}")
    if name in _NAMES:
        found = globals()[name] = getattr(importlib.import_module(f"fastkeras.{_NAMES[name]}"), name)
        return found
    from fastkeras.utils import suggest

    raise AttributeError(suggest.unknown("name in fastkeras", name, __all__))


def __dir__():
    return __all__
