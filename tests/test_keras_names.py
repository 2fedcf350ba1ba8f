"""Every name that Keras 3 knows in a `get` means the same here: walked through Keras's own tables, live.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import importlib

import pytest
from live import keras_module, needs_tensorflow

import fastkeras
from fastkeras.saving.training_config import compile_to_config, compile_to_keras_3
from fastkeras.training.compiled import Compiled
from fastkeras.utils.naming import snake_case

pytestmark = needs_tensorflow

# What Keras has and fastkeras has not, by the names of classes and functions; bases are named in Keras as well.
NOT_HERE = {
    "losses": {"Loss", "LossFunctionWrapper"},
    "metrics": {"Metric", "MeanMetricWrapper"},
    "optimizers": {
        "Adafactor", "LossScaleOptimizer", "MultiOptimizer", "Muon", "Optimizer", "OptimizerMap", "ScheduleFreeAdamW",
    },
    "activations": {"glu", "threshold"},  # which change the shape, or want numbers: no layer can have them by name
    "initializers": {"Initializer", "STFT"},
    "regularizers": {"Regularizer"},
    "constraints": {"Constraint"},
}  # fmt: skip
WITH_ARGUMENTS = {  # which a name cannot give
    "Constant", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "PrecisionAtRecall", "RecallAtPrecision",
    "SensitivityAtSpecificity", "SpecificityAtSensitivity",
}  # fmt: skip


def called(thing):
    """What an object, a class or a function is, whether Keras names it by its class or by its function."""
    name = getattr(thing, "__name__", None) or type(thing).__name__
    return snake_case(name).removesuffix("_v2").replace("_", "")


@pytest.mark.parametrize("family", NOT_HERE)
def test_names(family):
    keras_module()
    theirs, ours = importlib.import_module(f"keras.src.{family}"), getattr(fastkeras, family)
    compared, left_out = 0, set()
    for name, thing in theirs.ALL_OBJECTS_DICT.items():
        if thing.__name__ in NOT_HERE[family]:
            left_out.add(thing.__name__)
            with pytest.raises(ValueError, match="Unknown"):
                ours.get(name)
        elif thing.__name__ in WITH_ARGUMENTS:
            with pytest.raises((TypeError, KeyError)):
                theirs.get(name)
        else:
            want, found = called(theirs.get(name)), called(ours.get(name))
            assert want == found, f"{family}: {name!r} is {want}, here {found}"
            compared += 1
    assert left_out == NOT_HERE[family] and compared >= 4


# What no Keras has, or knows in compile alone; and what tf_keras has not.
NOT_IN_KERAS = {"CRFLoss", "crf", "crossentropy", "ce"}
NOT_IN_TF_KERAS = {
    "CTC", "Circle", "Dice", "Tversky", "CategoricalGeneralizedCrossEntropy", "PearsonCorrelation",
    "ConcordanceCorrelation",
}  # fmt: skip
NOT_IN_TF_KERAS |= {snake_case(name) for name in NOT_IN_TF_KERAS} | {"ctc", "categorical_generalized_cross_entropy"}


def test_what_files_say_of_losses_and_metrics_is_known():
    """Every name, function and class that compile takes, as both kinds of files have it."""
    keras, tf_keras = keras_module(), keras_module("tf_keras")
    left_out = NOT_IN_KERAS | WITH_ARGUMENTS | {snake_case(name) for name in WITH_ARGUMENTS}
    for family, key in (("losses", "loss"), ("metrics", "metrics")):
        ours, theirs, old = (getattr(module, family) for module in (fastkeras, keras, tf_keras))
        tables = [ours._BY_NAME] if key == "loss" else [ours._BY_NAME, ours._CLASSES, ours._ALIASES, ours.WITHOUT_CLASS]
        names = {name for table in tables for name in table} - left_out
        things = [getattr(ours, name) for name in ours.__all__ if name in names]
        assert len(things) > 40
        in_tf_keras = names - NOT_IN_TF_KERAS
        if key == "metrics":  # where it has names in snake case of functions alone
            in_tf_keras &= {*ours._CLASSES, *ours._ALIASES, *(f.__name__ for f in ours._BY_FUNCTION)}
        for given in [*names, *things]:
            compiled = Compiled("sgd", given) if key == "loss" else Compiled("sgd", "mse", given)
            new, flat = compile_to_keras_3(compiled)[key], compile_to_config(compiled)[key]
            if key == "metrics":
                (new,), (flat,) = new, flat
            found = theirs.get(new) if isinstance(new, str) else keras.saving.deserialize_keras_object(new)
            meant = ours.get(given)
            assert called(found) == called(getattr(meant, "function", meant)), f"{family}: {given!r} is written {new!r}"
            if getattr(given, "__name__", given) in in_tf_keras:
                assert called(old.get(flat)) == called(found), f"{family}: {given!r} is written {flat!r}"


def test_the_modules_have_what_keras_s_have():
    keras = keras_module()
    for family in [*NOT_HERE, "callbacks", "optimizers.schedules"]:
        theirs, ours = (importlib.import_module(f"{k}.{family}") for k in (keras.__name__, "fastkeras"))
        missing = {name for name in dir(theirs) if not name.startswith("_") and not hasattr(ours, name)}
        allowed = NOT_HERE.get(family, set()) | {"legacy", "Lamb", "OrbaxCheckpoint", "RemoteMonitor", "SwapEMAWeights",
                                                 "STFTInitializer", "stft"}  # fmt: skip
        assert missing <= allowed, f"{family}: {missing - allowed}"
