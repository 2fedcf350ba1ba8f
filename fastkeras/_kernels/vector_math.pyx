"""The functions of src_c/simd.h over arrays."""

from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out

cdef extern from "vector_math.h" nogil:
    ctypedef enum fk_function:
        FK_EXP
        FK_EXP_FAST
        FK_EXPM1
        FK_LOG
        FK_LOG1P
        FK_VECTOR_SIGMOID
        FK_VECTOR_TANH
        FK_ERF
        FK_SQRT
    void fk_vector_math(float *y, const float *x, fk_function g, Py_ssize_t n) noexcept

FUNCTIONS = {
    "exp": FK_EXP,
    "exp_fast": FK_EXP_FAST,
    "expm1": FK_EXPM1,
    "log": FK_LOG,
    "log1p": FK_LOG1P,
    "sigmoid": FK_VECTOR_SIGMOID,
    "tanh": FK_VECTOR_TANH,
    "erf": FK_ERF,
    "sqrt": FK_SQRT,
}


def apply(ndarray y not None, ndarray x not None, str name not None):
    """y = name(x)    x, y (n) =;  y may be x;  name is one of FUNCTIONS"""
    cdef const float *x_data = f32(x, "x", 1)
    cdef float *y_data = f32_out(y, "y", 1, x.shape[0])
    cdef fk_function g = FUNCTIONS[name]
    cdef Py_ssize_t n = x.shape[0]
    with nogil:
        fk_vector_math(y_data, x_data, g, n)
