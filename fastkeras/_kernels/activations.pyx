"""Shapes, pointers and the GIL for activations.c; the formulas are in src_c/activations.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, f32_out

cnp.import_array()

cdef extern from "activations.h" nogil:
    ctypedef enum fk_activation_kind:
        FK_LINEAR
        FK_RELU
        FK_SIGMOID
        FK_TANH
        FK_SOFTMAX
        FK_LOG_SOFTMAX
        FK_SPARSEMAX
        FK_GENERAL_RELU
        FK_LEAKY_RELU
        FK_RELU6
        FK_ELU
        FK_SELU
        FK_CELU
        FK_GELU
        FK_GELU_TANH
        FK_SILU
        FK_HARD_SILU
        FK_MISH
        FK_SOFTPLUS
        FK_SOFTSIGN
        FK_HARD_SIGMOID
        FK_LEGACY_HARD_SIGMOID
        FK_LOG_SIGMOID
        FK_TANH_SHRINK
        FK_HARD_TANH
        FK_HARD_SHRINK
        FK_SOFT_SHRINK
        FK_THRESHOLD
        FK_SPARSE_PLUS
        FK_SPARSE_SIGMOID
        FK_SQUAREPLUS
        FK_EXPONENTIAL
    int fk_activation_is_rowwise(int kind) noexcept
    int fk_activation_needs_x(int kind) noexcept
    void fk_activation_forward(float *y, const float *x, fk_activation f, Py_ssize_t M, Py_ssize_t N) noexcept
    void fk_activation_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                                Py_ssize_t M, Py_ssize_t N) noexcept
    void fk_glu_forward(float *y, const float *x, Py_ssize_t M, Py_ssize_t N) noexcept
    void fk_glu_backward(float *dx, const float *dy, const float *x, Py_ssize_t M, Py_ssize_t N) noexcept

cdef dict KINDS = {
    "linear": FK_LINEAR,
    "relu": FK_RELU,
    "sigmoid": FK_SIGMOID,
    "tanh": FK_TANH,
    "softmax": FK_SOFTMAX,
    "log_softmax": FK_LOG_SOFTMAX,
    "sparsemax": FK_SPARSEMAX,
    "general_relu": FK_GENERAL_RELU,
    "leaky_relu": FK_LEAKY_RELU,
    "relu6": FK_RELU6,
    "elu": FK_ELU,
    "selu": FK_SELU,
    "celu": FK_CELU,
    "gelu": FK_GELU,
    "gelu_tanh": FK_GELU_TANH,
    "silu": FK_SILU,
    "hard_silu": FK_HARD_SILU,
    "mish": FK_MISH,
    "softplus": FK_SOFTPLUS,
    "softsign": FK_SOFTSIGN,
    "hard_sigmoid": FK_HARD_SIGMOID,
    "legacy_hard_sigmoid": FK_LEGACY_HARD_SIGMOID,
    "log_sigmoid": FK_LOG_SIGMOID,
    "tanh_shrink": FK_TANH_SHRINK,
    "hard_tanh": FK_HARD_TANH,
    "hard_shrink": FK_HARD_SHRINK,
    "soft_shrink": FK_SOFT_SHRINK,
    "threshold": FK_THRESHOLD,
    "sparse_plus": FK_SPARSE_PLUS,
    "sparse_sigmoid": FK_SPARSE_SIGMOID,
    "squareplus": FK_SQUAREPLUS,
    "exponential": FK_EXPONENTIAL,
}


cdef class Activation:
    """One of the kernels' activations with its numbers, under Keras's name.

    name         Keras's, such as "relu"
    rowwise      True if it looks at a whole row (softmax), False if it is elementwise
    needs_input  True if the backward pass needs x, False if y is enough
    """

    def __init__(self, str name not None, float a=0.0, float b=0.0, float c=0.0):
        self.name = name
        self.c = fk_activation(KINDS[name], a, b, c)
        self.rowwise = fk_activation_is_rowwise(self.c.kind)
        self.needs_input = fk_activation_needs_x(self.c.kind)

    def __reduce__(self):
        return Activation, (self.name, self.c.a, self.c.b, self.c.c)


cdef Py_ssize_t columns(ndarray x, Activation act) except -1:
    """How many elements the kernel takes as a row: the last axis, or all if it is elementwise."""
    if not act.rowwise:
        return cnp.PyArray_SIZE(x)
    if x.ndim == 0:
        raise ValueError(f"{act.name} works along an axis. Received: a number, {x}")
    return x.shape[x.ndim - 1]


cdef int check_shape(ndarray a, str name, ndarray like) except -1:
    if not cnp.PyArray_SAMESHAPE(a, like):
        raise ValueError(f"`{name}` must be of shape {(<object>like).shape}. Received: {(<object>a).shape}")
    return 0


def forward(ndarray y not None, ndarray x not None, Activation act not None):
    """y = act(x)    x, y (..., cols) = of any one shape;  y may be x"""
    cdef const float *x_data = f32(x, "x", x.ndim)
    cdef float *y_data = f32_out(y, "y", x.ndim)
    cdef Py_ssize_t cols = columns(x, act), rows = cnp.PyArray_SIZE(x) // cols if cols else 0
    check_shape(y, "y", x)
    with nogil:
        fk_activation_forward(y_data, x_data, act.c, rows, cols)


def backward(ndarray dx not None, ndarray dy not None, ndarray x, ndarray y not None,
             Activation act not None):
    """dx = act'(x) dy    dx =, dy, x, y of any one shape;  dx may be dy;  x may be None unless act.needs_input"""
    cdef const float *y_data = f32(y, "y", y.ndim)
    cdef const float *x_data
    cdef const float *dy_data = f32(dy, "dy", y.ndim)
    cdef float *dx_data = f32_out(dx, "dx", y.ndim)
    cdef Py_ssize_t cols = columns(y, act), rows = cnp.PyArray_SIZE(y) // cols if cols else 0
    f32_or_null(&x_data, x, "x", y.ndim)
    check_shape(dy, "dy", y)
    check_shape(dx, "dx", y)
    if x is not None:
        check_shape(x, "x", y)
    if x_data is NULL and act.needs_input:
        raise ValueError(f"the backward pass of {act.name} needs its input x. Received: x=None")
    with nogil:
        fk_activation_backward(dx_data, dy_data, x_data, y_data, act.c, rows, cols)


def glu_forward(ndarray y not None, ndarray x not None):
    """y_n = x_n sigmoid(x_{N+n})    y (rows, N) =, x (rows, 2N)"""
    cdef float *y_data = f32_out(y, "y", 2)
    cdef Py_ssize_t rows = y.shape[0], N = y.shape[1]
    cdef const float *x_data = f32(x, "x", 2, rows, 2 * N)
    with nogil:
        fk_glu_forward(y_data, x_data, rows, N)


def glu_backward(ndarray dx not None, ndarray dy not None, ndarray x not None):
    """dx_n = sigmoid(x_{N+n}) dy_n, dx_{N+n} = x_n sigmoid'(x_{N+n}) dy_n    dx, x (rows, 2N), dy (rows, N)"""
    cdef const float *dy_data = f32(dy, "dy", 2)
    cdef Py_ssize_t rows = dy.shape[0], N = dy.shape[1]
    cdef const float *x_data = f32(x, "x", 2, rows, 2 * N)
    cdef float *dx_data = f32_out(dx, "dx", 2, rows, 2 * N)
    with nogil:
        fk_glu_backward(dx_data, dy_data, x_data, rows, N)
