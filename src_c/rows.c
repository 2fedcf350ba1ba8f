#include "rows.h"

#include <string.h>

#include "simd.h"
#include "threads.h"

/* Floats a thread should move before a second one is worth waking. */
#define GRAIN (32 * 1024)
/* The same in bytes where rows lie anywhere in memory, in pages that were not touched for long. */
#define TAKE_GRAIN (64 * 1024)

fk_status fk_rows_distinct(int32_t *index, int32_t *ids, fk_index *count, fk_index *position, const int32_t *x,
                           int32_t *seen, fk_index N, fk_index V)
{
    fk_status status = FK_OK;
    fk_index R = 0;
    for (fk_index n = 0; n < N; n++) {
        const int32_t id = x[n];
        if (id < 0 || id >= V) {
            *position = n;
            status = FK_BAD_INDEX;
            break;
        }
        if (seen[id] < 0) {
            seen[id] = (int32_t)R;
            ids[R++] = id;
        }
        index[n] = seen[id];
    }
    for (fk_index r = 0; r < R; r++)
        seen[ids[r]] = -1;
    *count = R;
    return status;
}

void fk_rows_gather(float *y, const float *values, const int32_t *index, fk_index N, fk_index D)
{
    const fk_index threads = fk_threads_for(N * D, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index n = 0; n < N; n++)
        memcpy(y + n * D, values + index[n] * D, (size_t)D * sizeof(float));
}

static void add_row(float *y, const float *x, fk_index D)
{
    fk_index d = 0;
    for (; d + FK_VL <= D; d += FK_VL)
        vf_store(y + d, vf_load(y + d) + vf_load(x + d));
    for (; d < D; d++)
        y[d] += x[d];
}

void fk_rows_scatter_add(float *dvalues, const float *dy, const int32_t *index, fk_index N, fk_index R,
                         fk_index D)
{
    const fk_index threads = fk_threads_for(N * D, GRAIN);
    /* A thread owns a range of distinct rows and passes over every index: the sums keep the order of n. */
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index part = 0; part < threads; part++) {
        fk_index first, last;
        fk_share(&first, &last, R, 1, part, threads);
        for (fk_index n = 0; n < N; n++)
            if (index[n] >= first && index[n] < last)
                add_row(dvalues + index[n] * D, dy + n * D, D);
    }
}

fk_status fk_rows_take(void *y, const void *x, const int32_t *index, fk_index N, fk_index R, fk_index bytes)
{
    for (fk_index n = 0; n < N; n++)
        if (index[n] < 0 || index[n] >= R)
            return FK_BAD_INDEX;
    const fk_index threads = fk_threads_for(N * bytes, TAKE_GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index n = 0; n < N; n++)
        memcpy((char *)y + n * bytes, (const char *)x + index[n] * bytes, (size_t)bytes);
    return FK_OK;
}
