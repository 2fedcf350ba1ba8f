#include "depthwise.h"

#include <string.h>

#include "simd.h"
#include "threads.h"

enum {
    GRAIN = 128 * 1024, /* multiply-adds that are worth a thread */
    SUMS = 8,           /* vectors of sums that stay in registers */
    PARTS = 16,         /* into which a batch's images are dealt for the gradient of W, each with its own sum */
    TAPS = 3,           /* of a row of the window whose sums that gradient keeps in registers, */
    VECTORS = 4         /* for so many vectors of channels */
};

static fk_index work(const fk_depthwise *s) { return s->B * s->OH * s->OW * s->KH * s->KW * s->N; }

/* --- sums over taps: y from x, and dx from dz --------------------------------------------------------------- */

/* How the places of a result are summed from those of a source, along one axis:
 *     y from x:   place o of y takes tap k from place        S o + D k - before   of x
 *     dx from dz: place o of x takes tap k from place  (o + before - D k) / S     of y, if that is a whole number
 * Either way, what reaches place o are taps tap_step apart, from places place_step apart, and o + result_step has
 * the same taps, if they stay inside, from places source_step further on. */
typedef struct {
    fk_index result, source, K, S, D, before;
    fk_index tap_step, place_step, result_step, source_step;
    int forward;
} axis;

/* The taps that reach a place of the result: `count` of them, the first from `place` of the source. */
typedef struct {
    fk_index count, tap, place;
} reach;

static axis forward_axis(fk_index result, fk_index source, fk_index K, fk_index S, fk_index D, fk_index before)
{
    return (axis){result, source, K, S, D, before, 1, D, 1, S, 1};
}

static axis backward_axis(fk_index result, fk_index source, fk_index K, fk_index S, fk_index D, fk_index before)
{
    fk_index divisor = S, rest = D % S; /* the greatest common one of S and D, by Euclid */
    while (rest) {
        const fk_index next = divisor % rest;
        divisor = rest;
        rest = next;
    }
    return (axis){result, source, K, S, D, before, S / divisor, -D / divisor, S, 1, 0};
}

/* Where tap k of place o comes from; -1 if from nowhere. */
static fk_index source_place(const axis *a, fk_index o, fk_index k)
{
    const fk_index at = a->forward ? o * a->S + k * a->D - a->before : o + a->before - k * a->D;
    if (at < 0 || (!a->forward && at % a->S))
        return -1;
    const fk_index place = a->forward ? at : at / a->S;
    return place < a->source ? place : -1;
}

static reach reach_of(const axis *a, fk_index o)
{
    reach r = {0};
    for (fk_index k = 0; k < a->K; k++) {
        const fk_index place = source_place(a, o, k);
        if (place < 0)
            continue;
        if (r.count++ == 0) {
            r.tap = k;
            r.place = place;
        }
    }
    return r;
}

/* All that a sum needs besides the images, and how many floats lie from one thing to the next. */
typedef struct {
    axis rows, columns;
    fk_index N;
    const float *W, *bias;
    fk_index W_row, W_column, source_row, source_column; /* from tap to tap */
    fk_index source_place, result_place;                 /* from place to place that take the same taps */
} sums;

static sums sums_of(axis rows, axis columns, fk_index N, const float *W, const float *bias)
{
    return (sums){rows, columns, N, W, bias, rows.tap_step * columns.K * N, columns.tap_step * N,
                  rows.place_step * columns.source * N, columns.place_step * N, columns.source_step * N,
                  columns.result_step * N};
}

/* The sums of `places` columns that take the same taps, and of `vectors` vectors with `channels` each: these three
 * are constants where this is inlined.    to, source, W, bias: where the first of each begins */
