"""Shapes, pointers and the GIL for ctc.c; the mathematics is in src_c/ctc.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, give_scratch, i32, take_scratch

cnp.import_array()

cdef extern from "ctc.h" nogil:
    int fk_ctc_loss(float *nll, float *dx, const float *x, const int *y, const int *labels, const int *steps,
                    const float *w, int blank, float *scratch, Py_ssize_t B, Py_ssize_t T, Py_ssize_t C,
                    Py_ssize_t L) noexcept
    Py_ssize_t fk_ctc_scratch(Py_ssize_t B, Py_ssize_t T, Py_ssize_t L) noexcept


def loss(ndarray nll not None, ndarray dx, ndarray x not None, ndarray y not None, ndarray labels not None,
         ndarray steps not None, ndarray w=None, int blank=0):
    """nll (B) = -log p(y | x), infinite where there are too few steps, and unless dx is None its gradient: dx as x =

    x (B, T, C), y (B, L), labels (B) and steps (B) int32, how much of y and of x counts, w (B), wanted with dx.
    Raises IndexError for a label that counts outside [0, C), ValueError for counts outside [0, L] and [0, T].
    """
    cdef const float *x_ = f32(x, "x", 3)
    cdef Py_ssize_t B = x.shape[0], T = x.shape[1], C = x.shape[2], b
    cdef const int *y_ = i32(y, "y", 2, B, -1)
    cdef Py_ssize_t L = y.shape[1]
    cdef float *nll_ = f32_out(nll, "nll", 1, B)
    cdef const int *labels_ = i32(labels, "labels", 1, B)
    cdef const int *steps_ = i32(steps, "steps", 1, B)
    cdef bint slopes = dx is not None
    cdef float *dx_ = f32_out(dx, "dx", 3, B, T, C) if slopes else NULL
    cdef const float *w_ = f32(w, "w", 1, B) if slopes else NULL
    cdef int status
    if not 0 <= blank < C:
        raise IndexError(f"`blank` must be in [0, {C}). Received: {blank}")
    for b in range(B):
        if not (0 <= labels_[b] <= L and 0 <= steps_[b] <= T):
            raise ValueError(f"`labels` must be in [0, {L}] and `steps` in [0, {T}]. "
                             f"Received: {labels_[b]} and {steps_[b]}")
    cdef float *scratch = take_scratch(fk_ctc_scratch(B, T, L))
    with nogil:
        status = fk_ctc_loss(nll_, dx_, x_, y_, labels_, steps_, w_, blank, scratch, B, T, C, L)
    give_scratch(scratch)
    if status:
        raise IndexError(f"a label is outside [0, {C})")
