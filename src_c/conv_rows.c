#include "conv_rows.h"

#include "pooling_window.h"
#include "simd.h"
#include "threads.h"

enum {
    GRAIN = 32 * 1024, /* floats of P that are worth a thread */
    PIXELS = 16,       /* of y that are computed at a time */
    VECTORS = 4        /* of a pixel that are summed at a time, in registers */
};

typedef struct {
    const float *P, *bias;
    const int32_t *index;
    fk_index T, R, M, N;
} sums;

/* y_m = bias + sum_t P_t[index_tm], columns n .. n + width, at most VECTORS vectors of them    y: row m */
FK_INLINE void add_taps(float *y, const sums *s, fk_index m, fk_index n, fk_index width)
{
    vf sum[VECTORS];
    for (fk_index v = 0; v * FK_VL < width; v++)
        sum[v] = s->bias ? vf_load_first(s->bias + n + v * FK_VL, width - v * FK_VL, 0.0f) : vf_set(0.0f);
    for (fk_index t = 0; t < s->T; t++) {
        const float *row = s->P + (t * s->R + s->index[t * s->M + m]) * s->N + n;
        for (fk_index v = 0; v * FK_VL < width; v++)
            sum[v] += vf_load_first(row + v * FK_VL, width - v * FK_VL, 0.0f);
    }
    for (fk_index v = 0; v * FK_VL < width; v++)
        vf_store_first(y + n + v * FK_VL, sum[v], width - v * FK_VL);
}

/* y_m for `count` pixels from m on    y: from row m on */
static void add_all(float *y, const sums *s, fk_index m, fk_index count)
{
    const fk_index width = VECTORS * FK_VL;
    for (fk_index end = m + count; m < end; m++, y += s->N) {
        fk_index n = 0;
        for (; n + width <= s->N; n += width)
            add_taps(y, s, m, n, width);
        if (n < s->N)
            add_taps(y, s, m, n, s->N - n);
    }
}

void fk_conv_rows_forward(float *y, float *z, const float *P, const int32_t *index, const float *bias,
                          fk_activation f, fk_index T, fk_index R, fk_index M, fk_index N)
{
    const sums s = {P, bias, index, T, R, M, N};
    const fk_index threads = fk_threads_for(T * M * N, GRAIN);
    float *z_or_y = z ? z : y;
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index m = 0; m < M; m += PIXELS) {
        const fk_index count = fk_min(PIXELS, M - m);
        add_all(z_or_y + m * N, &s, m, count);
        fk_activation_span(y + m * N, z_or_y + m * N, f, count * N);
    }
}

/* --- with max pooling --------------------------------------------------------------------------------------- */

typedef struct {
    sums s;
    fk_activation f;
} output;

static void make_output(float *y, const void *of, fk_index first, fk_index count)
{
    const output *o = of;
    add_all(y, &o->s, first, count);
    fk_activation_span(y, y, o->f, count * o->s.N);
}

fk_index fk_conv_rows_max_scratch(const fk_pooling *pool) { return fk_get_num_threads() * band_size(pool); }

void fk_conv_rows_max_forward(float *y, int32_t *place, const float *P, const int32_t *index, const float *bias,
                              fk_activation f, fk_index T, fk_index R, const fk_pooling *pool, float *scratch)
{
    const fk_index M = pool->B * pool->H * pool->W;
    const output o = {{P, bias, index, T, R, M, pool->C}, f};
    largest_of_bands(y, place, make_output, &o, pool, scratch, fk_threads_for(T * M * pool->C, GRAIN));
}
