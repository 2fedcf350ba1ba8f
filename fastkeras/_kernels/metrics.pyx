"""Shapes, pointers and the GIL for metrics.c; the formulas are in src_c/metrics.h."""

from numpy cimport PyArray_DATA, ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, i32

cdef extern from "metrics.h" nogil:
    ctypedef enum fk_accuracy_kind:
        FK_EQUAL
        FK_BINARY_ACCURACY
        FK_CATEGORICAL_ACCURACY
        FK_SPARSE_CATEGORICAL_ACCURACY
        FK_TOP_K_CATEGORICAL_ACCURACY
        FK_SPARSE_TOP_K_CATEGORICAL_ACCURACY
    void fk_accuracy(double *total, double *weight, const float *y, const float *t, const int *labels, const float *w,
                     float threshold, Py_ssize_t k, fk_accuracy_kind kind, Py_ssize_t N, Py_ssize_t D) noexcept
    void fk_threshold_bins(double *positive, double *negative, const float *y, const float *t, const float *w,
                           const float *v, const float *thresholds, int even, int by_column, Py_ssize_t N,
                           Py_ssize_t D, Py_ssize_t K) noexcept

KINDS = {
    "equal": FK_EQUAL,
    "binary": FK_BINARY_ACCURACY,
    "categorical": FK_CATEGORICAL_ACCURACY,
    "sparse": FK_SPARSE_CATEGORICAL_ACCURACY,
    "top_k_categorical": FK_TOP_K_CATEGORICAL_ACCURACY,
    "sparse_top_k": FK_SPARSE_TOP_K_CATEGORICAL_ACCURACY,
}


def accuracy(ndarray y not None, ndarray t not None, ndarray w, str kind not None, float threshold=0.5,
             Py_ssize_t k=1):
    """(sum_n w_n value_n, sum_n w_n) over the rows of predictions y and their targets

    y (N, D);  t (N, D), or int32 (N,) for kinds "sparse" and "sparse_top_k";  w (N,) or None
    """
    cdef const float *y_data = f32(y, "y_pred", 2)
    cdef Py_ssize_t N = y.shape[0], D = y.shape[1]
    cdef const float *t_data = NULL
    cdef const float *w_data
    cdef const int *labels = NULL
    cdef double total = 0.0, weight = 0.0
    cdef fk_accuracy_kind c_kind = KINDS[kind]
    if c_kind in (FK_SPARSE_CATEGORICAL_ACCURACY, FK_SPARSE_TOP_K_CATEGORICAL_ACCURACY):
        labels = i32(t, "y_true", 1, N)
    else:
        t_data = f32(t, "y_true", 2, N, D)
    f32_or_null(&w_data, w, "weights", 1, N)
    with nogil:
        fk_accuracy(&total, &weight, y_data, t_data, labels, w_data, threshold, k, c_kind, N, D)
    return total, weight


def threshold_bins(ndarray positive not None, ndarray negative not None, ndarray y not None, ndarray t not None,
                   ndarray w, ndarray v, ndarray thresholds not None, bint even=False):
    """Counts elements by how many of the ascending thresholds (K,) they exceed; see metrics.h

    positive, negative (K + 1, 1 or D) float64 +=;  y, t (N, D);  w (N,) or None;  v (D,) or None
    even: the thresholds are k / (K - 1)
    """
    cdef const float *y_data = f32(y, "y_pred", 2)
    cdef Py_ssize_t N = y.shape[0], D = y.shape[1], C = positive.shape[1]
    cdef const float *t_data = f32(t, "y_true", 2, N, D)
    cdef const float *edges = f32(thresholds, "thresholds", 1)
    cdef Py_ssize_t K = thresholds.shape[0]
    cdef const float *w_data
    cdef const float *v_data
    cdef double *positive_data = bins(positive, K + 1, C)
    cdef double *negative_data = bins(negative, K + 1, C)
    if C not in (1, D):
        raise ValueError(f"bins must have 1 or {D} columns. Received: {C}")
    f32_or_null(&w_data, w, "weights", 1, N)
    f32_or_null(&v_data, v, "label_weights", 1, D)
    with nogil:
        fk_threshold_bins(positive_data, negative_data, y_data, t_data, w_data, v_data, edges, even, C > 1, N, D, K)


cdef double *bins(ndarray x, Py_ssize_t rows, Py_ssize_t columns) except? NULL:
    if x.dtype != "float64" or x.ndim != 2 or x.shape[0] != rows or x.shape[1] != columns or not x.flags.c_contiguous:
        raise ValueError(f"bins must be a C-contiguous float64 array of shape {(rows, columns)}")
    return <double *>PyArray_DATA(x)
