"""tf.distribute: strategies for one machine with one device."""

import contextlib

__all__ = ["MirroredStrategy", "OneDeviceStrategy", "get_strategy"]


class MirroredStrategy:
    """A copy of the model on each device; here there is one, the CPU, with all its threads."""

    num_replicas_in_sync = 1

    def __init__(self, devices=None, cross_device_ops=None):
        pass

    @contextlib.contextmanager
    def scope(self):
        """Where models are made."""
        yield self

    def run(self, fn, args=(), kwargs=None):
        """fn(*args, **kwargs), on the one device."""
        return fn(*args, **(kwargs or {}))


OneDeviceStrategy = MirroredStrategy


def get_strategy():
    """The one there is."""
    return MirroredStrategy()
