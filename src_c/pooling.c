#include "pooling.h"

#include <math.h>
#include <string.h>

#include "threads.h"

/* Floats of x that are worth a thread. Threads take rows of y in a forward pass and, since windows may overlap, whole
 * images in a backward pass. */
#define GRAIN (32 * 1024)

static fk_index threads_for(const fk_pooling *s) { return fk_threads_for(s->B * s->H * s->W * s->C, GRAIN); }

/* The places of x under a window: rows h0 .. h1 and columns w0 .. w1 of the image. */
typedef struct {
    fk_index h0, h1, w0, w1;
} window;

static window window_at(const fk_pooling *s, fk_index p, fk_index q)
{
    const fk_index h = p * s->stride_h - s->top, w = q * s->stride_w - s->left;
    return (window){fk_max(0, h), fk_min(s->H, h + s->KH), fk_max(0, w), fk_min(s->W, w + s->KW)};
}

/* --- the largest ------------------------------------------------------------------------------------------- */

/* y = max(y, x), and place = `here` where that is x    C channels; place may be NULL */
static void take_larger(float *restrict y, int32_t *restrict place, const float *restrict x, int32_t here, fk_index C)
{
    if (!place) {
        for (fk_index c = 0; c < C; c++)
            y[c] = x[c] > y[c] || isnan(x[c]) ? x[c] : y[c];
        return;
    }
    for (fk_index c = 0; c < C; c++) {
        const int larger = x[c] > y[c] || isnan(x[c]);
        place[c] = larger ? here : place[c];
        y[c] = larger ? x[c] : y[c];
    }
}

static void largest_under(float *y, int32_t *place, const float *x_b, window at, const fk_pooling *s)
{
    const fk_index C = s->C, first = at.h0 * s->W + at.w0;
    memcpy(y, x_b + first * C, (size_t)C * sizeof(float));
    if (place)
        for (fk_index c = 0; c < C; c++)
            place[c] = (int32_t)first;
    for (fk_index h = at.h0; h < at.h1; h++)
        for (fk_index w = at.w0; w < at.w1; w++)
            take_larger(y, place, x_b + (h * s->W + w) * C, (int32_t)(h * s->W + w), C);
}

void fk_pooling_max_forward(float *y, int32_t *place, const float *x, const fk_pooling *s)
{
    const fk_index threads = threads_for(s);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index r = 0; r < s->B * s->OH; r++)
        for (fk_index q = 0; q < s->OW; q++) {
            const fk_index at = (r * s->OW + q) * s->C;
            largest_under(y + at, place ? place + at : NULL, x + r / s->OH * s->H * s->W * s->C,
                          window_at(s, r % s->OH, q), s);
        }
}

void fk_pooling_max_backward(float *dx, const float *dy, const int32_t *place, const fk_pooling *s)
{
    const fk_index threads = threads_for(s), C = s->C, x_image = s->H * s->W * C, y_image = s->OH * s->OW * C;
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index b = 0; b < s->B; b++) {
        float *dx_b = dx + b * x_image;
        memset(dx_b, 0, (size_t)x_image * sizeof(float));
        for (fk_index i = 0; i < y_image; i += C)
            for (fk_index c = 0; c < C; c++)
                dx_b[place[b * y_image + i + c] * C + c] += dy[b * y_image + i + c];
    }
}

/* --- the mean ---------------------------------------------------------------------------------------------- */

/* The number of places under a window where the image's mask is not 0. */
static fk_index places(const unsigned char *mask_b, window at, const fk_pooling *s)
{
    if (!mask_b)
        return (at.h1 - at.h0) * (at.w1 - at.w0);
    fk_index count = 0;
    for (fk_index h = at.h0; h < at.h1; h++)
        for (fk_index w = at.w0; w < at.w1; w++)
            count += mask_b[h * s->W + w] != 0;
    return count;
}

static void mean_under(float *y, const float *x_b, const unsigned char *mask_b, window at, const fk_pooling *s)
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
static void spread_under(float *dx_b, const float *dy, const unsigned char *mask_b, window at, const fk_pooling *s)
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
    const fk_index threads = threads_for(s);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index r = 0; r < s->B * s->OH; r++) {
        const fk_index b = r / s->OH, image = s->H * s->W;
        for (fk_index q = 0; q < s->OW; q++)
            mean_under(y + (r * s->OW + q) * s->C, x + b * image * s->C, mask ? mask + b * image : NULL,
                       window_at(s, r % s->OH, q), s);
    }
}

void fk_pooling_average_backward(float *dx, const float *dy, const unsigned char *mask, const fk_pooling *s)
{
    const fk_index threads = threads_for(s), C = s->C, image = s->H * s->W, windows = s->OH * s->OW;
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index b = 0; b < s->B; b++) {
        float *dx_b = dx + b * image * C;
        memset(dx_b, 0, (size_t)(image * C) * sizeof(float));
        for (fk_index i = 0; i < windows; i++)
            spread_under(dx_b, dy + (b * windows + i) * C, mask ? mask + b * image : NULL,
                         window_at(s, i / s->OW, i % s->OW), s);
    }
}
