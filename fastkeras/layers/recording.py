"""A layer called while a tape records: its backward pass, one closure, becomes one step that the tape takes back."""

import threading

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.tape import may_be_asked_again
from fastkeras.core.tensor import Whole, as_tensor, source_of, tapes
from fastkeras.layers.inside import inside, learning, trained_variables

_taking_back = threading.RLock()  # weights have one place for a gradient: one thread at a time writes to it


def _trained(layer):
    """The layers in a layer whose weights training changes: as the model that is trained was compiled or, where none
    is, as they are set now."""
    if tapes.trained is None:
        return list(learning(layer))
    return [inner for inner in inside(layer) if inner in tapes.trained or inner.shares_weights_of in tapes.trained]


class Recording:
    """What leads back from a layer's outputs to its inputs and weights.

    inputs: what the layer was called on, tensors, arrays or variables. trained: the layers whose weights have
    gradients.
    """

    def __init__(self, layer, inputs):
        trained = _trained(layer)
        own = trained_variables(trained)
        self._inputs = [source_of(x) for x in inputs]
        self._variables = [v for v in own if source_of(v) is not None]
        # What backward may add to: its gradients are those of this tape, not of a step that a model is in.
        self._written = own + [v for inner in trained for v in inner.own_frozen_variables]
        self.trained = frozenset(trained if self._variables else ())
        self.wants_dx = any(source is not None for source in self._inputs)
        self._layer = layer

    def outputs(self, y, backward, run):
        """The tensors of the layer's outputs; `backward` is what forward gave with y in this run, which is given back
        to the layer once the way back has been taken."""
        layer, several = self._layer, isinstance(y, list)
        given = [dense(part, run, f"output_{i}") for i, part in enumerate(y if several else [y])]
        tensors, backs = [as_tensor(part) for part, _ in given], [back for _, back in given]
        variables, written, count = self._variables, self._written, len(self._inputs)
        may_return = may_be_asked_again()
        before = []  # what the run's memory held before the first way back, which may change it

        def gradients(ds):
            if before:
                for block, copy in before:
                    block[...] = copy
            elif may_return:
                before.extend((block, block.copy()) for block in run.blocks())
            copies = [None if d is None else np.array(d, np.float32, order="C") for d in ds]
            dys = [None if d is None else back(d) for d, back in zip(copies, backs, strict=True)]
            with _taking_back:
                kept = [v.grad for v in written]
                for v in written:
                    v.grad = np.zeros_like(v.value)
                try:
                    dx = backward(dys if several else dys[0])
                    dxs = list(dx) if isinstance(dx, (list, tuple)) else [dx] * count
                    return [None if d is None else np.array(d) for d in dxs] + [v.grad for v in variables]
                finally:
                    for v, grad in zip(written, kept, strict=True):
                        v.grad = grad
                    if not may_return:
                        layer.give_run(run)

        if any(source is not None for source in self._inputs) or variables:
            Whole([*self._inputs, *variables], gradients, tensors, f"layer '{layer.name}'")
        return tensors if several else tensors[0]
