"""Compiled: what model.compile() settled, bound to the model's graph when that exists."""

import itertools

from fastkeras import losses, metrics, optimizers
from fastkeras.utils import suggest

# Keras arguments that say how to run, not what to compute; there is one way here.
_ACCEPTED = {"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"}

_ANY = (None, 1)  # a shape that any metric accepts


def _flat(items):
    """One item, a (nested) list, or a dict by output, as a flat list."""
    if items is None:
        return []
    if isinstance(items, dict):
        items = list(items.values())
    return [m for item in items for m in _flat(item)] if isinstance(items, (list, tuple)) else [items]


def _unique_keys(given_metrics):
    """The names the metrics are reported under: the second "acc" is acc_1, or weighted_acc if sample weights count."""
    keys = []
    for given, weighted in given_metrics:
        key = metrics.key(given)
        if key in keys and weighted and f"weighted_{key}" not in keys:
            key = f"weighted_{key}"
        elif key in keys:
            key = next(f"{key}_{i}" for i in itertools.count(1) if f"{key}_{i}" not in keys)
        keys.append(key)
    return keys


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
        self._given_metrics = [(given, False) for given in _flat(metric_list)]
        self._given_metrics += [(given, True) for given in _flat(weighted_metrics)]
        for given, _ in self._given_metrics:
            metrics.get(given, _ANY, _ANY)  # so that an unknown one is refused here
        self.names = ["loss", *_unique_keys(self._given_metrics)]
        self.metrics = None  # (key, metric, whether sample weights count), once the shape of the targets is known
        self.running = None  # the meters that train_on_batch and test_on_batch go on with
        self.trained_layers = frozenset()
        self.regularized = []  # the trained weights with a penalty
        self.left_out = None  # the last layer's activation, if the loss is computed from what is under it
        self.fuses = False  # whether there is one
        self._graph = None
        self._trained = []

    # --- the model -------------------------------------------------------------------------------------------------

    def bind(self, model):
        """Makes everything that depends on the model's layers; does nothing if that has been done for this graph."""
        if model.graph is self._graph:
            return
        self._graph, self.metrics = model.require_graph(), None
        model.pack_variables()
        self.trained_layers = frozenset(_trainable_leaves(model))
        self._trained = list(model.trainable_variables)
        self.optimizer.build(self._trained)
        self.clear_gradients()  # a weight that was frozen until now may have some
        self.regularized = [v for v in self._trained if v.regularizer is not None]
        fusible = self.loss is not None and self.loss.fuses_with is not None
        self.left_out = _last_activation(model) if fusible else None
        self.fuses = self.left_out is not None

    def bind_metrics(self, y_shape, output_shape):
        """Makes the metrics, now that it is known which accuracy 'accuracy' means."""
        if self.metrics is None:
            made = [metrics.get(given, y_shape, output_shape) for given, _ in self._given_metrics]
            weighted = [by_weight for _, by_weight in self._given_metrics]
            self.metrics = list(zip(self.names[1:], made, weighted, strict=True))

    @property
    def owns_optimizer(self):
        """Whether the optimizer has not been compiled into another model since, whose weights it changes now."""
        return self.optimizer.is_built_for(self._trained)

    def require_optimizer(self, model):
        """The optimizer; a ValueError if it is another model's now."""
        if not self.owns_optimizer:
            raise ValueError(
                f"Model '{model.name}': its optimizer was compiled into another model since, and cannot train both; "
                f"give each model one of its own. Received: {self.optimizer}"
            )
        return self.optimizer

    def clear_gradients(self):
        """Forgets what a step that failed has added."""
        for variable in self._trained:
            variable.grad.fill(0.0)

    # --- copies and files ------------------------------------------------------------------------------------------

    def arguments(self):
        """What compile() was given, with the objects it made of it."""
        return {
            "optimizer": self.optimizer,
            "loss": self.loss_given,
            "metrics": [given for given, by_weight in self._given_metrics if not by_weight],
            "loss_weights": None if self.loss_weight == 1 else self.loss_weight,
            "weighted_metrics": [given for given, by_weight in self._given_metrics if by_weight],
        }


def _trainable_leaves(layer):
    if not layer.trainable:
        return
    yield layer
    for inner in layer.sublayers():
        yield from _trainable_leaves(inner)


def _last_activation(model):
    """The softmax or sigmoid that the model ends in, if its last layer can leave it out, else None.

    As in Keras, any crossentropy is computed from what is under either of them, even under the one that does not
    belong to it.
    """
    if len(model.graph.outputs) != 1:
        return None
    last = model.graph.steps[-1][0]
    if getattr(last, "graph", None) is not None:
        return _last_activation(last)
    activation = getattr(last, "activation", None)
    ends_so = getattr(activation, "name", None) in ("sigmoid", "softmax")
    gives_logits = vars(type(last)).get("can_give_logits", False)  # a subclass may do more than the class it extends
    return activation if ends_so and gives_logits and last.activity_regularizer is None else None
