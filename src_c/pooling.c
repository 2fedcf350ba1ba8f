#include "pooling.h"

#include <string.h>

#include "pooling_window.h"
#include "threads.h"

/* Floats of x that are worth a thread. Threads take rows of y in a forward pass and, since windows may overlap,
 * whole images in a backward pass. */
#define GRAIN (32 * 1024)

static fk_index threads_for(const fk_pooling *s) { return fk_threads_for(s->B * s->H * s->W * s->C, GRAIN); }

/* --- the largest ------------------------------------------------------------------------------------------- */

void fk_pooling_max_forward(float *y, int32_t *place, const float *x, const fk_pooling *s)
{
    FK_FOR_EACH(r, s->B * s->OH, 1, threads_for(s), {
        for (fk_index q = 0; q < s->OW; q++) {
            const fk_index at = (r * s->OW + q) * s->C;
            largest_under(y + at, place ? place + at : NULL, x + r / s->OH * s->H * s->W * s->C,
                          window_at(s, r % s->OH, q), s, 0);
        }
    });
}

void fk_pooling_max_backward(float *dx, const float *dy, const int32_t *place, const fk_pooling *s)
{
    const fk_index C = s->C, x_image = s->H * s->W * C, y_image = s->OH * s->OW * C;
    FK_FOR_EACH(b, s->B, 1, threads_for(s), {
        float *dx_b = dx + b * x_image;
        memset(dx_b, 0, (size_t)x_image * sizeof(float));
        for (fk_index i = 0; i < y_image; i += C)
            for (fk_index c = 0; c < C; c++)
                dx_b[place[b * y_image + i + c] * C + c] += dy[b * y_image + i + c];
    });
}

/* --- the mean ---------------------------------------------------------------------------------------------- */

/* The number of places under a window where the image's mask is not 0. */
FK_INLINE fk_index places(const unsigned char *mask_b, pooling_window at, const fk_pooling *s)
{
    if (!mask_b)
        return (at.h1 - at.h0) * (at.w1 - at.w0);
    fk_index count = 0;
    for (fk_index h = at.h0; h < at.h1; h++)
        for (fk_index w = at.w0; w < at.w1; w++)
            count += mask_b[h * s->W + w] != 0;
    return count;
}

FK_INLINE void mean_under(float *y, const float *x_b, const unsigned char *mask_b, pooling_window at,
                          const fk_pooling *s)
{
    const fk_index C = s->C;
    const float count = (float)places(mask_b, at, s);
    memset(y, 0, (size_t)C * sizeof(float));
    for (fk_index h = at.h0; h < at.h1; h++)
        for (fk_index w = at.w0; w < at.w1; w++) {
            const fk_index here = h * s->W + w;
            if (!mask_b || mask_b[here])
                for (fk_index c = 0; c < C; c++)
                    y[c] += x_b[here * C + c];
        }
    for (fk_index c = 0; c < C; c++)
        y[c] /= count;
}

/* forward: y = sum of x under the window / count */
FK_INLINE void spread_under(float *dx_b, const float *dy, const unsigned char *mask_b, pooling_window at,
                            const fk_pooling *s)
{
    const fk_index C = s->C;
    const float share = 1.0f / (float)places(mask_b, at, s);
    for (fk_index h = at.h0; h < at.h1; h++)
        for (fk_index w = at.w0; w < at.w1; w++) {
            const fk_index here = h * s->W + w;
            if (!mask_b || mask_b[here])
                for (fk_index c = 0; c < C; c++)
                    dx_b[here * C + c] += dy[c] * share;
        }
}

void fk_pooling_average_forward(float *y, const float *x, const unsigned char *mask, const fk_pooling *s)
{
    FK_FOR_EACH(r, s->B * s->OH, 1, threads_for(s), {
        const fk_index b = r / s->OH, image = s->H * s->W;
        for (fk_index q = 0; q < s->OW; q++)
            mean_under(y + (r * s->OW + q) * s->C, x + b * image * s->C, mask ? mask + b * image : NULL,
                       window_at(s, r % s->OH, q), s);
    });
}

void fk_pooling_average_backward(float *dx, const float *dy, const unsigned char *mask, const fk_pooling *s)
{
    const fk_index C = s->C, image = s->H * s->W, windows = s->OH * s->OW;
    FK_FOR_EACH(b, s->B, 1, threads_for(s), {
        float *dx_b = dx + b * image * C;
        memset(dx_b, 0, (size_t)(image * C) * sizeof(float));
        for (fk_index i = 0; i < windows; i++)
            spread_under(dx_b, dy + (b * windows + i) * C, mask ? mask + b * image : NULL,
                         window_at(s, i / s->OW, i % s->OW), s);
    });
}
