"""CategoryEncoding, Discretization and Hashing: numbers and texts as the numbers of categories, and these as rows."""

import math

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.strings import encoded
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import one_of
from fastkeras.utils.arguments import positive_integer
from fastkeras.utils.arrays import to_array
from fastkeras.utils.fingerprint import fingerprint64, siphash64

MODES = {"int": "int", "one_hot": "one_hot", "multi_hot": "multi_hot", "binary": "multi_hot", "count": "count"}


# --- numbers of categories as rows -----------------------------------------------------------------------------------


def counts(rows, numbers, shape, weights=None):
    """How often each number occurs in each row, (rows, categories): an array of this shape. Numbers outside are left
    out; weights: what each occurrence counts, otherwise 1."""
    inside = (numbers >= 0) & (numbers < shape[1])
    places = rows[inside] * shape[1] + numbers[inside]
    y = np.bincount(places, None if weights is None else weights[inside], minlength=shape[0] * shape[1])
    return y.reshape(shape)


def as_rows(layer, numbers, mode, size, weights=None):
    """The numbers of categories in an output mode; those outside [0, size) are left out.

    "one_hot": (..., 1) -> (..., size), otherwise (...) -> (..., size), 1 at each number's place. "multi_hot" and
    "count": (B, N, ...) -> (B, ..., size), whether or how often each number occurs among the N; (N,) is one row,
    -> (size,). weights: of the numbers' shape, what each counts.
    """
    numbers = np.atleast_1d(numbers)
    if mode == "one_hot":
        numbers = numbers[..., 0] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers
        return (numbers[..., None] == np.arange(size)).astype(np.int64)
    if weights is not None and weights.shape != numbers.shape:
        raise ValueError(
            f"Layer '{layer.name}' ({type(layer).__name__}): `count_weights` must have the shape of the inputs, "
            f"{numbers.shape}. Received: shape {weights.shape}"
        )
    counted = min(1, numbers.ndim - 1)  # the axis
    numbers = np.moveaxis(numbers, counted, -1)
    rows = np.arange(math.prod(numbers.shape[:-1])).repeat(numbers.shape[-1])
    if weights is not None:
        weights = np.moveaxis(weights, counted, -1).ravel()
    y = counts(rows, numbers.ravel(), (math.prod(numbers.shape[:-1]), size), weights)
    return (np.minimum(y, 1) if mode == "multi_hot" else y).reshape(*numbers.shape[:-1], size)


def shape_as_rows(shape, mode, size):
    """The shape that `as_rows` gives. (Keras says (B, N, ..., size) of more than two axes, and gives what is here.)"""
    if mode == "int":
        return shape
    if mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape or (1,)), size)
    return (*shape[:1], *shape[2:], size) if len(shape) > 1 else (size,)


def refuse_sparse(layer, sparse):
    if sparse:
        raise ValueError(f"{type(layer).__name__}: results are dense arrays, so `sparse` must be False. Received: True")


# --- layers ----------------------------------------------------------------------------------------------------------


