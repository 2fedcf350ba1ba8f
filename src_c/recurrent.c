#include "recurrent.h"

#include <string.h>

#include "elementwise.h"
#include "threads.h"

/* Multiply-adds a thread should have before a second one is worth waking. */
#define GRAIN (64 * 1024)

fk_index fk_recurrent_scratch(fk_index B, fk_index scratch_row)
{
    return fk_prefix_blocks(B) * FK_PREFIX_BLOCK * scratch_row;
}

/* The waves of blocks k0 .. k1. A batch row that has no state in a wave has none in later ones. */
static void walk_blocks(fk_states tree, fk_wave wave, const void *layer, int backward, float *scratch, fk_index k0,
                        fk_index k1)
{
    const fk_index blocks = fk_prefix_blocks(tree.B);
    fk_index depth = 0;
    while (depth < tree.T && tree.waves[depth * blocks + k0] < tree.waves[depth * blocks + k1])
        depth++;
    for (fk_index i = 0; i < depth; i++) {
        const int32_t *first = tree.waves + (backward ? depth - 1 - i : i) * blocks;
        wave(layer, first[k0], first[k1], scratch);
    }
}

void fk_recurrent_walk(fk_states tree, fk_wave wave, const void *layer, int backward, fk_index work, float *scratch,
                       fk_index scratch_row)
{
    const fk_index blocks = fk_prefix_blocks(tree.B), parts = fk_min(blocks, fk_threads_for(tree.S * work, GRAIN));
#pragma omp parallel for num_threads((int)parts) if (parts > 1) schedule(static)
    for (fk_index part = 0; part < parts; part++) {
        fk_index k0, k1;
        fk_share(&k0, &k1, blocks, 1, part, parts);
        walk_blocks(tree, wave, layer, backward, scratch + k0 * FK_PREFIX_BLOCK * scratch_row, k0, k1);
    }
}

void fk_recurrent_dropped(float *hp, const float *h, const float *m, fk_states tree, fk_index s0, fk_index s1,
                          fk_index U)
{
    for (fk_index s = s0; s < s1; s++)
        fk_multiply(hp + (s - s0) * U, h + tree.parent[s] * U, m + tree.owner[s] * U, U);
}

void fk_recurrent_product(float *C, fk_index C_row, fk_gemm_rows from, const float *h, const float *R_packed,
                          const float *m, fk_states tree, float *hp, fk_index s0, fk_index s1, fk_index N, fk_index U)
{
    fk_gemm_rows A = {h, tree.parent + s0, U};
    if (m != NULL) {
        fk_recurrent_dropped(hp, h, m, tree, s0, s1, U);
        A = (fk_gemm_rows){hp, NULL, U};
    }
    fk_gemm_packed(C, C_row, A, from, R_packed, s1 - s0, N, U);
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

void fk_recurrent_inputs(float *hp, const float *h, const float *m, fk_states tree, fk_index U)
{
    const fk_index threads = fk_threads_for(tree.S * U, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index s = 0; s < tree.S; s++) {
        if (m == NULL)
            memcpy(hp + s * U, h + tree.parent[s] * U, (size_t)U * sizeof(float));
        else
            fk_multiply(hp + s * U, h + tree.parent[s] * U, m + tree.owner[s] * U, U);
    }
}
