/* simd.h: the only file that knows vectors.
 *
 * vf is a vector of FK_VL floats: 16 with AVX-512, 8 with AVX2, 4 with SSE2 or NEON. The operators + - * / and the
 * comparisons work on it element by element (GCC's and Clang's vector extension), so a kernel is a plain loop over
 * vectors, with vf_load_n and vf_store_n for what is left at its end.
 */
#ifndef FK_SIMD_H
#define FK_SIMD_H

#include <string.h>

#include "fk.h"

#if defined(__AVX512F__)
#define FK_VL 16
#elif defined(__AVX2__)
#define FK_VL 8
#else
#define FK_VL 4
#endif

typedef float vf __attribute__((vector_size(4 * FK_VL), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * FK_VL), aligned(4), may_alias));

FK_INLINE vf vf_load(const float *p) { return *(const vf *)p; }
FK_INLINE void vf_store(float *p, vf v) { *(vf *)p = v; }
FK_INLINE vf vf_set(float s) { return s - (vf){0}; }

/* The first n < FK_VL elements; the others read as zero and are not written. */
FK_INLINE vf vf_load_n(const float *p, fk_index n)
{
    vf v = {0};
    memcpy(&v, p, (size_t)n * sizeof(float));
    return v;
}
FK_INLINE void vf_store_n(float *p, vf v, fk_index n) { memcpy(p, &v, (size_t)n * sizeof(float)); }

/* condition ? a : b, element by element; a condition is what a comparison gives: all bits set, or none. */
FK_INLINE vf vf_select(vi condition, vf a, vf b) { return (vf)((condition & (vi)a) | (~condition & (vi)b)); }
/* NaN in `a` is kept: max(NaN, b) = NaN. */
FK_INLINE vf vf_max(vf a, vf b) { return vf_select(a < b, b, a); }
FK_INLINE vf vf_min(vf a, vf b) { return vf_select(a > b, b, a); }

/* The sum of all elements, always in the same order: halves are folded onto each other. */
FK_INLINE float vf_sum(vf v)
{
    float lane[FK_VL];
    vf_store(lane, v);
    for (int width = FK_VL / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] += lane[i + width];
    return lane[0];
}

#endif
