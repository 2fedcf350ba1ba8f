/* prelu.h: a rectifier whose slope below zero is learned, one for each column of x (N, C)
 * (He et al., Delving Deep into Rectifiers, 2015).
 *
 *     y_nc = x_nc where x_nc > 0, a_c x_nc elsewhere
 *
 * Sums over rows are those of blocks of FK_PRELU_BLOCK rows, added in order: the same for any number of threads.
 */
#ifndef FK_PRELU_H
#define FK_PRELU_H

#include "fk.h"

#define FK_PRELU_BLOCK 256

/* y (N, C) =    x (N, C)    a (C) */
void fk_prelu_forward(float *y, const float *x, const float *a, fk_index N, fk_index C);

/* dx_nc = dy_nc where x_nc > 0, a_c dy_nc elsewhere     dx (N, C) =, or NULL; may be dy
 * da_c += sum_n x_nc dy_nc over x_nc <= 0               da (C) +=, or NULL
 * scratch: fk_prelu_scratch floats */
void fk_prelu_backward(float *dx, float *da, const float *dy, const float *x, const float *a, float *scratch,
                       fk_index N, fk_index C);
fk_index fk_prelu_scratch(fk_index N, fk_index C);

#endif
