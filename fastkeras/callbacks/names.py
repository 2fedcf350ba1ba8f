"""The names under which a loss or metric may be asked for."""

from fastkeras.utils import suggest

# Names of one thing; the accuracies are one, since a model has the one that fits its output.
_SAME = (
    ("acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    ("mae", "mean_absolute_error"),
    ("mape", "mean_absolute_percentage_error"),
    ("mse", "mean_squared_error"),
    ("msle", "mean_squared_logarithmic_error"),
    ("lr", "learning_rate"),
)


def resolve(name, known):
    """The entry of `known` that `name` means: itself, or another name of the same ("val_acc": "val_accuracy"); or None.

    >>> resolve("val_mean_absolute_error", ["loss", "mae", "val_loss", "val_mae"])
    'val_mae'
    """
    if name in known:
        return name
    prefix = "val_" if name.startswith("val_") else ""
    plain = name.removeprefix(prefix).lower()
    group = next((names for names in _SAME if plain in names), (plain,))
    found = [k for k in known if k.startswith(prefix) and k.removeprefix(prefix).lower() in group]
    return found[0] if len(found) == 1 else None


class Values(dict):
    """A dict by the names of losses and metrics: `values[name]`, `get` and `in` also find another name of the same."""

    def __contains__(self, name):
        return super().__contains__(name) or (isinstance(name, str) and resolve(name, list(self)) is not None)

    def get(self, name, default=None):
        try:
            return self[name]
        except KeyError:
            return default

    def __missing__(self, name):
        found = resolve(name, list(self)) if isinstance(name, str) else None
        if found is None:
            raise KeyError(suggest.unknown("loss or metric", name, self))
        return self[found]
