"""Where the modules of Keras and TensorFlow are found here."""

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
TOPMOST = ("keras", "keras_preprocessing", "tensorflow", "tf_keras")

# {modules under keras: the modules that have their names, the first that has one gives it}.
_MODULES = {
    "activations": ["fastkeras.activations"],
    "applications": [],
    "backend backend.common backend.tensorflow_backend": ["fastkeras.backend"],
    "callbacks": ["fastkeras.callbacks"],
    "config": ["fastkeras.config"],
    "constraints": ["fastkeras.constraints"],
    "datasets": ["fastkeras.datasets"],
    "initializers initializations": ["fastkeras.initializers"],
    "layers layers.activation layers.advanced_activations layers.attention layers.convolutional layers.core "
    "layers.cudnn_recurrent layers.embeddings layers.experimental layers.experimental.preprocessing layers.local "
    "layers.merge layers.merging layers.noise layers.normalization layers.pooling layers.preprocessing "
    "layers.recurrent layers.regularization layers.reshaping layers.rnn layers.wrappers": ["fastkeras.layers"],
    "engine engine.base_layer engine.functional engine.input_layer engine.network engine.sequential engine.topology "
    "engine.training": ["fastkeras.layers", "fastkeras.models"],
    "legacy": [],
    "losses objectives": ["fastkeras.losses"],
    "metrics": ["fastkeras.metrics"],
    "models": ["fastkeras.models", "fastkeras.saving"],
    "ops": ["fastkeras.ops"],
    "optimizers optimizers.experimental optimizers.legacy": ["fastkeras.optimizers"],
    "optimizers.schedules": ["fastkeras.optimizers.schedules"],
    "preprocessing legacy.preprocessing": ["fastkeras.preprocessing"],
    "preprocessing.image legacy.preprocessing.image": ["fastkeras.preprocessing.image"],
    "preprocessing.sequence legacy.preprocessing.sequence": ["fastkeras.preprocessing.sequence"],
    "preprocessing.text legacy.preprocessing.text": ["fastkeras.preprocessing.text"],
    "random": ["fastkeras.random"],
    "regularizers": ["fastkeras.regularizers"],
    "saving": ["fastkeras.saving"],
    "utils utils.data_utils utils.generic_utils utils.io_utils utils.layer_utils utils.np_utils utils.vis_utils "
    "utils.visualize_util": ["fastkeras.utils"],
    "wrappers": [],
}
_SETS = ("boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters")

KERAS = {path: found for paths, found in _MODULES.items() for path in paths.split()}
KERAS |= {f"datasets.{name}": [f"fastkeras.datasets.{name}"] for name in _SETS}
KERAS[""] = ["fastkeras.compat.keras", "fastkeras"]

TENSORFLOW = {
    **{path: ["fastkeras.compat.tensorflow"] for path in ("", "compat", "compat.v1", "compat.v2", "python")},
    "contrib": [],
    "random": ["fastkeras.compat.tensorflow.random"],
}


def sources(name):
    """The modules of fastkeras that stand for a module of Keras or TensorFlow: a list; None if there are none.

    >>> sources("tensorflow.keras.layers.recurrent")
    ['fastkeras.layers']
    """
    package = max((p for p in PACKAGES if f"{name}.".startswith(f"{p}.")), key=len, default=None)
    if package is None:
        top, _, inner = name.partition(".")
        return TENSORFLOW.get(inner) if top == "tensorflow" else None
    inner = name[len(package) + 1 :]
    return KERAS.get(".".join(part for part in (PACKAGES[package], inner) if part))
