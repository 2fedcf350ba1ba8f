/* dense.h: the fully connected layer.
 *
 *     z = x W + b      y = f(z)         x (B, D)   W (D, U)   b (U) or NULL   z, y (B, U)
 */
#ifndef FK_DENSE_H
#define FK_DENSE_H

#include "activations.h"
#include "fk.h"

/* y = f(x W + b)    y (B, U) =
 * z (B, U) =, the sum before f: for activations whose backward pass needs it, else NULL */
void fk_dense_forward(float *y, float *z, const float *x, const float *W, const float *b, fk_activation f,
                      float *scratch, fk_index B, fk_index D, fk_index U);

/* dz = f'(z) dy     dz (B, U) =, not written if f is linear
 * dx = dz W^T       dx (B, D) =, or NULL
 * dW += x^T dz      dW (D, U) +=, or NULL
 * db += sum_b dz    db (U) +=, or NULL
 * dy (B, U)   x, W, y and z as in the forward pass */
void fk_dense_backward(float *dx, float *dW, float *db, float *dz, const float *dy, const float *x, const float *W,
                       const float *y, const float *z, fk_activation f, float *scratch, fk_index B, fk_index D,
                       fk_index U);

/* floats of scratch for both */
fk_index fk_dense_scratch(fk_index B, fk_index D, fk_index U);

/* db_u += sum_b dz_bu, in the order of b    db (U) +=   dz (B, U), its rows dz_row floats apart */
void fk_column_sums_add(float *db, const float *dz, fk_index dz_row, fk_index B, fk_index U);

#endif
