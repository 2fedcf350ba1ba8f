"""Compiled: what model.compile() settled, bound to the model's graph when that exists."""

from functools import cached_property

from fastkeras import losses, metrics, optimizers
from fastkeras.layers.crf import Decoding
from fastkeras.layers.inside import learning
from fastkeras.training.heads import Head, by_output, flat, metrics_by_output, unique_keys
from fastkeras.training.own import Scores
from fastkeras.utils import suggest

# Keras arguments that say how to run, not what to compute; there is one way here.
_ACCEPTED = {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"}

_ANY = (None, 1)  # a shape that any metric accepts


class Compiled:
    """The optimizer of a model, and the losses and metrics of its outputs.

    heads: one for each output of the model, once its graph exists. trained_layers: the layers whose weights the
    optimizer changes: those that were trainable when the model was compiled (or, if it was not built then, when it
    first was). logits: the numbers of the graph's steps that leave out their activation for the loss.
    """

    def __init__(self, optimizer, loss, metric_list=None, loss_weights=None, weighted_metrics=None, **kwargs):
        for name in kwargs:
            if name not in _ACCEPTED:
                known = {*_ACCEPTED, "optimizer", "loss", "metrics", "loss_weights", "weighted_metrics"}
                raise TypeError(suggest.unknown("argument of compile", name, known))
        self.optimizer = optimizers.get(optimizer)
        self.loss_given, self.loss_weights = loss, loss_weights
        self.metrics_given, self.weighted_metrics_given = metric_list, weighted_metrics
        self.has_loss = any(losses.get(given) is not None for given in flat(loss))  # what is unknown is refused here
        for given in flat(metric_list) + flat(weighted_metrics):  # and here
            metrics.get(given, _ANY, _ANY)
        self.heads = []
        self.running = {}  # the meters that train_on_batch and test_on_batch go on with
        self.trained_layers = frozenset()
        self.regularized = []  # the trained weights with a penalty
        self.logits = ()
        self.advised = False  # whether model, loss and data have been looked at together (training/advice.py)
        self._reported = []
        self._graph = None
        self._trained = []

    # --- the model -------------------------------------------------------------------------------------------------

    def bind(self, model):
        """Makes everything that depends on the model's layers; does nothing if that has been done for this graph."""
        if model.graph is self._graph:
            return
        graph = model.require_graph()
        keys = model.output_keys
        self.heads = self.make_heads(sorted(keys) if keys else _unique(model.output_names))
        self._reported = self._in_reported_order(keys)
        self._graph, self.running = graph, {}
        self.advised = False
        model.pack_variables()
        self.trained_layers = frozenset(learning(model))
        self._trained = list(model.trainable_variables)
        self.optimizer.turn_to(self._trained)
        self.clear_gradients()  # a weight that was frozen until now may have some
        self.regularized = [v for v in self._trained if v.regularizer is not None]
        leaving = []
        for head, slot in zip(self.heads, graph.output_slots, strict=True):
            if head.loss is not None and head.loss.fuses_with is not None:
                number, head.left_out = _last_activation(graph, slot, head.loss.fuses_with)
                leaving += [number] if head.left_out else []
                if isinstance(head.left_out, Decoding):
                    layer = head.left_out.layer
                    head.left_out = Decoding(layer, layer in self.trained_layers)
        self.logits = tuple(leaving)

    def make_heads(self, names):
        """The heads of outputs with these names."""
        given = [losses.get(loss) for loss in by_output("compile: `loss`", self.loss_given, names)]
        weights = by_output("compile: `loss_weights`", self.loss_weights, names)
        plain = metrics_by_output("compile: `metrics`", self.metrics_given, names)
        weighted = metrics_by_output("compile: `weighted_metrics`", self.weighted_metrics_given, names)
        heads = []
        for i, name in enumerate(names):
            weight = 1.0 if weights[i] is None else float(weights[i])
            heads.append(Head(name, given[i], weight, _with_weighting(plain[i], weighted[i]), alone=len(names) == 1))
        return heads

    def _in_reported_order(self, keys):
        """The heads with a loss; if the outputs are a dict, in the order of that of the losses, else of these keys."""
        heads = {head.name: head for head in self.heads}
        order = (list(self.loss_given) if isinstance(self.loss_given, dict) else keys) if keys else heads
        return [heads[name] for name in order if heads[name].loss is not None]

    @cached_property
    def scores(self):
        """The loss and metrics for steps of the user's own."""
        return Scores(self)

    @property
    def losses_apart(self):
        """The heads whose losses are reported one by one: all with a loss, if they are several."""
        return self._reported if len(self._reported) > 1 else []

    @property
    def metrics(self):
        """(key, metric, whether sample weights count), in the order they are reported in: with several outputs that
        of the alphabet, as in Keras. Before the model has seen data there are none."""
        made = [item for head in self.heads for item in head.metrics or ()]
        return made if len(self.heads) == 1 else sorted(made, key=lambda item: item[0])

    @property
    def names(self):
        """Under which names the loss and the metrics are reported, in that order."""
        if not self.heads:
            listed = [(m, False) for m in flat(self.metrics_given)] + [
                (m, True) for m in flat(self.weighted_metrics_given)
            ]
            return ["loss", *unique_keys(listed)]
        keys = [key for head in self.heads for key in head.keys]
        return ["loss", *(h.loss_key for h in self.losses_apart), *(keys if len(self.heads) == 1 else sorted(keys))]

    def optimizer_of(self, model):
        """The optimizer, turned to this model's weights: it may have trained others since."""
        if self._graph is not None:
            self.optimizer.turn_to(self._trained)
        elif self.optimizer.built:  # by the steps of a model whose `call` is its own
            self.optimizer.turn_to(model.trainable_variables)
        return self.optimizer

    def clear_gradients(self):
        """Forgets what a step that failed has added."""
        for variable in self._trained:
            variable.grad.fill(0.0)

    # --- copies and files ------------------------------------------------------------------------------------------

    def arguments(self):
        """What compile() was given, with the optimizer it made of it."""
        return {
            "optimizer": self.optimizer,
            "loss": self.loss_given,
            "metrics": self.metrics_given,
            "loss_weights": self.loss_weights,
            "weighted_metrics": self.weighted_metrics_given,
        }


def _with_weighting(plain, weighted):
    """(metric, whether sample weights count) for each of the metrics."""
    return [(metric, False) for metric in flat(plain)] + [(metric, True) for metric in flat(weighted)]


def _unique(names):
    """The names of outputs, the second one of a layer that is called twice with a number."""
    return [f"{name}_{names[:i].count(name)}" if name in names[:i] else name for i, name in enumerate(names)]


_INTERCHANGEABLE = ({"sigmoid", "softmax", "any crossentropy"}, {"crf"})


def _last_activation(graph, slot, fuses_with):
    """(the number of the step that makes the output in this slot, the activation that it ends in). The latter is None
    if it is none for a loss that fuses with `fuses_with`, the layer cannot leave it out, or something else reads the
    output.

    As in Keras, any crossentropy is computed from what is under either of them, even under the one that does not
    belong to it.
    """
    number, layer = next(
        ((i, layer) for i, (layer, _, writes) in enumerate(graph.steps) if writes == [slot]), (0, None)
    )
    readers = graph.output_slots.count(slot) + graph.loss_slots.count(slot)
    if layer is None or readers > 1 or any(slot in reads for _, reads, _ in graph.steps):
        return number, None
    layer, _, writes = graph.steps[number]
    if layer.is_model and layer.graph is not None and len(writes) == 1:
        return number, _last_activation(layer.graph, layer.graph.output_slots[0], fuses_with)[1]
    activation = getattr(layer, "activation", None)
    ends_so = any({getattr(activation, "name", None), fuses_with} <= group for group in _INTERCHANGEABLE)
    gives_logits = vars(type(layer)).get("can_give_logits", False)  # a subclass may do more than the class it extends
    return number, activation if ends_so and gives_logits and layer.activity_regularizer is None else None
