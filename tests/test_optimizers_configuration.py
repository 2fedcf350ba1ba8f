"""Optimizers by name, their configurations in files of both Kerases, and the arguments they refuse."""

import math
import warnings

import numpy as np
import pytest
from optimizer_cases import OPTIMIZERS, OPTIONS

from fastkeras import optimizers
from fastkeras.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSprop, schedules


@pytest.mark.parametrize(
    "name, cls",
    [
        *((name, SGD) for name in ("sgd", "SGD", "Sgd", "Custom>SGD")),
        *((name, RMSprop) for name in ("rmsprop", "RMSprop", "rm_sprop", "RMSProp", "Custom>RMSprop")),
        *((name, Adam) for name in ("adam", "Adam", "ADAM")),
        *((name, AdamW) for name in ("adamw", "AdamW", "adam_w", "Custom>AdamW")),
        *((cls.__name__, cls) for cls in (Adagrad, Nadam, Adamax, Adadelta, Lion, Ftrl)),
        *((cls.__name__.lower(), cls) for cls in (Adagrad, Nadam, Adamax, Adadelta, Lion, Ftrl)),
    ],
)
def test_get_by_name(name, cls):
    assert type(optimizers.get(name)) is cls
    assert type(optimizers.get({"class_name": name, "config": {"learning_rate": 0.5}})) is cls


def test_get_takes_objects_and_classes():
    adam = Adam()
    assert optimizers.get(adam) is adam
    assert type(optimizers.get(SGD)) is SGD
    with pytest.raises(ValueError, match=r"Unknown optimizer. Did you mean 'rmsprop'"):
        optimizers.get("rmsporp")
    with pytest.raises(ValueError, match=r"Unknown optimizer. Did you mean 'adadelta'"):
        optimizers.get("AdaDeltas")
    with pytest.raises(ValueError, match=r"Could not interpret the optimizer.*Received: 3"):
        optimizers.get(3)


def test_defaults_and_configuration_are_those_of_keras():
    base = {
        "weight_decay": None,
        "clipnorm": None,
        "global_clipnorm": None,
        "clipvalue": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
    }
    assert SGD().get_config() == {
        "name": "sgd",
        "learning_rate": 0.01,
        **base,
        "momentum": 0.0,
        "nesterov": False,
    }
    assert RMSprop().get_config() == {
        "name": "rm_sprop",
        "learning_rate": 0.001,
        **base,
        "rho": 0.9,
        "momentum": 0.0,
        "epsilon": 1e-07,
        "centered": False,
    }
    assert Adam().get_config() == {
        "name": "adam",
        "learning_rate": 0.001,
        **base,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-07,
        "amsgrad": False,
    }
    assert AdamW().get_config() == {**Adam().get_config(), "name": "adam_w", "weight_decay": 0.004}
    base = {"learning_rate": 0.001, **base}
    assert Adagrad().get_config() == {
        "name": "adagrad",
        **base,
        "initial_accumulator_value": 0.1,
        "epsilon": 1e-07,
    }
    betas = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07}
    assert Nadam().get_config() == {"name": "nadam", **base, **betas}
    assert Adamax().get_config() == {"name": "adamax", **base, **betas}
    assert Adadelta().get_config() == {"name": "adadelta", **base, "rho": 0.95, "epsilon": 1e-07}
    assert Lion().get_config() == {"name": "lion", **base, "beta_1": 0.9, "beta_2": 0.99}
    assert Ftrl().get_config() == {
        "name": "ftrl",
        **base,
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "beta": 0.0,
    }


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_configurations_make_equal_optimizers(make):
    for options in OPTIONS.values():
        options = {**options, "name": "mine", "loss_scale_factor": 8.0}
        decay = options.pop("decay", None)
        optimizer = make(learning_rate=0.5, **options)
        optimizer.decay = decay or 0.0
        config = optimizers.serialize(optimizer)
        assert config["module"] == "keras.optimizers"
        assert config["class_name"] == type(optimizer).__name__
        again = optimizers.deserialize(config)
        assert type(again) is type(optimizer)
        assert again.get_config() == optimizer.get_config()
        assert again.decay == optimizer.decay


