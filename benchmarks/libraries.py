"""The libraries that are compared: what each imports, and how each is told the number of threads.

Every peer may also be confined to as many processors as there are threads (see peer.py), which is how Keras on JAX
learns the number: XLA starts a thread for every processor that it may use.
"""

import importlib
import platform
from dataclasses import dataclass
from types import ModuleType

CPU_ONLY = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
# With these set, OpenBLAS would not choose the kernels and blocks that suit the machine.
REMOVED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Kind:
    """title: its column in a table. modules: imported in this order; workloads use the last. variables: environment."""

    title: str
    modules: tuple
    variables: dict


OPENMP = {"OMP_NUM_THREADS": "{threads}"}
TENSORFLOW = {
    "TF_NUM_INTRAOP_THREADS": "{threads}",
    "TF_NUM_INTEROP_THREADS": "{threads}",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

LIBRARIES = {
    "fastkeras": Kind("fastkeras", ("fastkeras",), OPENMP),
    "tf": Kind("TF + Keras 3", ("tensorflow", "keras"), TENSORFLOW | {"KERAS_BACKEND": "tensorflow"}),
    "tf_keras": Kind("tf_keras", ("tensorflow", "tf_keras"), TENSORFLOW),
    "jax": Kind("Keras on JAX", ("jax", "keras"), {"KERAS_BACKEND": "jax"}),
    "torch": Kind("PyTorch", ("torch",), OPENMP),
    "numpy": Kind("numpy", ("numpy",), {"OPENBLAS_NUM_THREADS": "{threads}"}),
}
TRAINERS = ("fastkeras", "tf", "tf_keras", "jax", "torch")


def environment(name, threads, inherited):
    """The environment of a peer's process: the inherited one, with the peer's threads and no tuning of OpenBLAS."""
    kept = {key: value for key, value in inherited.items() if key not in REMOVED}
    own = {key: value.format(threads=threads) for key, value in LIBRARIES[name].variables.items()}
    return kept | CPU_ONLY | own


@dataclass(frozen=True)
class Library:
    """A library that has been imported. module: the last of its kind's modules."""

    name: str
    threads: int
    module: ModuleType
    versions: dict


def load(name, threads):
    """Imports the library; a ModuleNotFoundError if this Python does not have it."""
    modules = [importlib.import_module(module) for module in LIBRARIES[name].modules]
    versions = {module.__name__: module.__version__ for module in modules}
    versions["python"] = platform.python_version()
    if name == "fastkeras":
        versions["instruction set"] = modules[0].config.instruction_set()
    if name == "numpy":
        blas = modules[0].__config__.show(mode="dicts")["Build Dependencies"]["blas"]
        versions[blas["name"]] = blas["version"]
    return Library(name, threads, modules[-1], versions)
