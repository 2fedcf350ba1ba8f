/* ctc.h: connectionist temporal classification (Graves et al. 2006): labels without times. The prediction at each
 * step is a class or the blank; what a path of classes says is itself without repetitions, then without blanks.
 *
 *     p(y | x) = sum over the paths that say y of prod_t p_t[path_t]        p_t = softmax(x_t)
 *
 *     C classes, the blank among them    x (B, T, C)
 *     y (B, L) int32: the first labels_b of a row count, each in [0, C)
 *     labels, steps (B) int32: how many labels of y_b, in [0, L], and steps of x_b, in [0, T], there are
 *
 * The states of a sample are its labels with a blank before, between and behind: z_0 .. z_S-1 = - y_1 - y_2 ... -,
 * with S = 2 labels + 1. A path stays, or goes on by one state, or by two from a label to another that differs:
 *
 *     alpha_t[s] = p_t[z_s] (alpha_t-1[s] + alpha_t-1[s-1] + [z_s is a label, not z_s-2] alpha_t-1[s-2])
 *     beta_t[s]  = sum over the states s' that may follow s of p_t+1[z_s'] beta_t+1[s']
 *     p(y | x) = alpha_T[S-1] + alpha_T[S-2]
 */
#ifndef FK_CTC_H
#define FK_CTC_H

#include "fk.h"

/* nll_b = -log p(y_b | x_b)                          nll (B) =; infinite where there are too few steps
 * dx = w_b (p_t[c] - p(path_t = c | y_b, x_b))       dx (B, T, C) =, or NULL
 *     0 behind the steps, and where nll is infinite
 *     p(path_t = c | y, x) = sum over s with z_s = c of alpha_t[s] beta_t[s] / p(y | x)
 * w (B), not used with dx NULL. Logarithms of alpha and beta are kept, near zero: nothing under- or overflows.
 * Returns FK_BAD_INDEX, and writes nothing, if a label that counts is not in [0, C). */
fk_status fk_ctc_loss(float *nll, float *dx, const float *x, const int32_t *y, const int32_t *labels,
                      const int32_t *steps, const float *w, int32_t blank, float *scratch, fk_index B, fk_index T,
                      fk_index C, fk_index L);

/* floats of scratch, at the present number of threads */
fk_index fk_ctc_scratch(fk_index B, fk_index T, fk_index L);

#endif
