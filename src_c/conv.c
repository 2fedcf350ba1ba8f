#include "conv.h"

#include <string.h>

#include "gemm.h"
#include "pooling_window.h"
#include "threads.h"

enum {
    PIXELS = 112,      /* of y that are computed at a time */
    TAPS = 9,          /* floats of a window whose gradients are summed at a time, in registers */
    GRAIN = 256 * 1024 /* multiply-adds that are worth a thread */
};

static fk_index channels(const fk_conv *s) { return s->C / s->groups; }
static fk_index filters(const fk_conv *s) { return s->N / s->groups; }
static fk_index pixels(const fk_conv *s) { return s->B * s->OH * s->OW; }
static fk_index work(const fk_conv *s) { return pixels(s) * s->KH * s->KW * channels(s) * s->N; }

/* The window, cut into taps: places where channels, or, if they touch, whole rows of the window, lie side by
 * side. */
typedef struct {
    fk_index taps, depth;  /* how many, and floats of each */
    fk_index at_once;      /* taps of one product, at most FK_GEMM_DEPTH floats of them; 1 if a tap is longer */
} window;

static window window_of(const fk_conv *s)
{
    window w = {s->KH * s->KW, channels(s), 1};
    if (s->groups == 1 && s->dilation_w == 1 && s->KW * s->C <= FK_GEMM_DEPTH)
        w = (window){s->KH, s->KW * s->C, 1};
    const fk_index most = fk_max(1, FK_GEMM_DEPTH / w.depth);
    w.at_once = fk_ceil_div(w.taps, fk_ceil_div(w.taps, most));
    return w;
}

/* Where tap t of a window begins, from the window's own beginning on. */
static fk_index tap_offset(const fk_conv *s, const window *w, fk_index t)
{
    const fk_index i = w->taps == s->KH ? t : t / s->KW, j = w->taps == s->KH ? 0 : t % s->KW;
    return (i * s->dilation_h * s->W + j * s->dilation_w) * s->C;
}

/* begin[i]: the first pixel of x under the window of pixel p + i of y, all images counted through
 * begin (count) = */
static void find_windows(int32_t *begin, const fk_conv *s, fk_index p, fk_index count)
{
    fk_index r = p / s->OW, q = p % s->OW;
    for (fk_index i = 0; i < count; r++, q = 0) {
        const fk_index row = (r / s->OH * s->H + r % s->OH * s->stride_h) * s->W;
        for (; q < s->OW && i < count; q++, i++)
            begin[i] = (int32_t)(row + q * s->stride_w);
    }
}

/* --- forward ----------------------------------------------------------------------------------------------- */

/* Floats that the kernel takes packed: each group's, in pieces of `at_once` taps. */
static fk_index packed_size(const fk_conv *s)
{
    return s->groups * fk_gemm_packed_size(filters(s), s->KH * s->KW * channels(s));
}

static void pack_kernel(float *packed, const float *W, const fk_conv *s, const window *w)
{
    const fk_index N = filters(s);
    for (fk_index g = 0; g < s->groups; g++)
        for (fk_index t = 0; t < w->taps; t += w->at_once) {
            const fk_index depth = fk_min(w->at_once, w->taps - t) * w->depth;
            fk_gemm_pack(packed, W + t * w->depth * s->N + g * N, s->N, 0, N, depth);
            packed += fk_gemm_packed_size(N, depth);
        }
}

