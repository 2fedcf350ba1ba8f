"""Data: sources of batches, from whatever people pass to fit, evaluate and predict.

A source is iterated once per epoch and gives batches (xs, ys, weights) as prepare.py makes them, three lists: an array
for each input, then an array or None for each output (in predict the last two are empty). `steps` is the number of
batches of an epoch, or None if that is not known.

    Arrays    arrays, lists, frames, dicts of them: all in memory, cut into batches here
    Indexed   an object with len() and [i] whose items are batches (keras.utils.Sequence)
    Stream    a generator, or anything else that can be iterated over batches

Between two epochs, `position()` tells in plain values which batches come next, and `return_to(position)` brings a new
source of the same data there.
"""

import collections.abc
import functools
import itertools
from functools import partial

import numpy as np

from fastkeras import random_state
from fastkeras._kernels import rows as rows_kernel
from fastkeras.training import own
from fastkeras.training.prepare import prepare, prepare_inputs
from fastkeras.utils.arrays import brief
from fastkeras.utils.batches import unpack_x_y_sample_weight
from fastkeras.utils.messages import message

_KEPT_BATCHES = 4096  # views of so many batches are kept from epoch to epoch
_STAGED_BYTES = 1 << 18  # shuffled batches are gathered together, up to this size: it fits the second-level cache


def source(model, x, y=None, sample_weight=None, class_weight=None, batch_size=32, shuffle=False, mode="train"):
    """The source for x, whatever it is, for the steps of this mode: "train", "test" or "predict". When it exists, the
    model is built and what was compiled is bound to it, unless the model has steps of its own."""
    if x is None:
        raise ValueError(message("x_missing"))
    replaced = own.replaces(model, mode)
    if mode != "predict":
        model.require_compiled().advised = False
        prepared = partial(prepare, model, class_weight=class_weight)
    else:
        prepared = partial(_inputs_alone, model)
    if _is_array(x) and replaced:
        form = own.Form(x, y, sample_weight, class_weight)
        return Arrays(*form.arrays, batch_size, shuffle, form.batch)
    if _is_array(x):
        return Arrays(*prepared(x, y, sample_weight), batch_size, shuffle)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(message("batches_come_alone", name=name, received=brief(x)))
    prepare_batch = own.batch if replaced else partial(_as_parts, prepared)
    if hasattr(x, "__getitem__") and hasattr(x, "__len__"):
        return Indexed(x, prepare_batch, shuffle)
    if hasattr(x, "__iter__"):
        return Stream(x, prepare_batch)
    raise TypeError(message("no_data", received=brief(x)))


def _inputs_alone(model, x, y=None, sample_weight=None):
    return prepare_inputs(model, x), [], []


def _is_array(x):
    """Whether x is data, rather than something that gives batches of it."""
    if isinstance(x, (np.ndarray, collections.abc.Sequence, dict)) or hasattr(x, "__array__") or hasattr(x, "toarray"):
        return True
    return not hasattr(x, "__iter__") and not hasattr(x, "__getitem__")


def split(whole, fraction, batch_size, weigh=True):
    """Two sources: all but the last samples of an Arrays source, and the last, a `fraction` of all, in order and in
    batches of `batch_size`; the latter without weights if `weigh` is False (class weights are for training alone)."""
    if not isinstance(whole, Arrays):
        raise ValueError(message("split_of_batches", received=fraction))
    first = _first_set_aside(len(whole.xs[0]), fraction)
    validation = whole.part(slice(first, None), batch_size)
    if not weigh:
        validation.weights = [None] * len(validation.ys)
    return whole.part(slice(None, first), whole.batch_size, whole.shuffle), validation


def split_given(x, y, sample_weight, fraction):
    """`split` of what fit was given, where only one of training and validation is by a step of the model's own, so that
    they want different batches: two of (x, y, sample_weight)."""
    if not _is_array(x):
        raise ValueError(message("split_of_batches", received=fraction))
    form = own.Form(x, y, sample_weight, None)
    first = _first_set_aside(len(form.arrays[0][0]), fraction)
    return form.rows(slice(None, first)), form.rows(slice(first, None))


