"""Adamax: Adam with the largest gradient in place of the mean square."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """With g the gradient, r the learning rate and t = 1, 2, ... the step:

        m += (1 - beta_1) (g - m)        u = max(beta_2 u, |g|)
        weight -= r / (1 - beta_1^t) m / (u + epsilon)

    beta_1, beta_2: in [0, 1]. epsilon: None stands for 1e-7, as in old files. The other arguments are those of
    Optimizer.
    Kingma, Ba 2014, arXiv:1412.6980, section 7.1.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = checked("Adamax", "beta_1", beta_1, 0, 1)
        self.beta_2 = checked("Adamax", "beta_2", beta_2, 0, 1)
        self.epsilon = checked("Adamax", "epsilon", 1e-7 if epsilon is None else epsilon, 0)

    def slot_groups(self):
        return (("momentum", "norm"),)

    def legacy_slot_name(self, name):
        return {"momentum": "m", "norm": "u"}.get(name, name)

    def update(self, segment, numbers):
        kernels.adamax(
            segment.value,
            segment.slots["momentum"],
            segment.slots["norm"],
            segment.grad,
            *numbers,
            self.beta_1,
            self.beta_2,
            self.epsilon,
            self.iterations + 1,
        )

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
