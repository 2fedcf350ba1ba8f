"""The graph of a model: call sites in topological order, and one pass through them, forward and back."""

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.run import Run


class Graph:
    """The call sites between some symbolic inputs and outputs, in an order in which each follows its inputs.

    Every symbolic tensor has a slot; a step is (layer, the slots it reads, the slots it writes).
    """

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = list(inputs), list(outputs)
        self._slots = {id(tensor): slot for slot, tensor in enumerate(self.inputs)}
        self.tensors = list(self.inputs)
        self.sites = []
        for tensor in self.outputs:
            self._visit(tensor)
        self.steps = [
            (site.layer, [self._slots[id(t)] for t in site.inputs], [self._slots[id(t)] for t in site.outputs])
            for site in self.sites
        ]
        self.input_slots = list(range(len(self.inputs)))
        self.output_slots = [self._slots[id(t)] for t in self.outputs]

    def _visit(self, wanted):
        """Adds the sites that `wanted` depends on; a stack of our own, since graphs may be deeper than Python's."""
        stack = [wanted]
        while stack:
            tensor = stack[-1]
            if id(tensor) in self._slots:
                stack.pop()
                continue
            if tensor.site is None:
                raise ValueError(f"The outputs depend on an input that is not among the inputs. Received: {tensor}")
            missing = [t for t in tensor.site.inputs if id(t) not in self._slots]
            if missing:
                stack += missing
                continue
            self.sites.append(tensor.site)
            for output in tensor.site.outputs:
                self._slots[id(output)] = len(self.tensors)
                self.tensors.append(output)

    @property
    def layers(self):
        """Each layer once, in the order of its first call."""
        return list(dict.fromkeys(site.layer for site in self.sites))

    def input_dtype(self, slot):
        """int32 if every layer that reads the input takes ids, else float32."""
        takers = [layer.input_dtype for layer, reads, _ in self.steps if slot in reads]
        return "int32" if takers and set(takers) == {"int32"} else "float32"


class Pass:
    """One walk through a graph: the buffers of its call sites, and after `forward` the closures that lead back.

    trained: the layers whose weights take part in training. A pass serves one thread at a time.
    """

    def __init__(self, graph, trained=()):
        self.graph = graph
        self.runs = [Run(trains=layer in trained, trained=trained) for layer, _, _ in graph.steps]
        self.loss_run = Run()  # the buffers of the loss
        self.penalty = 0.0
        self._tape = []
        self._set_wants(False)

    def _set_wants(self, input_wants):
        """A layer must return its input's gradient only if something before it learns, or the caller asks for it."""
        wants = dict.fromkeys(self.graph.input_slots, input_wants)
        for (layer, reads, writes), run in zip(self.graph.steps, self.runs, strict=True):
            run.wants_dx = any(wants[slot] for slot in reads)
            learns = run.wants_dx or (run.trains and bool(layer.trainable_variables))
            wants.update(dict.fromkeys(writes, learns))
        self._input_wants = input_wants

    def forward(self, inputs, training=False, masks=None, logits=False, wants_dx=False):
        """The outputs (plain arrays) and their masks, as two lists in the order of the graph's outputs.

        logits: the last layer leaves out its activation.
        """
        graph = self.graph
        if wants_dx is not self._input_wants:
            self._set_wants(wants_dx)
        values = list(inputs) + [None] * (len(graph.tensors) - len(inputs))
        marks = (list(masks) if masks else [None] * len(inputs)) + [None] * (len(graph.tensors) - len(inputs))
        tape = self._tape = []
        self.penalty = 0.0
        self.runs[-1].logits = logits
        for (layer, reads, writes), run in zip(graph.steps, self.runs):  # noqa: B905 (equal by construction, hot)
            run.training = training
            if len(reads) == 1:
                x, mask = values[reads[0]], marks[reads[0]]
            else:
                x, mask = [values[slot] for slot in reads], [marks[slot] for slot in reads]
            run.mask = mask[0] if type(mask) is list else mask
            y, backward = layer.forward(x, run)
            mask = layer.compute_mask(x, mask) if run.output_masks is None else run.output_masks
            if layer.activity_regularizer is not None:
                y, backward = self._with_penalty(layer, y, backward, run)
            if len(writes) == 1:
                values[writes[0]], marks[writes[0]] = y, mask[0] if type(mask) is list else mask
            else:
                for slot, value, mark in zip(writes, y, mask or [None] * len(writes), strict=True):
                    values[slot], marks[slot] = value, mark
            tape.append((reads, writes, backward))
        return self._outputs(values), [marks[slot] for slot in graph.output_slots]

    def _outputs(self, values):
        """The output slots as arrays. Rows turn dense in the last site's buffers, and their gradient is taken back."""
        outputs = []
        for slot in self.graph.output_slots:
            y, back = dense(values[slot], self.runs[-1], "output")
            if y is not values[slot]:
                self._tape.append(([slot], [slot], back))
            outputs.append(y)
        return outputs

    def _with_penalty(self, layer, y, backward, run):
        """Adds the penalty of the layer's output to the loss, and its gradient to what comes back."""
        y, back = dense(y, run, "penalised")
        slope = np.zeros_like(y)
        self.penalty += layer.activity_regularizer.value_and_gradient(y, slope)
        return y, lambda dy: backward(back(dy + slope))

    def backward(self, gradients):
        """Takes the gradients of the outputs back through the pass. Returns those of the inputs where asked for."""
        grads = [None] * len(self.graph.tensors)
        for slot, gradient in zip(self.graph.output_slots, gradients):  # noqa: B905 (equal by construction, hot)
            grads[slot] = gradient if grads[slot] is None else grads[slot] + gradient
        for reads, writes, backward in reversed(self._tape):
            dy = grads[writes[0]] if len(writes) == 1 else [grads[slot] for slot in writes]
            if len(writes) == 1:
                if dy is None:
                    continue
                grads[writes[0]] = None
            elif all(g is None for g in dy):
                continue
            dx = backward(dy)
            if len(reads) == 1:
                slot = reads[0]
                grads[slot] = dx if grads[slot] is None else _sum(grads[slot], dx)
            else:
                for slot, part in zip(reads, dx, strict=True):
                    grads[slot] = part if grads[slot] is None else _sum(grads[slot], part)
        return [grads[slot] for slot in self.graph.input_slots]


def _sum(a, b):
    return a if b is None else a + b
