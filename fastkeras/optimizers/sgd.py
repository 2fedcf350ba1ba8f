"""SGD: gradient descent, with momentum if wanted."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent. With g the gradient and r the learning rate:

        weight -= r g                                           momentum = 0
        m = momentum m - r g      weight += m                   with momentum
        m = momentum m - r g      weight += momentum m - r g    and nesterov

    momentum: in [0, 1]. The other arguments are those of Optimizer.
    Nesterov's form: Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum".
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = checked("SGD", "momentum", momentum, 0, 1)
        self.nesterov = bool(nesterov)

    def slot_groups(self):
        return (("momentum",),) if self.momentum else ()

    def legacy_slot_name(self, name):
        return "m" if name == "momentum" else name

    def update(self, segment, numbers):
        kernels.sgd(segment.value, segment.slots.get("momentum"), segment.grad, *numbers, self.momentum, self.nesterov)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
