"""Adadelta: gradient descent in units of its own recent steps."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """With g the gradient and r the learning rate:

        v = rho v + (1 - rho) g^2        u = sqrt(x + epsilon) / sqrt(v + epsilon) g
        x = rho x + (1 - rho) u^2        weight -= r u

    rho: in [0, 1]. epsilon: None stands for 1e-7, as in old files. The other arguments are those of Optimizer; the
    paper has a learning rate of 1.
    Zeiler 2012, arXiv:1212.5701.
    """

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho = checked("Adadelta", "rho", rho, 0, 1)
        self.epsilon = checked("Adadelta", "epsilon", 1e-7 if epsilon is None else epsilon, 0)

    def slot_groups(self):
        return (("accumulated_grad", "accumulated_delta_var"),)

    def update(self, segment, numbers):
        v, x = segment.slots["accumulated_grad"], segment.slots["accumulated_delta_var"]
        kernels.adadelta(segment.value, v, x, segment.grad, *numbers, self.rho, self.epsilon)

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
