/* transposed.h: the last step of a transposed convolution, channels last.
 *
 * A transposed convolution gives back what a convolution took: its sums are the gradient of that convolution's
 * input, and its own backward pass is that convolution and the gradient of its kernel (conv.h; Dumoulin and Visin,
 * A Guide to Convolution Arithmetic for Deep Learning, 2016, section 4):
 *
 *     sums[b, S p + D i, n] = sum_{i, d}  x[b, p, d]  W[i, n, d]         fk_conv_backward_input, on both axes
 *     z[b, h, w, n]         = bias_n + sums[b, h + top, w + left, n]     this file
 *     y                     = f(z)
 */
#ifndef FK_TRANSPOSED_H
#define FK_TRANSPOSED_H

#include "activations.h"
#include "fk.h"

/* y (B, h, w, N) =   z =, as y, or NULL if the backward pass has no need of it
 * sums (B, H, W, N)   bias (N) or NULL   f: elementwise
 * z, or y if that is NULL, may be `sums` if nothing is cut off: h = H, w = W */
void fk_transposed_finish(float *y, float *z, const float *sums, const float *bias, fk_activation f, fk_index top,
                          fk_index left, fk_index B, fk_index h, fk_index w, fk_index N, fk_index H, fk_index W);

#endif
