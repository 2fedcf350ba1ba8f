"""Shapes, pointers and the GIL for dense.c; the mathematics is in src_c/dense.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport (f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, take_scratch)

cnp.import_array()

cdef extern from "dense.h" nogil:
    enum:
        FK_LINEAR
    void fk_dense_forward(float *y, float *z, const float *x, const float *W, const float *b, fk_activation f,
                          float *scratch, Py_ssize_t B, Py_ssize_t D, Py_ssize_t U) noexcept
    void fk_dense_backward(float *dx, float *dW, float *db, float *dz, const float *dy, const float *x,
                           const float *W, const float *y, const float *z, fk_activation f, float *scratch,
                           Py_ssize_t B, Py_ssize_t D, Py_ssize_t U) noexcept
    void fk_column_sums_add(float *db, const float *dz, Py_ssize_t dz_row, Py_ssize_t B, Py_ssize_t U) noexcept
    Py_ssize_t fk_dense_scratch(Py_ssize_t B, Py_ssize_t D, Py_ssize_t U) noexcept


def forward(ndarray y not None, ndarray z, ndarray x not None, ndarray W not None, ndarray b,
            Activation activation not None):
    """y = f(x W + b); z, if not None, receives the sum before f."""
    cdef const float *W_ = f32(W, "W", 2)
    cdef Py_ssize_t D = cnp.PyArray_DIM(W, 0), U = cnp.PyArray_DIM(W, 1)
    cdef const float *x_ = f32(x, "x", 2, -1, D)
    cdef Py_ssize_t B = cnp.PyArray_DIM(x, 0)
    cdef float *y_ = f32_out(y, "y", 2, B, U)
    cdef float *z_
    cdef const float *b_
    f32_out_or_null(&z_, z, "z", 2, B, U)
    f32_or_null(&b_, b, "b", 1, U)
    cdef fk_activation f = activation.c
    cdef float *scratch = take_scratch(fk_dense_scratch(B, D, U))
    with nogil:
        fk_dense_forward(y_, z_, x_, W_, b_, f, scratch, B, D, U)
    give_scratch(scratch)


def backward(ndarray dx, ndarray dW, ndarray db, ndarray dz, ndarray dy not None, ndarray x not None,
             ndarray W not None, ndarray y not None, ndarray z, Activation activation not None):
    """dz = f'(z) dy, dx = dz W^T, dW += x^T dz, db += sum_b dz; dx, dW and db may be None, and dz if f is linear."""
    cdef const float *W_ = f32(W, "W", 2)
    cdef Py_ssize_t D = cnp.PyArray_DIM(W, 0), U = cnp.PyArray_DIM(W, 1)
    cdef const float *x_ = f32(x, "x", 2, -1, D)
    cdef Py_ssize_t B = cnp.PyArray_DIM(x, 0)
    cdef const float *y_ = f32(y, "y", 2, B, U)
    cdef const float *dy_ = f32(dy, "dy", 2, B, U)
    cdef float *dz_
    cdef float *dx_
    cdef float *dW_
    cdef float *db_
    cdef const float *z_
    if dz is None and activation.c.kind != FK_LINEAR:
        raise TypeError("`dz` must be an array unless the activation is linear. Received: None")
    f32_out_or_null(&dz_, dz, "dz", 2, B, U)
    f32_out_or_null(&dx_, dx, "dx", 2, B, D)
    f32_out_or_null(&dW_, dW, "dW", 2, D, U)
    f32_out_or_null(&db_, db, "db", 1, U)
    f32_or_null(&z_, z, "z", 2, B, U)
    cdef fk_activation f = activation.c
    cdef float *scratch = take_scratch(fk_dense_scratch(B, D, U))
    with nogil:
        fk_dense_backward(dx_, dW_, db_, dz_, dy_, x_, W_, y_, z_, f, scratch, B, D, U)
    give_scratch(scratch)


def add_column_sums(ndarray db not None, ndarray dz not None, Py_ssize_t at=-1):
    """db += sum_b dz_b   db (U) +=   dz (B, U), or wider: then its columns from `at` on"""
    cdef float *db_ = f32_out(db, "db", 1)
    cdef Py_ssize_t U = cnp.PyArray_DIM(db, 0)
    cdef const float *dz_ = f32(dz, "dz", 2, -1, U if at < 0 else -1)
    cdef Py_ssize_t B = cnp.PyArray_DIM(dz, 0), row = cnp.PyArray_DIM(dz, 1), first = at if at > 0 else 0
    if first + U > row:
        raise ValueError(f"`dz` must have {U} columns from column {first} on. Received: {row} columns")
    with nogil:
        fk_column_sums_add(db_, dz_ + first, row, B, U)
