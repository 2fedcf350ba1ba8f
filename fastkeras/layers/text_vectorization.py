"""TextVectorization: texts in, numbers out, as the first layer of a model or standing alone.

    layer = TextVectorization(max_tokens=1000, output_sequence_length=5)
    layer.adapt(["the cat sat", "the dog"])
    layer(["the bird sat"])                        # [[2, 1, 4, 0, 0]]

A text is standardized, split into tokens, and each token looked up in the vocabulary: the most frequent ones first,
and of equally frequent ones that which comes last in the order of code points.
"""

import re
import string
from collections import Counter

import numpy as np

from fastkeras.core.tensor import SymbolicTensor, as_tensor
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import one_of
from fastkeras.utils import suggest
from fastkeras.utils.custom_objects import get_registered_name, get_registered_object

# As TensorFlow does it: only the letters of ASCII have a lower case, and only its white space parts tokens.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_STANDARDIZE = {
    "lower_and_strip_punctuation": _LOWER | _NO_PUNCTUATION,
    "lower": _LOWER,
    "strip_punctuation": _NO_PUNCTUATION,
}
_TOKEN = re.compile(r"[^ \t\n\r\f\v]+")
_SPLIT = {"whitespace": _TOKEN.findall, "character": list}
_MASK, _UNKNOWN = "", "[UNK]"  # the token of what is not there, and that of all that are not in the vocabulary
_MODES = {"int": "int", "multi_hot": "multi_hot", "binary": "multi_hot", "count": "count"}
_MODES |= {"tf_idf": "tf_idf", "tf-idf": "tf_idf"}


def _choice(name, value, known):
    """The value if it is a name that is known, a function, or None; a ValueError otherwise."""
    return value if value is None or callable(value) else one_of("TextVectorization", name, value, known)


def _optional_integer(name, value, least):
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
        raise ValueError(f"TextVectorization: `{name}` must be None or an integer from {least} up. Received: {value!r}")
    return None if value is None else int(value)


