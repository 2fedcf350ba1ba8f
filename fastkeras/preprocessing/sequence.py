"""Lists of ids and time series made ready for a model: Keras 2's keras.preprocessing.sequence."""

import json
import random

import numpy as np

from fastkeras._kernels.text import pad_row
from fastkeras.utils import suggest

__all__ = [
    "TimeseriesGenerator",
    "make_sampling_table",
    "pad_sequence",
    "pad_sequences",
    "skipgrams",
    "timeseries_generator_from_json",
]

SIDES = ("pre", "post")


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0, **unknown):
    """Cuts and fills sequences to one length, so that they make an array.

    Args:
        sequences: a list of N sequences, of numbers or of arrays of one shape.
        maxlen: the common length T; by default that of the longest sequence.
        dtype: the dtype of the result; `object` for str of any length.
        padding: 'pre' to fill at the beginning of a sequence, 'post' at its end.
        truncating: 'pre' to cut off the beginning of a longer sequence, 'post' its end.
        value: what to fill with; anything that numpy broadcasts to the shape of the result.

    Returns:
        An array (N, T, ...), `...` being the shape of a sequence's elements.

    Raises:
        ValueError: if an argument is none of those, a sequence has no length, or elements differ in shape.
        TypeError: if `maxlen` is no integer, or for an argument that is none of those.

    >>> pad_sequences([[1, 2, 3], [3, 4, 5, 6], [7, 8]], maxlen=3)
    array([[1, 2, 3],
           [4, 5, 6],
           [0, 7, 8]], dtype=int32)
    """
    suggest.refuse_arguments("pad_sequences", pad_sequences, unknown)
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise ValueError(suggest.unknown(f"`{name}` of pad_sequences", side, SIDES))
    lengths, element_shape = _measure(sequences)
    if maxlen is None:
        if not lengths:
            raise ValueError("pad_sequences needs `maxlen` if there are no sequences. Received: sequences=[]")
        maxlen = max(lengths)
    if not hasattr(maxlen, "__index__"):
        raise TypeError(f"pad_sequences: `maxlen` must be an integer or None. Received: maxlen={maxlen!r}")
    if maxlen < 0:
        raise ValueError(f"pad_sequences: `maxlen` must be at least 0. Received: maxlen={maxlen}")
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OU":
        raise ValueError(
            "pad_sequences needs dtype=object, or str, for a `value` that is a str. "
            f"Received: dtype={dtype}, value={value!r}"
        )

    x = np.full((len(lengths), maxlen, *element_shape), value, dtype=dtype)
    pad_front, cut_front = padding == "pre", truncating == "pre"
    holds_ids = x.ndim == 2 and dtype == np.int32 and maxlen > 0
    for row, sequence in enumerate(sequences):
        if lengths[row] == 0 or maxlen == 0:
            continue
        if holds_ids and type(sequence) is list and pad_row(x, row, sequence, pad_front, cut_front):
            continue
        kept = np.asarray(sequence[-maxlen:] if cut_front else sequence[:maxlen], dtype=dtype)
        if kept.shape[1:] != element_shape:
            raise ValueError(
                f"The elements of all `sequences` must have one shape, here {element_shape}. "
                f"Received: {kept.shape[1:]} in sequence {row}"
            )
        if pad_front:
            x[row, -len(kept) :] = kept
        else:
            x[row, : len(kept)] = kept
    return x


pad_sequence = pad_sequences


def _measure(sequences):
    """The length of each sequence, and the shape of an element of the first that has one."""
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"`sequences` must be a list of sequences. Received: {type(sequences).__name__}")
    lengths, element_shape = [], None
    for row, sequence in enumerate(sequences):
        try:
            lengths.append(len(sequence))
        except TypeError as error:
            raise ValueError(
                f"`sequences` must be a list of sequences. Received: {sequence!r} as sequence {row}"
            ) from error
        if element_shape is None and lengths[-1] > 0:
            element_shape = np.asarray(sequence).shape[1:]
    return lengths, element_shape or ()


def _remove_long_seq(maxlen, seq, label):
    """The sequences shorter than `maxlen` and their labels, as two lists.

    >>> _remove_long_seq(3, [[1, 2], [3, 4, 5], [6]], ["a", "b", "c"])
    ([[1, 2], [6]], ['a', 'c'])
    """
    kept = [(x, y) for x, y in zip(seq, label, strict=False) if len(x) < maxlen]
    return [x for x, _ in kept], [y for _, y in kept]


def make_sampling_table(size, sampling_factor=1e-5):
    """The probability to keep a word, by its rank: frequent words should be sampled less often.

    word2vec keeps a word of frequency f with probability min(1, sqrt(sampling_factor / f)) (Mikolov et al.,
    "Distributed Representations of Words and Phrases and their Compositionality", 2013, section 2.3). By
    Zipf's law the word of rank r has f = 1 / (r H_r), and the harmonic number H_r is nearly
    log r + gamma + 1/(2 r) - 1/(12 r^2) with gamma = 0.577.

    Args:
        size: the number of ranks, at least 1.
        sampling_factor: see above.

    Returns:
        float64, (size,). Rank 0 belongs to no word and has the probability of rank 1.

    >>> make_sampling_table(3).round(5)
    array([0.00315, 0.00315, 0.00548])
    """
    rank = np.arange(size)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    ratio = sampling_factor * inverse_frequency
    return np.minimum(1.0, ratio / np.sqrt(ratio))