/* y = bias + window W for at most PIXELS pixels, p and those behind it    y: from that of pixel p on */
static void convolve(float *y, const float *x, const float *packed, const float *bias, const fk_conv *s,
                     const window *w, fk_index p, fk_index count)
{
    const fk_index N = filters(s);
    int32_t begin[PIXELS];
    fk_index offset[FK_GEMM_DEPTH];
    find_windows(begin, s, p, count);
    for (fk_index g = 0; g < s->groups; g++) {
        float *y_g = y + g * N;
        const fk_gemm_rows A = {x + g * channels(s), begin, s->C}, so_far = {y_g, NULL, s->N};
        fk_gemm_rows from = {bias ? bias + g * N : NULL, NULL, 0};
        for (fk_index t = 0; t < w->taps; t += w->at_once, from = so_far) {
            const fk_index taps = fk_min(w->at_once, w->taps - t);
            for (fk_index i = 0; i < taps; i++)
                offset[i] = tap_offset(s, w, t + i);
            if (taps > 1) {
                fk_gemm_packed_taps(y_g, s->N, A, 1, offset, taps, w->depth, from, packed, NULL, count, N);
            } else {
                const fk_gemm_rows A_t = {A.data + offset[0], begin, s->C};
                fk_gemm_packed(y_g, s->N, A_t, from, packed, NULL, count, N, w->depth);
            }
            packed += fk_gemm_packed_size(N, taps * w->depth);
        }
    }
}

void fk_conv_forward(float *y, float *z, const float *x, const float *W, const float *bias, fk_activation f,
                     const fk_conv *s, float *scratch)
{
    const window w = window_of(s);
    const fk_index P = pixels(s), threads = fk_threads_for(work(s), GRAIN);
    float *sum = z ? z : y;
    pack_kernel(scratch, W, s, &w);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index p = 0; p < P; p += PIXELS) {
        const fk_index count = fk_min(PIXELS, P - p);
        convolve(sum + p * s->N, x, scratch, bias, s, &w, p, count);
        fk_activation_span(y + p * s->N, sum + p * s->N, f, count * s->N);
    }
}

/* --- the gradient of the input ----------------------------------------------------------------------------- */

/* How many taps above each other one product may take. */
static fk_index taps_above(const fk_conv *s) { return fk_min(s->KH, FK_GEMM_DEPTH / fk_max(1, filters(s))); }

/* The kernel, turned over, is packed in pieces of some channels. Where products take several taps, these are as
 * many as fk_gemm_pack lays side by side: so the rows of W_0j^T, W_1j^T, .. follow each other, for products that
 * begin at any of them. Else they are all channels. */
static fk_index piece_width(const fk_conv *s)
{
    return fk_gemm_packed_size(taps_above(s) > 1 ? 1 : channels(s), 1);
}

/* Where the piece of column j of the window for group g, channels d and behind, begins. */
static fk_index piece(const fk_conv *s, fk_index j, fk_index g, fk_index d)
{
    const fk_index rows = s->KH * filters(s);
    return (j * s->groups + g) * fk_gemm_packed_size(channels(s), rows) + d * rows;
}

static void pack_turned_kernel(float *packed, const float *W, const fk_conv *s)
{
    const fk_index D = channels(s), N = filters(s), width = piece_width(s);
    for (fk_index j = 0; j < s->KW; j++)
        for (fk_index g = 0; g < s->groups; g++)
            for (fk_index d = 0; d < D; d += width)
                for (fk_index i = 0; i < s->KH; i++) {
                    const float *W_ijd = W + ((i * s->KW + j) * D + d) * s->N + g * N;
                    float *to = packed + piece(s, j, g, d) + i * N * width;
                    fk_gemm_pack(to, W_ijd, s->N, 1, fk_min(width, D - d), N);
                }
}

/* The row of y that row h of x was given to by row i of the window, or -1. */
static fk_index row_of_y(const fk_conv *s, fk_index h, fk_index i)
{
    const fk_index below = h - i * s->dilation_h, p = below / s->stride_h;
    return below >= 0 && below % s->stride_h == 0 && p < s->OH ? p : -1;
}

/* dx of row top + h of image b.  x[b, SH p + DH i, SW q + DW j] was multiplied by W_ij to give y[b, p, q]: each tap
 * of a row of y gives its gradient dz W_ij^T back to pixels of x that are SW apart. Taps above each other are one
 * product (3 x 3 with 16, 32, 64 and 128 channels: 1.8, 1.14, 1.05 and 1.02 times as fast as one by one). */
