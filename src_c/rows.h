/* rows.h: each distinct row is computed once.
 *
 * An activation of shape (B, T, D) in which rows repeat is held as its distinct rows and an index:
 *     x[b, t] = values[index[b, t]]      values (R, D)   index (B, T), here flat: (N)
 * A gradient comes back in the same form, summed over duplicates, (R, D): by the chain rule
 *     dvalues_r = sum of dx_n over all n with index[n] = r
 *
 * Two such activations side by side, as a bidirectional layer has them, repeat as pairs of rows: where the pair
 * (a[n], b[n]) of their indices is the same, so is the row
 *     x[n] = [ left[a[n]] | right[b[n]] ]      left (R, D)   right (Q, E)   x (N, D+E)
 * or, under a mask m that each row of the batch has for itself, as pairs of an input row and a row of the batch:
 *     x[n] = values[a[n]] * m[b[n]]            values (R, D)   m (B, D)   x (N, D)
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

/* The distinct pairs of a and b in the order of their first appearance, and where each pair stands among them:
 *     first[index[n]] = a[n]    second[index[n]] = b[n]
 * a, b (N)   index (N) =   first, second (N) =, of which the returned number is used
 * scratch: fk_rows_pairs_scratch floats */
fk_index fk_rows_pairs(int32_t *index, int32_t *first, int32_t *second, const int32_t *a, const int32_t *b,
                       float *scratch, fk_index N);
fk_index fk_rows_pairs_scratch(fk_index N);

/* y_n = values[index[n]]    y (N, D) =   values (R, D)   index (N), each in [0, R) */
void fk_rows_gather(float *y, const float *values, const int32_t *index, fk_index N, fk_index D);

/* dvalues_r += sum of dy_n over index[n] = r, in the order of n    dvalues (R, D) +=   dy (N, D)   index (N)
 * dvalues and dy may be columns of wider arrays, whose rows are dvalues_row and dy_row floats apart. */
void fk_rows_scatter_add(float *dvalues, fk_index dvalues_row, const float *dy, fk_index dy_row,
                         const int32_t *index, fk_index N, fk_index D);

/* y_p = [ left[first[p]] | right[second[p]] ]    y (P, D+E) =   left (R, D)   right (Q, E)   first, second (P) */
void fk_rows_gather_pairs(float *y, const float *left, const float *right, const int32_t *first,
                          const int32_t *second, fk_index P, fk_index D, fk_index E);

/* The gradient of the above, summed in the order of p:
 *     dleft_r  += sum of dy_p, columns 0 .. D-1,   over first[p] = r      dleft (R, D) +=   dy (P, D+E)
 *     dright_q += sum of dy_p, columns D .. D+E-1, over second[p] = q     dright (Q, E) += */
void fk_rows_scatter_add_pairs(float *dleft, float *dright, const float *dy, const int32_t *first,
                               const int32_t *second, fk_index P, fk_index D, fk_index E);

/* y_p = values[first[p]] * m[second[p]]    y (P, D) =   values (R, D)   m (B, D)   first, second (P) */
void fk_rows_gather_masked(float *y, const float *values, const float *m, const int32_t *first, const int32_t *second,
                           fk_index P, fk_index D);

/* dvalues_r += sum of dy_p * m[second[p]] over first[p] = r, in the order of p    dvalues (R, D) +=   dy (P, D) */
void fk_rows_scatter_add_masked(float *dvalues, const float *dy, const float *m, const int32_t *first,
                                const int32_t *second, fk_index P, fk_index D);

/* y_i = 0    y (n) =: where gradients are then added
 * by all threads, as one alone does not fill memory at its speed */
void fk_rows_clear(float *y, fk_index n);

/* y_n = x[index[n]], rows of any type    y (N rows) =   x (R rows of `bytes` bytes)   index (N)
 * FK_BAD_INDEX: an index is outside [0, R) */
fk_status fk_rows_take(void *y, const void *x, const int32_t *index, fk_index N, fk_index R, fk_index bytes);

#endif
