"""tf.data.Dataset for data in memory or from Python: what can be iterated again and again, and what fit takes.

An element is a tensor, or a tuple or dict of elements. Everything happens in Python when the dataset is iterated, in
one thread; prefetch, cache and the number of parallel calls change nothing. There is no reading of files, no
interleave, and no element_spec.

A dataset of the rows of arrays stays one through shuffle, repeat, take and skip: its items are the numbers of the
rows, and batch takes the rows of a batch together.
"""

import itertools
import math
import random

import numpy as np

from fastkeras.core.tensor import Tensor
from fastkeras.ops import convert_to_tensor
from fastkeras.random_state import fresh_seed

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]

AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -1, -2


class Dataset:
    """items: a function that gives an iterator of the items. length: how many there are, None if that is not known,
    math.inf if they never end. arrays: None if the items are the elements themselves; else they are the numbers of
    the rows of these arrays."""

    def __init__(self, items, length=None, arrays=None):
        self._items, self._length, self._arrays = items, length, arrays

    # --- making ------------------------------------------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors):
        """The rows of an array, or of the arrays in a tuple or dict."""
        arrays = _each(lambda x: np.asarray(_tensor(x)), tensors)
        lengths = {len(array) for array in _leaves(arrays)}
        if len(lengths) != 1:
            raise ValueError(f"tf.data.Dataset: arrays must be equally long. Received: lengths {sorted(lengths)}")
        (n,) = lengths
        return Dataset(lambda: iter(range(n)), n, arrays)

    @staticmethod
    def from_tensors(tensors):
        """One element."""
        return Dataset(lambda: iter([_each(_tensor, tensors)]), 1)

    @staticmethod
    def from_generator(generator, output_types=None, output_shapes=None, args=(), output_signature=None, name=None):
        """What generator(*args) yields, each time anew."""
        return Dataset(lambda: (_each(_tensor, element) for element in generator(*args)))

    @staticmethod
    def range(*args, **how):
        """The integers of Python's range."""
        numbers = range(*args)
        return Dataset(lambda: (_tensor(np.int64(i)) for i in numbers), len(numbers))

    @staticmethod
    def zip(*datasets):
        """Tuples of an element of each dataset, until one ends."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], (tuple, list)) else datasets
        lengths = [part._length for part in parts]
        return Dataset(lambda: zip(*parts, strict=False), None if None in lengths else min(lengths))

    # --- elements ----------------------------------------------------------------------------------------------------

    def __iter__(self):
        if self._arrays is None:
            return self._items()
        return (self._rows(i) for i in self._items())

    def _rows(self, i):
        """The element of a row, or the batch of a list of rows."""
        return _each(lambda array: _tensor(array[i]), self._arrays)

    def __len__(self):
        if self._length is None or self._length == math.inf:
            raise TypeError(f"The dataset's length is {'infinite' if self._length else 'not known'}.")
        return self._length

    def cardinality(self):
        """How many elements there are; -1 if they never end, -2 if that is not known."""
        known = {None: UNKNOWN_CARDINALITY, math.inf: INFINITE_CARDINALITY}
        return convert_to_tensor(known.get(self._length, self._length), np.int64)

    def as_numpy_iterator(self):
        """The elements as numpy arrays."""
        return (_each(np.asarray, element) for element in self)

    def get_single_element(self, name=None):
        """The only element."""
        (element,) = self
        return element

    # --- other items -------------------------------------------------------------------------------------------------

    def _with(self, items, length):
        return Dataset(items, length, self._arrays)

    def shuffle(self, buffer_size, seed=None, reshuffle_each_iteration=True, name=None):
        """Each next item is drawn from a buffer, which the one that follows them refills."""
        source = random.Random(fresh_seed() if seed is None else seed)
        start = source.getstate()

        def items():
            if not reshuffle_each_iteration:
                source.setstate(start)
            rest = self._items()
            buffer = list(itertools.islice(rest, int(buffer_size)))
            for item in rest:
                place = source.randrange(len(buffer))
                buffer[place], drawn = item, buffer[place]
                yield drawn
            source.shuffle(buffer)
            yield from buffer

        return self._with(items, self._length)

    def repeat(self, count=None, name=None):
        """All items so many times, for ever if count is None or -1."""
        if count in (None, -1):
            return self._with(lambda: itertools.chain.from_iterable(self._items() for _ in itertools.count()), math.inf)
        again = range(count)
        length = None if self._length is None else self._length * count
        return self._with(lambda: itertools.chain.from_iterable(self._items() for _ in again), length)

    def take(self, count, name=None):
        """The first items; all if count is -1."""
        if count == -1:
            return self
        length = None if self._length is None else min(self._length, int(count))
        return self._with(lambda: itertools.islice(self._items(), int(count)), length)

    def skip(self, count, name=None):
        """What comes after the first items."""
        length = None if self._length is None else max(self._length - int(count), 0)
        return self._with(lambda: itertools.islice(self._items(), int(count), None), length)

    def shard(self, num_shards, index, name=None):
        """Every num_shards-th item, from `index` on."""
        length = None if self._length in (None, math.inf) else len(range(index, self._length, num_shards))
        return self._with(lambda: itertools.islice(self._items(), index, None, num_shards), length)

    def prefetch(self, buffer_size, name=None):
        """The dataset itself: elements are made when they are wanted."""
        return self

    def cache(self, filename="", name=None):
        """The elements, made once and kept."""
        kept = []

        def items():
            if not kept:
                kept.append(list(self._items()))
            return iter(kept[0])

        return self._with(items, self._length)

    def with_options(self, options):
        """The dataset itself."""
        return self

    # --- other elements ----------------------------------------------------------------------------------------------

    def map(self, map_func, num_parallel_calls=None, deterministic=None, name=None):
        """map_func(element), or map_func(*element) if elements are tuples."""
        return Dataset(lambda: (_each(_tensor, _call(map_func, element)) for element in self), self._length)

    def filter(self, predicate, name=None):
        """The elements for which predicate(element), or predicate(*element), holds."""
        return Dataset(lambda: (element for element in self if _call(predicate, element)))

    def flat_map(self, map_func, name=None):
        """The elements of the datasets map_func(element), one dataset after the other."""
        return Dataset(lambda: itertools.chain.from_iterable(_call(map_func, element) for element in self))

    def enumerate(self, start=0, name=None):
        """Tuples of a number and an element."""
        return Dataset(lambda: ((_tensor(np.int64(i)), x) for i, x in enumerate(self, start)), self._length)

    def concatenate(self, dataset, name=None):
        """The elements of this one, then those of the other."""
        known = None not in (self._length, dataset._length)
        return Dataset(lambda: itertools.chain(self, dataset), self._length + dataset._length if known else None)

    def batch(self, batch_size, drop_remainder=False, num_parallel_calls=None, deterministic=None, name=None):
        """Arrays of batch_size elements; the last may have fewer, unless it is to be dropped."""
        size = int(batch_size)
        together = _stacked if self._arrays is None else self._rows

        def items():
            rest = self._items()
            while several := list(itertools.islice(rest, size)):
                if len(several) < size and drop_remainder:
                    return
                yield together(several)

        length = self._length
        if length not in (None, math.inf):
            length = length // size if drop_remainder else math.ceil(length / size)
        return Dataset(items, length)

    def unbatch(self, name=None):
        """The rows of the elements, one by one."""
        return Dataset(lambda: (row for element in self for row in Dataset.from_tensor_slices(element)))

    def window(self, size, shift=None, stride=1, drop_remainder=False, name=None):
        """Datasets of `size` elements, `stride` apart, the first of which are `shift` (by default size) apart."""
        shift = shift or size
        span = (size - 1) * stride + 1

        def items():
            rest, seen = iter(self), []
            while True:
                seen += itertools.islice(rest, span - len(seen))
                if not seen or (len(seen) < span and drop_remainder):
                    return
                yield _windows(seen[::stride])
                if shift > len(seen):
                    next(itertools.islice(rest, shift - len(seen) - 1, None), None)
                seen = seen[shift:]

        return Dataset(items)


def _tensor(x):
    if isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x).view(Tensor)
    return x if isinstance(x, Dataset) else convert_to_tensor(x)


def _each(function, structure):
    """function(leaf) for each leaf of tuples and dicts; a list is a leaf, an array."""
    if isinstance(structure, tuple):
        return tuple(_each(function, part) for part in structure)
    if isinstance(structure, dict):
        return {key: _each(function, part) for key, part in structure.items()}
    return function(structure)


def _leaves(structure):
    leaves = []
    _each(leaves.append, structure)
    return leaves


def _stacked(elements):
    """The batch of a list of elements."""
    first = elements[0]
    if isinstance(first, tuple):
        return tuple(_stacked([element[i] for element in elements]) for i in range(len(first)))
    if isinstance(first, dict):
        return {key: _stacked([element[key] for element in elements]) for key in first}
    return np.stack([np.asarray(element) for element in elements]).view(Tensor)


def _windows(elements):
    """A dataset of elements; of tuples a tuple of datasets."""
    if isinstance(elements[0], tuple):
        return tuple(_windows(list(column)) for column in zip(*elements, strict=True))
    return Dataset(lambda: iter(elements), len(elements))


def _call(function, element):
    return function(*element) if isinstance(element, tuple) else function(element)