static void row_gradient(float *dx, const float *dz, const float *packed, const fk_conv *s,
                         const fk_conv_inner *in, fk_index b, fk_index h)
{
    const fk_index D = channels(s), N = filters(s), width = piece_width(s);
    const fk_index most = taps_above(s), step = s->stride_w * s->C;
    float *dx_bh = dx + (b * in->H + h) * in->W * s->C;
    memset(dx_bh, 0, (size_t)(in->W * s->C) * sizeof(float));
    for (fk_index i = 0, taps; i < s->KH; i += taps) {
        const fk_index p = row_of_y(s, in->top + h, i);
        fk_index offset[FK_GEMM_DEPTH];
        offset[0] = 0;
        taps = 1;
        if (p < 0)
            continue;
        for (; taps < most && i + taps < s->KH && row_of_y(s, in->top + h, i + taps) >= 0; taps++)
            offset[taps] = (row_of_y(s, in->top + h, i + taps) - p) * s->OW * s->N;
        for (fk_index j = 0; j < s->KW; j++) {
            /* the pixels of y, q and `count` behind it, whose tap j lies in a column of dx, the first in column w */
            const fk_index before = in->left - j * s->dilation_w, q = fk_ceil_div(fk_max(0, before), s->stride_w);
            const fk_index end = fk_ceil_div(fk_max(0, before + in->W), s->stride_w);
            const fk_index count = fk_min(s->OW, end) - q, w = q * s->stride_w - before;
            for (fk_index g = 0; g < s->groups && count > 0; g++)
                for (fk_index d = 0; d < D; d += width) {
                    float *dx_d = dx_bh + w * s->C + g * D + d;
                    const fk_gemm_rows from = {dx_d, NULL, step};
                    const fk_gemm_rows A = {dz + ((b * s->OH + p) * s->OW + q) * s->N + g * N, NULL, s->N};
                    const float *W_ijd = packed + piece(s, j, g, d) + i * N * width;
                    const fk_index columns = fk_min(width, D - d);
                    if (taps > 1)
                        fk_gemm_packed_taps(dx_d, step, A, 1, offset, taps, N, from, W_ijd, NULL, count, columns);
                    else
                        fk_gemm_packed(dx_d, step, A, from, W_ijd, NULL, count, columns, N);
                }
        }
    }
}

void fk_conv_backward_input(float *dx, const float *dz, const float *W, const fk_conv *s, const fk_conv_inner *in,
                            float *scratch)
{
    const fk_index threads = fk_threads_for(work(s), GRAIN);
    pack_turned_kernel(scratch, W, s);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index r = 0; r < s->B * in->H; r++)
        row_gradient(dx, dz, scratch, s, in, r / in->H, r % in->H);
}

/* --- the gradient of the kernel ---------------------------------------------------------------------------- */

/* Rows of y that one product sums over: at most FK_GEMM_DEPTH pixels, or part of a row. */
static fk_index run_length(const fk_conv *s) { return fk_min(s->OW, FK_GEMM_DEPTH); }
static fk_index rows_at_once(const fk_conv *s) { return fk_max(1, FK_GEMM_DEPTH / fk_max(1, run_length(s))); }

/* dW_m += sum of x under tap m times dz, for rows m0 .. m1 of dW (KH*KW*D, N) and pixels q .. of rows r .. of y
 * begin: where each of these rows of dW lies in x, for the first pixel of an image */
