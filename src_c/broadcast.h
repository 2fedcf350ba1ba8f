/* broadcast.h: arithmetic on arrays of which one may be repeated to fit the other, as numpy broadcasts them, and
 * sums over one axis, which take such a repetition back.
 *
 * Arrays are seen with three axes. numpy joins neighbouring axes too, but then calls a loop for every row: for the
 * sum of 1024 x 64 numbers and a row of 64 it takes twice as long.
 */
#ifndef FK_BROADCAST_H
#define FK_BROADCAST_H

#include "fk.h"

typedef enum { FK_ADD, FK_SUBTRACT, FK_MULTIPLY } fk_arithmetic;

/* y_ijk = a_ijk + b_ijk, or -, or *       y (n[0], n[1], n[2]) =
 * a_ijk stands at a[i a_step[0] + j a_step[1] + k a_step[2]], and b_ijk likewise: a step of 0 repeats.
 * The last steps are 0 or 1. */
void fk_broadcast(float *y, const float *a, const float *b, fk_arithmetic op, const fk_index a_step[3],
                  const fk_index b_step[3], const fk_index n[3]);

/* y_ik = sum_j x_ijk                      y (n[0], n[2]) =   x (n[0], n[1], n[2]) */
void fk_sum_middle(float *y, const float *x, const fk_index n[3]);

#endif
