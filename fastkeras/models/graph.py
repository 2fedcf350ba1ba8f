"""The graph of a model: call sites in topological order, and one pass through them, forward and back."""

import numpy as np

from fastkeras.core.rows import Rows, dense
from fastkeras.core.run import Run
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.layers.core import InputLayer
from fastkeras.layers.layer import CallSite
from fastkeras.layers.penalties import with_penalty
from fastkeras.models.mask_operations import with_mask_operations


class Graph:
    """The call sites between some symbolic inputs and outputs, in an order in which each follows its inputs.

    losses: further symbolic tensors, whose means are added to the loss.

    Every symbolic tensor has a slot; a step is (layer, the slots it reads, the slots it writes). layers: all of them,
    the InputLayer of each input too, in Keras's order.
    """

    def __init__(self, inputs, outputs, losses=()):
        self.inputs, self.outputs, self.losses = list(inputs), list(outputs), list(losses)
        for tensor in self.inputs + self.outputs + self.losses:
            if not isinstance(tensor, SymbolicTensor):
                raise ValueError(
                    "Model: expected what keras.Input gives as inputs, and what layers give that were called on it as "
                    f"outputs. Received: {tensor!r:.200}"
                )
        self._slots = {id(tensor): slot for slot, tensor in enumerate(self.inputs)}
        self.tensors = list(self.inputs)
        self.sites = []
        for tensor in self.outputs + self.losses:
            self._visit(tensor)
        self.steps = [
            (site.layer, [self._slots[id(t)] for t in site.inputs], [self._slots[id(t)] for t in site.outputs])
            for site in self.sites
        ]
        self.input_slots = list(range(len(self.inputs)))
        self.input_layers = [[layer for layer, reads, _ in self.steps if slot in reads] for slot in self.input_slots]
        self.sole_readers = [[layer for layer, reads, _ in self.steps if reads == [slot]] for slot in self.input_slots]
        self.input_dtypes = [
            _common_dtype(tensor, self._readers(slot))
            for tensor, slot in zip(self.inputs, self.input_slots, strict=True)
        ]
        self.output_slots = [self._slots[id(t)] for t in self.outputs]
        self.loss_slots = [self._slots[id(t)] for t in self.losses]
        self.sources = [InputLayer.of(tensor) for tensor in self.inputs]
        self.layers = self._layers_as_keras_orders_them()

    def _readers(self, slot):
        """(layer, what it takes arrays as there) for each place where a slot is read"""
        return [
            (layer, dtype)
            for site, (layer, reads, _) in zip(self.sites, self.steps, strict=True)
            for read, dtype in zip(reads, _input_dtypes(site), strict=True)
            if read == slot
        ]

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

    def _layers_as_keras_orders_them(self):
        """Each layer once: the farther from the outputs, the earlier. Files and `model.layers[i]` rely on this order.

        At the same distance, in the order in which a walk back from the outputs first meets them; inputs that nothing
        depends on come before the outputs. The operations that make masks count, as they do in Keras 3 alone: the order
        of tf_keras is another where layers lie before a mask's making and beside it.
        """
        far, distance = {}, dict.fromkeys(self.sources, 0)  # the longest way from a tensor's slot, and from a layer
        for layer, reads, writes in reversed(with_mask_operations(self.steps, len(self.tensors), self._told_masks())):
            if layer is None and writes[0] not in far:
                continue  # a mask that nobody reads is not in Keras's graph
            d = max(distance.get(layer, 0), *(far.get(slot, 0) for slot in writes))
            if layer is not None:
                distance[layer] = d
            far.update((slot, max(far.get(slot, 0), d + 1)) for slot in reads)
        for slot, layer in enumerate(self.sources):
            distance[layer] = far.get(slot, 0)
        met, seen, stack = {}, set(), (self.output_slots + self.loss_slots)[::-1]
        makers = {slot: (layer, [], [slot]) for slot, layer in enumerate(self.sources)}
        makers.update((slot, step) for step in self.steps for slot in step[2])
        while stack:
            slot = stack.pop()
            if slot not in seen:
                layer, reads, writes = makers[slot]
                met.setdefault(layer, len(met))
                seen.update(writes)
                stack += reads[::-1]
        return sorted(distance, key=lambda layer: (-distance[layer], met.get(layer, -1)))

    def _told_masks(self):
        """{number of a step: the slots, or None, of the masks that its call gave its inputs}"""
        return {
            number: [None if n is None else reads[n] for n in site.masks]
            for number, (site, (_, reads, _)) in enumerate(zip(self.sites, self.steps, strict=True))
            if site.masks is not None
        }

    @property
    def is_told_masks(self):
        """Whether a call in the graph was given masks."""
        return any(site.masks is not None for site in self.sites)

    def order_layers(self, names):
        """Puts `layers` in the order of these names, that of the model they were read from: its weights lie in it."""
        places = {name: place for place, name in enumerate(names)}
        self.layers.sort(key=lambda layer: places.get(layer.name, len(places)))

    def unpooled(self):
        """For each step, whether its layer may leave its output Unpooled: the layer can, and one reads it that can too,
        and nothing else does."""
        readers = {slot: [] for slot in range(len(self.tensors))}
        for site, (layer, reads, _) in zip(self.sites, self.steps, strict=True):
            for slot in reads:
                readers[slot].append(layer.takes_unpooled and site.masks is None)
        for slot in self.output_slots + self.loss_slots:
            readers[slot].append(False)
        return [layer.can_give_unpooled and readers[writes[0]] == [True] for layer, _, writes in self.steps]

    def __reduce__(self):
        inputs = [(t.shape, t.dtype, t.name, None, t.declared) for t in self.inputs]
        calls = [
            (layer, reads, [t.shape for t in site.outputs], site.keywords)
            for site, (layer, reads, _) in zip(self.sites, self.steps, strict=True)
        ]
        order = [self.layers.index(layer) for layer in self._layers_as_keras_orders_them()]
        return _replayed, (inputs, calls, self.output_slots, self.loss_slots, order)


