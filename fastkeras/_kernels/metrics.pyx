"""Shapes, pointers and the GIL for metrics.c; the formulas are in src_c/metrics.h."""

from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, i32

cdef extern from "metrics.h" nogil:
    ctypedef enum fk_accuracy_kind:
        FK_EQUAL
        FK_BINARY_ACCURACY
        FK_CATEGORICAL_ACCURACY
        FK_SPARSE_CATEGORICAL_ACCURACY
    void fk_accuracy(double *total, double *weight, const float *y, const float *t, const int *labels, const float *w,
                     float threshold, fk_accuracy_kind kind, Py_ssize_t N, Py_ssize_t D) noexcept

KINDS = {
    "equal": FK_EQUAL,
    "binary": FK_BINARY_ACCURACY,
    "categorical": FK_CATEGORICAL_ACCURACY,
    "sparse": FK_SPARSE_CATEGORICAL_ACCURACY,
}


def accuracy(ndarray y not None, ndarray t not None, ndarray w, str kind not None, float threshold=0.5):
    """(sum_n w_n value_n, sum_n w_n) over the rows of predictions y and their targets

    y (N, D);  t (N, D), or int32 (N,) for kind "sparse";  w (N,) or None
    """
    cdef const float *y_data = f32(y, "y_pred", 2)
    cdef Py_ssize_t N = y.shape[0], D = y.shape[1]
    cdef const float *t_data = NULL
    cdef const float *w_data
    cdef const int *labels = NULL
    cdef double total = 0.0, weight = 0.0
    cdef fk_accuracy_kind c_kind = KINDS[kind]
    if c_kind == FK_SPARSE_CATEGORICAL_ACCURACY:
        labels = i32(t, "y_true", 1, N)
    else:
        t_data = f32(t, "y_true", 2, N, D)
    f32_or_null(&w_data, w, "weights", 1, N)
    with nogil:
        fk_accuracy(&total, &weight, y_data, t_data, labels, w_data, threshold, c_kind, N, D)
    return total, weight
