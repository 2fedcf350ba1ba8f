/* rowwise.h: what softmax, its losses and the metrics do with one row of N numbers. Sums run in an order that
 * depends on N alone. */
#ifndef FK_ROWWISE_H
#define FK_ROWWISE_H

#include "simd.h"

/* max_n x_n */
FK_INLINE float row_largest(const float *x, fk_index N)
{
    vf largest = vf_load_first(x, N, -INFINITY);
    for (fk_index n = FK_VL; n < N; n += FK_VL)
        largest = vf_max(largest, vf_load_first(x + n, N - n, -INFINITY));
    return vf_largest(largest);
}

/* e_n = exp(x_n - shift)    e (N) =, or NULL; may be x;  returns sum_n e_n */
FK_INLINE float row_exp(float *e, const float *x, float shift, fk_index N)
{
    vf sum = vf_set(0.0f);
    for (fk_index n = 0; n < N; n += FK_VL) {
        const vf e_n = vf_exp_fast(vf_load_first(x + n, N - n, -INFINITY) - shift);
        if (e)
            vf_store_first(e + n, e_n, N - n);
        sum += e_n;
    }
    return vf_sum(sum);
}

/* y_n = factor x_n    y (N) =; may be x */
FK_INLINE void row_scale(float *y, const float *x, float factor, fk_index N)
{
    for (fk_index n = 0; n < N; n += FK_VL)
        vf_store_first(y + n, vf_load_first(x + n, N - n, 0.0f) * factor, N - n);
}

/* sum_n x_n y_n */
FK_INLINE float row_dot(const float *x, const float *y, fk_index N)
{
    vf sum = vf_set(0.0f);
    for (fk_index n = 0; n < N; n += FK_VL)
        sum += vf_load_first(x + n, N - n, 0.0f) * vf_load_first(y + n, N - n, 0.0f);
    return vf_sum(sum);
}

#endif
