/* prefix.h: which states of a recurrent layer are distinct.
 *
 * A state depends on nothing but the initial state and the input rows read so far. So the rows of a batch form a
 * tree: from each state one edge per distinct input row that some batch row reads next; batch rows with an equal
 * past stand at the same node, and a layer computes one state per node. Masked steps are not edges: the batch row
 * stays where it is.
 *
 * The nodes ("states") are numbered so that a layer's state array h has one row each:
 *     row 0                     zeros: the output of a batch row before its first unmasked step
 *     rows 1 .. roots           the initial states of the batch rows, if they differ (roots = B); if all are
 *                               zero there are none (roots = 0) and row 0 is also the root
 *     rows 1+roots .. roots+S   the S states computed, each after its parent
 * The batch is cut into blocks of FK_PREFIX_BLOCK rows, whatever the number of threads; states are shared inside a
 * block only. From FK_PREFIX_SORTED blocks on, rows that begin alike are put into one block. Wave w of a block
 * holds its nodes at depth w + 1, all of whose parents lie in wave w - 1 of the same block. States are numbered
 * wave by wave, and block by block within a wave, so that some neighbouring blocks have their states of a wave
 * side by side: a thread takes such blocks and computes each of its waves as one matrix product, and never waits
 * for another thread (recurrent.h). So that threads are done at about the same time, blocks of many states stand
 * beside blocks of few.
 *     row (S), parent (S)       of state 1 + roots + s: the input row read to reach it, and the state it came from
 *     waves (T*blocks + 1)      wave w of the block at place p: s from waves[w*blocks + p] up to the next
 *     state (B, T)              the state of batch row b after step t, 0 before its first unmasked step
 *     last (B)                  the state of batch row b after all steps: its initial state if it made none
 *     owner (S)                 a batch row that passes through state s
 */
#ifndef FK_PREFIX_H
#define FK_PREFIX_H

#include "fk.h"

#define FK_PREFIX_BLOCK 16
#define FK_PREFIX_SORTED 8

/* The tree, as the layers receive it. */
typedef struct {
    const int32_t *row, *parent, *owner, *waves;
    fk_index B, T, S, roots, rows; /* rows: 1 + the largest of row, as many as the layer's input has at least */
} fk_states;

FK_INLINE fk_index fk_prefix_blocks(fk_index B) { return fk_ceil_div(B, FK_PREFIX_BLOCK); }

/* Fills row, parent, owner (each B*T long, the first S used), waves, state and last from
 *     index (B, T): the input row of each step   mask (B, T): 0 where a step is skipped, or NULL
 * and returns S. scratch: fk_prefix_scratch floats. Rows without a common past are told apart from the first step
 * on if roots = B; share = 0 keeps all rows apart even from a common root. */
fk_index fk_prefix_tree(int32_t *row, int32_t *parent, int32_t *owner, int32_t *waves, int32_t *state,
                        int32_t *last, const int32_t *index, const uint8_t *mask, int share, float *scratch,
                        fk_index B, fk_index T, fk_index roots);
fk_index fk_prefix_scratch(fk_index B, fk_index T);

/* 1 + the largest of row (S), 0 if there is none, or -1 if one is below 0 */
fk_index fk_prefix_rows(const int32_t *row, fk_index S);

#endif
