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

/* kept_i = word(i) >= 2^32 rate         kept (n) = 0 or 1, or NULL
 * y_i = x_i kept_i / (1 - rate)         y (n) =   x (n); y may be x    0 <= rate <= 1 */
void fk_random_dropout(float *y, uint8_t *kept, const float *x, uint64_t key, uint64_t counter, double rate,
                       fk_index n);
/* dx_i = dy_i kept_i / (1 - rate)       dx (n) =   dy (n); dx may be dy */
void fk_random_dropout_backward(float *dx, const float *dy, const uint8_t *kept, double rate, fk_index n);

/* y_i = mean + stddev z_i               y (n) =        z normal, by Box and Muller (1958): two of them,
 *     sqrt(-2 log u) cos(2 pi t)   and   sqrt(-2 log u) sin(2 pi t),
 * come of two words; u in (0, 1] has the high 24 bits of one, the angle t in turns all 32 of the other */
void fk_random_normal(float *y, uint64_t key, uint64_t counter, float mean, float stddev, fk_index n);

#endif
