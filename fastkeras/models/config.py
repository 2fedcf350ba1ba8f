"""Models as dictionaries of plain Python values, and back, in the form that both Keras 2 and Keras 3 read.

    layer        {"class_name", "config"}
    Sequential   {"name", "trainable", "layers": [layer, ...]}, the first of which is the InputLayer; where the input's
                 shape was read off the first data there is none, but "build_input_shape"
    Model        {"name", "trainable", "layers": [layer with "name", "inbound_nodes"], "input_layers", "output_layers"};
                 and "losses", of which Keras does not know, if tensors were given to add_loss

A tensor is [name of a layer, which of its calls, which output of that call]. "inbound_nodes" has an item for each call
of the layer: the list of tensors it was called on, each followed by a dictionary of the call's keywords.

The configuration of a single layer is layers/config.py's.
"""

from fastkeras.core import nest
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers.arguments import inputs_by_name, replaced
from fastkeras.layers.config import layer_from_config, layer_to_config
from fastkeras.layers.core import InputLayer
from fastkeras.layers.normalization import BatchNormalization

_MAX_LAYERS = 10_000

# What Keras 3 writes among the layers of a model where it has worked out masks; here they travel by themselves.
_MASK_OPERATIONS = {"NotEqual", "ConvertToTensor", "Any", "LogicalAnd"}
_OPERATIONS_ON_MASKS = {"LogicalOr", "ExpandDims", "Concatenate"}  # these only where they follow such
_MASKS_LIKE = {"ZerosLike", "OnesLike"}  # these only where they make bool


def _entries(config):
    """The checked list of a model's layers."""
    entries = config.get("layers")
    if not isinstance(entries, list) or len(entries) > _MAX_LAYERS:
        raise ValueError(f"A model must have a list of at most {_MAX_LAYERS} `layers`. Received: {entries!r:.200}")
    return entries


def _makes_mask(entry, masks):
    """Whether what a configuration lists is an operation on masks. masks: the names of those before it."""
    kind = entry.get("class_name")
    if kind in _MASK_OPERATIONS:
        return True
    if kind in _MASKS_LIKE:
        return entry["config"].get("dtype") == "bool"
    if kind not in _OPERATIONS_ON_MASKS:
        return False
    calls = [node.get("args", []) for node in entry.get("inbound_nodes", []) if isinstance(node, dict)]
    return any(name in masks for name, *_ in _places(calls))


def _input_to_config(tensor):
    config = {"batch_input_shape": list(tensor.shape), "dtype": tensor.dtype, "sparse": False, "name": tensor.name}
    return {"class_name": "InputLayer", "config": config}


def _placeholder(layer, keep_batch):
    """The tensor that an InputLayer stands for. The number of samples binds only where states outlive a batch."""
    batch, *shape = layer.batch_input_shape
    return SymbolicTensor((batch if keep_batch else None, *shape), layer.dtype, layer.name)


def _is_stateful(entry):
    """Whether the layer is stateful, or the one that it wraps."""
    config = entry.get("config") if isinstance(entry, dict) else None
    return isinstance(config, dict) and bool(config.get("stateful") or _is_stateful(config.get("layer")))


# --- Sequential ------------------------------------------------------------------------------------------------------


def chain_to_config(model):
    """The configuration of a Sequential model."""
    config = {"name": model.name, "trainable": model.trainable, "layers": []}
    start = model.inputs[0] if model.inputs and len(model.inputs) == 1 else None  # the first layer says of several
    if start is not None and start.declared:
        config["layers"].append(_input_to_config(start))
    config["layers"] += [layer_to_config(layer) for layer in model.layers]
    if start is not None and not start.declared:
        config["build_input_shape"] = list(start.shape)
    return config


def chain_from_config(model, config):
    """Adds the layers that a configuration lists to an empty Sequential, and builds it if an input shape is given."""
    entries = _entries(config)
    keep_batch = any(map(_is_stateful, entries))
    for entry in entries:
        layer = layer_from_config(entry)
        model.add(_placeholder(layer, keep_batch) if isinstance(layer, InputLayer) else layer)
    shape = config.get("build_input_shape")
    if model.graph is None and isinstance(shape, (list, tuple)) and model.layers:
        model.build_for([tuple(shape)])


