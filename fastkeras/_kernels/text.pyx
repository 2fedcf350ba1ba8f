"""Words of texts counted and encoded, and lists of ids padded: what is Python's around src_c/text.h."""

import os

cimport numpy as cnp
from cpython.list cimport PyList_GET_ITEM, PyList_New, PyList_SET_ITEM
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_KIND
from libc.stdint cimport INT32_MAX, INT32_MIN, UINT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport i32_out

cnp.import_array()

cdef extern from "Python.h":
    str PyUnicode_FromKindAndData(int kind, const void *letters, Py_ssize_t n)
    long PyLong_AsLongAndOverflow(object number, int *overflow) except? -1

cdef extern from "text.h" nogil:
    ctypedef struct fk_separators:
        uint8_t narrow[256]
        const uint32_t *wide
        Py_ssize_t n_wide
    ctypedef struct fk_slot:
        pass
    ctypedef struct fk_vocabulary:
        uint64_t key
        fk_slot *slots
        uint32_t *records
        Py_ssize_t n_slots, n_words, max_words, n_records, max_records, wanted
    int FK_RECORD_SHAPE, FK_RECORD_LETTERS, FK_WORD_LIMIT
    Py_ssize_t fk_record_size(Py_ssize_t length, int width) noexcept
    ctypedef struct fk_tally:
        int64_t count, documents, last
    Py_ssize_t fk_text_words(int32_t *ids, fk_vocabulary *vocabulary, Py_ssize_t *position, const void *text,
                             int width, const fk_separators *separators, Py_ssize_t length,
                             Py_ssize_t max_ids) noexcept
    Py_ssize_t fk_text_token(fk_vocabulary *vocabulary, const void *text, int width,
                             Py_ssize_t length) noexcept
    void fk_vocabulary_rehash(fk_slot *slots, const fk_slot *old, Py_ssize_t n_slots,
                              Py_ssize_t n_old) noexcept
    void fk_text_count(fk_tally *tallies, const int32_t *ids, int64_t document, Py_ssize_t n) noexcept

# What `id_of` gives in WordEncoder.encode for a word that is left out.
SKIP = object()

# The secret of the hash: odd and below 2^30. It is not taken from `random`, whose state is the user's.
cdef uint64_t KEY = int.from_bytes(os.urandom(4), "little") >> 2 | 1


cdef void *resized(void *block, size_t size) except NULL:
    cdef void *moved = PyMem_Realloc(block, size)
    if moved == NULL:
        raise MemoryError
    return moved


