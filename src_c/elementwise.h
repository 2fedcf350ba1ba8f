/* elementwise.h: y_i from a_i and b_i, one thread, for any alignment; y may be a or b. */
#ifndef FK_ELEMENTWISE_H
#define FK_ELEMENTWISE_H

#include "fk.h"
#include "simd.h"

/* y = a + b */
FK_INLINE void fk_add(float *y, const float *a, const float *b, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL)
        vf_store_first(y + i, vf_load_first(a + i, n - i, 0.0f) + vf_load_first(b + i, n - i, 0.0f), n - i);
}

/* y = a * b */
FK_INLINE void fk_multiply(float *y, const float *a, const float *b, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL)
        vf_store_first(y + i, vf_load_first(a + i, n - i, 0.0f) * vf_load_first(b + i, n - i, 0.0f), n - i);
}

/* y += a * b */
FK_INLINE void fk_multiply_add(float *y, const float *a, const float *b, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const vf product = vf_load_first(a + i, n - i, 0.0f) * vf_load_first(b + i, n - i, 0.0f);
        vf_store_first(y + i, vf_load_first(y + i, n - i, 0.0f) + product, n - i);
    }
}

#endif
