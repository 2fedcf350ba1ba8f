/* merging.h: one array from several of the same shape, element by element, and products of matrices in pairs.
 *
 * A merge of any number of inputs is a fold: y starts as the first, and each further x is merged into it.
 */
#ifndef FK_MERGING_H
#define FK_MERGING_H

#include "gemm.h"

/* y = u a            y, a (n); y may be a */
void fk_merge_scale(float *y, const float *a, float u, fk_index n);
/* y = u a + v b      y =, a, b (n); y may be a or b */
void fk_merge_sum(float *y, const float *a, const float *b, float u, float v, fk_index n);
/* y = a b            y =, a, b (n); y may be a or b */
void fk_merge_multiply(float *y, const float *a, const float *b, fk_index n);

/* where sign x > sign y:  y = x  and  winner = k        x (n)   y, winner (n), changed there alone
 * sign = 1 keeps the largest, -1 the smallest; of equal numbers the first stays. */
void fk_merge_extreme(float *y, int32_t *winner, const float *x, float sign, int32_t k, fk_index n);
/* dx = dy where winner = k, 0 elsewhere                 dx (n) =   dy, winner (n) */
void fk_merge_extreme_backward(float *dx, const float *dy, const int32_t *winner, int32_t k, fk_index n);

/* C_b = op(A_b) op(B_b) for each of `batch` pairs
 * C (batch, M, N) =   op(A) (batch, M, K)   op(B) (batch, K, N)
 * scratch: fk_gemm_scratch of one pair */
void fk_merge_products(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch, fk_index batch,
                       fk_index M, fk_index N, fk_index K);

#endif
