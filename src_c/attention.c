#include "attention.h"

#include <math.h>
#include <string.h>

#include "elementwise.h"
#include "gemm.h"
#include "rowwise.h"
#include "threads.h"

#define ROWS FK_ATTENTION_ROWS
#define GRAIN (64 * 1024)
#define ADDITIVE_GRAIN 4096

/* --- a block of queries ------------------------------------------------------------------------------------ */

/* What one thread works in: matrices packed for products, and scores of a block. */
typedef struct {
    float *keys_across, *values;   /* k^T (K, S)    v (S, V) */
    float *keys, *values_across;   /* k (S, K)      v^T (V, S) */
    float *queries, *gradients;    /* of a block: q (ROWS, K)    dy (ROWS, V) */
    float *P, *mP, *dP;            /* (ROWS, S) */
} workspace;

#define PARTS 9

/* size = how many floats each part has, in whole cache lines; returns their sum */
static fk_index workspace_size(fk_index size[PARTS], fk_index S, fk_index K, fk_index V)
{
    const fk_index wanted[PARTS] = {fk_gemm_packed_size(S, K), fk_gemm_packed_size(V, S),
                                    fk_gemm_packed_size(K, S), fk_gemm_packed_size(S, V),
                                    fk_gemm_packed_size(K, ROWS), fk_gemm_packed_size(V, ROWS),
                                    ROWS * S, ROWS * S, ROWS * S};
    fk_index total = 0;
    for (fk_index i = 0; i < PARTS; i++) {
        size[i] = fk_round_up(wanted[i], 16);
        total += size[i];
    }
    return total;
}

/* A thread's part of the scratch. */
static workspace workspace_of(float *scratch, fk_index thread, fk_index S, fk_index K, fk_index V)
{
    workspace w;
    float **part[PARTS] = {&w.keys_across, &w.values, &w.keys, &w.values_across, &w.queries, &w.gradients,
                           &w.P, &w.mP, &w.dP};
    fk_index size[PARTS];
    float *next = scratch + thread * workspace_size(size, S, K, V);
    for (fk_index i = 0; i < PARTS; i++) {
        *part[i] = next;
        next += size[i];
    }
    return w;
}

static fk_index threads_for(fk_index B, fk_index H, fk_index T, fk_index S, fk_index K, fk_index V)
{
    return fk_min(fk_max(1, B * H), fk_threads_for(B * H * T * S * (K + V), GRAIN));
}

fk_index fk_attention_scratch(fk_index B, fk_index H, fk_index T, fk_index S, fk_index K, fk_index V)
{
    fk_index size[PARTS];
    return threads_for(B, H, T, S, K, V) * workspace_size(size, S, K, V);
}

/* P_t = softmax(scale x_t) over the keys of t, in place; returns whether there are any.    mask (S) or NULL */
static int softmax_row(float *P, const fk_attention *a, const uint8_t *mask, fk_index t)
{
    const fk_index S = a->S, n = a->causal ? fk_min(S, t + 1) : S;
    const float scale = a->x ? 1.0f : a->scale;
    for (fk_index s = 0; s < n; s++)
        P[s] = mask && !mask[s] ? -INFINITY : scale * P[s];
    for (fk_index s = n; s < S; s++)
        P[s] = 0.0f;
    const float largest = row_largest(P, n);
    if (largest == -INFINITY) {
        for (fk_index s = 0; s < S; s++)
            P[s] = a->uniform ? 1.0f / (float)S : 0.0f;
        return 0;
    }
    const float sum = row_exp(P, P, largest, n);
    row_scale(P, P, 1.0f / sum, n);
    return 1;
}

/* P of `rows` queries from t on, for sample b and head h; attends: whether each attends to any key */
static void weights(float *P, uint8_t *attends, const fk_attention *a, const float *keys_across, fk_index b,
                    fk_index h, fk_index t, fk_index rows)
{
    const fk_index H = a->H, T = a->T, S = a->S, K = a->K;
    const fk_gemm_rows none = {NULL, NULL, 0};
    if (a->x) {
        memcpy(P, a->x + ((b * H + h) * T + t) * S, (size_t)(rows * S) * sizeof(float));
    } else {
        const fk_gemm_rows queries = {a->q + ((b * T + t) * H + h) * K, NULL, H * K};
        fk_gemm_packed(P, S, queries, none, keys_across, NULL, rows, S, K);
    }
    for (fk_index i = 0; i < rows; i++) {
        const uint8_t *mask = a->mask ? a->mask + b * a->mask_b + h * a->mask_h + (t + i) * a->mask_t : NULL;
        attends[i] = (uint8_t)softmax_row(P + i * S, a, mask, t + i);
    }
}

/* --- dot products ------------------------------------------------------------------------------------------ */

