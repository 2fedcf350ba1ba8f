"""Shapes, pointers and the GIL for simple_rnn.c; the mathematics is in src_c/simple_rnn.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, take_scratch
from fastkeras._kernels.gemm cimport fk_gemm_pack, fk_gemm_packed_size
from fastkeras._kernels.prefix cimport States, check_input_rows, fk_states

cnp.import_array()

cdef extern from "simple_rnn.h" nogil:
    void fk_simple_rnn_forward(float *h, float *z, const float *P, const float *R_packed, const float *m,
                               fk_activation f, fk_states tree, float *scratch, Py_ssize_t U) noexcept
    void fk_simple_rnn_backward(float *dh, float *dz, const float *h, const float *z, const float *Rt_packed,
                                const float *m, fk_activation f, fk_states tree, float *scratch,
                                Py_ssize_t U) noexcept
    Py_ssize_t fk_simple_rnn_scratch(Py_ssize_t B, Py_ssize_t U) noexcept


def forward(ndarray h not None, ndarray z, ndarray P not None, ndarray R not None, ndarray m,
            Activation activation not None, States states not None):
    """h_s = f(P[row_s] + h[parent_s] R); h (first + count, U) with rows 0 .. first set by the caller."""
    cdef fk_states tree = states.c
    cdef const float *R_ = f32(R, "R", 2)
    cdef Py_ssize_t U = cnp.PyArray_DIM(R, 0), packed = fk_gemm_packed_size(U, U)
    cdef float *h_ = f32_out(h, "h", 2, 1 + tree.roots + tree.S, U)
    cdef const float *P_ = f32(P, "P", 2, -1, U)
    check_input_rows("P", P, tree)
    cdef float *z_
    cdef const float *m_
    f32_out_or_null(&z_, z, "z", 2, tree.S, U)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    cdef fk_activation f = activation.c
    cdef float *scratch = take_scratch(packed + fk_simple_rnn_scratch(tree.B, U))
    with nogil:
        fk_gemm_pack(scratch, R_, U, 0, U, U)
        fk_simple_rnn_forward(h_, z_, P_, scratch, m_, f, tree, scratch + packed, U)
    give_scratch(scratch)


def backward(ndarray dh not None, ndarray dz not None, ndarray h not None, ndarray z, ndarray R not None, ndarray m,
             Activation activation not None, States states not None):
    """dz_s = f'(z_s) dh_s and dh[parent_s] += dz_s R^T, from the last wave to the first."""
    cdef fk_states tree = states.c
    cdef const float *R_ = f32(R, "R", 2)
    cdef Py_ssize_t U = cnp.PyArray_DIM(R, 0), packed = fk_gemm_packed_size(U, U)
    cdef const float *h_ = f32(h, "h", 2, 1 + tree.roots + tree.S, U)
    cdef float *dh_ = f32_out(dh, "dh", 2, 1 + tree.roots + tree.S, U)
    cdef float *dz_ = f32_out(dz, "dz", 2, tree.S, U)
    cdef const float *z_
    cdef const float *m_
    f32_or_null(&z_, z, "z", 2, tree.S, U)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    cdef fk_activation f = activation.c
    cdef float *scratch = take_scratch(packed + fk_simple_rnn_scratch(tree.B, U))
    with nogil:
        fk_gemm_pack(scratch, R_, U, 1, U, U)
        fk_simple_rnn_backward(dh_, dz_, h_, z_, scratch, m_, f, tree, scratch + packed, U)
    give_scratch(scratch)

