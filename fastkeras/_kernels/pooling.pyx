"""Shapes, pointers and the GIL for pooling.c; the mathematics is in src_c/pooling.h."""

cimport numpy as cnp
from libc.stdint cimport INT32_MAX
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, i32, i32_out, u8_or_null

cnp.import_array()

cdef extern from "pooling.h" nogil:
    void fk_pooling_max_forward(float *y, int *place, const float *x, const fk_pooling *s) noexcept
    void fk_pooling_max_backward(float *dx, const float *dy, const int *place, const fk_pooling *s) noexcept
    void fk_pooling_average_forward(float *y, const float *x, const unsigned char *mask, const fk_pooling *s) noexcept
    void fk_pooling_average_backward(float *dx, const float *dy, const unsigned char *mask,
                                     const fk_pooling *s) noexcept


cdef int pooling_of(fk_pooling *s, Py_ssize_t B, Py_ssize_t H, Py_ssize_t W, Py_ssize_t C, Py_ssize_t OH,
                    Py_ssize_t OW, size, strides, before) except -1:
    """The sizes of pooling (B, H, W, C) to (B, OH, OW, C); `before`: the places that stand out in front."""
    s.B, s.H, s.W, s.C, s.OH, s.OW = B, H, W, C, OH, OW
    s.KH, s.KW = size
    s.stride_h, s.stride_w = strides
    s.top, s.left = before
    if H * W > INT32_MAX:
        raise ValueError(f"`x` must have fewer than 2^31 pixels an image. Received: shape {(B, H, W, C)}")
    if (min(s.stride_h, s.stride_w) < 1 or not (0 <= s.top < s.KH and 0 <= s.left < s.KW)
            or (OH - 1) * s.stride_h - s.top >= H or (OW - 1) * s.stride_w - s.left >= W):
        raise ValueError(f"each of {OH} x {OW} windows of {size}, {strides} apart, {before} of the first outside, "
                         f"must hold a place of x. Received: x of shape {(B, H, W, C)}")
    return 0


cdef int shape_of(fk_pooling *s, ndarray x, ndarray y, size, strides, before) except -1:
    if x.ndim != 4 or y.ndim != 4 or x.shape[0] != y.shape[0] or x.shape[3] != y.shape[3]:
        raise ValueError(f"`x` and `y` must be images with the same batch and channels. Received: shapes "
                         f"{(<object>x).shape} and {(<object>y).shape}")
    return pooling_of(s, x.shape[0], x.shape[1], x.shape[2], x.shape[3], y.shape[1], y.shape[2], size, strides, before)


def max_forward(ndarray y not None, ndarray place, ndarray x not None, size, strides, before):
    """y = max of x under each window, place = where it was found   x (B, H, W, C)   y, place (B, OH, OW, C)"""
    cdef fk_pooling s
    shape_of(&s, x, y, size, strides, before)
    cdef const float *x_ = f32(x, "x", 4)
    cdef float *y_ = f32_out(y, "y", 4)
    cdef int *place_ = checked_place(place, y, i32_out(place, "place", 4)) if place is not None else NULL
    with nogil:
        fk_pooling_max_forward(y_, place_, x_, &s)


def max_backward(ndarray dx not None, ndarray dy not None, ndarray place not None, size, strides, before):
    """dx = dy, put where each maximum was found, as max_forward says   dx (B, H, W, C)   dy, place (B, OH, OW, C)"""
    cdef fk_pooling s
    shape_of(&s, dx, dy, size, strides, before)
    cdef float *dx_ = f32_out(dx, "dx", 4)
    cdef const float *dy_ = f32(dy, "dy", 4)
    cdef const int *place_ = checked_place(place, dy, i32(place, "place", 4))
    with nogil:
        fk_pooling_max_backward(dx_, dy_, place_, &s)


cdef int *checked_place(ndarray place, ndarray y, int *data) except? NULL:
    if (<object>place).shape != (<object>y).shape:
        raise ValueError(f"`place` must have shape {(<object>y).shape}. Received: {(<object>place).shape}")
    return data


def average_forward(ndarray y not None, ndarray x not None, ndarray mask, size, strides, before):
    """y = mean of x under each window   x (B, H, W, C)   y (B, OH, OW, C)   mask (B, H, W), bool, or None"""
    cdef fk_pooling s
    shape_of(&s, x, y, size, strides, before)
    cdef const float *x_ = f32(x, "x", 4)
    cdef float *y_ = f32_out(y, "y", 4)
    cdef const unsigned char *mask_
    u8_or_null(&mask_, mask, "mask", 3, s.B, s.H, s.W)
    with nogil:
        fk_pooling_average_forward(y_, x_, mask_, &s)


def average_backward(ndarray dx not None, ndarray dy not None, ndarray mask, size, strides, before):
    """dx = dy in equal parts for the places under each window; the arrays as in average_forward"""
    cdef fk_pooling s
    shape_of(&s, dx, dy, size, strides, before)
    cdef float *dx_ = f32_out(dx, "dx", 4)
    cdef const float *dy_ = f32(dy, "dy", 4)
    cdef const unsigned char *mask_
    u8_or_null(&mask_, mask, "mask", 3, s.B, s.H, s.W)
    with nogil:
        fk_pooling_average_backward(dx_, dy_, mask_, &s)
