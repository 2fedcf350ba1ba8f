"""Layers that scale data, by numbers that no gradient changes: Normalization and Rescaling."""

import numbers

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.tensor import as_tensor
from fastkeras.layers.layer import Layer
from fastkeras.layers.normalization import checked_axes
from fastkeras.utils.arguments import integers
from fastkeras.utils.arrays import to_array

_LEAST_DEVIATION = np.float32(1e-7)  # what is divided by at least, as in Keras


class Normalization(Layer):
    """y = (x - mean) / sqrt(variance), with numbers that `adapt(data)` takes from data, or that are given.

    There is one mean and variance for each place of `axis`: an axis, several, or None for one over all of the data.
    invert: y = mean + x sqrt(variance) instead. The weights are mean, variance and a count that is not used any more;
    there are none if mean and variance are given, which are numbers or arrays that numpy broadcasts to those places.
    """

    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        self.axis = () if axis is None else integers("Normalization", "axis", axis)
        if (mean is None) != (variance is None) or np.shape(mean) != np.shape(variance):
            raise ValueError(
                "Normalization: `mean` and `variance` must be given both or neither, and have one shape. "
                f"Received: mean={mean!r:.200}, variance={variance!r:.200}"
            )
        self.given = None if mean is None else (np.asarray(mean, np.float32), np.asarray(variance, np.float32))
        self.invert = bool(invert)

    def check_input_shape(self, input_shape):
        places = self._places(input_shape)
        if self.given is not None:
            fits = self.given[0].ndim <= len(places) and all(
                m in (1, n) for m, n in zip(self.given[0].shape[::-1], places[::-1], strict=False)
            )
        else:
            fits = not self.built or self._weights[0].shape == places
        if not fits:
            raise ValueError(
                f"Layer '{self.name}' (Normalization): `mean` and `variance` do not fit the extents {places} on axis "
                f"{self.axis}. Received: shape {tuple(input_shape)}"
            )

    def _axes_of(self, shape):
        if len(shape) == 1 and self.given is not None and self.given[0].ndim == 0:
            return []  # a number for each sample: the one mean and variance hold for all
        return checked_axes(self, self.axis, shape)

    def _places(self, shape):
        return tuple(shape[a] for a in self._axes_of(shape))

    def build(self, input_shape):
        self._axes = self._axes_of(input_shape)
        self._shape = tuple(n if a in self._axes else 1 for a, n in enumerate(input_shape))
        if self.given is None:
            places = self._places(input_shape)
            self._weights = [
                self.add_weight("mean", places, "zeros", trainable=False),
                self.add_weight("variance", places, "ones", trainable=False),
                self.add_weight("count", (), "zeros", trainable=False),
            ]

    def _number(self, i):
        """The mean (0) or the variance (1) as it is broadcast against the input."""
        if not self.built:
            return None
        value = self._weights[i].value if self.given is None else self.given[i]
        places = tuple(self._shape[a] for a in self._axes)
        return as_tensor(np.broadcast_to(value, places).reshape(self._shape))

    @property
    def mean(self):
        """A copy, float32 of the input's rank, with extents of 1 but for `axis`; None before the layer is built."""
        return self._number(0)

    @property
    def variance(self):
        """As `mean`."""
        return self._number(1)

    def adapt(self, data):
        """Takes mean and variance from data: an array (or frame), or an iterable of batches, which are arrays or begin
        with one."""
        if self.given is not None:
            raise ValueError(f"Layer '{self.name}' (Normalization): adapt() was called, but `mean` is given.")
        count, mean, variance = 0, 0.0, 0.0
        for batch in filter(np.size, _batches(data)):
            self.check_input_shape(batch.shape)
            self.ensure_built(batch.shape)
            axes = tuple(a for a in range(batch.ndim) if a not in self._axes)
            n = int(np.prod([batch.shape[a] for a in axes]))
            m = batch.mean(axis=axes, dtype=np.float64)
            v = batch.var(axis=axes, dtype=np.float64)
            # Two parts of n and `count` values have a variance within each and one between their means.
            share, gap = n / (count + n), m - mean
            variance = (1 - share) * variance + share * v + share * (1 - share) * gap**2
            mean, count = mean + share * gap, count + n
        if count == 0:
            raise ValueError(f"Layer '{self.name}' (Normalization): adapt() needs data. Received: {data!r:.200}")
        for weight, value in zip(self._weights, (mean, variance), strict=False):
            weight.value[...] = value

    def forward(self, x, run):
        x, back = dense(x, run)
        mean, deviation = self.mean, np.maximum(np.sqrt(self.variance), _LEAST_DEVIATION)
        y = run.buffer("y", x.shape)
        if self.invert:
            np.multiply(x, deviation, out=y)
            y += mean
        else:
            np.subtract(x, mean, out=y)
            y /= deviation
        change = np.multiply if self.invert else np.divide
        return y, lambda dy: back(change(dy, deviation, out=run.buffer("dx", x.shape)))

    def get_config(self):
        mean, variance = (None, None) if self.given is None else (value.tolist() for value in self.given)
        return {**super().get_config(), "axis": self.axis, "invert": self.invert, "mean": mean, "variance": variance}


def _batches(data):
    """The arrays of `data`: itself, if it is one, or those that it gives one after another."""
    listed = isinstance(data, (list, tuple)) and not any(hasattr(item, "shape") for item in data)
    if listed or hasattr(data, "shape"):
        return [np.asarray(data, np.float32)]
    if not hasattr(data, "__iter__") and hasattr(data, "__getitem__"):  # a keras.utils.Sequence
        data = map(data.__getitem__, range(len(data)))
    return (np.asarray(item[0] if isinstance(item, tuple) else item, np.float32) for item in data)


def _numbers(name, value):
    """A number, or an array as numpy or as Keras writes it in files, as what numpy multiplies by."""
    if isinstance(value, dict) and "config" in value:
        value = value["config"]["value"]
    return (
        value if isinstance(value, numbers.Real) else np.asarray(to_array(name, value, who="Rescaling: "), np.float32)
    )


class Rescaling(Layer):
    """y = scale x + offset, each a number, or an array that numpy broadcasts to x: Rescaling(1 / 255) for images."""

    supports_masking = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = _numbers("scale", scale), _numbers("offset", offset)

    def forward(self, x, run):
        x, back = dense(x, run)
        y = run.buffer("y", x.shape)
        np.multiply(x, self.scale, out=y, casting="same_kind")
        y += self.offset
        return y, lambda dy: back(np.multiply(dy, self.scale, out=run.buffer("dx", x.shape)))

    def get_config(self):
        scale, offset = (v.tolist() if isinstance(v, np.ndarray) else v for v in (self.scale, self.offset))
        return {**super().get_config(), "scale": scale, "offset": offset}
