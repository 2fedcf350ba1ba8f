"""Run: what a layer may know and keep during one pass through one of its call sites."""

import contextlib
import mmap

import numpy as np

_CACHE_LINE = 64
_HUGE_PAGE = 2 << 20  # on x86-64, and on Arm with small pages of 4 KB


def empty(shape, dtype=np.float32):
    """An uninitialised C-contiguous array whose first element starts a cache line, as vector loads like it.

    One that fills half a huge page or more lies on huge pages of its own, where the system has them: with 4 KB pages
    a pass over some megabytes waits for addresses, time and again. They are fresh from the system, since memory that
    malloc hands out again stays on the pages it was first given. (From malloc, steps of the MLP on digits, of an MLP
    of 2048 units and of the SimpleRNN on reviews take 1.03 times as long each.)
    """
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if size < _HUGE_PAGE // 2:
        block, alignment = np.empty(size + _CACHE_LINE, np.uint8), _CACHE_LINE
    else:
        block, alignment = _huge_pages(size), _HUGE_PAGE
    start = -block.ctypes.data % alignment
    return block[start : start + size].view(dtype).reshape(shape)


def _huge_pages(size):
    """Memory of its own, uint8, that has `size` bytes in whole huge pages, wherever it starts."""
    pages = -(-size // _HUGE_PAGE) + 1  # one more, for what lies before the first boundary
    try:
        block = mmap.mmap(-1, pages * _HUGE_PAGE, flags=mmap.MAP_PRIVATE)
    except (OSError, OverflowError) as error:
        raise MemoryError(f"no memory for an array of {size} bytes") from error
    if hasattr(mmap, "MADV_HUGEPAGE"):  # Linux
        with contextlib.suppress(OSError):  # whose kernel may be built without huge pages
            block.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(block, np.uint8)


class SameWeights:
    """Stands for the state of the weights during so many batches."""

    __slots__ = ("batches",)

    def __init__(self, batches):
        self.batches = batches


class Run:
    """One pass through one call site.

    training: whether dropout and its like are active; None if the call does not say so, for which it counts as False
    unless a layer knows better.
    mask: bool array of the input's leading axes, False where a step is to be skipped, or None.
    masks: where the layer is called on several inputs, the list of all their masks, or None; `mask` is the first's.
    keywords: what the call was told besides its inputs, as in a CallSite.
    trained: the layers whose weights take part in training, and trains: whether this site's layer is among them, so
    that backward must add to its weights' gradients.
    wants_dx: whether backward must return the gradient of the layer's input.
    same_weights: a SameWeights in those batches in which the weights stay as they are, or None if each may change them.
    unpooled: whether the layer may return Unpooled (core/peaks.py), since max pooling alone reads its output.
    logits: whether the layer must leave out its last activation, since the loss is computed from what is under it.
    output_masks: the masks of the outputs, if forward has found them itself (a model inside a model), else None.
    first: for a later step of a sequence that a layer takes step by step (layers/rnn.py), the run of the first, else
    None.
    losses: what layers add to the loss of this batch by `add_loss`; the layers of a pass share the list.
    kept: whatever else the layer keeps for the next pass through this call site.

    Buffers are kept from batch to batch, so a training step allocates nothing large. They belong to the pass and
    the call site, not to the layer: a layer may stand twice in a graph, and two threads may run one model.
    """

    __slots__ = (
        "_arrays",
        "_blocks",
        "_inner",
        "first",
        "kept",
        "keywords",
        "logits",
        "losses",
        "mask",
        "masks",
        "output_masks",
        "same_weights",
        "trained",
        "training",
        "trains",
        "unpooled",
        "wants_dx",
    )

    def __init__(self, training=False, mask=None, trains=False, trained=(), wants_dx=False, losses=None, keywords=None):
        self.training = training
        self.mask = mask
        self.masks = None
        self.keywords = keywords or {}
        self.output_masks = None
        self.losses = [] if losses is None else losses
        self.first = None
        self.trains = trains
        self.trained = trained
        self.wants_dx = wants_dx
        self.same_weights = None
        self.unpooled = False
        self.logits = False
        self.kept = {}
        self._arrays = {}
        self._blocks = {}
        self._inner = {}

    def inside(self, layer, name, mask=None, step=None):
        """The run of a layer inside this one, under a name that tells it from others there; `mask` is its input's.

        step: where the layer is run for each step of a sequence, which one this is: each has a run of its own.
        """
        inner = self._inner.get((name, step))
        if inner is None:
            inner = self._inner[name, step] = Run(
                trains=layer in self.trained, trained=self.trained, losses=self.losses
            )
        inner.training, inner.wants_dx, inner.mask = self.training, self.wants_dx, mask
        if step:
            inner.first = self._inner[name, 0]
        elif self.first is not None:
            inner.first = self.first._inner.get((name, step))
        return inner

    def blocks(self):
        """All the memory that this run and those inside it keep."""
        yield from self._blocks.values()
        passes = [run for kept in self.kept.values() for run in getattr(kept, "runs", ())]
        for run in [*self._inner.values(), *passes]:
            yield from run.blocks()

    def forget(self):
        """Gives up what is known of the last batch, here and in the runs inside; the memory stays."""
        self.mask = self.masks = self.output_masks = None
        self.losses.clear()
        for kept in self.kept.values():
            if hasattr(kept, "forget"):  # the pass of a model inside
                kept.forget()
        for inner in self._inner.values():
            inner.forget()

    def add_loss(self, value):
        """Adds a number to the loss of the batch. Its gradient is the caller's: backward adds it to dx, and to the
        gradients of the weights, as if dy had brought it."""
        self.losses.append(value)

    @property
    def penalty(self):
        """The sum of what was added to the loss."""
        return sum(self.losses)

    def buffer(self, name, shape, dtype=np.float32):
        """An array that stays the layer's until the next pass; its contents are whatever was there before."""
        array = self._arrays.get(name)
        if array is not None and array.shape == shape:
            return array
        return self._new_buffer(name, shape, dtype)

    def _new_buffer(self, name, shape, dtype):
        size = 1
        for extent in shape:
            size *= extent
        block = self._blocks.get(name)
        if block is None or block.size < size:
            # A little more than asked for, so that sizes that differ from batch to batch soon fit.
            block = self._blocks[name] = empty(size + size // 4, dtype)
        array = self._arrays[name] = block[:size].reshape(shape)
        return array
