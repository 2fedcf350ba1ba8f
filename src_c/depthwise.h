/* depthwise.h: depthwise convolution over images and sequences, channels last: each channel has its own window.
 *
 *     y[b, p, q, n] = f(bias_n + sum_{i < KH, j < KW}  x[b, SH p + DH i - top, SW q + DW j - left, n]  W[i, j, n])
 *
 *     x (B, H, W, N)   W (KH, KW, N)   bias (N) or NULL   y (B, OH, OW, N)
 *
 * S: strides, D: dilations; top and left: places of the first windows that stand out in front. Places outside of x
 * count as zero. A sequence is an image of height one. With a depth multiplier M each of C channels has M windows:
 * x is then fk_depthwise_repeat of the input, N = C M, and W (KH, KW, C, M) lies as it is wanted.
 *
 * No channel meets another, so there is no matrix product in it: vectors run along the channels, and sums stay in
 * registers for some neighbouring places of the result at a time.
 */
#ifndef FK_DEPTHWISE_H
#define FK_DEPTHWISE_H

#include "activations.h"
#include "fk.h"

typedef struct {
    fk_index B, H, W, N; /* of x */
    fk_index OH, OW;     /* of y */
    fk_index KH, KW, stride_h, stride_w, dilation_h, dilation_w, top, left;
} fk_depthwise;

/* y =; f is elementwise
 * z (B, OH, OW, N) =, the sum before f: for activations whose backward pass needs it, else NULL */
void fk_depthwise_forward(float *y, float *z, const float *x, const float *W, const float *bias, fk_activation f,
                          const fk_depthwise *s, float *scratch);
/* dx = the gradient of x for dz, that of the sum before f    dx (B, H, W, N) = */
void fk_depthwise_backward_input(float *dx, const float *dz, const float *W, const fk_depthwise *s,
                                 float *scratch);
/* dW += the gradient of W    dW (KH, KW, N) += */
void fk_depthwise_backward_kernel(float *dW, const float *dz, const float *x, const fk_depthwise *s,
                                  float *scratch);
/* floats of scratch for each of these */
fk_index fk_depthwise_scratch(const fk_depthwise *s);

/* to[p, c M + m] = from[p, c]         to (P, C M) =   from (P, C) */
void fk_depthwise_repeat(float *to, const float *from, fk_index P, fk_index C, fk_index M);
/* to[p, c] = sum_m from[p, c M + m]   to (P, C) =   from (P, C M) */
void fk_depthwise_fold(float *to, const float *from, fk_index P, fk_index C, fk_index M);

#endif