# --- Model -----------------------------------------------------------------------------------------------------------
#
# Calls are counted from 0, but in a list of calls, which is Keras 2's form, from 1 for a model that has a graph of its
# own: that one is its call 0. Keras 3 has dictionaries instead, and counts from 0 there, but where it names the model's
# outputs from 1 for a Model again. A Sequential is written without its InputLayer, so that both count it from 0.


def graph_to_config(model):
    """The configuration of a Model made from inputs and outputs."""
    graph = model.require_graph()
    entries = {}  # {layer: entry}
    places = {}  # {id of a tensor: [layer, call, output]}
    for tensor, source in zip(graph.inputs, graph.sources, strict=True):
        entries[source] = {**_input_to_config(tensor), "name": tensor.name, "inbound_nodes": []}
        places[id(tensor)] = [tensor.name, 0, 0]
    for site in graph.sites:
        layer = site.layer
        if layer not in entries:
            entries[layer] = {**_inner_to_config(layer), "name": layer.name, "inbound_nodes": []}
        calls = entries[layer]["inbound_nodes"]
        first = 1 if entries[layer]["class_name"] == "Functional" else 0
        for i, tensor in enumerate(site.outputs):
            places[id(tensor)] = [layer.name, first + len(calls), i]
        inputs, keywords = inputs_by_name([places[id(t)] for t in site.inputs], site.keywords)
        calls.append([[*place, keywords] for place in inputs])
    names = [entry["name"] for entry in entries.values()]
    if len(set(names)) != len(names):
        raise ValueError(f"Model '{model.name}': layers must have different names to be saved. Received: {names}")
    config = {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [entries[layer] for layer in graph.layers],
        "input_layers": by_key(model.input_keys, [places[id(t)] for t in graph.inputs]),
        "output_layers": by_key(model.output_keys, [places[id(t)] for t in graph.outputs]),
    }
    return {**config, "losses": [places[id(t)] for t in graph.losses]} if graph.losses else config


def by_key(keys, items):
    """The items of a graph, which has them in the order of the sorted keys, as the dictionary they were given in; as
    they are if they were given in none."""
    if keys is None:
        return items
    found = dict(zip(sorted(keys), items, strict=True))
    return {key: found[key] for key in keys}


def _inner_to_config(layer):
    entry = layer_to_config(layer)
    if entry["class_name"] == "Sequential":
        inner = [e for e in entry["config"]["layers"] if e["class_name"] != "InputLayer"]
        entry["config"] = {"name": layer.name, "trainable": layer.trainable, "layers": inner}
    return entry


def graph_from_config(config):
    """(inputs, outputs, losses, names) of the model that a configuration describes: lists of symbolic tensors, or of
    the former two a dictionary; and the names of its layers in its order."""
    entries = _entries(config)
    keep_batch, is_keras_3 = any(map(_is_stateful, entries)), False
    found, tensors, calls, masks = {}, {}, [], set()
    for entry in entries:
        if isinstance(entry, dict) and _makes_mask(entry, masks):
            masks.add(entry.get("name"))
            continue
        layer = layer_from_config(entry)
        name, nodes = entry.get("name", layer.name), entry.get("inbound_nodes", [])
        if name in found:
            raise ValueError(f"Layers must have different names. Received: a second '{name}'")
        found[name] = layer
        if isinstance(layer, InputLayer):
            tensors[name, 0, 0] = _placeholder(layer, keep_batch)
        is_keras_3 = is_keras_3 or any(isinstance(node, dict) for node in nodes)
        first = 1 if not is_keras_3 and layer.is_model and layer.graph is not None else 0
        calls += [(name, first + number, *_call_from_config(node, layer, masks)) for number, node in enumerate(nodes)]
    _replay(found, calls, tensors)
    ends = []
    for key in ("input_layers", "output_layers", "losses"):
        places = _places(config.get(key, [] if key == "losses" else None))
        if is_keras_3:
            places = [(n, call - 1 if _is_graph(found.get(n)) else call, output) for n, call, output in places]
        ends_there = [_existing(tensors, place) for place in places]
        keyed = isinstance(config.get(key), dict) and "class_name" not in config[key]
        ends.append(dict(zip(config[key], ends_there, strict=True)) if keyed else ends_there)
    return *ends, list(found)


