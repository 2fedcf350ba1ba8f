#include "transposed.h"

#include "threads.h"

#define GRAIN (64 * 1024) /* floats of y that are worth a thread */

void fk_transposed_finish(float *y, float *z, const float *sums, const float *bias, fk_activation f, fk_index top,
                          fk_index left, fk_index B, fk_index h, fk_index w, fk_index N, fk_index H, fk_index W)
{
    FK_FOR_EACH(r, B * h, 1, fk_threads_for(B * h * w * N, GRAIN), {
        const float *from = sums + ((r / h * H + r % h + top) * W + left) * N;
        float *y_r = y + r * w * N, *z_r = z ? z + r * w * N : y_r;
        for (fk_index q = 0; q < w; q++)
            for (fk_index n = 0; n < N; n++)
                z_r[q * N + n] = from[q * N + n] + (bias ? bias[n] : 0.0f);
        fk_activation_span(y_r, z_r, f, w * N);
    });
}
