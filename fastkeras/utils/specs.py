"""What is known of tensors before they are there: TensorSpec, alone or in tuples and dicts."""

from dataclasses import dataclass

import numpy as np


class TensorSpec:
    """What is known of a tensor that is not there yet.

    shape: a tuple with None for extents that vary, or None where not even their number is known. dtype: numpy's, or
    "string".
    """

    def __init__(self, shape=None, dtype=np.float32, name=None):
        self.shape = None if shape is None else tuple(shape)
        self.dtype = dtype if dtype == "string" else np.dtype(dtype)
        self.name = name

    def __eq__(self, other):
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self):
        return hash((self.shape, self.dtype))

    def __repr__(self):
        shape = "<unknown>" if self.shape is None else self.shape
        return f"TensorSpec(shape={shape}, dtype=tf.{self.dtype}, name={self.name!r})"


@dataclass(frozen=True)
class DatasetSpec:
    """Of an element that is a dataset itself: what its elements are. Its shape is that of one dataset."""

    element_spec: object
    shape: tuple = ()


NUMBER = TensorSpec((), np.int64)  # of an item's number


def each(function, structure, *others):
    """function(leaf) for each leaf of tuples and dicts, and with it those at the same place in others of their
    structure; a list is a leaf, an array."""
    if isinstance(structure, tuple):
        return tuple(each(function, *parts) for parts in zip(structure, *others, strict=True))
    if isinstance(structure, dict):
        return {key: each(function, part, *(other[key] for other in others)) for key, part in structure.items()}
    return function(structure, *others)


def part_of(structure, key):
    """The part of a structure like the elements', or a value that holds for all parts."""
    return structure[key] if isinstance(structure, (tuple, dict)) else structure


def of_types(types, shapes):
    """The specs of a structure of types and one of shapes, which may be None."""
    if isinstance(types, (tuple, dict)):
        parts = {k: of_types(types[k], None if shapes is None else shapes[k]) for k in _keys(types)}
        return parts if isinstance(types, dict) else tuple(parts.values())
    return TensorSpec(shapes, types)


def padded(specs, shapes):
    """The specs of what is filled up to a structure of shapes, or in their absence to the largest extents."""
    if isinstance(specs, (tuple, dict)):
        parts = {k: padded(specs[k], part_of(shapes, k)) for k in _keys(specs)}
        return parts if isinstance(specs, dict) else tuple(parts.values())
    shape = specs.shape if shapes is None else [None if n == -1 else n for n in shapes]
    return TensorSpec(shape, specs.dtype)


def _keys(structure):
    return structure if isinstance(structure, dict) else range(len(structure))


def with_rows(spec, rows):
    """Of a batch of so many rows."""
    return TensorSpec(None if spec.shape is None else (rows, *spec.shape), spec.dtype)


def without_rows(spec):
    """Of one row."""
    return TensorSpec(None if spec.shape is None else spec.shape[1:], spec.dtype)


def common(one, other):
    """The spec that holds for both."""
    if one == other:
        return one
    if None in (one.shape, other.shape) or len(one.shape) != len(other.shape):
        return TensorSpec(None, one.dtype)
    shape = [n if n == m else None for n, m in zip(one.shape, other.shape, strict=True)]
    return TensorSpec(shape, one.dtype)
