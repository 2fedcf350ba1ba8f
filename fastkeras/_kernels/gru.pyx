"""Shapes, pointers and the GIL for gru.c; the mathematics is in src_c/gru.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, take_scratch
from fastkeras._kernels.gemm cimport fk_gemm_pack, fk_gemm_packed_size
from fastkeras._kernels.prefix cimport States, check_input_rows, fk_states

cnp.import_array()

cdef extern from "gru.h" nogil:
    void fk_gru_forward(float *h, float *gates, float *x, const float *P, const float *R_packed, const float *b_a,
                        const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                        Py_ssize_t U) noexcept
    void fk_gru_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_packed,
                         const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                         Py_ssize_t U) noexcept
    void fk_gru_before_forward(float *h, float *gates, float *inner, float *x, const float *P,
                               const float *R_zr_packed, const float *R_a_packed, const float *m, fk_activation act,
                               fk_activation g, fk_states tree, float *scratch, Py_ssize_t U) noexcept
    void fk_gru_before_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_zr_packed,
                                const float *Rt_a_packed, const float *m, fk_activation act, fk_activation g,
                                fk_states tree, float *scratch, Py_ssize_t U) noexcept
    Py_ssize_t fk_gru_scratch(Py_ssize_t B, Py_ssize_t U) noexcept


def forward(ndarray h not None, ndarray gates, ndarray inner, ndarray x, ndarray P not None, ndarray R not None,
            ndarray b_a, ndarray m, Activation activation not None,
            Activation recurrent_activation not None, States states not None, bint reset_after):
    """h_s = z h[parent_s] + (1 - z) a; h (first + count, U) with rows 0 .. first set by the caller

    gates = [z r q a] and no inner if the reset gate acts after the product, and both and x None if there will be no
    backward pass; else gates = [z r a], inner = r h[parent], and no b_a.
    """
    cdef fk_states tree = states.c
    cdef Py_ssize_t U = cnp.PyArray_DIM(R, 0), packed_zr = fk_gemm_packed_size(2 * U, U)
    cdef Py_ssize_t packed = fk_gemm_packed_size(3 * U, U) if reset_after else packed_zr + fk_gemm_packed_size(U, U)
    cdef const float *R_ = f32(R, "R", 2, U, 3 * U)
    cdef const float *P_ = f32(P, "P", 2, -1, 3 * U)
    check_input_rows("P", P, tree)
    cdef float *h_ = f32_out(h, "h", 2, 1 + tree.roots + tree.S, U)
    cdef float *gates_
    cdef float *inner_
    cdef float *x_
    cdef const float *b_
    cdef const float *m_
    f32_out_or_null(&gates_, gates, "gates", 2, tree.S, (4 if reset_after else 3) * U)
    f32_out_or_null(&inner_, inner, "inner", 2, tree.S, U)
    f32_out_or_null(&x_, x, "x", 2, tree.S, 3 * U)
    f32_or_null(&b_, b_a, "b_a", 1, U)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    if reset_after and (inner is not None or (gates is None and x is not None)):
        raise TypeError("If the reset gate acts after the product, `inner` must be None, and without `gates` `x` too.")
    if not reset_after and (gates is None or inner is None):
        raise TypeError("If the reset gate acts before the product, `gates` and `inner` must be arrays.")
    cdef fk_activation act = activation.c, g = recurrent_activation.c
    cdef float *scratch = take_scratch(packed + fk_gru_scratch(tree.B, U))
    with nogil:
        if reset_after:
            fk_gemm_pack(scratch, R_, 3 * U, 0, 3 * U, U)
            fk_gru_forward(h_, gates_, x_, P_, scratch, b_, m_, act, g, tree, scratch + packed, U)
        else:
            fk_gemm_pack(scratch, R_, 3 * U, 0, 2 * U, U)
            fk_gemm_pack(scratch + packed_zr, R_ + 2 * U, 3 * U, 0, U, U)
            fk_gru_before_forward(h_, gates_, inner_, x_, P_, scratch, scratch + packed_zr, m_, act, g, tree,
                                  scratch + packed, U)
    give_scratch(scratch)


def backward(ndarray dh not None, ndarray gates not None, ndarray x, ndarray h not None, ndarray R not None, ndarray m,
             Activation activation not None, Activation recurrent_activation not None, States states not None,
             bint reset_after):
    """gates: what forward gave before; afterwards, with reset_after, dQ and the last part of dP, else dP;
    dh[parent_s] += z dh_s + dQ_s R^T"""
    cdef fk_states tree = states.c
    cdef Py_ssize_t U = cnp.PyArray_DIM(R, 0), packed_zr = fk_gemm_packed_size(U, 2 * U)
    cdef Py_ssize_t packed = fk_gemm_packed_size(U, 3 * U) if reset_after else packed_zr + fk_gemm_packed_size(U, U)
    cdef const float *R_ = f32(R, "R", 2, U, 3 * U)
    cdef const float *h_ = f32(h, "h", 2, 1 + tree.roots + tree.S, U)
    cdef float *dh_ = f32_out(dh, "dh", 2, 1 + tree.roots + tree.S, U)
    cdef float *gates_ = f32_out(gates, "gates", 2, tree.S, (4 if reset_after else 3) * U)
    cdef const float *x_
    cdef const float *m_
    f32_or_null(&x_, x, "x", 2, tree.S, 3 * U)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    cdef fk_activation act = activation.c, g = recurrent_activation.c
    cdef float *scratch = take_scratch(packed + fk_gru_scratch(tree.B, U))
    with nogil:
        if reset_after:
            fk_gemm_pack(scratch, R_, 3 * U, 1, U, 3 * U)
            fk_gru_backward(dh_, gates_, x_, h_, scratch, m_, act, g, tree, scratch + packed, U)
        else:
            fk_gemm_pack(scratch, R_, 3 * U, 1, U, 2 * U)
            fk_gemm_pack(scratch + packed_zr, R_ + 2 * U, 3 * U, 1, U, U)
            fk_gru_before_backward(dh_, gates_, x_, h_, scratch, scratch + packed_zr, m_, act, g, tree,
                                   scratch + packed, U)
    give_scratch(scratch)
