/* pooling.h: each channel's largest value, or mean, under a window, over images and sequences, channels last.
 *
 *     x (B, H, W, C)   y (B, OH, OW, C)
 *
 * The window of y[b, p, q] is the places (h, w) of x with SH p - top <= h < SH p - top + KH, and likewise in w,
 * that lie in the image; wherever it stands, there must be at least one. Places of the border do not count, not
 * even in a mean. A sequence is an image of height one, and global pooling has one window as large as the image.
 */
#ifndef FK_POOLING_H
#define FK_POOLING_H

#include "fk.h"

typedef struct {
    fk_index B, H, W, C; /* of x */
    fk_index OH, OW;     /* of y */
    fk_index KH, KW, stride_h, stride_w, top, left;
} fk_pooling;

/* y = max of x under the window; NaN if there is one    y (B, OH, OW, C) =
 * place (B, OH, OW, C) =, or NULL: where it was found, as h*W + w; the first, row by row, of equal ones */
void fk_pooling_max_forward(float *y, int32_t *place, const float *x, const fk_pooling *s);
/* dx[b, place] = sum of dy of the windows that found it there, else 0    dx (B, H, W, C) =   dy as y */
void fk_pooling_max_backward(float *dx, const float *dy, const int32_t *place, const fk_pooling *s);

/* y = mean of x under the window, over the places where the mask is not 0; NaN if there is none
 * y (B, OH, OW, C) =   mask (B, H, W) or NULL */
void fk_pooling_average_forward(float *y, const float *x, const unsigned char *mask, const fk_pooling *s);
/* dx = sum over the windows above it of dy / their number of places    dx (B, H, W, C) =; 0 where the mask is */
void fk_pooling_average_backward(float *dx, const float *dy, const unsigned char *mask, const fk_pooling *s);

#endif
