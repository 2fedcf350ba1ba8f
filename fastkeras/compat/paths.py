"""Where the modules of Keras and TensorFlow are found here."""

from collections import namedtuple

import fastkeras

TOPMOST = ("keras", "keras_preprocessing", "tensorflow", "tf_keras")

# What else the package `keras` is called; keras_preprocessing is one of its modules. The longest that fits counts.
PACKAGES = {
    "keras": "",
    "keras.api": "",
    "keras.src": "",
    "keras_preprocessing": "preprocessing",
    "tensorflow.compat.v1.keras": "",
    "tensorflow.compat.v2.keras": "",
    "tensorflow.contrib.keras": "",
    "tensorflow.keras": "",
    "tensorflow.python.keras": "",
    "tf_keras": "",
    "tf_keras.src": "",
}
_OLD_PACKAGES = {"keras_preprocessing", "tensorflow.contrib.keras", "tensorflow.python.keras"}

_NAMED_ALIKE = [
    *fastkeras.MODULES,
    *["ops.image", "ops.linalg", "ops.nn", "ops.numpy", "optimizers.schedules"],
    *["preprocessing.image", "preprocessing.sequence", "preprocessing.text"],
]
_SETS = ("boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters")

# {where they are now: modules of Keras 1 and 2, which are asked in this order}
_MOVED = {
    "backend": "backend.common backend.tensorflow_backend",
    "initializers": "initializations",
    "layers": "layers.activation layers.advanced_activations layers.attention layers.convolutional layers.core "
    "layers.cudnn_recurrent layers.embeddings layers.experimental layers.experimental.preprocessing layers.local "
    "layers.merge layers.merging layers.noise layers.normalization layers.pooling layers.preprocessing "
    "layers.recurrent layers.regularization layers.reshaping layers.rnn layers.wrappers",
    "layers models": "engine engine.base_layer engine.functional engine.input_layer engine.network engine.sequential "
    "engine.topology engine.training",
    "losses": "objectives",
    "optimizers": "optimizers.experimental optimizers.legacy",
    "preprocessing": "legacy.preprocessing",
    "preprocessing.image": "legacy.preprocessing.image",
    "preprocessing.sequence": "legacy.preprocessing.sequence",
    "preprocessing.text": "legacy.preprocessing.text",
    "utils": "utils.data_utils utils.generic_utils utils.io_utils utils.layer_utils utils.np_utils utils.vis_utils "
    "utils.visualize_util",
}

# {module under keras: modules of fastkeras}; what only old scripts ask for is in fastkeras.compat.
KERAS = {
    "": ["fastkeras.compat.keras", "fastkeras"],
    "applications": [],
    "legacy": [],
    "wrappers": [],
    "wrappers.scikit_learn": ["fastkeras.compat.scikit_learn"],
    **{name: [f"fastkeras.{name}"] for name in _NAMED_ALIKE},
    "models": ["fastkeras.models", "fastkeras.saving"],
    **{f"datasets.{name}": [f"fastkeras.datasets.{name}"] for name in _SETS},
}
for _name in ("callbacks", "layers", "models"):
    KERAS[_name].insert(0, f"fastkeras.compat.{_name}")
_OLD = {
    old: [source for path in now.split() for source in KERAS[path]]
    for now, several in _MOVED.items()
    for old in several.split()
}
KERAS |= _OLD

_TF = "fastkeras.compat.tensorflow"
TENSORFLOW = {
    "": [_TF, f"{_TF}.v1"],
    "compat": [],
    "compat.v1": [f"{_TF}.v1", _TF],
    "compat.v2": [_TF],
    "contrib": [],
    "python": [],
    **{
        name: [f"{_TF}.{name}"]
        for name in ("config", "data", "distribute", "linalg", "math", "nn", "random", "strings")
    },
    "data.experimental": [f"{_TF}.data"],
    **{name: KERAS[name] for name in ("initializers", "losses", "metrics", "optimizers")},
}


# sources: the modules that have a module's names, the first that has one gives it. old: whether it has moved.
Place = namedtuple("Place", "sources old")  # typing.NamedTuple would take longer to import than all of this


def place(name):
    """The Place of a module of Keras or TensorFlow; None if there is no such module here.

    >>> place("tensorflow.keras.losses")
    Place(sources=['fastkeras.losses'], old=False)
    """
    package = max((p for p in PACKAGES if f"{name}.".startswith(f"{p}.")), key=len, default=None)
    if package is None:
        top, _, inner = name.partition(".")
        found = TENSORFLOW.get(inner) if top == "tensorflow" else None
        return None if found is None else Place(found, False)
    inner = ".".join(part for part in (PACKAGES[package], name[len(package) + 1 :]) if part)
    return Place(KERAS[inner], inner in _OLD or package in _OLD_PACKAGES) if inner in KERAS else None
