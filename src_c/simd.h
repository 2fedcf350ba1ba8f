/* simd.h: the only file that knows vectors.
 *
 * vf is a vector of FK_VL floats: 16 with AVX-512, 8 with AVX2, 4 with SSE2 or NEON. The operators + - * /
 * and the comparisons work on it element by element (GCC's and Clang's vector extension), so a kernel is a
 * plain loop over vectors, with vf_load_n and vf_store_n for what is left at its end.
 */
#ifndef FK_SIMD_H
#define FK_SIMD_H

#include <math.h>
#include <string.h>

#include "fk.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

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

/* All bits set in the first n elements (all if n >= FK_VL), none in the others. */
FK_INLINE vi vf_first(fk_index n)
{
    static const int32_t number[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return *(const vi *)number < (int32_t)fk_min(n, FK_VL);
}

/* The first n < FK_VL elements; the others read as zero and are not written. */
FK_INLINE vf vf_load_n(const float *p, fk_index n)
{
#if defined(__AVX512F__)
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(__AVX2__)
    return (vf)_mm256_maskload_ps(p, (__m256i)vf_first(n));
#else
    vf v = {0};
    memcpy(&v, p, (size_t)n * sizeof(float));
    return v;
#endif
}
FK_INLINE void vf_store_n(float *p, vf v, fk_index n)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif defined(__AVX2__)
    _mm256_maskstore_ps(p, (__m256i)vf_first(n), (__m256)v);
#else
    memcpy(p, &v, (size_t)n * sizeof(float));
#endif
}

/* condition ? a : b, element by element; a condition is what a comparison gives: all bits set, or none. */
FK_INLINE vf vf_select(vi condition, vf a, vf b) { return (vf)((condition & (vi)a) | (~condition & (vi)b)); }
/* condition ? 1 : 0 */
FK_INLINE vf vf_step(vi condition) { return vf_select(condition, vf_set(1.0f), vf_set(0.0f)); }
/* NaN in `a` is kept: max(NaN, b) = NaN. */
FK_INLINE vf vf_max(vf a, vf b)
{
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)b, (__m512)a); /* b > a ? b : a */
#elif defined(__AVX2__)
    return (vf)_mm256_max_ps((__m256)b, (__m256)a);
#else
    return vf_select(a < b, b, a);
#endif
}
FK_INLINE vf vf_min(vf a, vf b)
{
#if defined(__AVX512F__)
    return (vf)_mm512_min_ps((__m512)b, (__m512)a); /* b < a ? b : a */
#elif defined(__AVX2__)
    return (vf)_mm256_min_ps((__m256)b, (__m256)a);
#else
    return vf_select(a > b, b, a);
#endif
}

/* The first n elements, or all if n >= FK_VL; the others read as `fill` and are not written. */
FK_INLINE vf vf_load_first(const float *p, fk_index n, float fill)
{
    return n >= FK_VL ? vf_load(p) : vf_select(vf_first(n), vf_load_n(p, n), vf_set(fill));
}
FK_INLINE void vf_store_first(float *p, vf v, fk_index n)
{
    if (n >= FK_VL)
        vf_store(p, v);
    else
        vf_store_n(p, v, n);
}

/* The first n elements of v; zero in the others. */
FK_INLINE vf vf_keep_first(vf v, fk_index n) { return vf_select(vf_first(n), v, vf_set(0.0f)); }

/* The largest element. NaN may be lost. */
FK_INLINE float vf_largest(vf v)
{
    float lane[FK_VL];
    vf_store(lane, v);
#pragma GCC unroll 4
    for (int width = FK_VL / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] = lane[i] < lane[i + width] ? lane[i + width] : lane[i];
    return lane[0];
}
/* The sum of all elements, always in the same order: halves are folded onto each other. */
FK_INLINE float vf_sum(vf v)
{
    float lane[FK_VL];
    vf_store(lane, v);
#pragma GCC unroll 4
    for (int width = FK_VL / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] += lane[i + width];
    return lane[0];
}

/* v, held in a register: where memory is a free operand, compilers like to load a value again for every use. */
FK_INLINE vf vf_keep(vf v)
{
#if defined(__x86_64__)
    __asm__("" : "+v"(v));
#elif defined(__aarch64__)
    __asm__("" : "+w"(v));
#endif
    return v;
}