FK_INLINE void sum_tile(float *to, const float *source, const float *W, const float *bias, const sums *s,
                        fk_index rows, fk_index columns, fk_index places, fk_index vectors, fk_index channels)
{
    const fk_index step = s->source_place;
    vf sum[SUMS];
    for (fk_index v = 0; v < vectors; v++)
        for (fk_index k = 0; k < places; k++)
            sum[v * places + k] = bias ? vf_load_first(bias + v * FK_VL, channels, 0.0f) : vf_set(0.0f);
    for (fk_index i = 0; i < rows; i++)
        for (fk_index j = 0; j < columns; j++) {
            const float *W_ij = W + i * s->W_row + j * s->W_column;
            const float *from = source + i * s->source_row + j * s->source_column;
            for (fk_index v = 0; v < vectors; v++) {
                const vf w = vf_keep(vf_load_first(W_ij + v * FK_VL, channels, 0.0f));
                for (fk_index k = 0; k < places; k++)
                    sum[v * places + k] += w * vf_load_first(from + k * step + v * FK_VL, channels, 0.0f);
            }
        }
    for (fk_index v = 0; v < vectors; v++)
        for (fk_index k = 0; k < places; k++)
            vf_store_first(to + k * s->result_place + v * FK_VL, sum[v * places + k], channels);
}

/* All channels of these places, SUMS vectors at a time as far as they go. */
FK_INLINE void sum_places(float *to, const float *source, const sums *s, reach row, reach column, fk_index places)
{
    const fk_index vectors = SUMS / places, N = s->N;
    const fk_index rows = row.count, columns = column.count;
    const float *W = s->W + (row.tap * s->columns.K + column.tap) * N, *bias = s->bias;
    const float *from = source + (row.place * s->columns.source + column.place) * N;
    fk_index n = 0;
    for (; n + vectors * FK_VL <= N; n += vectors * FK_VL)
        sum_tile(to + n, from + n, W + n, bias ? bias + n : NULL, s, rows, columns, places, vectors, FK_VL);
    for (; n + FK_VL <= N; n += FK_VL)
        sum_tile(to + n, from + n, W + n, bias ? bias + n : NULL, s, rows, columns, places, 1, FK_VL);
    if (n < N)
        sum_tile(to + n, from + n, W + n, bias ? bias + n : NULL, s, rows, columns, places, 1, N - n);
}

/* How many places o, o + result_step, ... take the same taps: the largest of `most`, most / 2, ..., 1 that all do.
 * First and last taps rise or fall with the places: if those of both ends agree, so do all between, if there are
 * any taps. */
static fk_index alike(const axis *a, const reach *columns, fk_index o, fk_index most)
{
    for (fk_index places = most; places > 1 && columns[o].count > 0; places /= 2) {
        const fk_index last = o + (places - 1) * a->result_step;
        if (last < a->result && columns[last].count == columns[o].count && columns[last].tap == columns[o].tap)
            return places;
    }
    return 1;
}

/* A row of the result. More vectors are taken rather than more places: neighbours in memory come in sooner. */
static void sum_row(float *to, const float *source, const sums *s, const reach *columns, fk_index row)
{
    const reach r = reach_of(&s->rows, row);
    const axis *a = &s->columns;
    const fk_index most = s->N >= 4 * FK_VL ? 2 : s->N >= 2 * FK_VL ? 4 : 8;
    for (fk_index first = 0; first < fk_min(a->result_step, a->result); first++)
        for (fk_index o = first, places; o < a->result; o += places * a->result_step) {
            places = alike(a, columns, o, most);
            switch (places) {
            case 8: sum_places(to + o * s->N, source, s, r, columns[o], 8); break;
            case 4: sum_places(to + o * s->N, source, s, r, columns[o], 4); break;
            case 2: sum_places(to + o * s->N, source, s, r, columns[o], 2); break;
            default: sum_places(to + o * s->N, source, s, r, columns[o], 1);
            }
        }
}

/* y = f(z), where z is summed from the source row by row; z may be y */
static void sum_images(float *y, float *z, const float *source, const sums *s, fk_activation f, fk_index B,
                       fk_index operations, float *scratch)
{
    reach *columns = (reach *)scratch;
    for (fk_index o = 0; o < s->columns.result; o++)
        columns[o] = reach_of(&s->columns, o);
    const fk_index image = s->rows.source * s->columns.source * s->N, row = s->columns.result * s->N;
    FK_FOR_EACH(r, B * s->rows.result, 1, fk_threads_for(operations, GRAIN), {
        sum_row(z + r * row, source + r / s->rows.result * image, s, columns, r % s->rows.result);
        fk_activation_span(y + r * row, z + r * row, f, row);
    });
}

