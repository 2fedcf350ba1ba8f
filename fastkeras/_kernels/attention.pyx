"""Shapes, pointers and the GIL for attention.c; the mathematics is in src_c/attention.h."""

cimport numpy as cnp
from libc.stdint cimport uint8_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, take_scratch

cnp.import_array()

cdef extern from "attention.h" nogil:
    ctypedef struct fk_attention:
        const float *q
        const float *k
        const float *v
        const float *x
        const float *m
        const uint8_t *mask
        Py_ssize_t mask_b, mask_h, mask_t
        int causal, uniform
        float scale
        Py_ssize_t B, H, T, S, K, V
    void fk_attention_forward(float *y, float *P, const fk_attention *a, float *scratch) noexcept
    void fk_attention_backward(float *dq, float *dk, float *dv, float *dx, const float *dy, const float *dP_given,
                               const fk_attention *a, float *scratch) noexcept
    Py_ssize_t fk_attention_scratch(Py_ssize_t B, Py_ssize_t H, Py_ssize_t T, Py_ssize_t S, Py_ssize_t K,
                                    Py_ssize_t V) noexcept
    void fk_additive_scores(float *x, const float *q, const float *k, const float *w, Py_ssize_t B, Py_ssize_t T,
                            Py_ssize_t S, Py_ssize_t D) noexcept
    void fk_additive_scores_backward(float *dq, float *dk, float *dw, const float *dx, const float *q, const float *k,
                                     const float *w, float *scratch, Py_ssize_t B, Py_ssize_t T, Py_ssize_t S,
                                     Py_ssize_t D) noexcept


cdef class Attention:
    """One attention: its arrays and settings, as `forward` and `backward` want them.

    q (B, T, H*K), k (B, S, H*K); or x (B*H, T, S), scores from elsewhere, instead; v (B, S, H*V); all float32
    mask: bool (B, H, T, S), of any strides but the last, or None; m (B*H, T, S) float32, factors of dropout, or None
    causal: query t attends to keys up to t; uniform: a query that may attend to nothing attends to all alike
    """

    cdef fk_attention c
    cdef tuple arrays  # kept alive

    def __init__(self, ndarray q, ndarray k, ndarray v not None, Py_ssize_t heads, float scale, ndarray x=None,
                 ndarray mask=None, ndarray m=None, bint causal=False, bint uniform=False):
        cdef fk_attention *c = &self.c
        if heads < 1 or (q is None) != (k is None) or (q is None) == (x is None):
            raise ValueError("`heads` must be positive, and either `q` and `k` or `x` must be given.")
        c.v = f32(v, "v", 3)
        c.B, c.S, c.H, c.V = v.shape[0], v.shape[1], heads, v.shape[2] // heads
        c.T = q.shape[1] if x is None else x.shape[1]
        c.K = 0 if q is None else q.shape[2] // heads
        f32(v, "v", 3, c.B, c.S, c.H * c.V)
        c.q = NULL if q is None else f32(q, "q", 3, c.B, c.T, c.H * c.K)
        c.k = NULL if k is None else f32(k, "k", 3, c.B, c.S, c.H * c.K)
        f32_or_null(&c.x, x, "x", 3, c.B * c.H, c.T, c.S)
        f32_or_null(&c.m, m, "m", 3, c.B * c.H, c.T, c.S)
        c.mask = NULL
        if mask is not None:
            if (cnp.PyArray_TYPE(mask) != cnp.NPY_BOOL or (<object>mask).shape != (c.B, c.H, c.T, c.S)
                    or c.S > 1 and cnp.PyArray_STRIDE(mask, 3) != 1):
                raise ValueError(f"`mask` must be a bool array of shape {(c.B, c.H, c.T, c.S)}, its last axis contiguous. "
                                 f"Received: {mask.dtype} of shape {(<object>mask).shape}")
            c.mask = <uint8_t *>cnp.PyArray_DATA(mask)
            c.mask_b, c.mask_h, c.mask_t = mask.strides[0], mask.strides[1], mask.strides[2]
        c.scale, c.causal, c.uniform = scale, causal, uniform
        self.arrays = (q, k, v, x, mask, m)

    @property
    def pairs(self):
        """(how many queries meet a key, of all heads and samples; K; V)"""
        return self.c.B * self.c.H * self.c.T * self.c.S, self.c.K, self.c.V

    def forward(self, ndarray y not None, ndarray P=None):
        """y (B, T, H*V) =, and P (B*H, T, S) = or None"""
        cdef fk_attention *c = &self.c
        cdef float *y_ = f32_out(y, "y", 3, c.B, c.T, c.H * c.V)
        cdef float *P_
        f32_out_or_null(&P_, P, "P", 3, c.B * c.H, c.T, c.S)
        cdef float *scratch = take_scratch(fk_attention_scratch(c.B, c.H, c.T, c.S, c.K, c.V))
        with nogil:
            fk_attention_forward(y_, P_, c, scratch)
        give_scratch(scratch)

    def backward(self, ndarray dq, ndarray dk, ndarray dv not None, ndarray dx, ndarray dy not None, ndarray dP=None):
        """dv (B, S, H*V) =, and dq, dk as q, k =, or dx (B*H, T, S) = instead, from dy and dP (B*H, T, S) or None"""
        cdef fk_attention *c = &self.c
        cdef float *dq_ = NULL if c.x else f32_out(dq, "dq", 3, c.B, c.T, c.H * c.K)
        cdef float *dk_ = NULL if c.x else f32_out(dk, "dk", 3, c.B, c.S, c.H * c.K)
        cdef float *dx_ = f32_out(dx, "dx", 3, c.B * c.H, c.T, c.S) if c.x else NULL
        cdef float *dv_ = f32_out(dv, "dv", 3, c.B, c.S, c.H * c.V)
        cdef const float *dy_ = f32(dy, "dy", 3, c.B, c.T, c.H * c.V)
        cdef const float *dP_
        f32_or_null(&dP_, dP, "dP", 3, c.B * c.H, c.T, c.S)
        cdef float *scratch = take_scratch(fk_attention_scratch(c.B, c.H, c.T, c.S, c.K, c.V))
        with nogil:
            fk_attention_backward(dq_, dk_, dv_, dx_, dy_, dP_, c, scratch)
        give_scratch(scratch)


