"""Shapes, pointers and the GIL for random.c; the mathematics is in src_c/random.h."""

cimport numpy as cnp
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, i32_out, u8

cnp.import_array()

cdef extern from "random.h" nogil:
    void fk_random_words(uint32_t *words, uint64_t key, uint64_t counter, Py_ssize_t n) noexcept
    void fk_random_dropout(float *y, uint8_t *kept, const float *x, uint64_t key, uint64_t counter, double rate,
                           Py_ssize_t n) noexcept
    void fk_random_dropout_backward(float *dx, const float *dy, const uint8_t *kept, double rate,
                                    Py_ssize_t n) noexcept
    void fk_random_normal(float *y, uint64_t key, uint64_t counter, float mean, float stddev, Py_ssize_t n) noexcept


def words(ndarray out not None, uint64_t key, uint64_t counter):
    """out_i = word(i)    out (n) int32 =, the bits of the unsigned words"""
    cdef int *out_data = i32_out(out, "out", 1)
    cdef Py_ssize_t n = out.shape[0]
    with nogil:
        fk_random_words(<uint32_t *>out_data, key, counter, n)


cdef int check(ndarray y, ndarray kept, ndarray x, double rate) except -1:
    if not cnp.PyArray_SAMESHAPE(x, y) or kept is not None and not cnp.PyArray_SAMESHAPE(x, kept):
        raise ValueError(f"`y` and `kept` must have the shape of `x`, {(<object>x).shape}. "
                         f"Received: {(<object>y).shape} and {getattr(kept, 'shape', None)}")
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`rate` must be in [0, 1]. Received: {rate}")
    return 0


def dropout(ndarray y not None, ndarray kept, ndarray x not None, uint64_t key, uint64_t counter, double rate):
    """y = x / (1 - rate) where kept, 0 elsewhere

    y =, x float32 of any one shape; y may be x.  kept bool of the same shape =, or None.  0 <= rate <= 1
    """
    cdef const float *x_data = f32(x, "x", x.ndim)
    cdef float *y_data = f32_out(y, "y", x.ndim)
    cdef uint8_t *kept_data = NULL if kept is None else u8(kept, "kept", x.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    check(y, kept, x, rate)
    with nogil:
        fk_random_dropout(y_data, kept_data, x_data, key, counter, rate, n)


def dropout_backward(ndarray dx not None, ndarray dy not None, ndarray kept not None, double rate):
    """dx = dy / (1 - rate) where kept, 0 elsewhere    dx =, dy, kept as in dropout;  dx may be dy"""
    cdef const float *dy_data = f32(dy, "dy", dy.ndim)
    cdef float *dx_data = f32_out(dx, "dx", dy.ndim)
    cdef const uint8_t *kept_data = u8(kept, "kept", dy.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(dy)
    check(dx, kept, dy, rate)
    with nogil:
        fk_random_dropout_backward(dx_data, dy_data, kept_data, rate, n)


def normal(ndarray y not None, uint64_t key, uint64_t counter, float mean, float stddev):
    """y = mean + stddev z, z normal    y float32 of any shape ="""
    cdef float *y_data = f32_out(y, "y", y.ndim)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(y)
    with nogil:
        fk_random_normal(y_data, key, counter, mean, stddev, n)
