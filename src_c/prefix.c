#include "prefix.h"

#include <string.h>

#include "threads.h"

#define GRAIN 4096

/* A block's tree, numbered from 0: its own roots first, then its states in the order they are found. */
typedef struct {
    int32_t *row, *parent, *owner; /* of each state, from the block's first slot on */
    int32_t *first_child;          /* of each node: the state last found below it, or -1 */
    int32_t *sibling;              /* of each node: the next child of the same parent, or -1 */
    int32_t *members;              /* of each node: how many batch rows stand at it */
    int32_t roots, nodes;
} tree;

enum { FIELDS = 3 }; /* first_child, sibling, members */

fk_index fk_prefix_scratch(fk_index B, fk_index T) { return FIELDS * (B * T + B); }

static int32_t add_node(tree *tr)
{
    const int32_t node = tr->nodes++;
    tr->first_child[node] = -1;
    tr->members[node] = 0;
    return node;
}

/* The child of `node` reached by input row `row`: an old one if a batch row with the same past made it. */
static int32_t child(tree *tr, int32_t node, int32_t row, int32_t owner, int share)
{
    if (share && tr->members[node] > 1)
        for (int32_t c = tr->first_child[node]; c >= 0; c = tr->sibling[c])
            if (tr->row[c - tr->roots] == row)
                return c;
    const int32_t made = add_node(tr);
    tr->sibling[made] = tr->first_child[node];
    tr->first_child[node] = made;
    tr->row[made - tr->roots] = row;
    tr->parent[made - tr->roots] = node;
    tr->owner[made - tr->roots] = owner;
    return made;
}

/* Builds the tree of batch rows b0 .. b0 + n: one wave per turn of the outer loop, in which each row goes on to its
 * next unmasked step. state and last receive nodes; waves counts states from 0. Returns the number of states. */
static int32_t grow(tree *tr, int32_t *waves, int32_t *state, int32_t *last, const int32_t *index,
                    const uint8_t *mask, int share, fk_index b0, fk_index n, fk_index T)
{
    fk_index step[FK_PREFIX_BLOCK] = {0}; /* the next step of each row */
    for (fk_index i = 0; i < tr->roots; i++)
        add_node(tr);
    for (fk_index i = 0; i < n; i++) {
        last[b0 + i] = tr->roots == 1 ? 0 : (int32_t)i;
        tr->members[last[b0 + i]]++;
    }
    for (fk_index w = 0; w < T; w++) {
        waves[w] = tr->nodes - tr->roots;
        for (fk_index i = 0; i < n; i++) {
            const fk_index b = b0 + i;
            const int32_t node = last[b];
            fk_index t = step[i];
            for (; t < T && mask != NULL && !mask[b * T + t]; t++)
                state[b * T + t] = node;
            if (t < T) {
                last[b] = child(tr, node, index[b * T + t], (int32_t)b, share);
                tr->members[last[b]]++;
                state[b * T + t++] = last[b];
            }
            step[i] = t;
        }
    }
    waves[T] = tr->nodes - tr->roots;
    return tr->nodes - tr->roots;
}

/* Numbers of the whole batch for the nodes of a block: its root i becomes state `root` + i, its states follow from
 * `first` on. */
static int32_t renumber(int32_t node, int32_t roots, int32_t root, int32_t first)
{
    return node < roots ? root + node : first + node - roots;
}

fk_index fk_prefix_tree(int32_t *row, int32_t *parent, int32_t *owner, int32_t *waves, int32_t *state, int32_t *last,
                        const int32_t *index, const uint8_t *mask, int share, float *scratch, fk_index B, fk_index T,
                        fk_index roots)
{
    const fk_index blocks = fk_prefix_blocks(B), threads = fk_min(blocks, fk_threads_for(B * T, GRAIN));
    int32_t *fields = (int32_t *)scratch;

#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index k = 0; k < blocks; k++) {
        const fk_index b0 = k * FK_PREFIX_BLOCK, n = fk_min(B - b0, FK_PREFIX_BLOCK), slot = b0 * T;
        int32_t *own = fields + FIELDS * (slot + b0);
        tree tr = {row + slot, parent + slot, owner + slot, own, own + n * T + n, own + 2 * (n * T + n),
                   roots > 0 ? (int32_t)n : 1, 0};
        grow(&tr, waves + k * (T + 1), state, last, index, mask, share, b0, n, T);
    }

    fk_index S = 0;
    for (fk_index k = 0; k < blocks; k++) {
        const fk_index b0 = k * FK_PREFIX_BLOCK, n = fk_min(B - b0, FK_PREFIX_BLOCK), slot = b0 * T;
        int32_t *wave = waves + k * (T + 1);
        const fk_index count = wave[T];
        const int32_t own_roots = roots > 0 ? (int32_t)n : 1, root = roots > 0 ? (int32_t)b0 + 1 : 0;
        const int32_t first = (int32_t)(1 + roots + S);
        memmove(row + S, row + slot, (size_t)count * sizeof *row);
        memmove(owner + S, owner + slot, (size_t)count * sizeof *owner);
        for (fk_index s = 0; s < count; s++)
            parent[S + s] = renumber(parent[slot + s], own_roots, root, first);
        for (fk_index w = 0; w <= T; w++)
            wave[w] += (int32_t)S;
        for (fk_index i = slot; i < slot + n * T; i++)
            state[i] = state[i] < own_roots ? 0 : renumber(state[i], own_roots, root, first);
        for (fk_index b = b0; b < b0 + n; b++)
            last[b] = renumber(last[b], own_roots, root, first);
        S += count;
    }
    return S;
}