cdef class Words:
    """Splits texts into words and numbers the words in the order in which they are first seen.

    `separators` is a str of the characters that words are split at; with None each character is a word.
    """
    cdef fk_vocabulary vocabulary
    cdef Py_ssize_t next_record    # of the first word that _next_word has not given yet
    cdef fk_separators separators
    cdef uint32_t *wide
    cdef bint by_letter
    cdef int32_t *ids              # the numbers of the latest text's words
    cdef Py_ssize_t max_ids

    def __cinit__(self, str separators):
        self.by_letter = separators is None
        if separators is not None:
            self._set_separators(separators)
        self.vocabulary.key = KEY
        self.vocabulary.n_records = self.next_record = 1
        self._make_room_for_ids(64)
        self._set_slots(128)
        self._make_room_for_records(512)

    def __dealloc__(self):
        PyMem_Free(self.vocabulary.slots)
        PyMem_Free(self.vocabulary.records)
        PyMem_Free(self.wide)
        PyMem_Free(self.ids)

    cdef int _set_separators(self, str separators) except -1:
        cdef Py_UCS4 letter
        cdef Py_ssize_t n_wide = 0, k
        for letter in separators:
            if letter < 256:
                self.separators.narrow[letter] = 1
            else:
                n_wide += 1
        if n_wide > 0:
            letters = sorted(separators)
            self.wide = <uint32_t *>resized(NULL, n_wide * sizeof(uint32_t))
            for k in range(n_wide):
                self.wide[k] = <Py_UCS4>letters[len(letters) - n_wide + k]
            self.separators.wide, self.separators.n_wide = self.wide, n_wide
        return 0

    # --- memory ---------------------------------------------------------------------------------------------

    cdef int _make_room_for_ids(self, Py_ssize_t n) except -1:
        self.ids = <int32_t *>resized(self.ids, n * sizeof(int32_t))
        self.max_ids = n
        return 0

    cdef int _make_room_for_records(self, Py_ssize_t n) except -1:
        if n > UINT32_MAX:
            raise MemoryError("the distinct words take more than 16 gigabytes")
        self.vocabulary.records = <uint32_t *>resized(self.vocabulary.records, n * sizeof(uint32_t))
        self.vocabulary.max_records = n
        return 0

    cdef int _set_slots(self, Py_ssize_t n) except -1:
        """n slots, a power of two, and room for as many words as fill three quarters of them."""
        cdef fk_vocabulary *v = &self.vocabulary
        cdef fk_slot *slots = <fk_slot *>PyMem_Calloc(n, sizeof(fk_slot))
        if slots == NULL:
            raise MemoryError
        fk_vocabulary_rehash(slots, v.slots, n, v.n_slots)
        PyMem_Free(v.slots)
        v.slots, v.n_slots, v.max_words = slots, n, n // 4 * 3
        return 0

    cdef int _make_room(self) except -1:
        """Room for one more word at least, of v.wanted letters."""
        cdef fk_vocabulary *v = &self.vocabulary
        cdef Py_ssize_t size = fk_record_size(v.wanted, 4)
        if v.wanted >= FK_WORD_LIMIT:
            raise MemoryError(f"a word has {v.wanted} letters; it must have fewer than {FK_WORD_LIMIT}")
        if v.n_words == v.max_words:
            self._set_slots(2 * v.n_slots)
        if v.max_records - v.n_records < size:
            self._make_room_for_records(v.max_records + v.max_records // 4 + size)
        return 0

    # --- words ----------------------------------------------------------------------------------------------

    cdef Py_ssize_t _number(self, tokens) except -2:
        """Numbers the words of a str, or the tokens of a list of str; returns -1 if it is something else.

        self.ids holds the numbers, and how many they are is returned.
        """
        if type(tokens) is str:
            return self._number_text(<str>tokens)
        if type(tokens) is list:
            return self._number_tokens(<list>tokens)
        return -1

    cdef Py_ssize_t _number_text(self, str text) except -2:
        cdef const fk_separators *separators = NULL if self.by_letter else &self.separators
        cdef const void *letters = PyUnicode_DATA(text)
        cdef int width = PyUnicode_KIND(text)
        cdef Py_ssize_t n = 0, position = 0, length = len(text)
        while True:
            with nogil:
                n += fk_text_words(self.ids + n, &self.vocabulary, &position, letters, width, separators,
                                   length, self.max_ids - n)
            if position == length:
                return n
            if n == self.max_ids:
                self._make_room_for_ids(2 * n)
            else:
                self._make_room()

    cdef Py_ssize_t _number_tokens(self, list tokens) except -2:
        cdef Py_ssize_t n = len(tokens), k, number
        if n > self.max_ids:
            self._make_room_for_ids(n)
        for k in range(n):
            token = <object>PyList_GET_ITEM(tokens, k)
            if type(token) is not str:
                return -1
            number = self._number_token(<str>token)
            while number < 0:
                self._make_room()
                number = self._number_token(<str>token)
            self.ids[k] = <int32_t>number
        return n

    cdef Py_ssize_t _number_token(self, str token) noexcept:
        return fk_text_token(&self.vocabulary, PyUnicode_DATA(token), PyUnicode_KIND(token), len(token))

    cdef str _next_word(self):
        """The words one after another, in the order of their numbers."""
        cdef const uint32_t *record = self.vocabulary.records + self.next_record
        cdef int width = record[FK_RECORD_SHAPE] % 8
        cdef Py_ssize_t length = record[FK_RECORD_SHAPE] // 8
        self.next_record += fk_record_size(length, width)
        return PyUnicode_FromKindAndData(width, record + FK_RECORD_LETTERS, length)


cdef class WordCounter(Words):
    """Counts words, and the documents that they occur in."""
    cdef list words
    cdef fk_tally *tallies
    cdef Py_ssize_t max_tallies
    cdef int64_t document

    def __init__(self, separators):
        self.words = []

    def __dealloc__(self):
        PyMem_Free(self.tallies)

    def add(self, tokens, word_counts not None):
        """Counts the words of a document, a str to split or a list of str; returns False if it is neither.

        Words that `word_counts` lacks enter it at once, with a count of 0.
        """
        cdef Py_ssize_t n = self._number(tokens), n_words = self.vocabulary.n_words, known = len(self.words)
        if n < 0:
            return False
        if n_words > self.max_tallies:
            self.tallies = <fk_tally *>resized(self.tallies, self.vocabulary.max_words * sizeof(fk_tally))
            self.max_tallies = self.vocabulary.max_words
        for number in range(known, n_words):
            word = self._next_word()
            self.words.append(word)
            self.tallies[number] = fk_tally(0, 0, 0)
            word_counts.setdefault(word, 0)
        self.document += 1
        with nogil:
            fk_text_count(self.tallies, self.ids, self.document, n)
        return True

    def add_to(self, word_counts not None, word_docs not None):
        """Adds what was counted to the two dicts."""
        for number, word in enumerate(self.words):
            word_counts[word] += self.tallies[number].count
            word_docs[word] = word_docs.get(word, 0) + self.tallies[number].documents


cdef class WordEncoder(Words):
    """Replaces words by ids."""
    cdef list word_ids

    def __init__(self, separators):
        self.word_ids = []

    def encode(self, tokens, id_of not None):
        """A list of id_of(word) for the words of a str to split, or of a list of str; None if it is neither.

        Words for which id_of gives SKIP are left out. An encoder asks for each distinct word once. If that
        raises an error, the encoder is of no more use.
        """
        cdef Py_ssize_t n = self._number(tokens), kept = 0, k
        cdef PyObject *skip = <PyObject *>SKIP
        cdef PyObject *id
        if n < 0:
            return None
        for _ in range(len(self.word_ids), self.vocabulary.n_words):
            self.word_ids.append(id_of(self._next_word()))
        for k in range(n):
            kept += PyList_GET_ITEM(self.word_ids, self.ids[k]) != skip
        cdef list sequence = PyList_New(kept)
        kept = 0
        for k in range(n):
            id = PyList_GET_ITEM(self.word_ids, self.ids[k])
            if id != skip:
                Py_INCREF(<object>id)
                PyList_SET_ITEM(sequence, kept, <object>id)
                kept += 1
        return sequence


def pad_row(ndarray x not None, Py_ssize_t row, list ids not None, bint pad_front, bint cut_front):
    """x[row] = ids, as many as fit, at the end of the row (pad_front) or its beginning; the rest of it stays.

    x (N, T) int32. Of more than T ids the last T are taken (cut_front) or the first T. Returns False, with
    x[row] changed in part, if one of them is not an int or needs more than 32 bits.
    """
    cdef int *x_row = i32_out(x, "x", 2)
    cdef Py_ssize_t n = len(ids), length = x.shape[1], first = 0, k
    cdef int overflow
    cdef long number
    if not 0 <= row < x.shape[0]:
        raise IndexError(f"`row` must be in [0, {x.shape[0]}). Received: {row}")
    if n > length:
        first = n - length if cut_front else 0
        n = length
    x_row += row * length + (length - n if pad_front else 0)
    for k in range(n):
        id = <object>PyList_GET_ITEM(ids, first + k)
        if not PyLong_CheckExact(id):
            return False
        number = PyLong_AsLongAndOverflow(id, &overflow)
        if overflow or not INT32_MIN <= number <= INT32_MAX:
            return False
        x_row[k] = <int>number
    return True
