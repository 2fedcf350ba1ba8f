#include "prefix.h"

#include <string.h>

#include "threads.h"

#define GRAIN 4096

/* A block's tree, numbered from 0: its own roots first, then its states in the order they are found. */
typedef struct {
    int32_t *row, *parent, *owner; /* of each state, numbered without the roots */
    int32_t *first_child;          /* of each node: the state last found below it, or -1 */
    int32_t *sibling;              /* of each node: the next child of the same parent, or -1 */
    int32_t *members;              /* of each node: how many batch rows stand at it */
    int32_t roots, nodes;
} tree;

enum { FIELDS = 6 };

fk_index fk_prefix_scratch(fk_index B, fk_index T)
{
    return 2 * B + fk_prefix_blocks(B) * (T + 3) + FIELDS * (B * T + B);
}

/* --- which rows make a block ------------------------------------------------------------------------------- */

/* Whether row a of the index stands before row b, or is equal to it:
 * the first step in which they differ decides. */
static int in_order(const int32_t *index, int32_t a, int32_t b, fk_index T)
{
    const int32_t *row_a = index + a * T, *row_b = index + b * T;
    fk_index t = 0;
    while (t < T && row_a[t] == row_b[t])
        t++;
    return t == T || row_a[t] < row_b[t];
}

/* to = the rows of from[0 .. n], of which each half is sorted, in one order */
static void merge(int32_t *to, const int32_t *from, fk_index half, fk_index n, const int32_t *index, fk_index T)
{
    for (fk_index i = 0, j = half, k = 0; k < n; k++)
        to[k] = j >= n || (i < half && in_order(index, from[i], from[j], T)) ? from[i++] : from[j++];
}

/* order (B) = the rows, block after block; sorted, those that begin alike stand together and share most. */
static void order_rows(int32_t *order, int32_t *sorted, const int32_t *index, int sort, fk_index B, fk_index T)
{
    for (fk_index b = 0; b < B; b++)
        order[b] = (int32_t)b;
    for (fk_index half = 1; sort && half < B; half *= 2) {
        for (fk_index b = 0; b < B; b += 2 * half)
            merge(sorted + b, order + b, fk_min(half, B - b), fk_min(2 * half, B - b), index, T);
        memcpy(order, sorted, (size_t)B * sizeof(int32_t));
    }
}

/* --- the tree ---------------------------------------------------------------------------------------------- */

/* The tree, empty, of the n batch rows of a block that begins with the b0-th in order, in its part of the
 * scratch. */
static tree block_tree(int32_t *all_nodes, fk_index b0, fk_index n, fk_index T, fk_index roots)
{
    int32_t *own = all_nodes + FIELDS * (b0 * T + b0);
    const fk_index size = n * T + n;
    return (tree){own,        own + size,     own + 2 * size, own + 3 * size,
                  own + 4 * size, own + 5 * size, roots > 0 ? (int32_t)n : 1, 0};
}

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

/* Builds the tree of the n batch rows in `rows`: one wave per turn of the outer loop, in which each row goes on to
 * its next unmasked step. state and last receive nodes; ends[w] the number of states up to and with wave w. */
static void grow(tree *tr, int32_t *ends, int32_t *state, int32_t *last, const int32_t *index, const uint8_t *mask,
                 int share, const int32_t *rows, fk_index n, fk_index T)
{
    fk_index step[FK_PREFIX_BLOCK] = {0}; /* the next step of each row */
    int32_t at[FK_PREFIX_BLOCK];          /* where it stands: not in last, whose cache lines belong to many blocks */
    for (fk_index i = 0; i < tr->roots; i++)
        add_node(tr);
    for (fk_index i = 0; i < n; i++) {
        at[i] = tr->roots == 1 ? 0 : (int32_t)i;
        tr->members[at[i]]++;
    }
    for (fk_index w = 0; w < T; w++) {
        for (fk_index i = 0; i < n; i++) {
            const fk_index b = rows[i];
            fk_index t = step[i];
            for (; t < T && mask != NULL && !mask[b * T + t]; t++)
                state[b * T + t] = at[i];
            if (t < T) {
                at[i] = child(tr, at[i], index[b * T + t], (int32_t)b, share);
                tr->members[at[i]]++;
                state[b * T + t++] = at[i];
            }
            step[i] = t;
        }
        ends[w] = tr->nodes - tr->roots;
    }
    for (fk_index i = 0; i < n; i++)
        last[rows[i]] = at[i];
}

/* --- where a block stands among the others ----------------------------------------------------------------- */

/* Deals n blocks, the largest first, to two halves: each to the half that has fewer states, while it has room;
 * then each half's blocks likewise. So neighbours that a thread takes are about as much work as another thread's.
 * size: of each block. spare: n. */
