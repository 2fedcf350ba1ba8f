#include "ctc.h"

#include <math.h>
#include <string.h>

#include "rowwise.h"
#include "threads.h"

#define GRAIN (4 * 1024)
/* The logarithm of no probability: sums of a few of it are finite, and sums of real ones stay far above it. */
#define NEVER -1e30f

/* One sample. Row t of alpha, in 0..T, begins two places before its state 0. A path comes from state -1, before
 * the first, and goes to state S, behind the last.
 * skip[s], s in 0..S+1, is 0 where it may come from s-2, else NEVER. */
typedef struct {
    const float *x;
    const int32_t *y;
    fk_index T, C, S;
    int32_t blank;
    float *alpha, *log_sum, *skip, *e, *beta, *next; /* (T+1, S+2)  (T)  (S+2)  (S)  (S)  (S+2) */
} lattice;

static fk_index threads_for(fk_index B, fk_index T, fk_index L)
{
    return fk_min(fk_max(1, B), fk_threads_for(B * T * (2 * L + 1), GRAIN));
}

static fk_index per_thread(fk_index T, fk_index L)
{
    const fk_index S = 2 * L + 1;
    return (T + 1) * (S + 2) + T + 2 * (S + 2) + 2 * S;
}

fk_index fk_ctc_scratch(fk_index B, fk_index T, fk_index L) { return threads_for(B, T, L) * per_thread(T, L); }

static int32_t class_of(const lattice *g, fk_index s) { return s % 2 ? g->y[s / 2] : g->blank; }

/* e_s = log p_t[z_s] */
static void emissions(const lattice *g, fk_index t)
{
    for (fk_index s = 0; s < g->S; s++) {
        const float e = g->x[t * g->C + class_of(g, s)] - g->log_sum[t];
        g->e[s] = e < NEVER ? NEVER : e;
    }
}

/* log(exp(a) + exp(b) + exp(c)) */
static vf log_sum_of_three(vf a, vf b, vf c)
{
    const vf largest = vf_max(a, vf_max(b, c));
    return largest + vf_log(vf_exp_fast(a - largest) + vf_exp_fast(b - largest) + vf_exp_fast(c - largest));
}

/* x_s -= max_s x_s; returns what was taken off */
static float bring_to_zero(float *x, fk_index S)
{
    const float largest = row_largest(x, S);
    for (fk_index s = 0; s < S; s++)
        x[s] -= largest;
    return largest;
}

/* alpha_t[s] = p_t[z_s] (alpha_t-1[s] + alpha_t-1[s-1] + alpha_t-1[s-2] if it may be skipped to), as logarithms */
static void forward_step(float *alpha, const float *before, const lattice *g)
{
    for (fk_index s = 0; s < g->S; s += FK_VL) {
        const fk_index left = g->S - s;
        const vf skip = vf_load_first(g->skip + s, left, NEVER);
        const vf sum = log_sum_of_three(vf_load_first(before + s, left, NEVER),
                                        vf_load_first(before + s - 1, left, NEVER),
                                        vf_load_first(before + s - 2, left, NEVER) + skip);
        const vf a = sum + vf_load_first(g->e + s, left, NEVER);
        vf_store_first(alpha + s, vf_select(a < NEVER, vf_set(NEVER), a), left);
    }
}

/* beta_t[s] = next[s] + next[s+1] + next[s+2] if it may be skipped to, as logarithms, with
 * next[s] = p_t+1[z_s] beta_t+1[s] */
static void backward_step(float *beta, const float *next, const lattice *g)
{
    for (fk_index s = 0; s < g->S; s += FK_VL) {
        const fk_index left = g->S - s;
        const vf skip = vf_load_first(g->skip + s + 2, left, NEVER);
        const vf sum = log_sum_of_three(vf_load_first(next + s, left, NEVER),
                                        vf_load_first(next + s + 1, left, NEVER),
                                        vf_load_first(next + s + 2, left, NEVER) + skip);
        vf_store_first(beta + s, vf_select(sum < NEVER, vf_set(NEVER), sum), left);
    }
}

