"""Shapes, pointers and the GIL for crf.c; the mathematics is in src_c/crf.h."""

cimport numpy as cnp
from libc.stdint cimport uint8_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport (f32, f32_or_null, f32_out, f32_out_or_null, give_scratch, i32, i32_out,
                                       take_scratch, u8_or_null)

cnp.import_array()

cdef extern from "crf.h" nogil:
    int fk_crf_loss(float *nll, float *dx, float *dA, float *dstart, float *dend, const float *x, const float *A,
                    const float *start, const float *end, const int *y, const uint8_t *mask, const float *w,
                    float *scratch, Py_ssize_t B, Py_ssize_t T, Py_ssize_t C) noexcept
    void fk_crf_decode(int *tags, const float *x, const float *A, const float *start, const float *end,
                       const uint8_t *mask, float *scratch, Py_ssize_t B, Py_ssize_t T, Py_ssize_t C) noexcept
    Py_ssize_t fk_crf_scratch(Py_ssize_t B, Py_ssize_t T, Py_ssize_t C) noexcept


def loss(ndarray nll not None, ndarray dx, ndarray dA, ndarray dstart, ndarray dend, ndarray x not None,
         ndarray A not None, ndarray start, ndarray end, ndarray y not None, ndarray mask=None, ndarray w=None):
    """nll (B) = -log p(y | x), and unless dx is None the gradients: dx as x =, dA (C, C), dstart, dend (C) +=

    x (B, T, C), A (C, C), start, end (C) or None, y (B, T) int32, mask (B, T) bool or None, w (B), wanted with dx.
    Raises IndexError for a tag outside [0, C) at a kept step.
    """
    cdef const float *x_ = f32(x, "x", 3)
    cdef Py_ssize_t B = x.shape[0], T = x.shape[1], C = x.shape[2]
    cdef float *nll_ = f32_out(nll, "nll", 1, B)
    cdef const float *A_ = f32(A, "A", 2, C, C)
    cdef const int *y_ = i32(y, "y", 2, B, T)
    cdef const float *start_
    cdef const float *end_
    cdef const uint8_t *mask_
    f32_or_null(&start_, start, "start", 1, C)
    f32_or_null(&end_, end, "end", 1, C)
    u8_or_null(&mask_, mask, "mask", 2, B, T)
    cdef bint slopes = dx is not None
    cdef float *dx_ = f32_out(dx, "dx", 3, B, T, C) if slopes else NULL
    cdef float *dA_ = f32_out(dA, "dA", 2, C, C) if slopes else NULL
    cdef const float *w_ = f32(w, "w", 1, B) if slopes else NULL
    cdef float *dstart_ = f32_out(dstart, "dstart", 1, C) if slopes and start is not None else NULL
    cdef float *dend_ = f32_out(dend, "dend", 1, C) if slopes and end is not None else NULL
    cdef int status
    cdef float *scratch = take_scratch(fk_crf_scratch(B, T, C))
    with nogil:
        status = fk_crf_loss(nll_, dx_, dA_, dstart_, dend_, x_, A_, start_, end_, y_, mask_, w_, scratch, B, T, C)
    give_scratch(scratch)
    if status:
        raise IndexError(f"a tag is outside [0, {C})")


def decode(ndarray tags not None, ndarray x not None, ndarray A not None, ndarray start, ndarray end,
           ndarray mask=None):
    """tags (B, T) int32 = those of the largest score, 0 at masked steps; the others as in `loss`"""
    cdef const float *x_ = f32(x, "x", 3)
    cdef Py_ssize_t B = x.shape[0], T = x.shape[1], C = x.shape[2]
    cdef int *tags_ = i32_out(tags, "tags", 2, B, T)
    cdef const float *A_ = f32(A, "A", 2, C, C)
    cdef const float *start_
    cdef const float *end_
    cdef const uint8_t *mask_
    f32_or_null(&start_, start, "start", 1, C)
    f32_or_null(&end_, end, "end", 1, C)
    u8_or_null(&mask_, mask, "mask", 2, B, T)
    cdef float *scratch = take_scratch(fk_crf_scratch(B, T, C))
    with nogil:
        fk_crf_decode(tags_, x_, A_, start_, end_, mask_, scratch, B, T, C)
    give_scratch(scratch)
