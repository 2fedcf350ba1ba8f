"""What TensorFlow 1 had at its top, and TensorFlow 2 has in tf.compat.v1."""

from types import SimpleNamespace

from fastkeras.compat import notices
from fastkeras.random_state import set_random_seed as _set_seed

__all__ = [
    "disable_eager_execution",
    "disable_v2_behavior",
    "enable_eager_execution",
    "enable_v2_behavior",
    "logging",
    "set_random_seed",
]


def set_random_seed(seed):
    """tf.random.set_seed."""
    notices.say("tf.set_random_seed is tf.random.set_seed now.")
    _set_seed(seed)


def disable_eager_execution():
    """Operations give their results at once here, whatever is said; models do not depend on it."""
    notices.say("disable_eager_execution() has no effect here: there are no graphs of symbols, and no sessions.")


def enable_eager_execution():
    """It is so always."""


disable_v2_behavior, enable_v2_behavior = disable_eager_execution, enable_eager_execution


def _set_verbosity(level):
    """Nothing is logged."""


logging = SimpleNamespace(DEBUG=10, INFO=20, WARN=30, WARNING=30, ERROR=40, FATAL=50, set_verbosity=_set_verbosity)
