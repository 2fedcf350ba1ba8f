"""Shapes, pointers and the GIL for activations.c; the formulas are in src_c/activations.h."""

from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, f32_out

cdef extern from "activations.h" nogil:
    ctypedef enum fk_activation_kind:
        FK_LINEAR
        FK_RELU
        FK_SIGMOID
        FK_TANH
        FK_SOFTMAX
    int fk_activation_is_rowwise(int kind) noexcept
    int fk_activation_needs_x(int kind) noexcept
    void fk_activation_forward(float *y, const float *x, fk_activation f, Py_ssize_t M, Py_ssize_t N) noexcept
    void fk_activation_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                                Py_ssize_t M, Py_ssize_t N) noexcept

cdef dict KINDS = {
    "linear": FK_LINEAR,
    "relu": FK_RELU,
    "sigmoid": FK_SIGMOID,
    "tanh": FK_TANH,
    "softmax": FK_SOFTMAX,
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


def forward(ndarray y not None, ndarray x not None, Activation act not None):
    """y = act(x)    x, y (rows, cols) =;  y may be x"""
    cdef const float *x_data = f32(x, "x", 2)
    cdef Py_ssize_t rows = x.shape[0], cols = x.shape[1]
    cdef float *y_data = f32_out(y, "y", 2, rows, cols)
    with nogil:
        fk_activation_forward(y_data, x_data, act.c, rows, cols)


def backward(ndarray dx not None, ndarray dy not None, ndarray x, ndarray y not None,
             Activation act not None):
    """dx = act'(x) dy    dx =, dy, x, y (rows, cols);  dx may be dy;  x may be None unless act.needs_input"""
    cdef const float *y_data = f32(y, "y", 2)
    cdef const float *x_data
    cdef Py_ssize_t rows = y.shape[0], cols = y.shape[1]
    cdef const float *dy_data = f32(dy, "dy", 2, rows, cols)
    cdef float *dx_data = f32_out(dx, "dx", 2, rows, cols)
    f32_or_null(&x_data, x, "x", 2, rows, cols)
    if x_data is NULL and act.needs_input:
        raise ValueError(f"the backward pass of {act.name} needs its input x. Received: x=None")
    with nogil:
        fk_activation_backward(dx_data, dy_data, x_data, y_data, act.c, rows, cols)
