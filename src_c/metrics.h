/* metrics.h: how many predictions are right.
 *
 * A row of D predictions y and its target give one value in [0, 1]:
 *     equal          1/D sum_d [y_d = t_d]
 *     binary         1/D sum_d [(y_d > threshold) = t_d]      for targets of 0 and 1
 *     categorical    [argmax(y) = argmax(t)]
 *     sparse         [argmax(y) = k]                          with the class k as target instead of the row t
 * The argmax of a tie is its first index.
 */
#ifndef FK_METRICS_H
#define FK_METRICS_H

#include "fk.h"

typedef enum { FK_EQUAL, FK_BINARY_ACCURACY, FK_CATEGORICAL_ACCURACY, FK_SPARSE_CATEGORICAL_ACCURACY } fk_accuracy_kind;

/* *total  = sum_n w_n value_n
 * *weight = sum_n w_n
 * y (N, D)   t (N, D), or for the sparse kind labels (N), the other being NULL   w (N), or NULL for ones;  one thread */
void fk_accuracy(double *total, double *weight, const float *y, const float *t, const int32_t *labels, const float *w,
                 float threshold, fk_accuracy_kind kind, fk_index N, fk_index D);

#endif
