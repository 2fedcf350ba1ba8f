"""tf.strings: operations on texts, each of which gives Strings (bytes in UTF-8), numbers or truth values.

Inputs are texts or arrays or lists of them, str or bytes. Where TensorFlow gives rows of different lengths, these are a
list of Strings here.
"""

import math
import re

import numpy as np

from fastkeras.core.strings import encoded, strings
from fastkeras.core.tensor import Tensor, value
from fastkeras.utils.fingerprint import fingerprint64, siphash64

__all__ = [
    "as_string",
    "bytes_split",
    "join",
    "length",
    "lower",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "split",
    "strip",
    "substr",
    "to_hash_bucket_fast",
    "to_hash_bucket_strong",
    "to_number",
    "unicode_split",
    "upper",
]


def _each(function, input, dtype=None):
    """function(bytes) for each text: Strings, or if a type is named a tensor of it."""
    texts = strings(input)
    found = [function(text) for text in texts.ravel().tolist()]
    if dtype is not None:
        return np.array(found, dtype).reshape(texts.shape).view(Tensor)
    return strings(_as_objects(found).reshape(texts.shape))


def _as_objects(items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


def _rows(function, input):
    """The Strings that function(bytes), a list, gives for a text; of several texts a list of them."""
    texts = strings(input)
    return strings(function(texts.item())) if texts.ndim == 0 else [_rows(function, text) for text in texts]


def _as_characters(text):
    return text.decode(errors="surrogateescape")


def _as_bytes(text):
    return text.encode(errors="surrogateescape")


def lower(input, encoding="", name=None):
    """The letters of ASCII, with encoding "utf-8" all letters, in lower case."""
    return _each(bytes.lower if not encoding else lambda text: _as_bytes(_as_characters(text).lower()), input)


def upper(input, encoding="", name=None):
    """The letters of ASCII, with encoding "utf-8" all letters, in upper case."""
    return _each(bytes.upper if not encoding else lambda text: _as_bytes(_as_characters(text).upper()), input)


def strip(input, name=None):
    """Without the white space before and after."""
    return _each(bytes.strip, input)


def _compiled(pattern):
    """A pattern in Python's words, which are TensorFlow's but for rare ones, such as classes of Unicode."""
    return re.compile(_as_characters(encoded(pattern)), re.ASCII)


def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    r"""What fits the pattern, everywhere or only the first time, replaced by `rewrite`, in which \1 is the first group
    and \0 all that fits."""
    pattern = _compiled(pattern)
    rewrite = re.sub(r"\\(.)", lambda it: r"\g<0>" if it[1] == "0" else it[0], _as_characters(encoded(rewrite)))
    count = 0 if replace_global else 1
    return _each(lambda text: _as_bytes(pattern.sub(rewrite, _as_characters(text), count)), input)


def regex_full_match(input, pattern, name=None):
    """Whether all of a text fits the pattern."""
    pattern = _compiled(pattern)
    return _each(lambda text: pattern.fullmatch(_as_characters(text)) is not None, input, bool)


def length(input, name=None, unit="BYTE"):
    """How many bytes, or with unit "UTF8_CHAR" characters, a text has: int32."""
    return _each(len if unit == "BYTE" else lambda text: len(_as_characters(text)), input, np.int32)


def substr(input, pos, len, unit="BYTE", name=None):
    """`len` bytes (with unit "UTF8_CHAR" characters) from `pos` on, which counts from the end if it is negative."""

    def part(text):
        start = slice(pos, None) if pos < 0 else slice(pos, pos + len)
        return text[start][:len]

    return _each(part if unit == "BYTE" else lambda text: _as_bytes(part(_as_characters(text))), input)


def split(input, sep=None, maxsplit=-1, name=None):
    """What is between separators, by default runs of white space: Strings, of several texts a list of them."""
    return _rows(lambda text: text.split(encoded(sep) if sep else None, maxsplit), input)


def unicode_split(input, input_encoding="UTF-8", errors="replace", replacement_char=65533, name=None):
    """The characters of a text: Strings, of several texts a list of them."""
    return _rows(lambda text: [_as_bytes(character) for character in _as_characters(text)], input)


def bytes_split(input, name=None):
    """The bytes of a text: Strings, of several texts a list of them."""
    return _rows(lambda text: [text[i : i + 1] for i in range(len(text))], input)


def join(inputs, separator="", name=None):
    """The texts at the same place of each input, one behind the other."""
    several = np.broadcast_arrays(*(np.asarray(strings(part)) for part in inputs))
    texts = [encoded(separator).join(parts) for parts in zip(*(part.ravel() for part in several), strict=True)]
    return strings(_as_objects(texts).reshape(several[0].shape))


def reduce_join(inputs, axis=None, keepdims=False, separator="", name=None):
    """The texts along an axis, by default all, one behind the other. Of a list of Strings each is joined."""
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], Tensor) and axis in (1, -1):
        return strings([reduce_join(row, separator=separator).item() for row in inputs])
    texts = np.asarray(strings(inputs))
    rows = np.moveaxis(texts, axis, -1) if axis is not None else texts.reshape(-1)
    joined = [encoded(separator).join(row) for row in rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1])]
    y = _as_objects(joined).reshape(rows.shape[:-1])
    if keepdims:
        y = y.reshape((1,) * texts.ndim) if axis is None else np.expand_dims(y, axis)
    return strings(y)


def to_number(input, out_type=np.float32, name=None):
    """The numbers that are written."""
    return _each(float if np.dtype(out_type).kind == "f" else int, input, out_type)


def as_string(input, precision=-1, name=None):
    """Numbers written out, with six digits behind the point, or `precision` of them; and truth values."""
    x = np.asarray(value(input))
    if x.dtype.kind == "b":
        written = [str(item).lower() for item in x.ravel().tolist()]
    elif x.dtype.kind == "f":
        written = [f"{item:.{6 if precision < 0 else precision}f}" for item in x.ravel().tolist()]
    else:
        written = [str(item) for item in x.ravel().tolist()]
    return strings(_as_objects(written).reshape(x.shape))


def to_hash_bucket_fast(input, num_buckets, name=None):
    """The bin that a text's Fingerprint64 falls into: int64."""
    return _each(lambda text: fingerprint64(text) % num_buckets, input, np.int64)


def to_hash_bucket_strong(input, num_buckets, key, name=None):
    """The bin that a text's SipHash-2-4 with a key of two integers falls into: int64."""
    return _each(lambda text: siphash64(text, key) % num_buckets, input, np.int64)
