/* lstm.h: long short-term memory, over the distinct states of a batch (prefix.h, recurrent.h).
 *
 *     z_s = P[row_s] + h[parent_s] R                     P = x W + b, one row per distinct input row
 *     i = g(z_i)   f = g(z_f)   a = act(z_a)   o = g(z_o)
 *     c_s = f c[parent_s] + i a
 *     h_s = o act(c_s)
 *
 * (Hochreiter and Schmidhuber 1997; the forget gate f: Gers, Schmidhuber and Cummins 2000). act is the activation,
 * g the recurrent activation. Gates lie in Keras's order: a row of 4U is [i f a o].
 *
 * h, c (1+roots+S, U)   P (rows, 4U)   R (U, 4U)   gates (S, 4U)
 * m (B, U): a dropout mask on h[parent], by the batch row that owns the state, or NULL
 */
#ifndef FK_LSTM_H
#define FK_LSTM_H

#include "activations.h"
#include "fk.h"
#include "prefix.h"

/* h, c rows 1+roots .. =; the rows before them are the caller's
 * gates = [i f a o], or NULL: if there will be no backward pass
 * z (S, 4U) =: if the backward pass of act or g needs it, else NULL
 * R_packed: fk_gemm_pack of R */
void fk_lstm_forward(float *h, float *c, float *gates, float *z, const float *P, const float *R_packed,
                     const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                     fk_index U);

/* dc_s += o act'(c_s) dh_s                                     dc[parent_s] += f dc_s
 * dz_s = [g'(z_i) a dc_s   g'(z_f) c[parent_s] dc_s   act'(z_a) i dc_s   g'(z_o) act(c_s) dh_s]
 * dh[parent_s] += dz_s R^T
 *
 * gates (S, 4U): [i f a o] before the call, dz afterwards
 * dh, dc (1+roots+S, U) +=: hold the outputs' gradients before the call, and in the rows of initial states theirs
 * afterwards
 * Rt_packed: fk_gemm_pack of R, transposed */
void fk_lstm_backward(float *dh, float *dc, float *gates, const float *z, const float *c, const float *Rt_packed,
                      const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                      fk_index U);

/* floats of scratch for both */
fk_index fk_lstm_scratch(fk_index B, fk_index U);

#endif
