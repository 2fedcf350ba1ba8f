"""The functions of src_c/simd.h over arrays."""

from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out

cdef extern from "vector_math.h" nogil:
    ctypedef enum fk_function:
        FK_FUNCTION_EXP
        FK_FUNCTION_EXP_FAST
        FK_FUNCTION_EXPM1
        FK_FUNCTION_LOG
        FK_FUNCTION_LOG1P
        FK_FUNCTION_SIGMOID
        FK_FUNCTION_TANH
        FK_FUNCTION_ERF
        FK_FUNCTION_SQRT
    void fk_vector_math(float *y, const float *x, fk_function g, Py_ssize_t n) noexcept

FUNCTIONS = {
    "exp": FK_FUNCTION_EXP,
    "exp_fast": FK_FUNCTION_EXP_FAST,
    "expm1": FK_FUNCTION_EXPM1,
    "log": FK_FUNCTION_LOG,
    "log1p": FK_FUNCTION_LOG1P,
    "sigmoid": FK_FUNCTION_SIGMOID,
    "tanh": FK_FUNCTION_TANH,
    "erf": FK_FUNCTION_ERF,
    "sqrt": FK_FUNCTION_SQRT,
}


def apply(ndarray y not None, ndarray x not None, str name not None):
    """y = name(x)    x, y (n) =;  y may be x;  name is one of FUNCTIONS"""
    cdef const float *x_data = f32(x, "x", 1)
    cdef float *y_data = f32_out(y, "y", 1, x.shape[0])
    cdef fk_function g = FUNCTIONS[name]
    cdef Py_ssize_t n = x.shape[0]
    with nogil:
        fk_vector_math(y_data, x_data, g, n)