static void forward_head(float *y, float *P_out, const fk_attention *a, const workspace *w, fk_index b, fk_index h)
{
    const fk_index H = a->H, T = a->T, S = a->S, K = a->K, V = a->V, bh = b * H + h;
    const fk_gemm_rows none = {NULL, NULL, 0};
    uint8_t attends[ROWS];
    if (!a->x)
        fk_gemm_pack(w->keys_across, a->k + (b * S * H + h) * K, H * K, 1, S, K);
    fk_gemm_pack(w->values, a->v + (b * S * H + h) * V, H * V, 0, V, S);
    for (fk_index t = 0; t < T; t += ROWS) {
        const fk_index rows = fk_min(ROWS, T - t), at = (bh * T + t) * S;
        weights(w->P, attends, a, w->keys_across, b, h, t, rows);
        if (P_out)
            memcpy(P_out + at, w->P, (size_t)(rows * S) * sizeof(float));
        if (a->m)
            fk_multiply(w->P, w->P, a->m + at, rows * S);
        /* y_t = sum_s m_ts P_ts v_s */
        const fk_gemm_rows P = {w->P, NULL, S};
        fk_gemm_packed(y + ((b * T + t) * H + h) * V, H * V, P, none, w->values, NULL, rows, V, S);
    }
}

void fk_attention_forward(float *y, float *P, const fk_attention *a, float *scratch)
{
    const fk_index threads = threads_for(a->B, a->H, a->T, a->S, a->K, a->V), heads = a->B * a->H;
    FK_FOR_EACH(bh, heads, 1, threads, {
        const workspace w = workspace_of(scratch, fk_part, a->S, a->K, a->V);
        forward_head(y, P, a, &w, bh / a->H, bh % a->H);
    });
}

/* dx = P (dP - sum_s P dP), times `factor`, in place of dP, for one row */
static void softmax_row_backward(float *dP, const float *P, float factor, fk_index S)
{
    const float along = row_dot(P, dP, S);
    for (fk_index s = 0; s < S; s += FK_VL) {
        const vf dP_s = vf_load_first(dP + s, S - s, 0.0f), P_s = vf_load_first(P + s, S - s, 0.0f);
        vf_store_first(dP + s, factor * P_s * (dP_s - along), S - s);
    }
}

/* C += A^T B, or C = A^T B for the first block     A (rows, M)   packed: B (rows, N), rows <= ROWS   C (M, N) */
static void add_transposed(float *C, fk_index C_row, const float *A, const float *packed, int first, fk_index rows,
                           fk_index M, fk_index N)
{
    const fk_gemm_rows columns = {A, NULL, 1}, from = {first ? NULL : C, NULL, C_row};
    fk_gemm_packed_taps(C, C_row, columns, M, NULL, 1, rows, from, packed, NULL, M, N);
}

static void backward_head(float *dq, float *dk, float *dv, float *dx, const float *dy, const float *dP_given,
                          const fk_attention *a, const workspace *w, fk_index b, fk_index h)
{
    const fk_index H = a->H, T = a->T, S = a->S, K = a->K, V = a->V, bh = b * H + h;
    const fk_index of_keys = (b * S * H + h) * K, of_values = (b * S * H + h) * V;
    const fk_gemm_rows none = {NULL, NULL, 0};
    uint8_t attends[ROWS];
    if (!a->x) {
        fk_gemm_pack(w->keys_across, a->k + of_keys, H * K, 1, S, K);
        fk_gemm_pack(w->keys, a->k + of_keys, H * K, 0, K, S);
    }
    fk_gemm_pack(w->values_across, a->v + of_values, H * V, 1, S, V);
    for (fk_index t = 0; t < T; t += ROWS) {
        const fk_index rows = fk_min(ROWS, T - t), at = (bh * T + t) * S;
        const fk_index of_queries = ((b * T + t) * H + h) * K, of_outputs = ((b * T + t) * H + h) * V;
        weights(w->P, attends, a, w->keys_across, b, h, t, rows);

        /* forward: y_t = sum_s m_ts P_ts v_s */
        fk_gemm_pack(w->gradients, dy + of_outputs, H * V, 0, V, rows);
        if (a->m)
            fk_multiply(w->mP, w->P, a->m + at, rows * S);
        add_transposed(dv + of_values, H * V, a->m ? w->mP : w->P, w->gradients, t == 0, rows, S, V);
        const fk_gemm_rows outputs = {dy + of_outputs, NULL, H * V};
        fk_gemm_packed(w->dP, S, outputs, none, w->values_across, NULL, rows, S, V);
        if (a->m)
            fk_multiply(w->dP, w->dP, a->m + at, rows * S);
        if (dP_given)
            for (fk_index i = 0; i < rows * S; i++)
                w->dP[i] += dP_given[at + i];

        /* forward: P_t = softmax(x_t) */
        for (fk_index i = 0; i < rows; i++) {
            if (attends[i])
                softmax_row_backward(w->dP + i * S, w->P + i * S, a->x ? 1.0f : a->scale, S);
            else
                memset(w->dP + i * S, 0, (size_t)S * sizeof(float));
        }

        /* forward: x_ts = scale q_t . k_s */
        if (a->x) {
            memcpy(dx + at, w->dP, (size_t)(rows * S) * sizeof(float));
            continue;
        }
        const fk_gemm_rows slopes = {w->dP, NULL, S};
        fk_gemm_packed(dq + of_queries, H * K, slopes, none, w->keys, NULL, rows, K, S);
        fk_gemm_pack(w->queries, a->q + of_queries, H * K, 0, K, rows);
        add_transposed(dk + of_keys, H * K, w->dP, w->queries, t == 0, rows, S, K);
    }
}

