"""Monitor: the base of the callbacks that watch one loss or metric."""

import math
import numbers

from fastkeras.callbacks.callback import Callback
from fastkeras.callbacks.names import resolve
from fastkeras.utils import suggest
from fastkeras.utils.messages import warn

# Parts of names that tell in which direction a value is good, as far as a name can tell.
_LARGER_IS_BETTER = ("acc", "auc", "precision", "recall", "f1", "fbeta", "f_beta", "r2", "iou", "top_k", "positive")
_SMALLER_IS_BETTER = (
    "loss",
    "error",
    "entropy",
    "mse",
    "mae",
    "mape",
    "msle",
    "hinge",
    "divergence",
    "kld",
    "poisson",
    "logcosh",
    "log_cosh",
    "huber",
    "negative",
    "perplexity",
)
_USUAL = ("loss", "accuracy", "precision", "recall")  # what a slip of the pen is taken for


def direction(owner, mode, monitor):
    """+1 if larger values of `monitor` are better, -1 if smaller are; mode "auto" goes by the name."""
    if mode in ("min", "max"):
        return 1 if mode == "max" else -1
    if mode != "auto":
        raise ValueError(f"{owner}: `mode` must be 'auto', 'min' or 'max'. Received: mode={mode!r}")
    name = monitor.lower()
    if any(part in name for part in _SMALLER_IS_BETTER):
        return -1
    if any(part in name for part in _LARGER_IS_BETTER) or name.removeprefix("val_") == "cosine_similarity":
        return 1
    prefix = "val_" if name.startswith("val_") else ""
    guess = suggest.nearest(name.removeprefix(prefix), _USUAL)
    hint = f"Did you mean '{prefix}{guess}'? If not: " if guess else ""
    raise ValueError(
        f"{owner}: {hint}the name does not tell whether more or less of it is better; pass mode='max' or mode='min'. "
        f"Received: monitor={monitor!r}"
    )


def number(owner, name, value):
    """`value`, if it is a number; a ValueError names callback and argument otherwise."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{owner}: `{name}` must be a number. Received: {name}={value!r}")
    return value


class Monitor(Callback):
    """Watches the value called `monitor` and remembers the best one.

    min_delta: a change by no more than this is none. baseline: the value to beat first.
    """

    def __init__(self, monitor, mode, min_delta=0.0, baseline=None):
        self.monitor = monitor
        self.direction = direction(type(self).__name__, mode, monitor)
        self.min_delta = abs(number(type(self).__name__, "min_delta", min_delta))
        self.best = self.worst if baseline is None else baseline

    @property
    def worst(self):
        """The value that any other beats."""
        return -self.direction * math.inf

    def improves(self, value, on):
        """Whether `value` is better than `on` by more than min_delta."""
        enough = value - self.direction * self.min_delta
        return enough > on if self.direction > 0 else enough < on

    def value(self, logs):
        """The monitored value in logs; if it is not there, None and a warning that names what is."""
        key = resolve(self.monitor, logs)
        if key is not None:
            return logs[key]
        validated = any(k.startswith("val_") for k in logs)
        missing_data = self.monitor.startswith("val_") and not validated
        hint = " Did fit get `validation_data` or `validation_split`?" if missing_data else ""
        warn(
            f"{type(self).__name__}: `monitor` must be one of this epoch's values: {', '.join(logs)}.{hint} "
            f"Received: monitor={self.monitor!r}"
        )
        return None
