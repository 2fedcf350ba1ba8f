"""Shapes, pointers and the GIL for prefix.c; what the arrays mean is told in src_c/prefix.h."""

cimport numpy as cnp
from libc.stdint cimport INT32_MAX, uint8_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport give_scratch, i32, i32_out, take_scratch, u8_or_null

import numpy as np

cnp.import_array()

cdef extern from "prefix.h" nogil:
    Py_ssize_t fk_prefix_blocks(Py_ssize_t B) noexcept
    Py_ssize_t fk_prefix_scratch(Py_ssize_t B, Py_ssize_t T) noexcept
    Py_ssize_t fk_prefix_tree(int *row, int *parent, int *owner, int *waves, int *state,
                              int *last, const int *index, const uint8_t *mask, int share, float *scratch,
                              Py_ssize_t B, Py_ssize_t T, Py_ssize_t roots) noexcept
    Py_ssize_t fk_prefix_rows(const int *row, Py_ssize_t S) noexcept


cdef int check_input_rows(str name, ndarray array, fk_states tree) except -1:
    """Raises an IndexError if an array has fewer rows than the states read."""
    if cnp.PyArray_DIM(array, 0) < tree.rows:
        raise IndexError(f"`{name}` must have {tree.rows} rows at least. Received: {cnp.PyArray_DIM(array, 0)}")
    return 0


cdef class States:
    """The distinct states of a batch: `count` of them in rows `first` .. `first + count` of a layer's state array.

    state (B, T) and last (B) hold, for each step of each batch row and after all of them, the row of that array.
    Rows 1 .. B hold the initial states if the batch rows do not all start from zero (`own_roots`)."""

    def __init__(self, ndarray index not None, ndarray mask=None, bint own_roots=False, bint share=True):
        cdef const int *index_ = i32(index, "index", 2)
        cdef Py_ssize_t B = cnp.PyArray_DIM(index, 0), T = cnp.PyArray_DIM(index, 1)
        cdef const uint8_t *mask_
        u8_or_null(&mask_, mask, "mask", 2, B, T)
        if B * (T + 1) >= INT32_MAX:
            raise ValueError(f"a batch must have fewer than 2^31 steps in all. Received: {B} rows of {T}")
        self._row, self._parent, self._owner = (np.empty(B * T, np.int32) for _ in range(3))
        self._waves = np.empty(T * fk_prefix_blocks(B) + 1, np.int32)
        self.state, self.last = np.empty((B, T), np.int32), np.empty(B, np.int32)
        self.c.B, self.c.T, self.c.roots = B, T, B if own_roots else 0
        cdef int *row = i32_out(self._row, "row", 1)
        cdef int *parent = i32_out(self._parent, "parent", 1)
        cdef int *owner = i32_out(self._owner, "owner", 1)
        cdef int *waves = i32_out(self._waves, "waves", 1)
        cdef int *state = i32_out(self.state, "state", 2)
        cdef int *last = i32_out(self.last, "last", 1)
        cdef float *scratch = take_scratch(fk_prefix_scratch(B, T))
        with nogil:
            self.c.S = fk_prefix_tree(row, parent, owner, waves, state, last, index_, mask_, share, scratch, B, T,
                                      self.c.roots)
            self.c.rows = fk_prefix_rows(row, self.c.S)
        give_scratch(scratch)
        if self.c.rows < 0:
            raise IndexError(f"`index` must lie in [0, rows). Received: {index.min()}")
        self.c.row, self.c.parent, self.c.owner, self.c.waves = row, parent, owner, waves

    @property
    def count(self):
        return self.c.S

    @property
    def first(self):
        return 1 + self.c.roots

    @property
    def row(self):
        """(S): the input row read to reach each state."""
        return self._row[:self.c.S]

    @property
    def parent(self):
        """(S): the state each state came from, as a row of the state array."""
        return self._parent[:self.c.S]

    @property
    def owner(self):
        """(S): a batch row that passes through each state."""
        return self._owner[:self.c.S]

    @property
    def waves(self):
        """(T, blocks): how many states the block at each place has in each wave."""
        return np.diff(self._waves).reshape(self.c.T, fk_prefix_blocks(self.c.B))
