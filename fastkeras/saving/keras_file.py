"""Keras 3's own files, "model.keras": a zip archive of

metadata.json      the version that wrote it
config.json        the architecture, as `to_json` writes it, and under "compile_config" the arguments of compile
assets/            the vocabularies of layers that read texts, which config.json need not hold: it says nothing of the
                   layers that are attributes of the user's own classes
model.weights.h5   the weights by class (saving/by_class.py), and the optimizer's state
"""

import io
import json
import zipfile
import zlib
from contextlib import contextmanager

from fastkeras.saving import by_class, hdf5, optimizer_state
from fastkeras.saving.config import architecture, in_our_names, parse
from fastkeras.saving.memory import file_in_memory
from fastkeras.saving.training_config import compile_to_keras_3
from fastkeras.utils import atomic
from fastkeras.version import __version__

KERAS_VERSION = "3.0.0"  # the first that reads this
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_ASSETS, _VOCABULARY = "assets/", "/vocabulary.txt"
_MAX_TEXT = 1 << 26  # bytes of a configuration; real ones stay far below


def write(path, model, include_optimizer):
    """Writes a model to a .keras file, whole or not at all."""
    config = architecture(model, keras_3=True)
    trained = model.compiled if include_optimizer else None
    if trained:
        config["compile_config"] = compile_to_keras_3(trained)
    with file_in_memory() as (file, content):
        by_class.write_places(file, model)
        if trained:
            optimizer_state.write_numbered_optimizer(file, trained.optimizer_of(model))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr(_METADATA, json.dumps({"keras_version": KERAS_VERSION, "fastkeras_version": __version__}))
        members.writestr(_CONFIG, json.dumps(config))
        members.writestr(_WEIGHTS, content.getbuffer())
        _write_vocabularies(members, model)
    atomic.write(path, archive.getbuffer())


@contextmanager
def opened(path):
    """(configuration, open hdf5.File with the weights) of a .keras file.

    Raises OSError if it cannot be read, and ValueError if it is damaged or is none.
    """
    with _archive(path) as members:
        config = parse(_member(members, _CONFIG, path, _MAX_TEXT), f"The model in '{path}'")
        config = in_our_names(config, _metadata(members, path).get("keras_version", "3"))
        stored = _member(members, _WEIGHTS, path, members.start_dir)
    with hdf5.File(path, io.BytesIO(stored)) as file:
        yield config, file


def _write_vocabularies(members, model):
    for place, layer, _ in by_class.places(model):
        if hasattr(layer, "load_vocabulary") and layer.get_vocabulary(include_special_tokens=False):
            for inner in layer.file_places:
                name = _ASSETS + by_class.joined(place, inner) + _VOCABULARY
                members.writestr(name, "\n".join(map(str, layer.get_vocabulary())))


def vocabularies(path):
    """{place: lines} of the vocabularies that Keras keeps beside the configuration, assets/<place>/vocabulary.txt."""
    with _archive(path) as members:
        names = [name for name in members.namelist() if name.startswith(_ASSETS) and name.endswith(_VOCABULARY)]
        texts = [_member(members, name, path, _MAX_TEXT).decode() for name in names]
    return {name[len(_ASSETS) : -len(_VOCABULARY)]: text.split("\n") for name, text in zip(names, texts, strict=True)}


def contents(path):
    """(the names of a .keras file's members, its metadata: a dictionary, empty if there is none)."""
    with _archive(path) as members:
        return members.namelist(), _metadata(members, path)


def _metadata(members, path):
    text = _member(members, _METADATA, path, _MAX_TEXT) if _METADATA in members.namelist() else b"{}"
    return parse(text, f"The metadata of '{path}'")


@contextmanager
def _archive(path):
    try:
        with zipfile.ZipFile(path) as members:
            yield members
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is damaged, or is no .keras file: {error}") from None


def _member(members, name, path, limit):
    """The bytes of a member, which must be no more than `limit`: a member may claim any size, and unpack to it."""
    if name not in members.namelist():
        raise ValueError(f"'{path}' is no .keras file: it has no '{name}'. Received: {members.namelist()!r:.200}")
    with members.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"'{path}': '{name}' is larger than it may be, {limit} bytes, which Keras never packs it to.")
    return content
