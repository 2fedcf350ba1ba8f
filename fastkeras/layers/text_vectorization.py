"""TextVectorization: texts in, numbers out, as the first layer of a model or standing alone.

    layer = TextVectorization(max_tokens=1000, output_sequence_length=5)
    layer.adapt(["the cat sat", "the dog"])
    layer(["the bird sat"])                        # [[2, 1, 4, 0, 0]]

A text is standardized, split into tokens, and each token looked up in the vocabulary: the most frequent ones first,
and of equally frequent ones that which comes last in the order of code points.
"""

import math
import re
import string

import numpy as np

from fastkeras.layers.category import counts
from fastkeras.layers.layer import Layer
from fastkeras.layers.lookup import Lookup, as_texts, integer_from
from fastkeras.layers.windows import one_of
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
_MODES = ("int", "multi_hot", "binary", "count", "tf_idf", "tf-idf")


def _choice(name, value, known):
    """The value if it is a name that is known, a function, or None; a ValueError otherwise."""
    return value if value is None or callable(value) else one_of("TextVectorization", name, value, known)


class TextVectorization(Lookup):
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
    file_places = ("", "_lookup_layer")

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
        **kwargs,
    ):
        one_of("TextVectorization", "output_mode", output_mode, _MODES)
        self.encoding = encoding
        super().__init__(
            max_tokens,
            1,
            _MASK,
            _UNKNOWN,
            vocabulary,
            idf_weights,
            False,
            output_mode,
            pad_to_max_tokens,
            sparse,
            **kwargs,
        )
        self.standardize = _choice("standardize", standardize, _STANDARDIZE)
        self.split = _choice("split", split, _SPLIT)
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        if not (ngrams is None or all(isinstance(n, int) and n > 0 for n in np.atleast_1d(ngrams).tolist())):
            raise ValueError(f"TextVectorization: `ngrams` must be None, an integer or a tuple. Received: {ngrams!r}")
        self.output_sequence_length = output_sequence_length
        if output_sequence_length is not None:
            self.output_sequence_length = integer_from(
                1, "TextVectorization", "output_sequence_length", output_sequence_length
            )
        if self.output_mode != "int" and output_sequence_length is not None:
            raise ValueError(
                "TextVectorization: `output_sequence_length` belongs to output_mode='int'. "
                f"Received: output_sequence_length={output_sequence_length}, output_mode={output_mode!r}"
            )
        if ragged:
            raise ValueError("TextVectorization: results are dense arrays, so `ragged` must be False. Received: True")

    # --- texts to numbers ------------------------------------------------------------------------------------------

    def as_tokens(self, x):
        return as_texts(self, x, self.encoding)

    def documents(self, x, is_whole):
        return self._split(np.atleast_1d(self.as_tokens(x)))

    def _split(self, x):
        """The list of tokens of each row of x (B,) or (B, 1), or without splitting (B, N)."""
        if self.split is not None and x.ndim > 1:
            if x.ndim > 2 or x.shape[1] != 1:
                raise ValueError(
                    f"Layer '{self.name}' (TextVectorization): texts that are split must have shape (batch,) or "
                    f"(batch, 1). Received: shape {x.shape}"
                )
            x = x[:, 0]
        if callable(self.standardize):
            x = self.as_tokens(self.standardize(x.astype(str)))
        elif self.standardize is not None:
            table = _STANDARDIZE[self.standardize]
            x = np.array([text.translate(table) for text in x.flat], object).reshape(x.shape)
        if callable(self.split):
            rows = [self.as_tokens(row).tolist() for row in self.split(x.astype(str))]
        elif self.split is None:
            rows = x.reshape(len(x), math.prod(x.shape[1:])).tolist()
        else:
            rows = [_SPLIT[self.split](text) for text in x]
        return rows if self.ngrams is None else [self._runs(row) for row in rows]

    def _runs(self, tokens):
        lengths = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]

    def encode(self, x):
        """What the layer gives for texts x; if that is one text, or the tokens of one, a single row."""
        x = self.as_tokens(x)
        single = x.ndim == 0 or (x.ndim == 1 and self.split is None)
        rows = self._split(x[None] if single else x)
        self.require_vocabulary()
        y = self._numbers(rows) if self.output_mode == "int" else self._counts(rows)
        return y[0] if single else y

    def _numbers(self, rows):
        T = self.output_sequence_length
        if T is None:
            T = max(map(len, rows), default=0)
        numbers, known = np.zeros((len(rows), T), np.int64), self._ids
        for row, tokens in zip(numbers, rows, strict=True):
            found = [known.get(token, 1) for token in tokens[:T]]
            row[: len(found)] = found
        return numbers

    def _counts(self, rows):
        place = np.repeat(np.arange(len(rows)), [len(tokens) for tokens in rows])
        ids = np.array([self._ids.get(token, 0) for tokens in rows for token in tokens], np.int64)
        y = counts(place, ids, (len(rows), self.width()))
        return np.minimum(y, 1) if self.output_mode == "multi_hot" else self.weighted(y)

    # --- as a layer ------------------------------------------------------------------------------------------------

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_sequence_length if self.output_mode == "int" else self.width())

    # --- configuration ---------------------------------------------------------------------------------------------

    def get_config(self):
        return {
            **Layer.get_config(self),
            **self.vocabulary_config(),
            "standardize": _named(self.standardize),
            "split": _named(self.split),
            "ngrams": self.ngrams,
            "output_sequence_length": self.output_sequence_length,
            "ragged": False,
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config):
        functions = {key: _function(key, config.get(key)) for key in ("standardize", "split")}
        return super().from_config({**config, **functions})


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
