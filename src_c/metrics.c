#include "metrics.h"

#include <math.h>

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

static double among_top(const float *y, fk_index label, fk_index k, fk_index D)
{
    if (label < 0 || label >= D)
        return 0.0;
    fk_index larger = 0;
    for (fk_index d = 0; d < D; d++)
        larger += y[d] > y[label];
    return larger < k;
}

static double value(const float *y, const float *t, int32_t label, float threshold, fk_index k,
                    fk_accuracy_kind kind, fk_index D)
{
    switch (kind) {
    case FK_EQUAL: return equal(y, t, D);
    case FK_BINARY_ACCURACY: return binary(y, t, threshold, D);
    case FK_CATEGORICAL_ACCURACY: return argmax(y, D) == argmax(t, D);
    case FK_SPARSE_CATEGORICAL_ACCURACY: return argmax(y, D) == label;
    case FK_TOP_K_CATEGORICAL_ACCURACY: return among_top(y, argmax(t, D), k, D);
    case FK_SPARSE_TOP_K_CATEGORICAL_ACCURACY: return among_top(y, label, k, D);
    }
    return 0.0;
}

void fk_accuracy(double *total, double *weight, const float *y, const float *t, const int32_t *labels,
                 const float *w, float threshold, fk_index k, fk_accuracy_kind kind, fk_index N, fk_index D)
{
    *total = *weight = 0.0;
    for (fk_index n = 0; n < N; n++) {
        const double w_n = w ? w[n] : 1.0;
        *total += w_n * value(y + n * D, t ? t + n * D : NULL, labels ? labels[n] : 0, threshold, k, kind, D);
        *weight += w_n;
    }
}

/* how many of the ascending thresholds are less than y */
static fk_index exceeded(float y, const float *thresholds, fk_index K)
{
    fk_index low = 0, high = K;
    while (low < high) {
        const fk_index middle = (low + high) / 2;
        if (thresholds[middle] < y)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* the same for thresholds k / (K - 1) and y in [0, 1], of which the first may be passed by 0 too */
static fk_index exceeded_evenly(float y, const float *thresholds, fk_index K)
{
    const fk_index least = thresholds[0] < 0.0f;
    if (!(y > 0.0f))
        return least;
    return fk_max(least, (fk_index)ceilf(fminf(y, 1.0f) * (float)(K - 1)));
}

void fk_threshold_bins(double *positive, double *negative, const float *y, const float *t, const float *w,
                       const float *v, const float *thresholds, int even, int by_column, fk_index N, fk_index D,
                       fk_index K)
{
    const fk_index C = by_column ? D : 1;
    for (fk_index n = 0; n < N; n++)
        for (fk_index d = 0; d < D; d++) {
            const fk_index i = n * D + d;
            const fk_index b = even ? exceeded_evenly(y[i], thresholds, K) : exceeded(y[i], thresholds, K);
            double *bins = t[i] != 0.0f ? positive : negative;
            bins[b * C + (by_column ? d : 0)] += (w ? (double)w[n] : 1.0) * (v ? (double)v[d] : 1.0);
        }
}
