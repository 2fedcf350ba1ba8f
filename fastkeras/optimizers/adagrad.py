"""Adagrad: gradient descent in units of the size of all gradients so far."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """With g the gradient and r the learning rate:

        v += g^2        weight -= r g / sqrt(v + epsilon)

    initial_accumulator_value: what v is before the first step. epsilon: None stands for 1e-7, as in old files. The
    other arguments are those of Optimizer.
    Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization".
    """

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = checked("Adagrad", "initial_accumulator_value", initial_accumulator_value, 0)
        self.epsilon = checked("Adagrad", "epsilon", 1e-7 if epsilon is None else epsilon, 0)

    def slot_groups(self):
        return (("accumulator",),)

    def slot_start(self, name):
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def update(self, segment, numbers):
        kernels.adagrad(segment.value, segment.slots["accumulator"], segment.grad, *numbers, self.epsilon)

    def get_config(self):
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
