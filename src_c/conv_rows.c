#include "conv_rows.h"

#include "simd.h"
#include "threads.h"

enum {
    GRAIN = 32 * 1024, /* floats of P that are worth a thread */
    PIXELS = 16,       /* of y that are computed at a time */
    VECTORS = 4        /* of a pixel that are summed at a time, in registers */
};

/* y_m = bias + sum_t P_t[index_tm], columns n .. n + width, at most VECTORS vectors of them
 * index: from that of m on, each M from the next */
FK_INLINE void add_taps(float *y_m, const float *P, const int32_t *index, const float *bias, fk_index T,
                        fk_index R, fk_index M, fk_index N, fk_index n, fk_index width)
{
    vf sum[VECTORS];
    for (fk_index v = 0; v * FK_VL < width; v++)
        sum[v] = bias ? vf_load_first(bias + n + v * FK_VL, width - v * FK_VL, 0.0f) : vf_set(0.0f);
    for (fk_index t = 0; t < T; t++) {
        const float *row = P + (t * R + index[t * M]) * N + n;
        for (fk_index v = 0; v * FK_VL < width; v++)
            sum[v] += vf_load_first(row + v * FK_VL, width - v * FK_VL, 0.0f);
    }
    for (fk_index v = 0; v * FK_VL < width; v++)
        vf_store_first(y_m + n + v * FK_VL, sum[v], width - v * FK_VL);
}

void fk_conv_rows_forward(float *y, float *z, const float *P, const int32_t *index, const float *bias,
                          fk_activation f, fk_index T, fk_index R, fk_index M, fk_index N)
{
    const fk_index threads = fk_threads_for(T * M * N, GRAIN), width = VECTORS * FK_VL;
    float *sums = z ? z : y;
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index first = 0; first < M; first += PIXELS) {
        const fk_index count = fk_min(PIXELS, M - first);
        for (fk_index m = first; m < first + count; m++) {
            fk_index n = 0;
            for (; n + width <= N; n += width)
                add_taps(sums + m * N, P, index + m, bias, T, R, M, N, n, width);
            if (n < N)
                add_taps(sums + m * N, P, index + m, bias, T, R, M, N, n, N - n);
        }
        fk_activation_span(y + first * N, sums + first * N, f, count * N);
    }
}
