"""The tree of a batch's distinct states, shared by all recurrent wrappers."""

from numpy cimport ndarray


cdef extern from "prefix.h" nogil:
    ctypedef struct fk_states:
        const int *row
        const int *parent
        const int *owner
        const int *waves
        Py_ssize_t B, T, S, roots, rows


cdef class States:
    cdef fk_states c
    cdef ndarray _row, _parent, _owner, _waves
    cdef readonly ndarray state
    cdef readonly ndarray last


cdef int check_input_rows(str name, ndarray array, fk_states tree) except -1
