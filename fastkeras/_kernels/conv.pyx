"""Shapes, pointers and the GIL for conv*.c; the mathematics is in src_c/conv.h, conv_peaks.h and conv_rows.h."""

cimport numpy as cnp
from libc.stdint cimport INT32_MAX
from numpy cimport ndarray

from fastkeras._kernels.activations cimport Activation, fk_activation
from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, give_scratch, i32, i32_out, take_scratch
from fastkeras._kernels.pooling cimport fk_pooling, pooling_of

cnp.import_array()

cdef extern from "conv.h" nogil:
    ctypedef struct fk_conv:
        Py_ssize_t B, H, W, C, OH, OW, N, KH, KW, stride_h, stride_w, dilation_h, dilation_w, groups
    ctypedef struct fk_conv_inner:
        Py_ssize_t top, left, H, W
    void fk_conv_forward(float *y, float *z, const float *x, const float *W, const float *bias, fk_activation f,
                         const fk_conv *s, float *scratch) noexcept
    void fk_conv_backward_input(float *dx, const float *dz, const float *W, const fk_conv *s, const fk_conv_inner *part,
                                float *scratch) noexcept
    void fk_conv_backward_kernel(float *dW, const float *dz, const float *x, const fk_conv *s, float *scratch) noexcept
    Py_ssize_t fk_conv_scratch(const fk_conv *s) noexcept
    void fk_conv_max_forward(float *y, int *place, const float *x, const float *W, const float *bias, fk_activation f,
                             const fk_conv *s, const fk_pooling *pool, float *scratch) noexcept
    Py_ssize_t fk_conv_max_scratch(const fk_conv *s, const fk_pooling *pool) noexcept
    void fk_conv_max_backward_kernel(float *dW, const float *g, const int *place, const float *x, const fk_conv *s,
                                     const fk_pooling *pool) noexcept
    void fk_conv_pad(float *to, const float *source, Py_ssize_t top, Py_ssize_t left, Py_ssize_t B, Py_ssize_t H,
                     Py_ssize_t W, Py_ssize_t h, Py_ssize_t w, Py_ssize_t C) noexcept
    void fk_conv_crop(float *to, const float *source, Py_ssize_t top, Py_ssize_t left, Py_ssize_t B, Py_ssize_t H,
                      Py_ssize_t W, Py_ssize_t h, Py_ssize_t w, Py_ssize_t C) noexcept

cdef extern from "conv_peaks.h" nogil:
    void fk_conv_peaks_backward_input(float *dx, const float *g, const int *place, const int *index, const float *W,
                                      const fk_conv *s, float *scratch, Py_ssize_t Q, Py_ssize_t R) noexcept
    void fk_conv_peaks_backward_kernel(float *dW, const float *g, const int *place, const float *x, const int *index,
                                       const fk_conv *s, float *scratch, Py_ssize_t Q) noexcept
    Py_ssize_t fk_conv_peaks_scratch(const fk_conv *s, Py_ssize_t Q) noexcept

cdef extern from "conv_rows.h" nogil:
    void fk_conv_rows_forward(float *y, float *z, const float *P, const int *index, const float *bias, fk_activation f,
                              Py_ssize_t T, Py_ssize_t R, Py_ssize_t M, Py_ssize_t N) noexcept
    void fk_conv_rows_max_forward(float *y, int *place, const float *P, const int *index, const float *bias,
                                  fk_activation f, Py_ssize_t T, Py_ssize_t R, const fk_pooling *pool,
                                  float *scratch) noexcept
    Py_ssize_t fk_conv_rows_max_scratch(const fk_pooling *pool) noexcept


