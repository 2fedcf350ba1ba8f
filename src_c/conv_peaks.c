#include "conv_peaks.h"

#include <string.h>

#include "simd.h"
#include "threads.h"

enum {
    GRAIN = 128 * 1024, /* multiply-adds that are worth a thread */
    LISTED = 128,       /* peaks of a filter that are listed at a time: of several images, or all of one */
    VECTORS = 8         /* of a window that are summed at a time, in registers */
};

static fk_index channels(const fk_conv *s) { return s->C / s->groups; }
static fk_index filters(const fk_conv *s) { return s->N / s->groups; }
/* the first channel that filter n sees */
static fk_index first_channel(const fk_conv *s, fk_index n) { return n / filters(s) * channels(s); }
static fk_index pixels(const fk_conv *s) { return s->OH * s->OW; }
static fk_index window_size(const fk_conv *s) { return s->KH * s->KW * channels(s); }
static fk_index threads_for(const fk_conv *s, fk_index Q)
{
    return fk_threads_for(s->B * Q * s->N * window_size(s), GRAIN);
}

/* Scratch: the kernel or its gradient, with the floats of a filter side by side; where windows begin; and for each
 * thread the number of peaks at each pixel and twice a list. */
static fk_index images_at_once(fk_index Q) { return fk_max(1, LISTED / fk_max(1, Q)); }
static fk_index list_length(const fk_conv *s, fk_index Q) { return fk_max(images_at_once(Q) * Q, Q * filters(s)); }
static fk_index thread_size(const fk_conv *s, fk_index Q) { return pixels(s) + 3 * list_length(s, Q); }

fk_index fk_conv_peaks_scratch(const fk_conv *s, fk_index Q)
{
    return s->N * window_size(s) + pixels(s) + fk_get_num_threads() * thread_size(s, Q);
}

/* begins[p]: the pixel of an image of x where the window of pixel p of y begins    begins (OH*OW) = */
static void find_begins(int32_t *begins, const fk_conv *s)
{
    for (fk_index h = 0; h < s->OH; h++)
        for (fk_index w = 0; w < s->OW; w++)
            begins[h * s->OW + w] = (int32_t)(h * s->stride_h * s->W + w * s->stride_w);
}

/* --- sums of rows ------------------------------------------------------------------------------------------ */

/* Which rows of an array are summed, and times what. */
typedef struct {
    int32_t *row;
    float *g;
    fk_index count;
} list;

/* n floats of p, or a whole vector if n = 0 */
FK_INLINE vf load(const float *p, fk_index n) { return n ? vf_load_n(p, n) : vf_load(p); }
FK_INLINE void store(float *p, vf v, fk_index n)
{
    if (n)
        vf_store_n(p, v, n);
    else
        vf_store(p, v);
}

/* sum += over the list, g times row    `vectors` vectors of each or, if it is not 0, `rest` floats
 * Inlined with a constant number of vectors, which stay in registers. */
FK_INLINE void add_part(float *sum, const float *rows, fk_index stride, const list *a, const int vectors,
                        fk_index rest)
{
    vf part[VECTORS];
    for (int v = 0; v < vectors; v++)
        part[v] = vf_set(0.0f);
    for (fk_index k = 0; k < a->count; k++) {
        const float *row = rows + a->row[k] * stride;
        for (int v = 0; v < vectors; v++)
            part[v] += a->g[k] * load(row + v * FK_VL, rest);
    }
    for (int v = 0; v < vectors; v++)
        store(sum + v * FK_VL, load(sum + v * FK_VL, rest) + part[v], rest);
}

/* sum_i += over the list, g times rows[row*stride + i]    i < length */
static void add_rows(float *sum, const float *rows, fk_index stride, const list *a, fk_index length)
{
    while (length >= FK_VL) {
        const fk_index vectors = fk_min(VECTORS, length / FK_VL);
        switch (vectors) {
        case 1: add_part(sum, rows, stride, a, 1, 0); break;
        case 2: add_part(sum, rows, stride, a, 2, 0); break;
        case 3: add_part(sum, rows, stride, a, 3, 0); break;
        case 4: add_part(sum, rows, stride, a, 4, 0); break;
        case 5: add_part(sum, rows, stride, a, 5, 0); break;
        case 6: add_part(sum, rows, stride, a, 6, 0); break;
        case 7: add_part(sum, rows, stride, a, 7, 0); break;
        default: add_part(sum, rows, stride, a, VECTORS, 0);
        }
        sum += vectors * FK_VL;
        rows += vectors * FK_VL;
        length -= vectors * FK_VL;
    }
    if (length > 0)
        add_part(sum, rows, stride, a, 1, length);
}

