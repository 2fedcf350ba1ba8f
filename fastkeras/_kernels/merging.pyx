"""Shapes, pointers and the GIL for merging.c; the mathematics is in src_c/merging.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, give_scratch, i32, i32_out, take_scratch

cnp.import_array()

cdef extern from "merging.h" nogil:
    ctypedef enum fk_gemm_form:
        FK_GEMM_NN, FK_GEMM_NT, FK_GEMM_TN, FK_GEMM_TT
    Py_ssize_t fk_gemm_scratch(fk_gemm_form form, Py_ssize_t M, Py_ssize_t N, Py_ssize_t K) noexcept
    void fk_merge_scale(float *y, const float *a, float u, Py_ssize_t n) noexcept
    void fk_merge_sum(float *y, const float *a, const float *b, float u, float v, Py_ssize_t n) noexcept
    void fk_merge_multiply(float *y, const float *a, const float *b, Py_ssize_t n) noexcept
    void fk_merge_extreme(float *y, int *winner, const float *x, float sign, int k, Py_ssize_t n) noexcept
    void fk_merge_extreme_backward(float *dx, const float *dy, const int *winner, int k, Py_ssize_t n) noexcept
    void fk_merge_products(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch,
                           Py_ssize_t batch, Py_ssize_t M, Py_ssize_t N, Py_ssize_t K) noexcept


cdef int same_shape(ndarray y, ndarray a, str name) except -1:
    if not cnp.PyArray_SAMESHAPE(y, a):
        raise ValueError(f"`{name}` must have shape {(<object>y).shape}. Received: {(<object>a).shape}")
    return 0


def scale(ndarray y not None, ndarray a not None, float u):
    """y = u a    y =, a of any one shape; y may be a"""
    cdef float *y_data = f32_out(y, "y", y.ndim)
    cdef const float *a_data = f32(a, "a", y.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(y)
    same_shape(y, a, "a")
    with nogil:
        fk_merge_scale(y_data, a_data, u, n)


def sum(ndarray y not None, ndarray a not None, ndarray b not None, float u, float v):
    """y = u a + v b    y =, a, b of any one shape; y may be a or b"""
    cdef float *y_data = f32_out(y, "y", y.ndim)
    cdef const float *a_data = f32(a, "a", y.ndim)
    cdef const float *b_data = f32(b, "b", y.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(y)
    same_shape(y, a, "a")
    same_shape(y, b, "b")
    with nogil:
        fk_merge_sum(y_data, a_data, b_data, u, v, n)


def multiply(ndarray y not None, ndarray a not None, ndarray b not None):
    """y = a b    y =, a, b of any one shape; y may be a or b"""
    cdef float *y_data = f32_out(y, "y", y.ndim)
    cdef const float *a_data = f32(a, "a", y.ndim)
    cdef const float *b_data = f32(b, "b", y.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(y)
    same_shape(y, a, "a")
    same_shape(y, b, "b")
    with nogil:
        fk_merge_multiply(y_data, a_data, b_data, n)


def extreme(ndarray y not None, ndarray winner not None, ndarray x not None, float sign, int k):
    """where sign x > sign y: y = x and winner = k    y, x of any one shape, winner int32 of it"""
    cdef float *y_data = f32_out(y, "y", y.ndim)
    cdef int *winner_data = i32_out(winner, "winner", y.ndim)
    cdef const float *x_data = f32(x, "x", y.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(y)
    same_shape(y, winner, "winner")
    same_shape(y, x, "x")
    with nogil:
        fk_merge_extreme(y_data, winner_data, x_data, sign, k, n)


def extreme_backward(ndarray dx not None, ndarray dy not None, ndarray winner not None, int k):
    """dx = dy where winner = k, 0 elsewhere    dx =, dy of any one shape, winner int32 of it"""
    cdef float *dx_data = f32_out(dx, "dx", dx.ndim)
    cdef const float *dy_data = f32(dy, "dy", dx.ndim)
    cdef const int *winner_data = i32(winner, "winner", dx.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(dx)
    same_shape(dx, dy, "dy")
    same_shape(dx, winner, "winner")
    with nogil:
        fk_merge_extreme_backward(dx_data, dy_data, winner_data, k, n)


def products(ndarray C not None, ndarray A not None, ndarray B not None, bint trans_a=False, bint trans_b=False):
    """C_b = op(A_b) op(B_b)    C (batch, M, N) =, op(A) (batch, M, K), op(B) (batch, K, N)"""
    cdef float *c = f32_out(C, "C", 3)
    f32(A, "A", 3)
    cdef Py_ssize_t batch = C.shape[0], M = C.shape[1], N = C.shape[2], K = A.shape[1 if trans_a else 2]
    cdef const float *a = f32(A, "A", 3, batch, K if trans_a else M, M if trans_a else K)
    cdef const float *b = f32(B, "B", 3, batch, N if trans_b else K, K if trans_b else N)
    cdef fk_gemm_form form = <fk_gemm_form>(2 * trans_a + trans_b)
    cdef float *scratch = take_scratch(fk_gemm_scratch(form, M, N, K))
    with nogil:
        fk_merge_products(c, a, b, form, scratch, batch, M, N, K)
    give_scratch(scratch)
