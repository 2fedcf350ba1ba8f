#include "recurrent.h"

#include <string.h>

#include "elementwise.h"
#include "threads.h"

/* Multiply-adds a thread should have before a second one is worth waking. */
#define GRAIN (64 * 1024)
/* States whose gradients are summed at a time: their rows stay in the L2 cache, where dR and dP find them. */
#define STATES 256
/* Floats of 4 KB. */
#define PAGE 1024

fk_index fk_recurrent_scratch(fk_index B, fk_index scratch_row)
{
    return fk_prefix_blocks(B) * FK_PREFIX_BLOCK * scratch_row;
}

/* The waves of blocks k0 .. k1. A batch row that has no state in a wave has none in later ones. */
static void walk_blocks(fk_states tree, fk_step step, const void *layer, int backward, float *scratch, fk_index k0,
                        fk_index k1)
{
    const fk_index blocks = fk_prefix_blocks(tree.B);
    fk_index depth = 0;
    while (depth < tree.T && tree.waves[depth * blocks + k0] < tree.waves[depth * blocks + k1])
        depth++;
    for (fk_index i = 0; i < depth; i++) {
        const fk_index next = fk_min(i + 1, depth - 1);
        const int32_t *now = tree.waves + (backward ? depth - 1 - i : i) * blocks;
        const int32_t *soon = tree.waves + (backward ? depth - 1 - next : next) * blocks;
        step(layer, (fk_wave){now[k0], now[k1], soon[k0], soon[k1]}, scratch);
    }
}

void fk_recurrent_walk(fk_states tree, fk_step step, const void *layer, int backward, fk_index work,
                       float *scratch, fk_index scratch_row)
{
    const fk_index blocks = fk_prefix_blocks(tree.B);
    FK_FOR_SHARES(k0, k1, blocks, 1, fk_threads_for(tree.S * work, GRAIN),
                  walk_blocks(tree, step, layer, backward, scratch + k0 * FK_PREFIX_BLOCK * scratch_row, k0, k1));
}

void fk_recurrent_dropped(float *hp, const float *h, const float *m, fk_states tree, fk_index s0, fk_index s1,
                          fk_index U)
{
    for (fk_index s = s0; s < s1; s++)
        fk_multiply(hp + (s - s0) * U, h + tree.parent[s] * U, m + tree.owner[s] * U, U);
}

void fk_recurrent_product(float *C, fk_index C_row, fk_gemm_rows from, const float *h, const float *R_packed,
                          const float *m, fk_states tree, float *hp, fk_gemm_ahead *ahead, fk_index s0, fk_index s1,
                          fk_index N, fk_index U)
{
    fk_gemm_rows A = {h, tree.parent + s0, U};
    if (m != NULL) {
        fk_recurrent_dropped(hp, h, m, tree, s0, s1, U);
        A = (fk_gemm_rows){hp, NULL, U};
    }
    fk_gemm_packed(C, C_row, A, from, R_packed, ahead, s1 - s0, N, U);
}

void fk_recurrent_to_parents(float *dh, const float *dhp, const float *m, fk_states tree, fk_index s0, fk_index s1,
                             fk_index U)
{
    for (fk_index s = s0; s < s1; s++) {
        float *dh_parent = dh + tree.parent[s] * U;
        if (tree.parent[s] == 0)
            continue;
        if (m == NULL)
            fk_add(dh_parent, dh_parent, dhp + (s - s0) * U, U);
        else
            fk_multiply_add(dh_parent, dhp + (s - s0) * U, m + tree.owner[s] * U, U);
    }
}

fk_index fk_recurrent_backward_row(fk_index N, fk_index U) { return U + N + FK_LINE; }

void fk_recurrent_product_backward(float *dh, const float *dz, fk_index dz_row, const float *Rt_packed,
                                   const float *m, fk_states tree, float *scratch, fk_wave w, fk_index N,
                                   fk_index U)
{
    const fk_index states = w.s1 - w.s0;
    float *dhp = scratch, *copy = scratch + states * U;
    fk_gemm_rows dz_s = {dz + w.s0 * dz_row, NULL, dz_row}, zero = {NULL, NULL, 0};
    fk_gemm_ahead soon = {dz + w.soon0 * dz_row, w.soon1 - w.soon0, dz_row, dz_row, 0};
    /* Rows a multiple of 4 KB apart fall into one set of the L1 cache, and drive each other out while a product
     * reads many of them. Copies lie N floats and a cache line apart (N = 1024, U = 256: 1.1 to 1.5 times as fast). */
    if (dz_row % PAGE == 0) {
        for (fk_index i = 0; i < states; i++)
            memcpy(copy + i * (N + FK_LINE), dz_s.data + i * dz_row, (size_t)N * sizeof(float));
        dz_s = (fk_gemm_rows){copy, NULL, N + FK_LINE};
    }
    fk_gemm_packed(dhp, U, dz_s, zero, Rt_packed, &soon, states, U, N);
    fk_recurrent_to_parents(dh, dhp, m, tree, w.s0, w.s1, U);
}

