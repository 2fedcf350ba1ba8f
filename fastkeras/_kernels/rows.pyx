"""Shapes, pointers and the GIL for rows.c; the mathematics is in src_c/rows.h."""

cimport numpy as cnp
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, give_scratch, i32, i32_out, take_scratch

cnp.import_array()

cdef extern from "rows.h" nogil:
    int fk_rows_distinct(int *index, int *ids, Py_ssize_t *count, Py_ssize_t *position, const int *x,
                         int *seen, Py_ssize_t N, Py_ssize_t V) noexcept
    Py_ssize_t fk_rows_pairs(int *index, int *first, int *second, const int *a, const int *b, float *scratch,
                             Py_ssize_t N) noexcept
    Py_ssize_t fk_rows_pairs_scratch(Py_ssize_t N) noexcept
    void fk_rows_gather_pairs(float *y, const float *left, const float *right, const int *first,
                              const int *second, Py_ssize_t P, Py_ssize_t D, Py_ssize_t E) noexcept
    void fk_rows_scatter_add_pairs(float *dleft, float *dright, const float *dy, const int *first,
                                   const int *second, Py_ssize_t P, Py_ssize_t D, Py_ssize_t E) noexcept
    void fk_rows_gather_masked(float *y, const float *values, const float *m, const int *first, const int *second,
                               Py_ssize_t P, Py_ssize_t D) noexcept
    void fk_rows_scatter_add_masked(float *dvalues, const float *dy, const float *m, const int *first,
                                    const int *second, Py_ssize_t P, Py_ssize_t D) noexcept
    void fk_rows_gather(float *y, const float *values, const int *index, Py_ssize_t N, Py_ssize_t D) noexcept
    void fk_rows_scatter_add(float *dvalues, Py_ssize_t dvalues_row, const float *dy, Py_ssize_t dy_row,
                             const int *index, Py_ssize_t N, Py_ssize_t D) noexcept
    void fk_rows_clear(float *y, Py_ssize_t n) noexcept
    int fk_rows_take(void *y, const void *x, const int *index, Py_ssize_t N, Py_ssize_t R,
                     Py_ssize_t bytes) noexcept


def distinct(ndarray index not None, ndarray ids not None, ndarray x not None, ndarray seen not None):
    """ids[index[n]] = x[n]; returns how many ids there are. seen (V) is all -1 before and after.

    Raises IndexError if an id lies outside [0, V)."""
    cdef int *seen_ = i32_out(seen, "seen", 1)
    cdef Py_ssize_t N = cnp.PyArray_SIZE(x), V = cnp.PyArray_DIM(seen, 0), count = 0, position = 0
    cdef const int *x_ = i32(x, "x", cnp.PyArray_NDIM(x))
    cdef int *index_ = i32_out(index, "index", 1, N)
    cdef int *ids_ = i32_out(ids, "ids", 1, N if N < V else V)
    cdef int status
    with nogil:
        status = fk_rows_distinct(index_, ids_, &count, &position, x_, seen_, N, V)
    if status:
        raise IndexError(f"id {x_[position]} at position {position} is outside [0, {V})")
    return count


def pairs(ndarray index not None, ndarray first not None, ndarray second not None, ndarray a not None,
          ndarray b not None):
    """first[index[n]] = a[n] and second[index[n]] = b[n]; returns how many distinct pairs there are. All int32 (N)."""
    cdef Py_ssize_t N = cnp.PyArray_SIZE(index), count
    cdef int *index_ = i32_out(index, "index", 1)
    cdef int *first_ = i32_out(first, "first", 1, N)
    cdef int *second_ = i32_out(second, "second", 1, N)
    cdef const int *a_ = i32(a, "a", 1, N)
    cdef const int *b_ = i32(b, "b", 1, N)
    cdef float *scratch = take_scratch(fk_rows_pairs_scratch(N))
    with nogil:
        count = fk_rows_pairs(index_, first_, second_, a_, b_, scratch, N)
    give_scratch(scratch)
    return count


def gather_pairs(ndarray y not None, ndarray left not None, ndarray right not None, ndarray first not None,
                 ndarray second not None):
    """y_p = [ left[first[p]] | right[second[p]] ]; first and second (P) as `pairs` made them."""
    cdef const float *left_ = f32(left, "left", 2)
    cdef const float *right_ = f32(right, "right", 2)
    cdef Py_ssize_t P = cnp.PyArray_SIZE(first), D = cnp.PyArray_DIM(left, 1), E = cnp.PyArray_DIM(right, 1)
    cdef const int *first_ = i32(first, "first", 1)
    cdef const int *second_ = i32(second, "second", 1, P)
    cdef float *y_ = f32_out(y, "y", 2, P, D + E)
    with nogil:
        fk_rows_gather_pairs(y_, left_, right_, first_, second_, P, D, E)


def scatter_add_pairs(ndarray dleft not None, ndarray dright not None, ndarray dy not None, ndarray first not None,
                      ndarray second not None):
    """dleft_r += sum of the left part of dy_p over first[p] = r; dright likewise over second"""
    cdef float *dleft_ = f32_out(dleft, "dleft", 2)
    cdef float *dright_ = f32_out(dright, "dright", 2)
    cdef Py_ssize_t P = cnp.PyArray_SIZE(first), D = cnp.PyArray_DIM(dleft, 1), E = cnp.PyArray_DIM(dright, 1)
    cdef const float *dy_ = f32(dy, "dy", 2, P, D + E)
    cdef const int *first_ = i32(first, "first", 1)
    cdef const int *second_ = i32(second, "second", 1, P)
    with nogil:
        fk_rows_scatter_add_pairs(dleft_, dright_, dy_, first_, second_, P, D, E)


