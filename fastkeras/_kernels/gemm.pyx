"""Shapes, pointers and the GIL for gemm.c; the mathematics is in src_c/gemm.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, give_scratch, i32, i64, take_scratch

cnp.import_array()

cdef extern from "gemm.h" nogil:
    ctypedef enum fk_gemm_form:
        FK_GEMM_NN, FK_GEMM_NT, FK_GEMM_TN, FK_GEMM_TT
    void fk_gemm(float *C, const float *A, const float *B, const float *bias, fk_activation f, fk_gemm_form form,
                 float *scratch, Py_ssize_t M, Py_ssize_t N, Py_ssize_t K) noexcept
    void fk_gemm_add(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch, Py_ssize_t M,
                     Py_ssize_t N, Py_ssize_t K) noexcept
    Py_ssize_t fk_gemm_scratch(fk_gemm_form form, Py_ssize_t M, Py_ssize_t N, Py_ssize_t K) noexcept
    ctypedef struct fk_gemm_rows:
        const float *data
        const int *index
        Py_ssize_t row
    ctypedef struct fk_gemm_ahead:
        const float *row
        Py_ssize_t rows, columns, to_next, asked
    void fk_gemm_packed(float *C, Py_ssize_t C_row, fk_gemm_rows A, fk_gemm_rows start, const float *packed,
                        fk_gemm_ahead *ahead, Py_ssize_t M, Py_ssize_t N, Py_ssize_t K) noexcept
    enum:
        FK_GEMM_DEPTH
    void fk_gemm_packed_taps(float *C, Py_ssize_t C_row, fk_gemm_rows A, Py_ssize_t A_step, const Py_ssize_t *tap,
                             Py_ssize_t taps, Py_ssize_t depth, fk_gemm_rows start, const float *packed,
                             fk_gemm_ahead *ahead, Py_ssize_t M, Py_ssize_t N) noexcept
    void fk_gemm_naive(float *C, const float *A, const float *B, const float *bias, fk_gemm_form form, Py_ssize_t M,
                       Py_ssize_t N, Py_ssize_t K) noexcept

cdef fk_activation LINEAR = fk_activation(kind=0, a=0, b=0, c=0)


cdef fk_activation elementwise(Activation activation) except *:
    if activation is None:
        return LINEAR
    if activation.rowwise:
        raise ValueError(f"`activation` must be elementwise. Received: {activation.name!r}")
    return activation.c


def gemm(ndarray C not None, ndarray A not None, ndarray B not None, bint trans_a=False, bint trans_b=False,
         bint accumulate=False, ndarray bias=None, Activation activation=None):
    """C = f(op(A) op(B) + bias), or C += op(A) op(B) if `accumulate`; C (M, N), op(A) (M, K), op(B) (K, N), bias (N)"""
    if accumulate and (bias is not None or activation is not None):
        raise ValueError("`accumulate` takes neither `bias` nor `activation`.")
    cdef float *c = f32_out(C, "C", 2)
    f32(A, "A", 2)
    cdef Py_ssize_t M = C.shape[0], N = C.shape[1], K = A.shape[0 if trans_a else 1]
    cdef const float *a = f32(A, "A", 2, K if trans_a else M, M if trans_a else K)
    cdef const float *b = f32(B, "B", 2, N if trans_b else K, K if trans_b else N)
    cdef const float *bias_or_null
    f32_or_null(&bias_or_null, bias, "bias", 1, N)
    cdef fk_activation f = elementwise(activation)
    cdef fk_gemm_form form = <fk_gemm_form>(2 * trans_a + trans_b)
    cdef float *scratch = take_scratch(fk_gemm_scratch(form, M, N, K))
    with nogil:
        if accumulate:
            fk_gemm_add(c, a, b, form, scratch, M, N, K)
        else:
            fk_gemm(c, a, b, bias_or_null, f, form, scratch, M, N, K)
    give_scratch(scratch)


def product(ndarray A not None, ndarray B not None):
    """A B as a new array; A (M, K), B (K, N), whose elements may lie in any order: transposes are read as they are"""
    if A.ndim != 2 or B.ndim != 2:
        raise ValueError(f"`A` and `B` must be matrices. Received: {A.ndim} and {B.ndim} axes")
    cdef bint trans_a = is_transposed(A), trans_b = is_transposed(B)
    cdef cnp.npy_intp[2] shape = [A.shape[0], B.shape[1]]
    C = cnp.PyArray_EMPTY(2, shape, cnp.NPY_FLOAT, 0)
    gemm(C, in_order(A, trans_a), in_order(B, trans_b), trans_a, trans_b)
    return C


cdef bint is_transposed(ndarray A):
    return cnp.PyArray_IS_F_CONTIGUOUS(A) and not cnp.PyArray_IS_C_CONTIGUOUS(A)


cdef object in_order(ndarray A, bint transposed):
    return cnp.PyArray_Transpose(A, NULL) if transposed else cnp.PyArray_GETCONTIGUOUS(A)


def packed_size(Py_ssize_t N, Py_ssize_t K):
    """floats of op(B) (K, N), packed"""
    return fk_gemm_packed_size(N, K)


def pack(ndarray packed not None, ndarray B not None, bint transposed=False, Py_ssize_t columns=-1):
    """packed = op(B)   B (K, N), or (N, K) if `transposed`; only the first `columns` columns of B if that is given"""
    cdef const float *b = f32(B, "B", 2)
    cdef Py_ssize_t rows = B.shape[0], width = checked_columns(columns, B.shape[1])
    cdef Py_ssize_t N = rows if transposed else width, K = width if transposed else rows
    cdef float *out = f32_out(packed, "packed", 1, fk_gemm_packed_size(N, K))
    with nogil:
        fk_gemm_pack(out, b, B.shape[1], transposed, N, K)


def packed_gemm(ndarray C not None, ndarray A not None, ndarray packed not None, ndarray a_rows=None,
                ndarray start=None, ndarray start_rows=None, Py_ssize_t columns=-1, ndarray ahead=None):
    """C_m = start_r(m) + A_q(m) op(B)   q = a_rows (M), r = start_rows (M)   row m where they are None

    C and start may be wider than op(B): then its N = `columns` are their first ones. ahead: a matrix that the product
    asks the caches for. Returns how many of its rows it did not come to.
    """
    cdef float *c = f32_out(C, "C", 2)
    cdef const float *a = f32(A, "A", 2)
    cdef Py_ssize_t M = C.shape[0], width = C.shape[1], K = A.shape[1], N = checked_columns(columns, width)
    cdef const float *b = f32(packed, "packed", 1, fk_gemm_packed_size(N, K))
    cdef const float *start_or_null
    f32_or_null(&start_or_null, start, "start", 2, -1, width)
    cdef const int *q = i32(a_rows, "a_rows", 1, M) if a_rows is not None else NULL
    cdef const int *r = i32(start_rows, "start_rows", 1, M) if start_rows is not None else NULL
    cdef fk_gemm_ahead soon = fk_gemm_ahead(NULL, 0, 0, 0, 0)
    if ahead is not None:
        soon = fk_gemm_ahead(f32(ahead, "ahead", 2), ahead.shape[0], ahead.shape[1], ahead.shape[1], 0)
    with nogil:
        fk_gemm_packed(c, width, fk_gemm_rows(a, q, K), fk_gemm_rows(start_or_null, r, width), b, &soon, M, N, K)
    return soon.rows


def packed_taps(ndarray C not None, ndarray A not None, ndarray a_rows not None, Py_ssize_t step, ndarray taps not None,
                Py_ssize_t depth, ndarray packed not None, ndarray start=None):
    """C_m = start_m + sum_g sum_l A[a_rows_m + taps_g + l*step] B[g*depth + l]   A: any number of floats; taps: int64"""
    cdef float *c = f32_out(C, "C", 2)
    cdef const float *a = f32(A, "A", 1)
    cdef Py_ssize_t M = C.shape[0], N = C.shape[1], G = taps.shape[0], K = G * depth
    cdef const int *rows = i32(a_rows, "a_rows", 1, M)
    cdef const Py_ssize_t *tap = <const Py_ssize_t *>i64(taps, "taps", 1)
    cdef const float *b = f32(packed, "packed", 1, fk_gemm_packed_size(N, K))
    cdef const float *start_or_null
    f32_or_null(&start_or_null, start, "start", 2, M, N)
    if not 0 < K <= FK_GEMM_DEPTH or depth < 1 or step < 0:
        raise ValueError(f"there must be 1 to {FK_GEMM_DEPTH} products. Received: {G} taps of {depth}, {step} apart")
    if M and (a_rows.min() + taps.min() < 0 or a_rows.max() + taps.max() + (depth - 1) * step >= A.shape[0]):
        raise ValueError(f"`a_rows` and `taps` must stay in the {A.shape[0]} floats of `A`.")
    with nogil:
        fk_gemm_packed_taps(c, N, fk_gemm_rows(a, rows, 1), step, tap, G, depth, fk_gemm_rows(start_or_null, NULL, N), b,
                            NULL, M, N)


cdef Py_ssize_t checked_columns(Py_ssize_t columns, Py_ssize_t width) except -1:
    if columns > width:
        raise ValueError(f"`columns` must be at most {width}. Received: {columns}")
    return width if columns < 0 else columns


def naive(ndarray C not None, ndarray A not None, ndarray B not None, bint trans_a, bint trans_b, ndarray bias=None):
    """C = op(A) op(B) + bias, as the formula stands"""
    cdef Py_ssize_t M = C.shape[0], N = C.shape[1], K = A.shape[0 if trans_a else 1]
    cdef float *c = f32_out(C, "C", 2)
    cdef const float *a = f32(A, "A", 2, K if trans_a else M, M if trans_a else K)
    cdef const float *b = f32(B, "B", 2, N if trans_b else K, K if trans_b else N)
    cdef const float *bias_or_null
    f32_or_null(&bias_or_null, bias, "bias", 1, N)
    cdef fk_gemm_form form = <fk_gemm_form>(2 * trans_a + trans_b)
    with nogil:
        fk_gemm_naive(c, a, b, bias_or_null, form, M, N, K)
