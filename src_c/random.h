/* random.h: random numbers that depend on a key, a counter and a position, and on nothing else.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a
 * 64-bit key and a 128-bit block number into four 32-bit words. Here the high half of the block number is the
 * counter that the caller advances from call to call, and the low half counts blocks within a call. Words are
 * laid out in tiles of 128:
 *
 *     word(position) = word (position % 128) / 32  of block  32 (position / 128) + position % 32
 *
 * so that 32 blocks are computed side by side, the same on every instruction set.
 */
#ifndef FK_RANDOM_H
#define FK_RANDOM_H

#include "fk.h"

/* words_i = word(i)    words (n) = */
void fk_random_words(uint32_t *words, uint64_t key, uint64_t counter, fk_index n);

/* y_i = x_i / (1 - rate) where word(i) >= 2^32 rate, 0 elsewhere    0 <= rate <= 1    y =, x (n); y may be x
 * The backward pass is the same with dy for x: key and counter give the same mask again. */
void fk_random_dropout(float *y, const float *x, uint64_t key, uint64_t counter, double rate, fk_index n);

#endif
