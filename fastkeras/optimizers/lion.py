"""Lion: gradient descent by the sign of the momentum."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """With g the gradient and r the learning rate:

        weight -= r sign(beta_1 m + (1 - beta_1) g)        m = beta_2 m + (1 - beta_2) g

    Every weight moves by r in each step, so r is to be 3 to 10 times smaller than Adam's, and weight_decay as many
    times larger. beta_1: in (0, 1]. beta_2: in [0, 1]. The other arguments are those of Optimizer.
    Chen et al. 2023, arXiv:2302.06675.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = checked("Lion", "beta_1", beta_1, 0, 1)
        if self.beta_1 == 0:
            raise ValueError(f"Lion: `beta_1` must not be 0, which leaves no momentum. Received: beta_1={beta_1!r}")
        self.beta_2 = checked("Lion", "beta_2", beta_2, 0, 1)

    def slot_groups(self):
        return (("momentum",),)

    def legacy_slot_name(self, name):
        return "m" if name == "momentum" else name

    def update(self, segment, numbers):
        kernels.lion(segment.value, segment.slots["momentum"], segment.grad, *numbers, self.beta_1, self.beta_2)

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