def _input_dtypes(site):
    """What a call's layer takes arrays as for each of the inputs, its masks last."""
    given = len(site.inputs) if site.masks is None else len(site.masks)
    return [*site.layer.input_dtypes(given), *["float32"] * (len(site.inputs) - given)]


def _common_dtype(tensor, readers):
    """int32 or string if every layer that reads an input takes ids or texts there, else float32. Code of the user's own
    takes what the input was declared to be. readers: pairs of a layer and what it takes."""
    given = tensor.dtype_for_call
    wanted = {
        given if layer.call is not None and (given == "string" or own == "float32") else own for layer, own in readers
    }
    return wanted.pop() if len(wanted) == 1 else "float32"


def _replayed(inputs, calls, output_slots, loss_slots, order=None):
    """A graph from what its `__reduce__` gave: for pickle and copy. order: the place of each layer, if it is kept."""
    tensors = [SymbolicTensor(*described) for described in inputs]
    for layer, reads, shapes, keywords in calls:
        site = CallSite(layer, [tensors[slot] for slot in reads], shapes, keywords)
        layer.sites.append(site)
        tensors += site.outputs
    ends = ([tensors[slot] for slot in slots] for slots in (output_slots, loss_slots))
    graph = Graph(tensors[: len(inputs)], *ends)
    if order is not None:
        graph.layers = [layer for _, layer in sorted(zip(order, graph.layers, strict=True), key=lambda pair: pair[0])]
    return graph


class _ToldMasks:
    """A layer where its call gave it masks, in the steps of a pass: the last inputs are no inputs, but the masks.

    masks: the number of its mask among all inputs, or None, for each input of the layer; run: that of the call site.
    """

    def __init__(self, layer, masks, run):
        self._layer, self._masks, self._run = layer, masks, run
        self.activity_regularizer = layer.activity_regularizer

    def forward(self, x, run):
        masks = [None if n is None else dense(x[n], run, f"mask_{n}")[0] != 0 for n in self._masks]
        count = len(masks)
        run.masks, run.mask = masks if count > 1 else None, masks[0]
        y, layer_backward = self._layer.forward(x[:count] if count > 1 else x[0], run)

        def backward(dy):
            dx = layer_backward(dy)
            return [*(dx if count > 1 else [dx]), *[None] * (len(x) - count)]

        return y, backward

    def compute_mask(self, x, mask):
        count = len(self._masks)
        given = (x[:count], self._run.masks) if count > 1 else (x[0], self._run.mask)
        return self._layer.compute_mask(*given)


