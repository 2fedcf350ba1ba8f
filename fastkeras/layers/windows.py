"""What layers with windows over sequences (rank 1) and images (rank 2) share: arguments, and the order of the axes.

The kernels know images with their channels last, (B, H, W, C). A sequence is an image of height one.
"""

import numpy as np

from fastkeras import config
from fastkeras.utils.messages import message, names_of

_AXES = {
    (1, "channels_last"): "(batch, steps, channels)",
    (1, "channels_first"): "(batch, channels, steps)",
    (2, "channels_last"): "(batch, rows, columns, channels)",
    (2, "channels_first"): "(batch, channels, rows, columns)",
    (3, "channels_last"): "(batch, planes, rows, columns, channels)",
    (3, "channels_first"): "(batch, channels, planes, rows, columns)",
}


# --- arguments -------------------------------------------------------------------------------------------------------


def one_of(layer, name, value, known):
    """`value` in lower case; a ValueError that names layer and argument if it is none of `known`."""
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError(f"{layer}: `{name}` must be one of {', '.join(known)}. Received: {name}={value!r}")
    return value.lower()


def checked_format(layer, data_format):
    """ "channels_last" or "channels_first"; None stands for what the user has set, by default the first."""
    data_format = data_format or config.image_data_format()
    return one_of(layer, "data_format", data_format, ("channels_last", "channels_first"))


# --- shapes ----------------------------------------------------------------------------------------------------------


def parts(shape, data_format):
    """(the extents that windows move over, the number of channels) of a shape with its batch axis."""
    return (tuple(shape[1:-1]), shape[-1]) if data_format == "channels_last" else (tuple(shape[2:]), shape[1])


def whole(batch, extents, channels, data_format):
    """The shape that has these `parts`."""
    return (batch, *extents, channels) if data_format == "channels_last" else (batch, channels, *extents)


def check_axes(layer, input_shape):
    """Raises a ValueError that names the layer (with `rank` and `data_format`) if a shape has other axes."""
    if len(input_shape) != layer.rank + 2:
        expected = _AXES[layer.rank, layer.data_format]
        raise ValueError(message("shape_for_layer", **names_of(layer), expected=expected, received=tuple(input_shape)))


def check_places(layer, input_shape, least):
    """Raises a ValueError that names the layer if a shape has fewer than `least` places on an axis."""
    extents, _ = parts(input_shape, layer.data_format)
    for n, k in zip(extents, least, strict=True):
        if n is not None and n < k:
            fields = {**names_of(layer), "least": " x ".join(map(str, least))}
            raise ValueError(message("places_for_layer", **fields, received=tuple(input_shape)))


# --- arrays ----------------------------------------------------------------------------------------------------------


def as_images(x, rank, data_format):
    """x as (B, H, W, C), contiguous."""
    if data_format == "channels_first":
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    return x.reshape(len(x), *(1,) * (2 - rank), *x.shape[1:])


def from_images(y, rank, data_format):
    """What as_images takes y (B, H, W, C) for."""
    y = y.reshape(len(y), *y.shape[3 - rank :])
    return np.ascontiguousarray(np.moveaxis(y, -1, 1)) if data_format == "channels_first" else y
