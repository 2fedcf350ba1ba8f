"""Adam and AdamW: gradient descent by running means of the gradient and of its square."""

from fastkeras._kernels import optimizers as kernels
from fastkeras.optimizers.arguments import checked
from fastkeras.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """With g the gradient, r the learning rate and t = 1, 2, ... the step:

        m += (1 - beta_1) (g - m)        v += (1 - beta_2) (g^2 - v)
        weight -= r sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)
        amsgrad: the largest v so far stands in for v in the last line

    beta_1, beta_2: in [0, 1]. epsilon: the paper's epsilon hat; None stands for 1e-7, as in old files. The other
    arguments are those of Optimizer.
    Kingma, Ba 2014, arXiv:1412.6980, section 2; amsgrad: Reddi, Kale, Kumar 2018, arXiv:1904.09237.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = checked("Adam", "beta_1", beta_1, 0, 1)
        self.beta_2 = checked("Adam", "beta_2", beta_2, 0, 1)
        self.epsilon = checked("Adam", "epsilon", 1e-7 if epsilon is None else epsilon, 0)
        self.amsgrad = bool(amsgrad)

    def slot_groups(self):
        return (("momentum", "velocity"), *((("velocity_hat",),) if self.amsgrad else ()))

    def legacy_slot_name(self, name):
        return {"momentum": "m", "velocity": "v", "velocity_hat": "vhat"}.get(name, name)

    def update(self, segment, numbers):
        slots = segment.slots
        kernels.adam(
            segment.value,
            slots["momentum"],
            slots["velocity"],
            slots.get("velocity_hat"),
            segment.grad,
            *numbers,
            self.beta_1,
            self.beta_2,
            self.epsilon,
            self.iterations + 1,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with weight decay: before each step every weight loses learning_rate * weight_decay of itself.

    weight_decay: a number. The other arguments are those of Adam.
    Loshchilov, Hutter 2017, arXiv:1711.05101, algorithm 2.
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **kwargs,
    ):
        weight_decay = checked("AdamW", "weight_decay", weight_decay)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
