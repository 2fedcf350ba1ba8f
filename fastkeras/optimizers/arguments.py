"""The arguments of optimizers: checked, and as Keras 2 spelled them."""

import math

import numpy as np

from fastkeras.utils.messages import warn


def checked(owner, name, value, low=-math.inf, high=math.inf, none=False):
    """`value` as a float in [low, high]; None if that is allowed. A ValueError names owner and argument otherwise."""
    if value is None and none:
        return None
    number = isinstance(value, (int, float, np.integer, np.floating, np.ndarray)) and not isinstance(value, bool)
    if not number or np.ndim(value) or not math.isfinite(value) or not low <= value <= high:
        if math.isinf(low) or math.isinf(high):
            limits = "" if low == -high else f" >= {low:g}" if math.isinf(high) else f" <= {high:g}"
        else:
            limits = f" in [{low:g}, {high:g}]"
        raise ValueError(f"{owner}: `{name}` must be a number{limits}. Received: {name}={value!r}")
    return float(value)


def counted(owner, name, value, least):
    """`value` as an int of at least `least`, or None. A ValueError names owner and argument otherwise."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
        raise ValueError(f"{owner}: `{name}` must be an integer >= {least} or None. Received: {name}={value!r}")
    return None if value is None else int(value)


def of_keras_2(owner, learning_rate, kwargs):
    """(learning rate, decay), with Keras 2's `lr` and `decay` taken out of kwargs, and a warning for each."""
    if "lr" in kwargs:
        warn("The argument `lr` is called `learning_rate` in Keras 3.")
        learning_rate = kwargs.pop("lr")
    decay = kwargs.pop("decay", None)
    if decay:
        warn(
            "The argument `decay` is written as a schedule in Keras 3: learning_rate=keras.optimizers.schedules."
            f"InverseTimeDecay({learning_rate}, decay_steps=1, decay_rate={decay})."
        )
    return learning_rate, checked(owner, "decay", decay or 0.0, 0)
