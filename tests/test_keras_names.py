"""Every name that Keras 3 knows in a `get` means the same here: walked through Keras's own tables, live.

Skipped where TensorFlow is not installed (the extra `compare`).
"""

import importlib

import pytest
from live import keras_module, needs_tensorflow

import fastkeras
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


def test_the_modules_have_what_keras_s_have():
    keras = keras_module()
    for family in [*NOT_HERE, "callbacks", "optimizers.schedules"]:
        theirs, ours = (importlib.import_module(f"{k}.{family}") for k in (keras.__name__, "fastkeras"))
        missing = {name for name in dir(theirs) if not name.startswith("_") and not hasattr(ours, name)}
        allowed = NOT_HERE.get(family, set()) | {"legacy", "Lamb", "OrbaxCheckpoint", "RemoteMonitor", "SwapEMAWeights",
                                                 "STFTInitializer", "stft"}  # fmt: skip
        assert missing <= allowed, f"{family}: {missing - allowed}"
