"""save_weights, load_weights and export: the weights of a model alone, in the layouts that there are.

*.weights.h5        Keras 3's (by_class.py), with the optimizer's state
*.h5, *.hdf5        Keras 2's (by_layer.py), which may also be a whole model
*.keras             of a whole model of Keras 3's (keras_file.py), to read from
*.npz               by name, for numpy (npz.py)
"""

from contextlib import contextmanager

from fastkeras.saving import by_class, by_layer, hdf5, keras_file, npz, optimizer_state
from fastkeras.saving.matching import assign, matched
from fastkeras.saving.memory import new_file
from fastkeras.utils import atomic, suggest

_ENDINGS = (".h5", ".hdf5", ".npz")


def save_weights(model, filepath, overwrite=True, save_format=None):
    """Writes the model's weights: to *.weights.h5 in Keras 3's layout, with the optimizer's state; to other *.h5 and
    *.hdf5 in Keras 2's; to *.npz by name. overwrite: as in save_model. save_format is accepted for Keras 2's sake;
    the name decides. A ValueError if the name has another ending, or the model has no weights yet.
    """
    path = atomic.user_path(filepath)
    ending = path.lower()
    if not ending.endswith(_ENDINGS):
        raise ValueError(
            "The name of a file with weights must end in .weights.h5 (Keras 3), .h5 or .hdf5 (Keras 2), or .npz. "
            f"Received: '{path}'"
        )
    model.require_weights()
    if model.compiled and model.graph is not None:
        model.compiled.bind(model)
    if not atomic.may_write(path, overwrite):
        return
    if ending.endswith(".npz"):
        npz.write(path, [(variable.path, variable.value) for variable in model.variables])
        return
    with new_file(path) as file:
        if not ending.endswith(".weights.h5"):
            by_layer.write_layers(file, model)
            return
        by_class.write_places(file, model)
        if model.compiled:
            optimizer_state.write_numbered_optimizer(file, model.compiled.optimizer_of(model))


def export(model, filepath, format=None, overwrite=True, **options):
    """Writes the weights to *.npz by name, for programs that compute with them themselves.

    np.load(filepath) gives them: {"dense/kernel": (D, units) float32, ...}. TensorFlow's SavedModel, ONNX and the
    other formats of Keras's export are not written, and for any other name or format there is a ValueError; to hand on
    a whole model, save it as .keras or .h5. options: those of Keras's export, accepted.
    """
    path = atomic.user_path(filepath)
    if format not in (None, "npz") or not path.lower().endswith(".npz"):
        raise ValueError(
            "export writes the weights to a file *.npz; a SavedModel, or another format, is not written. "
            f"Received: filepath='{path}', format={format!r}"
        )
    save_weights(model, path, overwrite)


def load_weights(model, filepath, skip_mismatch=False, by_name=False):
    """Sets the model's weights from a file of fastkeras, Keras 1, 2 or 3: of weights (.weights.h5, .h5, .hdf5, .npz) or
    of a whole model (.h5, .hdf5, .keras).

    Layers are matched by their order (Keras 1 and 2), or by their class and order (Keras 3); the arrays of .npz in
    their order. by_name: by the names of layers (in .npz, of weights) instead, leaving alone those that the file does
    not name; not for Keras 3's layout. skip_mismatch: a layer whose weights have other shapes than those in the file
    keeps its own, with a warning, instead of a ValueError. If there is an error, nothing is changed.
    """
    path = atomic.user_path(filepath)
    model.require_weights()
    suggest.require_file(path)
    if model.compiled and model.graph is not None:
        model.compiled.bind(model)
    if path.lower().endswith(".npz"):
        assign(_match_named(npz.read(path), model, path, skip_mismatch, by_name))
        return
    with _opened(path) as file:
        group = file.root.group("model_weights") if "model_weights" in file.root else file.root
        if by_layer.has_names(group, "layer_names"):
            match = by_layer.match_layers_by_name if by_name else by_layer.match_layers
            assign(match(by_layer.stored_layers(group), model, skip_mismatch))
            return
        if by_name:
            raise ValueError(
                f"'{path}' keeps weights by class, as Keras 3 does: by_name=True cannot find layers in it."
            )
        if not any("vars" in place.split("/") for place, _ in by_class.arrays(file.root)):
            raise ValueError(f"'{path}' holds no weights of a Keras model.")
        pairs = by_class.match_places(file, model, skip_mismatch)
        optimizer = model.compiled.optimizer_of(model) if model.compiled else None
        state = optimizer_state.read_numbered_optimizer(file, optimizer) if optimizer else None
        assign(pairs)
        if state is not None:
            optimizer.set_state(state)


@contextmanager
def _opened(path):
    """The hdf5.File with the weights, by itself or inside a .keras file."""
    if path.lower().endswith(".keras"):
        with keras_file.opened(path) as (_, file):
            yield file
    else:
        with hdf5.File(path) as file:
            yield file


def _match_named(stored, model, path, skip_mismatch, by_name):
    """[(variable, array)]: the arrays of an .npz file, and where they go."""
    pairs = []
    layers = [layer for layer in model.layers if layer.variables]
    if by_name:
        for layer in layers:
            variables = [v for v in layer.variables if v.path in stored]
            pairs += matched(layer, variables, [stored[v.path] for v in variables], path, skip_mismatch)
        return pairs
    arrays, count = list(stored.values()), len(model.variables)
    if len(arrays) != count:
        raise ValueError(f"Model '{model.name}' has {count} weights, but '{path}' has {len(arrays)}: {list(stored)}")
    for layer in layers:
        own, arrays = arrays[: len(layer.variables)], arrays[len(layer.variables) :]
        pairs += matched(layer, layer.variables, own, path, skip_mismatch)
    return pairs
