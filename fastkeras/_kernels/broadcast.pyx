"""numpy's +, -, *, sum and broadcast_to, for arrays of float32 by broadcast.c: what code in ops does most.

Each gives what numpy's function gives, but that a sum of all elements may be an array without axes, and leaves to it
what is not meant for the kernel: tensors, other types, more than three axes once neighbours are joined, numbers that do
not lie side by side.
"""

import numpy as np

cimport numpy as cnp
from cpython.object cimport PyObject, PyTypeObject
from numpy cimport ndarray

cnp.import_array()

cdef extern from "broadcast.h" nogil:
    ctypedef enum fk_arithmetic:
        FK_ADD, FK_SUBTRACT, FK_MULTIPLY
    void fk_broadcast(float *y, const float *a, const float *b, fk_arithmetic op, const Py_ssize_t *a_step,
                      const Py_ssize_t *b_step, const Py_ssize_t *n) noexcept
    void fk_sum_middle(float *y, const float *x, const Py_ssize_t *n) noexcept

cdef extern from "numpy/arrayobject.h":
    object PyArray_New(PyTypeObject *kind, int ndim, cnp.npy_intp *shape, int type, cnp.npy_intp *strides, void *data,
                       int itemsize, int flags, PyObject *none)

cdef enum:
    AXES = 3
    MOST_AXES = 64  # of numpy's arrays

cdef object FLOAT32 = np.dtype(np.float32)


cdef struct Operand:
    const float *data
    int ndim
    cnp.npy_intp *shape
    cnp.npy_intp *strides
    float number  # what `data` points to if it is a number


cdef bint is_operand(Operand *found, object x):
    """Whether x is an array of float32 that lies as numbers do, or a number of Python's; fills `found`."""
    cdef ndarray array
    if type(x) is ndarray:
        array = <ndarray>x
        found.data, found.ndim = <const float *>cnp.PyArray_DATA(array), cnp.PyArray_NDIM(array)
        found.shape, found.strides = cnp.PyArray_DIMS(array), cnp.PyArray_STRIDES(array)
        return array.descr is FLOAT32 and cnp.PyArray_ISALIGNED(array)
    if type(x) is float or type(x) is int:
        found.number, found.ndim = x, 0
        found.data = &found.number
        return True
    return False


cdef bint as_three_axes(cnp.npy_intp *shape, Py_ssize_t *n, Py_ssize_t *a_step, Py_ssize_t *b_step, Operand *a,
                        Operand *b, int ndim):
    """The shape of a op b, which has `ndim` axes, and n and the steps that fk_broadcast takes; False if a and b do not
    fit, or lie otherwise. Neighbouring axes are joined where the outer one goes on at the end of the inner one."""
    cdef Py_ssize_t extent, a_extent, b_extent, u, v
    cdef int axis, joined = AXES  # axes from `joined` on are there
    for axis in range(1, ndim + 1):  # from the last
        a_extent = a.shape[a.ndim - axis] if axis <= a.ndim else 1
        b_extent = b.shape[b.ndim - axis] if axis <= b.ndim else 1
        extent = shape[ndim - axis] = b_extent if a_extent == 1 else a_extent
        if b_extent != extent and b_extent != 1:
            return False
        if extent == 1:
            continue
        u = a.strides[a.ndim - axis] if a_extent > 1 else 0
        v = b.strides[b.ndim - axis] if b_extent > 1 else 0
        if u % sizeof(float) or v % sizeof(float):
            return False
        u, v = u // <Py_ssize_t>sizeof(float), v // <Py_ssize_t>sizeof(float)
        if joined < AXES and u == n[joined] * a_step[joined] and v == n[joined] * b_step[joined]:
            n[joined] *= extent
        elif joined > 0:
            joined -= 1
            n[joined], a_step[joined], b_step[joined] = extent, u, v
        else:
            return False
    return 0 <= a_step[AXES - 1] <= 1 and 0 <= b_step[AXES - 1] <= 1


