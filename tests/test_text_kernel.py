"""text.c and its wrapper: words split, numbered, counted and encoded as plain Python would."""

import gc
import random
import re
import threading
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastkeras._kernels import text as kernel

# Separators and letters of one, two and four bytes.
SEPARATORS = " .,\xa0\u3000…🙂"
LETTERS = "aAé\0\xff가나\u0301\ud800\U0001d538\U0010ffff"


def split(text, separators):
    """What the kernel does, in Python."""
    if separators is None:
        return list(text)
    words = re.split(f"[{re.escape(separators)}]", text) if separators else [text]
    return [word for word in words if word]


def encode(texts, separators, id_of=lambda word: word):
    encoder = kernel.WordEncoder(separators)
    return [encoder.encode(text, id_of) for text in texts]


def count(texts, separators):
    counter, counts, documents = kernel.WordCounter(separators), {}, {}
    for text in texts:
        assert counter.add(text, counts)
    counter.add_to(counts, documents)
    return counts, documents


@pytest.mark.parametrize("separators", [SEPARATORS, " ", "", "가", "🙂", "\uffff\U00010000", None], ids=ascii)
def test_texts_are_split_at_separators(separators):
    generator = random.Random(7)
    for alphabet in (LETTERS[:4], LETTERS[:8], LETTERS):  # one, two and four bytes a letter
        texts = ["".join(generator.choices(alphabet + SEPARATORS, k=length)) for length in range(97)]
        assert encode(texts, separators) == [split(text, separators) for text in texts]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.text(st.sampled_from(LETTERS + SEPARATORS) | st.characters(), max_size=40), max_size=9),
    st.none() | st.text(st.sampled_from(LETTERS + SEPARATORS), max_size=5),
)
def test_any_texts_are_encoded_and_counted(texts, separators):
    words = [split(text, separators) for text in texts]
    assert encode(texts, separators) == words
    assert encode(words, separators) == words

    counts, documents = count(texts, separators)
    assert list(counts.items()) == list(Counter(word for text in words for word in text).items())
    assert documents == Counter(word for text in words for word in set(text))


def test_a_large_vocabulary():
    """Every block of memory grows many times, and slots and 31-bit hashes are met twice."""
    words = [str(i) for i in range(200_003)]
    encoder = kernel.WordEncoder(" ")
    assert encoder.encode(" ".join(words), int) == list(range(200_003))
    generator = random.Random(1)
    generator.shuffle(words)
    assert encoder.encode(" ".join(words), pytest.fail) == [int(word) for word in words]


@pytest.mark.parametrize("letter", ["a", "가", "🙂"])
def test_long_words(letter):
    words = [letter * n for n in (1, 511, 512, 513, 100_003, 100_002, 1)]
    assert encode([" ".join(words)], " ") == [words]
    assert encode([words], " ") == [words]
    wide = " ".join([*words, "🙂"])  # the same words at four bytes a letter
    assert encode([wide, " ".join(words)], " ", len) == [[*map(len, words), 1], [*map(len, words)]]


def test_a_word_is_the_same_in_texts_of_any_width():
    counts, documents = count(["é x", "é 가", "é 🙂", ["é", "é é"]], " ")
    assert counts == {"é": 4, "x": 1, "가": 1, "🙂": 1, "é é": 1}
    assert documents == {"é": 4, "x": 1, "가": 1, "🙂": 1, "é é": 1}


def test_words_that_differ_in_a_zero_letter_or_in_length():
    words = ["a", "a\0", "\0a", "\0", "\0\0", "aa", ""]
    assert encode([words], " ") == [words]
    assert len(count([words], " ")[0]) == len(words)


def test_tokens_keep_separators_and_may_be_empty():
    tokens = ["a b", "", " ", "a", ""]
    assert encode([tokens, "a b"], " ") == [tokens, ["a", "b"]]


