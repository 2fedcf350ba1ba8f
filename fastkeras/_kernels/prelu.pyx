"""Shapes, pointers and the GIL for prelu.c; the mathematics is in src_c/prelu.h."""

from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, f32_out_or_null, give_scratch, take_scratch

cdef extern from "prelu.h" nogil:
    void fk_prelu_forward(float *y, const float *x, const float *a, Py_ssize_t N, Py_ssize_t C) noexcept
    Py_ssize_t fk_prelu_scratch(Py_ssize_t N, Py_ssize_t C) noexcept
    void fk_prelu_backward(float *dx, float *da, const float *dy, const float *x, const float *a, float *scratch,
                           Py_ssize_t N, Py_ssize_t C) noexcept


def forward(ndarray y not None, ndarray x not None, ndarray a not None):
    """y = x where x > 0, a x elsewhere    y (N, C) =, x (N, C), a (C)"""
    cdef const float *x_data = f32(x, "x", 2)
    cdef Py_ssize_t N = x.shape[0], C = x.shape[1]
    cdef float *y_data = f32_out(y, "y", 2, N, C)
    cdef const float *a_data = f32(a, "a", 1, C)
    with nogil:
        fk_prelu_forward(y_data, x_data, a_data, N, C)


def backward(ndarray dx, ndarray da, ndarray dy not None, ndarray x not None, ndarray a not None):
    """dx = dy where x > 0, a dy elsewhere; da += sum of x dy over the rows where x <= 0

    dx (N, C) =, da (C) +=, each or None; dx may be dy
    """
    cdef const float *x_data = f32(x, "x", 2)
    cdef Py_ssize_t N = x.shape[0], C = x.shape[1]
    cdef const float *dy_data = f32(dy, "dy", 2, N, C)
    cdef const float *a_data = f32(a, "a", 1, C)
    cdef float *dx_data
    cdef float *da_data
    f32_out_or_null(&dx_data, dx, "dx", 2, N, C)
    f32_out_or_null(&da_data, da, "da", 1, C)
    cdef float *scratch = take_scratch(fk_prelu_scratch(N, C))
    with nogil:
        fk_prelu_backward(dx_data, da_data, dy_data, x_data, a_data, scratch, N, C)
    give_scratch(scratch)
