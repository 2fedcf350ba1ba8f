"""Shapes, pointers and the GIL for recurrent.c; the mathematics is in src_c/recurrent.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, f32_out_or_null, give_scratch, take_scratch
from fastkeras._kernels.prefix cimport States, check_input_rows, fk_states

cnp.import_array()

cdef extern from "recurrent.h" nogil:
    ctypedef struct fk_gemm_rows:
        const float *data
        const int *index
        Py_ssize_t row

    void fk_recurrent_gradients(float *dR, Py_ssize_t dR_row, float *db, float *dP, Py_ssize_t dP_row,
                                Py_ssize_t P_columns, Py_ssize_t P_gap, const float *dz, Py_ssize_t dz_row,
                                fk_gemm_rows hp, const float *m, fk_states tree, float *scratch, Py_ssize_t N,
                                Py_ssize_t U) noexcept
    Py_ssize_t fk_recurrent_gradients_scratch(Py_ssize_t N, Py_ssize_t U) noexcept


def gradients(ndarray dR, ndarray db, ndarray dP, ndarray dz not None, ndarray h not None, ndarray m,
              States states not None, Py_ssize_t at=0, Py_ssize_t columns=-1, Py_ssize_t P_columns=0,
              Py_ssize_t P_gap=0):
    """dR += sum_s hp_s^T dz_s, db += sum_s dz_s and dP[row_s] += dz_s, but for those of them that are None.

    h (first + count, U): the states, and hp_s = h[parent_s]; or (count, U): hp_s itself; times m[owner_s] unless None.
    Of dz (count, N), dR (U, N), db (N) and dP (rows, N) only `columns` count, from `at` on. dz is P_gap columns wider
    if dP, after its first P_columns, takes those that stand P_gap further on."""
    cdef fk_states tree = states.c
    cdef Py_ssize_t N = cnp.PyArray_DIM(dz, 1) - P_gap, U = cnp.PyArray_DIM(h, 1)
    cdef const float *dz_ = f32(dz, "dz", 2, tree.S, N + P_gap)
    cdef bint given = cnp.PyArray_DIM(h, 0) == tree.S
    cdef const float *h_ = f32(h, "h", 2, tree.S if given else 1 + tree.roots + tree.S)
    cdef float *dR_
    cdef float *db_
    cdef float *dP_
    cdef const float *m_
    f32_out_or_null(&dR_, dR, "dR", 2, U, N)
    f32_out_or_null(&db_, db, "db", 1, N)
    f32_out_or_null(&dP_, dP, "dP", 2, -1, N)
    f32_or_null(&m_, m, "m", 2, tree.B, U)
    columns = N - at if columns < 0 else columns
    if at < 0 or at + columns > N:
        raise ValueError(f"`columns` must lie in `dz`, of which {N} count. Received: {columns} at {at}")
    if not 0 <= P_columns <= columns or P_gap < 0:
        raise ValueError(f"`P_columns` must be among {columns} columns. Received: {P_columns}, then {P_gap} further on")
    cdef fk_gemm_rows hp
    hp.data, hp.index, hp.row = h_, tree.parent, U
    if given:
        hp.index = NULL
    if dR is not None:
        dR_ += at
    if db is not None:
        db_ += at
    if dP is not None:
        check_input_rows("dP", dP, tree)
        dP_ += at
    cdef float *scratch = take_scratch(fk_recurrent_gradients_scratch(columns, U))
    with nogil:
        fk_recurrent_gradients(dR_, N, db_, dP_, N, P_columns, P_gap, dz_ + at, N + P_gap, hp, m_, tree, scratch,
                               columns, U)
    give_scratch(scratch)