def test_each_distinct_word_is_asked_for_once():
    asked = []
    encoder = kernel.WordEncoder(" ")
    for text in ("b a b", ["a", "c"], "c b d"):
        encoder.encode(text, asked.append)
    assert asked == ["b", "a", "c", "d"]


def test_skipped_words_are_left_out():
    def id_of(word):
        return kernel.SKIP if word < "c" else None

    assert encode(["a c b c", "a b", "", "d"], " ", id_of) == [[None, None], [], [], [None]]


def test_an_error_of_id_of_is_passed_on():
    with pytest.raises(KeyError, match="b"):
        kernel.WordEncoder(" ").encode("a b c", {"a": 1}.__getitem__)


def test_new_words_enter_the_counts_at_once():
    counts = {"b": 5}
    counter = kernel.WordCounter(" ")
    counter.add("a b a", counts)
    assert counts == {"b": 5, "a": 0}
    counter.add_to(counts, documents := {"b": 1})
    assert counts == {"b": 6, "a": 2}
    assert documents == {"b": 2, "a": 1}


class Text(str):
    pass


@pytest.mark.parametrize("tokens", [None, 3, b"a", ("a",), ["a", 1], [None], ["a", Text("b")], Text("a"), {"a"}])
def test_other_things_are_left_to_the_caller(tokens):
    counts = {}
    assert kernel.WordCounter(" ").add(tokens, counts) is False
    assert counts == {}
    assert kernel.WordEncoder(" ").encode(tokens, len) is None


def test_constructor_refuses_other_separators():
    with pytest.raises(TypeError, match="str"):
        kernel.WordEncoder(3)


def test_threads_may_encode_at_the_same_time():
    texts = [" ".join(str((i * j) % 97) for j in range(500)) for i in range(50)]
    results = {}
    threads = [threading.Thread(target=lambda k=k: results.update({k: encode(texts, " ", int)})) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: [[int(word) for word in text.split()] for text in texts] for k in range(4)}


def test_memory_is_given_back():
    texts = [" ".join(map(str, range(1000))), "🙂" * 1000]

    def use():
        encode(texts, SEPARATORS, len)
        count(texts, SEPARATORS)

    use()
    tracemalloc.start()
    try:
        use()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            use()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 2000  # one encoder holds 30,000 bytes
    finally:
        tracemalloc.stop()


# --- pad_row ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pad_front", [True, False])
@pytest.mark.parametrize("cut_front", [True, False])
@pytest.mark.parametrize("n", [0, 1, 4, 5, 6, 11])
def test_pad_row(n, cut_front, pad_front):
    ids = [(-1) ** k * (2**31 - 1 - k) for k in range(n)]
    x = np.full((3, 5), 7, np.int32)
    assert kernel.pad_row(x, 1, ids, pad_front, cut_front)

    kept = ids if n <= 5 else ids[-5:] if cut_front else ids[:5]
    filling = [7] * (5 - len(kept))
    expected = np.full((3, 5), 7)
    expected[1] = filling + kept if pad_front else kept + filling
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("wrong", [1.0, True, None, "1", 2**31, -(2**31) - 1, 10**30, np.int32(1), [1]])
def test_pad_row_refuses_what_is_no_int32(wrong):
    x = np.zeros((1, 3), np.int32)
    assert kernel.pad_row(x, 0, [1, wrong], True, True) is False


def test_pad_row_checks_its_arguments():
    x = np.zeros((2, 3), np.int32)
    for row in (-1, 2):
        with pytest.raises(IndexError, match=r"\[0, 2\). Received"):
            kernel.pad_row(x, row, [1], True, True)
    for wrong in (x.astype(np.int64), x[0], x[:, ::2], None):
        with pytest.raises((TypeError, ValueError), match="x"):
            kernel.pad_row(wrong, 0, [1], True, True)
    with pytest.raises(TypeError):
        kernel.pad_row(x, 0, (1,), True, True)
