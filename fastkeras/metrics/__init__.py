"""Metrics: what is reported of a model besides its loss, over all rows since the last reset.

    metric = metrics.BinaryAccuracy()
    metric.update_state([[1.0], [0.0]], [[0.7], [0.6]])
    metric.result()                                         # 0.5
    model.compile(metrics=["accuracy", metrics.BinaryAccuracy(threshold=0.3)])

The formulas are those of keras.metrics. How to write one of your own says metrics/metric.py.
"""

from fastkeras import losses
from fastkeras.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from fastkeras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from fastkeras.metrics.confusion import (
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from fastkeras.metrics.errors import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from fastkeras.metrics.f_score import F1Score, FBetaScore
from fastkeras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from fastkeras.metrics.metric import Mean, MeanMetricWrapper, Metric, Sum
from fastkeras.metrics.regression import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    R2Score,
    concordance_correlation,
    pearson_correlation,
)
from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_object
from fastkeras.utils.naming import snake_case

_CLASSES = {
    c.__name__: c
    for c in (
        Mean,
        Sum,
        Accuracy,
        BinaryAccuracy,
        CategoricalAccuracy,
        SparseCategoricalAccuracy,
        TopKCategoricalAccuracy,
        SparseTopKCategoricalAccuracy,
        MeanSquaredError,
        RootMeanSquaredError,
        MeanAbsoluteError,
        MeanAbsolutePercentageError,
        MeanSquaredLogarithmicError,
        LogCoshError,
        CosineSimilarity,
        R2Score,
        PearsonCorrelation,
        ConcordanceCorrelation,
        Hinge,
        SquaredHinge,
        CategoricalHinge,
        KLDivergence,
        Poisson,
        BinaryCrossentropy,
        CategoricalCrossentropy,
        SparseCategoricalCrossentropy,
        AUC,
        Precision,
        Recall,
        TruePositives,
        TrueNegatives,
        FalsePositives,
        FalseNegatives,
        PrecisionAtRecall,
        RecallAtPrecision,
        SensitivityAtSpecificity,
        SpecificityAtSensitivity,
        F1Score,
        FBetaScore,
        IoU,
        BinaryIoU,
        MeanIoU,
        OneHotIoU,
        OneHotMeanIoU,
    )
}
_BY_NAME = {snake_case(name): c for name, c in _CLASSES.items()}
_ALIASES = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
}
_SUGGESTED = [*_BY_NAME, *_ALIASES]
_ALIASES |= {name.upper(): c for name, c in _ALIASES.items()}
_ALIASES |= {"kld": KLDivergence, "KLD": KLDivergence, "logcosh": LogCoshError, "log_cosh": LogCoshError}
_FUNCTIONS = (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    pearson_correlation,
    concordance_correlation,
    mean_squared_error,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_logarithmic_error,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    categorical_hinge,
    hinge,
    squared_hinge,
    kl_divergence,
    poisson,
)
_BY_FUNCTION = {function: _BY_NAME[function.__name__] for function in _FUNCTIONS}
_BY_FUNCTION[log_cosh] = LogCoshError
__all__ = [*_CLASSES, *(f.__name__ for f in _BY_FUNCTION), "MeanMetricWrapper", "Metric"]
# Losses that are metrics as functions alone.
WITHOUT_CLASS = {f.__name__: f for f in (binary_focal_crossentropy, categorical_focal_crossentropy, huber)}
__all__ += WITHOUT_CLASS
__all__ += ["deserialize", "get", "serialize"]


def key(identifier):
    """Under which name a metric is reported: as the user wrote it, or the metric's or function's own."""
    if isinstance(identifier, str):
        return identifier
    if isinstance(identifier, type):
        return snake_case(identifier.__name__)
    return getattr(identifier, "name", None) or getattr(identifier, "__name__", type(identifier).__name__)


def get(identifier, y_true_shape=None, y_pred_shape=None):
    """The Metric that `identifier` means, or None for None.

    identifier: a name ("accuracy", "mse", "BinaryAccuracy"), a function of this module, a Metric or its class, a
    function of your own (see metrics/metric.py), or what `serialize` gave. Where both shapes are given, "accuracy"
    and "acc" are the binary, sparse or categorical one that fits them.
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        if identifier.lower() in ("accuracy", "acc") and y_pred_shape is not None:
            return _accuracy_for(y_true_shape, y_pred_shape)(name=identifier)
        return deserialize(identifier)
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, losses.Loss):
        return MeanMetricWrapper(identifier.call, identifier.name)
    if not callable(identifier):
        raise TypeError(f"A metric must be a name, a Metric or a function. Received: {identifier!r}")
    return _BY_FUNCTION[identifier]() if identifier in _BY_FUNCTION else MeanMetricWrapper(identifier)


def _accuracy_for(y_true_shape, y_pred_shape):
    """Which accuracy suits targets and predictions of these shapes."""
    if y_pred_shape[-1] == 1:
        return BinaryAccuracy
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy


def serialize(metric):
    """A metric as Keras writes it: {"class_name": ..., "config": ...} of a Metric, the name of a function."""
    if isinstance(metric, MeanMetricWrapper) or not isinstance(metric, Metric):
        return key(metric)
    module = "keras.metrics" if type(metric) in _CLASSES.values() else type(metric).__module__
    config = metric.get_config()
    return {"module": module, "class_name": type(metric).__name__, "config": config, "registered_name": None}


def deserialize(config, custom_objects=None):
    """The Metric that `serialize` or Keras wrote; your own come from `custom_objects` or utils.custom_objects."""
    name, numbers = config, {}
    if isinstance(config, dict):
        name, numbers = config.get("class_name"), config.get("config", {})
        if name == "function":
            name, numbers = numbers, {}
    own = (custom_objects or {}).get(name) or get_registered_object(name)
    if own is not None:
        return get(own.from_config(numbers) if isinstance(own, type) else own)
    if name in WITHOUT_CLASS:
        return get(WITHOUT_CLASS[name])
    known = {**_BY_NAME, **_CLASSES, **_ALIASES}
    if name not in known:
        raise ValueError(suggest.unknown("metric", name, [*_SUGGESTED, *(custom_objects or {})]))
    return known[name].from_config(numbers)


def __getattr__(name):
    raise AttributeError(suggest.unknown("name in fastkeras.metrics", name, __all__))
