/* simple_rnn.h: the fully recurrent layer, over the distinct states of a batch (prefix.h).
 *
 *     h_s = f(P[row_s] + h[parent_s] R)          P = x W + b, one row per distinct input row
 *
 * h (1+roots+S, U): row 0 is zero, then the initial states if they differ, then the S states computed.
 * P (rows, U)   R (U, U)   m (B, U), a dropout mask on h[parent], by the batch row that owns the state, or NULL
 * row, parent, owner (S) and waves (blocks, T+1) as fk_prefix_tree gives them.
 */
#ifndef FK_SIMPLE_RNN_H
#define FK_SIMPLE_RNN_H

#include "activations.h"
#include "fk.h"
#include "prefix.h"

/* h rows 1+roots .. =
 * z (S, U) =, the sum before f: for activations whose backward pass needs it, else NULL
 * R_packed: fk_gemm_pack of R */
void fk_simple_rnn_forward(float *h, float *z, const float *P, const float *R_packed, const float *m, fk_activation f,
                           fk_states tree, float *scratch, fk_index U);

/* dz_s = f'(z_s) dh_s                     dz (S, U) =
 * dh[parent_s] += dz_s R^T                dh (1+roots+S, U) +=: holds the outputs' gradient before the call; rows of
 *                                         initial states hold theirs afterwards; row 0 is garbage
 * Rt_packed: fk_gemm_pack of R, transposed */
void fk_simple_rnn_backward(float *dh, float *dz, const float *h, const float *z, const float *Rt_packed,
                            const float *m, fk_activation f, fk_states tree, float *scratch, fk_index U);

/* hp_s = h[parent_s] (* m[owner_s])       hp (S, U) =: the rows that R multiplied, so that dR = hp^T dz */
void fk_simple_rnn_inputs(float *hp, const float *h, const float *m, fk_states tree, fk_index U);

/* floats of scratch for both */
fk_index fk_simple_rnn_scratch(fk_index B, fk_index U);

#endif