static void add_rows(float *dW, const float *dz, const float *x, const fk_conv *s, const int32_t *begin,
                     float *packed, fk_index m0, fk_index m1, fk_index r, fk_index rows, fk_index q,
                     fk_index count)
{
    const fk_index N = filters(s), D = channels(s);
    fk_index offset[FK_GEMM_DEPTH];
    for (fk_index i = 0; i < rows; i++) {
        const fk_index b = (r + i) / s->OH, oh = (r + i) % s->OH;
        offset[i] = ((b * s->H + oh * s->stride_h) * s->W + q * s->stride_w) * s->C;
    }
    for (fk_index g = 0; g < s->groups; g++) {
        float *dW_g = dW + m0 * s->N + g * N;
        const fk_gemm_rows A = {x + g * D, begin, 1}, so_far = {dW_g, NULL, s->N};
        fk_gemm_pack(packed, dz + (r * s->OW + q) * s->N + g * N, s->N, 0, N, rows * count);
        fk_gemm_packed_taps(dW_g, s->N, A, s->stride_w * s->C, offset, rows, count, so_far, packed, NULL,
                            m1 - m0, N);
    }
}

void fk_conv_backward_kernel(float *dW, const float *dz, const float *x, const fk_conv *s, float *scratch)
{
    const fk_index M = s->KH * s->KW * channels(s), run = run_length(s), at_once = rows_at_once(s);
    const fk_index threads = fk_min(M, fk_threads_for(work(s), GRAIN));
    const fk_index size = fk_gemm_packed_size(filters(s), FK_GEMM_DEPTH);
    int32_t *begin = (int32_t *)scratch;
    for (fk_index m = 0; m < M; m++) {
        const fk_index t = m / channels(s), d = m % channels(s), i = t / s->KW, j = t % s->KW;
        begin[m] = (int32_t)((i * s->dilation_h * s->W + j * s->dilation_w) * s->C + d);
    }
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index part = 0; part < threads; part++) {
        fk_index m0, m1;
        fk_share(&m0, &m1, M, 1, part, threads);
        for (fk_index r = 0; r < s->B * s->OH; r += at_once)
            for (fk_index q = 0; q < s->OW; q += run)
                add_rows(dW, dz, x, s, begin + m0, scratch + M + part * size, m0, m1, r,
                         fk_min(at_once, s->B * s->OH - r), q, fk_min(run, s->OW - q));
    }
}

fk_index fk_conv_scratch(const fk_conv *s)
{
    const fk_index taps = s->KH * s->KW, input = taps * s->groups * fk_gemm_packed_size(channels(s), filters(s));
    const fk_index parts = fk_get_num_threads() * fk_gemm_packed_size(filters(s), FK_GEMM_DEPTH);
    return fk_max(fk_max(packed_size(s), input), taps * channels(s) + parts);
}

/* --- with max pooling --------------------------------------------------------------------------------------- */

typedef struct {
    const float *x, *packed, *bias;
    fk_activation f;
    const fk_conv *s;
} convolution;

static void make_output(float *y, const void *of, fk_index first, fk_index count)
{
    const convolution *c = of;
    const window w = window_of(c->s);
    for (fk_index p = 0; p < count; p += PIXELS)
        convolve(y + p * c->s->N, c->x, c->packed, c->bias, c->s, &w, first + p, fk_min(PIXELS, count - p));
    fk_activation_span(y, y, c->f, count * c->s->N);
}

fk_index fk_conv_max_scratch(const fk_conv *s, const fk_pooling *pool)
{
    return packed_size(s) + fk_get_num_threads() * band_size(pool);
}

void fk_conv_max_forward(float *y, int32_t *place, const float *x, const float *W, const float *bias,
                         fk_activation f, const fk_conv *s, const fk_pooling *pool, float *scratch)
{
    const window w = window_of(s);
    const convolution c = {x, scratch, bias, f, s};
    pack_kernel(scratch, W, s, &w);
    largest_of_bands(y, place, make_output, &c, pool, scratch + packed_size(s), fk_threads_for(work(s), GRAIN));
}

/* dW_t += sum of g x_t over the places under pooling windows, x_t being x under tap t, for filters n .. n + width
 * and taps t .. t + count of the window's KH KW D; at most a vector and TAPS of them */