/* --- the gradients of R, b and P ---------------------------------------------------------------------------- */

typedef struct {
    float *dR, *db, *dP; /* or NULL */
    fk_index dR_row, dP_row, P_columns, P_gap;
    const float *dz, *m;
    fk_index dz_row;
    fk_gemm_rows hp;
    fk_states tree;
    fk_index U;
} gradients;

/* The rows hp of some states, the sum of their dz, and dz as panels. */
static fk_index inputs_size(fk_index U) { return STATES * fk_round_up(U, FK_VL); }
static fk_index sum_size(fk_index N) { return fk_round_up(N, FK_VL); }
static fk_index share_size(fk_index N, fk_index U)
{
    return inputs_size(U) + sum_size(N) + fk_gemm_packed_size(N, STATES);
}

fk_index fk_recurrent_gradients_scratch(fk_index N, fk_index U) { return fk_get_num_threads() * share_size(N, U); }

/* to_s = hp_s (* m[owner_s])    for states s0 .. s1 */
static void copy_inputs(float *to, const gradients *g, fk_index s0, fk_index s1)
{
    for (fk_index s = s0; s < s1; s++, to += g->U) {
        const float *hp_s = g->hp.data + g->hp.row * (g->hp.index ? g->hp.index[s] : s);
        if (g->m == NULL)
            memcpy(to, hp_s, (size_t)g->U * sizeof(float));
        else
            fk_multiply(to, hp_s, g->m + g->tree.owner[s] * g->U, g->U);
    }
}

/* db and dP for columns n .. last and states s0 .. s1. sum: a row of scratch */
static void add_to_db_and_dP(const gradients *g, float *sum, fk_index n, fk_index last, fk_index s0, fk_index s1)
{
    const fk_index width = last - n, near = fk_min(width, fk_max(0, g->P_columns - n));
    memset(sum, 0, (size_t)width * sizeof(float));
    for (fk_index s = s0; s < s1; s++) {
        const float *dz = g->dz + s * g->dz_row + n, *further = dz + near + g->P_gap;
        if (g->db != NULL)
            fk_add(sum, sum, dz, width);
        if (g->dP != NULL) {
            float *dP = g->dP + g->tree.row[s] * g->dP_row + n;
            fk_add(dP, dP, dz, near);
            fk_add(dP + near, dP + near, further, width - near);
        }
    }
    if (g->db != NULL)
        fk_add(g->db + n, g->db + n, sum, width);
}

/* What columns n .. last of dz give for states s0 .. s1. */
static void add_gradients(const gradients *g, float *scratch, fk_index n, fk_index last, fk_index s0, fk_index s1)
{
    static const fk_index start = 0;
    const float *dz = g->dz + s0 * g->dz_row + n;
    float *inputs = scratch, *sum = inputs + inputs_size(g->U), *packed = sum + sum_size(last - n);
    add_to_db_and_dP(g, sum, n, last, s0, s1);
    if (g->dR == NULL)
        return;
    /* dz lies in a far cache by now: that of the next states comes while the products of these are computed */
    const fk_index read = last - n + (last > g->P_columns ? g->P_gap : 0);
    fk_gemm_ahead soon = {g->dz + s1 * g->dz_row + n, fk_min(STATES, g->tree.S - s1), read, g->dz_row, 0};
    copy_inputs(inputs, g, s0, s1);
    fk_gemm_pack(packed, dz, g->dz_row, 0, last - n, s1 - s0);
    float *dR = g->dR + n;
    fk_gemm_packed_taps(dR, g->dR_row, (fk_gemm_rows){inputs, NULL, 1}, g->U, &start, 1, s1 - s0,
                        (fk_gemm_rows){dR, NULL, g->dR_row}, packed, &soon, g->U, last - n);
}

void fk_recurrent_gradients(float *dR, fk_index dR_row, float *db, float *dP, fk_index dP_row, fk_index P_columns,
                            fk_index P_gap, const float *dz, fk_index dz_row, fk_gemm_rows hp, const float *m,
                            fk_states tree, float *scratch, fk_index N, fk_index U)
{
    const gradients g = {dR, db, dP, dR_row, dP_row, P_columns, P_gap, dz, m, dz_row, hp, tree, U};
    /* A thread owns some columns and passes over all states: the sums keep their order. */
    FK_FOR_SHARES(n, last, N, FK_VL, fk_threads_for(tree.S * U * N, GRAIN), {
        for (fk_index s = 0; s < tree.S; s += STATES)
            add_gradients(&g, scratch + fk_part * share_size(N, U), n, last, s, fk_min(tree.S, s + STATES));
    });
}
