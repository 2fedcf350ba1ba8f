#include "merging.h"

#include "simd.h"
#include "threads.h"

#define GRAIN (32 * 1024) /* elements that are worth a thread */

/* A statement for each i < n, several i at a time, though y may be a or b. */
#define FOR_EACH(i, n, ...)                                                                                 \
    FK_FOR_SHARES(begin, end, n, FK_VL, fk_threads_for(n, GRAIN),                                           \
                  _Pragma("omp simd") for (fk_index i = begin; i < end; i++) __VA_ARGS__)

void fk_merge_scale(float *y, const float *a, float u, fk_index n)
{
    FOR_EACH(i, n, y[i] = u * a[i]);
}

void fk_merge_sum(float *y, const float *a, const float *b, float u, float v, fk_index n)
{
    FOR_EACH(i, n, y[i] = u * a[i] + v * b[i]);
}

void fk_merge_multiply(float *y, const float *a, const float *b, fk_index n)
{
    FOR_EACH(i, n, y[i] = a[i] * b[i]);
}

void fk_merge_extreme(float *y, int32_t *winner, const float *x, float sign, int32_t k, fk_index n)
{
    FOR_EACH(i, n, {
        const int32_t before = winner[i]; /* read in either case, else Clang makes a branch of it */
        const int better = sign * x[i] > sign * y[i];
        y[i] = better ? x[i] : y[i];
        winner[i] = better ? k : before;
    });
}

void fk_merge_extreme_backward(float *dx, const float *dy, const int32_t *winner, int32_t k, fk_index n)
{
    FOR_EACH(i, n, dx[i] = winner[i] == k ? dy[i] : 0.0f);
}

void fk_merge_products(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch, fk_index batch,
                       fk_index M, fk_index N, fk_index K)
{
    const fk_activation linear = {.kind = FK_LINEAR};
    for (fk_index b = 0; b < batch; b++)
        fk_gemm(C + b * M * N, A + b * M * K, B + b * K * N, NULL, linear, form, scratch, M, N, K);
}
