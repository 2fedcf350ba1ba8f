"""Checks of arguments that layers and functions share. `who` names the layer or function in errors."""

import numpy as np

from fastkeras.utils.messages import message


def positive_integer(who, name, value):
    """`value` as an int; a ValueError that names layer and argument if it is not a positive integer."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(message("positive_integer", layer=who, name=name, received=repr(value)))
    return int(value)


def integers(who, name, value):
    """A list of integers, or a single one, as a tuple of ints; a ValueError that names layer and argument if it is
    none."""
    items = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(item, bool) or not isinstance(item, (int, np.integer)) for item in items):
        raise ValueError(message("integers", layer=who, name=name, received=repr(value)))
    return tuple(map(int, items))


def axis_or_axes(who, value):
    """The argument `axis` of a layer as an int, or if it is a list of them as a list."""
    axes = integers(who, "axis", value)
    return list(axes) if isinstance(value, (list, tuple)) else axes[0]


def per_axis(who, name, value, rank):
    """A positive integer for each of `rank` axes, from one for all or a sequence."""
    values = (value,) * rank if np.ndim(value) == 0 else tuple(value)
    if len(values) != rank:
        raise ValueError(f"{who}: `{name}` must be a positive integer or {rank} of them. Received: {name}={value!r}")
    return tuple(positive_integer(who, name, v) for v in values)


def channels_last_or_first(who, data_format):
    """Whether a `data_format` is "channels_last"; a ValueError that names layer or function if it is not
    "channels_first" either."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"{who}: `data_format` must be 'channels_last' or 'channels_first'. Received: {data_format!r}")
    return data_format == "channels_last"