/* --- runs of a window -------------------------------------------------------------------------------------- */

/* A window is `count` runs of `length` floats that lie side by side in x: the channels of a tap or, where taps
 * touch, a whole row of them. */
typedef struct {
    fk_index count, length;
} runs;

static runs runs_of(const fk_conv *s, const int32_t *index)
{
    if (!index && s->groups == 1 && s->dilation_w == 1)
        return (runs){s->KH, s->KW * s->C};
    return (runs){s->KH * s->KW, channels(s)};
}

/* How many pixels of x run r lies behind the beginning of its window. */
static fk_index run_offset(const fk_conv *s, const runs *w, fk_index r)
{
    const fk_index i = w->count == s->KH ? r : r / s->KW, j = w->count == s->KH ? 0 : r % s->KW;
    return i * s->dilation_h * s->W + j * s->dilation_w;
}

/* --- the gradient of the input ----------------------------------------------------------------------------- */

/* The peaks of a group's filters in one image, but for those without a gradient, sorted by their pixel: those of
 * pixel p end where end[p] says, and begin where those of p - 1 end. Rows are filters.
 * g, place: from the image's and the group's first on    end (OH*OW) = */
static void sort_peaks(const list *sorted, int32_t *end, const float *g, const int32_t *place, const fk_conv *s,
                       fk_index Q)
{
    memset(end, 0, (size_t)pixels(s) * sizeof(int32_t));
    for (fk_index q = 0; q < Q; q++)
        for (fk_index n = 0; n < filters(s); n++)
            end[place[q * s->N + n]] += g[q * s->N + n] != 0.0f;
    int32_t total = 0;
    for (fk_index p = 0; p < pixels(s); p++) {
        const int32_t count = end[p];
        end[p] = total;
        total += count;
    }
    for (fk_index q = 0; q < Q; q++)
        for (fk_index n = 0; n < filters(s); n++)
            if (g[q * s->N + n] != 0.0f) {
                const int32_t k = end[place[q * s->N + n]]++;
                sorted->row[k] = (int32_t)n;
                sorted->g[k] = g[q * s->N + n];
            }
}

/* dx_bp += sum of g W_n over the peaks at pixel p, for an image's pixels and a group's filters; columns c0 .. c1
 * of each run    dx, g, place, W_by_filter: from the group's first channel or filter on */
static void spread_peaks(float *dx, const float *g, const int32_t *place, const int32_t *index,
                         const float *W_by_filter, const int32_t *begins, int32_t *scratch, const fk_conv *s,
                         fk_index Q, fk_index b, fk_index c0, fk_index c1)
{
    const runs w = runs_of(s, index);
    int32_t *end = scratch, *row = end + pixels(s);
    const list sorted = {row, (float *)row + list_length(s, Q), 0};
    sort_peaks(&sorted, end, g + b * Q * s->N, place + b * Q * s->N, s, Q);
    for (fk_index r = 0; r < w.count; r++) { /* a run of all filters stays in the L1 cache */
        const float *W_r = W_by_filter + r * w.length + c0;
        fk_index begin = 0;
        for (fk_index p = 0; p < pixels(s); begin = end[p++]) {
            const list peaks = {sorted.row + begin, sorted.g + begin, end[p] - begin};
            const fk_index pixel = b * s->H * s->W + begins[p] + run_offset(s, &w, r);
            if (peaks.count > 0)
                add_rows(dx + (index ? index[pixel] : pixel) * s->C + c0, W_r, window_size(s), &peaks, c1 - c0);
        }
    }
}

