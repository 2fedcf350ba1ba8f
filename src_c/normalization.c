#include "normalization.h"

#include <math.h>
#include <string.h>

#include "rowwise.h"
#include "simd.h"
#include "threads.h"

#define GRAIN (32 * 1024)

static fk_index blocks_of(fk_index N) { return fk_ceil_div(N, FK_NORM_BLOCK); }

/* Two sums of each block, two of all, and what a column is scaled by. */
fk_index fk_norm_scratch(fk_index N, fk_index C) { return C * (2 * blocks_of(N) + 3); }

/* total = the sums of the blocks in order    sums (blocks, n)   total (n) */
static void add_blocks(float *total, const float *sums, fk_index blocks, fk_index n)
{
    memset(total, 0, (size_t)n * sizeof(float));
    for (fk_index k = 0; k < blocks; k++)
        for (fk_index i = 0; i < n; i++)
            total[i] += sums[k * n + i];
}

/* --- batch normalization ----------------------------------------------------------------------------------- */

/* sum = sum_n w_n (x_n - shift)^power over the rows of a block, power being 1 or 2 */
FK_INLINE void moment_of_block(float *sum, const float *x, const float *shift, const uint8_t *mask, int power,
                               fk_index n, fk_index C)
{
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf s = shift ? vf_load_first(shift + c, C - c, 0.0f) : vf_set(0.0f);
        vf total = vf_set(0.0f);
        for (fk_index i = 0; i < n; i++) {
            if (mask && !mask[i])
                continue;
            const vf d = vf_load_first(x + i * C + c, C - c, 0.0f) - s;
            if (power == 1)
                total += d;
            else
                total += d * d;
        }
        vf_store_first(sum + c, total, C - c);
    }
}

/* moment = sum_n w_n (x_n - shift)^power / M */
static void moment(float *moments, const float *x, const float *shift, const uint8_t *mask, int power, float M,
                   float *scratch, fk_index N, fk_index C)
{
    const fk_index blocks = blocks_of(N);
    FK_FOR_EACH(k, blocks, 1, fk_threads_for(N * C, GRAIN), {
        const fk_index first = k * FK_NORM_BLOCK;
        moment_of_block(scratch + k * C, x + first * C, shift, mask ? mask + first : NULL, power,
                        fk_min(FK_NORM_BLOCK, N - first), C);
    });
    add_blocks(moments, scratch, blocks, C);
    for (fk_index c = 0; c < C; c++)
        moments[c] /= M;
}

static float row_count(const uint8_t *mask, fk_index N)
{
    if (mask == NULL)
        return (float)fk_max(N, 1);
    fk_index count = 0;
    for (fk_index n = 0; n < N; n++)
        count += mask[n];
    return (float)count + 1e-7f;
}

void fk_batch_norm_moments(float *mean, float *variance, const float *x, const uint8_t *mask, float *scratch,
                           fk_index N, fk_index C)
{
    const float M = row_count(mask, N);
    moment(mean, x, NULL, mask, 1, M, scratch, N, C);
    moment(variance, x, mean, mask, 2, M, scratch, N, C);
}

void fk_batch_norm_apply(float *y, const float *x, const float *mean, const float *variance, const float *gamma,
                         const float *beta, float epsilon, float *scratch, fk_index N, fk_index C)
{
    float *scale = scratch, *shift = scratch + C; /* y = scale x + shift */
    for (fk_index c = 0; c < C; c++) {
        scale[c] = (gamma ? gamma[c] : 1.0f) / sqrtf(variance[c] + epsilon);
        shift[c] = (beta ? beta[c] : 0.0f) - mean[c] * scale[c];
    }
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN), {
        for (fk_index c = 0; c < C; c += FK_VL) {
            const vf s = vf_load_first(scale + c, C - c, 0.0f), b = vf_load_first(shift + c, C - c, 0.0f);
            vf_store_first(y + n * C + c, vf_load_first(x + n * C + c, C - c, 0.0f) * s + b, C - c);
        }
    });
}

/* sums = [sum_n dy_n   sum_n (x_n - shift) scale dy_n] over the rows of a block, shift and scale (C) or NULL */
static void gradient_sums_of_block(float *sums, const float *dy, const float *x, const float *shift,
                                   const float *scale, fk_index n, fk_index C)
{
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf m = shift ? vf_load_first(shift + c, C - c, 0.0f) : vf_set(0.0f);
        const vf s = scale ? vf_load_first(scale + c, C - c, 0.0f) : vf_set(1.0f);
        vf of_dy = vf_set(0.0f), of_product = vf_set(0.0f);
        for (fk_index i = 0; i < n; i++) {
            const vf d = vf_load_first(dy + i * C + c, C - c, 0.0f);
            of_dy += d;
            of_product += d * (vf_load_first(x + i * C + c, C - c, 0.0f) - m);
        }
        vf_store_first(sums + c, of_dy, C - c);
        vf_store_first(sums + C + c, of_product * s, C - c);
    }
}

/* total = [sum_n dy_n   sum_n xhat_n dy_n] with xhat = (x - shift) scale; both are added to dbeta and dgamma */
static void gradient_sums(float *total, float *dgamma, float *dbeta, const float *dy, const float *x,
                          const float *shift, const float *scale, float *sums, fk_index N, fk_index C)
{
    const fk_index blocks = blocks_of(N);
    FK_FOR_EACH(k, blocks, 1, fk_threads_for(N * C, GRAIN), {
        const fk_index first = k * FK_NORM_BLOCK;
        gradient_sums_of_block(sums + k * 2 * C, dy + first * C, x + first * C, shift, scale,
                               fk_min(FK_NORM_BLOCK, N - first), C);
    });
    add_blocks(total, sums, blocks, 2 * C);
    for (fk_index c = 0; c < C; c++) {
        if (dbeta)
            dbeta[c] += total[c];
        if (dgamma)
            dgamma[c] += total[C + c];
    }
}

