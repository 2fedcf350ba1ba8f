#include "metrics.h"

#include "rowwise.h"

static double equal(const float *y, const float *t, fk_index D)
{
    fk_index right = 0;
    for (fk_index d = 0; d < D; d++)
        right += y[d] == t[d];
    return (double)right / (double)D;
}

static double binary(const float *y, const float *t, float threshold, fk_index D)
{
    fk_index right = 0;
    for (fk_index d = 0; d < D; d++)
        right += t[d] == (y[d] > threshold ? 1.0f : 0.0f);
    return (double)right / (double)D;
}

/* the first index of the largest element; 0 if all are NaN */
static fk_index argmax(const float *x, fk_index D)
{
    const float largest = row_largest(x, D);
    for (fk_index d = 0; d < D; d++)
        if (x[d] == largest)
            return d;
    return 0;
}

static double value(const float *y, const float *t, int32_t label, float threshold, fk_accuracy_kind kind, fk_index D)
{
    switch (kind) {
    case FK_EQUAL: return equal(y, t, D);
    case FK_BINARY_ACCURACY: return binary(y, t, threshold, D);
    case FK_CATEGORICAL_ACCURACY: return argmax(y, D) == argmax(t, D);
    case FK_SPARSE_CATEGORICAL_ACCURACY: return argmax(y, D) == label;
    }
    return 0.0;
}

void fk_accuracy(double *total, double *weight, const float *y, const float *t, const int32_t *labels, const float *w,
                 float threshold, fk_accuracy_kind kind, fk_index N, fk_index D)
{
    *total = *weight = 0.0;
    for (fk_index n = 0; n < N; n++) {
        const double w_n = w ? w[n] : 1.0;
        *total += w_n * value(y + n * D, t ? t + n * D : NULL, labels ? labels[n] : 0, threshold, kind, D);
        *weight += w_n;
    }
}
