/* elementwise.h: y_i from a_i and b_i, where y may be a or b, and sums of rows; one thread, for any alignment. */
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

/* sums_k += sum_j x_jk for `width` <= 8 FK_VL columns: their sums stay in registers while the rows stream by.
 * The rows are x_row floats apart. */
FK_INLINE void fk_add_stripe(float *sums, const float *x, fk_index x_row, fk_index width, fk_index rows)
{
    vf sum[8];
    for (fk_index v = 0; v * FK_VL < width; v++)
        sum[v] = vf_load_first(sums + v * FK_VL, width - v * FK_VL, 0.0f);
    for (fk_index j = 0; j < rows; j++)
        for (fk_index v = 0; v * FK_VL < width; v++)
            sum[v] += vf_load_first(x + j * x_row + v * FK_VL, width - v * FK_VL, 0.0f);
    for (fk_index v = 0; v * FK_VL < width; v++)
        vf_store_first(sums + v * FK_VL, sum[v], width - v * FK_VL);
}

/* The same for any number of columns. */
FK_INLINE void fk_add_rows(float *sums, const float *x, fk_index x_row, fk_index columns, fk_index rows)
{
    fk_index k = 0;
    for (; k + 8 * FK_VL <= columns; k += 8 * FK_VL)
        fk_add_stripe(sums + k, x + k, x_row, 8 * FK_VL, rows);
    for (; k + 4 * FK_VL <= columns; k += 4 * FK_VL)
        fk_add_stripe(sums + k, x + k, x_row, 4 * FK_VL, rows);
    for (; k < columns; k += FK_VL)
        fk_add_stripe(sums + k, x + k, x_row, fk_min(FK_VL, columns - k), rows);
}

#endif