void fk_batch_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x,
                            const float *mean, const float *variance, const float *gamma, const uint8_t *mask,
                            int fixed, float epsilon, float *scratch, fk_index N, fk_index C)
{
    float *rstd = scratch, *total = scratch + C, *sums = scratch + 3 * C;
    for (fk_index c = 0; c < C; c++)
        rstd[c] = 1.0f / sqrtf(variance[c] + epsilon);
    gradient_sums(total, dgamma, dbeta, dy, x, mean, rstd, sums, N, C);
    if (dx == NULL)
        return;
    const float M = row_count(mask, N);
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN), {
        const float share = fixed || (mask && !mask[n]) ? 0.0f : 1.0f / M;
        for (fk_index c = 0; c < C; c += FK_VL) {
            const fk_index left = C - c;
            const vf s = vf_load_first(rstd + c, left, 0.0f);
            const vf xhat = (vf_load_first(x + n * C + c, left, 0.0f) - vf_load_first(mean + c, left, 0.0f)) * s;
            const vf of_all =
                vf_load_first(total + c, left, 0.0f) + xhat * vf_load_first(total + C + c, left, 0.0f);
            const vf bracket = vf_load_first(dy + n * C + c, left, 0.0f) - share * of_all;
            const vf g = gamma ? vf_load_first(gamma + c, left, 0.0f) : vf_set(1.0f);
            vf_store_first(dx + n * C + c, g * s * bracket, left);
        }
    });
}

/* --- layer normalization ----------------------------------------------------------------------------------- */

FK_INLINE void normalize_row(float *y, float *xhat, float *rstd, const float *x, const float *gamma,
                             const float *beta, float epsilon, fk_index C)
{
    vf sum = vf_set(0.0f), squares = vf_set(0.0f);
    for (fk_index c = 0; c < C; c += FK_VL)
        sum += vf_load_first(x + c, C - c, 0.0f);
    const float mean = vf_sum(sum) / (float)C;
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf d = vf_load_first(x + c, C - c, mean) - mean;
        squares += d * d;
    }
    *rstd = 1.0f / sqrtf(vf_sum(squares) / (float)C + epsilon);
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf g = gamma ? vf_load_first(gamma + c, C - c, 0.0f) : vf_set(1.0f);
        const vf b = beta ? vf_load_first(beta + c, C - c, 0.0f) : vf_set(0.0f);
        const vf normal = (vf_load_first(x + c, C - c, 0.0f) - mean) * *rstd;
        vf_store_first(xhat + c, normal, C - c);
        vf_store_first(y + c, g * normal + b, C - c);
    }
}

void fk_layer_norm_forward(float *y, float *xhat, float *rstd, const float *x, const float *gamma,
                           const float *beta, float epsilon, fk_index N, fk_index C)
{
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN),
                normalize_row(y + n * C, xhat + n * C, rstd + n, x + n * C, gamma, beta, epsilon, C));
}

/* The columns from c on of gamma dy. */
FK_INLINE vf gamma_times_dy(const float *gamma, const float *dy, fk_index c, fk_index C)
{
    return (gamma ? vf_load_first(gamma + c, C - c, 0.0f) : vf_set(1.0f)) * vf_load_first(dy + c, C - c, 0.0f);
}

static void row_gradient(float *dx, const float *dy, const float *xhat, float rstd, const float *gamma, fk_index C)
{
    vf sum = vf_set(0.0f), product = vf_set(0.0f);
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf g = gamma_times_dy(gamma, dy, c, C);
        sum += g;
        product += g * vf_load_first(xhat + c, C - c, 0.0f);
    }
    const float mean = vf_sum(sum) / (float)C, along = vf_sum(product) / (float)C;
    for (fk_index c = 0; c < C; c += FK_VL) {
        const vf g = gamma_times_dy(gamma, dy, c, C);
        vf_store_first(dx + c, rstd * (g - mean - along * vf_load_first(xhat + c, C - c, 0.0f)), C - c);
    }
}

void fk_layer_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy, const float *xhat,
                            const float *rstd, const float *gamma, float *scratch, fk_index N, fk_index C)
{
    if (dgamma || dbeta)
        gradient_sums(scratch, dgamma, dbeta, dy, xhat, NULL, NULL, scratch + 2 * C, N, C);
    if (dx == NULL)
        return;
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN),
                row_gradient(dx + n * C, dy + n * C, xhat + n * C, rstd[n], gamma, C));
}

/* --- rows of length one ------------------------------------------------------------------------------------ */

void fk_unit_norm_forward(float *y, float *r, const float *x, float largest, fk_index N, fk_index C)
{
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN), {
        const float length = sqrtf(row_dot(x + n * C, x + n * C, C));
        r[n] = length * largest > 1.0f ? 1.0f / length : largest;
        row_scale(y + n * C, x + n * C, r[n], C);
    });
}

void fk_unit_norm_backward(float *dx, const float *dy, const float *y, const float *r, float largest, fk_index N,
                           fk_index C)
{
    FK_FOR_EACH(n, N, 1, fk_threads_for(N * C, GRAIN), {
        const float *y_n = y + n * C, *dy_n = dy + n * C, r_n = r[n];
        const float along = r_n < largest ? row_dot(y_n, dy_n, C) : 0.0f;
        for (fk_index c = 0; c < C; c += FK_VL) {
            const vf d = vf_load_first(dy_n + c, C - c, 0.0f) - along * vf_load_first(y_n + c, C - c, 0.0f);
            vf_store_first(dx + n * C + c, r_n * d, C - c);
        }
    });
}
