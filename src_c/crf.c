#include "crf.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "rowwise.h"
#include "threads.h"

#define GRAIN (16 * 1024)

typedef struct {
    const float *x, *A, *start, *end;
    fk_index T, C;
} chain;

static fk_index blocks_of(fk_index B) { return fk_ceil_div(B, FK_CRF_SAMPLES); }

static fk_index threads_for(fk_index B, fk_index T, fk_index C)
{
    return fk_min(fk_max(1, blocks_of(B)), fk_threads_for(B * T * C * C, GRAIN));
}

/* Of a thread: two rows for each step, and three more. Of a block: the gradients of A, start and end. */
static fk_index per_thread(fk_index T, fk_index C) { return (2 * T + 3) * C; }
static fk_index per_block(fk_index C) { return (C + 2) * C; }

fk_index fk_crf_scratch(fk_index B, fk_index T, fk_index C)
{
    return threads_for(B, T, C) * per_thread(T, C) + blocks_of(B) * per_block(C);
}

/* to = from + more    (C), more NULL for zeros */
static void sum_of(float *to, const float *from, const float *more, fk_index C)
{
    for (fk_index c = 0; c < C; c++)
        to[c] = from[c] + (more ? more[c] : 0.0f);
}

/* --- the loss ---------------------------------------------------------------------------------------------- */

/* L_j = log sum_i exp(alpha_i + A_ij), finite in any case */
static void log_step(float *L, const float *alpha, const float *A, fk_index C)
{
    for (fk_index j = 0; j < C; j += FK_VL) {
        const fk_index left = C - j;
        vf largest = vf_set(-FLT_MAX), sum = vf_set(0.0f);
        for (fk_index i = 0; i < C; i++)
            largest = vf_max(largest, alpha[i] + vf_load_first(A + i * C + j, left, 0.0f));
        for (fk_index i = 0; i < C; i++)
            sum += vf_exp_fast(alpha[i] + vf_load_first(A + i * C + j, left, 0.0f) - largest);
        vf_store_first(L + j, vf_max(largest + vf_log(sum), vf_set(-FLT_MAX)), left);
    }
}

/* p_i = sum_j q_ij    dA_ij += w q_ij    with q_ij = p_next_j exp(alpha_i + A_ij - L_j) */
static void pair_step(float *p, float *dA, const float *p_next, const float *alpha, const float *L, const float *A,
                      float w, fk_index C)
{
    for (fk_index i = 0; i < C; i++) {
        vf sum = vf_set(0.0f);
        for (fk_index j = 0; j < C; j += FK_VL) {
            const fk_index left = C - j;
            const vf A_ij = vf_load_first(A + i * C + j, left, 0.0f), L_j = vf_load_first(L + j, left, 0.0f);
            const vf q = vf_load_first(p_next + j, left, 0.0f) * vf_exp_fast(alpha[i] + A_ij - L_j);
            sum += q;
            vf_store_first(dA + i * C + j, vf_load_first(dA + i * C + j, left, 0.0f) + w * q, left);
        }
        p[i] = vf_sum(sum);
    }
}

/* One sample: returns log Z - score(y), and unless dx is NULL adds to the gradients. rows: per_thread */
static float sample_loss(float *dx, float *dA, float *dstart, float *dend, const chain *g, const int32_t *y,
                         const uint8_t *mask, float w, float *rows)
{
    const fk_index T = g->T, C = g->C;
    float *alpha = rows, *L = rows + T * C, *p = L + T * C, *p_next = p + C; /* alpha and L (kept steps, C) */
    double log_Z = 0.0, score = 0.0; /* alpha is smaller than it should be by what log_Z holds */
    fk_index n = 0, first = 0, last = 0;
    for (fk_index t = 0; t < T; t++) {
        if (mask && !mask[t])
            continue;
        float *alpha_n = alpha + n * C;
        if (n == 0) {
            sum_of(alpha_n, g->x + t * C, g->start, C);
            first = t;
        } else {
            log_step(L + n * C, alpha_n - C, g->A, C);
            sum_of(alpha_n, L + n * C, g->x + t * C, C);
            score += g->A[y[last] * C + y[t]];
        }
        score += g->x[t * C + y[t]];
        const float largest = row_largest(alpha_n, C);
        for (fk_index c = 0; c < C; c++)
            alpha_n[c] -= largest;
        log_Z += largest;
        last = t;
        n++;
    }
    if (dx)
        memset(dx, 0, (size_t)(T * C) * sizeof(float));
    if (n == 0)
        return 0.0f;
    score += (g->start ? g->start[y[first]] : 0.0f) + (g->end ? g->end[y[last]] : 0.0f);

    /* p_T = softmax(alpha_T + end) */
    sum_of(p_next, alpha + (n - 1) * C, g->end, C);
    const float largest = row_largest(p_next, C), sum = row_exp(p_next, p_next, largest, C);
    row_scale(p_next, p_next, 1.0f / sum, C);
    const float nll = (float)(log_Z + largest + log(sum) - score);
    if (dx == NULL)
        return nll;

    for (fk_index c = 0; dend && c < C; c++)
        dend[c] += w * (p_next[c] - (float)(c == y[last]));
    fk_index after = -1; /* the kept step after t */
    for (fk_index t = last; t >= 0; t--) {
        if (mask && !mask[t])
            continue;
        if (after >= 0) {
            n--;
            pair_step(p, dA, p_next, alpha + (n - 1) * C, L + n * C, g->A, w, C);
            dA[y[t] * C + y[after]] -= w;
            float *swap = p;
            p = p_next;
            p_next = swap;
        }
        for (fk_index c = 0; c < C; c++)
            dx[t * C + c] = w * (p_next[c] - (float)(c == y[t]));
        after = t;
    }
    for (fk_index c = 0; dstart && c < C; c++)
        dstart[c] += dx[first * C + c];
    return nll;
}

