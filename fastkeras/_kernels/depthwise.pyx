"""Shapes, pointers and the GIL for depthwise.c; the mathematics is in src_c/depthwise.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, give_scratch, take_scratch

cnp.import_array()

cdef extern from "depthwise.h" nogil:
    ctypedef struct fk_depthwise:
        Py_ssize_t B, H, W, N, OH, OW, KH, KW, stride_h, stride_w, dilation_h, dilation_w, top, left
    void fk_depthwise_forward(float *y, float *z, const float *x, const float *W, const float *bias, fk_activation f,
                              const fk_depthwise *s, float *scratch) noexcept
    void fk_depthwise_backward_input(float *dx, const float *dz, const float *W, const fk_depthwise *s,
                                     float *scratch) noexcept
    void fk_depthwise_backward_kernel(float *dW, const float *dz, const float *x, const fk_depthwise *s,
                                      float *scratch) noexcept
    Py_ssize_t fk_depthwise_scratch(const fk_depthwise *s) noexcept
    void fk_depthwise_repeat(float *to, const float *source, Py_ssize_t P, Py_ssize_t C, Py_ssize_t M) noexcept
    void fk_depthwise_fold(float *to, const float *source, Py_ssize_t P, Py_ssize_t C, Py_ssize_t M) noexcept


cdef int shape_of(fk_depthwise *s, ndarray x, ndarray W, ndarray y, strides, dilation, before) except -1:
    """The sizes of a convolution of x (B, H, W, N) with W (KH, KW, N) to y (B, OH, OW, N)."""
    if x.ndim != 4 or W.ndim != 3 or y.ndim != 4:
        raise ValueError(f"`x`, `W` and `y` must have 4, 3 and 4 axes. Received: {x.ndim}, {W.ndim} and {y.ndim}")
    s.B, s.H, s.W, s.N = x.shape[0], x.shape[1], x.shape[2], x.shape[3]
    s.OH, s.OW = y.shape[1], y.shape[2]
    s.KH, s.KW = W.shape[0], W.shape[1]
    s.stride_h, s.stride_w = strides
    s.dilation_h, s.dilation_w = dilation
    s.top, s.left = before
    if y.shape[0] != s.B or y.shape[3] != s.N or W.shape[2] != s.N:
        raise ValueError(f"`x`, `W` and `y` must have the same channels, `x` and `y` the same batch. Received: shapes "
                         f"{(<object>x).shape}, {(<object>W).shape} and {(<object>y).shape}")
    if min(s.stride_h, s.stride_w, s.dilation_h, s.dilation_w) < 1 or min(s.top, s.left) < 0:
        raise ValueError(f"strides and dilation must be at least 1, what stands out in front at least 0. Received: "
                         f"{strides}, {dilation} and {before}")
    return 0


def forward(ndarray y not None, ndarray z, ndarray x not None, ndarray W not None, ndarray bias, strides, dilation,
            before, Activation activation not None):
    """y = f(x * W + bias)   x (B, H, W, N)   W (KH, KW, N)   y (B, OH, OW, N)   z: as y, or None"""
    cdef fk_depthwise s
    shape_of(&s, x, W, y, strides, dilation, before)
    cdef const float *x_ = f32(x, "x", 4)
    cdef const float *W_ = f32(W, "W", 3)
    cdef float *y_ = f32_out(y, "y", 4)
    cdef float *z_ = NULL
    if z is not None:
        z_ = f32_out(z, "z", 4, s.B, s.OH, s.OW)
        if z.shape[3] != s.N:
            raise ValueError(f"`z` must have {s.N} channels. Received: shape {(<object>z).shape}")
    cdef const float *bias_
    f32_or_null(&bias_, bias, "bias", 1, s.N)
    if activation.rowwise:
        raise ValueError(f"`activation` must be elementwise. Received: {activation.name!r}")
    cdef fk_activation f = activation.c
    cdef float *scratch = take_scratch(fk_depthwise_scratch(&s))
    with nogil:
        fk_depthwise_forward(y_, z_, x_, W_, bias_, f, &s, scratch)
    give_scratch(scratch)


def backward(ndarray dx, ndarray dW, ndarray dz not None, ndarray x not None, ndarray W not None, strides, dilation,
             before):
    """dx = and dW += the gradients of x and W for dz, that of the sum before f; dx and dW may be None"""
    cdef fk_depthwise s
    shape_of(&s, x, W, dz, strides, dilation, before)
    cdef const float *x_ = f32(x, "x", 4)
    cdef const float *W_ = f32(W, "W", 3)
    cdef const float *dz_ = f32(dz, "dz", 4)
    cdef float *dx_ = like(dx, "dx", x, f32_out(dx, "dx", 4)) if dx is not None else NULL
    cdef float *dW_ = like(dW, "dW", W, f32_out(dW, "dW", 3)) if dW is not None else NULL
    cdef float *scratch = take_scratch(fk_depthwise_scratch(&s))
    with nogil:
        if dx_ != NULL:
            fk_depthwise_backward_input(dx_, dz_, W_, &s, scratch)
        if dW_ != NULL:
            fk_depthwise_backward_kernel(dW_, dz_, x_, &s, scratch)
    give_scratch(scratch)


cdef float *like(ndarray a, str name, ndarray other, float *data) except? NULL:
    if (<object>a).shape != (<object>other).shape:
        raise ValueError(f"`{name}` must have shape {(<object>other).shape}. Received: {(<object>a).shape}")
    return data


def repeat(ndarray to not None, ndarray x not None):
    """to[p, c M + m] = x[p, c]   to (P, C M) =   x (P, C)"""
    cdef const float *x_ = f32(x, "x", 2)
    cdef float *to_ = f32_out(to, "to", 2, x.shape[0])
    cdef Py_ssize_t P = x.shape[0], C = x.shape[1], M = multiplier(to, "to", C)
    with nogil:
        fk_depthwise_repeat(to_, x_, P, C, M)


def fold(ndarray to not None, ndarray x not None):
    """to[p, c] = sum_m x[p, c M + m]   to (P, C) =   x (P, C M)"""
    cdef float *to_ = f32_out(to, "to", 2)
    cdef const float *x_ = f32(x, "x", 2, to.shape[0])
    cdef Py_ssize_t P = to.shape[0], C = to.shape[1], M = multiplier(x, "x", C)
    with nogil:
        fk_depthwise_fold(to_, x_, P, C, M)


cdef Py_ssize_t multiplier(ndarray wide, str name, Py_ssize_t C) except -1:
    """How many times C channels lie in the columns of `wide`."""
    if C < 1 or wide.shape[1] % C:
        raise ValueError(f"`{name}` must have a multiple of {C} columns. Received: shape {(<object>wide).shape}")
    return wide.shape[1] // C
