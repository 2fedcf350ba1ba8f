"""Compiled: what model.compile() settled, bound to the model's graph when that exists."""

from fastkeras import losses, metrics, optimizers
from fastkeras.utils import suggest

# Keras arguments that say how to run, not what to compute; there is one way here.
_ACCEPTED = {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"}


def _flat(items):
    if items is None:
        return []
    return [m for item in items for m in _flat(item)] if isinstance(items, (list, tuple)) else [items]


def _only(name, value):
    """The one item of a list or dict with one entry per output."""
    if isinstance(value, (list, tuple, dict)):
        items = list(value.values()) if isinstance(value, dict) else list(value)
        if len(items) != 1:
            raise ValueError(f"compile: `{name}` must have one entry, for the one output. Received: {value!r}")
        return items[0]
    return value


class Compiled:
    """The optimizer, loss and metrics of a model.

    trained_layers: the layers whose weights the optimizer changes: those that were trainable when the model was
    compiled (or, if it was not built then, when it first was).
    """

    def __init__(self, optimizer, loss, metric_list=None, loss_weights=None, weighted_metrics=None, **kwargs):
        for name in kwargs:
            if name not in _ACCEPTED:
                known = {*_ACCEPTED, "optimizer", "loss", "metrics", "loss_weights", "weighted_metrics"}
                raise TypeError(suggest.unknown("argument of compile", name, known))
        self.optimizer = optimizers.get(optimizer)
        self.loss_given = loss
        self.loss = None if loss is None else losses.get(_only("loss", loss))
        self.loss_weight = 1.0 if loss_weights is None else float(_only("loss_weights", loss_weights))
        self.metrics_given = _flat(metric_list if not isinstance(metric_list, dict) else list(metric_list.values()))
        self.weighted_given = _flat(weighted_metrics)
        self.metrics = None  # (key, metric, whether sample weights count), once the shape of the targets is known
        self.trained_layers = frozenset()
        self.regularized = []
        self.fuses = False  # whether the last layer leaves its activation to the loss
        self._graph = None

    # --- the model -------------------------------------------------------------------------------------------------

    def bind(self, model):
        """Makes everything that depends on the model's layers; does nothing if that has been done for this graph."""
        if model.graph is self._graph:
            return
        self._graph = model.require_graph()
        model.pack_variables()
        self.trained_layers = frozenset(_trainable_leaves(model))
        trained = list(model.trainable_variables)
        self.optimizer.build(trained)
        self.regularized = [v for v in trained if v.regularizer is not None]
        self.penalised = [v for v in model.variables if v.regularizer is not None]
        self.fuses = self.loss is not None and _ends_in(model, self.loss.fuses_with)

    def bind_metrics(self, y_shape, output_shape):
        """Makes the metrics, now that it is known which accuracy 'accuracy' means."""
        if self.metrics is None:
            self.metrics = [
                (metrics.key(given), metrics.get(given, y_shape, output_shape), weighted)
                for group, weighted in ((self.metrics_given, False), (self.weighted_given, True))
                for given in group
            ]

    @property
    def names(self):
        return ["loss"] + [metrics.key(given) for given in self.metrics_given + self.weighted_given]


def _trainable_leaves(layer):
    if not layer.trainable:
        return
    yield layer
    for inner in layer.sublayers():
        yield from _trainable_leaves(inner)


def _ends_in(model, activation):
    """Whether the model's output is `activation` (softmax, sigmoid) of its last layer, which can leave it out."""
    if activation is None or len(model.graph.outputs) != 1:
        return False
    last = model.graph.steps[-1][0]
    inner = getattr(last, "graph", None)
    if inner is not None:
        return _ends_in(last, activation)
    own = getattr(last, "activation", None)
    return getattr(own, "name", None) == activation and last.activity_regularizer is None and last.can_give_logits
