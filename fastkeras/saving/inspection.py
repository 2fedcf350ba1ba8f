"""What a file of weights or of a model holds, as text: nothing in it is made, and nothing is run.

A file may be looked at whatever it names: its configuration is read as plain values, of its arrays only the headers.
"""

import json
import math
import os

from fastkeras.layers import config as layers_config
from fastkeras.saving import by_class, by_layer, hdf5, keras_file, npz
from fastkeras.saving.config import parse
from fastkeras.utils import atomic

_WIDTH = 30  # of the first column, at least
_RUN = {
    "Lambda": "holds Python code",
    "__lambda__": "holds Python code",
    "TFSMLayer": "names a folder with TensorFlow code",
}


def describe(filepath):
    """The lines that tell what a file holds: its format, what wrote it, layers with shapes and numbers of parameters,
    optimizer and arguments of compile, and what Keras would run or fetch if it loaded it.

    filepath: *.keras, *.h5, *.hdf5, *.weights.h5, *.npz or *.json. Raises OSError, or ValueError if it is none of these
    or damaged.
    """
    path = atomic.user_path(filepath)
    try:
        lines = _lines(path)
    except RecursionError:
        raise ValueError(f"'{path}' is damaged: it holds itself, or more in one another than any model") from None
    return [f"file        {path}, {os.path.getsize(path):,} bytes", *lines]


def _lines(path):
    ending = path.lower().rpartition(".")[2]
    if ending == "keras":
        lines = _keras(path)
    elif ending in ("h5", "hdf5"):
        with hdf5.File(path) as file:
            lines = _h5(file)
    elif ending == "npz":
        arrays = {name: [array.shape] for name, array in npz.read(path).items()}
        lines = ["format      weights by name (.npz)", "", *_table("weight", arrays)]
    elif ending == "json":
        with open(path, encoding="utf-8") as file:
            config = parse(file.read(), f"The model in '{path}'")
        lines = ["format      an architecture, without weights (.json)", *_written_by(config.get("keras_version"))]
        lines += [*_model(config, {}), *_unsafe(config)]
    else:
        raise ValueError(f"A file to look at must end in .keras, .h5, .hdf5, .npz or .json. Received: '{path}'")
    return lines


# --- formats ---------------------------------------------------------------------------------------------------------


def _keras(path):
    members, metadata = keras_file.contents(path)
    with keras_file.opened(path) as (config, file):
        versions = [metadata.get(name) for name in ("keras_version", "fastkeras_version")]
        lines = ["format      a whole model, of Keras 3 (.keras)", *_written_by(*versions)]
        lines += _model(config, _shapes_by_place(file, config))
        lines += _training(config.get("compile_config"), by_class.find(file.root, "optimizer/vars"))
    odd = [name for name in members if name.startswith("/") or ".." in name.split("/")]
    return lines + _unsafe(config, [f"member '{name}' lies outside the archive" for name in odd])


def _h5(file):
    root = file.root
    group = root.group("model_weights") if "model_weights" in root else root
    config = root.attribute("model_config")
    version = group.attribute("keras_version") or root.attribute("keras_version")
    if config is None and not by_layer.has_names(group, "layer_names"):
        arrays = {name: [array.shape] for name, array in by_class.arrays(root)}
        lines = ["format      weights by class, of Keras 3 (.weights.h5)", "", *_table("weight", arrays)]
        return lines + _state(by_class.find(root, "optimizer/vars"))
    stored = {name: [array.shape for array in arrays] for name, arrays in by_layer.stored_layers(group).layers}
    if config is None:
        lines = ["format      weights by layer, of Keras 1 or 2 (.h5)", *_written_by(version)]
        return [*lines, "", *_table("layer", stored)]
    config = parse(config, f"The model in '{file.path}'")
    training = root.attribute("training_config")
    training = None if training is None else parse(training, f"The training in '{file.path}'")
    lines = [
        "format      a whole model, of Keras 1, 2 or 3 (.h5)",
        *_written_by(version, root.attribute("fastkeras_version")),
    ]
    lines += _model(config, stored)
    state = root.group("optimizer_weights") if "optimizer_weights" in root else None
    return lines + _training(training, state) + _unsafe(config)


