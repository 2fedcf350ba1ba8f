"""GradientTape: records what is computed within it, and takes gradients back through it.

with fastkeras.GradientTape() as tape:
    loss = ops.mean(ops.square(y - model(x, training=True)))
gradients = tape.gradient(loss, model.trainable_variables)
optimizer.apply_gradients(zip(gradients, model.trainable_variables))
"""

import heapq
from contextlib import contextmanager

import numpy as np

from fastkeras.core.tensor import Node, Tensor, Watchable, tapes


class GradientTape:
    """Records the operations on trainable variables and on watched tensors while it is entered.

    persistent: whether gradients through layers may be asked for more than once, which takes copies of what the layers
    keep. Those through ops may be in any case, and so may all if several tapes record at once.
    watch_accessed_variables: whether it watches every trainable variable; else those named by `watch` alone.

    A tape within another one makes gradients of gradients, but not through a layer: its kernels give the first alone.
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self.persistent = bool(persistent)
        self._watches_all = bool(watch_accessed_variables)
        self._watched = {}  # by id, the variables named; kept, so that no other object takes an id's place

    def __enter__(self):
        tapes.recording = (*tapes.recording, self)
        return self

    def __exit__(self, *exception):
        tapes.recording = tuple(tape for tape in tapes.recording if tape is not self)

    def watch(self, tensor):
        """Wants gradients of a tensor (or Variable), or of each in a list."""
        if isinstance(tensor, (list, tuple)):
            for item in tensor:
                self.watch(item)
        elif isinstance(tensor, Watchable):
            self._watched[id(tensor)] = tensor
        elif isinstance(tensor, Tensor) and np.issubdtype(tensor.dtype, np.floating):
            tensor.node = tensor.node or Node(np.asarray(tensor))
        else:
            raise TypeError(
                "GradientTape.watch: expected a tensor of real numbers (ops.convert_to_tensor makes one of an array). "
                f"Received: {tensor!r:.200}"
            )

    def watches(self, variable):
        return (self._watches_all and variable.trainable) or id(variable) in self._watched

    @contextmanager
    def stop_recording(self):
        """Within it, nothing is recorded."""
        before, tapes.recording = tapes.recording, ()
        try:
            yield
        finally:
            tapes.recording = before

    def reset(self):
        """Forgets the variables that `watch` has named."""
        self._watched = {}

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        """The gradients of target, a tensor (its elements are summed) or a list of them, for each of the sources.

        sources: a tensor, a Variable, or a list, tuple or dict of them; the result has its form. output_gradients:
        of the targets, by default ones. unconnected_gradients: what stands for the gradient of a source that the target
        does not depend on, "none" (None) or "zero" (zeros).
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                "GradientTape.gradient: `unconnected_gradients` must be 'none' or 'zero'. "
                f"Received: {unconnected_gradients!r}"
            )
        if isinstance(sources, dict):
            found = self.gradient(target, list(sources.values()), output_gradients, unconnected_gradients)
            return dict(zip(sources, found, strict=True))
        targets = target if isinstance(target, (list, tuple)) else [target]
        given = output_gradients if isinstance(output_gradients, (list, tuple)) else [output_gradients] * len(targets)
        wanted = list(sources) if isinstance(sources, (list, tuple)) else [sources]
        for source in wanted:
            if not isinstance(source, (Tensor, Watchable)):
                raise TypeError(
                    f"GradientTape.gradient: expected tensors or variables as sources. Received: {source!r:.200}"
                )
        found = gradients([(_checked(t), d) for t, d in zip(targets, given, strict=True)], wanted)
        if unconnected_gradients == "zero":
            found = [
                np.zeros(s.shape, s.dtype).view(Tensor) if d is None else d for s, d in zip(wanted, found, strict=True)
            ]
        return found if isinstance(sources, (list, tuple)) else found[0]


def _checked(target):
    if not isinstance(target, (Tensor, Watchable)):
        raise TypeError(f"GradientTape.gradient: expected a tensor as target. Received: {target!r:.200}")
    return target


def gradients(targets, sources):
    """The gradient for each source, or None. targets: (tensor, its gradient, or None for ones)."""
    ends = {}
    for target, d in targets:
        node = _origin(target)
        if node is not None:
            d = np.ones(np.shape(target), np.asarray(target).dtype) if d is None else np.asarray(d)
            _add(ends, node, d.view(Tensor))
    found = _walk(ends, {id(_origin(source)) for source in sources})
    return [found.get(id(_origin(source))) for source in sources]


def recorded(function, arrays, watched=(), training=False):
    """function(*tensors), and the tape that recorded it alone, with the tensors and what else is watched.

    arrays: what the tensors have as values; those of real numbers are watched. Returns (result, back), where
    back(targets) gives the gradients of the tensors and of what is watched, None where there is none, for pairs (a
    tensor of the result, its gradient).
    """
    tape, tensors = GradientTape(watch_accessed_variables=False), [np.asarray(a).view(Tensor) for a in arrays]
    sources = [x for x in tensors if x.dtype.kind == "f"]
    tape.watch([*sources, *watched])
    before, tapes.recording = (tapes.recording, tapes.training), (tape,)
    tapes.training = training
    try:
        result = function(*tensors)
    finally:
        tapes.recording, tapes.training = before
    return result, lambda targets: gradients(targets, [*tensors, *watched])


def _origin(x):
    """A tensor's node; a variable is its own."""
    return x.node if isinstance(x, Tensor) else x


def _add(sums, origin, d):
    """Adds d to the gradient of a node or variable; sums: {id: (it, its gradient)}."""
    sums[id(origin)] = (origin, sums[id(origin)][1] + d if id(origin) in sums else d)


def _walk(ends, wanted):
    """{id: gradient} of the nodes and variables with the ids `wanted`, from the gradients of the ends.

    Nodes are taken from the last on: by then all that was computed from one has given its gradient.
    """
    sums, found, ahead = dict(ends), {}, []
    nodes = {}

    def meet(origin):
        if isinstance(origin, Node) and origin.number not in nodes:
            nodes[origin.number] = origin
            heapq.heappush(ahead, -origin.number)

    for origin, _ in ends.values():
        meet(origin)
    while ahead:
        node = nodes.pop(-heapq.heappop(ahead))
        _, d = sums.pop(id(node))
        if id(node) in wanted:
            found[id(node)] = d
        for source, gradient, shape in node.back(d):
            _add(sums, source, gradient if shape is None else summed_to(gradient, shape))
            meet(source)
    return found | {origin: d for origin, (_, d) in sums.items() if origin in wanted}


def summed_to(d, shape):
    """The gradient of an input of this shape, given that of the input as repeated by broadcasting."""
    if d.shape == shape:
        return d
    front = d.ndim - len(shape)
    repeated = [front + i for i, n in enumerate(shape) if n == 1 and d.shape[front + i] != 1]
    return d.sum(axis=(*range(front), *repeated), keepdims=True).reshape(shape)
