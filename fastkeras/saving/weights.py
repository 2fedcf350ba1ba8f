"""Weights and optimizer state in HDF5, in the layout of Keras 2 and in that of Keras 3.

Keras 2 (".h5", and inside a whole model): a group for each layer, in the order of "layer_names"; in it an array for
each weight, in the order of "weight_names". It is read by position, or by the names of the layers.

    layer_names = [dense]    dense/ weight_names = [dense/kernel:0, dense/bias:0]    dense/dense/kernel:0 ...

Keras 3 (".weights.h5"): places that follow from the classes alone; how a layer is called does not matter.

    layers/dense/vars/0, 1    layers/dense_1/vars/0    layers/simple_rnn/cell/vars/0    optimizer/vars/0

Nothing in a model is changed before everything has been read and has been found to fit.
"""

import io
import itertools
import warnings
from contextlib import contextmanager

import numpy as np

from fastkeras.layers.layer import Layer
from fastkeras.saving import hdf5
from fastkeras.saving.config import BACKEND, KERAS_VERSION
from fastkeras.utils import atomic
from fastkeras.utils.naming import snake_case

_ATTRIBUTE_LIMIT = 64512  # bytes; longer lists of names are cut into name0, name1, ..., as Keras does


@contextmanager
def file_in_memory():
    """(an h5py.File in memory, the io.BytesIO that holds it when it is closed)."""
    import h5py  # takes as long to import as everything else together

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        yield file, content


@contextmanager
def new_file(path):
    """An h5py.File in memory, which is written to `path` when it is complete.

    In memory, so that a full disk is one OSError from one write: a file of h5py then fails again as it is closed.
    """
    with file_in_memory() as (file, content):
        yield file
    atomic.write(path, content.getbuffer())


# --- Keras 2: groups by layer ----------------------------------------------------------------------------------------


def in_file_order(layer):
    """A layer's weights as Keras 2 orders them: those that are trained first."""
    return [*layer.trainable_variables, *layer.non_trainable_variables]


def write_layers(group, model):
    """Writes the weights of all layers into an empty h5py group."""
    write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["keras_version"], group.attrs["backend"] = KERAS_VERSION, BACKEND
    for layer in sorted(model.layers, key=lambda layer: layer.name):  # "block" before "block/dense", which lies in it
        variables = in_file_order(layer)
        names = _distinct(f"{variable.path}:0" for variable in variables)
        write_arrays(group.create_group(layer.name), names, [variable.value for variable in variables])


def write_arrays(group, names, arrays):
    """Writes arrays under these names, and the list of names."""
    write_names(group, "weight_names", names)
    for name, array in zip(names, arrays, strict=True):
        group.create_dataset(name, data=array)


