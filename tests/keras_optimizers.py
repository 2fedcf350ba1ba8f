"""What Keras's own optimizers make of given gradients, and its schedules of steps.

    python tests/keras_optimizers.py        writes tests/fixtures/optimizers.npz; needs TensorFlow

tests/test_optimizers_steps.py and tests/test_schedules.py hold fastkeras to that file, and to Keras itself where
TensorFlow is installed.
"""

from pathlib import Path

import numpy as np

FIXTURE = Path(__file__).parent / "fixtures" / "optimizers.npz"
STEPS = 12
SHAPES = {"dense/kernel": (5, 7), "dense/bias": (7,), "dense_1/kernel": (7, 3), "dense_1/bias": (3,)}

OPTIMIZERS = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_momentum": ("RMSprop", {"rho": 0.8, "momentum": 0.7, "epsilon": 1e-4}),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.01, "centered": True}),
    "rmsprop_all": ("RMSprop", {"learning_rate": 0.03, "momentum": 0.7, "centered": True}),
    "adam": ("Adam", {}),
    "adam_large": ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "amsgrad": ("Adam", {"beta_2": 0.5, "amsgrad": True}),
    "adamw": ("AdamW", {}),
    "adamw_large": ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.2, "beta_2": 0.5, "amsgrad": True}),
    "adagrad": ("Adagrad", {}),
    "adagrad_large": ("Adagrad", {"learning_rate": 0.3, "initial_accumulator_value": 0.01, "epsilon": 1e-3}),
    "nadam": ("Nadam", {}),
    "nadam_large": ("Nadam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "adamax": ("Adamax", {}),
    "adamax_large": ("Adamax", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.7, "epsilon": 1e-3}),
    "adadelta": ("Adadelta", {}),
    "adadelta_large": ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    "lion": ("Lion", {}),
    "lion_large": ("Lion", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.7}),
    "ftrl": ("Ftrl", {}),
    "ftrl_all": (
        "Ftrl",
        {
            "learning_rate": 0.3,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.3,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.4,
        },
    ),
}
OPTIONS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.8},
    "clipvalue": {"clipvalue": 0.3},
    "global_clipnorm": {"global_clipnorm": 1.5},
    "weight_decay": {"weight_decay": 0.05},
    "average": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 5},
    "accumulation": {"gradient_accumulation_steps": 3, "clipnorm": 0.5},
    "average of accumulation": {
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_momentum": 0.6,
        "ema_overwrite_frequency": 4,
    },
}
# every optimizer plain, and every option with one optimizer that keeps much
CASES = [(name, "plain") for name in OPTIMIZERS] + [("rmsprop_all", option) for option in OPTIONS if option != "plain"]
CASES += [("nadam_large", "average of accumulation")]  # it counts updates and has a number beside its slots

SCHEDULE_STEPS = 43
SCHEDULES = {
    "exponential": ("ExponentialDecay", {"initial_learning_rate": 0.3, "decay_steps": 7, "decay_rate": 0.6}),
    "exponential stairs": (
        "ExponentialDecay",
        {"initial_learning_rate": 0.3, "decay_steps": 7, "decay_rate": 0.6, "staircase": True},
    ),
    "inverse time": ("InverseTimeDecay", {"initial_learning_rate": 0.3, "decay_steps": 7, "decay_rate": 0.6}),
    "inverse time stairs": (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.3, "decay_steps": 7, "decay_rate": 0.6, "staircase": True},
    ),
    "piecewise": ("PiecewiseConstantDecay", {"boundaries": [3, 11], "values": [0.5, 0.2, 0.1]}),
    "polynomial": (
        "PolynomialDecay",
        {"initial_learning_rate": 0.3, "decay_steps": 17, "end_learning_rate": 0.02, "power": 1.7},
    ),
    "polynomial cycle": ("PolynomialDecay", {"initial_learning_rate": 0.3, "decay_steps": 11, "cycle": True}),
    "cosine": ("CosineDecay", {"initial_learning_rate": 0.3, "decay_steps": 19, "alpha": 0.1}),
    "cosine warm-up": (
        "CosineDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 19, "warmup_target": 0.4, "warmup_steps": 5},
    ),
    "restarts": (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.3, "first_decay_steps": 5, "m_mul": 0.7, "alpha": 0.1},
    ),
    "equal restarts": (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.3, "first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.7},
    ),
}


def data():
    """Start values, and gradients whose size changes from step to step: dicts by path, the same in every run."""
    rng = np.random.Generator(np.random.Philox(7))
    values = {path: rng.normal(size=shape).astype(np.float32) for path, shape in SHAPES.items()}
    sizes = np.linspace(1.5, 0.1, STEPS)
    gradients = [
        {path: (size * rng.normal(size=shape)).astype(np.float32) for path, shape in SHAPES.items()} for size in sizes
    ]
    return values, gradients


def keras_run(optimizer, option):
    """The arrays after all steps: {path: value}, and {"slot i": the optimizer's i-th variable}."""
    import keras

    class_name, arguments = OPTIMIZERS[optimizer]
    made = getattr(keras.optimizers, class_name)(**arguments, **OPTIONS[option])
    values, gradients = data()
    variables = [keras.Variable(value, name=path.replace("/", "_")) for path, value in values.items()]
    made.build(variables)
    for step in gradients:
        made.apply(list(step.values()), variables)
    result = {path: variable.numpy() for path, variable in zip(values, variables, strict=True)}
    return result | {f"slot {i}": variable.numpy() for i, variable in enumerate(made.variables)}


def keras_schedule(name):
    """The learning rates of all steps, float32."""
    import keras

    class_name, arguments = SCHEDULES[name]
    schedule = getattr(keras.optimizers.schedules, class_name)(**arguments)
    return np.array([float(schedule(step)) for step in range(SCHEDULE_STEPS)], np.float32)


def main():
    arrays = {
        f"{optimizer}, {option}, {name}": array
        for optimizer, option in CASES
        for name, array in keras_run(optimizer, option).items()
    }
    arrays |= {f"schedule, {name}": keras_schedule(name) for name in SCHEDULES}
    FIXTURE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FIXTURE, **arrays)
    print(f"{FIXTURE}: {len(arrays)} arrays, {FIXTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
