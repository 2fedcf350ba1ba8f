"""Automatic names, as Keras gives them: dense, dense_1, dense_2."""

import re
from collections import Counter

_given = Counter()


def snake_case(class_name):
    """SimpleRNN -> simple_rnn, Conv2D -> conv2d, BatchNormalization -> batch_normalization."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", class_name)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return re.sub(r"\W+", "", name)


def unique_name(prefix):
    """`prefix`, then prefix_1, prefix_2, ... in this process."""
    number = _given[prefix]
    _given[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def reset_names():
    """Starts all counts again, as keras.backend.clear_session() does."""
    _given.clear()