def _is_graph(layer):
    return getattr(layer, "is_model", False) and not hasattr(layer, "add")


def _replay(found, calls, tensors):
    """Makes each call as soon as the tensors it takes are there, and adds what it returns to `tensors`."""
    waiting = {}  # {missing tensor: calls}
    ready = calls[::-1]
    while ready:
        call = ready.pop()
        name, number, inputs, keywords = call
        needed = [*inputs, *_places_in(list(keywords.values()))]
        missing = next((place for place in needed if place not in tensors), None)
        if missing is not None:
            waiting.setdefault(missing, []).append(call)
            continue
        x = [tensors[place] for place in inputs]
        keywords = {key: replaced(value, _Place, tensors.__getitem__) for key, value in keywords.items()}
        if found[name].inputs_apart:
            outputs = found[name](*x, **keywords)
        else:
            outputs = found[name](x if len(x) > 1 or found[name].takes_list else x[0], **keywords)
        for i, output in enumerate(nest.flat(outputs)):
            tensors[name, number, i] = output
            ready += waiting.pop((name, number, i), [])
    if waiting:
        raise ValueError(f"Layers are called on tensors that nothing makes. Received: {list(waiting)!r:.200}")


def _existing(tensors, place):
    if place not in tensors:
        raise ValueError(f"An input or output of the model does not exist. Received: {list(place)}")
    return tensors[place]


class _Place(tuple):
    """A tensor among the keywords of a call."""


def _call_from_config(node, layer, masks):
    """(the tensors of a call, its keywords: those that the layer knows, each tensor a _Place).

    masks: the operations on masks, of which nothing is read here. Keras 3 writes False as `training` of its own accord
    where that is the default of the layer's `call`, so there it says nothing; 0 is a False that the call was told.
    """
    if isinstance(node, dict):  # Keras 3
        inputs, arguments = _places(node.get("args")), node.get("kwargs")
    else:
        inputs = _places(node)
        last = node[0] if node and isinstance(node[0], list) else node
        arguments = last[3] if len(last) > 3 else None
    arguments = arguments if isinstance(arguments, dict) else {}
    if layer.call is None:
        known = {*layer.call_keywords, "training", "mask"}
        arguments = {key: value for key, value in arguments.items() if key in known}
    keywords = {key: _keyword(value) for key, value in arguments.items() if value is not None}
    if isinstance(node, dict) and keywords.get("training") is False and not _asks_for_training(layer):
        del keywords["training"]
    if type(keywords.get("training")) is int:
        keywords["training"] = bool(keywords["training"])
    if any(name in masks for name, *_ in _places_in(keywords.get("mask"))):
        del keywords["mask"]
    return inputs, keywords


def _asks_for_training(layer):
    """Whether Keras 3 writes `training` of a call only if the call was told it."""
    return layer.is_model or isinstance(layer, BatchNormalization)


def _keyword(value):
    """What a keyword holds: a plain value, a tensor, or a list of such."""
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], str)):
        return _Place(_places(value)[0])
    return [_keyword(item) for item in value] if isinstance(value, list) else value


def _places_in(value):
    """The tensors in a keyword's value."""
    found = []
    replaced(value, _Place, found.append)
    return found


def _places(value):
    """The tensors in lists and dictionaries, each [layer, call, output, ...] or as Keras 3 describes it, as tuples."""
    if isinstance(value, dict):
        value = value["config"]["keras_history"] if "class_name" in value else list(value.values())
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"Expected a list of tensors. Received: {value!r:.200}")
    if value and isinstance(value[0], str):
        if [type(item) for item in value[:3]] != [str, int, int]:
            raise ValueError(f"A tensor must be [layer, call, output]. Received: {value!r:.200}")
        return [tuple(value[:3])]
    return [place for item in value for place in _places(item)]
