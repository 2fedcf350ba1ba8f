"""Arguments and methods of Keras 1 and 2 that Keras 3 no longer has, understood, with a notice of the modern form.

The arguments of layers are translated as those in old files are (layers/legacy.py); all others are in the table below.
What is taught is taught to the classes and functions themselves, when a script first uses one of their package.
"""

import functools
import importlib

from fastkeras.compat import notices

# {package: {function or method: {argument then: argument now, None where nothing is needed}}}
_ARGUMENTS = {
    "fastkeras.callbacks": {
        "ReduceLROnPlateau.__init__": {"epsilon": "min_delta"},
        "TensorBoard.__init__": {"batch_size": None, "embeddings_layer_names": None, "write_grads": None},
    },
    "fastkeras.datasets": {
        "imdb.load_data": {"nb_words": "num_words"},
        "reuters.load_data": {"nb_words": "num_words"},
    },
    "fastkeras.models": {
        "Model.__init__": {"input": "inputs", "output": "outputs"},
        "Model.compile": {"class_mode": None, "theano_mode": None, "sample_weight_mode": None},
        "Model.evaluate": {"show_accuracy": None},
        "Model.fit": {"nb_epoch": "epochs", "show_accuracy": None},
    },
    "fastkeras.preprocessing": {"text.Tokenizer.__init__": {"nb_words": "num_words"}},
    "fastkeras.utils": {"to_categorical": {"nb_classes": "num_classes"}},
}
# {module: {name then: name now}}
NAMES = {
    "fastkeras.constraints": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
    "fastkeras.metrics": {
        "cosine_proximity": "cosine_similarity",
        "kullback_leibler_divergence": "kl_divergence",
        "mae": "mean_absolute_error",
        "mse": "mean_squared_error",
    },
    "fastkeras.regularizers": {"WeightRegularizer": "L1L2", "activity_l1": "l1", "activity_l2": "l2", "l1l2": "l1_l2"},
    "fastkeras.utils": {"plot": "plot_model"},
}
_INSTEAD_OF = {
    "class_mode": "the loss says it",
    "sample_weight_mode": "the shape of sample_weight says it",
    "show_accuracy": "write metrics=['accuracy'] in compile",
}
_taught = set()


def teach(module):
    """Teaches the package of fastkeras that `module` belongs to, once: fastkeras.layers for fastkeras.compat.layers."""
    package = ".".join(module.replace("fastkeras.compat.", "fastkeras.").split(".")[:2])
    package = "fastkeras.models" if package == "fastkeras.saving" else package  # load_model makes models
    if package in _taught:
        return
    _taught.add(package)
    for name, words in _ARGUMENTS.get(package, {}).items():
        owner, _, last = name.rpartition(".")
        understand(_attribute(package, owner), last, words)
    if package in ("fastkeras.layers", "fastkeras.models", "fastkeras.optimizers"):
        importlib.import_module(package.replace("fastkeras", "fastkeras.compat")).teach()


def _attribute(package, path):
    value = importlib.import_module(package)
    for name in path.split(".") if path else ():
        value = getattr(value, name)
    return value


def understand(owner, name, words):
    """Replaces a function of a class or module by one that takes the old arguments, too."""
    function = getattr(owner, name)
    called = owner.__name__ if name == "__init__" else name

    @functools.wraps(function)
    def understanding(*args, **kwargs):
        if not words.keys().isdisjoint(kwargs):
            kwargs = _translated(called, words, kwargs)
        return function(*args, **kwargs)

    setattr(owner, name, understanding)


def _translated(called, words, given):
    translated = {}
    for name, value in given.items():
        now = words.get(name, name)
        if now is not None:
            translated[now] = value
        if now is None:
            say_without_effect(called, name)
        elif now != name:
            notices.say(f"{called}: {name}= is {now}= now.", name)
    return translated


def say_without_effect(called, name):
    hint = f": {_INSTEAD_OF[name]}" if name in _INSTEAD_OF else ""
    notices.say(f"{called}: {name}= has no effect here{hint}.", name)
