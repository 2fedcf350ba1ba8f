"""StringLookup and IntegerLookup, and what TextVectorization shares with them: a vocabulary.

    layer = StringLookup()
    layer.adapt(["cat", "dog", "cat"])
    layer(["dog", "cat", "bird"])                  # [2, 1, 0]

The most frequent tokens come first, and of equally frequent ones that which comes last in order.
"""

import itertools
import math
from collections import Counter

import numpy as np

from fastkeras.core.rows import dense
from fastkeras.core.strings import Strings, strings
from fastkeras.core.tensor import SymbolicTensor, as_tensor
from fastkeras.layers import category
from fastkeras.layers.layer import Layer
from fastkeras.layers.windows import one_of
from fastkeras.utils import suggest

_MODES = category.MODES | {"tf_idf": "tf_idf", "tf-idf": "tf_idf"}
_DROPPED = -1  # the id of the mask where there is no place for it


def integer_from(least, layer, name, value):
    """`value` as an int; a ValueError that names layer and argument if it is no integer or less than `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{layer}: `{name}` must be an integer from {least} up. Received: {value!r}")
    return int(value)


class Lookup(Layer):
    """A layer with a vocabulary, whose tokens have ids: first, in output_mode "int", the mask if there is one; then
    those of tokens that are not known, num_oov_indices of them; then the tokens.

    A subclass has `as_tokens(x)`, which gives an array of tokens, and `bucket(token)`, the number of an unknown token
    among num_oov_indices.
    """

    file_places = ("",)  # where, within the layer's place in a file, Keras 3 keeps the vocabulary and idf_weights

    def __init__(
        self,
        max_tokens,
        num_oov_indices,
        mask_token,
        oov_token,
        vocabulary,
        idf_weights,
        invert,
        output_mode,
        pad_to_max_tokens,
        sparse,
        oov_method="floormod",
        salt=None,
        vocabulary_size=None,
        has_input_vocabulary=None,
        dtype=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        kind = type(self).__name__
        self.max_tokens = None if max_tokens is None else integer_from(2, kind, "max_tokens", max_tokens)
        self.num_oov_indices = integer_from(0, kind, "num_oov_indices", num_oov_indices)
        self.mask_token, self.oov_token = mask_token, oov_token
        self.output_mode = _MODES[one_of(kind, "output_mode", output_mode, _MODES)]
        self.invert = bool(invert)
        if self.invert and self.output_mode != "int":
            raise ValueError(f"{kind}: `output_mode` must be 'int' with invert=True. Received: {output_mode!r}")
        if self.invert:
            self.input_dtype = "int64"
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        if self.pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"{kind}: pad_to_max_tokens=True needs `max_tokens`. Received: max_tokens=None")
        category.refuse_sparse(self, sparse)
        self.oov_method = one_of(kind, "oov_method", oov_method, ("floormod", "farmhash"))
        self.salt = category.checked_salt(kind, salt)
        self.idf_weights = None
        self._tokens, self._ids = [], {}
        self._expected_size = vocabulary_size or 0  # of a vocabulary that is still to be read from a file
        self._final = vocabulary is not None if has_input_vocabulary is None else bool(has_input_vocabulary)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # --- the vocabulary --------------------------------------------------------------------------------------------

    def _special(self):
        """The tokens before those of the vocabulary."""
        masks = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return masks + [self.oov_token] * self.num_oov_indices

    def vocabulary_size(self):
        """How many ids there are, with those of the mask and of unknown tokens."""
        return len(self._special()) + len(self._tokens)

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their ids."""
        return (self._special() if include_special_tokens else []) + list(self._tokens)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Takes the vocabulary as given, a list of tokens or the name of a file with one in each line, with or without
        the special tokens at its beginning. idf_weights: a number for each token, in output_mode "tf_idf" only."""
        layer = f"Layer '{self.name}' ({type(self).__name__})"
        if isinstance(vocabulary, str):
            suggest.require_file(vocabulary)
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = file.read().split("\n")
            vocabulary = vocabulary[:-1] if vocabulary[-1:] == [""] else vocabulary
        if not np.iterable(vocabulary):
            raise ValueError(
                f"{layer}: `vocabulary` must be a list of tokens or the name of a file. Received: {vocabulary!r}"
            )
        given = self.as_tokens(np.asarray(vocabulary, object)).tolist()
        special = self._special()
        begins_so = given[: len(special)] == special
        tokens = given[len(special) :] if begins_so else given
        reserved = [token for token in (self.mask_token, self.oov_token if self.invert else None) if token is not None]
        misplaced = [token for token, count in Counter(tokens).items() if count > 1 or token in reserved]
        if not given or misplaced:
            places = f", and {', '.join(map(repr, reserved))} nowhere but at the beginning" if reserved else ""
            raise ValueError(
                f"{layer}: `vocabulary` must hold each token once{places}. Received: {misplaced or given!r:.200}"
            )
        if self.max_tokens is not None and len(special) + len(tokens) > self.max_tokens:
            raise ValueError(
                f"{layer}: `vocabulary` must have at most max_tokens={self.max_tokens} tokens with the special ones. "
                f"Received: {len(special) + len(tokens)}"
            )
        wanted = len(given) if self.output_mode == "tf_idf" else 0
        if (0 if idf_weights is None else len(idf_weights)) != wanted:
            raise ValueError(
                f"{layer}: `idf_weights` must be given in output_mode 'tf_idf' alone, one for each token. "
                f"Received: idf_weights={idf_weights!r:.100}, output_mode={self.output_mode!r}"
            )
        self._know(tokens)
        if idf_weights is not None:
            weights, of_special = np.asarray(idf_weights, np.float32), len(special) if begins_so else 0
            self._weigh(weights[of_special:], weights[:of_special] if begins_so else None)

    def _know(self, tokens):
        self._tokens = tokens
        self._ids = {token: i for i, token in enumerate(tokens, start=len(self._special()))}
        if self.mask_token is not None:
            self._ids[self.mask_token] = 0 if self.output_mode == "int" else _DROPPED

    def _weigh(self, weights, unknown=None):
        """The tokens' weights; those of unknown ones are by default their mean, those of tokens yet to come 0."""
        unknown = [np.mean(weights)] * len(self._special()) if unknown is None else unknown
        self.idf_weights = np.zeros(self.width(), np.float32)
        self.idf_weights[: self.vocabulary_size()] = [*unknown, *weights]

    def adapt(self, data, batch_size=None, steps=None):
        """Makes the vocabulary of data: a list or array of samples, or an iterable of such batches, of which the first
        `steps` are taken. batch_size is accepted; it changes nothing."""
        layer = f"Layer '{self.name}' ({type(self).__name__})"
        if self._final:
            raise ValueError(f"{layer}: adapt() was called, but the `vocabulary` given is final.")
        is_whole = hasattr(data, "shape") or isinstance(data, (list, tuple))
        occurrences, holders, n = Counter(), Counter(), 0
        for i, batch in enumerate([data] if is_whole else data):
            if i == steps:
                break
            documents = self.documents(batch, is_whole)
            n += len(documents)
            occurrences.update(itertools.chain.from_iterable(documents))
            if self.output_mode == "tf_idf":
                holders.update(itertools.chain.from_iterable(map(set, documents)))
        for token in (self.mask_token, self.oov_token):
            occurrences.pop(token, None)
        if not occurrences:
            raise ValueError(f"{layer}: adapt() found no tokens in {data!r:.200}")
        tokens = sorted(occurrences, key=lambda token: (occurrences[token], token), reverse=True)
        if self.max_tokens is not None:
            tokens = tokens[: self.max_tokens - len(self._special())]
        self._know(tokens)
        if self.output_mode == "tf_idf":
            self._weigh(np.log(1 + n / (1 + np.array([holders[token] for token in tokens]))).astype(np.float32))

    def documents(self, x, is_whole):
        """The samples of data as lists of tokens. x (N,): N samples if it is the data as a whole, one if a batch."""
        tokens = self.as_tokens(x)
        if tokens.ndim < 2:
            tokens = tokens.reshape((-1, 1) if is_whole else (1, -1))
        return tokens.reshape(len(tokens), math.prod(tokens.shape[1:])).tolist()

    def load_vocabulary(self, tokens, idf_weights=None):
        """Takes what Keras 3 keeps beside the configuration, lines, unless that held a vocabulary itself."""
        if not self._tokens and len(tokens) > len(self._special()):
            self.set_vocabulary(tokens, None if idf_weights is None else idf_weights[: len(tokens)])

    def require_vocabulary(self):
        if not self._tokens:
            raise RuntimeError(
                f"Layer '{self.name}' ({type(self).__name__}): there is no vocabulary yet. Call adapt(data), or give "
                "`vocabulary`."
            )

    # --- tokens to numbers and back --------------------------------------------------------------------------------

    def encode(self, x):
        """What the layer gives for x, with whole numbers as int64."""
        tokens = np.asarray(x, np.int64) if self.invert else self.as_tokens(x)
        self.require_vocabulary()
        if self.invert:
            known = dict(enumerate(self.get_vocabulary()))
            found = [known.get(i, self.oov_token) for i in tokens.ravel().tolist()]
            return self.as_found(np.array(found, object).reshape(tokens.shape))
        ids = self._ids
        found = [ids[token] if token in ids else self._unknown(token) for token in tokens.ravel().tolist()]
        numbers = np.array(found, np.int64).reshape(tokens.shape)
        if self.output_mode == "int":
            return numbers
        return self.weighted(category.as_rows(self, numbers, self._plain_mode(), self.width()))

    def _unknown(self, token):
        """The id of a token that is not in the vocabulary."""
        n = self.num_oov_indices
        if n == 0:
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}): with num_oov_indices=0 each token must be in the "
                f"vocabulary. Received: {token!r:.100}"
            )
        return len(self._special()) - n + (0 if n == 1 else self.bucket(token))

    def _plain_mode(self):
        return "count" if self.output_mode == "tf_idf" else self.output_mode

    def weighted(self, counts):
        """What the output mode makes of counts (..., columns)."""
        return counts.astype(np.float32) * self.idf_weights if self.output_mode == "tf_idf" else counts

    def width(self):
        """How many columns there are in the output modes but "int"."""
        if self.pad_to_max_tokens:
            return self.max_tokens
        if self._expected_size > len(self._special()) and not self._tokens:
            return self._expected_size
        self.require_vocabulary()
        return self.vocabulary_size()

    # --- as a layer ------------------------------------------------------------------------------------------------

    def __call__(self, inputs, **options):
        if isinstance(inputs, SymbolicTensor):
            return super().__call__(inputs, **options)
        y = self.encode(inputs)
        return y if isinstance(y, Strings) else as_tensor(y)

    def compute_output_shape(self, input_shape):
        width = None if self.output_mode == "int" else self.width()
        return category.shape_as_rows(input_shape, self._plain_mode(), width)

    def forward(self, x, run):
        y = np.asarray(self.encode(dense(x, run)[0]))
        return (y if self.output_mode == "int" else y.astype(np.float32)), lambda dy: None

    # --- configuration ---------------------------------------------------------------------------------------------

    def vocabulary_config(self):
        """The part of get_config that holds the vocabulary as it is now, so that files need nothing else."""
        return {
            "max_tokens": self.max_tokens,
            "output_mode": self.output_mode,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "sparse": False,
            "vocabulary": self.get_vocabulary() if self._tokens else None,
            "idf_weights": None if self.idf_weights is None else self.idf_weights[: self.vocabulary_size()].tolist(),
            "vocabulary_size": self.vocabulary_size() if self._tokens else None,
            "has_input_vocabulary": self._final,
        }

    def get_config(self):
        return {
            **super().get_config(),
            **self.vocabulary_config(),
            "num_oov_indices": self.num_oov_indices,
            "mask_token": self.mask_token,
            "oov_token": self.oov_token,
            "invert": self.invert,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` describes. A vocabulary in another file is refused: files name no files."""
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                f"{cls.__name__}: a configuration must hold the `vocabulary` itself, not the name of a file. "
                f"Received: {config['vocabulary']!r}"
            )
        return cls(**config)


def as_texts(layer, x, encoding):
    """x as an object array of str."""
    kind = f"Layer '{layer.name}' ({type(layer).__name__})"
    x = np.asarray(x)
    if x.dtype.kind not in "USO" and x.size:
        raise TypeError(f"{kind}: expected strings. Received: dtype {x.dtype}, {x!r:.100}")
    found = x.ravel().tolist()
    for i, text in enumerate(found):
        if isinstance(text, bytes):
            found[i] = text.decode(encoding)
        elif not isinstance(text, str):
            raise TypeError(f"{kind}: expected strings. Received: {text!r:.100}")
    texts = np.empty(len(found), object)
    texts[:] = found
    return texts.reshape(x.shape)


class StringLookup(Lookup):
    """Texts as ids, int64 of their shape, or in the other output modes as rows of numbers.

    x: texts, each of them one token, of any shape.

    max_tokens: the size of the vocabulary, with the special tokens. num_oov_indices: how many ids there are for texts
    that are not in it, which are sorted into these by FarmHash's Fingerprint64 or, with a salt (an integer, or two of
    them), by SipHash-2-4; with 0 such texts are errors. mask_token: the text with id 0 in output_mode "int", which the
    other modes leave out. oov_token: what unknown texts are called in the vocabulary.
    vocabulary: a list of texts or the name of a file with one in each line, which is final: `adapt` is refused.
    output_mode: "int"; "one_hot", a row for each text; "multi_hot" (also "binary"), a row for each sample (B, N), and
    of more axes as CategoryEncoding has it, with 1 for each text that occurs; "count", how often it occurs; "tf_idf",
    the same weighted by idf_weights or, after `adapt`, by log(1 + samples / (1 + samples with the text)).
    pad_to_max_tokens: rows are max_tokens wide.
    invert: the texts of ids instead, Strings. encoding: that of bytes.
    """

    input_dtype = "string"

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token="[UNK]",
        vocabulary=None,
        idf_weights=None,
        invert=False,
        output_mode="int",
        pad_to_max_tokens=False,
        sparse=False,
        encoding="utf-8",
        **kwargs,
    ):
        self.encoding = encoding
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            sparse,
            **kwargs,
        )

    def as_tokens(self, x):
        return as_texts(self, x, self.encoding)

    def as_found(self, tokens):
        return strings(tokens)

    def bucket(self, token):
        return category.bin_of(token.encode(), self.num_oov_indices, self.salt)

    def get_config(self):
        return {**super().get_config(), "encoding": self.encoding}


class IntegerLookup(Lookup):
    """Integers as ids, int64 of their shape, or in the other output modes as rows of numbers.

    As StringLookup, but for tokens that are integers. An unknown one has the id that it leaves modulo num_oov_indices
    or, with oov_method "farmhash", that of its digits.
    """

    input_dtype = "int64"

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token=-1,
        vocabulary=None,
        vocabulary_dtype="int64",
        idf_weights=None,
        invert=False,
        output_mode="int",
        sparse=False,
        pad_to_max_tokens=False,
        **kwargs,
    ):
        if vocabulary_dtype != "int64":
            raise ValueError(f"IntegerLookup: `vocabulary_dtype` must be 'int64'. Received: {vocabulary_dtype!r}")
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            sparse,
            **kwargs,
        )
        if self.salt is not None and self.oov_method != "farmhash":
            raise ValueError(f"IntegerLookup: `salt` belongs to oov_method='farmhash'. Received: salt={self.salt}")

    def as_tokens(self, x):
        try:
            with np.errstate(invalid="raise"):  # NaN and infinity
                return np.asarray(x).astype(np.int64)
        except (TypeError, ValueError, ArithmeticError):
            raise TypeError(f"Layer '{self.name}' (IntegerLookup): expected integers. Received: {x!r:.100}") from None

    def as_found(self, tokens):
        return tokens.astype(np.int64)

    def bucket(self, token):
        n = self.num_oov_indices
        return token % n if self.oov_method == "floormod" else category.bin_of(str(token).encode(), n, self.salt)

    def get_config(self):
        return {**super().get_config(), "vocabulary_dtype": "int64"}
