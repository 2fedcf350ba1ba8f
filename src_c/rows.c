#include "rows.h"

#include <string.h>

#include "elementwise.h"
#include "threads.h"

/* Floats a thread should move before a second one is worth waking. */
#define GRAIN (32 * 1024)
/* The same in bytes where rows lie anywhere in memory, in pages that were not touched for long. */
#define TAKE_GRAIN (64 * 1024)
/* Floats a thread should clear. */
#define CLEAR_GRAIN (128 * 1024)

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

/* The table of fk_rows_pairs: a power of two of places, at least twice as many as there can be pairs. */
static int pairs_table_bits(fk_index N)
{
    int bits = 4;
    while (((fk_index)1 << bits) < 2 * N)
        bits++;
    return bits;
}

fk_index fk_rows_pairs_scratch(fk_index N)
{
    return (fk_index)1 << pairs_table_bits(N);
}

/* Open addressing with linear probing; a pair's first place is the upper bits of its product with 2^64 / golden
 * ratio (Knuth, The Art of Computer Programming, vol. 3, 6.4). */
fk_index fk_rows_pairs(int32_t *index, int32_t *first, int32_t *second, const int32_t *a, const int32_t *b,
                       float *scratch, fk_index N)
{
    int32_t *table = (int32_t *)scratch; /* a pair's number, or -1 where there is none */
    const int bits = pairs_table_bits(N);
    const uint64_t places = (uint64_t)1 << bits;
    memset(table, 0xff, (size_t)places * sizeof(int32_t));
    fk_index P = 0;
    for (fk_index n = 0; n < N; n++) {
        const uint64_t pair = (uint64_t)(uint32_t)a[n] << 32 | (uint32_t)b[n];
        uint64_t place = pair * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits);
        while (table[place] >= 0 && (first[table[place]] != a[n] || second[table[place]] != b[n]))
            place = (place + 1) & (places - 1);
        if (table[place] < 0) {
            first[P] = a[n];
            second[P] = b[n];
            table[place] = (int32_t)P++;
        }
        index[n] = table[place];
    }
    return P;
}

/* y_n = values[index[n]], where rows of y begin `stride` floats apart. */
static void gather(float *y, fk_index stride, const float *values, const int32_t *index, fk_index N, fk_index D)
{
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * D, GRAIN),
                memcpy(y + n * stride, values + index[n] * D, (size_t)D * sizeof(float)));
}

void fk_rows_gather(float *y, const float *values, const int32_t *index, fk_index N, fk_index D)
{
    gather(y, D, values, index, N, D);
}

void fk_rows_gather_pairs(float *y, const float *left, const float *right, const int32_t *first,
                          const int32_t *second, fk_index P, fk_index D, fk_index E)
{
    gather(y, D + E, left, first, P, D);
    gather(y + D, D + E, right, second, P, E);
}

void fk_rows_gather_masked(float *y, const float *values, const float *m, const int32_t *first, const int32_t *second,
                           fk_index P, fk_index D)
{
    FK_FOR_EACH(p, P, 1, fk_threads_for(P * D, GRAIN),
                fk_multiply(y + p * D, values + first[p] * D, m + second[p] * D, D));
}

void fk_rows_scatter_add(float *dvalues, fk_index dvalues_row, const float *dy, fk_index dy_row,
                         const int32_t *index, fk_index N, fk_index D)
{
    /* A thread owns some columns and passes over all rows: the sums keep the order of n, none has more to do, and
     * no two share a cache line. */
    FK_FOR_SHARES(d, last, D, FK_LINE, fk_threads_for(N * D, GRAIN), {
        for (fk_index n = 0; n < N; n++) {
            float *dvalues_n = dvalues + index[n] * dvalues_row + d;
            fk_add(dvalues_n, dvalues_n, dy + n * dy_row + d, last - d);
        }
    });
}

void fk_rows_scatter_add_masked(float *dvalues, const float *dy, const float *m, const int32_t *first,
                                const int32_t *second, fk_index P, fk_index D)
{
    FK_FOR_SHARES(d, last, D, FK_LINE, fk_threads_for(P * D, GRAIN), {
        for (fk_index p = 0; p < P; p++)
            fk_multiply_add(dvalues + first[p] * D + d, dy + p * D + d, m + second[p] * D + d, last - d);
    });
}

void fk_rows_scatter_add_pairs(float *dleft, float *dright, const float *dy, const int32_t *first,
                               const int32_t *second, fk_index P, fk_index D, fk_index E)
{
    fk_rows_scatter_add(dleft, D, dy, D + E, first, P, D);
    fk_rows_scatter_add(dright, E, dy + D, D + E, second, P, E);
}

void fk_rows_clear(float *y, fk_index n)
{
    FK_FOR_SHARES(i, last, n, FK_LINE, fk_threads_for(n, CLEAR_GRAIN),
                  memset(y + i, 0, (size_t)(last - i) * sizeof(float)));
}

fk_status fk_rows_take(void *y, const void *x, const int32_t *index, fk_index N, fk_index R, fk_index bytes)
{
    for (fk_index n = 0; n < N; n++)
        if (index[n] < 0 || index[n] >= R)
            return FK_BAD_INDEX;
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * bytes, TAKE_GRAIN),
                memcpy((char *)y + n * bytes, (const char *)x + index[n] * bytes, (size_t)bytes));
    return FK_OK;
}