class TextVectorization(Layer):
    """Texts as token ids (B, T) int64, or as one row of numbers each, (B, size of the vocabulary).

    x: strings, (B,) or (B, 1); as a layer's or model's input a list or an array of them.

    max_tokens: the size of the vocabulary, with what it holds besides tokens of the texts: id 0 for no token (in
    output_mode "int" only), and the next id for unknown ones, "[UNK]".
    standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function of an array of strings
    that returns one. split: "whitespace", "character", None (each string is a token), or a function of an array (B,)
    that returns a list of tokens for each.
    ngrams: n for runs of 1 to n tokens, joined by spaces, or a tuple of such lengths.
    output_mode: "int"; "multi_hot" (also "binary"), 1 for each token that occurs; "count", how often it occurs;
    "tf_idf", the same weighted by log(1 + documents / (1 + documents with the token)).
    output_sequence_length: the T of mode "int", to which rows are cut off or padded with 0; by default the longest
    row's. pad_to_max_tokens: rows of the other modes are max_tokens wide.
    vocabulary: a list of tokens or the name of a file with one in each line, which is final: `adapt` is refused.
    idf_weights: their weights in mode "tf_idf". encoding: that of bytes.

    sparse and ragged results are refused: arrays here are dense.
    """

    input_dtype = "string"

    def __init__(
        self,
        max_tokens=None,
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        ngrams=None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary=None,
        idf_weights=None,
        sparse=False,
        ragged=False,
        encoding="utf-8",
        vocabulary_size=None,
        has_input_vocabulary=None,
        dtype=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.max_tokens = _optional_integer("max_tokens", max_tokens, 2)
        self.standardize = _choice("standardize", standardize, _STANDARDIZE)
        self.split = _choice("split", split, _SPLIT)
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        if not (ngrams is None or all(isinstance(n, int) and n > 0 for n in np.atleast_1d(ngrams).tolist())):
            raise ValueError(f"TextVectorization: `ngrams` must be None, an integer or a tuple. Received: {ngrams!r}")
        self.output_mode = _MODES[one_of("TextVectorization", "output_mode", output_mode, _MODES)]
        self.output_sequence_length = _optional_integer("output_sequence_length", output_sequence_length, 1)
        if self.output_mode != "int" and output_sequence_length is not None:
            raise ValueError(
                "TextVectorization: `output_sequence_length` belongs to output_mode='int'. "
                f"Received: output_sequence_length={output_sequence_length}, output_mode={output_mode!r}"
            )
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        if self.pad_to_max_tokens and max_tokens is None:
            raise ValueError("TextVectorization: pad_to_max_tokens=True needs `max_tokens`. Received: max_tokens=None")
        for name, value in (("sparse", sparse), ("ragged", ragged)):
            if value:
                raise ValueError(
                    f"TextVectorization: results are dense arrays, so `{name}` must be False. Received: True"
                )
        self.encoding = encoding
        self.idf_weights = None
        self._known = {}  # {token: id}
        self._final = vocabulary is not None if has_input_vocabulary is None else bool(has_input_vocabulary)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # --- the vocabulary --------------------------------------------------------------------------------------------

    def _special(self):
        """The tokens before those of the texts."""
        return [_MASK, _UNKNOWN] if self.output_mode == "int" else [_UNKNOWN]

    def vocabulary_size(self):
        """How many tokens there are, with the special ones."""
        return len(self._special()) + len(self._known)

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their ids."""
        return (self._special() if include_special_tokens else []) + list(self._known)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Takes the vocabulary as given, a list of tokens or the name of a file, with or without the special tokens at
        its beginning. idf_weights: a number for each token, in output_mode "tf_idf" only."""
        if isinstance(vocabulary, str):
            suggest.require_file(vocabulary)
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = file.read().split("\n")
            vocabulary = vocabulary[:-1] if vocabulary[-1:] == [""] else vocabulary
        if not np.iterable(vocabulary):
            raise ValueError(
                f"Layer '{self.name}' (TextVectorization): `vocabulary` must be a list of tokens or the name of a "
                f"file. Received: {vocabulary!r}"
            )
        given = [token.decode(self.encoding) if isinstance(token, bytes) else str(token) for token in vocabulary]
        special = self._special()
        begins_so = given[: len(special)] == special
        tokens = given[len(special) :] if begins_so else given
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if not given or repeated or _MASK in tokens:
            raise ValueError(
                f"Layer '{self.name}' (TextVectorization): `vocabulary` must hold each token once, and '' nowhere but "
                f"at the beginning. Received: {repeated or given!r:.200}"
            )
        if self.max_tokens is not None and len(special) + len(tokens) > self.max_tokens:
            raise ValueError(
                f"Layer '{self.name}' (TextVectorization): `vocabulary` must have at most max_tokens={self.max_tokens} "
                f"tokens with the special ones. Received: {len(special) + len(tokens)}"
            )
        wanted = len(given) if self.output_mode == "tf_idf" else 0
        if (0 if idf_weights is None else len(idf_weights)) != wanted:
            raise ValueError(
                f"Layer '{self.name}' (TextVectorization): `idf_weights` must be given in output_mode 'tf_idf' alone, "
                f"one for each token. Received: idf_weights={idf_weights!r:.100}, output_mode={self.output_mode!r}"
            )
        self._know(tokens)
        if idf_weights is not None:
            weights = np.asarray(idf_weights, np.float32)
            self._set_weights(weights[len(special) :] if begins_so else weights, weights[0] if begins_so else None)

    def _know(self, tokens):
        self._known = {token: i for i, token in enumerate(tokens, start=len(self._special()))}

    def _set_weights(self, weights, unknown=None):
        """The tokens' weights; that of unknown tokens is by default their mean, that of tokens yet to come 0."""
        first = np.mean(weights) if unknown is None else unknown
        self.idf_weights = np.zeros(self._width(), np.float32)
        self.idf_weights[: len(weights) + 1] = first, *weights

    def adapt(self, data, batch_size=None, steps=None):
        """Makes the vocabulary of texts: a list or array of them, or an iterable of such batches, of which the first
        `steps` are taken. batch_size is accepted; it changes nothing."""
        if self._final:
            raise ValueError(
                f"Layer '{self.name}' (TextVectorization): adapt() was called, but the `vocabulary` given is final."
            )
        counts, documents, n = Counter(), Counter(), 0
        for i, batch in enumerate([data] if hasattr(data, "shape") or isinstance(data, (list, tuple)) else data):
            if i == steps:
                break
            rows = self._tokens(np.atleast_1d(self._as_strings(batch)))
            n += len(rows)
            for row in rows:
                counts.update(row)
                documents.update(set(row))
        for token in (_MASK, _UNKNOWN):
            counts.pop(token, None)
        if not counts:
            raise ValueError(f"Layer '{self.name}' (TextVectorization): adapt() found no tokens in {data!r:.200}")
        tokens = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        if self.max_tokens is not None:
            tokens = tokens[: self.max_tokens - len(self._special())]
        self._know(tokens)
        if self.output_mode == "tf_idf":
            self._set_weights(np.log(1 + n / (1 + np.array([documents[token] for token in tokens]))).astype(np.float32))

    # --- texts to numbers ------------------------------------------------------------------------------------------

    def _as_strings(self, x):
        """x as an object array of str."""
        x = np.asarray(x)
        if x.dtype.kind == "S":
            x = np.char.decode(x, self.encoding)
        if x.dtype.kind not in "UO":
            raise TypeError(
                f"Layer '{self.name}' (TextVectorization): expected strings. Received: dtype {x.dtype}, {x!r:.100}"
            )
        strings = x.astype(object)
        for place, value in np.ndenumerate(strings):
            if isinstance(value, bytes):
                strings[place] = value.decode(self.encoding)
            elif not isinstance(value, str):
                raise TypeError(f"Layer '{self.name}' (TextVectorization): expected strings. Received: {value!r:.100}")
        return strings

    def _tokens(self, x):
        """The list of tokens of each row of x (B,) or (B, 1), or without splitting (B, N)."""
        if self.split is not None and x.ndim > 1:
            if x.ndim > 2 or x.shape[1] != 1:
                raise ValueError(
                    f"Layer '{self.name}' (TextVectorization): texts that are split must have shape (batch,) or "
                    f"(batch, 1). Received: shape {x.shape}"
                )
            x = x[:, 0]
        if callable(self.standardize):
            x = np.asarray(self.standardize(x.astype(str))).astype(object)
        elif self.standardize is not None:
            table = _STANDARDIZE[self.standardize]
            x = np.array([text.translate(table) for text in x.flat], object).reshape(x.shape)
        if callable(self.split):
            rows = [[str(token) for token in row] for row in self.split(x.astype(str))]
        elif self.split is None:
            rows = x.reshape(len(x), -1).tolist()
        else:
            rows = [_SPLIT[self.split](text) for text in x]
        return rows if self.ngrams is None else [self._runs(row) for row in rows]

    def _runs(self, tokens):
        lengths = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]

    def vectorize(self, x):
        """What the layer gives for strings x; if that is one text, or the tokens of one, a single row."""
        x = self._as_strings(x)
        single = x.ndim == 0 or (x.ndim == 1 and self.split is None)
        rows = self._tokens(x[None] if single else x)
        y = self._ids(rows) if self.output_mode == "int" else self._numbers(rows)
        return y[0] if single else y

    def _ids(self, rows):
        T = self.output_sequence_length
        if T is None:
            T = max(map(len, rows), default=0)
        ids, known = np.zeros((len(rows), T), np.int64), self._known
        for row, tokens in zip(ids, rows, strict=True):
            found = [known.get(token, 1) if token else 0 for token in tokens[:T]]
            row[: len(found)] = found
        return ids

    def _width(self):
        return self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()

    def _numbers(self, rows):
        if not self._known and (self.output_mode == "tf_idf" or not self.pad_to_max_tokens):
            raise RuntimeError(
                f"Layer '{self.name}' (TextVectorization): there is no vocabulary yet. Call adapt(texts), or give "
                "`vocabulary`."
            )
        counts = np.zeros((len(rows), self._width()), np.int64)
        for row, tokens in zip(counts, rows, strict=True):
            np.add.at(row, [self._known.get(token, 0) for token in tokens if token], 1)
        if self.output_mode == "tf_idf":
            return counts.astype(np.float32) * self.idf_weights
        return np.minimum(counts, 1) if self.output_mode == "multi_hot" else counts

    # --- as a layer ------------------------------------------------------------------------------------------------

    def __call__(self, inputs, **options):
        if isinstance(inputs, SymbolicTensor):
            return super().__call__(inputs, **options)
        return as_tensor(self.vectorize(inputs))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_sequence_length if self.output_mode == "int" else self._width())

    def forward(self, x, run):
        y = self.vectorize(x)
        return (y if self.output_mode == "int" else y.astype(np.float32)), lambda dy: None

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self):
        """The arguments, with the vocabulary as it is now, so that files need nothing else."""
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "standardize": _named(self.standardize),
            "split": _named(self.split),
            "ngrams": self.ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "sparse": False,
            "ragged": False,
            "vocabulary": self.get_vocabulary() if self._known else None,
            "idf_weights": None if self.idf_weights is None else self.idf_weights[: self.vocabulary_size()].tolist(),
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
            "has_input_vocabulary": self._final,
        }

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` describes. A vocabulary in another file is refused: files name no files."""
        config = dict(config)
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                "TextVectorization: a configuration must hold the `vocabulary` itself, not the name of a file. "
                f"Received: {config['vocabulary']!r}"
            )
        for key in ("standardize", "split"):
            config[key] = _function(key, config.get(key))
        return cls(**config)

    def load_vocabulary(self, tokens, idf_weights=None):
        """Takes what Keras 3 keeps beside the configuration, unless that held a vocabulary itself."""
        if not self._known and len(tokens) > len(self._special()):
            self.set_vocabulary(tokens, None if idf_weights is None else idf_weights[: len(tokens)])


def _named(value):
    """A function as Keras has it in files, by its name; anything else as it is."""
    if not callable(value):
        return value
    name = get_registered_name(value)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _function(key, value):
    if not isinstance(value, dict):
        return value
    name = value["config"] if value.get("registered_name") in (None, "function") else value["registered_name"]
    found = get_registered_object(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(
            f"TextVectorization: `{key}` is a function of the user's own, which must be passed as "
            f"custom_objects={{name: function}} or registered. Received: {value!r:.200}"
        )
    return found
