"""GradientTape: records what is computed within it, and takes gradients back through it.

with fastkeras.GradientTape() as tape:
    loss = ops.mean(ops.square(y - model(x, training=True)))
gradients = tape.gradient(loss, model.trainable_variables)
optimizer.apply_gradients(zip(gradients, model.trainable_variables))
"""

from contextlib import contextmanager

import numpy as np

from fastkeras._kernels.steps import Tape, walk
from fastkeras.core.tensor import Node, Tensor, Watchable, source_of, tapes


class GradientTape(Tape):
    """Records the operations on trainable variables and on watched tensors while it is entered.

    persistent: whether gradients may be asked for more than once. What leads back is kept as long as the tape is, and
    copies of what layers keep; else it is given up with the first answer.
    watch_accessed_variables: whether it watches every trainable variable; else those named by `watch` alone.

    A tape within another one makes gradients of gradients, but not through a layer: its kernels give the first alone.
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self.persistent = bool(persistent)
        self.watches_all = bool(watch_accessed_variables)
        self._has_answered = False

    def watch(self, tensor):
        """Wants gradients of a tensor (or Variable), or of each in a list."""
        if isinstance(tensor, (list, tuple)):
            for item in tensor:
                self.watch(item)
        elif isinstance(tensor, Watchable):
            self.watched[id(tensor)] = tensor
        elif isinstance(tensor, Tensor) and np.issubdtype(tensor.dtype, np.floating):
            if source_of(tensor) is None:
                tensor.node = Node(np.asarray(tensor))
            tensor.node.keepers += 1
            self.nodes.append(tensor.node)
        else:
            raise TypeError(
                "GradientTape.watch: expected a tensor of real numbers (ops.convert_to_tensor makes one of an array). "
                f"Received: {tensor!r:.200}"
            )

    @contextmanager
    def stop_recording(self):
        """Within it, nothing is recorded."""
        before, tapes.recording = tapes.recording, ()
        try:
            yield
        finally:
            tapes.recording = before

    def reset(self):
        """Forgets what was recorded, and the variables that `watch` has named."""
        self.watched, self._has_answered = {}, False
        self.give_up()

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        """The gradients of target, a tensor (its elements are summed) or a list of them, for each of the sources.

        sources: a tensor, a Variable, or a list, tuple or dict of them; the result has its form. output_gradients:
        of the targets, in their shapes or a number each, by default ones. unconnected_gradients: what stands for the
        gradient of a source that the target does not depend on, "none" (None) or "zero" (zeros).
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
        found = self.gradients([(t, _of_target(t, d)) for t, d in zip(targets, given, strict=True)], wanted)
        if unconnected_gradients == "zero":
            found = [
                np.zeros(s.shape, s.dtype).view(Tensor) if d is None else d for s, d in zip(wanted, found, strict=True)
            ]
        return found if isinstance(sources, (list, tuple)) else found[0]

    def gradients(self, targets, sources):
        """The gradient for each source, or None. targets: (tensor, its gradient, or None for ones)."""
        if self._has_answered and not self.persistent:
            raise RuntimeError(
                "GradientTape.gradient: the tape has already given its gradients; to ask again, make it with "
                "GradientTape(persistent=True)"
            )
        if not self.persistent:
            self.__exit__()
        found = walk(targets, sources)
        self._has_answered = True
        if not self.persistent:
            self.give_up()
        return found


def _of_target(target, d):
    """An output gradient as an array of the target's shape and type, or None for ones."""
    if d is None or not isinstance(target, (Tensor, Watchable)):
        return d
    whole = np.empty(target.shape, target.dtype)
    try:
        whole[...] = d
    except ValueError:
        raise ValueError(
            f"GradientTape.gradient: `output_gradients` must have the shapes of the targets, {target.shape}. "
            f"Received: {d!r:.200}"
        ) from None
    return whole


def may_be_asked_again():
    """Whether what is recorded now may be taken back more than once."""
    return len(tapes.recording) > 1 or any(tape.persistent for tape in tapes.recording)


def recorded(function, arrays, watched=(), training=False, wants_inputs=True):
    """function(*tensors), and the tape that recorded it alone, with the tensors and what else is watched.

    arrays: what the tensors have as values; those of real numbers are watched if wants_inputs is True. Returns
    (result, back), where back(targets) gives the gradients of the tensors and of what is watched, None where there is
    none, for pairs (a tensor of the result, its gradient).
    """
    tape = GradientTape(may_be_asked_again(), watch_accessed_variables=False)
    tensors = [np.asarray(a).view(Tensor) for a in arrays]
    sources = [x for x in tensors if wants_inputs and x.dtype.kind == "f"]
    tape.watch([*sources, *watched])
    before, tapes.recording = (tapes.recording, tapes.training), (tape,)
    tapes.training = training
    try:
        result = function(*tensors)
    finally:
        tapes.recording, tapes.training = before
    return result, lambda targets: tape.gradients(targets, [*tensors, *watched])