static void add_taps(float *dW, const float *g, const int32_t *place, const float *x, const fk_conv *s,
                     const fk_pooling *pool, fk_index n, fk_index width, fk_index t, fk_index count)
{
    fk_index offset[TAPS];
    for (fk_index i = 0; i < TAPS; i++) {
        const fk_index tap = fk_min(t + i, t + count - 1) / s->C, d = fk_min(t + i, t + count - 1) % s->C;
        offset[i] = (tap / s->KW * s->dilation_h * s->W + tap % s->KW * s->dilation_w) * s->C + d;
    }
    for (fk_index b = 0; b < s->B; b++) {
        vf sum[TAPS];
        for (int i = 0; i < TAPS; i++)
            sum[i] = vf_set(0.0f);
        for (fk_index q = 0; q < pool->OH * pool->OW; q++) {
            const pooling_window at = window_at(pool, q / pool->OW, q % pool->OW);
            const fk_index from = (b * pool->OH * pool->OW + q) * s->N + n;
            const vf g_q = vf_load_first(g + from, width, 0.0f);
            const vi place_q = (vi)vf_load_first((const float *)place + from, width, 0.0f);
            for (fk_index h = at.h0; h < at.h1; h++)
                for (fk_index w = at.w0; w < at.w1; w++) {
                    const float *x_hw = x + ((b * s->H + h * s->stride_h) * s->W + w * s->stride_w) * s->C;
                    const vf g_hw = vf_select(place_q == (int32_t)(h * s->OW + w), g_q, vf_set(0.0f));
                    for (int i = 0; i < TAPS; i++)
                        sum[i] += g_hw * x_hw[offset[i]];
                }
        }
        for (fk_index i = 0; i < count; i++) {
            float *dW_t = dW + (t + i) * s->N + n;
            vf_store_first(dW_t, vf_load_first(dW_t, width, 0.0f) + sum[i], width);
        }
    }
}

void fk_conv_max_backward_kernel(float *dW, const float *g, const int32_t *place, const float *x, const fk_conv *s,
                                 const fk_pooling *pool)
{
    const fk_index size = s->KH * s->KW * s->C, vectors = fk_ceil_div(s->N, FK_VL);
    const fk_index threads = fk_min(vectors, fk_threads_for(work(s), GRAIN));
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index v = 0; v < vectors; v++)
        for (fk_index t = 0; t < size; t += TAPS)
            add_taps(dW, g, place, x, s, pool, v * FK_VL, fk_min(FK_VL, s->N - v * FK_VL), t,
                     fk_min(TAPS, size - t));
}

/* --- borders ----------------------------------------------------------------------------------------------- */

void fk_conv_pad(float *to, const float *from, fk_index top, fk_index left, fk_index B, fk_index H, fk_index W,
                 fk_index h, fk_index w, fk_index C)
{
    const fk_index threads = fk_threads_for(B * H * W * C, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index r = 0; r < B * H; r++) {
        const fk_index b = r / H, i = r % H - top;
        float *row = to + r * W * C;
        if (i < 0 || i >= h) {
            memset(row, 0, (size_t)(W * C) * sizeof(float));
            continue;
        }
        memset(row, 0, (size_t)(left * C) * sizeof(float));
        memcpy(row + left * C, from + (b * h + i) * w * C, (size_t)(w * C) * sizeof(float));
        memset(row + (left + w) * C, 0, (size_t)((W - left - w) * C) * sizeof(float));
    }
}

void fk_conv_crop(float *to, const float *from, fk_index top, fk_index left, fk_index B, fk_index H, fk_index W,
                  fk_index h, fk_index w, fk_index C)
{
    const fk_index threads = fk_threads_for(B * h * w * C, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index r = 0; r < B * h; r++)
        memcpy(to + r * w * C, from + ((r / h * H + r % h + top) * W + left) * C, (size_t)(w * C) * sizeof(float));
}
