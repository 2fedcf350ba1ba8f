"""What the tests of optimizers share: variables, gradients, training on them, and the optimizers and their options."""

import numpy as np

from fastkeras.core.variable import Variable, pack
from fastkeras.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSprop

SHAPES = {"a/kernel": (5, 7), "a/bias": (7,), "b/kernel": (7, 3), "b/bias": (3,), "c/gamma": (11,)}
STEPS = 10


def make_variables(shapes=SHAPES, seed=1, packed=True):
    rng = np.random.default_rng(seed)
    variables = [Variable(rng.normal(size=shape), path.split("/")[-1], path=path) for path, shape in shapes.items()]
    for group in [variables] if packed else [[v] for v in variables]:
        pack(group)
    return variables


def make_gradients(variables, steps=STEPS, seed=2):
    rng = np.random.default_rng(seed)
    return [[rng.normal(0, 0.5, v.shape).astype(np.float32) for v in variables] for _ in range(steps)]


def train(optimizer, variables, gradients):
    """Adds each step's gradients to the variables', as a backward pass does, and lets the optimizer step."""
    for step in gradients:
        for variable, gradient in zip(variables, step, strict=True):
            variable.grad += gradient
        optimizer.step()
    return tuple(v.value.copy() for v in variables)


# {name: function of the base class's options}
OPTIMIZERS = {
    "sgd": SGD,
    "momentum": lambda **options: SGD(momentum=0.8, **options),
    "nesterov": lambda **options: SGD(momentum=0.8, nesterov=True, **options),
    "rmsprop": RMSprop,
    "rmsprop, all": lambda **options: RMSprop(rho=0.8, momentum=0.7, epsilon=1e-3, centered=True, **options),
    "adam": Adam,
    "amsgrad": lambda **options: Adam(beta_2=0.6, epsilon=1e-3, amsgrad=True, **options),
    "adamw": AdamW,
    "adagrad": Adagrad,
    "adagrad, other numbers": lambda **options: Adagrad(initial_accumulator_value=0.7, epsilon=1e-3, **options),
    "nadam": Nadam,
    "nadam, other numbers": lambda **options: Nadam(beta_1=0.7, beta_2=0.6, epsilon=1e-3, **options),
    "adamax": Adamax,
    "adamax, other numbers": lambda **options: Adamax(beta_1=0.7, beta_2=0.6, epsilon=1e-3, **options),
    # steps large enough to be measured
    "adadelta": lambda learning_rate=0.02, **options: Adadelta(50 * learning_rate, 0.7, epsilon=1e-3, **options),
    "lion": Lion,
    "lion, other numbers": lambda **options: Lion(beta_1=0.7, beta_2=0.6, **options),
    "ftrl": Ftrl,
    "ftrl, all": lambda **options: Ftrl(
        learning_rate_power=-0.7,
        initial_accumulator_value=0.3,
        l1_regularization_strength=0.3,
        l2_regularization_strength=0.2,
        l2_shrinkage_regularization_strength=0.1,
        beta=0.4,
        **options,
    ),
}
OPTIONS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.9},
    "clipvalue": {"clipvalue": 0.3},
    "global_clipnorm": {"global_clipnorm": 1.7},
    "weight_decay": {"weight_decay": 0.3},
    "decay": {"decay": 0.5},
    "average": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 4},
    "accumulation": {"gradient_accumulation_steps": 3},
    "everything": {
        "weight_decay": 0.3,
        "global_clipnorm": 1.1,
        "use_ema": True,
        "ema_momentum": 0.6,
        "ema_overwrite_frequency": 3,
        "gradient_accumulation_steps": 2,
    },
}
