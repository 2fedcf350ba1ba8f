"""Texts to words, words to ids: Keras 2's keras.preprocessing.text.

    text -> (lower case) -> words -> ids, counts or rows of a matrix

Compiled code (src_c/text.h) splits, counts and encodes, and comes back to Python once for each distinct
word of a call. Where it cannot split (`split` is not a single character, or an `analyzer` is given), Python
does, and where tokens are not even str, Python does everything. The results are the same.
"""

import hashlib
import inspect
import json
from collections import Counter, OrderedDict, defaultdict

import numpy as np

from fastkeras._kernels.text import SKIP, WordCounter, WordEncoder
from fastkeras.utils import suggest
from fastkeras.utils.messages import warn

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MATRIX_MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(input_text, filters=PUNCTUATION, lower=True, split=" "):
    r"""Splits a text into a list of words.

    Args:
        input_text: the text, a str.
        filters: the characters to drop, a str or a list of characters. Each counts as a `split`.
            By default the punctuation of ASCII but the apostrophe, tabs and line breaks.
        lower: whether to convert the text to lower case first.
        split: the str between two words.

    Returns:
        The words, a list of non-empty str.

    >>> text_to_word_sequence("Don't panic: it's ÉTÉ!")
    ["don't", 'panic', "it's", 'été']
    """
    if lower:
        input_text = _lower(input_text)
    return _split(input_text, filters, split)


def _lower(text):
    """A text or a list of tokens in lower case."""
    try:
        return [token.lower() for token in text] if isinstance(text, list) else text.lower()
    except AttributeError:
        raise AttributeError(f"A text must be a str, or a list of str. Received: {text!r:.200}") from None


def _split(text, filters, split):
    separators = str.maketrans(dict.fromkeys(filters, split))
    return [word for word in text.translate(separators).split(split) if word]


def one_hot(input_text, n, filters=PUNCTUATION, lower=True, split=" ", analyzer=None):
    """Replaces each word of a text by a number in [1, n), made with Python's `hash`.

    `hash` changes from one process to the next; `hashing_trick` with 'md5' does not.

    Args:
        input_text: the text, a str.
        n: one more than the largest number.
        filters, lower, split: see `text_to_word_sequence`.
        analyzer: a function from a text to its words, used instead of `text_to_word_sequence`.

    Returns:
        A list of int, one for each word. Two words may share a number.
    """
    return hashing_trick(input_text, n, hash, filters=filters, lower=lower, split=split, analyzer=analyzer)


