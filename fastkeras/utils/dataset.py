"""tf.data.Dataset for data in memory or from Python: what can be iterated again and again, and what fit takes.

An element is a tensor, or a tuple or dict of elements. Everything happens in Python when the dataset is iterated, in
one thread; prefetch, cache and the number of parallel calls change nothing. Texts are Strings, tensors of bytes. Of
files there are lines of text alone.

A dataset of the rows of arrays stays one through shuffle, repeat, take and skip: its items are the numbers of the
rows, and batch takes the rows of a batch together.
"""

import glob
import gzip
import itertools
import math
import random

import numpy as np

from fastkeras import ops
from fastkeras.core.strings import are_texts, strings
from fastkeras.core.tensor import Tensor
from fastkeras.random_state import fresh_seed
from fastkeras.utils import specs, suggest
from fastkeras.utils.arguments import positive_integer
from fastkeras.utils.specs import DatasetSpec, TensorSpec, each, part_of

__all__ = [
    "AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "DatasetSpec", "TensorSpec",
    "TextLineDataset", "cardinality",
]  # fmt: skip

AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -1, -2


class Dataset:
    """items: a function that gives an iterator of the items. length: how many there are, None if that is not known,
    math.inf if they never end. arrays: None if the items are the elements themselves; else they are the numbers of
    the rows of these arrays. spec: a function that gives the `element_spec`; by default the first element tells it."""

    def __init__(self, items, length=None, arrays=None, spec=None):
        self._items, self._length, self._arrays, self._spec = items, length, arrays, spec or self._spec_of_first

    def __getattr__(self, name):
        guess = suggest.nearest(name, dir(Dataset))
        cure = f" Did you mean {guess!r}?" if guess else ""
        raise AttributeError(f"fastkeras has no tensorflow.data.Dataset.{name}.{cure}", name=name, obj=None)

    def __str__(self):
        return f"<{type(self).__name__} element_spec={self.element_spec}>"

    @property
    def element_spec(self):
        """What the elements are: a TensorSpec, or a tuple or dict of them. Where nothing else says it, as after `map`,
        the first element is made to see."""
        return self._spec()

    def _first(self):
        """The first element, to see what the elements are."""
        for element in self:
            return element
        raise ValueError("tf.data.Dataset.element_spec: it is told by the first element. Received: no elements")

    def _spec_of_first(self):
        return each(_spec_of, self._first())

    # --- making ------------------------------------------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors):
        """The rows of an array, or of the arrays in a tuple or dict."""
        arrays = each(lambda x: np.asarray(_tensor(x)), tensors)
        lengths = {len(array) for array in _leaves(arrays)}
        if len(lengths) != 1:
            raise ValueError(f"tf.data.Dataset: arrays must be equally long. Received: lengths {sorted(lengths)}")
        (n,) = lengths
        return Dataset(lambda: iter(range(n)), n, arrays, lambda: each(specs.without_rows, each(_spec_of, arrays)))

    @staticmethod
    def from_tensors(tensors):
        """One element."""
        return Dataset(lambda: iter([each(_tensor, tensors)]), 1)

    @staticmethod
    def from_generator(generator, output_types=None, output_shapes=None, args=(), output_signature=None, name=None):
        """What generator(*args) yields, each time anew, in the types that output_types or output_signature names."""
        spec = output_signature
        if spec is None and output_types is not None:
            spec = specs.of_types(output_types, output_shapes)
        return Dataset(
            lambda: (_typed(spec, element) for element in generator(*args)),
            spec=None if spec is None else lambda: spec,
        )

    @staticmethod
    def range(*args, **how):
        """The integers of Python's range."""
        numbers = range(*args)
        return Dataset(lambda: map(_number, numbers), len(numbers), spec=lambda: specs.NUMBER)

    @staticmethod
    def list_files(file_pattern, shuffle=None, seed=None, name=None):
        """The names of the files that fit a pattern, or one of several, in an order drawn anew unless shuffle=False."""
        patterns = strings(file_pattern).ravel().tolist()
        names = sorted(name for pattern in patterns for name in glob.glob(pattern.decode()))
        if not names:
            raise ValueError(f"tf.data.Dataset.list_files: no file fits. Received: {file_pattern!r:.200}")
        found = Dataset.from_tensor_slices(names)
        return found if shuffle is False else found.shuffle(len(names), seed)

    @staticmethod
    def zip(*datasets):
        """Tuples of an element of each dataset, until one ends."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], (tuple, list)) else datasets
        lengths = [part._length for part in parts]
        length = None if None in lengths else min(lengths)
        return Dataset(lambda: zip(*parts, strict=False), length, spec=lambda: tuple(part._spec() for part in parts))

    # --- elements ----------------------------------------------------------------------------------------------------

    def __iter__(self):
        if self._arrays is None:
            return self._items()
        return (self._rows(i) for i in self._items())

    def _rows(self, i):
        """The element of a row, or the batch of a list of rows."""
        return each(lambda array: _tensor(array[i]), self._arrays)

    def __len__(self):
        if self._length is None or self._length == math.inf:
            raise TypeError(f"The dataset's length is {'infinite' if self._length else 'not known'}.")
        return self._length

    def cardinality(self):
        """How many elements there are; -1 if they never end, -2 if that is not known."""
        known = {None: UNKNOWN_CARDINALITY, math.inf: INFINITE_CARDINALITY}
        return ops.convert_to_tensor(known.get(self._length, self._length), np.int64)

    def as_numpy_iterator(self):
        """The elements as numpy has them, arrays, numbers and bytes."""
        return (each(_as_numpy, element) for element in self)

    def reduce(self, initial_state, reduce_func, name=None):
        """The last state of state = reduce_func(state, element), which starts from initial_state."""
        state = each(_tensor, initial_state)
        for element in self:
            state = each(_tensor, reduce_func(state, element))
        return state

    def get_single_element(self, name=None):
        """The only element."""
        (element,) = self
        return element

    # --- other items -------------------------------------------------------------------------------------------------

    def _with(self, items, length):
        return Dataset(items, length, self._arrays, self._spec)

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

        def mapped(element):
            return each(_tensor, _call(map_func, element))

        def spec():
            first = self._first()
            longer = each(_longer, first, self._spec())  # what it makes of both differs where extents vary
            return each(specs.common, each(_spec_of, mapped(first)), each(_spec_of, mapped(longer)))

        return Dataset(lambda: (mapped(element) for element in self), self._length, spec=spec)

    def filter(self, predicate, name=None):
        """The elements for which predicate(element), or predicate(*element), holds."""
        return Dataset(lambda: (element for element in self if _call(predicate, element)), spec=self._spec)

    def take_while(self, predicate, name=None):
        """The elements before the first for which predicate(element), or predicate(*element), does not hold."""
        return Dataset(lambda: itertools.takewhile(lambda element: _call(predicate, element), self), spec=self._spec)

    def apply(self, transformation_func):
        """transformation_func(dataset), a dataset."""
        return transformation_func(self)

    def interleave(self, map_func, cycle_length=None, block_length=1, num_parallel_calls=None, deterministic=None):
        """The elements of the datasets map_func(element), block_length of each of cycle_length datasets in turn; one
        that ends makes room for the next. cycle_length is by default 16."""

        def items():
            parts = (iter(_call(map_func, element)) for element in self)
            running = list(itertools.islice(parts, 16 if cycle_length in (None, AUTOTUNE) else cycle_length))
            while running:
                for place, part in enumerate(running):
                    block = list(itertools.islice(part, block_length))
                    yield from block
                    if len(block) < block_length:
                        running[place] = next(parts, None)
                running = [part for part in running if part is not None]

        return Dataset(items, spec=lambda: _call(map_func, self._first()).element_spec)

    def flat_map(self, map_func, name=None):
        """The elements of the datasets map_func(element), one dataset after the other."""
        return Dataset(
            lambda: itertools.chain.from_iterable(_call(map_func, element) for element in self),
            spec=lambda: _call(map_func, self._first()).element_spec,
        )

    def enumerate(self, start=0, name=None):
        """Tuples of a number and an element."""
        return Dataset(
            lambda: ((_number(i), x) for i, x in enumerate(self, start)),
            self._length,
            spec=lambda: (specs.NUMBER, self._spec()),
        )

    def concatenate(self, dataset, name=None):
        """The elements of this one, then those of the other."""
        known = None not in (self._length, dataset._length)
        return Dataset(
            lambda: itertools.chain(self, dataset),
            self._length + dataset._length if known else None,
            spec=lambda: each(specs.common, self._spec(), dataset._spec()),
        )

    def batch(self, batch_size, drop_remainder=False, num_parallel_calls=None, deterministic=None, name=None):
        """Arrays of batch_size elements; the last may have fewer, unless it is to be dropped."""
        together = _stacked if self._arrays is None else self._rows
        return self._batched(self._items, together, batch_size, drop_remainder, self._spec)

    def padded_batch(self, batch_size, padded_shapes=None, padding_values=None, drop_remainder=False, name=None):
        """Arrays of batch_size elements, each filled up with padding_values (0, or "" for texts) to the largest extents
        among them or to those of padded_shapes that are not None."""

        def together(several):
            return _stacked(several, padded_shapes, padding_values, padded=True)

        return self._batched(
            self.__iter__, together, batch_size, drop_remainder, lambda: specs.padded(self._spec(), padded_shapes)
        )

    def _batched(self, start, together, batch_size, drop_remainder, spec):
        """together(several) for each batch_size items of the iterator start(); spec(): of what is put together."""
        size = positive_integer("tf.data.Dataset", "batch_size", int(batch_size))

        def items():
            rest = start()
            while several := list(itertools.islice(rest, size)):
                if len(several) < size and drop_remainder:
                    return
                yield together(several)

        length = self._length
        if length not in (None, math.inf):
            length = length // size if drop_remainder else math.ceil(length / size)
        rows = size if drop_remainder else None
        return Dataset(items, length, spec=lambda: each(lambda of: specs.with_rows(of, rows), spec()))

    def unbatch(self, name=None):
        """The rows of the elements, one by one."""
        return Dataset(
            lambda: (row for element in self for row in Dataset.from_tensor_slices(element)),
            spec=lambda: each(specs.without_rows, self._spec()),
        )

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


class TextLineDataset(Dataset):
    """The lines of a text file, or of several one after the other, each without its end. compression_type: None, or
    "GZIP"."""

    def __init__(self, filenames, compression_type=None, buffer_size=None, num_parallel_reads=None, name=None):
        names = [encoded.decode() for encoded in strings(filenames).ravel().tolist()]
        if compression_type not in (None, "", "GZIP"):
            raise ValueError(
                f"tf.data.TextLineDataset: `compression_type` must be None or 'GZIP'. Received: {compression_type!r}"
            )
        opened = gzip.open if compression_type == "GZIP" else open

        def items():
            for path in names:
                with opened(path, "rb") as file:
                    yield from (strings(line.rstrip(b"\n").removesuffix(b"\r")) for line in file)

        super().__init__(items, spec=lambda: TensorSpec((), "string"))


def cardinality(dataset):
    """As Dataset.cardinality."""
    return dataset.cardinality()


def _tensor(x):
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind not in "USO":
        return np.asarray(x).view(Tensor)
    return x if isinstance(x, Dataset) else _converted(x)


def _number(i):
    return _tensor(np.int64(i))


def _converted(x, dtype=None):
    return strings(x) if dtype == "string" or are_texts(x) else ops.convert_to_tensor(x, dtype)


def _typed(specs, structure):
    """The tensors of a structure, in the types of its specs, if there are any."""
    if specs is None:
        return each(_tensor, structure)
    return each(lambda x, spec: _converted(x, spec.dtype), structure, specs)


def _as_numpy(x):
    y = x.numpy()
    return y if isinstance(y, bytes) else y[()]


def _leaves(structure):
    leaves = []
    each(leaves.append, structure)
    return leaves


def _stacked(elements, shape=None, filling=None, padded=False):
    """The batch of a list of elements. padded: filled up to a shape, or where that is None to the largest extents."""
    first = elements[0]
    if isinstance(first, (tuple, dict)):
        parts = {
            key: _stacked([element[key] for element in elements], part_of(shape, key), part_of(filling, key), padded)
            for key in (first if isinstance(first, dict) else range(len(first)))
        }
        return parts if isinstance(first, dict) else tuple(parts.values())
    arrays = [np.asarray(element) for element in elements]
    return _tensor(np.stack(_padded(arrays, shape, filling) if padded else arrays))


def _padded(arrays, shape, filling):
    """Arrays filled up at the ends of their axes."""
    if arrays[0].ndim == 0:
        return arrays
    extents = np.max([array.shape for array in arrays], axis=0)
    if shape is not None:
        extents = [e if n in (None, -1) else n for n, e in zip(shape, extents, strict=True)]
    filling = (b"" if arrays[0].dtype == object else 0) if filling is None else np.asarray(filling).item()
    padded = []
    for array in arrays:
        padded.append(np.full(extents, filling, array.dtype))
        padded[-1][tuple(map(slice, array.shape))] = array
    return padded


def _windows(elements):
    """A dataset of elements; of tuples a tuple of datasets."""
    if isinstance(elements[0], tuple):
        return tuple(_windows(list(column)) for column in zip(*elements, strict=True))
    return Dataset(lambda: iter(elements), len(elements))


def _call(function, element):
    return function(*element) if isinstance(element, tuple) else function(element)


def _spec_of(x):
    if isinstance(x, Dataset):
        return DatasetSpec(x.element_spec)
    return TensorSpec(x.shape, "string" if x.dtype == object else x.dtype)


def _longer(x, spec):
    """x twice along the axes whose extents vary."""
    for axis, n in enumerate(spec.shape or ()):
        if n is None:
            x = _tensor(np.concatenate([x, x], axis))
    return x
