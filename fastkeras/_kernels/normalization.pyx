"""Shapes, pointers and the GIL for normalization.c; the mathematics is in src_c/normalization.h."""

cimport numpy as cnp
from libc.stdint cimport uint8_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport (f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, take_scratch,
                                       u8_or_null)

cnp.import_array()

cdef extern from "normalization.h" nogil:
    Py_ssize_t fk_norm_scratch(Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_batch_norm_moments(float *mean, float *variance, const float *x, const uint8_t *mask, float *scratch,
                               Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_batch_norm_apply(float *y, const float *x, const float *mean, const float *variance, const float *gamma,
                             const float *beta, float epsilon, float *scratch, Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_batch_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x,
                                const float *mean, const float *variance, const float *gamma, const uint8_t *mask,
                                int fixed, float epsilon, float *scratch, Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_layer_norm_forward(float *y, float *xhat, float *rstd, const float *x, const float *gamma,
                               const float *beta, float epsilon, Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_layer_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy, const float *xhat,
                                const float *rstd, const float *gamma, float *scratch, Py_ssize_t N,
                                Py_ssize_t C) noexcept
    void fk_unit_norm_forward(float *y, float *r, const float *x, float largest, Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_unit_norm_backward(float *dx, const float *dy, const float *y, const float *r, float largest,
                               Py_ssize_t N, Py_ssize_t C) noexcept


def batch_moments(ndarray mean not None, ndarray variance not None, ndarray x not None, ndarray mask=None):
    """mean, variance (C) = those of the columns of x (N, C), over the rows that the mask (N) keeps"""
    cdef const float *x_ = f32(x, "x", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(x, 0), C = cnp.PyArray_DIM(x, 1)
    cdef float *mean_ = f32_out(mean, "mean", 1, C)
    cdef float *variance_ = f32_out(variance, "variance", 1, C)
    cdef const uint8_t *mask_
    u8_or_null(&mask_, mask, "mask", 1, N)
    cdef float *scratch = take_scratch(fk_norm_scratch(N, C))
    with nogil:
        fk_batch_norm_moments(mean_, variance_, x_, mask_, scratch, N, C)
    give_scratch(scratch)


def batch_apply(ndarray y not None, ndarray x not None, ndarray mean not None, ndarray variance not None,
                ndarray gamma, ndarray beta, float epsilon):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta    y (N, C) =; mean, variance, gamma, beta (C)"""
    cdef const float *x_ = f32(x, "x", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(x, 0), C = cnp.PyArray_DIM(x, 1)
    cdef float *y_ = f32_out(y, "y", 2, N, C)
    cdef const float *mean_ = f32(mean, "mean", 1, C)
    cdef const float *variance_ = f32(variance, "variance", 1, C)
    cdef const float *gamma_
    cdef const float *beta_
    f32_or_null(&gamma_, gamma, "gamma", 1, C)
    f32_or_null(&beta_, beta, "beta", 1, C)
    cdef float *scratch = take_scratch(fk_norm_scratch(N, C))
    with nogil:
        fk_batch_norm_apply(y_, x_, mean_, variance_, gamma_, beta_, epsilon, scratch, N, C)
    give_scratch(scratch)


def batch_backward(ndarray dx, ndarray dgamma, ndarray dbeta, ndarray dy not None, ndarray x not None,
                   ndarray mean not None, ndarray variance not None, ndarray gamma, ndarray mask, bint fixed,
                   float epsilon):
    """dx (N, C) =, dgamma, dbeta (C) +=; each may be None.  fixed: mean and variance do not depend on x"""
    cdef const float *x_ = f32(x, "x", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(x, 0), C = cnp.PyArray_DIM(x, 1)
    cdef const float *dy_ = f32(dy, "dy", 2, N, C)
    cdef const float *mean_ = f32(mean, "mean", 1, C)
    cdef const float *variance_ = f32(variance, "variance", 1, C)
    cdef float *dx_
    cdef float *dgamma_
    cdef float *dbeta_
    cdef const float *gamma_
    cdef const uint8_t *mask_
    f32_out_or_null(&dx_, dx, "dx", 2, N, C)
    f32_out_or_null(&dgamma_, dgamma, "dgamma", 1, C)
    f32_out_or_null(&dbeta_, dbeta, "dbeta", 1, C)
    f32_or_null(&gamma_, gamma, "gamma", 1, C)
    u8_or_null(&mask_, mask, "mask", 1, N)
    cdef float *scratch = take_scratch(fk_norm_scratch(N, C))
    with nogil:
        fk_batch_norm_backward(dx_, dgamma_, dbeta_, dy_, x_, mean_, variance_, gamma_, mask_, fixed, epsilon,
                               scratch, N, C)
    give_scratch(scratch)


def layer_forward(ndarray y not None, ndarray xhat not None, ndarray rstd not None, ndarray x not None, ndarray gamma,
                  ndarray beta, float epsilon):
    """y = gamma xhat + beta, each row of x (N, C) normalized    y, xhat (N, C) =  rstd (N) =  gamma, beta (C)"""
    cdef const float *x_ = f32(x, "x", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(x, 0), C = cnp.PyArray_DIM(x, 1)
    cdef float *y_ = f32_out(y, "y", 2, N, C)
    cdef float *xhat_ = f32_out(xhat, "xhat", 2, N, C)
    cdef float *rstd_ = f32_out(rstd, "rstd", 1, N)
    cdef const float *gamma_
    cdef const float *beta_
    f32_or_null(&gamma_, gamma, "gamma", 1, C)
    f32_or_null(&beta_, beta, "beta", 1, C)
    with nogil:
        fk_layer_norm_forward(y_, xhat_, rstd_, x_, gamma_, beta_, epsilon, N, C)


def layer_backward(ndarray dx, ndarray dgamma, ndarray dbeta, ndarray dy not None, ndarray xhat not None,
                   ndarray rstd not None, ndarray gamma):
    """dx (N, C) =, dgamma, dbeta (C) +=; each may be None"""
    cdef const float *xhat_ = f32(xhat, "xhat", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(xhat, 0), C = cnp.PyArray_DIM(xhat, 1)
    cdef const float *dy_ = f32(dy, "dy", 2, N, C)
    cdef const float *rstd_ = f32(rstd, "rstd", 1, N)
    cdef float *dx_
    cdef float *dgamma_
    cdef float *dbeta_
    cdef const float *gamma_
    f32_out_or_null(&dx_, dx, "dx", 2, N, C)
    f32_out_or_null(&dgamma_, dgamma, "dgamma", 1, C)
    f32_out_or_null(&dbeta_, dbeta, "dbeta", 1, C)
    f32_or_null(&gamma_, gamma, "gamma", 1, C)
    cdef float *scratch = take_scratch(fk_norm_scratch(N, C))
    with nogil:
        fk_layer_norm_backward(dx_, dgamma_, dbeta_, dy_, xhat_, rstd_, gamma_, scratch, N, C)
    give_scratch(scratch)


def unit_forward(ndarray y not None, ndarray r not None, ndarray x not None, float largest):
    """y_n = r_n x_n with r_n = min(1 / |x_n|, largest)    y (N, C) =, r (N) =, x (N, C)"""
    cdef const float *x_ = f32(x, "x", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(x, 0), C = cnp.PyArray_DIM(x, 1)
    cdef float *y_ = f32_out(y, "y", 2, N, C)
    cdef float *r_ = f32_out(r, "r", 1, N)
    with nogil:
        fk_unit_norm_forward(y_, r_, x_, largest, N, C)


def unit_backward(ndarray dx not None, ndarray dy not None, ndarray y not None, ndarray r not None, float largest):
    """dx (N, C) =, given dy and what the forward pass gave; dx may be dy"""
    cdef const float *y_ = f32(y, "y", 2)
    cdef Py_ssize_t N = cnp.PyArray_DIM(y, 0), C = cnp.PyArray_DIM(y, 1)
    cdef float *dx_ = f32_out(dx, "dx", 2, N, C)
    cdef const float *dy_ = f32(dy, "dy", 2, N, C)
    cdef const float *r_ = f32(r, "r", 1, N)
    with nogil:
        fk_unit_norm_backward(dx_, dy_, y_, r_, largest, N, C)
