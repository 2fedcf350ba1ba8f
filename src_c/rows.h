/* rows.h: each distinct row is computed once.
 *
 * An activation of shape (B, T, D) in which rows repeat is held as its distinct rows and an index:
 *     x[b, t] = values[index[b, t]]      values (R, D)   index (B, T), here flat: (N)
 * A gradient comes back in the same form, summed over duplicates, (R, D): by the chain rule
 *     dvalues_r = sum of dx_n over all n with index[n] = r
 */
#ifndef FK_ROWS_H
#define FK_ROWS_H

#include "fk.h"

/* The distinct ids of x in the order of their first appearance, and where each x_n stands among them:
 *     ids[index[n]] = x[n]
 * x (N)   index (N) =   ids (at least min(N, V)) =   count =
 * seen (V): all -1 before the call, and again after it, whatever the result
 * FK_BAD_INDEX: x[*position] is outside [0, V) */
fk_status fk_rows_distinct(int32_t *index, int32_t *ids, fk_index *count, fk_index *position, const int32_t *x,
                           int32_t *seen, fk_index N, fk_index V);

/* y_n = values[index[n]]    y (N, D) =   values (R, D)   index (N), each in [0, R) */
void fk_rows_gather(float *y, const float *values, const int32_t *index, fk_index N, fk_index D);

/* dvalues_r += sum of dy_n over index[n] = r, in the order of n    dvalues (R, D) +=   dy (N, D)   index (N) */
void fk_rows_scatter_add(float *dvalues, const float *dy, const int32_t *index, fk_index N, fk_index R,
                         fk_index D);

/* y_n = x[index[n]], rows of any type    y (N rows) =   x (R rows of `bytes` bytes)   index (N)
 * FK_BAD_INDEX: an index is outside [0, R) */
fk_status fk_rows_take(void *y, const void *x, const int32_t *index, fk_index N, fk_index R, fk_index bytes);

#endif
