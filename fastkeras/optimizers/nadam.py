"""Nadam: Adam with Nesterov's momentum."""

import numpy as np

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Nadam(Optimizer):
    """With g the gradient, r the learning rate, t = 1, 2, ... the step, and a momentum u that grows towards beta_1:

        m += (1 - beta_1) (g - m)              v += (1 - beta_2) (g^2 - v)
        u_t = beta_1 (1 - 0.96^t / 2)          U_t = u_1 u_2 ... u_t
        n = u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t)
        weight -= r n / (sqrt(v / (1 - beta_2^t)) + epsilon)

    beta_1, beta_2: in [0, 1]. epsilon: None stands for 1e-7, as in old files. The other arguments are those of
    Optimizer. U_t follows from t, and is among the variables because it is in Keras's files.
    Dozat 2016, "Incorporating Nesterov momentum into Adam".
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = checked("Nadam", "beta_1", beta_1, 0, 1)
        self.beta_2 = checked("Nadam", "beta_2", beta_2, 0, 1)
        self.epsilon = checked("Nadam", "epsilon", 1e-7 if epsilon is None else epsilon, 0)

    def slot_groups(self):
        return (("momentum", "velocity"),)

    def legacy_slot_name(self, name):
        return {"momentum": "m", "velocity": "v"}.get(name, name)

    @property
    def variables(self):
        """As Optimizer's, and U_t."""
        product = kernels.nadam_momentum_product(self.beta_1, self.iterations)
        return [*super().variables, ("u_product", np.array(product, np.float32))]

    def update(self, segment, numbers):
        kernels.nadam(
            segment.value,
            segment.slots["momentum"],
            segment.slots["velocity"],
            segment.grad,
            *numbers,
            self.beta_1,
            self.beta_2,
            self.epsilon,
            self.iterations + 1,
        )

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """As Optimizer's. In files from before TensorFlow 2.11, which have no weight_decay, `decay` and
        `schedule_decay` are the pace of u, which is fixed since then."""
        if "weight_decay" not in config:
            config = {name: value for name, value in config.items() if name not in ("decay", "schedule_decay")}
        return super().from_config(config, custom_objects)
