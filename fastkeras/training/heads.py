"""Heads: what compile() settled for each output of a model, and what people give per output in the order of outputs.

A head has its output's name: the key, if the outputs are a dict, else the name of the layer. The loss and metrics of
the only output are reported as loss and acc; of several, as <name>_loss and <name>_acc.
"""

import copy
import itertools
import math

from fastkeras import metrics
from fastkeras.utils import suggest


class Head:
    """One output in training: its loss (or None), the factor on that, and its metrics.

    given: (what compile() was given as a metric, whether sample weights count), for each of its metrics; keys: the
    names they are reported under. metrics: (key, Metric, whether sample weights count), once it is known what shape
    the targets have. left_out: the activation of the output, if the loss is computed from what is under it, else None.
    """

    def __init__(self, name, loss, weight, given, alone=True):
        self.name, self.loss, self.weight, self.given = name, loss, weight, given
        self._alone = alone
        self._prefix = "" if alone else f"{name}_"
        self.loss_key = f"{self._prefix}loss"
        self.keys = [f"{self._prefix}{key}" for key in unique_keys(given)]
        self.metrics = None
        self.left_out = None

    def own_key(self, key):
        """The key of a metric without the output's name."""
        return key.removeprefix(self._prefix)

    def called(self, argument):
        """What errors call this output's part of an argument: y, or y['name']."""
        return argument if self._alone else f"{argument}['{self.name}']"

    @property
    def wants_targets(self):
        """Whether there is something to compare the output with its targets for."""
        return self.loss is not None or len(self.given) > 0

    def bind_metrics(self, y_shape, output_shape, targets=None):
        """Makes the metrics, now that it is known which accuracy 'accuracy' means.

        targets: as the loss prepared them, if it did. A metric that cannot take them says so here, by a ValueError,
        before any layer has seen the batch; then no metrics are bound.
        """
        bound = self.metrics
        if bound is None:
            bound = [
                (key, metrics.get(given, y_shape, output_shape), weighted)
                for key, (given, weighted) in zip(self.keys, self.given, strict=True)
            ]
        if targets is not None and len(output_shape) > 1 and None not in output_shape:
            rows = math.prod(output_shape[:-1]), output_shape[-1]
            for _, metric, _ in bound:
                metric.as_rows(targets, rows)
        self.metrics = bound


def unique_keys(given_metrics):
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


def flat(items):
    """One item, a (nested) list, or a dict by output, as a flat list; None is no item."""
    if items is None:
        return []
    if isinstance(items, dict) and "class_name" not in items:
        items = list(items.values())
    return [m for item in items for m in flat(item)] if isinstance(items, (list, tuple)) else [items]


def by_output(what, given, names, missing=None):
    """What is given by output, as a list in the order of `names`; what stands for all outputs is repeated.

    given: a dict by name, which may leave out some (they get `missing`), a list or tuple with an item for each output,
    or anything else, for all of them.
    """
    if isinstance(given, dict) and "class_name" not in given:
        for name in given:
            if name not in names:
                raise ValueError(suggest.unknown(f"output in {what}", name, names))
        return [given.get(name, missing) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            received = f"{len(given)} in {given!r:.200}"
            raise ValueError(f"{what} must have one entry for each output, {names}. Received: {received}")
        return list(given)
    return [given] * len(names)


def metrics_by_output(what, given, names):
    """The metrics of each output as flat lists. A plain list of another length than there are outputs holds for each
    of them, as in Keras 2; each then has metrics of its own."""
    if len(names) == 1:
        return [flat(given)]
    plain = not isinstance(given, dict) and not any(isinstance(item, (list, tuple, dict)) for item in given or [])
    if given is None or (plain and (not isinstance(given, (list, tuple)) or len(given) != len(names))):
        return [[copy.deepcopy(metric) for metric in flat(given)] for _ in names]
    return [flat(item) for item in by_output(what, given, names)]
