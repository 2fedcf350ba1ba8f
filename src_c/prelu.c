#include "prelu.h"

#include "simd.h"
#include "threads.h"

#define GRAIN (32 * 1024) /* elements that are worth a thread */

void fk_prelu_forward(float *y, const float *x, const float *a, fk_index N, fk_index C)
{
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN), {
        for (fk_index c = 0; c < C; c += FK_VL) {
            const vf x_c = vf_load_first(x + n * C + c, C - c, 0.0f), a_c = vf_load_first(a + c, C - c, 0.0f);
            vf_store_first(y + n * C + c, vf_select(x_c > 0.0f, x_c, a_c * x_c), C - c);
        }
    });
}

fk_index fk_prelu_scratch(fk_index N, fk_index C) { return fk_max(1, fk_ceil_div(N, FK_PRELU_BLOCK) * C); }

/* dx as above, and sum = the block's part of da; each or NULL */
static void block_gradients(float *dx, float *sum, const float *dy, const float *x, const float *a, fk_index n,
                            fk_index C)
{
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf a_c = vf_load_first(a + c, C - c, 0.0f);
        vf total = vf_set(0.0f);
        for (fk_index i = c; i < n * C; i += C) {
            const vf x_i = vf_load_first(x + i, C - c, 0.0f), dy_i = vf_load_first(dy + i, C - c, 0.0f);
            total += vf_select(x_i > 0.0f, vf_set(0.0f), x_i * dy_i);
            if (dx)
                vf_store_first(dx + i, vf_select(x_i > 0.0f, dy_i, a_c * dy_i), C - c);
        }
        if (sum)
            vf_store_first(sum + c, total, C - c);
    }
}

void fk_prelu_backward(float *dx, float *da, const float *dy, const float *x, const float *a, float *scratch,
                       fk_index N, fk_index C)
{
    const fk_index blocks = fk_ceil_div(N, FK_PRELU_BLOCK);
    FK_FOR_EACH(k, blocks, 1, fk_threads_for(N * C, GRAIN), {
        const fk_index first = k * FK_PRELU_BLOCK, n = fk_min(FK_PRELU_BLOCK, N - first);
        block_gradients(dx ? dx + first * C : NULL, da ? scratch + k * C : NULL, dy + first * C, x + first * C, a,
                        n, C);
    });
    if (da == NULL)
        return;
    for (fk_index k = 0; k < blocks; k++)
        for (fk_index c = 0; c < C; c++)
            da[c] += scratch[k * C + c];
}