cdef object arithmetic(fk_arithmetic op, object numpys, object x1, object x2):
    """x1 op x2; numpys: the function of numpy."""
    cdef Operand a, b
    cdef cnp.npy_intp[MOST_AXES] shape
    cdef Py_ssize_t[AXES] n = [1, 1, 1], a_step = [0, 0, 0], b_step = [0, 0, 0]
    if not is_operand(&a, x1) or not is_operand(&b, x2) or a.ndim + b.ndim == 0:
        return numpys(x1, x2)
    cdef int ndim = max(a.ndim, b.ndim)
    if not as_three_axes(shape, n, a_step, b_step, &a, &b, ndim):
        return numpys(x1, x2)  # which says so if they do not fit
    cdef ndarray y = cnp.PyArray_EMPTY(ndim, shape, cnp.NPY_FLOAT, 0)
    cdef float *data = <float *>cnp.PyArray_DATA(y)
    if cnp.PyArray_SIZE(y):
        with nogil:
            fk_broadcast(data, a.data, b.data, op, a_step, b_step, n)
    return y


cpdef object add(object a, object b):
    """a + b"""
    return arithmetic(FK_ADD, np.add, a, b)


def subtract(object a, object b):
    """a - b"""
    return arithmetic(FK_SUBTRACT, np.subtract, a, b)


def multiply(object a, object b):
    """a b, element by element"""
    return arithmetic(FK_MULTIPLY, np.multiply, a, b)


cpdef object summed(object x, object axis=None, bint keepdims=False):
    """The sum over an axis, over those in a tuple, or over all."""
    cdef Py_ssize_t[AXES] n = [1, 1, 1]  # before, between and behind the ends of what is summed
    cdef cnp.npy_intp[MOST_AXES] shape
    cdef int first = 0, last = 0, i, ndim = 0
    if (
        type(x) is not ndarray
        or (<ndarray>x).descr is not FLOAT32
        or not cnp.PyArray_ISCARRAY_RO(<ndarray>x)
        or not are_neighbours(&first, &last, axis, cnp.PyArray_NDIM(<ndarray>x))
    ):
        return x.sum(axis=axis, keepdims=keepdims)
    for i in range(cnp.PyArray_NDIM(<ndarray>x)):
        n[0 if i < first else 1 if i < last else 2] *= cnp.PyArray_DIM(<ndarray>x, i)
        if keepdims or not first <= i < last:
            shape[ndim] = 1 if first <= i < last else cnp.PyArray_DIM(<ndarray>x, i)
            ndim += 1
    cdef ndarray y = cnp.PyArray_EMPTY(ndim, shape, cnp.NPY_FLOAT, 0)
    cdef float *data = <float *>cnp.PyArray_DATA(y)
    cdef const float *x_data = <const float *>cnp.PyArray_DATA(<ndarray>x)
    with nogil:
        fk_sum_middle(data, x_data, n)
    return y


cdef bint are_neighbours(int *first, int *last, object axis, int ndim):
    """Whether the axes lie side by side, in order; if so they are first, ..., last - 1."""
    cdef tuple axes = axis if type(axis) is tuple else (axis,)
    if axis is None:
        first[0], last[0] = 0, ndim
        return True
    for i, a in enumerate(axes):
        if type(a) is not int or not -ndim <= a < ndim or (i > 0 and a % ndim != last[0]):
            return False
        last[0] = a % ndim + 1
        if i == 0:
            first[0] = a % ndim
    return len(axes) > 0


def repeated(ndarray d not None, tuple shape not None):
    """d, repeated to this shape, to be read only: what is repeated lies in memory once"""
    cdef cnp.npy_intp[MOST_AXES] extents, strides
    cdef Py_ssize_t i, front = len(shape) - cnp.PyArray_NDIM(d)
    if d.descr is not FLOAT32 or front < 0 or len(shape) > MOST_AXES:
        return np.broadcast_to(d, shape)
    for i in range(len(shape)):
        extents[i], strides[i] = shape[i], 0
        if i >= front and cnp.PyArray_DIM(d, i - front) != 1:
            strides[i] = cnp.PyArray_STRIDE(d, i - front)
            if cnp.PyArray_DIM(d, i - front) != extents[i]:
                return np.broadcast_to(d, shape)  # which says what is wrong
    view = PyArray_New(<PyTypeObject *>ndarray, len(shape), extents, cnp.NPY_FLOAT, strides, cnp.PyArray_DATA(d), 0, 0,
                       NULL)
    cnp.set_array_base(view, d)
    return view
