"""The optimizer's state in HDF5: its iterations, and what it keeps for each weight.

Keras 2 before TensorFlow 2.11: "Adam/iter:0", "Adam/dense/kernel/m:0", and since then "iteration:0",
"Adam/m/dense/kernel:0". Keras 3: "adam/iteration", "adam/learning_rate", "adam/dense_kernel_momentum". The first is
what all of them load, and is written. In .weights.h5 Keras 3 has numbers for names; tf_keras has them too, but only
for the iteration and the slots.
"""

import re

from fastkeras.saving import hdf5
from fastkeras.saving.by_class import find
from fastkeras.saving.by_layer import distinct, read_arrays, write_arrays
from fastkeras.utils.messages import warn

# Before TensorFlow 2.11, of RMSprop, Adamax and Adadelta:
_OLDEST_SLOT_NAMES = {
    "velocity": "rms",
    "average_gradient": "mg",
    "norm": "v",
    "accumulated_grad": "accum_grad",
    "accumulated_delta_var": "accum_var",
}


def write_optimizer(group, optimizer):
    """Writes iterations and slots into an empty h5py group, one kind after another (but of Ftrl): Keras 2 goes by their
    order."""
    prefix, slots = type(optimizer).__name__, optimizer.slots
    if prefix != "Ftrl":
        kinds = [slot.name for slot in slots]
        slots = sorted(slots, key=lambda slot: kinds.index(slot.name))
    names = [f"{prefix}/{slot.variable.path}/{optimizer.legacy_slot_name(slot.name)}:0" for slot in slots]
    _, iteration = optimizer.variables[0]
    write_arrays(group, distinct([f"{prefix}/iter:0", *names]), [iteration, *(slot.value for slot in slots)])


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
    slots = {slot.name for slot in optimizer.slots}
    known = {}  # {name in a file: slot}; of two alike the slot's own name counts
    for name_of in (_OLDEST_SLOT_NAMES.get, optimizer.legacy_slot_name, str):
        known |= {name_of(slot): slot for slot in slots}
    *_, last = parts = name.removesuffix(":0").split("/")
    if iteration == "iteration:0":
        return known.get(parts[1]) if len(parts) > 1 else None
    if name.endswith(":0"):
        return known.get(last, known.get(re.sub(r"_\d+$", "", last)))  # the latter where `distinct` gave a number
    return next((slot for slot in sorted(slots, key=len, reverse=True) if last.endswith(f"_{slot}")), None)


def read_numbered_optimizer(file, optimizer):
    """As `read_optimizer`, from a file in the layout of Keras 3. None if there is no state in it."""
    group = find(file.root, "optimizer/vars")
    if group is None:
        return None
    arrays = [group.array(str(i)) for i in range(len(list(group)))]
    own, begin = [array for _, array in optimizer.variables], 1 + _has_learning_rate(optimizer)
    if not optimizer.slots and [a.shape for a in arrays[1:]] == [v.value.shape for v in optimizer._variables]:
        arrays = arrays[:1]  # tf_keras's SGD keeps momenta, all zero, without a momentum too
    if len(arrays) == 1 + len(optimizer.slots):  # of tf_keras
        arrays = arrays[:1] + own[1:begin] + arrays[1:] + own[begin + len(optimizer.slots) :]
    return _state(optimizer, arrays, file)


def _state(optimizer, arrays, file):
    """The arrays, some of which may still have to be read, if they fit the optimizer."""
    if [a.shape for a in arrays] == [a.shape for _, a in optimizer.variables] and arrays[0].dtype.kind in "iu":
        return [a.read() if isinstance(a, hdf5.Array) else a for a in arrays]
    message = f"'{file.path}' holds no state that fits {type(optimizer).__name__}, which begins afresh."
    warn(message)
    return None
