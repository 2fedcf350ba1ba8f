/* gru.h: the gated recurrent unit, over the distinct states of a batch (prefix.h, recurrent.h).
 *
 * P = x W + b, one row per distinct input row; a row of 3U is [z r a] in Keras's order, as are the columns of R.
 *
 *     z = g(P_z + h[parent] R_z)   r = g(P_r + h[parent] R_r)
 *     a = act(P_a + r (h[parent] R_a + b_a))         if the reset gate r acts after the product, as cuDNN has it
 *     a = act(P_a + (r h[parent]) R_a)               if it acts before, as in Cho et al. 2014
 *     h_s = z h[parent] + (1 - z) a
 *
 * act is the activation, g the recurrent activation. With the gate after the product the bias has a second row for
 * h[parent] R; of it only b_a is used here, as the caller adds the others to b.
 *
 * h (1+roots+S, U)   P (rows, 3U)   R (U, 3U)   b_a (U)
 * m (B, U): a dropout mask on h[parent] where it meets R, by the batch row that owns the state, or NULL
 */
#ifndef FK_GRU_H
#define FK_GRU_H

#include "activations.h"
#include "fk.h"
#include "prefix.h"

/* floats of scratch for all of these */
fk_index fk_gru_scratch(fk_index B, fk_index U);

/* --- the reset gate after the product ---
 *
 * h rows 1+roots .. =; the rows before them are the caller's
 * gates (S, 4U) = [z r q a]   q = h[parent] R_a + b_a         NULL: if there will be no backward pass
 * x (S, 3U) =, what g and act were taken of: if the backward pass of either needs it, else NULL
 * R_packed: fk_gemm_pack of R */
void fk_gru_forward(float *h, float *gates, float *x, const float *P, const float *R_packed, const float *b_a,
                    const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                    fk_index U);

/* dP_s = [g'(P_z..) (h[parent] - a) dh_s    g'(P_r..) q da'    da']      with da' = act'(..) (1 - z) dh_s
 * dQ_s = [the same  the same  r da']: the gradient of h[parent] R + b_recurrent
 * dh[parent_s] += z dh_s + dQ_s R^T
 *
 * gates: [z r q a] before the call, [dQ da'] afterwards
 * dh (1+roots+S, U) +=: holds the outputs' gradient before the call, and in the rows of initial states theirs
 * afterwards
 * Rt_packed: fk_gemm_pack of R, transposed */
void fk_gru_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_packed,
                     const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                     fk_index U);

/* --- the reset gate before the product ---
 *
 * gates (S, 3U) = [z r a]   inner (S, U) = r h[parent] (* m): the rows that R_a multiplied
 * R_zr_packed, R_a_packed: fk_gemm_pack of R_z and R_r together, and of R_a */
void fk_gru_before_forward(float *h, float *gates, float *inner, float *x, const float *P,
                           const float *R_zr_packed, const float *R_a_packed, const float *m, fk_activation act,
                           fk_activation g, fk_states tree, float *scratch, fk_index U);

/* gates: [z r a] before the call, dP = [dz' dr' da'] afterwards
 * dh as above   R.._packed: of the transposed matrices */
void fk_gru_before_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_zr_packed,
                            const float *Rt_a_packed, const float *m, fk_activation act, fk_activation g,
                            fk_states tree, float *scratch, fk_index U);

#endif