cdef int shape_of(fk_conv *s, ndarray x, ndarray index, ndarray W, strides, dilation, Py_ssize_t groups) except -1:
    """The sizes of a convolution with W (KH, KW, C / groups, N) of x (B, H, W, C), or of distinct rows x (R, C) that
    index (B, H, W) puts together."""
    cdef ndarray pixels = x if index is None else index
    if (x.ndim != 4 if index is None else x.ndim != 2 or index.ndim != 3) or W.ndim != 4:
        raise ValueError(f"`x` and `W` must have 4 axes, or `x` 2 and `index` 3. Received: {x.ndim} and {W.ndim}")
    s.B, s.H, s.W, s.C = pixels.shape[0], pixels.shape[1], pixels.shape[2], x.shape[x.ndim - 1]
    s.KH, s.KW, s.N = W.shape[0], W.shape[1], W.shape[3]
    s.stride_h, s.stride_w = strides
    s.dilation_h, s.dilation_w = dilation
    s.groups = groups
    if min(s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, groups, s.KH, s.KW, s.N, s.C) < 1:
        raise ValueError(f"strides, dilation, groups and the kernel's sizes must be at least 1. Received: {strides}, "
                         f"{dilation}, {groups} and a kernel of shape {(<object>W).shape}")
    if s.N % groups or W.shape[2] * groups != s.C:
        raise ValueError(f"`W` must be (rows, columns, {s.C} / {groups}, a multiple of {groups}). "
                         f"Received: {(<object>W).shape}")
    s.OH = (s.H - (s.KH - 1) * s.dilation_h - 1) // s.stride_h + 1
    s.OW = (s.W - (s.KW - 1) * s.dilation_w - 1) // s.stride_w + 1
    if s.OH < 1 or s.OW < 1:
        raise ValueError(f"the window must fit into `x`. Received: a window of {(s.KH - 1) * s.dilation_h + 1} x "
                         f"{(s.KW - 1) * s.dilation_w + 1}, x of {s.H} x {s.W}")
    if s.B * s.H * s.W > INT32_MAX or s.KH * s.dilation_h * s.W * s.C > INT32_MAX:
        raise ValueError(f"`x` must have fewer than 2^31 pixels. Received: shape {(<object>x).shape}")
    return 0


cdef float *image(ndarray a, str name, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2, Py_ssize_t n3,
                  bint out) except NULL:
    """The data of a (n0, n1, n2, n3) array."""
    cdef float *data = f32_out(a, name, 4, n0, n1, n2) if out else f32(a, name, 4, n0, n1, n2)
    if a.shape[3] != n3:
        raise ValueError(f"`{name}` must have {n3} channels. Received: shape {(<object>a).shape}")
    return data


def forward(ndarray y not None, ndarray z, ndarray x not None, ndarray W not None, ndarray bias, strides, dilation,
            Py_ssize_t groups, Activation activation not None):
    """y = f(x * W + bias)   x (B, H, W, C), padded   W (KH, KW, C / groups, N)   y (B, OH, OW, N)   z: as y, or None"""
    cdef fk_conv s
    shape_of(&s, x, None, W, strides, dilation, groups)
    cdef const float *x_ = f32(x, "x", 4)
    cdef const float *W_ = f32(W, "W", 4)
    cdef float *y_ = image(y, "y", s.B, s.OH, s.OW, s.N, True)
    cdef float *z_ = image(z, "z", s.B, s.OH, s.OW, s.N, True) if z is not None else NULL
    cdef const float *bias_
    f32_or_null(&bias_, bias, "bias", 1, s.N)
    cdef fk_activation f = elementwise(activation)
    cdef float *scratch = take_scratch(fk_conv_scratch(&s))
    with nogil:
        fk_conv_forward(y_, z_, x_, W_, bias_, f, &s, scratch)
    give_scratch(scratch)