void fk_depthwise_forward(float *y, float *z, const float *x, const float *W, const float *bias, fk_activation f,
                          const fk_depthwise *s, float *scratch)
{
    const axis rows = forward_axis(s->OH, s->H, s->KH, s->stride_h, s->dilation_h, s->top);
    const axis columns = forward_axis(s->OW, s->W, s->KW, s->stride_w, s->dilation_w, s->left);
    const sums taps = sums_of(rows, columns, s->N, W, bias);
    sum_images(y, z ? z : y, x, &taps, f, s->B, work(s), scratch);
}

void fk_depthwise_backward_input(float *dx, const float *dz, const float *W, const fk_depthwise *s, float *scratch)
{
    const axis rows = backward_axis(s->H, s->OH, s->KH, s->stride_h, s->dilation_h, s->top);
    const axis columns = backward_axis(s->W, s->OW, s->KW, s->stride_w, s->dilation_w, s->left);
    const sums taps = sums_of(rows, columns, s->N, W, NULL);
    const fk_activation linear = {FK_LINEAR, 0.0f, 0.0f, 0.0f};
    sum_images(dx, dx, dz, &taps, linear, s->B, work(s), scratch);
}

/* --- the gradient of the kernel ---------------------------------------------------------------------------- */

/* The places p of y, p0 <= p < p1 <= result, whose windows have a tap, `shift` places from their beginning, inside
 * of an axis of x: 0 <= S p + shift < source. */
static void places_inside(fk_index *p0, fk_index *p1, fk_index result, fk_index source, fk_index S, fk_index shift)
{
    *p0 = fk_min(result, shift < 0 ? fk_ceil_div(-shift, S) : 0);
    *p1 = fk_max(*p0, fk_min(result, shift < source ? fk_ceil_div(source - shift, S) : 0));
}

/* Neighbouring taps of a row of the window, at most TAPS: where each meets a row of x, and which columns q0 .. q1
 * of y it takes part in, which fall from tap to tap. */
typedef struct {
    fk_index count, shift[TAPS], q0[TAPS], q1[TAPS];
} neighbours;

static neighbours neighbours_at(const fk_depthwise *s, fk_index j)
{
    neighbours t = {.count = fk_min(TAPS, s->KW - j)};
    for (fk_index i = 0; i < t.count; i++) {
        t.shift[i] = (j + i) * s->dilation_w - s->left;
        places_inside(&t.q0[i], &t.q1[i], s->OW, s->W, s->stride_w, t.shift[i]);
    }
    return t;
}

/* sum[v taps + i] += x[S q + shift_i] dz[q] for the taps i that column q takes part in, which are all of them if
 * `all`. `taps` = t->count, and `vectors` with `channels` each, are constants where this is inlined. */
FK_INLINE void add_column(vf *sum, const float *dz, const float *x, const fk_depthwise *s, const neighbours *t,
                          fk_index q, int all, fk_index taps, fk_index vectors, fk_index channels)
{
    for (fk_index v = 0; v < vectors; v++) {
        const vf d = vf_keep(vf_load_first(dz + q * s->N + v * FK_VL, channels, 0.0f));
        for (fk_index i = 0; i < taps; i++)
            if (all || (q >= t->q0[i] && q < t->q1[i]))
                sum[v * taps + i] +=
                    d * vf_load_first(x + (q * s->stride_w + t->shift[i]) * s->N + v * FK_VL, channels, 0.0f);
    }
}

/* dW_ij += sum of x dz over an image, for these taps of row i of the window
 * dW, dz, x: from their first channel on */
FK_INLINE void add_taps(float *dW, const float *dz, const float *x, const fk_depthwise *s, const neighbours *t,
                        fk_index i, fk_index taps, fk_index vectors, fk_index channels)
{
    const fk_index shift = i * s->dilation_h - s->top, begin = t->q0[0], end = fk_max(begin, t->q1[taps - 1]);
    fk_index p0, p1;
    places_inside(&p0, &p1, s->OH, s->H, s->stride_h, shift);
    vf sum[TAPS * VECTORS] = {0};
    for (fk_index p = p0; p < p1; p++) {
        const float *dz_p = dz + p * s->OW * s->N, *x_h = x + (p * s->stride_h + shift) * s->W * s->N;
        for (fk_index q = t->q0[taps - 1]; q < begin; q++)
            add_column(sum, dz_p, x_h, s, t, q, 0, taps, vectors, channels);
        for (fk_index q = begin; q < end; q++) /* all taps' */
            add_column(sum, dz_p, x_h, s, t, q, 1, taps, vectors, channels);
        for (fk_index q = end; q < t->q1[0]; q++)
            add_column(sum, dz_p, x_h, s, t, q, 0, taps, vectors, channels);
    }
    for (fk_index v = 0; v < vectors; v++)
        for (fk_index k = 0; k < taps; k++) {
            float *dW_ij = dW + k * s->N + v * FK_VL;
            vf_store_first(dW_ij, vf_load_first(dW_ij, channels, 0.0f) + sum[v * taps + k], channels);
        }
}

