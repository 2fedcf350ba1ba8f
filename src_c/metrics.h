/* metrics.h: how many predictions are right, and how many lie above thresholds.
 *
 * A row of D predictions y and its target give one value in [0, 1]:
 *     equal          1/D sum_d [y_d = t_d]
 *     binary         1/D sum_d [(y_d > threshold) = t_d]      for targets of 0 and 1
 *     categorical    [argmax(y) = argmax(t)]
 *     sparse         [argmax(y) = k]                          with the class k as target instead of the row t
 *     top k          [y_j > y_c for fewer than k classes j]   with c = argmax(t)
 *     sparse top k   the same with the class c as target
 * The argmax of a tie is its first index.
 */
#ifndef FK_METRICS_H
#define FK_METRICS_H

#include "fk.h"

typedef enum {
    FK_EQUAL,
    FK_BINARY_ACCURACY,
    FK_CATEGORICAL_ACCURACY,
    FK_SPARSE_CATEGORICAL_ACCURACY,
    FK_TOP_K_CATEGORICAL_ACCURACY,
    FK_SPARSE_TOP_K_CATEGORICAL_ACCURACY
} fk_accuracy_kind;

/* *total  = sum_n w_n value_n
 * *weight = sum_n w_n
 * y (N, D)   t (N, D), or for sparse kinds labels (N), the other being NULL   w (N), or NULL for ones
 * one thread */
void fk_accuracy(double *total, double *weight, const float *y, const float *t, const int32_t *labels,
                 const float *w, float threshold, fk_index k, fk_accuracy_kind kind, fk_index N, fk_index D);

/* positive_bc += sum of w_n v_d over the elements with t_nd != 0 of which y_nd exceeds b thresholds; negative_bc
 * where t_nd is 0.    c = d if by_column, else 0
 *
 * positive, negative (K + 1, D if by_column, else 1) +=   y, t (N, D)   w (N) and v (D), or NULL for ones
 * thresholds (K), ascending;  even: they are k / (K - 1), but for what the first lies below 0 and the last above
 * 1, and y is taken as clipped to [0, 1];  one thread */
void fk_threshold_bins(double *positive, double *negative, const float *y, const float *t, const float *w,
                       const float *v, const float *thresholds, int even, int by_column, fk_index N, fk_index D,
                       fk_index K);

#endif