def gather_masked(ndarray y not None, ndarray values not None, ndarray m not None, ndarray first not None,
                  ndarray second not None):
    """y_p = values[first[p]] * m[second[p]]; first and second (P) as `pairs` made them."""
    cdef Py_ssize_t P = cnp.PyArray_SIZE(first), D = cnp.PyArray_DIM(values, 1)
    cdef const float *values_ = f32(values, "values", 2)
    cdef const float *m_ = f32(m, "m", 2, -1, D)
    cdef const int *first_ = i32(first, "first", 1)
    cdef const int *second_ = i32(second, "second", 1, P)
    cdef float *y_ = f32_out(y, "y", 2, P, D)
    with nogil:
        fk_rows_gather_masked(y_, values_, m_, first_, second_, P, D)


def scatter_add_masked(ndarray dvalues not None, ndarray dy not None, ndarray m not None, ndarray first not None,
                       ndarray second not None):
    """dvalues_r += sum of dy_p * m[second[p]] over first[p] = r"""
    cdef Py_ssize_t P = cnp.PyArray_SIZE(first), D = cnp.PyArray_DIM(dvalues, 1)
    cdef float *dvalues_ = f32_out(dvalues, "dvalues", 2)
    cdef const float *dy_ = f32(dy, "dy", 2, P, D)
    cdef const float *m_ = f32(m, "m", 2, -1, D)
    cdef const int *first_ = i32(first, "first", 1)
    cdef const int *second_ = i32(second, "second", 1, P)
    with nogil:
        fk_rows_scatter_add_masked(dvalues_, dy_, m_, first_, second_, P, D)


def gather(ndarray y not None, ndarray values not None, ndarray index not None):
    """y_n = values[index[n]]; index (N) as `distinct` or a recurrent layer made it."""
    cdef const float *values_ = f32(values, "values", 2)
    cdef Py_ssize_t N = cnp.PyArray_SIZE(index), D = cnp.PyArray_DIM(values, 1)
    cdef const int *index_ = i32(index, "index", cnp.PyArray_NDIM(index))
    cdef float *y_ = f32_out(y, "y", 2, N, D)
    with nogil:
        fk_rows_gather(y_, values_, index_, N, D)


def scatter_add(ndarray dvalues not None, ndarray dy not None, ndarray index not None, Py_ssize_t at=0,
                Py_ssize_t columns=-1):
    """dvalues_r += sum of dy_n over index[n] = r

    With `columns`: only that many first columns of dy, which are added to those of dvalues from `at` on."""
    cdef float *dvalues_ = f32_out(dvalues, "dvalues", 2)
    cdef Py_ssize_t N = cnp.PyArray_SIZE(index), R = cnp.PyArray_DIM(dvalues, 1)
    cdef const float *dy_ = f32(dy, "dy", 2, N, R if columns < 0 else -1)
    cdef Py_ssize_t Y = cnp.PyArray_DIM(dy, 1), D = Y if columns < 0 else columns
    cdef const int *index_ = i32(index, "index", cnp.PyArray_NDIM(index))
    if at < 0 or D > Y or at + D > R:
        raise ValueError(f"`columns` must be in `dy` and, from `at` on, in `dvalues`. Received: {columns} at {at}")
    with nogil:
        fk_rows_scatter_add(dvalues_ + at, R, dy_, Y, index_, N, D)


def clear(ndarray y not None):
    """y_i = 0"""
    cdef float *y_ = f32_out(y, "y", cnp.PyArray_NDIM(y))
    cdef Py_ssize_t n = cnp.PyArray_SIZE(y)
    with nogil:
        fk_rows_clear(y_, n)


def take(ndarray y not None, ndarray x not None, ndarray index not None):
    """y_n = x[index[n]]: rows of C-contiguous arrays of one dtype, whatever it is but object."""
    cdef const int *index_ = i32(index, "index", 1)
    cdef Py_ssize_t N = cnp.PyArray_SIZE(index)
    if cnp.PyArray_NDIM(x) == 0 or cnp.PyArray_NDIM(y) == 0:
        raise ValueError("`x` and `y` must have rows. Received: a scalar")
    cdef Py_ssize_t R = cnp.PyArray_DIM(x, 0)
    cdef Py_ssize_t row_bytes = cnp.PyArray_NBYTES(y) // N if N else 0
    cdef void *y_ = cnp.PyArray_DATA(y)
    cdef const void *x_ = cnp.PyArray_DATA(x)
    cdef int status
    if (y.descr is not x.descr or not cnp.PyArray_IS_C_CONTIGUOUS(x) or not cnp.PyArray_ISCARRAY(y)
            or cnp.PyArray_DIM(y, 0) != N or R * row_bytes != (cnp.PyArray_NBYTES(x) if N else 0)
            or cnp.PyArray_TYPE(y) == cnp.NPY_OBJECT):
        raise ValueError("`y` and `x` must be C-contiguous arrays with rows of one dtype and shape, no objects. "
                         f"Received: y {y.dtype} {(<object>y).shape}, x {x.dtype} {(<object>x).shape}")
    with nogil:
        status = fk_rows_take(y_, x_, index_, N, R, row_bytes)
    if status:
        raise IndexError(f"`index` must lie in [0, {R})")
