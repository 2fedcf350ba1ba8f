"""Shapes, pointers and the GIL for random.c; the mathematics is in src_c/random.h."""

cimport numpy as cnp
from libc.stdint cimport uint32_t, uint64_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, i32_out

cnp.import_array()

cdef extern from "random.h" nogil:
    void fk_random_words(uint32_t *words, uint64_t key, uint64_t counter, Py_ssize_t n) noexcept
    void fk_random_dropout(float *y, const float *x, uint64_t key, uint64_t counter, double rate,
                           Py_ssize_t n) noexcept


def words(ndarray out not None, uint64_t key, uint64_t counter):
    """out_i = word(i)    out (n) int32 =, the bits of the unsigned words"""
    cdef int *out_data = i32_out(out, "out", 1)
    cdef Py_ssize_t n = out.shape[0]
    with nogil:
        fk_random_words(<uint32_t *>out_data, key, counter, n)


def dropout(ndarray y not None, ndarray x not None, uint64_t key, uint64_t counter, double rate):
    """y = x / (1 - rate) where kept, 0 elsewhere    y =, x of any one shape;  y may be x;  0 <= rate <= 1"""
    cdef const float *x_data = f32(x, "x", x.ndim)
    cdef float *y_data = f32_out(y, "y", x.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    if not cnp.PyArray_SAMESHAPE(x, y):
        raise ValueError(f"`y` must have the shape of `x`, {(<object>x).shape}. "
                         f"Received: {(<object>y).shape}")
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`rate` must be in [0, 1]. Received: {rate}")
    with nogil:
        fk_random_dropout(y_data, x_data, key, counter, rate, n)
