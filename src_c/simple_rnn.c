#include "simple_rnn.h"

#include <string.h>

#include "gemm.h"
#include "prefix.h"
#include "simd.h"
#include "threads.h"

/* Multiply-adds a thread should have before a second one is worth waking. */
#define GRAIN (64 * 1024)

static const fk_activation linear = {FK_LINEAR, 0, 0, 0};

fk_index fk_simple_rnn_scratch(fk_index B, fk_index U)
{
    return fk_prefix_blocks(B) * FK_PREFIX_BLOCK * fk_round_up(U, FK_VL);
}

static fk_index thread_count(fk_states tree, fk_index U)
{
    return fk_min(fk_prefix_blocks(tree.B), fk_threads_for(tree.S * U * U, GRAIN));
}

/* y = a * b */
static void multiply(float *y, const float *a, const float *b, fk_index U)
{
    for (fk_index u = 0; u < U; u++)
        y[u] = a[u] * b[u];
}

static void add(float *y, const float *x, fk_index U)
{
    for (fk_index u = 0; u < U; u++)
        y[u] += x[u];
}

/* hp_s = h[parent_s] * m[owner_s] for states s0 .. s1 */
static void dropped_parents(float *hp, const float *h, const float *m, fk_states tree, fk_index s0, fk_index s1,
                            fk_index U)
{
    for (fk_index s = s0; s < s1; s++)
        multiply(hp + (s - s0) * U, h + tree.parent[s] * U, m + tree.owner[s] * U, U);
}

/* One wave: states s0 .. s1, none of which is another's parent. */
static void wave_forward(float *h, float *z, const float *P, const float *R_packed, const float *m, fk_activation f,
                         fk_states tree, float *hp, fk_index s0, fk_index s1, fk_index U)
{
    float *h_s = h + (1 + tree.roots + s0) * U, *z_s = z == NULL ? h_s : z + s0 * U;
    const float *from = h;
    const int32_t *parent = tree.parent + s0;
    if (m != NULL) {
        dropped_parents(hp, h, m, tree, s0, s1, U);
        from = hp;
        parent = NULL;
    }
    /* h_s = f(P[row_s] + h[parent_s] R) */
    fk_gemm_packed(z_s, from, parent, P, tree.row + s0, R_packed, z == NULL ? f : linear, s1 - s0, U, U);
    if (z != NULL)
        fk_activation_span(h_s, z_s, f, (s1 - s0) * U);
}

void fk_simple_rnn_forward(float *h, float *z, const float *P, const float *R_packed, const float *m, fk_activation f,
                           fk_states tree, float *scratch, fk_index U)
{
    const fk_index threads = thread_count(tree, U);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(dynamic, 1)
    for (fk_index k = 0; k < fk_prefix_blocks(tree.B); k++) {
        const int32_t *wave = tree.waves + k * (tree.T + 1);
        float *hp = scratch + k * FK_PREFIX_BLOCK * U;
        for (fk_index w = 0; w < tree.T && wave[w] < wave[tree.T]; w++)
            wave_forward(h, z, P, R_packed, m, f, tree, hp, wave[w], wave[w + 1], U);
    }
}

static void wave_backward(float *dh, float *dz, const float *h, const float *z, const float *Rt_packed,
                          const float *m, fk_activation f, fk_states tree, float *dhp, fk_index s0, fk_index s1,
                          fk_index U)
{
    const fk_index first = (1 + tree.roots + s0) * U, n = s1 - s0;
    float *dz_s = dz + s0 * U;
    /* forward: h_s = f(z_s) */
    fk_activation_span_backward(dz_s, dh + first, z == NULL ? NULL : z + s0 * U, h + first, f, n * U);
    /* forward: z_s = P[row_s] + h[parent_s] * m[owner_s] R */
    fk_gemm_packed(dhp, dz_s, NULL, NULL, NULL, Rt_packed, linear, n, U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *dhp_s = dhp + (s - s0) * U;
        if (m != NULL)
            multiply(dhp_s, dhp_s, m + tree.owner[s] * U, U);
        /* Row 0 belongs to all blocks and its gradient to nobody. */
        if (tree.parent[s] != 0)
            add(dh + tree.parent[s] * U, dhp_s, U);
    }
}

void fk_simple_rnn_backward(float *dh, float *dz, const float *h, const float *z, const float *Rt_packed,
                            const float *m, fk_activation f, fk_states tree, float *scratch, fk_index U)
{
    const fk_index threads = thread_count(tree, U);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(dynamic, 1)
    for (fk_index k = 0; k < fk_prefix_blocks(tree.B); k++) {
        const int32_t *wave = tree.waves + k * (tree.T + 1);
        float *dhp = scratch + k * FK_PREFIX_BLOCK * U;
        for (fk_index w = tree.T - 1; w >= 0; w--)
            if (wave[w] < wave[w + 1])
                wave_backward(dh, dz, h, z, Rt_packed, m, f, tree, dhp, wave[w], wave[w + 1], U);
    }
}

void fk_simple_rnn_inputs(float *hp, const float *h, const float *m, fk_states tree, fk_index U)
{
    const fk_index threads = fk_threads_for(tree.S * U, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index s = 0; s < tree.S; s++) {
        if (m == NULL)
            memcpy(hp + s * U, h + tree.parent[s] * U, (size_t)U * sizeof(float));
        else
            multiply(hp + s * U, h + tree.parent[s] * U, m + tree.owner[s] * U, U);
    }
}