def additive_scores(ndarray x not None, ndarray q not None, ndarray k not None, ndarray w=None):
    """x_ts = sum_d w_d tanh(q_td + k_sd)    x (B, T, S) =    q (B, T, D)  k (B, S, D)  w (D) or None for ones"""
    cdef const float *q_ = f32(q, "q", 3)
    cdef Py_ssize_t B = q.shape[0], T = q.shape[1], D = q.shape[2]
    cdef const float *k_ = f32(k, "k", 3, B, -1, D)
    cdef Py_ssize_t S = k.shape[1]
    cdef float *x_ = f32_out(x, "x", 3, B, T, S)
    cdef const float *w_
    f32_or_null(&w_, w, "w", 1, D)
    with nogil:
        fk_additive_scores(x_, q_, k_, w_, B, T, S, D)


def additive_scores_backward(ndarray dq not None, ndarray dk not None, ndarray dw, ndarray dx not None,
                             ndarray q not None, ndarray k not None, ndarray w=None):
    """dq (B, T, D) =, dk (B, S, D) =, dw (D) += or None, from dx (B, T, S)"""
    cdef const float *q_ = f32(q, "q", 3)
    cdef Py_ssize_t B = q.shape[0], T = q.shape[1], D = q.shape[2]
    cdef const float *k_ = f32(k, "k", 3, B, -1, D)
    cdef Py_ssize_t S = k.shape[1]
    cdef float *dq_ = f32_out(dq, "dq", 3, B, T, D)
    cdef float *dk_ = f32_out(dk, "dk", 3, B, S, D)
    cdef const float *dx_ = f32(dx, "dx", 3, B, T, S)
    cdef float *dw_
    cdef const float *w_
    f32_out_or_null(&dw_, dw, "dw", 1, D)
    f32_or_null(&w_, w, "w", 1, D)
    cdef float *scratch = take_scratch(B * D)
    with nogil:
        fk_additive_scores_backward(dq_, dk_, dw_, dx_, q_, k_, w_, scratch, B, T, S, D)
    give_scratch(scratch)
