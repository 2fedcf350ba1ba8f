/* conv.h: convolution over images and sequences, channels last, as products that read their windows in place.
 *
 *     y[b, p, q, n] = f(bias_n + sum_{i < KH, j < KW, d < D}  x[b, SH p + DH i, SW q + DW j, d]  W[i, j, d, n])
 *
 *     x (B, H, W, C)   W (KH, KW, D, N)   bias (N) or NULL   y (B, OH, OW, N)
 *
 * x is padded already (fk_conv_pad). S: strides, D.: dilations. In `groups` groups the channels C = groups*D and
 * the filters N are dealt out evenly, and those of a group see only each other.
 * A sequence is an image of height one.
 *
 * A window's channels lie side by side in x, and windows differ only in where they begin, so each product is a
 * GEMM whose A is x itself (fk_gemm_packed_taps): the matrix of windows, KH KW times as large as x, is never made.
 * (Chetlur et al., cuDNN: Efficient Primitives for Deep Learning, 2014, do the same with tiles of that matrix.)
 */
#ifndef FK_CONV_H
#define FK_CONV_H

#include "activations.h"
#include "fk.h"
#include "pooling.h"

typedef struct {
    fk_index B, H, W, C; /* of x, padded */
    fk_index OH, OW, N;  /* of y */
    fk_index KH, KW, stride_h, stride_w, dilation_h, dilation_w, groups;
} fk_conv;

/* A part of x, as inside its border: H x W pixels of each image, the first at row `top` and column `left`. */
typedef struct {
    fk_index top, left, H, W;
} fk_conv_inner;

/* y =; f is elementwise
 * z (B, OH, OW, N) =, the sum before f: for activations whose backward pass needs it, else NULL */
void fk_conv_forward(float *y, float *z, const float *x, const float *W, const float *bias, fk_activation f,
                     const fk_conv *s, float *scratch);
/* dx = the gradient of the part `in` of x for dz, that of the sum before f    dx (B, in H, in W, C) =
 * (With what lies outside, cropped afterwards, 3 x 3 on 28 x 28 x 32 took 1.1 times as long.) */
void fk_conv_backward_input(float *dx, const float *dz, const float *W, const fk_conv *s, const fk_conv_inner *in,
                            float *scratch);
/* dW += the gradient of W    dW (KH, KW, D, N) += */
void fk_conv_backward_kernel(float *dW, const float *dz, const float *x, const fk_conv *s, float *scratch);
/* floats of scratch for each of these, at the present number of threads */
fk_index fk_conv_scratch(const fk_conv *s);

/* With the max pooling behind it (pooling.h: `pool`, of images OH x OW with N channels), which makes the output a
 * part at a time and does not keep it.
 * y = max of f(sum) under each pooling window, place = where it was found, or NULL; f is elementwise. What lies
 * under a row of windows is made together, and again for the next row if it lies there too.
 * y, place (B, pool OH, pool OW, N) = */
void fk_conv_max_forward(float *y, int32_t *place, const float *x, const float *W, const float *bias,
                         fk_activation f, const fk_conv *s, const fk_pooling *pool, float *scratch);
fk_index fk_conv_max_scratch(const fk_conv *s, const fk_pooling *pool);
/* dW += its gradient for g, that of the sums at these places (g as y): for kernels of a few dozen floats a filter,
 * one group; conv_peaks.h has the one for larger kernels */
void fk_conv_max_backward_kernel(float *dW, const float *g, const int32_t *place, const float *x, const fk_conv *s,
                                 const fk_pooling *pool);

/* to = from with a border of zeros: `top` rows above, `left` columns at the left, as many below and at the right
 * as are missing    to (B, H, W, C) =   from (B, h, w, C) */
void fk_conv_pad(float *to, const float *from, fk_index top, fk_index left, fk_index B, fk_index H, fk_index W,
                 fk_index h, fk_index w, fk_index C);
/* to = from without such a border    to (B, h, w, C) =   from (B, H, W, C) */
void fk_conv_crop(float *to, const float *from, fk_index top, fk_index left, fk_index B, fk_index H, fk_index W,
                  fk_index h, fk_index w, fk_index C);

#endif
