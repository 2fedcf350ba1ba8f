/* recurrent.h: what the recurrent layers share: the walk over the distinct states of a batch (prefix.h).
 *
 * A layer computes each state from its input row and its parent: a wave of states is one matrix product, the
 * parents' h times R, and some elementwise work. Threads take blocks of batch rows. Each goes through the waves of
 * its own blocks, and as no state of a block has to do with another block, none waits for another. What the thread
 * computes in one product depends on the number of threads, but no bit of the result does (gemm.h).
 *
 * A layer's state arrays (1+roots+S, U) have the rows that prefix.h tells of. Gradients of states have the same
 * rows; row 0 belongs to all blocks and gets none.
 */
#ifndef FK_RECURRENT_H
#define FK_RECURRENT_H

#include "fk.h"
#include "gemm.h"
#include "prefix.h"

/* States s0 .. s1 of one wave, and soon0 .. soon1 of the one the thread goes on to (of the last wave itself). */
typedef struct {
    fk_index s0, s1, soon0, soon1;
} fk_wave;

/* What a layer does for the states of a wave. scratch: as many rows as there are states. */
typedef void (*fk_step)(const void *layer, fk_wave w, float *scratch);

/* step(layer, wave, scratch) for all states: parents before their children, or after them if `backward`.
 * work: multiply-adds of a state   scratch: fk_recurrent_scratch floats, for rows of `scratch_row` floats */
void fk_recurrent_walk(fk_states tree, fk_step step, const void *layer, int backward, fk_index work,
                       float *scratch, fk_index scratch_row);
fk_index fk_recurrent_scratch(fk_index B, fk_index scratch_row);

/* For states s0 .. s1 of a wave, on the calling thread:
 *     hp_s = h[parent_s] * m[owner_s]                hp (s1-s0, U) =   m (B, U), a dropout mask */
void fk_recurrent_dropped(float *hp, const float *h, const float *m, fk_states tree, fk_index s0, fk_index s1,
                          fk_index U);
/*     C_s = from_s + (h[parent_s] * m[owner_s]) R    C (s1-s0, N) =, rows C_row apart   m: or NULL
 *     hp (s1-s0, U): scratch, written if there is a mask   ahead: of the product (gemm.h), or NULL */
void fk_recurrent_product(float *C, fk_index C_row, fk_gemm_rows from, const float *h, const float *R_packed,
                          const float *m, fk_states tree, float *hp, fk_gemm_ahead *ahead, fk_index s0, fk_index s1,
                          fk_index N, fk_index U);
/*     dh[parent_s] += dhp_s * m[owner_s]             dh (1+roots+S, U) +=   dhp (s1-s0, U)   m: or NULL */
void fk_recurrent_to_parents(float *dh, const float *dhp, const float *m, fk_states tree, fk_index s0, fk_index s1,
                             fk_index U);
/* the same with dhp_s = dz_s R^T, for the states of wave w
 *     dz (S, N), rows dz_row apart   Rt_packed: fk_gemm_pack of R (U, N), transposed
 *     scratch (s1-s0, fk_recurrent_backward_row)
 * Meanwhile rows soon0 .. soon1 of dz, all dz_row floats of each, come near: there the next wave finds its gates. */
void fk_recurrent_product_backward(float *dh, const float *dz, fk_index dz_row, const float *Rt_packed,
                                   const float *m, fk_states tree, float *scratch, fk_wave w, fk_index N,
                                   fk_index U);
fk_index fk_recurrent_backward_row(fk_index N, fk_index U);

/* What z_s = P[row_s] + hp_s R + b gives back, in one pass over dz, by all threads:
 *     dR += sum_s hp_s^T dz_s                        dR (U, N) +=, rows dR_row apart, or NULL
 *     db += sum_s dz_s                               db (N) +=, or NULL
 *     dP[row_s] += dz_s, whose columns from P_columns on stand P_gap further on for this
 *                                                    dP (rows, N) +=, rows dP_row apart, or NULL
 * hp: the row of each state that R multiplied   m: or NULL, a mask on it   dz (S, N + P_gap): rows dz_row apart
 * scratch: fk_recurrent_gradients_scratch floats */
void fk_recurrent_gradients(float *dR, fk_index dR_row, float *db, float *dP, fk_index dP_row, fk_index P_columns,
                            fk_index P_gap, const float *dz, fk_index dz_row, fk_gemm_rows hp, const float *m,
                            fk_states tree, float *scratch, fk_index N, fk_index U);
fk_index fk_recurrent_gradients_scratch(fk_index N, fk_index U);

#endif
