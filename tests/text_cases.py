"""Texts and sequences in every way people use them, and in some they do not: what fastkeras and tf_keras must agree on.

A case is a function of the two modules keras.preprocessing.text and keras.preprocessing.sequence.
"""

import json
import random
import warnings

import numpy as np

CASES = {}

PLAIN = [
    "The cat sat on the mat.",
    "The dog, the DOG! ate (my) homework\n\tagain",
    "",
    "  ...  ",
    "cat's-eye",
]
UNICODE = [
    "İstanbul'da I İ \u0131 i",  # lower() gives two letters for İ; \u0131 has no dot
    "STRASSE Straße ẞ ß ﬁne ﬀ ĳ Ǆ ǅ \u017f",  # ligatures, title case, the long s
    "ΣΊΣΥΦΟΣ ΟΔΥΣΣΕΥΣ Σ ς ΑΣ.Σ Σ.",  # a Σ at the end of a word becomes ς
    "아버지가 방에 들어가신다. 아버지가",
    "🙂 👩\u200d👩\u200d👧 🇰🇷🇰🇷 \U0001d538 𐐀𐐨 🙂",  # joiners, flags, capital letters beyond 16 bits
    "e\u0301cole école E\u0301COLE a\u0308\u0323",  # combining marks
    "\ud800 x\udfff\ud800 \ud800",  # half a surrogate pair
    "nul\0nul \0 \x1f sep\x1fsep no\u00a0break em\u2003space line\u2028line",
    "a" * 300 + " b" * 200,
    "Ünï¢ödé naïve NAÏVE",
    "가 a 🙂 a 가 A é É",  # letters of 1, 2 and 4 bytes in one text
]
TOKENS = [["The", "cat", "The cat", ""], ["", "", "THE"], [], ["가", "방에", "🙂"]]


def case(function):
    CASES[function.__name__] = function
    return function


def state(tokenizer):
    """A Tokenizer's counts, in their order where that does not depend on Python's hash."""
    names = ("word_counts", "word_index", "index_word", "word_docs", "index_docs", "document_count")
    return {
        "word_counts": list(tokenizer.word_counts.items()),
        "word_index": list(tokenizer.word_index.items()),
        "index_word": list(tokenizer.index_word.items()),
        "word_docs": sorted(tokenizer.word_docs.items(), key=str),
        "index_docs": sorted(tokenizer.index_docs.items()),
        "document_count": tokenizer.document_count,
        "types": [type(getattr(tokenizer, name)).__name__ for name in names],
    }


def fitted(text, texts, **options):
    tokenizer = text.Tokenizer(**options)
    tokenizer.fit_on_texts(texts)
    return tokenizer


def fit_and_encode(text, texts, others=(), **options):
    tokenizer = fitted(text, texts, **options)
    return [state(tokenizer), tokenizer.texts_to_sequences([*texts, *others])]


