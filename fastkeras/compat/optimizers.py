"""lr, decay and minimize, which every optimizer of Keras 2 had."""

import functools

from fastkeras import optimizers
from fastkeras.compat import notices
from fastkeras.compat.words import understand
from fastkeras.core.tape import GradientTape


def teach():
    """Makes every optimizer take `lr` and `decay`, and gives it `minimize`."""
    optimizers.Optimizer.minimize = minimize
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


def minimize(optimizer, loss, var_list, tape=None):
    """One step towards a smaller loss: a function without arguments, or a tensor that `tape` has recorded.

    var_list: the variables, or a function that gives them once the loss has been computed.
    """
    notices.say("minimize(loss, variables) is apply_gradients(zip(tape.gradient(loss, variables), variables)) now.")
    if callable(loss):
        tape = tape or GradientTape()
        with tape:
            loss = loss()
    elif tape is None:
        raise ValueError(f"minimize: a loss that is no function needs its `tape`. Received: loss={loss!r:.200}")
    variables = var_list() if callable(var_list) else list(var_list)
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
