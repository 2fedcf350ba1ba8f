"""Shapes, pointers and the GIL for transposed.c; the mathematics is in src_c/transposed.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, f32_out_or_null

cnp.import_array()

cdef extern from "transposed.h" nogil:
    void fk_transposed_finish(float *y, float *z, const float *sums, const float *bias, fk_activation f,
                              Py_ssize_t top, Py_ssize_t left, Py_ssize_t B, Py_ssize_t h, Py_ssize_t w, Py_ssize_t N,
                              Py_ssize_t H, Py_ssize_t W) noexcept


def finish(ndarray y not None, ndarray z, ndarray sums not None, ndarray bias, Py_ssize_t top, Py_ssize_t left,
           Activation activation not None):
    """z = bias + the part of `sums` at `top`, `left`, y = f(z)   y (B, h, w, N)   z: as y, or None   sums (B, H, W, N)"""
    cdef float *y_ = f32_out(y, "y", 4)
    cdef const float *sums_ = f32(sums, "sums", 4, y.shape[0])
    cdef Py_ssize_t B = y.shape[0], h = y.shape[1], w = y.shape[2], N = y.shape[3]
    cdef Py_ssize_t H = sums.shape[1], W = sums.shape[2]
    cdef float *z_
    cdef const float *bias_
    f32_out_or_null(&z_, z, "z", 4, B, h, w)
    f32_or_null(&bias_, bias, "bias", 1, N)
    if sums.shape[3] != N or (z is not None and z.shape[3] != N):
        raise ValueError(f"`sums` and `z` must have the {N} channels of `y`. Received: sums of shape "
                         f"{(<object>sums).shape}")
    if top < 0 or left < 0 or top + h > H or left + w > W:
        raise ValueError(f"{h} x {w} pixels at {top}, {left} must lie in {H} x {W}.")
    if activation.rowwise:
        raise ValueError(f"`activation` must be elementwise. Received: {activation.name!r}")
    cdef fk_activation f = activation.c
    with nogil:
        fk_transposed_finish(y_, z_, sums_, bias_, f, top, left, B, h, w, N, H, W)
