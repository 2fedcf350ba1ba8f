"""keras.wrappers.scikit_learn: models as estimators, for cross_val_score, GridSearchCV and pipelines.

A function that makes a compiled model, with the arguments to search over, becomes an estimator:

    estimator = KerasClassifier(build_fn=make_model, epochs=10, units=8)    # make_model(units)

Each fit makes a new model. Keras 3 has keras.wrappers.SKLearnClassifier in its place.
"""

import inspect

import numpy as np

from fastkeras.models import Model
from fastkeras.utils import suggest, to_categorical

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
except ImportError as error:
    raise ImportError("keras.wrappers.scikit_learn needs scikit-learn: pip install scikit-learn") from error

__all__ = ["KerasClassifier", "KerasRegressor"]


def _names(function):
    parameters = inspect.signature(function).parameters.values()
    named = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    return [name for name in named if name not in ("self", "model", "x", "y")]


class _Estimator(BaseEstimator):
    """build_fn: makes a compiled model; a subclass may be it itself, by a method __call__.

    The other arguments are build_fn's, and those of fit and predict; set_params changes them.
    """

    def __init__(self, build_fn=None, **arguments):
        self.build_fn = build_fn
        self.arguments = arguments

    def get_params(self, deep=True):
        """All arguments."""
        return {"build_fn": self.build_fn, **self.arguments}

    def set_params(self, **params):
        """Changes arguments, and returns the estimator."""
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.arguments = {**self.arguments, **params}
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "model")

    def _make(self):
        build = self.build_fn or self.__call__
        names = _names(build)
        known = {*names, *_names(Model.fit), *_names(Model.predict), "nb_epoch"}
        for name in self.arguments:
            if name not in known:
                raise ValueError(suggest.unknown(f"argument of {type(self).__name__}", name, known))
        return build(**{name: value for name, value in self.arguments.items() if name in names})

    def _of(self, method, given):
        """The arguments for a method of the model: those given now come before those of __init__."""
        names = [*_names(method), *(["nb_epoch"] if method is Model.fit else [])]
        return {**{name: value for name, value in self.arguments.items() if name in names}, **given}

    def fit(self, x, y, **options):
        """Makes and trains a model, `self.model`, and returns its History."""
        self.model = self._make()
        if self.model.loss == "categorical_crossentropy" and np.ndim(y) < 2:
            y = to_categorical(y)
        return self.model.fit(x, y, **self._of(Model.fit, options))

    def _predictions(self, x, options):
        return np.asarray(self.model.predict(x, **{"verbose": 0, **self._of(Model.predict, options)}))


class KerasClassifier(ClassifierMixin, _Estimator):
    """An estimator of classes: labels, or one-hot rows."""

    def fit(self, x, y, **options):
        """Makes and trains a model, `self.model`, and returns its History. classes_: the labels, in order."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_, y = np.unique(y.ravel(), return_inverse=True)
        return super().fit(x, y, **options)

    def predict(self, x, **options):
        """The labels, (n,)."""
        return self.classes_[self.predict_proba(x, **options).argmax(axis=-1)]

    def predict_proba(self, x, **options):
        """The probabilities of the classes, (n, classes), of two classes from one output unit as well."""
        p = self._predictions(x, options)
        return np.hstack([1 - p, p]) if p.shape[1] == 1 else p

    def score(self, x, y, **options):
        """The accuracy."""
        y = np.asarray(y)
        labels = self.classes_[y.argmax(axis=1)] if y.ndim == 2 and y.shape[1] > 1 else y.ravel()
        return float(np.mean(self.predict(x, **options) == labels))


class KerasRegressor(RegressorMixin, _Estimator):
    """An estimator of numbers."""

    def predict(self, x, **options):
        """The numbers, (n,), or (n, outputs) of several."""
        y = self._predictions(x, options)
        return y[:, 0] if y.shape[-1] == 1 else y

    def score(self, x, y, **options):
        """Minus the loss."""
        loss = self.model.evaluate(x, y, **{"verbose": 0, **self._of(Model.evaluate, options)})
        return -(loss[0] if isinstance(loss, list) else loss)