def write_names(group, attribute, names):
    encoded = np.array([name.encode() for name in names], dtype=bytes if names else np.float64)
    if encoded.nbytes <= _ATTRIBUTE_LIMIT:
        group.attrs[attribute] = encoded
        return
    for i, part in enumerate(np.array_split(encoded, -(-encoded.nbytes // (_ATTRIBUTE_LIMIT // 2)))):
        group.attrs[f"{attribute}{i}"] = part


def _distinct(names):
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


def stored_layers(group):
    """[(layer's name, [hdf5.Array, ...])] for the layers of a file that have weights."""
    stored = [(name, read_arrays(group.group(name))) for name in read_names(group, "layer_names")]
    return [(name, [array for _, array in arrays]) for name, arrays in stored if arrays]


def match_layers(stored, model, file, skip_mismatch=False):
    """[(variable, hdf5.Array)]: the weights of a file, layer by layer, and where they go.

    Raises a ValueError that names the layer if they do not fit.
    """
    layers = [layer for layer in model.layers if layer.variables]
    if len(stored) != len(layers):
        raise ValueError(
            f"Model '{model.name}' has {len(layers)} layers with weights, {[layer.name for layer in layers]}, but "
            f"'{file.path}' has weights of {len(stored)}: {[name for name, _ in stored]}"
        )
    pairs = []
    for layer, (_, arrays) in zip(layers, stored, strict=True):
        pairs += _match(layer, in_file_order(layer), arrays, file, skip_mismatch)
    return pairs


def match_layers_by_name(stored, model, file, skip_mismatch=False):
    """As `match_layers`, for the layers whose name is in the file; the others are left alone."""
    layers = {layer.name: layer for layer in model.layers}
    pairs = []
    for name, arrays in stored:
        if name in layers:
            pairs += _match(layers[name], in_file_order(layers[name]), arrays, file, skip_mismatch)
    return pairs


def _match(layer, variables, arrays, file, skip_mismatch):
    wanted, given = [v.shape for v in variables], [a.shape for a in arrays]
    if wanted == given:
        return list(zip(variables, arrays, strict=True))
    message = (
        f"Layer '{layer.name}' ({type(layer).__name__}): expected weights of shapes {wanted}. "
        f"Received: shapes {given}, from '{file.path}'"
    )
    if not skip_mismatch:
        raise ValueError(message)
    warnings.warn(f"{message}. The layer keeps its weights.", stacklevel=5)
    return []


def assign(pairs):
    """Reads all arrays, and only then sets the variables."""
    values = [(variable, array.read()) for variable, array in pairs]
    for variable, value in values:
        variable.value[...] = value


# --- Keras 3: places by class ----------------------------------------------------------------------------------------


def places(layer, place=""):
    """[(place, layer, its own weights)] for the layer and all layers in it.

    A layer's own weights are at <place>/vars/0, 1, ...; a layer that it holds as an attribute is at
    <place>/<attribute>, and one in a list, as all those of a model, at <place>/<attribute>/<class>, then <class>_1, ...
    """
    found = [(_join(place, layer.weights_place), layer, layer._variables)]
    for name, held in _held(layer):
        if isinstance(held, Layer):
            found += places(held, _join(place, name))
            continue
        names = _distinct_places(held)
        for inner, inner_name in names:
            found += places(inner, _join(place, name, inner_name))
    return found


def _held(layer):
    """(attribute, layer or list of layers) for what the layer holds, by name, the private ones last."""
    if hasattr(layer, "graph"):
        return [("layers", layer.layers)]
    inner = {id(sublayer) for sublayer in layer.sublayers()}
    found = []
    for name, value in sorted(vars(layer).items(), key=lambda item: (item[0].startswith("_"), item[0])):
        items = list(value.values()) if isinstance(value, dict) else value
        if id(value) in inner:
            found.append((name, value))
        elif isinstance(items, (list, tuple)) and any(id(item) in inner for item in items):
            found.append((name, [item for item in items if id(item) in inner]))
    return found


def _distinct_places(layers):
    """(layer, place) for the layers of one list: the class in snake case, numbered from the second on."""
    counts = {}
    for layer in dict.fromkeys(layers):
        name = snake_case("Functional" if type(layer).__name__ == "Model" else type(layer).__name__)
        counts[name] = counts.get(name, -1) + 1
        yield layer, f"{name}_{counts[name]}" if counts[name] else name


def _join(*parts):
    return "/".join(part for part in parts if part)


def write_places(file, model):
    """Writes the weights of a model into an empty h5py file."""
    for place, layer, variables in places(model):
        group = file.create_group(_join(place, "vars"))
        group.attrs["name"] = layer.name
        for i, variable in enumerate(variables):
            group.create_dataset(str(i), data=variable.value)


def match_places(file, model, skip_mismatch=False):
    """[(variable, hdf5.Array)]: the weights of a file of Keras 3, and where they go."""
    pairs = []
    for place, layer, variables in places(model):
        holder, _, attribute = place.rpartition("/")
        # tf_keras has private attributes for the layers inside a MultiHeadAttention
        group = find(file.root, _join(place, "vars")) or find(file.root, _join(holder, f"_{attribute}", "vars"))
        count = len(list(group)) if group is not None else 0
        arrays = [group.array(str(i)) for i in range(count)]
        pairs += _match(layer, variables, arrays, file, skip_mismatch)
    return pairs


def find(group, path):
    """The group at a path, or None."""
    for name in path.split("/"):
        if name not in group:
            return None
        group = group.group(name)
    return group


# --- the optimizer's state -------------------------------------------------------------------------------------------
#
# Keras 2 before TensorFlow 2.11: "Adam/iter:0", "Adam/dense/kernel/m:0", and since then "iteration:0",
# "Adam/m/dense/kernel:0". Keras 3: "adam/iteration", "adam/learning_rate", "adam/dense_kernel_momentum". The first is
# what all of them load, and is written. In .weights.h5 Keras 3 has numbers for names; tf_keras has them too, but only
# for the iteration and the slots.

# Before TensorFlow 2.11, of RMSprop, Adamax and Adadelta:
_OLDEST_SLOT_NAMES = {
    "velocity": "rms",
    "average_gradient": "mg",
    "norm": "v",
    "accumulated_grad": "accum_grad",
    "accumulated_delta_var": "accum_var",
}


def write_optimizer(group, optimizer):
    """Writes iterations and slots into an empty h5py group, one kind after another: Keras 2 goes by their order."""
    prefix, kinds = type(optimizer).__name__, [slot.name for slot in optimizer.slots]
    slots = sorted(optimizer.slots, key=lambda slot: kinds.index(slot.name))
    names = [f"{prefix}/{slot.variable.path}/{optimizer.legacy_slot_name(slot.name)}:0" for slot in slots]
    _, iteration = optimizer.variables[0]
    write_arrays(group, _distinct([f"{prefix}/iter:0", *names]), [iteration, *(slot.value for slot in slots)])


def write_numbered_optimizer(file, optimizer):
    """Writes the state into an h5py file in the layout of Keras 3."""
    group = file.create_group("optimizer/vars")
    group.attrs["name"] = optimizer.name
    for i, (_, array) in enumerate(optimizer.variables):
        group.create_dataset(str(i), data=array)


def read_optimizer(group, optimizer):
    """The state, as `optimizer.set_state` takes it, that is under the names of Keras 2 or Keras 3.

    None, and a warning, if it does not fit the optimizer.
    """
    named = read_arrays(group)
    own, count = [array for _, array in optimizer.variables], len(optimizer.slots)
    begin = 1 + _has_learning_rate(optimizer)
    slots = _in_order(named[1:], named[0][0], optimizer) if named else []
    if not slots:  # the file was written before the first step
        slots = own[begin : begin + count]
    iteration = [array for _, array in named[:1]]
    return _state(optimizer, iteration + own[1:begin] + slots + own[begin + count :], group.file)


def _has_learning_rate(optimizer):
    """Whether a learning rate is among the optimizer's variables, as the second."""
    return "learning_rate" in [name for name, _ in optimizer.variables[1:2]]


def _in_order(named, iteration, optimizer):
    """The arrays of a file in the order of the optimizer's slots; those that it does not keep are left out."""
    by_slot = {}
    for name, array in named:
        by_slot.setdefault(_slot_name(name, iteration, optimizer), []).append(array)
    return [by_slot[slot.name].pop(0) for slot in optimizer.slots if by_slot.get(slot.name)]


def _slot_name(name, iteration, optimizer):
    """Which slot an array holds; `iteration` is the name of the file's first array, which tells the styles apart."""
    *_, last = parts = name.removesuffix(":0").split("/")
    for slot in {slot.name for slot in optimizer.slots}:
        names = {slot, optimizer.legacy_slot_name(slot), _OLDEST_SLOT_NAMES.get(slot)}
        if iteration == "iteration:0":
            fits = len(parts) > 1 and parts[1] in names
        elif name.endswith(":0"):
            fits = last in names
        else:
            fits = last.endswith(f"_{slot}")
        if fits:
            return slot
    return None


def read_numbered_optimizer(file, optimizer):
    """As `read_optimizer`, from a file in the layout of Keras 3. None if there is no state in it."""
    group = find(file.root, "optimizer/vars")
    if group is None:
        return None
    arrays = [group.array(str(i)) for i in range(len(list(group)))]
    own, begin = [array for _, array in optimizer.variables], 1 + _has_learning_rate(optimizer)
    if len(arrays) == 1 + len(optimizer.slots):  # of tf_keras
        arrays = arrays[:1] + own[1:begin] + arrays[1:] + own[begin + len(optimizer.slots) :]
    return _state(optimizer, arrays, file)


def _state(optimizer, arrays, file):
    """The arrays, some of which may still have to be read, if they fit the optimizer."""
    if [a.shape for a in arrays] == [a.shape for _, a in optimizer.variables] and arrays[0].dtype.kind in "iu":
        return [a.read() if isinstance(a, hdf5.Array) else a for a in arrays]
    message = f"'{file.path}' holds no state that fits {type(optimizer).__name__}, which begins afresh."
    warnings.warn(message, stacklevel=5)
    return None


# --- save_weights, load_weights --------------------------------------------------------------------------------------


def save_weights(model, filepath, overwrite=True, save_format=None):
    """Writes the model's weights: to *.weights.h5 in Keras 3's layout, with the optimizer's state, to other *.h5 and
    *.hdf5 in Keras 2's. save_format is accepted for Keras 2's sake; the name decides.
    """
    path = atomic.user_path(filepath)
    if not path.lower().endswith((".h5", ".hdf5")):
        raise ValueError(
            "The name of a file with weights must end in .weights.h5 (Keras 3), .h5 or .hdf5 (Keras 2). "
            f"Received: '{path}'"
        )
    model.require_graph()
    if model.compiled:
        model.compiled.bind(model)
    if not atomic.may_write(path, overwrite):
        return
    with new_file(path) as file:
        if not path.lower().endswith(".weights.h5"):
            write_layers(file, model)
            return
        write_places(file, model)
        if model.compiled and model.compiled.owns_optimizer:
            write_numbered_optimizer(file, model.compiled.optimizer)


def load_weights(model, filepath, skip_mismatch=False, by_name=False):
    """Sets the model's weights from a file of fastkeras, Keras 2 or Keras 3, of weights or of a whole model.

    Layers are matched by their order (Keras 2) or by their class and order (Keras 3). by_name: by their names instead,
    leaving alone those that the file does not name; Keras 2 only. skip_mismatch: a layer whose weights have other
    shapes than those in the file keeps its own, with a warning, instead of a ValueError. If there is an error, nothing
    is changed.
    """
    path = atomic.user_path(filepath)
    model.require_graph()
    if model.compiled:
        model.compiled.bind(model)
    with hdf5.File(path) as file:
        group = file.root.group("model_weights") if "model_weights" in file.root else file.root
        if has_names(group, "layer_names"):
            match = match_layers_by_name if by_name else match_layers
            assign(match(stored_layers(group), model, file, skip_mismatch))
            return
        if by_name:
            raise ValueError(
                f"'{path}' keeps weights by class, as Keras 3 does: by_name=True cannot find layers in it."
            )
        if "layers" not in file.root:
            raise ValueError(f"'{path}' holds no weights of a Keras model.")
        pairs = match_places(file, model, skip_mismatch)
        trains = model.compiled and model.compiled.owns_optimizer
        state = read_numbered_optimizer(file, model.compiled.optimizer) if trains else None
        assign(pairs)
        if state is not None:
            model.compiled.optimizer.set_state(state)