def backward(ndarray dx, ndarray dW, ndarray dz not None, ndarray x not None, ndarray W not None, strides, dilation,
             Py_ssize_t groups, Py_ssize_t top=0, Py_ssize_t left=0):
    """dx = and dW += the gradients of x and W for dz, that of the sum before f; dx and dW may be None

    dx (B, h, w, C): of the part of x that begins at row `top` and column `left`
    """
    cdef fk_conv s
    cdef fk_conv_inner part
    shape_of(&s, x, None, W, strides, dilation, groups)
    cdef const float *x_ = f32(x, "x", 4)
    cdef const float *W_ = f32(W, "W", 4)
    cdef const float *dz_ = image(dz, "dz", s.B, s.OH, s.OW, s.N, False)
    cdef float *dx_ = image(dx, "dx", s.B, -1, -1, s.C, True) if dx is not None else NULL
    cdef float *dW_ = image(dW, "dW", s.KH, s.KW, s.C // groups, s.N, True) if dW is not None else NULL
    if dx is not None:
        part.top, part.left, part.H, part.W = top, left, dx.shape[1], dx.shape[2]
        check_border(s.H, s.W, part.H, part.W, top, left)
    cdef float *scratch = take_scratch(fk_conv_scratch(&s))
    with nogil:
        if dx_ != NULL:
            fk_conv_backward_input(dx_, dz_, W_, &s, &part, scratch)
        if dW_ != NULL:
            fk_conv_backward_kernel(dW_, dz_, x_, &s, scratch)
    give_scratch(scratch)


def forward_max(ndarray y not None, ndarray place, ndarray x not None, ndarray W not None, ndarray bias, strides,
                dilation, Py_ssize_t groups, Activation activation not None, size, pool_strides, before):
    """y = max of f(x * W + bias) under pooling windows, place (as y, or None) = where   y (B, pool OH, pool OW, N)"""
    cdef fk_conv s
    cdef fk_pooling pool
    shape_of(&s, x, None, W, strides, dilation, groups)
    cdef float *y_ = image(y, "y", s.B, -1, -1, s.N, True)
    pooling_of(&pool, s.B, s.OH, s.OW, s.N, y.shape[1], y.shape[2], size, pool_strides, before)
    cdef int *place_ = same_shape(place, "place", y, i32_out(place, "place", 4)) if place is not None else NULL
    cdef const float *x_ = f32(x, "x", 4)
    cdef const float *W_ = f32(W, "W", 4)
    cdef const float *bias_
    f32_or_null(&bias_, bias, "bias", 1, s.N)
    cdef fk_activation f = elementwise(activation)
    cdef float *scratch = take_scratch(fk_conv_max_scratch(&s, &pool))
    with nogil:
        fk_conv_max_forward(y_, place_, x_, W_, bias_, f, &s, &pool, scratch)
    give_scratch(scratch)


def backward_max(ndarray dW not None, ndarray g not None, ndarray place not None, ndarray x not None, strides,
                 dilation, size, pool_strides, before):
    """dW += the gradient for g, at the pixels `place` that forward_max gave   g, place (B, pool OH, pool OW, N)"""
    cdef fk_conv s
    cdef fk_pooling pool
    shape_of(&s, x, None, dW, strides, dilation, 1)
    cdef const float *g_ = image(g, "g", s.B, -1, -1, s.N, False)
    pooling_of(&pool, s.B, s.OH, s.OW, s.N, g.shape[1], g.shape[2], size, pool_strides, before)
    cdef const int *place_ = same_shape(place, "place", g, i32(place, "place", 4))
    cdef const float *x_ = f32(x, "x", 4)
    cdef float *dW_ = f32_out(dW, "dW", 4)
    with nogil:
        fk_conv_max_backward_kernel(dW_, g_, place_, x_, &s, &pool)


cdef int *same_shape(ndarray a, str name, ndarray wanted, int *data) except? NULL:
    if (<object>a).shape != (<object>wanted).shape:
        raise ValueError(f"`{name}` must have shape {(<object>wanted).shape}. Received: {(<object>a).shape}")
    return data


cdef fk_activation elementwise(Activation activation) except *:
    if activation.rowwise:
        raise ValueError(f"`activation` must be elementwise. Received: {activation.name!r}")
    return activation.c


def backward_peaks(ndarray dx, ndarray dW, ndarray g not None, ndarray place not None, ndarray x not None,
                   ndarray index, ndarray W not None, strides, dilation, Py_ssize_t groups):
    """dx = and dW += the gradients for g (B, ..., N), given to the pixels `place` of y alone; either may be None

    x (B, H, W, C), padded, or the distinct rows (R, C) of `index` (B, H, W); dx as x
    """
    cdef fk_conv s
    shape_of(&s, x, index, W, strides, dilation, groups)
    cdef Py_ssize_t Q = g.size // max(1, s.B * s.N), R = x.shape[0]
    if (<object>place).shape != (<object>g).shape or g.ndim < 2 or g.shape[0] != s.B or g.shape[g.ndim - 1] != s.N:
        raise ValueError(f"`g` and `place` must be ({s.B}, ..., {s.N}). Received: {(<object>g).shape} and "
                         f"{(<object>place).shape}")
    if index is not None and groups != 1:
        raise ValueError(f"`groups` must be 1 where there is an `index`. Received: {groups}")
    cdef const float *g_ = f32(g, "g", g.ndim)
    cdef const int *place_ = i32(place, "place", g.ndim)
    cdef const float *x_ = f32(x, "x", x.ndim)
    cdef const int *index_ = i32(index, "index", 3) if index is not None else NULL
    cdef const float *W_ = f32(W, "W", 4)
    cdef float *dx_ = f32_out(dx, "dx", x.ndim) if dx is not None else NULL
    if dx is not None and (<object>dx).shape != (<object>x).shape:
        raise ValueError(f"`dx` must have shape {(<object>x).shape}. Received: {(<object>dx).shape}")
    cdef float *dW_ = image(dW, "dW", s.KH, s.KW, s.C // groups, s.N, True) if dW is not None else NULL
    cdef float *scratch = take_scratch(fk_conv_peaks_scratch(&s, Q))
    with nogil:
        if dx_ != NULL:
            fk_conv_peaks_backward_input(dx_, g_, place_, index_, W_, &s, scratch, Q, R)
        if dW_ != NULL:
            fk_conv_peaks_backward_kernel(dW_, g_, place_, x_, index_, &s, scratch, Q)
    give_scratch(scratch)


def forward_rows(ndarray y not None, ndarray z, ndarray P not None, ndarray index not None, ndarray bias,
                 Activation activation not None):
    """y_m = f(bias + sum_t P_t[index_tm])   P (T, R, N)   index (T, M), each in [0, R)   y (M, N)   z: as y, or None"""
    cdef Py_ssize_t T = index.shape[0], M = y.shape[0], N = y.shape[1], R = P.shape[1]
    cdef float *y_ = f32_out(y, "y", 2)
    cdef float *z_ = f32_out(z, "z", 2, M, N) if z is not None else NULL
    cdef const float *P_ = f32(P, "P", 3, T, -1, N)
    cdef const int *index_ = i32(index, "index", 2, T, M)
    cdef const float *bias_
    f32_or_null(&bias_, bias, "bias", 1, N)
    cdef fk_activation f = elementwise(activation)
    with nogil:
        fk_conv_rows_forward(y_, z_, P_, index_, bias_, f, T, R, M, N)


def forward_rows_max(ndarray y not None, ndarray place, ndarray P not None, ndarray index not None, ndarray bias,
                     Activation activation not None, extents, size, pool_strides, before):
    """y = max of what forward_rows gives for images of `extents` under pooling windows, place (as y, or None) = where

    P (T, R, N)   index (T, B * H * W), each in [0, R)   y (B, pool OH, pool OW, N)
    """
    cdef fk_pooling pool
    cdef Py_ssize_t T = index.shape[0], N = P.shape[2], R = P.shape[1], H = extents[0], W = extents[1]
    cdef float *y_ = image(y, "y", -1, -1, -1, N, True)
    pooling_of(&pool, y.shape[0], H, W, N, y.shape[1], y.shape[2], size, pool_strides, before)
    cdef int *place_ = same_shape(place, "place", y, i32_out(place, "place", 4)) if place is not None else NULL
    cdef const float *P_ = f32(P, "P", 3, T)
    cdef const int *index_ = i32(index, "index", 2, T, pool.B * H * W)
    cdef const float *bias_
    f32_or_null(&bias_, bias, "bias", 1, N)
    cdef fk_activation f = elementwise(activation)
    cdef float *scratch = take_scratch(fk_conv_rows_max_scratch(&pool))
    with nogil:
        fk_conv_rows_max_forward(y_, place_, P_, index_, bias_, f, T, R, &pool, scratch)
    give_scratch(scratch)


def pad(ndarray to not None, ndarray x not None, Py_ssize_t top, Py_ssize_t left):
    """to = x with a border of zeros   to (B, H, W, C) =   x (B, h, w, C) at `top`, `left`"""
    cdef const float *x_ = f32(x, "x", 4)
    cdef Py_ssize_t B = x.shape[0], h = x.shape[1], w = x.shape[2], C = x.shape[3]
    cdef float *to_ = image(to, "to", B, -1, -1, C, True)
    cdef Py_ssize_t H = to.shape[1], W = to.shape[2]
    check_border(H, W, h, w, top, left)
    with nogil:
        fk_conv_pad(to_, x_, top, left, B, H, W, h, w, C)


def crop(ndarray to not None, ndarray x not None, Py_ssize_t top, Py_ssize_t left):
    """to = x without a border   to (B, h, w, C) =   x (B, H, W, C), of which `to` begins at `top`, `left`"""
    cdef const float *x_ = f32(x, "x", 4)
    cdef Py_ssize_t B = x.shape[0], H = x.shape[1], W = x.shape[2], C = x.shape[3]
    cdef float *to_ = image(to, "to", B, -1, -1, C, True)
    cdef Py_ssize_t h = to.shape[1], w = to.shape[2]
    check_border(H, W, h, w, top, left)
    with nogil:
        fk_conv_crop(to_, x_, top, left, B, H, W, h, w, C)


cdef int check_border(Py_ssize_t H, Py_ssize_t W, Py_ssize_t h, Py_ssize_t w, Py_ssize_t top,
                      Py_ssize_t left) except -1:
    if top < 0 or left < 0 or top + h > H or left + w > W:
        raise ValueError(f"{h} x {w} pixels at {top}, {left} must lie in {H} x {W}.")
    return 0