def hashing_trick(text, n, hash_function=None, filters=PUNCTUATION, lower=True, split=" ", analyzer=None):
    """Replaces each word w of a text by hash_function(w) % (n - 1) + 1, a number in [1, n).

    Args:
        text: the text, a str.
        n: one more than the largest number; 0 is never given, it is left for padding.
        hash_function: None for Python's `hash`, 'md5', or a function from a word to an int.
        filters, lower, split: see `text_to_word_sequence`.
        analyzer: a function from a text to its words, used instead of `text_to_word_sequence`.

    Returns:
        A list of int, one for each word. Two words may share a number.

    Raises:
        TypeError: if `hash_function` is none of those.

    >>> hashing_trick("The cat saw the dog.", 1000, "md5")
    [132, 759, 624, 132, 168]
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    elif not callable(hash_function):
        raise TypeError(f"`hash_function` must be None, 'md5' or a function. Received: {hash_function!r}")
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word):
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers the words of texts by how often they occur, and turns texts into lists of those numbers.

    The most frequent word gets the id 1; of equally frequent ones, the one that was seen first comes first.
    The id 0 is never given: it is left for padding.

    Args:
        num_words: if given, only ids below `num_words` are used when texts are encoded: its most frequent
            `num_words - 1` words. `word_index` holds all words nevertheless.
        filters: the characters to drop, a str or a list of characters.
        lower: whether to convert texts to lower case.
        split: the str between two words.
        char_level: whether each character is a word of its own; `filters` and `split` do not matter then.
        oov_token: if given, a word with the id 1 that stands for every word without an id or with one that
            `num_words` excludes. Otherwise such words are left out.
        analyzer: a function from a text to its words, used instead of `filters`, `lower` and `split`.
        document_count: the number of documents already counted, as `get_config` tells it.

    Attributes:
        word_counts: OrderedDict, word -> how often it occurred, in the order in which words were first seen.
        word_docs: defaultdict, word -> the number of texts it occurred in.
        word_index: dict, word -> id, by ascending id.
        index_word: dict, id -> word.
        index_docs: defaultdict, id -> the number of texts the word occurred in.
        document_count: the number of texts fitted.

    >>> tokenizer = Tokenizer(num_words=4, oov_token="?")
    >>> tokenizer.fit_on_texts(["the cat and the dog", "The dog!"])
    >>> tokenizer.word_index
    {'?': 1, 'the': 2, 'dog': 3, 'cat': 4, 'and': 5}
    >>> tokenizer.texts_to_sequences(["the dog saw the cat"])
    [[2, 3, 1, 2, 1]]
    """

    def __init__(
        self,
        num_words=None,
        filters=PUNCTUATION,
        lower=True,
        split=" ",
        char_level=False,
        oov_token=None,
        analyzer=None,
        **kwargs,
    ):
        if "nb_words" in kwargs:
            warn("Tokenizer's `nb_words` is called `num_words` now.")
            num_words = kwargs.pop("nb_words")
        document_count = kwargs.pop("document_count", 0)
        if kwargs:
            known = [*inspect.getfullargspec(Tokenizer).args[1:], "document_count"]
            raise TypeError(suggest.unknown("argument of Tokenizer", next(iter(kwargs)), known))

        self.word_counts = OrderedDict()
        self.word_docs = defaultdict(int)
        self.filters = filters
        self.split = split
        self.lower = lower
        self.num_words = num_words
        self.document_count = document_count
        self.char_level = char_level
        self.oov_token = oov_token
        self.index_docs = defaultdict(int)
        self.word_index = {}
        self.index_word = {}
        self.analyzer = analyzer

    def __setstate__(self, state):
        """Takes over a pickled Tokenizer's attributes; what an older Keras did not have gets a default."""
        self.__init__()
        self.__dict__.update(state)
        if "index_word" not in state:
            self.index_word = {id: word for word, id in self.word_index.items()}

    # --- fitting --------------------------------------------------------------------------------------------

    def fit_on_texts(self, texts):
        """Counts the words of texts and numbers all words counted so far anew.

        Args:
            texts: an iterable of texts; a text is a str or a list of tokens.
        """
        counter = WordCounter(self._separators())
        try:
            for text in texts:
                self.document_count += 1
                tokens = self._tokens(text)
                if not counter.add(tokens, self.word_counts):
                    self._count(tokens)
        finally:
            counter.add_to(self.word_counts, self.word_docs)

        vocabulary = [] if self.oov_token is None else [self.oov_token]
        vocabulary += sorted(self.word_counts, key=self.word_counts.get, reverse=True)
        self.word_index = {word: id for id, word in enumerate(vocabulary, 1)}
        self.index_word = {id: word for word, id in self.word_index.items()}
        for word, documents in self.word_docs.items():
            self.index_docs[self.word_index[word]] = documents

    def fit_on_sequences(self, sequences):
        """Counts the documents that each id occurs in, which the mode 'tfidf' of `sequences_to_matrix` needs.

        Args:
            sequences: a list of lists of ids.
        """
        self.document_count += len(sequences)
        for sequence in sequences:
            for id in set(sequence):
                self.index_docs[id] += 1

    def _tokens(self, text):
        """The tokens of `text`: a list; or `text` itself, in lower case, if compiled code can split it."""
        if isinstance(text, list):
            return _lower(text) if self.lower else text
        if self.analyzer is not None and not self.char_level:
            return list(self.analyzer(text))
        if self.lower:
            text = _lower(text)
        if self.char_level or (type(text) is str and self._separators()):
            return text
        return _split(text, self.filters, self.split)

    def _separators(self):
        """The characters that compiled code splits at: None for at each, '' where Python must split."""
        if self.char_level:
            return None
        if type(self.filters) is str and type(self.split) is str and len(self.split) == 1:
            return self.filters + self.split
        return ""

    def _count(self, tokens):
        """Counts the tokens of one document in Python, whatever they are."""
        for word, count in Counter(iter(tokens)).items():
            self.word_counts[word] = self.word_counts.get(word, 0) + count
            self.word_docs[word] = self.word_docs.get(word, 0) + 1

    # --- texts and sequences --------------------------------------------------------------------------------

    def texts_to_sequences(self, texts):
        """Replaces the words of each text by their ids.

        Args:
            texts: an iterable of texts; a text is a str or a list of tokens.

        Returns:
            A list of lists of int. Words without an id get `oov_token`'s, or are left out if there is none.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """Like `texts_to_sequences`, one text at a time.

        Each distinct word is looked up in `word_index` once, when the generator first meets it.

        Args:
            texts: an iterable of texts; a text is a str or a list of tokens.

        Yields:
            A list of int for each text.
        """
        id_of = self._id_of()
        encoder = WordEncoder(self._separators())
        for text in texts:
            tokens = self._tokens(text)
            sequence = encoder.encode(tokens, id_of)
            if sequence is None:
                sequence = [id for id in map(id_of, tokens) if id is not SKIP]
            yield sequence

    def _id_of(self):
        """The function from a word to what it becomes in a sequence: its id, oov_token's or SKIP."""
        num_words, oov_token = self.num_words, self.oov_token
        oov_id = self.word_index.get(oov_token)

        def id_of(word):
            id = self.word_index.get(word)
            if id is None:
                return SKIP if oov_token is None else oov_id
            if num_words and id >= num_words:
                return SKIP if oov_id is None else oov_id
            return id

        return id_of

    def sequences_to_texts(self, sequences):
        """Replaces the ids of each sequence by their words, joined by blanks.

        Args:
            sequences: an iterable of lists of ids.

        Returns:
            A list of str. Ids without a word, and ids that `num_words` excludes, become `oov_token`, or are
            left out if there is none.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """Like `sequences_to_texts`, one sequence at a time.

        Args:
            sequences: an iterable of lists of ids.

        Yields:
            A str for each sequence.
        """
        num_words = self.num_words
        oov_id = self.word_index.get(self.oov_token)
        for sequence in sequences:
            words = []
            for id in sequence:
                word = self.index_word.get(id)
                if word is not None and not (num_words and id >= num_words):
                    words.append(word)
                elif oov_id is not None or (word is None and self.oov_token is not None):
                    words.append(self.index_word[oov_id])
            yield " ".join(words)

    # --- matrices -------------------------------------------------------------------------------------------

    def texts_to_matrix(self, texts, mode="binary"):
        """A matrix with one row for each text; see `sequences_to_matrix`.

        Args:
            texts: an iterable of texts; a text is a str or a list of tokens.
            mode: 'binary', 'count', 'tfidf' or 'freq'.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """A matrix with one row for each sequence and one column for each id.

        With c = how often the id occurs in the sequence, an entry is 0 if c is, and otherwise

            binary   1
            count    c
            freq     c / length of the sequence
            tfidf    (1 + log c) log(1 + document_count / (1 + index_docs[id]))

        Args:
            sequences: a list of lists of ids. Ids from `num_words` on are left out.
            mode: 'binary', 'count', 'tfidf' or 'freq'.

        Returns:
            float64, (len(sequences), num_words); without `num_words` one column more than there are words.

        Raises:
            ValueError: if the mode is none of these; if there is neither `num_words` nor a vocabulary; or if
                the mode is 'tfidf' and no documents were counted.

        >>> Tokenizer(num_words=4).sequences_to_matrix([[1, 3, 1], [2, 9]], mode="count")
        array([[0., 2., 0., 1.],
               [0., 0., 1., 0.]])
        """
        if mode not in MATRIX_MODES:
            raise ValueError(suggest.unknown("`mode` of sequences_to_matrix", mode, MATRIX_MODES))
        if not self.num_words and not self.word_index:
            raise ValueError("sequences_to_matrix needs `num_words` or a fit. Received: num_words=None, no words")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("mode='tfidf' needs a fit on texts or sequences. Received: document_count=0")
        num_words = self.num_words or len(self.word_index) + 1
        x = np.zeros((len(sequences), num_words))
        for row, sequence in zip(x, sequences, strict=True):
            counts = Counter(id for id in sequence if id < num_words)
            ids, c = list(counts), np.array(list(counts.values()), np.float64)
            if mode == "binary":
                row[ids] = 1
            elif mode == "count":
                row[ids] = c
            elif mode == "freq":
                row[ids] = c / len(sequence)
            else:
                documents = np.array([self.index_docs.get(id, 0) for id in ids], np.float64)
                row[ids] = (1 + np.log(c)) * np.log(1 + self.document_count / (1 + documents))
        return x

    # --- saving ---------------------------------------------------------------------------------------------

    def get_config(self):
        """The options and all counts in a dict that JSON can hold; the counts are JSON texts themselves.

        An `analyzer` is not part of it.
        """
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs):
        """The Tokenizer as a JSON text, which Keras's `tokenizer_from_json` reads too.

        Args:
            kwargs: arguments of `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string):
    """The Tokenizer that `to_json`, here or in Keras, made the JSON text of.

    Args:
        json_string: the text, a str.

    Returns:
        A Tokenizer; its counts have the types that a new one's have.

    Raises:
        ValueError: if the text is not a Tokenizer's.

    >>> tokenizer = Tokenizer(lower=False)
    >>> tokenizer.fit_on_texts(["So it goes"])
    >>> tokenizer_from_json(tokenizer.to_json()).texts_to_sequences(["goes So"])
    [[3, 1]]
    """
    state = json.loads(json_string)
    try:
        config = dict(state["config"])
        counts = {name: json.loads(config.pop(name)) for name in (*_BY_WORD, *_BY_ID)}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"`json_string` is not what Tokenizer.to_json writes: {error!r}.") from error
    tokenizer = Tokenizer(**config)
    for name in _BY_WORD:
        getattr(tokenizer, name).update(counts[name])
    for name in _BY_ID:  # JSON has made texts of the ids
        getattr(tokenizer, name).update({int(id): value for id, value in counts[name].items()})
    return tokenizer


_BY_WORD = ("word_counts", "word_docs", "word_index")
_BY_ID = ("index_docs", "index_word")
