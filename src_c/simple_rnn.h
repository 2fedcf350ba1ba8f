/* simple_rnn.h: the fully recurrent layer, over the distinct states of a batch (prefix.h, recurrent.h).
 *
 *     z_s = P[row_s] + h[parent_s] R      h_s = f(z_s)          P = x W + b, one row per distinct input row
 *
 * h (1+roots+S, U)   P (rows, U)   R (U, U)
 * m (B, U): a dropout mask on h[parent], by the batch row that owns the state, or NULL
 */
#ifndef FK_SIMPLE_RNN_H
#define FK_SIMPLE_RNN_H

#include "activations.h"
#include "fk.h"
#include "prefix.h"

/* h rows 1+roots .. =; the rows before them are the caller's
 * z (S, U) =: for activations whose backward pass needs it, else NULL
 * R_packed: fk_gemm_pack of R */
void fk_simple_rnn_forward(float *h, float *z, const float *P, const float *R_packed, const float *m,
                           fk_activation f, fk_states tree, float *scratch, fk_index U);

/* dz_s = f'(z_s) dh_s                     dz (S, U) =
 * dh[parent_s] += dz_s R^T                dh (1+roots+S, U) +=: holds the outputs' gradient before the call, and
 *                                         in the rows of initial states theirs afterwards
 * Rt_packed: fk_gemm_pack of R, transposed */
void fk_simple_rnn_backward(float *dh, float *dz, const float *h, const float *z, const float *Rt_packed,
                            const float *m, fk_activation f, fk_states tree, float *scratch, fk_index U);

/* floats of scratch for both */
fk_index fk_simple_rnn_scratch(fk_index B, fk_index U);

#endif
