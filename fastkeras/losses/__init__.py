"""Losses: how far predictions are from their targets, as classes and as functions of rows.

    losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])       # 0.5
    losses.mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])       # array([0.5], dtype=float32)
    model.compile(loss="mse")                                   # or either of the above

The formulas are those of keras.losses and stand in src_c/losses.h. How to write one of your own says losses/loss.py.
"""

from fastkeras.losses.circle import Circle, circle
from fastkeras.losses.crf import CRFLoss
from fastkeras.losses.ctc import CTC, ctc
from fastkeras.losses.loss import FunctionLoss, Loss
from fastkeras.losses.margins import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from fastkeras.losses.probabilistic import (
    AnyCrossentropy,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from fastkeras.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from fastkeras.losses.segmentation import Dice, Tversky, dice, tversky
from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_object

_CLASSES = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    huber: Huber,
    log_cosh: LogCosh,
    cosine_similarity: CosineSimilarity,
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    kl_divergence: KLDivergence,
    poisson: Poisson,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    dice: Dice,
    tversky: Tversky,
    ctc: CTC,
    circle: Circle,
}
_SHORT = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "kld": kl_divergence,
}
# Further names that Keras 2 knows.
_OLD = {
    "cosine_proximity": cosine_similarity,
    "huber_loss": huber,
    "kullback_leibler_divergence": kl_divergence,
    "logcosh": log_cosh,
}
_FUNCTIONS = {**_SHORT, **{name.upper(): f for name, f in _SHORT.items()}, **_OLD}
_BY_NAME = {name: c for f, c in _CLASSES.items() for name in (f.__name__, c.__name__)}
_BY_NAME |= {name: _CLASSES[f] for name, f in _FUNCTIONS.items()}
_BY_NAME |= {"CRFLoss": CRFLoss, "crf": CRFLoss}  # of a layer's weights as well, so there is no function of it
_BY_NAME |= {"crossentropy": AnyCrossentropy, "ce": AnyCrossentropy}
_SUGGESTED = [*(f.__name__ for f in _CLASSES), *_SHORT, "crf"]

__all__ = ["CRFLoss", *(c.__name__ for c in _CLASSES.values()), *(f.__name__ for f in _CLASSES), *_FUNCTIONS, "Loss"]
__all__ += ["deserialize", "get", "serialize"]


def get(identifier):
    """The Loss that `identifier` means, or None for None.

    identifier: a name ("mse", "mean_squared_error", "MeanSquaredError"), a function of this module, a Loss or
    its class, a function of your own (see losses/loss.py), or what `serialize` gave.
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if not callable(identifier):
        raise TypeError(f"A loss must be a name, a Loss or a function. Received: {identifier!r}")
    return _CLASSES[identifier]() if identifier in _CLASSES else FunctionLoss(identifier)


def serialize(loss):
    """A loss as Keras writes it: {"class_name": ..., "config": ...} of a Loss, the name of a function."""
    if isinstance(loss, FunctionLoss):
        return loss.name
    if isinstance(loss, Loss):
        module = "keras.losses" if type(loss) in _CLASSES.values() else type(loss).__module__
        config = loss.get_config()
        return {"module": module, "class_name": type(loss).__name__, "config": config, "registered_name": None}
    return getattr(loss, "__name__", loss)


def deserialize(name, custom_objects=None):
    """The Loss that `serialize` or Keras wrote; your own come from `custom_objects` or utils.custom_objects."""
    config = {}
    if isinstance(name, dict):
        name, config = name.get("class_name"), name.get("config", {})
        if name == "function":
            name, config = config, {}
    own = (custom_objects or {}).get(name) or get_registered_object(name)
    if own is not None:
        return get(own.from_config(config) if isinstance(own, type) else own)
    if name not in _BY_NAME:
        raise ValueError(suggest.unknown("loss", name, [*_SUGGESTED, *(custom_objects or {})]))
    return _BY_NAME[name].from_config(config)


def full_name(name):
    """The name of the function that is meant by a name or class of this module ("mse": "mean_squared_error"); other
    names as they are."""
    return next((f.__name__ for f, kind in _CLASSES.items() if kind is _BY_NAME.get(name)), name)


def __getattr__(name):
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    raise AttributeError(suggest.unknown("name in fastkeras.losses", name, __all__))
