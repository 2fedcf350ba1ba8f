/* attention.h: for each query a weighted mean of values, by how well the query suits the values' keys.
 *
 *     x_ts = scale q_t . k_s      P_t = softmax(x_t) over the keys s of t      y_t = sum_s m_ts P_ts v_s
 *
 * for each sample b and head h apart (Vaswani et al. 2017, "Attention is all you need"). The keys of t are those
 * that it may attend to; m: factors of dropout, or 1.
 *
 *     H heads    T queries    S keys and values    K features of a query and a key    V features of a value
 *     q (B, T, H, K)    k (B, S, H, K)    v (B, S, H, V)    y (B, T, H, V)    x, P, m (B, H, T, S)
 *
 * A block of FK_ATTENTION_ROWS queries is worked on at a time, so that x and P are never whole in memory; the
 * backward pass computes them again (as do Dao et al. 2022, "FlashAttention").
 */
#ifndef FK_ATTENTION_H
#define FK_ATTENTION_H

#include "fk.h"

#define FK_ATTENTION_ROWS 84 /* whole tiles of gemm_tile.h on every instruction set */

typedef struct {
    const float *q, *k, *v;
    const float *x;      /* scores that come from elsewhere, and q, k and scale count for nothing; or NULL */
    const float *m;      /* or NULL */
    const uint8_t *mask; /* 0: t may not attend to s, at mask[b*mask_b + h*mask_h + t*mask_t + s]; or NULL */
    fk_index mask_b, mask_h, mask_t;
    int causal;  /* t may attend to s <= t only */
    int uniform; /* P_t where t may attend to nothing: 1/S, a constant, if set, else 0 */
    float scale;
    fk_index B, H, T, S, K, V;
} fk_attention;

/* y =    P =, or NULL */
void fk_attention_forward(float *y, float *P, const fk_attention *a, float *scratch);

/* dP = m (dy v^T) + dP_given        dx = P (dP - sum_s P dP)
 * dv_s = sum_t m_ts P_ts dy_t      dq_t = scale sum_s dx_ts k_s      dk_s = scale sum_t dx_ts q_t
 * dq, dk, dv =    dx =, instead of dq and dk, where a->x is given    dP_given (B, H, T, S), or NULL */
void fk_attention_backward(float *dq, float *dk, float *dv, float *dx, const float *dy, const float *dP_given,
                           const fk_attention *a, float *scratch);

/* floats of scratch for either, at the present number of threads */
fk_index fk_attention_scratch(fk_index B, fk_index H, fk_index T, fk_index S, fk_index K, fk_index V);

/* Additive scores (Bahdanau, Cho and Bengio 2015):  x_ts = sum_d w_d tanh(q_td + k_sd)
 *     x (B, T, S) =    q (B, T, D)    k (B, S, D)    w (D), or NULL for ones */
void fk_additive_scores(float *x, const float *q, const float *k, const float *w, fk_index B, fk_index T,
                        fk_index S, fk_index D);
/* dq_td = sum_s g_tsd    dk_sd = sum_t g_tsd    dw_d += sum_bts dx_ts tanh(q_td + k_sd)
 *     with g_tsd = dx_ts w_d (1 - tanh(q_td + k_sd)^2)
 * dq, dk =    dw +=, or NULL    scratch: B*D floats */
void fk_additive_scores_backward(float *dq, float *dk, float *dw, const float *dx, const float *q, const float *k,
                                 const float *w, float *scratch, fk_index B, fk_index T, fk_index S, fk_index D);

#endif