class Pass:
    """One walk through a graph: the buffers of its call sites, and after `forward` the closures that lead back.

    trained: the layers whose weights take part in training. A pass serves one thread at a time.
    """

    def __init__(self, graph, trained=()):
        self.graph = graph
        self._losses = []  # what the layers add to the loss, as their runs collect it
        self.runs = [
            Run(trains=site.layer in trained, trained=trained, losses=self._losses, keywords=site.keywords)
            for site in graph.sites
        ]
        # A step's slots: an int where there is one, as nearly always, else a list.
        self._steps = [
            (
                layer if site.masks is None else _ToldMasks(layer, site.masks, run),
                run,
                _one_or_all(reads),
                _one_or_all(writes),
            )
            for site, (layer, reads, writes), run in zip(graph.sites, graph.steps, self.runs, strict=True)
        ]
        self._led = []  # the runs that train where the model does
        for site, run in zip(graph.sites, self.runs, strict=True):
            if site.training is None:
                self._led.append(run)
            else:
                run.training = site.training
        self._makes_masks = graph.is_told_masks or any(_makes_masks(layer) for layer in graph.layers)
        for run, unpooled in zip(self.runs, graph.unpooled(), strict=True):
            run.unpooled = unpooled
        self._unknown = [None] * (len(graph.tensors) - len(graph.inputs))  # the values that a pass finds
        self._unmasked = [None] * len(graph.outputs)
        self._named_outputs = [(slot, f"output_{slot}") for slot in graph.output_slots]
        self._around = [run for site, run in zip(graph.sites, self.runs, strict=True) if site.layer.sublayers()]
        self.loss_run = Run()  # the buffers of the loss
        self.ends = tuple(i for i, (_, _, writes) in enumerate(graph.steps) if set(writes) & set(graph.output_slots))
        self._same_weights = None
        self.forget()
        self._training = False
        self._masked = False
        self._logits = ()
        self._set_wants(False)

    @property
    def penalty(self):
        """What the layers add to the loss of the last batch."""
        return sum(self._losses)

    def _set_wants(self, input_wants):
        """A layer must return its input's gradient only if something before it learns, or the caller asks for it."""
        wants = dict.fromkeys(self.graph.input_slots, input_wants)
        for (layer, reads, writes), run in zip(self.graph.steps, self.runs, strict=True):
            run.wants_dx = any(wants[slot] for slot in reads)
            learns = run.wants_dx or _learns(layer, run.trained)
            wants.update(dict.fromkeys(writes, learns))
        self._input_wants = input_wants

    def forward(self, inputs, training=False, masks=None, logits=(), wants_dx=False):
        """The outputs (plain arrays) and their masks, as two lists in the order of the graph's outputs.

        logits: the numbers of the steps whose layers leave out their activation. wants_dx: `backward` is to return the
        inputs' gradients.
        """
        if wants_dx is not self._input_wants:
            self._set_wants(wants_dx)
        if training is not self._training:
            self._training = training
            for run in self._led:
                run.training = training
        if logits is not self._logits:
            self._logits = logits
            for number, run in enumerate(self.runs):
                run.logits = number in logits
        values = [*inputs, *self._unknown]
        masked = self._makes_masks or masks is not None
        if masked is not self._masked:
            self._masked = masked
            for run in self.runs:
                run.mask = run.masks = None
        if masked:
            marks = [*(masks or [None] * len(inputs)), *self._unknown]
        tape = self._tape = []
        losses = self._losses
        losses.clear()
        for layer, run, read, write in self._steps:
            added = len(losses)
            x = values[read] if type(read) is int else [values[slot] for slot in read]
            if masked:
                if type(read) is int:
                    mask = run.mask = marks[read]
                else:
                    mask = run.masks = [marks[slot] for slot in read]
                    run.mask = mask[0]
            y, backward = layer.forward(x, run)
            if masked:
                self._mark(marks, write, layer.compute_mask(x, mask) if run.output_masks is None else run.output_masks)
            if layer.activity_regularizer is not None:
                y, backward = with_penalty(layer, y, backward, run)
            if type(write) is int:
                values[write] = y
            else:
                for slot, value in zip(write, y, strict=True):
                    values[slot] = value
            tape.append((read, write, backward, y if len(losses) > added else None))
        if self.graph.loss_slots:
            self._add_means(values)
        of_outputs = [marks[slot] for slot in self.graph.output_slots] if masked else self._unmasked
        return self._outputs(values), of_outputs

    def expect_same_weights(self, same):
        """same: a SameWeights for the batches to come, until `forget`; or None."""
        if same is not self._same_weights:
            self._same_weights = same
            for run in self.runs:
                run.same_weights = same

    def forget(self):
        """Gives up what leads back, here and in the models inside, and with it the data of the last batch."""
        self.expect_same_weights(None)
        self._tape = self._output_backs = self._loss_backs = ()
        for run in self._around:
            run.forget()

    @staticmethod
    def _mark(marks, write, mask):
        if type(write) is int:
            marks[write] = mask[0] if type(mask) is list else mask
        elif mask is not None:
            for slot, mark in zip(write, mask, strict=True):
                marks[slot] = mark

    def _add_means(self, values):
        """Adds the means of the graph's losses to the loss, and keeps what leads their gradients back."""
        self._loss_backs = []
        for slot in self.graph.loss_slots:
            y, back = dense(values[slot], self.loss_run, f"loss_{slot}")
            self._losses.append(float(y.mean()))
            self._loss_backs.append((slot, back, np.full(y.shape, 1 / y.size, np.float32)))

    def _outputs(self, values):
        """The outputs as plain arrays; what leads their gradients back to the form they came in is kept."""
        outputs, self._output_backs = [], []
        for slot, name in self._named_outputs:
            y, back = dense(values[slot], self.loss_run, name)
            outputs.append(y)
            self._output_backs.append(back)
        return outputs

    def backward(self, gradients):
        """Takes the gradients of the outputs (None where there is none) back through the pass. Returns those of the
        inputs where asked for."""
        grads = [None] * len(self.graph.tensors)
        for slot, back, gradient in zip(self.graph.output_slots, self._output_backs, gradients, strict=True):
            _add(grads, slot, None if gradient is None else back(gradient))
        for slot, back, gradient in self._loss_backs:
            _add(grads, slot, back(gradient))
        for read, write, backward, penalised in reversed(self._tape):
            dy = grads[write] if type(write) is int else [grads[slot] for slot in write]
            if dy is None or (type(dy) is list and all(part is None for part in dy)):
                if penalised is None:
                    continue
                dy = _zeros(penalised)  # the layer has added to the loss, and knows that gradient
            dx = backward(dy)
            if type(read) is int:
                _add(grads, read, dx)
            else:
                for i, (slot, part) in enumerate(zip(read, dx, strict=True)):
                    # Whoever receives a gradient may overwrite it: one array given for two inputs becomes two.
                    shared = part is not None and any(part is other for other in dx[:i])
                    _add(grads, slot, part.copy() if shared else part)
        return [grads[slot] for slot in self.graph.input_slots]


def _learns(layer, trained):
    """Whether training changes a weight of the layer or of one inside it. `trained` says so, not what the layers are
    set to now: that may have changed since the model was compiled."""
    return layer in trained and (
        any(v.trainable for v in layer._variables) or any(_learns(inner, trained) for inner in layer.sublayers())
    )


def _makes_masks(layer):
    return layer.makes_masks() or any(_makes_masks(inner) for inner in layer.sublayers())


def _zeros(y):
    """The gradient of an output that nothing depends on."""
    if type(y) is list:
        return [_zeros(part) for part in y]
    return np.zeros_like(y.values if type(y) is Rows else y)


def _one_or_all(slots):
    return slots[0] if len(slots) == 1 else slots


def _add(grads, slot, gradient):
    """A tensor that several call sites read receives the sum of their gradients."""
    if grads[slot] is None:
        grads[slot] = gradient
    elif gradient is not None:
        grads[slot] = grads[slot] + gradient