def _first_set_aside(n, fraction):
    """The number of the first of the last samples, a `fraction` of n; a ValueError if they are none or all."""
    first = int(n * (1.0 - fraction))
    if first in (0, n):
        raise ValueError(message("split_leaves_none", received=fraction, samples=n))
    return first


class Arrays:
    """Batches of arrays that are all in memory: `batch_size` samples each, the last one what remains.

    batch_size: None for all samples in one. shuffle: True for a new order in each epoch, "batch" to shuffle within
    each batch only. change: what becomes of each batch, a function of (xs, ys, weights), if it does not stay so.
    """

    def __init__(self, xs, ys, weights, batch_size=32, shuffle=False, change=None):
        n = len(xs[0])
        self._change = change
        self.xs, self.ys, self.weights = xs, ys, weights
        self.batch_size = n if batch_size is None else batch_size
        self.shuffle = shuffle
        self.steps = -(-n // self.batch_size)
        self._generator = random_state.numpy_generator() if shuffle else None
        self._staged = {}
        self._views = None

    def position(self):
        return {"order": random_state.generator_state(self._generator)}

    def return_to(self, position):
        random_state.set_generator_state(self._generator, position["order"])

    def part(self, rows, batch_size, shuffle=False):
        """The source of some of the rows, a slice."""
        parts = (_rows(arrays, rows) for arrays in (self.xs, self.ys, self.weights))
        return Arrays(*parts, batch_size, shuffle, self._change)

    def __iter__(self):
        batches = self._batches()
        return batches if self._change is None else (self._change(*batch) for batch in batches)

    def _batches(self):
        if self.shuffle:
            return self._shuffled()
        if self.steps > _KEPT_BATCHES:
            return _cut(self.xs, self.ys, self.weights, self.batch_size)
        if self._views is None:
            self._views = list(_cut(self.xs, self.ys, self.weights, self.batch_size))
        return iter(self._views)

    def _shuffled(self):
        """Gathers the rows of several batches at once, into buffers whose batches are cut once and for all."""
        (arrays, together), order = self._gathering, self._order()
        for start in range(0, len(order), together):
            index = order[start : start + together]
            buffers, batches = self._stage(arrays, len(index))
            for buffer, array in zip(buffers, arrays, strict=True):
                if array.dtype == object:  # texts
                    np.take(array, index, axis=0, out=buffer)
                else:
                    rows_kernel.take(buffer, array, index)  # buffer_n = array[index_n]
            yield from batches

    @functools.cached_property
    def _gathering(self):
        """The arrays that there are, and how many of their rows are gathered at once."""
        arrays = [a for a in (*self.xs, *self.ys, *self.weights) if a is not None]
        row_bytes = max(1, sum(a[:1].nbytes for a in arrays))
        return arrays, self.batch_size * max(1, _STAGED_BYTES // (row_bytes * self.batch_size))

    def _order(self):
        order = np.arange(len(self.xs[0]), dtype=np.int32)
        if self.shuffle != "batch":
            self._generator.shuffle(order)
        else:
            for start in range(0, len(order), self.batch_size):
                self._generator.shuffle(order[start : start + self.batch_size])
        return order

    def _stage(self, arrays, rows):
        if rows not in self._staged:
            buffers = [np.empty((rows, *a.shape[1:]), a.dtype) for a in arrays]
            rest = iter(buffers)
            whole = [[None if a is None else next(rest) for a in group] for group in (self.xs, self.ys, self.weights)]
            self._staged[rows] = buffers, list(_cut(*whole, self.batch_size))
        return self._staged[rows]


def _cut(xs, ys, weights, size):
    """The batches of `size` rows, as views; a batch of all rows is the arrays themselves."""
    if len(xs[0]) <= size:
        yield xs, ys, weights
        return
    for start in range(0, len(xs[0]), size):
        rows = slice(start, start + size)
        yield _rows(xs, rows), _rows(ys, rows), _rows(weights, rows)


def _rows(arrays, rows):
    return [None if a is None else a[rows] for a in arrays]


class Indexed:
    """The batches sequence[0], sequence[1], ...: in a new order in each epoch if `shuffle` is true.

    Its methods on_epoch_begin and on_epoch_end are called if it has them.
    """

    def __init__(self, sequence, prepared, shuffle=False):
        self.sequence, self.prepared = sequence, prepared
        self._generator = random_state.numpy_generator() if shuffle else None
        self.steps = getattr(sequence, "num_batches", None) or len(sequence)
        if self.steps == 0:
            raise ValueError(message("no_batches", received=brief(sequence)))
        self._prepare(0)
        self._passes = 0  # finished

    def position(self):
        return {"order": random_state.generator_state(self._generator), "passes": self._passes}

    def return_to(self, position):
        """A sequence that shuffles itself at the end of a pass does so once for each that was finished."""
        for _ in range(position["passes"]):
            getattr(self.sequence, "on_epoch_begin", _nothing)()
            getattr(self.sequence, "on_epoch_end", _nothing)()
        self._passes = position["passes"]
        random_state.set_generator_state(self._generator, position["order"])

    def _prepare(self, i):
        return _prepare_batch(self.prepared, self.sequence[i], i)

    def __iter__(self):
        getattr(self.sequence, "on_epoch_begin", _nothing)()
        order = range(self.steps) if self._generator is None else self._generator.permutation(self.steps).tolist()
        for i in order:
            yield self._prepare(i)
        getattr(self.sequence, "on_epoch_end", _nothing)()
        self._passes += 1


def _nothing():
    pass


class Stream:
    """The batches that an iterator gives, each once, or an iterable, from its start in each epoch."""

    def __init__(self, batches, prepared):
        self.prepared = prepared
        try:
            self.steps = len(batches)
        except TypeError:  # no length, or none that it knows
            self.steps = None
        iterator = iter(batches)
        first = list(itertools.islice(iterator, 1))
        if not first:
            raise ValueError(message("no_batches", received=brief(batches)))
        _prepare_batch(prepared, first[0], 0)
        self._batches = batches
        self._once = enumerate(itertools.chain(first, iterator)) if iterator is batches else None

    def position(self):
        return {}

    def return_to(self, position):
        """Each pass is like the first; in what gives its batches only once, there is no second."""

    def __iter__(self):
        for i, batch in self._once or enumerate(self._batches):
            yield _prepare_batch(self.prepared, batch, i)


def _as_parts(prepared, batch):
    """prepared(x, y, sample_weight) of a batch x, (x,), (x, y) or (x, y, sample_weight)."""
    return prepared(*unpack_x_y_sample_weight(batch))


def _prepare_batch(prepared, batch, i):
    """prepared(batch); errors say which batch it was."""
    try:
        return prepared(batch)
    except (TypeError, ValueError) as error:
        raise _placed(f"Batch {i}", error) from error


def _placed(where, error):
    """The TypeError or ValueError with a word in front about which data it speaks of."""
    return (TypeError if isinstance(error, TypeError) else ValueError)(f"{where}: {error}")


def validation_source(model, validation_data, batch_size):
    """The source for fit's validation_data."""
    try:
        x, y, sample_weight = _unpack(validation_data)
        return source(model, x, y, sample_weight, batch_size=batch_size, mode="test")
    except (TypeError, ValueError) as error:
        raise _placed("`validation_data`", error) from error


def _unpack(validation_data):
    """(x, y, sample_weight); y and sample_weight are None if x gives batches of all three."""
    if isinstance(validation_data, (list, tuple)):
        if len(validation_data) in (2, 3):
            return (*validation_data, None)[:3]
    elif not _is_array(validation_data):
        return validation_data, None, None
    raise ValueError(message("parts_of_validation_data", received=brief(validation_data)))


class Endless:
    """A source cut into epochs of `steps` batches: each goes on where the last one stopped, and at the end of the
    source from its start."""

    def __init__(self, source, steps):
        self.source, self.steps = source, steps
        self._begin()

    def _begin(self):
        self._start, self._given = self.source.position(), 0
        self._rest = iter(self.source)

    def position(self):
        return {"start": self._start, "given": self._given}

    def return_to(self, position):
        self.source.return_to(position["start"])
        self._begin()
        self._given = position["given"]
        self._rest = itertools.islice(self._rest, self._given, None)

    def __iter__(self):
        for _ in range(self.steps):
            batch = next(self._rest, None)
            if batch is None:
                self._begin()
                batch = next(self._rest, None)
                if batch is None:
                    return
            self._given += 1
            yield batch