def outcome(function, *args, **kwargs):
    """What the function returns, or the type of its error."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f"raises {type(error).__name__}"


def as_json(value):
    """`value` as JSON brings it back: tuples as lists, and arrays with their dtype and shape."""

    def known(item):
        if isinstance(item, np.ndarray):
            return {"dtype": str(item.dtype), "shape": item.shape, "values": item.tolist()}
        return item.item()

    return json.loads(json.dumps(value, default=known))


# --- splitting ----------------------------------------------------------------------------------------------


@case
def splits(text, sequence):
    return [text.text_to_word_sequence(t, lower=lower) for t in PLAIN + UNICODE for lower in (True, False)]


@case
def splits_with_options(text, sequence):
    options = [
        {"filters": ""},
        {"filters": "", "split": "\n"},
        {"split": "T"},
        {"split": "t"},
        {"split": "the"},
        {"split": "  "},
        {"split": "\u2003"},
        {"split": "🙂"},
        {"filters": "가🙂\u0301ét"},
        {"filters": ["a", "."]},
        {"filters": [97, 46]},
        {"filters": "a.", "split": "--"},
        {"filters": "aa  "},
        {"split": None},
        {"split": ""},
        {"filters": None},
        {"filters": ["ab"]},
        {"filters": [1.5]},
        {"split": 3},
    ]
    results = []
    for option in options:
        for t in (PLAIN[1], UNICODE[4], UNICODE[10], "a--b---c"):
            results.append(outcome(text.text_to_word_sequence, t, **option))
            results.append(outcome(fit_and_encode, text, [t], **option))
    return results


@case
def refuses_what_is_no_text(text, sequence):
    wrong = [None, 3, b"a b", ("a", "b"), ["a", None], ["a", 3], [["a"]], {"a": 1}, object()]
    options = [{}, {"lower": False}, {"char_level": True}, {"char_level": True, "lower": False}]
    results = []
    for option in options:
        for t in wrong:
            tokenizer = text.Tokenizer(**option)
            results.append(outcome(tokenizer.fit_on_texts, ["x y", t, "z"]))
            results += [list(tokenizer.word_counts.items()), tokenizer.document_count, tokenizer.word_index]
            results.append(outcome(tokenizer.texts_to_sequences, ["x y", t]))
    return results


# --- fitting and encoding -----------------------------------------------------------------------------------


@case
def fits_plain_texts(text, sequence):
    return fit_and_encode(text, PLAIN, ["the unknown cat"])


@case
def fits_unicode(text, sequence):
    return [fit_and_encode(text, UNICODE, PLAIN, lower=lower) for lower in (True, False)]


@case
def fits_letters(text, sequence):
    return [
        fit_and_encode(text, [*UNICODE, *TOKENS, *PLAIN], char_level=True, **options)
        for options in ({}, {"lower": False}, {"num_words": 7, "oov_token": "e"})
    ]


@case
def fits_tokens(text, sequence):
    mixed = [TOKENS[0], "the cat", TOKENS[1], "", TOKENS[2], "가 🙂 the", TOKENS[3]]
    return [fit_and_encode(text, texts, lower=lower) for texts in (TOKENS, mixed) for lower in (True, False)]


@case
def fits_tokens_of_any_type(text, sequence):
    tokens = [["b", 1, 2.5, None, "a", 1], ["a b", "b"], "a b a", ["c", 1]]
    return fit_and_encode(text, tokens, [["new", 1, 7]], lower=False)


@case
def ties_go_by_first_sight(text, sequence):
    return fit_and_encode(text, ["d c b a", "a b x c d y", ["y", "q"], "x q"])


@case
def fits_an_iterable_of_any_kind(text, sequence):
    texts = ["one two", "two three"]
    kinds = [
        tuple(texts),
        iter(texts),
        dict.fromkeys(texts),
        np.array(texts),
        np.array(texts, object),
        "ab a",
    ]
    return [state(fitted(text, kind)) for kind in kinds]


@case
def fits_numpy_texts_with_case(text, sequence):
    texts = np.array(["One two", "Two Three"])
    return [fit_and_encode(text, texts, lower=lower) for lower in (True, False)]


@case
def fits_again(text, sequence):
    tokenizer = text.Tokenizer(document_count=3)
    states = []
    for texts in (PLAIN, [], ["zebra the zebra"] * 3, UNICODE[:3]):
        tokenizer.fit_on_texts(texts)
        states.append(state(tokenizer))
    return states


@case
def num_words_and_oov_token(text, sequence):
    results = []
    for num_words in (None, 0, 1, 2, 5, 100, -1, 2.5):
        for oov_token in (None, "<OOV>", "the", ""):
            tokenizer = fitted(text, PLAIN, num_words=num_words, oov_token=oov_token)
            sequences = tokenizer.texts_to_sequences([*PLAIN, "new words", ["the", "", "New"]])
            results += [list(tokenizer.word_index.items()), len(tokenizer.index_word), sequences]
            results.append(outcome(tokenizer.sequences_to_texts, sequences))
    return results


@case
def oov_token_without_an_id(text, sequence):
    unfitted = text.Tokenizer(oov_token="?")
    late = fitted(text, ["a b"])
    late.oov_token = "?"
    return [
        unfitted.texts_to_sequences(["a b", ["c"]]),
        late.texts_to_sequences(["a c"]),
        outcome(late.sequences_to_texts, [[1, 2]]),
        outcome(late.sequences_to_texts, [[1, 9]]),
    ]


@case
def edited_word_index(text, sequence):
    tokenizer = fitted(text, PLAIN, num_words=50)
    results = [tokenizer.texts_to_sequences(PLAIN)]
    tokenizer.word_index["cat"] = 49
    tokenizer.word_index["homework"] = 50
    tokenizer.word_index["the"] = None
    results.append(tokenizer.texts_to_sequences(PLAIN))
    tokenizer.word_index = {"mat": 2, "dog": 2.0, "ate": True}
    results.append(tokenizer.texts_to_sequences(PLAIN))
    tokenizer.word_index = {"mat": "seven"}
    results.append(outcome(tokenizer.texts_to_sequences, PLAIN))
    return results


@case
def analyzers(text, sequence):
    kinds = [str.split, lambda t: t, lambda t: tuple(t.lower()), lambda t: [len(t), "x"], lambda t: []]
    results = [fit_and_encode(text, PLAIN, analyzer=analyzer) for analyzer in kinds]
    results.append(fit_and_encode(text, [["A", "b"], "A b"], analyzer=str.split))
    results.append(fit_and_encode(text, ["A b"], analyzer=str.split, char_level=True))
    results.append(outcome(fitted, text, ["a"], analyzer=lambda t: None))
    return results


@case
def constructor(text, sequence):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tokenizer = text.Tokenizer(nb_words=7, document_count=2)
    return [
        tokenizer.num_words,
        tokenizer.document_count,
        [w.category.__name__ for w in caught],
        outcome(text.Tokenizer, number_words=3),
        sorted(vars(text.Tokenizer())),
        outcome(text.Tokenizer, 1, "", False, "-", True, "o", None).get_config(),
    ]


# --- ids ----------------------------------------------------------------------------------------------------


@case
def sequences_to_texts(text, sequence):
    results = []
    for options in ({}, {"num_words": 3}, {"oov_token": "?"}, {"oov_token": "?", "num_words": 3}):
        tokenizer = fitted(text, PLAIN, **options)
        sequences = [[1, 2, 3], [], [0, 99, -1, 4], np.array([2, 1]), (1, 1)]
        results.append(tokenizer.sequences_to_texts(sequences))
        results.append(list(tokenizer.sequences_to_texts_generator(iter(sequences))))
    return results


@case
def generators(text, sequence):
    tokenizer = fitted(text, PLAIN)
    generator = tokenizer.texts_to_sequences_generator(iter(PLAIN))
    return [type(generator).__name__, next(generator), list(generator)]


@case
def fit_on_sequences(text, sequence):
    tokenizer = text.Tokenizer(num_words=6)
    sequences = [[1, 2, 2], [], [5, 1], [9, -2]]
    tokenizer.fit_on_sequences(sequences)
    matrices = [tokenizer.sequences_to_matrix(sequences, mode) for mode in ("binary", "count", "freq", "tfidf")]
    return [state(tokenizer), matrices, outcome(tokenizer.fit_on_sequences, iter(sequences))]


@case
def matrices(text, sequence):
    results = []
    for num_words in (None, 4):
        tokenizer = fitted(text, PLAIN, num_words=num_words)
        for mode in ("binary", "count", "freq", "tfidf"):
            results.append(tokenizer.texts_to_matrix(PLAIN, mode=mode))
            results.append(tokenizer.sequences_to_matrix([[1, 1, 3], [], (2, 2, 2), [0, 3, 99]], mode=mode))
        results.append(tokenizer.texts_to_matrix(PLAIN))
    return results


@case
def matrices_without_a_fit(text, sequence):
    tokenizer = text.Tokenizer(num_words=5)
    return [
        tokenizer.sequences_to_matrix([[1, 4, 4], [], [7]], mode="count"),
        tokenizer.sequences_to_matrix([[1, -1]], mode="binary"),
        tokenizer.sequences_to_matrix([]),
        outcome(tokenizer.sequences_to_matrix, [[1]], mode="tfidf"),
        outcome(tokenizer.sequences_to_matrix, [[1]], mode="counts"),
        outcome(tokenizer.sequences_to_matrix, [[1.0]]),
        outcome(tokenizer.sequences_to_matrix, [["a"]]),
        outcome(tokenizer.sequences_to_matrix, [[-6]]),
        outcome(text.Tokenizer().sequences_to_matrix, [[1]]),
        outcome(text.Tokenizer().texts_to_matrix, ["a"]),
    ]


@case
def hashing(text, sequence):
    sentence = "The cat sat on the Mat. 🙂 가"
    return [
        text.hashing_trick(sentence, 1000, "md5"),
        text.hashing_trick(sentence, 7, len),
        text.hashing_trick(sentence, 50, "md5", filters="t", lower=False, split="a"),
        text.hashing_trick(sentence, 50, "md5", analyzer=str.split),
        [i == hash(w) % 49 + 1 for i, w in zip(text.hashing_trick("a b c", 50), "abc", strict=True)],
        [i == hash(w) % 49 + 1 for i, w in zip(text.one_hot("a b c", 50), "abc", strict=True)],
        [i == hash(w) % 49 + 1 for i, w in zip(text.one_hot("A-B", 50, "-", False, " "), "AB", strict=True)],
        [i == hash(w) % 49 + 1 for i, w in zip(text.one_hot("ab", 50, analyzer=list), "ab", strict=True)],
        outcome(text.hashing_trick, "a b", 1, "md5"),
        outcome(text.hashing_trick, "a b", 9, "sha"),
        outcome(text.one_hot, 3, 9),
    ]


@case
def configs(text, sequence):
    results = []
    for options in ({}, {"num_words": 3, "oov_token": "?", "filters": "-", "split": "\n", "lower": False}):
        tokenizer = fitted(text, ["a", "b", "a"], **options)
        config = tokenizer.get_config()
        copy = text.tokenizer_from_json(tokenizer.to_json(indent=1))
        results += [
            list(config.items()),
            tokenizer.to_json(),
            copy.to_json(),
            copy.texts_to_sequences(["b a c"]),
        ]
    return results


# --- sequences ----------------------------------------------------------------------------------------------

ROWS = [[1], [2, 3], [], [4, 5, 6], (7, 8, 9, 10)]


@case
def pads(text, sequence):
    results = []
    for maxlen in (None, 1, 2, 3, 5):
        for padding in ("pre", "post"):
            for truncating in ("pre", "post"):
                options = {"maxlen": maxlen, "padding": padding, "truncating": truncating}
                for rows in (
                    ROWS,
                    [np.array(r) for r in ROWS],
                    np.arange(6).reshape(2, 3),
                    [[], []],
                    ["abc"],
                ):
                    results.append(outcome(sequence.pad_sequences, rows, **options))
    return results


@case
def pads_dtypes_and_values(text, sequence):
    pad = sequence.pad_sequences
    points = [[[1, 2]], [[3, 4], [5, 6], [7, 8]]]
    return [
        pad(ROWS, dtype="int64", value=-1),
        pad(ROWS, dtype="float32", value=0.5),
        pad(ROWS, dtype=np.uint8, value=255),
        pad(ROWS, dtype=">i4"),
        pad(ROWS, dtype=bool),
        pad(ROWS, value=-1.7),
        pad([[1.9, -1.9], [True], [np.int64(3), 2]]),
        pad([[2**31 - 1, -(2**31)], [0]]),
        pad([["a"], ["b", "cc"]], dtype=object, value="pad"),
        pad([["a"], ["b", "cc"]], dtype="<U4", value="pad"),
        pad([["a"], ["b", "cc"]], dtype=str, value=""),
        pad(points),
        pad(points, value=[8, 9], maxlen=2),
        pad(points, value=[[8], [9], [10]]),
        pad(points, maxlen=2, truncating="post", padding="post", dtype="float64"),
        pad(np.array([[1, 2], [3]], dtype=object)),
        pad({"a": 1, "b": 2}.items(), maxlen=1, dtype=object),
    ]


@case
def pads_errors(text, sequence):
    pad = sequence.pad_sequences
    return [
        outcome(pad, *args, **kwargs)
        for args, kwargs in [
            (([],), {}),
            (([], 3), {}),
            ((iter([[1]]),), {}),
            ((3,), {}),
            (([1, 2],), {}),
            (([[1], None],), {}),
            (([[1], 2],), {}),
            (([[1, [2, 3]]],), {}),
            (([[1], [[2, 3]]],), {}),
            (([[[1, 2]], [3]],), {}),
            (([[[1, 2]], [[3, 4, 5]]],), {}),
            (([[1], ["a"]],), {}),
            (([[1], [None]],), {}),
            (([[2**31]],), {}),
            (([[-(2**31) - 1]],), {}),
            (([[10**30]],), {}),
            (([[1]],), {"maxlen": -1}),
            (([[1]],), {"maxlen": 0}),
            (([[1]],), {"maxlen": 1.0}),
            (([[1]],), {"maxlen": "1"}),
            (([[1]],), {"padding": "both"}),
            (([[1]],), {"truncating": "both"}),
            (([[1]],), {"value": "a"}),
            (([["a"]],), {"value": "a", "dtype": "float32"}),
            (([[1]],), {"dtype": "number"}),
            (([[1], [2, 3]],), {"value": [1, 2, 3]}),
            (([{1, 2}],), {}),
        ]
    ]


@case
def sampling_tables(text, sequence):
    make = sequence.make_sampling_table
    return [make(10), make(50, sampling_factor=1e-3), outcome(make, 0)]


@case
def skipgrams(text, sequence):
    words = [1, 2, 0, 3, 4, 2, 5]
    table = sequence.make_sampling_table(6, sampling_factor=0.1)
    results = []
    for options in (
        {},
        {"window_size": 1},
        {"negative_samples": 0},
        {"negative_samples": 2.5},
        {"shuffle": False},
        {"categorical": True},
        {"sampling_table": table},
        {"seed": 5},
        {"seed": 5, "categorical": True, "negative_samples": 0.3, "window_size": 9},
    ):
        random.seed(3)
        results += [sequence.skipgrams(words, 6, **options), random.random()]
    random.seed(3)
    results += [sequence.skipgrams([], 6), sequence.skipgrams([0, 0], 6), sequence.skipgrams(np.arange(4), 6)]
    return results


@case
def timeseries(text, sequence):
    data = np.arange(40).reshape(20, 2)
    results = []
    for options in (
        {},
        {"batch_size": 3},
        {"batch_size": 4, "sampling_rate": 2},
        {"batch_size": 2, "stride": 3, "start_index": 2, "end_index": 15},
        {"batch_size": 5, "reverse": True},
        {"batch_size": 3, "shuffle": True},
    ):
        generator = sequence.TimeseriesGenerator(data, np.arange(20) * 10, length=4, **options)
        from_lists = sequence.TimeseriesGenerator(data[:, 0].tolist(), list("abcdefghijklmnopqrst"), 4, **options)
        np.random.seed(4)
        results += [len(generator), list(generator), from_lists[0], outcome(generator.__getitem__, 99)]
        results += [list(generator.get_config().items())[2:], from_lists.to_json()]
    return results


@case
def timeseries_errors(text, sequence):
    make = sequence.TimeseriesGenerator
    return [
        outcome(make, [1, 2, 3], [1, 2], 1),
        outcome(make, [1, 2, 3], [1, 2, 3], 3),
        outcome(make, [1, 2, 3], [1, 2, 3], 1, start_index=2),
        outcome(make, [1, 2, 3], [1, 2, 3], 1, end_index=0),
        outcome(make([object(), 2, 3], [1, 2, 3], 1).to_json),
        outcome(make([1, 2, 3], [object(), 2, 3], 1).to_json),
        len(make([1, 2, 3], [1, 2, 3], 2)),
    ]
