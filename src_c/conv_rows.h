/* conv_rows.h: a convolution of distinct rows (rows.h), which meet each tap of the kernel once.
 *
 * Where the pixels of x are distinct rows, x[b, h, w] = values[index[b, h, w]], the products of conv.h need be
 * made for those rows alone, P_t = values W_t for each tap t of the kernel, and then stand wherever their rows do:
 *
 *     y_m = f(bias + sum_t P_t[index_tm])        m: pixels of y, all images counted through
 *                                                index_tm: the row of x under tap t of the window of m
 *
 *     values (R, D)   W (T, D, N)   P (T, R, N)   index (T, M), each in [0, R)   bias (N) or NULL   y (M, N)
 */
#ifndef FK_CONV_ROWS_H
#define FK_CONV_ROWS_H

#include "activations.h"
#include "fk.h"
#include "pooling.h"

/* y =; f is elementwise
 * z (M, N) =, the sum before f: for activations whose backward pass needs it, else NULL */
void fk_conv_rows_forward(float *y, float *z, const float *P, const int32_t *index, const float *bias,
                          fk_activation f, fk_index T, fk_index R, fk_index M, fk_index N);

/* The same with the max pooling behind it, as fk_conv_max_forward (conv.h); M is pool's B H W, and N its C
 * y, place (B, pool OH, pool OW, N) =; place may be NULL */
void fk_conv_rows_max_forward(float *y, int32_t *place, const float *P, const int32_t *index, const float *bias,
                              fk_activation f, fk_index T, fk_index R, const fk_pooling *pool, float *scratch);
fk_index fk_conv_rows_max_scratch(const fk_pooling *pool);

#endif