static void deal(int32_t *blocks, int32_t *spare, const int32_t *size, fk_index n)
{
    if (n < 2)
        return;
    const fk_index room[2] = {n / 2, n - n / 2};
    int32_t *half[2] = {blocks, spare};
    fk_index held[2] = {0, 0}, states[2] = {0, 0};
    for (fk_index i = 0; i < n; i++) {
        const int32_t block = blocks[i];
        const int fewer = states[1] < states[0], to = held[fewer] < room[fewer] ? fewer : !fewer;
        half[to][held[to]++] = block;
        states[to] += size[block];
    }
    memcpy(blocks + room[0], spare, (size_t)room[1] * sizeof(int32_t));
    deal(blocks, spare, size, room[0]);
    deal(blocks + room[0], spare, size, room[1]);
}

/* blocks = the number of the block at each place. ends (blocks, T): of each block's waves. spare: 2 n. */
static void place_blocks(int32_t *blocks, int32_t *spare, const int32_t *ends, fk_index n, fk_index T)
{
    int32_t *size = spare + n;
    for (fk_index k = 0; k < n; k++) {
        fk_index i = k;
        size[k] = T > 0 ? ends[k * T + T - 1] : 0;
        for (; i > 0 && size[blocks[i - 1]] < size[k]; i--)
            blocks[i] = blocks[i - 1];
        blocks[i] = (int32_t)k;
    }
    deal(blocks, spare, size, n);
}

/* waves from the blocks at each place and the ends of their waves; returns the number of states. */
static fk_index number_waves(int32_t *waves, const int32_t *at, const int32_t *ends, fk_index blocks, fk_index T)
{
    int32_t S = 0;
    for (fk_index w = 0; w < T; w++)
        for (fk_index place = 0; place < blocks; place++) {
            const int32_t *end = ends + at[place] * T + w;
            waves[w * blocks + place] = S;
            S += w > 0 ? end[0] - end[-1] : end[0];
        }
    waves[T * blocks] = S;
    return S;
}

fk_index fk_prefix_tree(int32_t *row, int32_t *parent, int32_t *owner, int32_t *waves, int32_t *state,
                        int32_t *last, const int32_t *index, const uint8_t *mask, int share, float *scratch,
                        fk_index B, fk_index T, fk_index roots)
{
    const fk_index blocks = fk_prefix_blocks(B), threads = fk_min(blocks, fk_threads_for(B * T, GRAIN));
    int32_t *order = (int32_t *)scratch, *blocks_at = order + 2 * B, *all_ends = blocks_at + 3 * blocks;
    int32_t *all_nodes = all_ends + blocks * T;
    order_rows(order, order + B, index, share && roots == 0 && blocks >= FK_PREFIX_SORTED, B, T);
    FK_FOR_EACH(k, blocks, 1, threads, {
        const fk_index b0 = k * FK_PREFIX_BLOCK, n = fk_min(B - b0, FK_PREFIX_BLOCK);
        tree tr = block_tree(all_nodes, b0, n, T, roots);
        grow(&tr, all_ends + k * T, state, last, index, mask, share, order + b0, n, T);
    });
    place_blocks(blocks_at, blocks_at + blocks, all_ends, blocks, T);
    const fk_index S = number_waves(waves, blocks_at, all_ends, blocks, T);
    FK_FOR_EACH(place, blocks, 1, threads, {
        const fk_index k = blocks_at[place], b0 = k * FK_PREFIX_BLOCK, n = fk_min(B - b0, FK_PREFIX_BLOCK);
        const int32_t *ends = all_ends + k * T;
        tree tr = block_tree(all_nodes, b0, n, T, roots);
        int32_t *number = tr.members; /* of each node: its row in the layer's state array */
        for (int32_t i = 0; i < tr.roots; i++)
            number[i] = roots > 0 ? (int32_t)(1 + b0) + i : 0;
        for (fk_index w = 0, node = 0; w < T; w++)
            for (fk_index s = waves[w * blocks + place]; node < ends[w]; node++, s++) {
                number[tr.roots + node] = (int32_t)(1 + roots + s);
                row[s] = tr.row[node];
                parent[s] = number[tr.parent[node]];
                owner[s] = tr.owner[node];
            }
        for (fk_index i = 0; i < n; i++) {
            const fk_index b = order[b0 + i];
            for (fk_index t = 0; t < T; t++)
                state[b * T + t] = state[b * T + t] < tr.roots ? 0 : number[state[b * T + t]];
            last[b] = number[last[b]];
        }
    });
    return S;
}

fk_index fk_prefix_rows(const int32_t *row, fk_index S)
{
    int32_t low = 0, high = -1;
    for (fk_index s = 0; s < S; s++) {
        low = row[s] < low ? row[s] : low;
        high = row[s] > high ? row[s] : high;
    }
    return low < 0 ? -1 : (fk_index)high + 1;
}
