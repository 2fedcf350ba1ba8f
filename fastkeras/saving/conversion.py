"""From one kind of file into another."""

import warnings

from fastkeras.saving import by_class, by_layer, hdf5, npz
from fastkeras.saving.config import to_json
from fastkeras.saving.model_file import load_model, save_model
from fastkeras.saving.weights import save_weights
from fastkeras.utils import atomic


def convert(source, target, overwrite=False):
    """Writes what the file `source` holds to the file `target`; the names' endings say what they are.

        a model, .keras .h5 .hdf5      a model, .keras .h5 .hdf5; its weights, .weights.h5 .npz; its layers, .json
        weights, .weights.h5 .h5       .npz

    A model keeps its weights, how it was compiled and the optimizer's state. What needs code that is not in fastkeras
    cannot be converted. overwrite: False raises a FileExistsError if `target` exists. Raises a ValueError that says
    what is missing if the one cannot become the other.
    """
    source, target = atomic.user_path(source), atomic.user_path(target)
    if not atomic.may_write(target, overwrite):
        return
    ending = target.lower()
    if not _is_model(source):
        if not ending.endswith(".npz"):
            raise ValueError(
                f"'{source}' holds weights alone, which can become .npz; another layout needs the model: make it, "
                f"model.load_weights, model.save_weights. Received: '{target}'"
            )
        npz.write(target, _weights(source))
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not say how the model was compiled")
        model = load_model(source)
    if ending.endswith(".json"):
        atomic.write(target, to_json(model).encode())
    elif ending.endswith((".weights.h5", ".npz")):
        save_weights(model, target)
    else:
        save_model(model, target)


def _is_model(path):
    ending = path.lower()
    if ending.endswith(".keras"):
        return True
    if not ending.endswith((".h5", ".hdf5")):
        raise ValueError(f"What is to be converted must be .keras, .h5 or .hdf5. Received: '{path}'")
    with hdf5.File(path) as file:
        return file.root.attribute("model_config") is not None


def _weights(path):
    """[(name, array)] of a file of weights: those of Keras 1 and 2 by name, those of Keras 3 by place."""
    with hdf5.File(path) as file:
        if not by_layer.has_names(file.root, "layer_names"):
            found = by_class.arrays(file.root)
        else:
            groups = [file.root.group(name) for name in by_layer.read_names(file.root, "layer_names")]
            found = [
                (name.removesuffix(":0"), array) for group in groups for name, array in by_layer.read_arrays(group)
            ]
        return [(name, array.read()) for name, array in found]
