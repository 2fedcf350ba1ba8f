"""Shapes, pointers and the GIL for recurrent.c; the mathematics is in src_c/recurrent.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, f32_out
from fastkeras._kernels.prefix cimport States, fk_states

cnp.import_array()

cdef extern from "recurrent.h" nogil:
    void fk_recurrent_inputs(float *hp, const float *h, const float *m, fk_states tree, Py_ssize_t U) noexcept


def inputs(ndarray hp not None, ndarray h not None, ndarray m, States states not None):
    """hp_s = h[parent_s] (* m[owner_s]): the rows that the recurrent kernel multiplied."""
    cdef fk_states tree = states.c
    cdef const float *h_ = f32(h, "h", 2, 1 + tree.roots + tree.S)
    cdef Py_ssize_t U = cnp.PyArray_DIM(h, 1)
    cdef float *hp_ = f32_out(hp, "hp", 2, tree.S, U)
    cdef const float *m_
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    with nogil:
        fk_recurrent_inputs(hp_, h_, m_, tree, U)