#ifdef __clang__
#define FK_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define FK_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vi){__VA_ARGS__})
#endif
/* a_0 b_0 a_1 b_1 ... from the lower halves of a and b, and from their upper halves */
FK_INLINE vf vf_zip_low(vf a, vf b)
{
#if FK_VL == 16
    return FK_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif FK_VL == 8
    return FK_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return FK_SHUFFLE(a, b, 0, 4, 1, 5);
#endif
}
FK_INLINE vf vf_zip_high(vf a, vf b)
{
#if FK_VL == 16
    return FK_SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif FK_VL == 8
    return FK_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return FK_SHUFFLE(a, b, 2, 6, 3, 7);
#endif
}

/* Transposes FK_VL vectors as the rows of a square. Zipping the upper half of the rows with the lower half moves
 * the highest bit of an element's row number to the lowest of its column number: log2(FK_VL) times is all. */
FK_INLINE void vf_transpose(vf row[FK_VL])
{
#pragma GCC unroll 4
    for (int step = 1; step < FK_VL; step *= 2) {
        vf zipped[FK_VL];
#pragma GCC unroll 8
        for (int i = 0; i < FK_VL / 2; i++) {
            zipped[2 * i] = vf_zip_low(row[i], row[i + FK_VL / 2]);
            zipped[2 * i + 1] = vf_zip_high(row[i], row[i + FK_VL / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < FK_VL; i++)
            row[i] = zipped[i];
    }
}

/* --- mathematics -----
 *
 * Errors are stated in ulp, units in the last place of the exact result, and tests/test_simd_kernel.py holds
 * the functions to them. NaN gives NaN. The polynomials are minimax fits, made for this file.
 */

FK_INLINE vf vf_abs(vf x) { return (vf)((vi)x & INT32_MAX); }
/* magnitude, which has no sign, with that of `sign` */
FK_INLINE vf vf_with_sign(vf magnitude, vf sign) { return (vf)((vi)magnitude | ((vi)sign & INT32_MIN)); }
/* 1, -1, or x itself where it is 0 or NaN */
FK_INLINE vf vf_sign(vf x)
{
    return vf_select(x > 0.0f, vf_set(1.0f), vf_select(x < 0.0f, vf_set(-1.0f), x));
}
/* 2^n for -127 <= n <= 128; the two ends give 0 and infinity. */
FK_INLINE vf vf_power_of_two(vi n) { return (vf)((n + 127) << 23); }

FK_INLINE vf vf_from_int(vi n) { return __builtin_convertvector(n, vf); }

FK_INLINE vf vf_sqrt(vf x)
{
    for (int i = 0; i < FK_VL; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}

/* x = n log(2) + r with |r| <= log(2) / 2;  *n is that integer, and exp(r) - 1 is returned, to 1 ulp.
 * Needs |x| < 2^21. Adding 1.5 2^23 leaves the rounded integer in the low bits; log(2) is subtracted in two
 * parts, the first so short that its product with n is exact (W. J. Cody, W. Waite, Software Manual for the
 * Elementary Functions, 1980). */
FK_INLINE vf vf_exp_reduce(vi *n, vf x)
{
    const vf shifted = x * 1.44269504f + 0x1.8p23f;
    const vf whole = shifted - 0x1.8p23f;
    const vf r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    vf p = 1.3882521e-3f * r + 8.3665205e-3f;
    p = p * r + 4.16672e-2f;
    p = p * r + 0.16666543f;
    p = p * r + 0.49999997f;
    *n = (vi)shifted - 0x4b400000;
    return r + r * r * p;
}

/* exp(x) to 1.1 ulp; overflows to infinity, and underflows through the denormals to 0. */
FK_INLINE vf vf_exp(vf x)
{
    vi n;
    const vf y = 1.0f + vf_exp_reduce(&n, vf_min(vf_max(x, vf_set(-104.0f)), vf_set(89.0f)));
    const vi half = n >> 1; /* 2^n alone may leave the range of floats */
    return y * vf_power_of_two(half) * vf_power_of_two(n - half);
}

/* exp(x) to 1.1 ulp for results in [2^-126, 2^127]; 0 below 2^-126.5, infinity above 2^127.5: cheaper, for
 * where such extremes do not matter */
FK_INLINE vf vf_exp_fast(vf x)
{
    vi n;
    const vf y = 1.0f + vf_exp_reduce(&n, vf_min(vf_max(x, vf_set(-88.0f)), vf_set(89.0f)));
    return y * vf_power_of_two(n);
}

/* exp(x) - 1 to 1.8 ulp */
FK_INLINE vf vf_expm1(vf x)
{
    vi n;
    const vf y = vf_exp_reduce(&n, vf_min(vf_max(x, vf_set(-20.0f)), vf_set(89.0f)));
    const vf half = vf_power_of_two(n - 1); /* half of 2^n, which may leave the range of floats */
    return 2.0f * (half * y + (half - 0.5f));
}

/* 1 / (1 + exp(-x)) to 2.5 ulp; 0 where that is below 2^-127.5 */
FK_INLINE vf vf_sigmoid(vf x) { return 1.0f / (1.0f + vf_exp_fast(-x)); }

/* tanh(x) = sign(x) e / (e + 2)    with e = exp(2|x|) - 1, to 2.7 ulp; exactly 1 from |x| = 9.02 on */
FK_INLINE vf vf_tanh(vf x)
{
    vi n;
    const vf y = vf_exp_reduce(&n, 2.0f * vf_min(vf_abs(x), vf_set(10.0f)));
    const vf power = vf_power_of_two(n);
    const vf e = power * y + (power - 1.0f);
    return vf_with_sign(e / (e + 2.0f), x);
}

/* log(2^e (1 + f)) with sqrt(1/2) <= 1 + f < sqrt(2), to 1 ulp:
 *     log(1 + f) = 2 artanh(s) = f - f^2/2 + s (f^2/2 + R(s^2))    with s = f / (2 + f)
 * (P. T. P. Tang, ACM Transactions on Mathematical Software 16(4), 1990, explains such reductions). */
FK_INLINE vf vf_log_parts(vf e, vf f)
{
    const vf s = f / (2.0f + f), z = s * s, half_square = 0.5f * f * f;
    const vf R = ((0.29873073f * z + 0.39977497f) * z + 0.66666776f) * z;
    return e * 0.693359375f + (f - (half_square - (s * (half_square + R) - e * 2.12194440e-4f)));
}

/* log(x) to 1 ulp, denormal x included; -infinity for 0, NaN for x < 0 */
FK_INLINE vf vf_log(vf x)
{
    const vi denormal = x < 0x1p-126f;
    const vi bits = (vi)vf_abs(vf_select(denormal, x * 0x1p23f, x));
    const vi e = (bits - 0x3f3504f3) >> 23; /* 0x3f3504f3 is sqrt(1/2) */
    const vf m = (vf)(bits - (e << 23));
    const vf y = vf_log_parts(vf_from_int(e - (denormal & 23)), m - 1.0f);
    const vf limit = vf_select(x == 0.0f, vf_set(-INFINITY), vf_select(x < 0.0f, vf_set(NAN), x));
    return vf_select((x > 0.0f) & (x < INFINITY), y, limit);
}

/* log(1 + x) to 1.4 ulp: what rounding took from 1 + x is added to the mantissa. */
FK_INLINE vf vf_log1p(vf x)
{
    const vf u = 1.0f + x, lost = x - (u - 1.0f);
    const vi bits = (vi)vf_abs(u), e = (bits - 0x3f3504f3) >> 23;
    const vf m = (vf)(bits - (e << 23));
    const vf y = vf_log_parts(vf_from_int(e), (m - 1.0f) + lost * vf_power_of_two(1 - e) * 0.5f);
    const vf limit = vf_select(x == -1.0f, vf_set(-INFINITY), vf_select(x < -1.0f, vf_set(NAN), x));
    return vf_select((x > -1.0f) & (x < INFINITY), y, limit);
}

/* erf(x) = sign(x) (1 - exp(-|x| S(|x|)))    with the smooth S(t) = -log(1 - erf(t)) / t, to 3.2 ulp */
FK_INLINE vf vf_erf(vf x)
{
    const vf t = vf_min(vf_abs(x), vf_set(4.0f));
    vf S = -9.270859e-6f * t + 1.1777717e-4f;
    S = S * t - 6.3334446e-4f;
    S = S * t + 1.6680062e-3f;
    S = S * t - 1.6144033e-4f;
    S = S * t - 1.9152451e-2f;
    S = S * t + 0.102777645f;
    S = S * t + 0.6366194f;
    S = S * t + 1.1283792f;
    return vf_with_sign(vf_abs(vf_expm1(-t * S)), x);
}

#endif
