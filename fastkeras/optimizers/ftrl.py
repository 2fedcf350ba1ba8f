"""Ftrl: follow the regularized leader, which keeps most weights of wide linear models at zero."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """With g the gradient, r the learning rate and k = -learning_rate_power:

        n' = n + g^2
        z += g + 2 l2_shrinkage weight - (n'^k - n^k) / r weight
        n = n'
        weight = (min(max(z, -l1), l1) - z) / ((n^k + beta) / r + 2 l2)

    learning_rate_power: at most 0; 0 is a fixed learning rate. initial_accumulator_value: what n is before the first
    step. l1, l2 and l2_shrinkage stand for {l1,l2,l2_shrinkage}_regularization_strength, which like
    initial_accumulator_value are at least 0. The other arguments are those of Optimizer.
    McMahan et al. 2013, "Ad click prediction: a view from the trenches", algorithm 1.
    """

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)

        def strength(name, value):
            return checked("Ftrl", name, value, 0)

        self.learning_rate_power = checked("Ftrl", "learning_rate_power", learning_rate_power, high=0)
        self.initial_accumulator_value = strength("initial_accumulator_value", initial_accumulator_value)
        self.l1_regularization_strength = strength("l1_regularization_strength", l1_regularization_strength)
        self.l2_regularization_strength = strength("l2_regularization_strength", l2_regularization_strength)
        self.l2_shrinkage_regularization_strength = strength(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = checked("Ftrl", "beta", beta)

    def slot_groups(self):
        return (("accumulator", "linear"),)

    def slot_start(self, name):
        return self.initial_accumulator_value if name == "accumulator" else 0.0

    def update(self, segment, numbers):
        kernels.ftrl(
            segment.value,
            segment.slots["accumulator"],
            segment.slots["linear"],
            segment.grad,
            *numbers,
            -self.learning_rate_power,
            self.l1_regularization_strength,
            self.l2_regularization_strength,
            self.l2_shrinkage_regularization_strength,
            self.beta,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