static int tags_are_good(const int32_t *y, const uint8_t *mask, fk_index n, fk_index C)
{
    for (fk_index i = 0; i < n; i++)
        if ((!mask || mask[i]) && (y[i] < 0 || y[i] >= C))
            return 0;
    return 1;
}

/* total_i += sum over the blocks, in order, of parts_i    parts: from block to block `step` floats */
static void add_blocks(float *total, const float *parts, fk_index step, fk_index blocks, fk_index n)
{
    for (fk_index k = 0; total && k < blocks; k++)
        for (fk_index i = 0; i < n; i++)
            total[i] += parts[k * step + i];
}

fk_status fk_crf_loss(float *nll, float *dx, float *dA, float *dstart, float *dend, const float *x, const float *A,
                      const float *start, const float *end, const int32_t *y, const uint8_t *mask, const float *w,
                      float *scratch, fk_index B, fk_index T, fk_index C)
{
    if (!tags_are_good(y, mask, B * T, C))
        return FK_BAD_INDEX;
    const fk_index threads = threads_for(B, T, C), blocks = blocks_of(B), step = per_block(C);
    float *parts = scratch + threads * per_thread(T, C);
    if (dx)
        memset(parts, 0, (size_t)(blocks * step) * sizeof(float));
    FK_FOR_EACH(k, blocks, 1, threads, {
        float *part = parts + k * step, *rows = scratch + fk_part * per_thread(T, C);
        for (fk_index b = k * FK_CRF_SAMPLES; b < fk_min(B, (k + 1) * FK_CRF_SAMPLES); b++) {
            const chain g = {x + b * T * C, A, start, end, T, C};
            nll[b] = sample_loss(dx ? dx + b * T * C : NULL, part, start ? part + C * C : NULL,
                                 end ? part + C * C + C : NULL, &g, y + b * T, mask ? mask + b * T : NULL,
                                 dx ? w[b] : 0.0f, rows);
        }
    });
    if (dx) {
        add_blocks(dA, parts, step, blocks, C * C);
        add_blocks(dstart, parts + C * C, step, blocks, C);
        add_blocks(dend, parts + C * C + C, step, blocks, C);
    }
    return FK_OK;
}

/* --- the best tags ------------------------------------------------------------------------------------------ */

/* best_j = max_i (score_i + A_ij)    from_j = the smallest such i, as a float: all tags are exact */
static void best_step(float *best, float *from, const float *score, const float *A, fk_index C)
{
    for (fk_index j = 0; j < C; j += FK_VL) {
        const fk_index left = C - j;
        vf largest = score[0] + vf_load_first(A + j, left, 0.0f), place = vf_set(0.0f);
        for (fk_index i = 1; i < C; i++) {
            const vf other = score[i] + vf_load_first(A + i * C + j, left, 0.0f);
            place = vf_select(other > largest, vf_set((float)i), place);
            largest = vf_select(other > largest, other, largest);
        }
        vf_store_first(best + j, largest, left);
        vf_store_first(from + j, place, left);
    }
}

static fk_index place_of_largest(const float *score, fk_index C)
{
    fk_index best = 0;
    for (fk_index c = 1; c < C; c++)
        if (score[c] > score[best])
            best = c;
    return best;
}

static void decode_sample(int32_t *tags, const chain *g, const uint8_t *mask, float *rows)
{
    const fk_index T = g->T, C = g->C;
    float *from = rows, *score = rows + T * C, *best = score + C; /* from (T, C) */
    fk_index n = 0;
    for (fk_index t = 0; t < T; t++) {
        tags[t] = 0;
        if (mask && !mask[t])
            continue;
        if (n == 0) {
            sum_of(score, g->x + t * C, g->start, C);
        } else {
            best_step(best, from + t * C, score, g->A, C);
            sum_of(score, best, g->x + t * C, C);
        }
        const float largest = row_largest(score, C); /* scores near zero have the most digits */
        for (fk_index c = 0; c < C; c++)
            score[c] -= largest;
        n++;
    }
    if (n == 0)
        return;
    sum_of(score, score, g->end, C);
    fk_index tag = place_of_largest(score, C);
    for (fk_index t = T - 1; t >= 0; t--) {
        if (mask && !mask[t])
            continue;
        tags[t] = (int32_t)tag;
        if (--n > 0)
            tag = (fk_index)from[t * C + tag];
    }
}

void fk_crf_decode(int32_t *tags, const float *x, const float *A, const float *start, const float *end,
                   const uint8_t *mask, float *scratch, fk_index B, fk_index T, fk_index C)
{
    FK_FOR_EACH(b, B, 1, threads_for(B, T, C), {
        const chain g = {x + b * T * C, A, start, end, T, C};
        float *rows = scratch + fk_part * per_thread(T, C);
        decode_sample(tags + b * T, &g, mask ? mask + b * T : NULL, rows);
    });
}
