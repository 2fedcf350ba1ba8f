"""RMSprop: gradient descent in units of the gradient's running size."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """With g the gradient and r the learning rate:

        v = rho v + (1 - rho) g^2        u = r g / sqrt(v + epsilon)          weight -= u
        m = momentum m + u               weight -= m                          with momentum
        a = rho a + (1 - rho) g          u = r g / sqrt(v - a^2 + epsilon)    if centered

    rho, momentum: in [0, 1]. epsilon: None stands for 1e-7, as in old files. The other arguments are those of
    Optimizer.
    Hinton 2012, "Neural networks for machine learning", lecture 6; centered: Graves 2013, arXiv:1308.0850.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho = checked("RMSprop", "rho", rho, 0, 1)
        self.momentum = checked("RMSprop", "momentum", momentum, 0, 1)
        self.epsilon = checked("RMSprop", "epsilon", 1e-7 if epsilon is None else epsilon, 0)
        self.centered = bool(centered)

    def slot_groups(self):
        return (
            ("velocity",),
            *((("momentum",),) if self.momentum else ()),
            *((("average_gradient",),) if self.centered else ()),
        )

    def update(self, segment, numbers):
        slots = segment.slots
        kernels.rmsprop(
            segment.value,
            slots["velocity"],
            slots.get("momentum"),
            slots.get("average_gradient"),
            segment.grad,
            *numbers,
            self.rho,
            self.momentum,
            self.epsilon,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