class CategoryEncoding(Layer):
    """Numbers of categories as rows of `num_tokens` columns, float32.

    x: integers in [0, num_tokens), (B, N, ...). output_mode: "multi_hot" (also "binary"), 1 for each number that occurs
    among the N, (B, ..., num_tokens); "count", how often it does; "one_hot", a row for each number.
    count_weights, in a call with output_mode "count": an array like x, what each occurrence counts.
    """

    takes_several = True  # the weights, too

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        self.num_tokens = positive_integer("CategoryEncoding", "num_tokens", num_tokens)
        known = {name: mode for name, mode in MODES.items() if name != "int"}
        self.output_mode = known[one_of("CategoryEncoding", "output_mode", output_mode, known)]
        refuse_sparse(self, sparse)

    def __call__(self, inputs, count_weights=None, **options):
        if count_weights is None:
            return super().__call__(inputs, **options)
        if self.output_mode != "count":
            raise ValueError(
                f"Layer '{self.name}' (CategoryEncoding): `count_weights` belong to output_mode 'count'. "
                f"Received: output_mode={self.output_mode!r}"
            )
        return self.call_with([inputs, count_weights], {}, **options)

    def compute_output_shape(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        return shape_as_rows(shape, self.output_mode, self.num_tokens)

    def forward(self, x, run):
        numbers, *weights = (dense(part, run, str(i))[0] for i, part in enumerate(x if isinstance(x, list) else [x]))
        numbers = numbers.astype(np.int64)
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < self.num_tokens):
            raise ValueError(
                f"Layer '{self.name}' (CategoryEncoding): expected numbers from 0 to num_tokens - 1 = "
                f"{self.num_tokens - 1}. Received: {numbers.min()} to {numbers.max()}"
            )
        y = as_rows(self, numbers, self.output_mode, self.num_tokens, *weights)
        return y.astype(np.float32), lambda dy: [None] * len(x) if isinstance(x, list) else None

    def get_config(self):
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "output_mode": self.output_mode,
            "sparse": False,
        }