/* Fills log_sum and alpha, and p (T, C) unless it is NULL; returns -log p(y | x) */
static float forward(const lattice *g, float *p)
{
    const fk_index T = g->T, C = g->C, S = g->S;
    for (fk_index s = 0; s < S + 2; s++) {
        const int may = s % 2 && (s == 1 || s == S || class_of(g, s) != class_of(g, s - 2));
        g->skip[s] = may ? 0.0f : NEVER;
    }
    float *alpha = g->alpha + 2; /* state 0 of row t */
    for (fk_index s = -2; s < S; s++)
        alpha[s] = s == -1 ? 0.0f : NEVER;
    double log_p = 0.0; /* alpha is smaller than it should be by this */
    for (fk_index t = 0; t < T; t++, alpha += S + 2) {
        const float *x_t = g->x + t * C;
        float *p_t = p ? p + t * C : NULL, *after = alpha + S + 2;
        const float largest = row_largest(x_t, C), sum = row_exp(p_t, x_t, largest, C);
        if (p_t)
            row_scale(p_t, p_t, 1.0f / sum, C);
        g->log_sum[t] = largest + logf(sum);
        emissions(g, t);
        after[-2] = after[-1] = NEVER;
        forward_step(after, alpha, g);
        log_p += bring_to_zero(after, S);
    }
    const float a = alpha[S - 1], b = alpha[S - 2], larger = a > b ? a : b;
    if (larger < 0.5f * NEVER)
        return INFINITY;
    return (float)-(log_p + larger + log(exp(a - larger) + exp(b - larger)));
}

/* dx_t[c] = w (p_t[c] - p(path_t = c | y, x)), with p in dx before */
static void backward(float *dx, const lattice *g, float w)
{
    const fk_index C = g->C, S = g->S;
    float *next = g->next, *beta = g->beta;
    for (fk_index s = 0; s < S + 2; s++)
        next[s] = s == S ? 0.0f : NEVER;
    for (fk_index t = g->T - 1; t >= 0; t--) {
        const float *alpha = g->alpha + (t + 1) * (S + 2) + 2;
        float *dx_t = dx + t * C;
        backward_step(beta, next, g);
        bring_to_zero(beta, S);
        emissions(g, t);
        for (fk_index s = 0; s < S; s++) {
            next[s] = beta[s] + g->e[s];
            beta[s] += alpha[s];
        }
        next[S] = NEVER;
        /* alpha_t beta_t / p(y | x), which sums to one */
        const float sum = row_exp(beta, beta, row_largest(beta, S), S);
        row_scale(dx_t, dx_t, w, C);
        for (fk_index s = 0; s < S; s++)
            dx_t[class_of(g, s)] -= w / sum * beta[s];
    }
}

static int labels_are_good(const int32_t *y, const int32_t *labels, fk_index B, fk_index C, fk_index L)
{
    for (fk_index b = 0; b < B; b++)
        for (fk_index l = 0; l < labels[b]; l++)
            if (y[b * L + l] < 0 || y[b * L + l] >= C)
                return 0;
    return 1;
}

fk_status fk_ctc_loss(float *nll, float *dx, const float *x, const int32_t *y, const int32_t *labels,
                      const int32_t *steps, const float *w, int32_t blank, float *scratch, fk_index B, fk_index T,
                      fk_index C, fk_index L)
{
    if (!labels_are_good(y, labels, B, C, L))
        return FK_BAD_INDEX;
    const fk_index threads = threads_for(B, T, L);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(dynamic)
    for (fk_index b = 0; b < B; b++) {
        const fk_index S = 2 * labels[b] + 1;
        float *alpha = scratch + fk_thread_index() * per_thread(T, L), *log_sum = alpha + (T + 1) * (S + 2);
        float *skip = log_sum + T, *next = skip + S + 2, *e = next + S + 2, *beta = e + S;
        const lattice g = {x + b * T * C, y + b * L, steps[b], C, S, blank, alpha, log_sum, skip, e, beta, next};
        float *dx_b = dx ? dx + b * T * C : NULL;
        nll[b] = forward(&g, dx_b);
        if (!dx)
            continue;
        const fk_index counts = nll[b] == INFINITY ? 0 : steps[b];
        if (counts)
            backward(dx_b, &g, w[b]);
        memset(dx_b + counts * C, 0, (size_t)((T - counts) * C) * sizeof(float));
    }
    return FK_OK;
}