/* The same for the whole window. */
FK_INLINE void add_window(float *dW, const float *dz, const float *x, const fk_depthwise *s, fk_index vectors,
                          fk_index channels)
{
    for (fk_index i = 0; i < s->KH; i++)
        for (fk_index j = 0; j < s->KW; j += TAPS) {
            const neighbours t = neighbours_at(s, j);
            float *dW_ij = dW + (i * s->KW + j) * s->N;
            switch (t.count) {
            case 1: add_taps(dW_ij, dz, x, s, &t, i, 1, vectors, channels); break;
            case 2: add_taps(dW_ij, dz, x, s, &t, i, 2, vectors, channels); break;
            default: add_taps(dW_ij, dz, x, s, &t, i, TAPS, vectors, channels);
            }
        }
}

/* The sums of images b0 .. b1    dW (KH, KW, N) = */
static void part_gradient(float *dW, const float *dz, const float *x, const fk_depthwise *s, fk_index b0,
                          fk_index b1)
{
    const fk_index N = s->N;
    memset(dW, 0, (size_t)(s->KH * s->KW * N) * sizeof(float));
    for (fk_index b = b0; b < b1; b++) {
        const float *dz_b = dz + b * s->OH * s->OW * N, *x_b = x + b * s->H * s->W * N;
        fk_index n = 0;
        for (; n + VECTORS * FK_VL <= N; n += VECTORS * FK_VL)
            add_window(dW + n, dz_b + n, x_b + n, s, VECTORS, FK_VL);
        for (; n + FK_VL <= N; n += FK_VL)
            add_window(dW + n, dz_b + n, x_b + n, s, 1, FK_VL);
        if (n < N)
            add_window(dW + n, dz_b + n, x_b + n, s, 1, N - n);
    }
}

void fk_depthwise_backward_kernel(float *dW, const float *dz, const float *x, const fk_depthwise *s,
                                  float *scratch)
{
    const fk_index size = s->KH * s->KW * s->N, parts = fk_min(s->B, PARTS);
    const fk_index threads = fk_min(parts, fk_threads_for(work(s), GRAIN));
    FK_FOR_EACH(k, parts, 1, threads,
                part_gradient(scratch + k * size, dz, x, s, s->B * k / parts, s->B * (k + 1) / parts));
    for (fk_index k = 0; k < parts; k++)
        for (fk_index i = 0; i < size; i++)
            dW[i] += scratch[k * size + i];
}

fk_index fk_depthwise_scratch(const fk_depthwise *s)
{
    const fk_index columns = fk_max(s->W, s->OW) * (fk_index)(sizeof(reach) / sizeof(float));
    return fk_max(columns, fk_min(s->B, PARTS) * s->KH * s->KW * s->N);
}

/* --- the depth multiplier ---------------------------------------------------------------------------------- */

void fk_depthwise_repeat(float *to, const float *from, fk_index P, fk_index C, fk_index M)
{
    FK_FOR_EACH(p, P, 1, fk_threads_for(P * C * M, GRAIN), {
        for (fk_index c = 0; c < C; c++)
            for (fk_index m = 0; m < M; m++)
                to[(p * C + c) * M + m] = from[p * C + c];
    });
}

void fk_depthwise_fold(float *to, const float *from, fk_index P, fk_index C, fk_index M)
{
    FK_FOR_EACH(p, P, 1, fk_threads_for(P * C * M, GRAIN), {
        for (fk_index c = 0; c < C; c++) {
            float sum = 0.0f;
            for (fk_index m = 0; m < M; m++)
                sum += from[(p * C + c) * M + m];
            to[p * C + c] = sum;
        }
    });
}
