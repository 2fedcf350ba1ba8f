"""What holds for the whole program: the settings, the names of layers, and whether layers are in training."""

import contextlib

from fastkeras.config import image_data_format, set_image_data_format
from fastkeras.core.tensor import tapes
from fastkeras.utils.naming import reset_names, unique_name


def backend():
    """ "tensorflow": whose conventions hold here, which is what scripts ask for."""
    return "tensorflow"


def image_dim_ordering():
    """Keras 1's word for `image_data_format`: "tf" (channels last) or "th"."""
    return {"channels_last": "tf", "channels_first": "th"}[image_data_format()]


def set_image_dim_ordering(dim_ordering):
    """Keras 1's word for `set_image_data_format`, with "tf" or "th"."""
    if dim_ordering not in ("tf", "th"):
        raise ValueError(f"set_image_dim_ordering: expected 'tf' (channels last) or 'th'. Received: {dim_ordering!r}")
    set_image_data_format("channels_last" if dim_ordering == "tf" else "channels_first")


def clear_session():
    """Counts the names of layers from the beginning again. There is nothing else to clear: a model that no variable
    names any more is gone."""
    reset_names()


reset_uids = clear_session


def get_uid(prefix=""):
    """How often a name with this prefix was asked for, this time included."""
    number = unique_name(prefix).removeprefix(prefix).removeprefix("_")
    return int(number or 0) + 1


@contextlib.contextmanager
def name_scope(name):
    """Names nothing here: it is for TensorFlow's graphs."""
    yield name


def learning_phase():
    """1 while a layer is called in training, else 0."""
    return int(bool(tapes.training))


def set_learning_phase(value):
    """Whether layers that are called from now on are in training (1) or not (0), unless their calls say so."""
    if value not in (0, 1):
        raise ValueError(f"set_learning_phase: expected 0 or 1. Received: {value!r}")
    tapes.training = bool(value)


def in_train_phase(x, alt, training=None):
    """x in training, else alt; either may be a function without arguments."""
    chosen = x if (tapes.training if training is None else training) else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x, alt, training=None):
    """alt in training, else x."""
    return in_train_phase(alt, x, training)