void fk_attention_backward(float *dq, float *dk, float *dv, float *dx, const float *dy, const float *dP_given,
                           const fk_attention *a, float *scratch)
{
    const fk_index threads = threads_for(a->B, a->H, a->T, a->S, a->K, a->V), heads = a->B * a->H;
    if (a->T == 0) { /* no query, no block that would write these */
        memset(dv, 0, (size_t)(heads * a->S * a->V) * sizeof(float));
        if (!a->x)
            memset(dk, 0, (size_t)(heads * a->S * a->K) * sizeof(float));
    }
    FK_FOR_EACH(bh, heads, 1, threads, {
        const workspace w = workspace_of(scratch, fk_part, a->S, a->K, a->V);
        backward_head(dq, dk, dv, dx, dy, dP_given, a, &w, bh / a->H, bh % a->H);
    });
}

/* --- additive scores --------------------------------------------------------------------------------------- */

static float additive_score(const float *q, const float *k, const float *w, fk_index D)
{
    vf sum = vf_set(0.0f);
    for (fk_index d = 0; d < D; d += FK_VL) {
        const vf h = vf_tanh(vf_load_first(q + d, D - d, 0.0f) + vf_load_first(k + d, D - d, 0.0f));
        sum += (w ? vf_load_first(w + d, D - d, 0.0f) : vf_set(1.0f)) * h;
    }
    return vf_sum(sum);
}

void fk_additive_scores(float *x, const float *q, const float *k, const float *w, fk_index B, fk_index T,
                        fk_index S, fk_index D)
{
    FK_FOR_EACH(bt, B * T, 1, fk_threads_for(B * T * S * D, ADDITIVE_GRAIN), {
        for (fk_index s = 0; s < S; s++)
            x[bt * S + s] = additive_score(q + bt * D, k + (bt / T * S + s) * D, w, D);
    });
}

/* One query and one key: adds to dq, dk and dw (D) what their score's gradient gives. */
FK_INLINE void additive_score_backward(float *dq, float *dk, float *dw, float dx, const float *q, const float *k,
                                       const float *w, fk_index D)
{
    for (fk_index d = 0; d < D; d += FK_VL) {
        const fk_index left = D - d;
        const vf h = vf_tanh(vf_load_first(q + d, left, 0.0f) + vf_load_first(k + d, left, 0.0f));
        const vf g = dx * (w ? vf_load_first(w + d, left, 0.0f) : vf_set(1.0f)) * (1.0f - h * h);
        vf_store_first(dq + d, vf_load_first(dq + d, left, 0.0f) + g, left);
        vf_store_first(dk + d, vf_load_first(dk + d, left, 0.0f) + g, left);
        vf_store_first(dw + d, vf_load_first(dw + d, left, 0.0f) + dx * h, left);
    }
}

void fk_additive_scores_backward(float *dq, float *dk, float *dw, const float *dx, const float *q, const float *k,
                                 const float *w, float *scratch, fk_index B, fk_index T, fk_index S, fk_index D)
{
    memset(dq, 0, (size_t)(B * T * D) * sizeof(float));
    memset(dk, 0, (size_t)(B * S * D) * sizeof(float));
    memset(scratch, 0, (size_t)(B * D) * sizeof(float));
    const fk_index threads = fk_min(fk_max(1, B), fk_threads_for(B * T * S * D, ADDITIVE_GRAIN));
    FK_FOR_EACH(b, B, 1, threads, {
        for (fk_index t = b * T; t < (b + 1) * T; t++)
            for (fk_index s = b * S; s < (b + 1) * S; s++) {
                const float slope = dx[t * S + s - b * S];
                if (slope != 0.0f) /* what is masked has none */
                    additive_score_backward(dq + t * D, dk + s * D, scratch + b * D, slope, q + t * D, k + s * D,
                                            w, D);
            }
    });
    for (fk_index b = 0; dw && b < B; b++) /* the sums of the samples, in order */
        for (fk_index d = 0; d < D; d++)
            dw[d] += scratch[b * D + d];
}
