"""Shapes, pointers and the GIL for lstm.c; the mathematics is in src_c/lstm.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, take_scratch
from fastkeras._kernels.gemm cimport fk_gemm_pack, fk_gemm_packed_size
from fastkeras._kernels.prefix cimport States, check_input_rows, fk_states

cnp.import_array()

cdef extern from "lstm.h" nogil:
    void fk_lstm_forward(float *h, float *c, float *gates, float *z, const float *P, const float *R_packed,
                         const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                         Py_ssize_t U) noexcept
    void fk_lstm_backward(float *dh, float *dc, float *gates, const float *z, const float *c, const float *Rt_packed,
                          const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                          Py_ssize_t U) noexcept
    Py_ssize_t fk_lstm_scratch(Py_ssize_t B, Py_ssize_t U) noexcept


def forward(ndarray h not None, ndarray c not None, ndarray gates, ndarray z, ndarray P not None,
            ndarray R not None, ndarray m, Activation activation not None, Activation recurrent_activation not None,
            States states not None):
    """h_s = o act(c_s), c_s = f c[parent_s] + i a; h, c (first + count, U) with rows 0 .. first set by the caller.

    gates: or None, and then z too, if there will be no backward pass."""
    cdef fk_states tree = states.c
    cdef Py_ssize_t U = cnp.PyArray_DIM(R, 0), packed = fk_gemm_packed_size(4 * U, U), rows = 1 + tree.roots + tree.S
    cdef const float *R_ = f32(R, "R", 2, U, 4 * U)
    cdef const float *P_ = f32(P, "P", 2, -1, 4 * U)
    check_input_rows("P", P, tree)
    cdef float *h_ = f32_out(h, "h", 2, rows, U)
    cdef float *c_ = f32_out(c, "c", 2, rows, U)
    cdef float *gates_
    cdef float *z_
    cdef const float *m_
    f32_out_or_null(&gates_, gates, "gates", 2, tree.S, 4 * U)
    f32_out_or_null(&z_, z, "z", 2, tree.S, 4 * U)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    cdef fk_activation act = activation.c, g = recurrent_activation.c
    cdef float *scratch = take_scratch(packed + fk_lstm_scratch(tree.B, U))
    with nogil:
        fk_gemm_pack(scratch, R_, 4 * U, 0, 4 * U, U)
        fk_lstm_forward(h_, c_, gates_, z_, P_, scratch, m_, act, g, tree, scratch + packed, U)
    give_scratch(scratch)


def backward(ndarray dh not None, ndarray dc not None, ndarray gates not None, ndarray z, ndarray c not None,
             ndarray R not None, ndarray m, Activation activation not None, Activation recurrent_activation not None,
             States states not None):
    """gates: [i f a o] before, dz afterwards; dh[parent_s] += dz_s R^T, dc[parent_s] += f dc_s"""
    cdef fk_states tree = states.c
    cdef Py_ssize_t U = cnp.PyArray_DIM(R, 0), packed = fk_gemm_packed_size(U, 4 * U), rows = 1 + tree.roots + tree.S
    cdef const float *R_ = f32(R, "R", 2, U, 4 * U)
    cdef const float *c_ = f32(c, "c", 2, rows, U)
    cdef float *dh_ = f32_out(dh, "dh", 2, rows, U)
    cdef float *dc_ = f32_out(dc, "dc", 2, rows, U)
    cdef float *gates_ = f32_out(gates, "gates", 2, tree.S, 4 * U)
    cdef const float *z_
    cdef const float *m_
    f32_or_null(&z_, z, "z", 2, tree.S, 4 * U)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    cdef fk_activation act = activation.c, g = recurrent_activation.c
    cdef float *scratch = take_scratch(packed + fk_lstm_scratch(tree.B, U))
    with nogil:
        fk_gemm_pack(scratch, R_, 4 * U, 1, U, 4 * U)
        fk_lstm_backward(dh_, dc_, gates_, z_, c_, scratch, m_, act, g, tree, scratch + packed, U)
    give_scratch(scratch)
