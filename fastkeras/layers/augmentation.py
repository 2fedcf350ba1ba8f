"""Layers that change images by chance, each image of a batch in its own way, so that a model sees more than there are.

They do so in training. When a model predicts, they leave images as they are; called on data without being told
(layer(x), or a model of such layers), they change them, as in Keras.
"""

import itertools

import numpy as np

from fastkeras.layers.resizing import CenterCrop, ImageLayer, cut, stretched
from fastkeras.layers.windows import one_of
from fastkeras.random_state import SeedGenerator, numpy_generator

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")
_FLIPS = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}  # the axes of (B, H, W, C)


class RandomImageLayer(ImageLayer):
    """An ImageLayer whose `changed` runs in training only; seed: for the same changes each time."""

    def __init__(self, seed=None, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def forward(self, x, run):
        if run.training is False:
            return x, lambda dy: dy
        return super().forward(x, run)

    def drawn(self, x, *ranges):
        """A number from each (least, largest) for each image, float32 (B,)."""
        generator = numpy_generator(self.seed_generator)
        return [generator.uniform(*between, len(x)).astype(np.float32) for between in ranges]

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


def _between(layer, name, value, least=-1.0, largest=1.0):
    """(lower, upper) from a number z, which stands for -|z| to |z|, or a pair in any order."""
    pair = tuple(sorted(value)) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(z, (int, float, np.number)) and least <= z <= largest for z in pair):
        raise ValueError(
            f"{layer}: `{name}` must be a number, or two, from {least:g} to {largest:g}. Received: {name}={value!r}"
        )
    return pair if isinstance(value, (tuple, list)) else (max(-abs(value), least), abs(value))


class RandomFlip(RandomImageLayer):
    """Half of the images the other way round: left and right ("horizontal"), up and down ("vertical"), or each of both
    by its own chance ("horizontal_and_vertical"; so in Keras 2, while Keras 3 turns both or none)."""

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.mode = one_of("RandomFlip", "mode", mode, tuple(_FLIPS))

    def changed(self, x, run):
        axes = _FLIPS[self.mode]
        turned = [chance < 0.5 for chance in self.drawn(x, *[(0, 1)] * len(axes))]

        def flipped(x):
            y = x.copy()
            for axis, which in zip(axes, turned, strict=True):
                y[which] = np.flip(y[which], axis)
            return y

        return flipped(x), flipped

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


# --- moved -----------------------------------------------------------------------------------------------------------


def moved(x, A, shift, fill_mode, fill_value, interpolation):
    """(y, undo): the place p of image b gets what x (B, H, W, C) has at c + A_b (p - c) - shift_b, c being the middle.

    Places are (row, column); A (B, 2, 2), shift (B, 2). interpolation: "nearest" or "bilinear". fill_mode: beyond the
    edges an image goes on as its mirror image "reflect", as it begins "wrap", as its edge "nearest", or is fill_value,
    "constant".
    """
    B, H, W, C = x.shape
    center = np.array([[H - 1], [W - 1]]) / 2
    places = A @ (np.indices((H, W)).reshape(2, -1) - center) + (center - shift[:, :, None])  # (B, 2, H W)
    if fill_mode != "constant":
        places = _folded(places, np.array([[H], [W]]), fill_mode)
    nearest = interpolation == "nearest"
    corner = np.floor(places + 0.5 if nearest else places)
    beyond = None if nearest else places - corner
    flat, image = x.reshape(B * H * W, C), np.arange(B)[:, None] * (H * W)
    taken = []  # (numbers of places in flat, how much each counts)
    for offset in [(0, 0)] if nearest else itertools.product((0, 1), repeat=2):
        row, column = (corner + np.array(offset)[:, None]).astype(np.intp).transpose(1, 0, 2)
        share = np.ones(row.shape) if nearest else _share(beyond, offset)
        share[(row < 0) | (row >= H) | (column < 0) | (column >= W)] = 0
        number = image + row.clip(0, H - 1) * W + column.clip(0, W - 1)
        taken.append((number.ravel(), share.astype(np.float32).reshape(-1, 1)))
    y = sum(share * flat[number] for number, share in taken)
    if fill_mode == "constant" and fill_value:
        y += np.float32(fill_value) * (1 - sum(share for _, share in taken))

    def undo(dy):
        dx = np.zeros_like(flat)
        for number, share in taken:
            np.add.at(dx, number, share * dy.reshape(flat.shape))
        return dx.reshape(x.shape)

    return y.reshape(x.shape), undo


def _share(beyond, offset):
    """How much the corner at this offset counts for places (B, 2, P) so far beyond the corner (0, 0)."""
    row, column = (beyond[:, i] if step else 1 - beyond[:, i] for i, step in enumerate(offset))
    return row * column


def _folded(places, extents, fill_mode):
    """Places within [0, n - 1] that have what lies at these places."""
    if fill_mode == "reflect":  # mirrors stand half a place before the first and after the last
        places = np.mod(places + 0.5, 2 * extents)
        places = np.minimum(places, 2 * extents - places) - 0.5
    elif fill_mode == "wrap":
        places = np.mod(places, extents)
    return np.clip(places, 0, extents - 1)


