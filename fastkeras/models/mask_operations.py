"""The operations that make masks in a graph of Keras 3: they count when its layers are put in order, and are no layers.

Keras 3 works out the mask of a symbolic tensor by operations of its own, and a layer whose `call` takes `mask` depends
on them where it is called on one tensor without keywords. Keras 2 (tf_keras) has none of them.
"""

import functools
import itertools

from fastkeras.layers.activation import Softmax
from fastkeras.layers.attention import AdditiveAttention, Attention
from fastkeras.layers.core import Embedding, Masking
from fastkeras.layers.merging import Concatenate, Dot, Merge
from fastkeras.layers.normalization import BatchNormalization
from fastkeras.layers.pooling import GlobalAveragePooling1D
from fastkeras.layers.stepwise import Stepwise
from fastkeras.layers.wrappers import Bidirectional, TimeDistributed

_TAKES_MASK = (Stepwise, Bidirectional, TimeDistributed, BatchNormalization, GlobalAveragePooling1D, Softmax)


def with_mask_operations(steps, count, told):
    """The steps (layer, slots it reads, slots it writes) of a graph of `count` slots, and between them those of the
    masks: (None, slots, [a new slot]). told: {number of a step: the slots, or None, of the masks its call gave}."""
    slots = itertools.count(count)
    masks, found = {}, []

    def operation(*reads):
        found.append((None, reads, [next(slots)]))
        return found[-1][2][0]

    for number, (layer, reads, writes) in enumerate(steps):
        given = told.get(number) or [masks.get(slot) for slot in reads]
        takes = len(reads) == 1 and given[0] is not None and (isinstance(layer, _TAKES_MASK) or layer.is_model)
        found.append((layer, reads + given if takes else reads, writes))
        masks[writes[0]] = _mask(layer, reads[: len(given)], given, operation)
    return found


def _mask(layer, reads, given, operation):
    """The slot of the mask of a layer's first output, or None. given: those of what it reads."""
    if isinstance(layer, Masking):  # any(x != mask_value)
        return operation(operation(*reads))
    if isinstance(layer, Embedding):  # x != 0
        return operation(*reads) if layer.mask_zero else None
    if not layer.supports_masking or isinstance(layer, Dot) or all(mask is None for mask in given):
        return None
    if isinstance(layer, Concatenate):  # any(concatenate(expand_dims(mask) | zeros_like(x), ones_like(x) without mask))
        parts = [
            operation(x) if mask is None else operation(operation(mask), operation(x))
            for x, mask in zip(reads, given, strict=True)
        ]
        return operation(operation(*parts))
    if isinstance(layer, Merge):  # mask | mask | ...
        return None if None in given else functools.reduce(operation, given)
    if isinstance(layer, (Attention, AdditiveAttention)):  # convert_to_tensor(mask)
        return None if given[0] is None else operation(given[0])
    if isinstance(layer, (Stepwise, Bidirectional)) and not layer.return_sequences:
        return None
    return given[0]
