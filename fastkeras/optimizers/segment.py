"""Segment: variables that lie side by side in memory, so that one kernel call updates them all."""

from typing import NamedTuple

import numpy as np

from fastkeras.core.run import empty


class Slot(NamedTuple):
    """An array that an optimizer keeps for a variable: its name in Keras 3, the variable, and the live array."""

    name: str
    variable: object
    value: np.ndarray


class Segment:
    """A run of variables, seen as flat arrays.

    value, grad: all their values and gradients, float32 (n), views of the variables' own. slots: {name: array that
    the optimizer keeps, float32 (n)}, which begins as the number slot_starts[name]. offsets: where each variable
    begins, and n at the end, int64. decay: the weight decay that applies to all of them.
    """

    def __init__(self, variables, decay, slot_starts):
        self.variables = variables
        self.decay = decay
        self.offsets = np.cumsum([0, *(v.value.size for v in variables)], dtype=np.int64)
        self.value = _joined([v.value for v in variables])
        self.grad = _joined([v.grad for v in variables])
        self.slots = {name: empty(self.value.size) for name in slot_starts}
        for name, array in self.slots.items():
            array.fill(slot_starts[name])

    def slot_views(self):
        """{(slot name, id of the variable): its part of the slot, in the variable's shape}"""
        return {
            (name, id(variable)): array[begin:end].reshape(variable.value.shape)
            for name, array in self.slots.items()
            for variable, begin, end in zip(self.variables, self.offsets[:-1], self.offsets[1:], strict=True)
        }


def runs(variables, key):
    """The variables in the order of memory, cut where one does not begin where the last one ends, or key changes.

    Values and gradients must both follow: that is so for all of a model's variables once they are packed.
    """
    found = []
    for variable in sorted(variables, key=lambda v: _address(v.value)):
        last = found[-1][-1] if found else None
        if (
            last is not None
            and _follows(variable.value, last.value)
            and _follows(variable.grad, last.grad)
            and key(variable) == key(last)
        ):
            found[-1].append(variable)
        else:
            found.append([variable])
    return found


def _address(array):
    return array.__array_interface__["data"][0]


def _follows(array, last):
    """Whether `array` begins where `last` ends, in one block of memory."""
    return array.base is not None and array.base is last.base and _address(array) == _address(last) + last.nbytes


def _joined(arrays):
    """One flat view of contiguous float32 arrays that follow each other in memory."""
    first = arrays[0]
    if len(arrays) == 1:
        return first.reshape(-1)
    block = first.base.reshape(-1).view(np.uint8)
    begin = _address(first) - _address(block)
    return block[begin : begin + sum(array.nbytes for array in arrays)].view(np.float32)