class _Moving(RandomImageLayer):
    """y = moved(x, ...): a subclass defines maps(x) -> (A, shift)."""

    def __init__(self, fill_mode, interpolation, seed, fill_value, data_format, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.fill_mode = one_of(type(self).__name__, "fill_mode", fill_mode, _FILL_MODES)
        self.interpolation = one_of(type(self).__name__, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_value = fill_value

    def changed(self, x, run):
        return moved(x, *self.maps(x), self.fill_mode, self.fill_value, self.interpolation)

    def get_config(self):
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


class RandomRotation(_Moving):
    """Images rotated about their middle, counterclockwise, by a part of a full turn: from -factor to factor, or between
    two numbers.

    fill_mode, interpolation and fill_value: as in `moved`.
    """

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = _between("RandomRotation", "factor", factor)

    def maps(self, x):
        (turn,) = self.drawn(x, self.factor)
        cosine, sine = np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)
        return np.array([[cosine, sine], [-sine, cosine]]).transpose(2, 0, 1), np.zeros((len(x), 2))

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class _ByAxis(_Moving):
    """A _Moving with a factor for rows and one for columns; without the latter, a draw counts for both."""

    def __init__(self, height_factor, width_factor, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        factors = {"height_factor": height_factor, "width_factor": width_factor}
        self._ranges = [
            _between(type(self).__name__, name, factor) for name, factor in factors.items() if factor is not None
        ]

    def drawn_factors(self, x):
        """Those of each image, (B, 2)."""
        drawn = self.drawn(x, *self._ranges)
        return np.stack([drawn[0], drawn[-1]], axis=1)

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomZoom(_ByAxis):
    """Images shrunk (by less than 0: enlarged) about their middle, the extents of what is seen times 1 + a factor from
    -height_factor to height_factor, or between two numbers.

    width_factor: that of the columns, if it is not the rows'. fill_mode, interpolation, fill_value: as in `moved`.
    """

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(height_factor, width_factor, fill_mode, interpolation, seed, fill_value, data_format, **kwargs)

    def maps(self, x):
        return np.eye(2) * (1 + self.drawn_factors(x))[:, :, None], np.zeros((len(x), 2))


class RandomTranslation(_ByAxis):
    """Images shifted down by a part of their height, from -height_factor to height_factor, or between two numbers, and
    to the right by a part of their width, as width_factor says.

    fill_mode, interpolation, fill_value: as in `moved`.
    """

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(height_factor, width_factor, fill_mode, interpolation, seed, fill_value, data_format, **kwargs)

    def maps(self, x):
        return np.eye(2)[None], self.drawn_factors(x) * x.shape[1:3]


class RandomCrop(CenterCrop):
    """A part (height, width) of images, from a place that is drawn for each batch. When a model predicts, and of
    smaller images, the largest part in the middle with that shape, resized."""

    def __init__(self, height, width, seed=None, data_format=None, **kwargs):
        super().__init__(height, width, data_format, **kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def changed(self, x, run):
        room = np.array(x.shape[1:3]) - (self.height, self.width)
        if run.training is False or room.min() < 0:
            return stretched(x, (self.height, self.width), aspect="crop")
        return cut(x, *numpy_generator(self.seed_generator).integers(0, room + 1), self.height, self.width)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


# --- brighter --------------------------------------------------------------------------------------------------------


class _Toning(RandomImageLayer):
    """Images whose values change, and stay in value_range."""

    def __init__(self, factor, value_range, seed, **kwargs):
        super().__init__(seed, **kwargs)
        if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
            raise ValueError(
                f"{type(self).__name__}: `value_range` must be (least, largest). Received: value_range={value_range!r}"
            )
        self.factor, self.value_range = factor, sorted(value_range)

    def kept_in_range(self, y):
        """(y within value_range, where it was)."""
        least, largest = self.value_range
        return np.clip(y, least, largest), (y >= least) & (y <= largest)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomBrightness(_Toning):
    """y = x + d (largest - least) within value_range, (least, largest): d from -factor to factor, or between two
    numbers."""

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(_between("RandomBrightness", "factor", factor), value_range, seed, **kwargs)

    def changed(self, x, run):
        (d,) = self.drawn(x, self.factor)
        y, kept = self.kept_in_range(x + d[:, None, None, None] * (self.value_range[1] - self.value_range[0]))
        return y, lambda dy: dy * kept


class RandomContrast(_Toning):
    """y = m + c (x - m) within value_range, m being the mean of each channel of an image, c from 1 - factor to
    1 + factor; or from 1 - lower to 1 + upper for two factors, of which lower is the smaller; all from 0 to 1. (So
    Keras says; for one factor, Keras 3 draws from 1 to 1 + factor.)"""

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        pair = factor if isinstance(factor, (tuple, list)) else (factor, factor)
        super().__init__(_between("RandomContrast", "factor", pair, least=0.0), value_range, seed, **kwargs)

    def changed(self, x, run):
        lower, upper = self.factor
        (c,) = self.drawn(x, (1 - lower, 1 + upper))
        c = c[:, None, None, None]
        mean = x.mean(axis=(1, 2), keepdims=True)
        y, kept = self.kept_in_range(mean + c * (x - mean))

        def undo(dy):
            dy = dy * kept
            return c * dy + (1 - c) * dy.mean(axis=(1, 2), keepdims=True)

        return y, undo
