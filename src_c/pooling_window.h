/* pooling_window.h: windows of max pooling, for pooling.c and for convolutions whose output is pooled at once. */
#ifndef FK_POOLING_WINDOW_H
#define FK_POOLING_WINDOW_H

#include "pooling.h"
#include "simd.h"
#include "threads.h"

/* The places of x under a window: rows h0 .. h1 and columns w0 .. w1 of the image. */
typedef struct {
    fk_index h0, h1, w0, w1;
} pooling_window;

FK_INLINE pooling_window window_at(const fk_pooling *s, fk_index p, fk_index q)
{
    const fk_index h = p * s->stride_h - s->top, w = q * s->stride_w - s->left;
    return (pooling_window){fk_max(0, h), fk_min(s->H, h + s->KH), fk_max(0, w), fk_min(s->W, w + s->KW)};
}

/* For `width` channels from c on, at most two vectors: y = max of x, and place = where it was found. */
FK_INLINE void largest_of_channels(float *y, int32_t *place, const float *x, const pooling_window *at,
                                   const fk_pooling *s, fk_index first_row, fk_index c, fk_index width)
{
    const fk_index first = at->h0 * s->W + at->w0;
    vf largest[2];
    vi found[2];
    for (fk_index v = 0; v * FK_VL < width; v++) {
        largest[v] = vf_load_first(x + ((at->h0 - first_row) * s->W + at->w0) * s->C + c + v * FK_VL,
                                   width - v * FK_VL, 0.0f);
        found[v] = (int32_t)first - (vi){0};
    }
    for (fk_index h = at->h0; h < at->h1; h++)
        for (fk_index w = at->w0; w < at->w1; w++)
            for (fk_index v = 0; v * FK_VL < width; v++) {
                const vf x_v = vf_load_first(x + ((h - first_row) * s->W + w) * s->C + c + v * FK_VL,
                                             width - v * FK_VL, 0.0f);
                const vi larger = (x_v > largest[v]) | (x_v != x_v);
                largest[v] = vf_select(larger, x_v, largest[v]);
                found[v] = (larger & (int32_t)(h * s->W + w)) | (~larger & found[v]);
            }
    for (fk_index v = 0; v * FK_VL < width; v++) {
        vf_store_first(y + c + v * FK_VL, largest[v], width - v * FK_VL);
        if (place)
            vf_store_first((float *)place + c + v * FK_VL, (vf)found[v], width - v * FK_VL);
    }
}

/* y = max of x under the window, NaN if there is one; place = the first place where it was found, or NULL
 * y, place (C)    x: the image from row `first_row` on */
FK_INLINE void largest_under(float *y, int32_t *place, const float *x, pooling_window at, const fk_pooling *s,
                             fk_index first_row)
{
    fk_index c = 0;
    for (; c + 2 * FK_VL <= s->C; c += 2 * FK_VL)
        largest_of_channels(y, place, x, &at, s, first_row, c, 2 * FK_VL);
    if (c < s->C)
        largest_of_channels(y, place, x, &at, s, first_row, c, s->C - c);
}

/* Writes `count` pixels (rows of C floats) of the images to be pooled, from pixel `first` of all images on. */
typedef void make_pixels(float *to, const void *of, fk_index first, fk_index count);

/* Floats of what lies under one row of windows. */
FK_INLINE fk_index band_size(const fk_pooling *s) { return fk_min(s->KH, s->H) * s->W * s->C; }

/* fk_pooling_max_forward of images that are made as they are pooled, a band of them at a time
 * bands: scratch of band_size floats for each of `threads` threads */
FK_INLINE void largest_of_bands(float *y, int32_t *place, make_pixels *make, const void *of, const fk_pooling *s,
                                float *bands, fk_index threads)
{
    FK_FOR_EACH(r, s->B * s->OH, 1, threads, {
        float *band = bands + fk_part * band_size(s); /* stays in the L1 or L2 cache */
        const pooling_window row = window_at(s, r % s->OH, 0);
        make(band, of, (r / s->OH * s->H + row.h0) * s->W, (row.h1 - row.h0) * s->W);
        for (fk_index q = 0; q < s->OW; q++) {
            const fk_index to = (r * s->OW + q) * s->C;
            largest_under(y + to, place ? place + to : NULL, band, window_at(s, r % s->OH, q), s, row.h0);
        }
    });
}

#endif
