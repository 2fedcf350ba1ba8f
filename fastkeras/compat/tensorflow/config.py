"""tf.config: one CPU, no GPU; results do not depend on the number of threads."""

from types import SimpleNamespace
from typing import NamedTuple

__all__ = [
    "experimental",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "optimizer",
    "run_functions_eagerly",
    "set_soft_device_placement",
    "set_visible_devices",
    "threading",
]


class PhysicalDevice(NamedTuple):
    """What list_physical_devices lists."""

    name: str
    device_type: str


def list_physical_devices(device_type=None):
    """The CPU, unless another kind is asked for."""
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


list_logical_devices = get_visible_devices = list_physical_devices


def _nothing(*args, **kwargs):
    """There is nothing to set: see the module."""


def _set_threads(num_threads):
    from fastkeras.config import set_num_threads

    if num_threads:  # 0 leaves it to the library
        set_num_threads(num_threads)


def _get_threads():
    from fastkeras.config import get_num_threads

    return get_num_threads()


run_functions_eagerly = set_visible_devices = set_soft_device_placement = _nothing
optimizer = SimpleNamespace(set_jit=_nothing, set_experimental_options=_nothing)
threading = SimpleNamespace(
    get_inter_op_parallelism_threads=_get_threads,
    get_intra_op_parallelism_threads=_get_threads,
    set_inter_op_parallelism_threads=_nothing,  # operations run one after another
    set_intra_op_parallelism_threads=_set_threads,
)
experimental = SimpleNamespace(
    enable_op_determinism=_nothing,  # it is so always
    list_physical_devices=list_physical_devices,
    list_logical_devices=list_physical_devices,
    set_memory_growth=_nothing,
    set_visible_devices=_nothing,
)
