/* conv_peaks.h: the gradients of a convolution under max pooling, from the maxima alone.
 *
 * Max pooling gives its gradient to one pixel for each of its Q windows and each filter, the one that was largest,
 * so dz, the gradient of the convolution's sum (conv.h), is zero elsewhere:
 *
 *     dz[b, p, n] = sum of g[b, q, n] over q with place[b, q, n] = p        p: pixels of y, counted row by row
 *
 * dz is not made. With x_bp the window of x under pixel p, KH KW D floats, and W_n the kernel of filter n:
 *
 *     dW_n  += sum_{b, q}  g[b, q, n]  x_bp          at p = place[b, q, n]
 *     dx_bp += g[b, q, n] W_n                        for all b, q and n
 *
 * which takes Q products where dz would take OH OW.
 *
 *     g, place (B, Q, N)   x, dx (B, H, W, C)   W, dW (KH, KW, D, N)   and the rest as in conv.h
 *
 * x may be given by its distinct rows (rows.h): then x and dx are (R, C), index (B, H, W) says which row stands at
 * each pixel, and there is one group. Otherwise index is NULL.
 */
#ifndef FK_CONV_PEAKS_H
#define FK_CONV_PEAKS_H

#include "conv.h"

/* dx =    R: the number of its rows if there is an index */
void fk_conv_peaks_backward_input(float *dx, const float *g, const int32_t *place, const int32_t *index,
                                  const float *W, const fk_conv *s, float *scratch, fk_index Q, fk_index R);
/* dW += */
void fk_conv_peaks_backward_kernel(float *dW, const float *g, const int32_t *place, const float *x,
                                   const int32_t *index, const fk_conv *s, float *scratch, fk_index Q);
/* floats of scratch for either of them, at the present number of threads */
fk_index fk_conv_peaks_scratch(const fk_conv *s, fk_index Q);

#endif
