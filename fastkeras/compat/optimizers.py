"""lr and decay, which every optimizer of Keras 2 took."""

import functools

from fastkeras import optimizers
from fastkeras.compat import notices
from fastkeras.compat.words import understand


def teach():
    """Makes every optimizer take `lr` and `decay`."""
    for name in optimizers.__all__:
        cls = getattr(optimizers, name)
        if isinstance(cls, type) and cls is not optimizers.Optimizer:
            _take_decay(cls)
            understand(cls, "__init__", {"lr": "learning_rate"})


def _take_decay(cls):
    init = cls.__init__

    @functools.wraps(init)
    def understanding(self, *args, decay=0, **kwargs):
        init(self, *args, **kwargs)
        if decay:
            self.decay = float(decay)
            rate = f"InverseTimeDecay({self.learning_rate}, decay_steps=1, decay_rate={decay})"
            notices.say(f"decay={decay} is learning_rate=keras.optimizers.schedules.{rate} now.", "decay")

    cls.__init__ = understanding