def _shapes_by_place(file, config):
    """{layer's name: shapes of its weights}: Keras 3 keeps them under the layer's class, numbered."""
    shapes, top = {}, by_class.find(file.root, "layers")
    entries = [entry for entry in _entries(config) if top is not None]
    for entry, place in zip(
        entries, by_class.distinct_places(str(entry.get("class_name")) for entry in entries), strict=True
    ):
        if place in top:
            shapes[_name(entry)] = [array.shape for _, array in by_class.arrays(top.group(place))]
    return shapes


# --- parts -----------------------------------------------------------------------------------------------------------


def _written_by(keras, fastkeras=None):
    versions = {"fastkeras": fastkeras, "Keras": None if fastkeras else keras}
    told = [f"{name} {version}" for name, version in versions.items() if isinstance(version, str)]
    return [f"written by  {told[0] if told else 'what does not say so, as Keras 1 did not'}"]


def _entries(config):
    """The layers that the configuration of a model lists; of Keras 1 it may be the list itself."""
    inner = config.get("config")
    found = inner if isinstance(inner, list) else inner.get("layers") if isinstance(inner, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _name(entry):
    inner = entry.get("config")
    return str(entry.get("name") or (inner.get("name") if isinstance(inner, dict) else None) or "?")


def _model(config, shapes):
    entries = _entries(config)
    lines = [f"model       {config.get('class_name')} '{_name(config)}', {len(entries)} layers", ""]
    rows = {f"{_name(entry)} ({entry.get('class_name')})": shapes.get(_name(entry), []) for entry in entries}
    return lines + _table("layer", rows, counted=bool(shapes))


def _table(what, rows, counted=True):
    """A line for each name with the number of its parameters and its shapes, and their sum."""
    width = max([_WIDTH, *(len(name) + 2 for name in rows)])
    lines, total = [f"{what:{width}}parameters  shapes" if counted else what], 0
    for name, shapes in rows.items():
        count = sum(math.prod(shape) for shape in shapes)
        text = f"{count:>10,}  {' '.join(map(str, shapes))}" if counted else ""
        lines.append(f"{name:{width}}{text}".rstrip())
        total += count
    return [*lines, f"{'in all':{width}}{total:>10,}"] if counted else lines


def _training(training, state):
    if not isinstance(training, dict):
        return ["", "training    not compiled"]
    optimizer = training.get("optimizer_config", training.get("optimizer"))
    inner = optimizer.get("config") if isinstance(optimizer, dict) else None
    name = optimizer.get("class_name") if isinstance(optimizer, dict) else optimizer
    rate = inner.get("learning_rate", inner.get("lr")) if isinstance(inner, dict) else None
    lines = ["", f"optimizer   {name}, learning rate {_short(rate)}"]
    for key in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        if training.get(key):
            lines.append(f"{key} ".ljust(12) + _short(training[key]))
    return lines + _state(state)


def _state(group):
    count = 0 if group is None else len(by_class.arrays(group))
    return [f"state       {count} arrays of the optimizer" if count else "state       none of the optimizer"]


def _short(value):
    """A configuration on a line: objects by their class or name."""
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        return str(inner.get("name") or value["class_name"]) if isinstance(inner, dict) else str(inner)
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return f"{value if isinstance(value, (str, float, int)) else json.dumps(value)}"


# --- what to beware of -----------------------------------------------------------------------------------------------


def _unsafe(config, found=()):
    found = [*found, *dict.fromkeys(_dangers(config))]
    return ["", *(f"unsafe      {danger}; fastkeras runs nothing from files" for danger in found)] if found else []


def _dangers(value):
    """What, in a configuration, Keras would run or import if it were told to trust the file."""
    if isinstance(value, list):
        for item in value:
            yield from _dangers(item)
    if not isinstance(value, dict):
        return
    name, module = value.get("class_name"), value.get("module")
    if name in _RUN:
        yield f"{name} '{_name(value)}' {_RUN[name]}"
    elif isinstance(module, str) and module.split(".")[0] not in ("keras", "tf_keras", "tensorflow", "builtins", ""):
        yield f"{name} '{_name(value)}' is to be imported from '{module}'"
    elif isinstance(name, str) and "inbound_nodes" in value and not layers_config.is_known(name):
        yield f"{name} '{_name(value)}' is no class of Keras's: it needs custom_objects"
    for item in value.values():
        yield from _dangers(item)
