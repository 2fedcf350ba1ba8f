/* crf.h: the linear-chain conditional random field (Lafferty, McCallum and Pereira 2001): tags that depend on each
 * other.
 *
 *     score(y) = start[y_1] + sum_t x_t[y_t] + sum_t>1 A[y_t-1, y_t] + end[y_T]      p(y | x) = exp(score(y)) / Z
 *
 * over the steps of a sample that its mask keeps, wherever they are.
 *
 *     C tags    x (B, T, C)    A (C, C)    start, end (C), or NULL for zeros    mask (B, T), or NULL for ones
 *     y (B, T) int32, each kept one in [0, C)
 */
#ifndef FK_CRF_H
#define FK_CRF_H

#include "fk.h"

#define FK_CRF_SAMPLES 8 /* a block of samples, whose gradients of A, start and end are added up together */

/* nll_b = log Z - score(y_b)                            nll (B) =; 0 where no step is kept
 * dx = w_b (p(y_t = c | x) - [y_t = c])                 dx (B, T, C) =; 0 at masked steps
 * dA, dstart, dend: the same of pairs and of ends       dA (C, C) +=, dstart, dend (C) +=
 * w (B): the weights of the samples' gradients. With dx NULL there are none, and dA, dstart, dend and w are not
 * used; dstart and dend are NULL where start and end are.
 * Returns FK_BAD_INDEX, and writes nothing, if a tag at a kept step is not in [0, C).
 *
 * With L_tj = log sum_i exp(alpha_t-1,i + A_ij), alpha_t = x_t + L_t and p_T = softmax(alpha_T + end), backwards
 *     p(y_t-1 = i, y_t = j | x) = p_tj exp(alpha_t-1,i + A_ij - L_tj)       p_t-1,i = sum_j of these
 * No exponent is positive, and alpha is kept near zero: large scores neither overflow nor lose digits. */
fk_status fk_crf_loss(float *nll, float *dx, float *dA, float *dstart, float *dend, const float *x, const float *A,
                      const float *start, const float *end, const int32_t *y, const uint8_t *mask, const float *w,
                      float *scratch, fk_index B, fk_index T, fk_index C);

/* tags = the y of the largest score, of equal ones that whose last tag that differs is smaller (Viterbi 1967)
 * tags (B, T) =; 0 at masked steps */
void fk_crf_decode(int32_t *tags, const float *x, const float *A, const float *start, const float *end,
                   const uint8_t *mask, float *scratch, fk_index B, fk_index T, fk_index C);

/* floats of scratch for either, at the present number of threads */
fk_index fk_crf_scratch(fk_index B, fk_index T, fk_index C);

#endif