def skipgrams(
    sequence,
    vocabulary_size,
    window_size=4,
    negative_samples=1.0,
    shuffle=True,
    categorical=False,
    sampling_table=None,
    seed=None,
):
    """Pairs of words that stand near each other, and as many pairs of words drawn at random.

    The skip-gram model learns to tell them apart (Mikolov et al., "Efficient Estimation of Word
    Representations in Vector Space", 2013). Random numbers come from Python's `random`, as in Keras.

    Args:
        sequence: a list of ids. 0 is no word and is passed over.
        vocabulary_size: one more than the largest id to draw.
        window_size: the largest distance between the words of a pair.
        negative_samples: how many random pairs to make for each true one.
        shuffle: whether to shuffle the pairs.
        categorical: whether labels are [0, 1] and [1, 0] instead of 1 and 0.
        sampling_table: if given, sampling_table[id] is the probability to take a word as the first of a pair;
            see `make_sampling_table`.
        seed: the seed of the shuffling, which is also Python's `random`'s seed from then on.

    Returns:
        (pairs, labels): a list of [id, id], and a list of 1 for a true pair and 0 for a random one.

    >>> skipgrams([1, 2, 0, 3], 4, window_size=2, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    true, false = ([0, 1], [1, 0]) if categorical else (1, 0)
    pairs = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        window = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        pairs += [[word, sequence[j]] for j in window if j != i and sequence[j]]
    labels = [true] * len(pairs)

    if negative_samples > 0:
        n = int(len(pairs) * negative_samples)
        words = [word for word, _ in pairs]
        random.shuffle(words)
        pairs += [[words[k % len(words)], random.randint(1, int(vocabulary_size - 1))] for k in range(n)]
        labels += [false] * n

    if shuffle:
        if seed is None:
            seed = random.randint(0, int(10e6))
        for shuffled in (pairs, labels):
            random.seed(seed)
            random.shuffle(shuffled)
    return pairs, labels


class TimeseriesGenerator:
    """Batches of windows of a time series, each with the target that follows it.

    The sample of time t is data[t - length], data[t - length + sampling_rate], ... before data[t]; its target
    is targets[t]. generator[i], the batch i, holds the times start_index + length + (i batch_size + k) stride
    for k = 0, ..., batch_size - 1, up to `end_index`.

    Args:
        data: a list or an array of data points, one for each time.
        targets: a list or an array of as many targets.
        length: how many times a window reaches back.
        sampling_rate: the distance between two data points of a window.
        stride: the distance between the times of two samples.
        start_index: the first time a window may hold.
        end_index: the last time that may be a target's; by default the last there is.
        shuffle: whether times are drawn at random from numpy's global generator, with repetition, instead.
        reverse: whether windows run backwards in time.
        batch_size: the number of samples in a batch; the last may be smaller.

    Raises:
        ValueError: if data and targets differ in length, or no window fits between the two indices.

    >>> series = np.arange(10)
    >>> generator = TimeseriesGenerator(series, series * 10, length=3, batch_size=2)
    >>> len(generator)
    4
    >>> generator[0]
    (array([[0, 1, 2],
           [1, 2, 3]]), array([30, 40]))
    """

    def __init__(
        self,
        data,
        targets,
        length,
        sampling_rate=1,
        stride=1,
        start_index=0,
        end_index=None,
        shuffle=False,
        reverse=False,
        batch_size=128,
    ):
        if len(data) != len(targets):
            raise ValueError(
                "TimeseriesGenerator needs as many `targets` as `data`. "
                f"Received: {len(targets)} targets, {len(data)} data points"
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length  # the first time that may be a target's, as in Keras
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                "TimeseriesGenerator needs `start_index` + `length` <= `end_index`, or no target is left. "
                f"Received: start_index={start_index}, length={length}, end_index={self.end_index}"
            )

    def __len__(self):
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index):
        if self.shuffle:
            times = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            span = self.batch_size * self.stride
            first = self.start_index + span * index
            times = range(first, min(first + span, self.end_index + 1), self.stride)
        samples = np.array([self.data[t - self.length : t : self.sampling_rate] for t in times])
        targets = np.array([self.targets[t] for t in times])
        return (samples[:, ::-1] if self.reverse else samples), targets

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def on_epoch_end(self):
        """Does nothing: shuffled batches are drawn anew each time anyway."""

    def get_config(self):
        """The arguments in a dict that JSON can hold; `start_index` has `length` added, as in Keras.

        Raises:
            TypeError: if JSON cannot hold the data or the targets.
        """
        return {
            "data": _as_json("data", self.data),
            "targets": _as_json("targets", self.targets),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs):
        """The generator, data and all, as a JSON text.

        Args:
            kwargs: arguments of `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(name, values):
    try:
        return json.dumps(values.tolist() if isinstance(values, (np.ndarray, np.generic)) else values)
    except TypeError as error:
        raise TypeError(f"JSON cannot hold TimeseriesGenerator's `{name}`: {error}.") from error


def timeseries_generator_from_json(json_string):
    """The TimeseriesGenerator that `to_json` made the JSON text of; arrays come back as lists.

    Args:
        json_string: the text, a str.
    """
    config = json.loads(json_string)["config"]
    config["data"], config["targets"] = json.loads(config["data"]), json.loads(config["targets"])
    config["start_index"] -= config["length"]
    return TimeseriesGenerator(**config)
