"""Weights in HDF5 in the layout of Keras 2: ".h5" files of weights, and inside a whole model.

A group for each layer, in the order of "layer_names"; in it an array for each weight, in the order of "weight_names".
It is read by position, or by the names of the layers.

    layer_names = [dense]    dense/ weight_names = [dense/kernel:0, dense/bias:0]    dense/dense/kernel:0 ...
"""

import itertools
from typing import NamedTuple

import numpy as np

from fastkeras.saving.config import BACKEND, KERAS_VERSION
from fastkeras.saving.legacy import as_today
from fastkeras.saving.matching import matched

_ATTRIBUTE_LIMIT = 64512  # bytes; longer lists of names are cut into name0, name1, ..., as Keras does


def in_file_order(layer):
    """A layer's weights as Keras 2 orders them: those that are trained first."""
    return [*layer.trainable_variables, *layer.non_trainable_variables]


def write_layers(group, model):
    """Writes the weights of all layers into an empty h5py group."""
    write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["keras_version"], group.attrs["backend"] = KERAS_VERSION, BACKEND
    for layer in sorted(model.layers, key=lambda layer: layer.name):  # "block" before "block/dense", which lies in it
        variables = in_file_order(layer)
        names = distinct(f"{variable.path}:0" for variable in variables)
        write_arrays(group.create_group(layer.name), names, [variable.value for variable in variables])


def write_arrays(group, names, arrays):
    """Writes arrays under these names, and the list of names."""
    write_names(group, "weight_names", names)
    for name, array in zip(names, arrays, strict=True):
        group.create_dataset(name, data=array)


def write_names(group, attribute, names):
    """Writes a list of names as an attribute, or as several if it is long."""
    encoded = np.array([name.encode() for name in names], dtype=bytes if names else np.float64)
    if encoded.nbytes <= _ATTRIBUTE_LIMIT:
        group.attrs[attribute] = encoded
        return
    for i, part in enumerate(np.array_split(encoded, -(-encoded.nbytes // (_ATTRIBUTE_LIMIT // 2)))):
        group.attrs[f"{attribute}{i}"] = part


def distinct(names):
    """The names, the second and later of equal ones with a number."""
    seen, result = set(), []
    for name in names:
        candidates = itertools.chain([name], (f"{name.removesuffix(':0')}_{i}:0" for i in itertools.count(1)))
        result.append(next(c for c in candidates if c not in seen))
        seen.add(result[-1])
    return result


def has_names(group, attribute):
    """Whether the group has such a list."""
    return group.attribute(attribute) is not None or group.attribute(f"{attribute}0") is not None


def read_names(group, attribute):
    """The list of names that `write_names` or Keras wrote."""
    if not has_names(group, attribute):
        raise group.file.damaged(f"'{group.path}' has no list '{attribute}'")
    parts = [group.attribute(attribute)]
    if parts[0] is None:
        numbered = (group.attribute(f"{attribute}{i}") for i in itertools.count())
        parts = itertools.takewhile(lambda part: part is not None, numbered)
    names = [name for part in parts for name in part]
    if not all(isinstance(name, str) for name in names):
        raise group.file.damaged(f"'{attribute}' of '{group.path}' is not a list of names")
    return names


def read_arrays(group):
    """[(name, hdf5.Array)] of a group, in the order of "weight_names"."""
    return [(name, group.array(name)) for name in read_names(group, "weight_names")]


class Stored(NamedTuple):
    """What a file holds."""

    layers: list  # (name, arrays) for each layer that has any
    version: str | None  # of the Keras that wrote it, and its backend, if it says so
    backend: str | None
    path: str

    def of(self, layer, arrays, skip_mismatch):
        """[(variable, array)] for a layer and the arrays that are for it."""
        today = as_today(layer, arrays, self.version, self.backend)
        return matched(layer, in_file_order(layer), today, self.path, skip_mismatch)


def stored_layers(group):
    """What a group that `write_layers` or Keras wrote holds."""
    layers = [(name, read_arrays(group.group(name))) for name in read_names(group, "layer_names")]
    layers = [(name, [array for _, array in arrays]) for name, arrays in layers if arrays]
    return Stored(layers, _told(group, "keras_version"), _told(group, "backend"), group.file.path)


def _told(group, name):
    found = [part.attribute(name) for part in (group, group.file.root)]
    return next((text for text in found if isinstance(text, str)), None)


def match_layers(stored, model, skip_mismatch=False):
    """[(variable, array)]: the weights of a file, layer by layer, and where they go.

    Raises a ValueError that names the layer if they do not fit.
    """
    layers = [layer for layer in model.layers if layer.variables]
    if len(stored.layers) != len(layers):
        raise ValueError(
            f"Model '{model.name}' has {len(layers)} layers with weights, {[layer.name for layer in layers]}, but "
            f"'{stored.path}' has weights of {len(stored.layers)}: {[name for name, _ in stored.layers]}"
        )
    pairs = []
    for layer, (_, arrays) in zip(layers, stored.layers, strict=True):
        pairs += stored.of(layer, arrays, skip_mismatch)
    return pairs


def match_layers_by_name(stored, model, skip_mismatch=False):
    """As `match_layers`, for the layers whose name is in the file; the others are left alone."""
    layers = {layer.name: layer for layer in model.layers}
    pairs = []
    for name, arrays in stored.layers:
        if name in layers:
            pairs += stored.of(layers[name], arrays, skip_mismatch)
    return pairs
