"""What is said of names that are not there."""

# What to write instead, by the beginning of the name. The longest that fits counts.
_INSTEAD = {
    "keras.applications": "Pretrained networks of pictures are not part of it.",
    "keras.backend.get_session": "Nothing runs in sessions: leave it out.",
    "keras.backend.set_session": "Nothing runs in sessions: leave it out; keras.config.set_num_threads sets threads.",
    "keras.layers.MaxoutDense": "Write Dense(units * features), Reshape((features, units)) and a maximum over axis 1.",
    "keras.layers.Highway": "Write it as a Model of two Dense layers, Multiply and Add.",
    "keras.wrappers": "It has keras.wrappers.scikit_learn.",
    "tensorflow.ConfigProto": "Nothing runs in sessions: leave it out; keras.config.set_num_threads sets threads.",
    "tensorflow.InteractiveSession": "Nothing runs in sessions: operations give their results at once.",
    "tensorflow.Session": "Nothing runs in sessions: operations give their results at once.",
    "tensorflow.contrib": "TensorFlow 2 has none either.",
    "tensorflow.feature_column": "Write preprocessing in numpy, or as layers.",
    "tensorflow.global_variables_initializer": "Variables have their values at once: leave it out.",
    "tensorflow.image": "Prepare pictures with numpy or Pillow.",
    "tensorflow.io": "Read files with Python's open, numpy.load or pandas.",
    "tensorflow.lite": "Models are saved as *.keras and *.h5, which TensorFlow converts.",
    "tensorflow.placeholder": "Write a function of tensors, or keras.Input for a model.",
    "tensorflow.saved_model": "Models are saved as *.keras and *.h5: model.save and keras.models.load_model.",
    "tensorflow.strings": "Write it in Python: text.numpy() gives bytes, .decode() a str.",
    "tensorflow.summary": "keras.callbacks.TensorBoard writes files for TensorBoard.",
}

# What the beginnings of names stand for, taken one after the other: keras may be in compat.v1.
_ALSO = {
    "tensorflow.compat.v1.": "tensorflow.",
    "tensorflow.python.keras.": "keras.",
    "tensorflow.keras.": "keras.",
    "tf_keras.": "keras.",
    "keras.backend.tensorflow_backend.": "keras.backend.",
}


def message(name, known):
    """Says that fastkeras has no `name`, and what to write instead or which of the known names was meant.

    name: with its module, as "keras.layers.Dens"; known: the names in that module.
    """
    from fastkeras.utils import suggest  # here, since most scripts need none

    plain = name
    for start, keras in _ALSO.items():
        plain = keras + plain.removeprefix(start) if plain.startswith(start) else plain
    instead = max((start for start in _INSTEAD if f"{plain}.".startswith(f"{start}.")), key=len, default=None)
    if instead:
        return f"fastkeras has no {name}. {_INSTEAD[instead]}"
    guess = suggest.nearest(name.rpartition(".")[2], known)
    return f"fastkeras has no {name}." + (f" Did you mean {guess!r}?" if guess else "")