class Discretization(Layer):
    """The number of the interval that each x is in: 0 below the first boundary, i from the i-th up, the last included.

    x: float32 of any shape; y: int32 of its shape, or in the output modes of CategoryEncoding float32 rows.
    bin_boundaries: ascending numbers; or num_bins: how many intervals, whose boundaries `adapt(data)` finds such that
    each has about as many of the data. epsilon: how exactly, as a fraction of the data.
    """

    def __init__(
        self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, dtype=None, **kwargs
    ):
        super().__init__(**kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                "Discretization: give either `bin_boundaries` or `num_bins`. "
                f"Received: bin_boundaries={bin_boundaries!r:.100}, num_bins={num_bins}"
            )
        self.num_bins = None if num_bins is None else positive_integer("Discretization", "num_bins", num_bins)
        self.bin_boundaries = None
        if bin_boundaries is not None:
            self._take(bin_boundaries)
        if not 0 < epsilon < 1:
            raise ValueError(f"Discretization: `epsilon` must be between 0 and 1. Received: epsilon={epsilon!r}")
        self.epsilon = float(epsilon)
        self.output_mode = MODES[one_of("Discretization", "output_mode", output_mode, MODES)]
        refuse_sparse(self, sparse)

    def _take(self, boundaries):
        self.bin_boundaries = [float(b) for b in to_array("bin_boundaries", boundaries, who="Discretization: ").ravel()]
        if sorted(self.bin_boundaries) != self.bin_boundaries:
            raise ValueError(f"Discretization: `bin_boundaries` must ascend. Received: {boundaries!r:.200}")

    def adapt(self, data, steps=None):
        """Finds the boundaries: of an array, or of an iterable of batches, the first `steps` of them."""
        if self.num_bins is None:
            raise ValueError(
                f"Layer '{self.name}' (Discretization): adapt() was called, but `bin_boundaries` are given."
            )
        summary = np.zeros((2, 0), np.float32)
        for i, batch in enumerate([data] if hasattr(data, "shape") else data):
            if i == steps:
                break
            summary = _summary_of_both(_summary(np.asarray(batch, np.float32).ravel(), self.epsilon), summary)
            summary = _shortened(summary, self.epsilon)
        if summary.size == 0:
            raise ValueError(f"Layer '{self.name}' (Discretization): adapt() needs data. Received: {data!r:.200}")
        self._take(_shortened(summary, 1 / self.num_bins)[0, :-1])

    def compute_output_shape(self, input_shape):
        size = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return shape_as_rows(input_shape, self.output_mode, size)

    def forward(self, x, run):
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer '{self.name}' (Discretization): there are no boundaries yet. Call adapt(data), or give "
                "`bin_boundaries`."
            )
        numbers = np.digitize(dense(x, run)[0], np.array(self.bin_boundaries, np.float32)).astype(np.int32)
        if self.output_mode == "int":
            return numbers, lambda dy: None
        y = as_rows(self, numbers, self.output_mode, len(self.bin_boundaries) + 1)
        return y.astype(np.float32), lambda dy: None

    def get_config(self):
        return {
            **super().get_config(),
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
        }

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` describes, which has both `num_bins` and what `adapt` has found."""
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer._take(boundaries)
        return layer


# A summary of n numbers, (2, m): values in order, and how many of the numbers lie from the one before up to each.


def _summary(values, epsilon):
    step = max(len(values) / (1 / epsilon), 1)
    kept = np.sort(values)[int(step - 1) :: int(step)]
    return np.stack([kept, np.ones_like(kept) * step])


def _summary_of_both(one, other):
    both = np.concatenate([one, other], axis=1)
    return both[:, np.argsort(both[0])]


def _shortened(summary, epsilon):
    """The values at the quantiles epsilon, 2 epsilon, ... 1, between which numbers are taken to lie evenly."""
    if summary.shape[1] * epsilon < 1:
        return summary
    quantiles = epsilon + np.arange(0.0, 1.0, epsilon)
    below = summary[1].cumsum()
    share = below / below[-1]
    values, below = np.interp(quantiles, share, summary[0]), np.interp(quantiles, share, below)
    return np.stack([values, np.diff(below, prepend=0)]).astype(np.float32)


class Hashing(Layer):
    """The number of a bin for each text or integer, always the same for the same one: its hash modulo `num_bins`.

    x: texts or integers of any shape; y: int64 of its shape, or in the output modes of CategoryEncoding float32 rows.
    The hash is FarmHash's Fingerprint64 or, with a salt (an integer, or two of them), SipHash-2-4, both of the text;
    integers are written out. mask_value: what has bin 0 for itself.
    """

    input_dtype = "string"

    def __init__(self, num_bins, mask_value=None, salt=None, output_mode="int", sparse=False, dtype=None, **kwargs):
        super().__init__(**kwargs)
        self.num_bins = positive_integer("Hashing", "num_bins", num_bins)
        self.mask_value = mask_value
        self.salt = checked_salt("Hashing", salt)
        self.output_mode = MODES[one_of("Hashing", "output_mode", output_mode, MODES)]
        refuse_sparse(self, sparse)

    def compute_output_shape(self, input_shape):
        return shape_as_rows(input_shape, self.output_mode, self.num_bins)

    def forward(self, x, run):
        texts = np.empty(x.shape, object)
        texts.ravel()[:] = [_written(value) for value in x.ravel().tolist()]
        masked = None if self.mask_value is None or self.num_bins == 1 else _written(self.mask_value)
        bins = {text: bin_of(text, self.num_bins - (masked is not None), self.salt) for text in set(texts.flat)}
        if masked is not None:
            bins = {text: 0 if text == masked else number + 1 for text, number in bins.items()}
        numbers = np.array([bins[text] for text in texts.flat], np.int64).reshape(x.shape)
        if self.output_mode == "int":
            return numbers, lambda dy: None
        return as_rows(self, numbers, self.output_mode, self.num_bins).astype(np.float32), lambda dy: None

    def get_config(self):
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": False,
        }


def bin_of(text, count, salt=None):
    """The bin of `count` that the bytes of a text fall into."""
    return (fingerprint64(text) if salt is None else siphash64(text, salt)) % count


def checked_salt(layer, salt):
    """None, or a list of two integers."""
    pair = [salt, salt] if isinstance(salt, int) else salt
    if pair is not None and not (
        isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(part, int) for part in pair)
    ):
        raise ValueError(f"{layer}: `salt` must be an integer or two of them. Received: salt={salt!r}")
    return None if pair is None else list(pair)


def _written(value):
    """The text that is hashed for a text, or for a number without what is after its point."""
    return encoded(value if isinstance(value, (str, bytes)) else str(int(value)))
