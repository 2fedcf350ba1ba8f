"""Learning rate schedules: functions from the step's number (0, 1, 2, ...) to the learning rate.

In the formulas r is `initial_learning_rate`, s the step, and n `decay_steps`.
"""

import math

from fastkeras.utils.registry import Registry


class LearningRateSchedule:
    """The base of all schedules. A subclass defines __call__(step), which returns a float, and get_config()."""

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")

    def get_config(self):
        """The arguments that make an equal schedule: plain Python values, as files hold them."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config() to be saved")

    @classmethod
    def from_config(cls, config):
        """The schedule that `get_config` describes."""
        return cls(**config)


def _positive(schedule, name, value):
    if not value > 0:
        raise ValueError(f"{type(schedule).__name__}: `{name}` must be positive. Received: {name}={value!r}")
    return value


class ExponentialDecay(LearningRateSchedule):
    """r decay_rate^(s / n);  with `staircase` s / n is rounded down"""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step):
        return self.initial_learning_rate * self.decay_rate ** self._fraction(step)

    def _fraction(self, step):
        return step // self.decay_steps if self.staircase else step / self.decay_steps

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(ExponentialDecay):
    """r / (1 + decay_rate s / n);  with `staircase` s / n is rounded down"""

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step):
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._fraction(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and including step boundaries[0], then values[1] up to boundaries[1], ..., then the last"""

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: `values` must have one element more than `boundaries`. "
                f"Received: boundaries={boundaries!r}, values={values!r}"
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step):
        passed = sum(step > boundary for boundary in self.boundaries)
        return self.values[passed]

    def get_config(self):
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(LearningRateSchedule):
    """(r - e) (1 - s / n)^power + e  with e = end_learning_rate, where it stays from step n on.

    cycle: instead of staying there, n is taken as the first multiple of decay_steps that is not below s.
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step):
        n = self.decay_steps
        if self.cycle:
            n *= max(1, math.ceil(step / n))
        left = 1.0 - min(step, n) / n
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


def _cosine(fraction):
    """From 1 at fraction 0 to 0 at fraction 1, along half a cosine wave."""
    return 0.5 * (1.0 + math.cos(math.pi * fraction))


class CosineDecay(LearningRateSchedule):
    """r ((1 - alpha) w + alpha) with w = (1 + cos(pi s / n)) / 2, where it stays from step n on.

    warmup_target: if given, the learning rate first rises from r to it in `warmup_steps` steps, in a line, and falls
    from there. Loshchilov, Hutter 2016, arXiv:1608.03983; warm-up: Goyal et al. 2017, arXiv:1706.02677.
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        start, top = self.initial_learning_rate, self.initial_learning_rate
        if self.warmup_target is not None:
            top = self.warmup_target
            if step < self.warmup_steps:
                return start + (top - start) * step / self.warmup_steps
            step -= self.warmup_steps
        wave = _cosine(min(step, self.decay_steps) / self.decay_steps)
        return top * ((1.0 - self.alpha) * wave + self.alpha)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Periods of r ((1 - alpha) m w + alpha), in each of which w falls from 1 to 0 like a cosine.

    The first period has `first_decay_steps` steps and m = 1; each next one has t_mul times as many steps, and m_mul
    times as large an m. Loshchilov, Hutter 2016, arXiv:1608.03983.
    """

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step):
        length, m = self.first_decay_steps, 1.0
        while step >= length:
            step -= length
            length, m = length * self.t_mul, m * self.m_mul
        return self.initial_learning_rate * ((1.0 - self.alpha) * m * _cosine(step / length) + self.alpha)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


_REGISTRY = Registry(
    "learning rate schedule",
    "keras.optimizers.schedules",
    LearningRateSchedule,
    {
        cls.__name__: cls
        for cls in (
            ExponentialDecay,
            InverseTimeDecay,
            PiecewiseConstantDecay,
            PolynomialDecay,
            CosineDecay,
            CosineDecayRestarts,
        )
    },
)
serialize = _REGISTRY.serialize
deserialize = _REGISTRY.deserialize
