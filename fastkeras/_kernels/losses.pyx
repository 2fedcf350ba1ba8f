"""Shapes, pointers and the GIL for losses.c; the formulas are in src_c/losses.h."""

from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_or_null, f32_out, f32_out_or_null, i32

cdef extern from "losses.h" nogil:
    ctypedef enum fk_loss_kind:
        FK_MEAN_SQUARED_ERROR
        FK_MEAN_ABSOLUTE_ERROR
        FK_BINARY_CROSSENTROPY
        FK_CATEGORICAL_CROSSENTROPY
        FK_SPARSE_CATEGORICAL_CROSSENTROPY
        FK_MEAN_ABSOLUTE_PERCENTAGE_ERROR
        FK_MEAN_SQUARED_LOGARITHMIC_ERROR
        FK_HUBER
        FK_LOG_COSH
        FK_POISSON
        FK_KL_DIVERGENCE
        FK_HINGE
        FK_SQUARED_HINGE
        FK_CATEGORICAL_HINGE
        FK_COSINE_SIMILARITY
        FK_BINARY_FOCAL_CROSSENTROPY
        FK_CATEGORICAL_FOCAL_CROSSENTROPY
    ctypedef struct fk_loss:
        int kind
        int from_logits
        int balanced
        float smoothing, delta, alpha, gamma
    int fk_loss_forward(double *total, float *values, float *dy, float *p, Py_ssize_t *bad, const float *y,
                        const float *t, const int *labels, const float *w, float scale, fk_loss loss,
                        Py_ssize_t N, Py_ssize_t D) noexcept

cdef dict KINDS = {
    "mean_squared_error": FK_MEAN_SQUARED_ERROR,
    "mean_absolute_error": FK_MEAN_ABSOLUTE_ERROR,
    "binary_crossentropy": FK_BINARY_CROSSENTROPY,
    "categorical_crossentropy": FK_CATEGORICAL_CROSSENTROPY,
    "sparse_categorical_crossentropy": FK_SPARSE_CATEGORICAL_CROSSENTROPY,
    "mean_absolute_percentage_error": FK_MEAN_ABSOLUTE_PERCENTAGE_ERROR,
    "mean_squared_logarithmic_error": FK_MEAN_SQUARED_LOGARITHMIC_ERROR,
    "huber": FK_HUBER,
    "log_cosh": FK_LOG_COSH,
    "poisson": FK_POISSON,
    "kl_divergence": FK_KL_DIVERGENCE,
    "hinge": FK_HINGE,
    "squared_hinge": FK_SQUARED_HINGE,
    "categorical_hinge": FK_CATEGORICAL_HINGE,
    "cosine_similarity": FK_COSINE_SIMILARITY,
    "binary_focal_crossentropy": FK_BINARY_FOCAL_CROSSENTROPY,
    "categorical_focal_crossentropy": FK_CATEGORICAL_FOCAL_CROSSENTROPY,
}


cdef class Loss:
    """One of the kernels' losses under Keras's function name, with its numbers."""
    cdef fk_loss c
    cdef readonly str name
    cdef readonly bint sparse
    cdef readonly bint from_logits

    def __init__(self, str name not None, bint from_logits=False, float smoothing=0.0, float delta=1.0,
                 float alpha=1.0, float gamma=0.0, bint balanced=False):
        self.name = name
        self.c = fk_loss(KINDS[name], from_logits, balanced, smoothing, delta, alpha, gamma)
        self.sparse = self.c.kind == FK_SPARSE_CATEGORICAL_CROSSENTROPY
        self.from_logits = from_logits

    def __reduce__(self):
        numbers = self.c.smoothing, self.c.delta, self.c.alpha, self.c.gamma
        return Loss, (self.name, self.from_logits, *numbers, self.c.balanced)


def forward(ndarray values not None, ndarray dy, ndarray p, ndarray y not None, ndarray t not None, ndarray w,
            float scale, Loss loss not None):
    """values_n = loss(y_n, t_n), dy_n = scale w_n d(values_n)/d(y_n); returns sum_n w_n values_n

    values (N,) =;  dy (N, D) = or None;  p (N, D) = or None, only from logits: the probabilities
    y (N, D);  t (N, D), or int32 (N,) if loss.sparse;  w (N,) or None
    A label outside [0, D) is a ValueError, and nothing is written.
    """
    cdef const float *y_data = f32(y, "y_pred", 2)
    cdef Py_ssize_t N = y.shape[0], D = y.shape[1], bad = 0
    cdef const float *t_data = NULL
    cdef const float *w_data
    cdef const int *labels = NULL
    cdef float *dy_data
    cdef float *p_data
    cdef float *values_data = f32_out(values, "values", 1, N)
    cdef double total = 0.0
    cdef int status
    if loss.sparse:
        labels = i32(t, "y_true", 1, N)
    else:
        t_data = f32(t, "y_true", 2, N, D)
    f32_or_null(&w_data, w, "weights", 1, N)
    f32_out_or_null(&dy_data, dy, "dy", 2, N, D)
    f32_out_or_null(&p_data, p, "probabilities", 2, N, D)
    if p_data is not NULL and not loss.from_logits:
        raise ValueError("probabilities are given from logits only")
    with nogil:
        status = fk_loss_forward(&total, values_data, dy_data, p_data, &bad, y_data, t_data, labels, w_data,
                                 scale, loss.c, N, D)
    if status != 0:
        raise ValueError(f"labels must be in [0, {D}), one of {D} classes. Received: {t[bad]} at row {bad}")
    return total