def test_configurations_of_tf_keras_and_of_keras_2():
    tf_keras = {
        "class_name": "Custom>RMSprop",
        "config": {
            "name": "RMSprop",
            "weight_decay": None,
            "clipnorm": None,
            "global_clipnorm": None,
            "clipvalue": None,
            "use_ema": False,
            "ema_momentum": 0.99,
            "ema_overwrite_frequency": 100,
            "jit_compile": False,
            "is_legacy_optimizer": False,
            "learning_rate": 0.0010000000474974513,
            "rho": 0.9,
            "momentum": 0.5,
            "epsilon": 1e-07,
            "centered": True,
        },
    }
    optimizer = optimizers.get(tf_keras)
    assert (optimizer.name, optimizer.momentum, optimizer.centered) == ("RMSprop", 0.5, True)
    keras_2 = {
        "class_name": "Adam",
        "config": {"lr": 0.002, "beta_1": 0.8, "beta_2": 0.99, "decay": 0.1, "epsilon": None, "amsgrad": True},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = optimizers.get(keras_2)
    assert (optimizer.learning_rate, optimizer.decay, optimizer.epsilon) == (0.002, 0.1, 1e-7)
    for name in ("decay", "schedule_decay"):  # of Nadam's momentum
        optimizer = optimizers.get({"class_name": "Nadam", "config": {"lr": 0.002, "beta_1": 0.8, name: 0.004}})
        assert (optimizer.learning_rate, optimizer.decay, optimizer.beta_1) == (0.002, 0.0, 0.8)


def test_a_schedule_goes_through_the_configuration():
    optimizer = SGD(schedules.ExponentialDecay(0.5, 10, 0.9))
    config = optimizer.get_config()
    assert config["learning_rate"]["module"] == "keras.optimizers.schedules"
    again = SGD.from_config(config)
    assert type(again._learning_rate) is schedules.ExponentialDecay
    assert again.learning_rate == 0.5
    assert again.get_config() == config


def my_rate():
    return 0.25


def test_a_function_goes_through_the_configuration_by_name():
    config = SGD(my_rate).get_config()
    assert SGD.from_config(config, {"my_rate": my_rate}).learning_rate == 0.25
    with pytest.raises(ValueError, match=r"Unknown learning rate schedule.*Received: 'my_rate'"):
        SGD.from_config(config)


@pytest.mark.filterwarnings("ignore:The argument `decay`")
@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Adam(learning_rte=1), TypeError, "Unknown argument of Adam. Did you mean 'learning_rate'"),
        (lambda: SGD(momentun=0.9), TypeError, "Unknown argument of SGD. Did you mean 'momentum'"),
        (lambda: RMSprop(clip_norm=1), TypeError, "Unknown argument of RMSprop. Did you mean 'clipnorm'"),
        (lambda: SGD("fast"), ValueError, "SGD: `learning_rate` must be a number. Received: learning_rate='fast'"),
        (lambda: SGD(math.nan), ValueError, "SGD: `learning_rate` must be a number. Received: learning_rate=nan"),
        (lambda: SGD(None), ValueError, "SGD: `learning_rate` must be a number. Received: learning_rate=None"),
        (lambda: SGD(True), ValueError, "SGD: `learning_rate` must be a number. Received: learning_rate=True"),
        (lambda: SGD([0.1]), ValueError, r"SGD: `learning_rate` must be a number. Received: learning_rate=\[0.1\]"),
        (lambda: SGD(np.ones(2)), ValueError, "SGD: `learning_rate` must be a number. Received: learning_rate=array"),
        (
            lambda: SGD(momentum=1.5),
            ValueError,
            r"SGD: `momentum` must be a number in \[0, 1\]. Received: momentum=1.5",
        ),
        (lambda: RMSprop(rho=-1), ValueError, r"RMSprop: `rho` must be a number in \[0, 1\]. Received: rho=-1"),
        (lambda: Adam(beta_1=2), ValueError, r"Adam: `beta_1` must be a number in \[0, 1\]. Received: beta_1=2"),
        (lambda: SGD(decay=-1), ValueError, "SGD: `decay` must be a number >= 0. Received: decay=-1"),
        (lambda: Adam(epsilon=-1), ValueError, "Adam: `epsilon` must be a number >= 0. Received: epsilon=-1"),
        (lambda: Adam(clipnorm=-1), ValueError, "Adam: `clipnorm` must be a number >= 0. Received: clipnorm=-1"),
        (
            lambda: AdamW(weight_decay=None),
            ValueError,
            "AdamW: `weight_decay` must be a number. Received: weight_decay=N",
        ),
        (lambda: AdamW(beta1=0.9), TypeError, "Unknown argument of AdamW. Did you mean 'beta_1'"),
        (lambda: Adagrad(initial_accumulator_value=-1), ValueError, "Adagrad: `initial_accumulator_value` .* >= 0."),
        (lambda: Nadam(beta_2=-1), ValueError, r"Nadam: `beta_2` must be a number in \[0, 1\]. Received: beta_2=-1"),
        (lambda: Adamax(beta_1="a"), ValueError, r"Adamax: `beta_1` must be a number in \[0, 1\]"),
        (lambda: Adadelta(rho=1.1), ValueError, r"Adadelta: `rho` must be a number in \[0, 1\]. Received: rho=1.1"),
        (lambda: Lion(beta_1=0), ValueError, "Lion: `beta_1` must not be 0, .* Received: beta_1=0"),
        (lambda: Lion(epsilon=1), TypeError, "Unknown argument of Lion. "),
        (lambda: Ftrl(learning_rate_power=0.5), ValueError, "Ftrl: `learning_rate_power` must be a number <= 0. Rec"),
        (lambda: Ftrl(l1_regularization_strength=-1), ValueError, "Ftrl: `l1_regularization_strength` must be .* >= 0"),
        (lambda: Ftrl(l1_regularisation_strength=1), TypeError, "Did you mean 'l1_regularization_strength'"),
        (lambda: SGD(clipnorm=1, clipvalue=1), ValueError, "SGD: only one of `clipnorm`, `clipvalue` and"),
        (lambda: SGD(ema_momentum=2), ValueError, r"SGD: `ema_momentum` must be a number in \[0, 1\]"),
        (lambda: SGD(ema_overwrite_frequency=0), ValueError, "`ema_overwrite_frequency` must be an integer >= 1 or"),
        (
            lambda: SGD(gradient_accumulation_steps=1),
            ValueError,
            "`gradient_accumulation_steps` must be an integer >= 2",
        ),
        (
            lambda: SGD({"class_name": "Cosine"}),
            ValueError,
            "Unknown learning rate schedule. Did you mean 'CosineDecay'",
        ),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