void fk_conv_peaks_backward_input(float *dx, const float *g, const int32_t *place, const int32_t *index,
                                  const float *W, const fk_conv *s, float *scratch, fk_index Q, fk_index R)
{
    const fk_index size = window_size(s), image = s->H * s->W * s->C, length = runs_of(s, index).length;
    float *W_by_filter = scratch;
    int32_t *begins = (int32_t *)(scratch + s->N * size), *own = begins + pixels(s);
    for (fk_index n = 0; n < s->N; n++)
        for (fk_index m = 0; m < size; m++)
            W_by_filter[n * size + m] = W[m * s->N + n];
    find_begins(begins, s);
    if (index)
        memset(dx, 0, (size_t)(R * s->C) * sizeof(float));
    const fk_index threads = threads_for(s, Q);
    /* A thread takes some of the images, which have no pixel in common, but distinct rows stand in many images: of
     * those it takes some of the columns. */
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index part = 0; part < threads; part++) {
        fk_index b0 = 0, b1 = s->B, c0 = 0, c1 = length;
        if (index)
            fk_share(&c0, &c1, length, FK_VL, part, threads);
        else
            fk_share(&b0, &b1, s->B, 1, part, threads);
        for (fk_index b = b0; b < b1; b++) {
            if (!index)
                memset(dx + b * image, 0, (size_t)image * sizeof(float));
            for (fk_index n = 0; n < s->N; n += filters(s))
                spread_peaks(dx + first_channel(s, n), g + n, place + n, index, W_by_filter + n * size, begins,
                             own + part * thread_size(s, Q), s, Q, b, c0, c1);
        }
    }
}

/* --- the gradient of the kernel ---------------------------------------------------------------------------- */

/* The peaks of filter n in images b0 .. b1, but for those without a gradient. Rows are the pixels of x where their
 * windows begin, all images counted through. */
static void list_peaks(list *peaks, const float *g, const int32_t *place, const int32_t *begins, const fk_conv *s,
                       fk_index Q, fk_index b0, fk_index b1, fk_index n)
{
    fk_index k = 0;
    for (fk_index b = b0; b < b1; b++)
        for (fk_index i = b * Q * s->N + n; i < (b + 1) * Q * s->N; i += s->N) {
            peaks->row[k] = (int32_t)(b * s->H * s->W) + begins[place[i]];
            peaks->g[k] = g[i];
            k += g[i] != 0.0f;
        }
    peaks->count = k;
}

/* dW_n += sum of g x over some peaks    dW_n: a filter's floats side by side    row: scratch */
static void sum_windows(float *dW_n, const float *x, const int32_t *index, const list *peaks, int32_t *row,
                        const fk_conv *s)
{
    const runs w = runs_of(s, index);
    for (fk_index r = 0; r < w.count; r++) {
        const fk_index offset = run_offset(s, &w, r);
        if (!index) {
            add_rows(dW_n + r * w.length, x + offset * s->C, s->C, peaks, w.length);
            continue;
        }
        for (fk_index k = 0; k < peaks->count; k++)
            row[k] = index[peaks->row[k] + offset];
        const list distinct = {row, peaks->g, peaks->count};
        add_rows(dW_n + r * w.length, x, s->C, &distinct, w.length);
    }
}

void fk_conv_peaks_backward_kernel(float *dW, const float *g, const int32_t *place, const float *x,
                                   const int32_t *index, const fk_conv *s, float *scratch, fk_index Q)
{
    const fk_index size = window_size(s), at_once = images_at_once(Q), threads = threads_for(s, Q);
    float *dW_by_filter = scratch;
    int32_t *begins = (int32_t *)(scratch + s->N * size), *own = begins + pixels(s);
    find_begins(begins, s);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index part = 0; part < threads; part++) {
        int32_t *row = own + part * thread_size(s, Q), *row_again = row + list_length(s, Q);
        list peaks = {row, (float *)row_again + list_length(s, Q), 0};
        fk_index n0, n1;
        fk_share(&n0, &n1, s->N, 1, part, threads);
        memset(dW_by_filter + n0 * size, 0, (size_t)((n1 - n0) * size) * sizeof(float));
        for (fk_index b = 0; b < s->B; b += at_once)
            for (fk_index n = n0; n < n1; n++) {
                list_peaks(&peaks, g, place, begins, s, Q, b, fk_min(s->B, b + at_once), n);
                sum_windows(dW_by_filter + n * size, x + first_channel(s, n), index, &peaks, row_again, s);
            }
        for (fk_index m = 0; m < size; m++)
            for (fk_index n = n0; n < n1; n++)
                dW[m * s->N + n] += dW_by_filter[n * size + m];
    }
}
