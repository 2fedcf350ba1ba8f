/* gemm_tile.h: the innermost piece of gemm.c: one tile of C, summed in registers.
 *
 *     C_ij = from_ij + sum_k A_ik B_kj        i < rows <= MR,  j < columns <= NR,  k < K in increasing order
 *
 * k runs through `taps` pieces of `depth` products:
 * A goes on elsewhere at each, as under the window of a convolution.
 *
 * All products of the library go through sum_tile, whatever their form, size and packing, which is why the bits of
 * an element do not depend on them: the sum starts at zero, adds its products one by one (fused, where the machine
 * can), and is added to `from` at the end.
 */
#ifndef FK_GEMM_TILE_H
#define FK_GEMM_TILE_H

#include "fk.h"
#include "simd.h"

/* MR x NV sums, NV vectors of B and an element of A, broadcast, fill the vector registers: 32 of them with AVX-512
 * and on Arm, 16 elsewhere. */
#if FK_VL == 16
#define MR 14
#elif defined(__aarch64__)
#define MR 12
#else
#define MR 6
#endif
#define NV 2
#define NR (NV * FK_VL)

typedef struct {
    float *C;                 /* C_ij = C[i*C_row + j] */
    const float *const *from; /* from_ij = from[i][from_column + j], or zero if NULL */
    const float *const *A;    /* A_ik = A[i][tap[g] + l*A_step]    for k = g*depth + l */
    const float *B;           /* B_kj = B[k*B_row + j], readable up to a whole number of vectors */
    const fk_index *tap;      /* NULL: zero */
    fk_index C_row, from_column, A_step, B_row;
    fk_index rows, columns, taps, depth;
} tile;

/* C_i = from_i + sum for one row of a tile */
FK_INLINE void store_row(const tile *t, fk_index i, const vf sum[NV], const int vectors)
{
    static const float zeros[NR];
    const float *from = t->from ? t->from[i] + t->from_column : zeros;
    float *C = t->C + i * t->C_row;
    for (int v = 0; v < vectors; v++) {
        const fk_index n = t->columns - v * FK_VL;
        if (v < vectors - 1 || n == FK_VL)
            vf_store(C + v * FK_VL, vf_load(from + v * FK_VL) + sum[v]);
        else
            vf_store_n(C + v * FK_VL, vf_load_n(from + v * FK_VL, n) + sum[v], n);
    }
}

/* Inlined with constant `rows` and `vectors`, so that the loops over them unroll and `sum` stays in registers. */
FK_INLINE void sum_tile(const tile *t, const int rows, const int vectors)
{
    const fk_index depth = t->depth, A_step = t->A_step, B_row = t->B_row;
    const float *B = t->B;
    vf sum[MR][NV];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        for (int v = 0; v < vectors; v++) {
            sum[i][v] = vf_set(0.0f);
            /* C is written at the end; its cache lines come meanwhile (32000 x 384 x 100: 1.1 times as fast) */
            __builtin_prefetch(t->C + i * t->C_row + v * FK_VL + FK_VL - 1, 1);
            /* and so may `from`, which a recurrent layer takes from anywhere */
            if (t->from)
                __builtin_prefetch(t->from[i] + t->from_column + v * FK_VL + FK_VL - 1);
        }
    }
    for (fk_index g = 0; g < t->taps; g++, B += depth * B_row) {
        const float *A[MR];
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
            A[i] = t->A[i] + (t->tap ? t->tap[g] : 0);
        for (fk_index k = 0; k < depth; k++) {
            vf B_k[NV];
            for (int v = 0; v < vectors; v++)
                B_k[v] = vf_keep(vf_load(B + k * B_row + v * FK_VL));
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) {
                const vf A_ik = vf_set(A[i][k * A_step]);
                for (int v = 0; v < vectors; v++)
                    sum[i][v] += A_ik * B_k[v];
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
        store_row(t, i, sum[i], vectors);
}

/* One copy of sum_tile for each number of rows: a tile at the edge does no more work than it has rows. */
FK_INLINE void sum_tile_rows(const tile *t, const int vectors)
{
    switch (t->rows) {
    case 1: sum_tile(t, 1, vectors); break;
    case 2: sum_tile(t, 2, vectors); break;
    case 3: sum_tile(t, 3, vectors); break;
    case 4: sum_tile(t, 4, vectors); break;
    case 5: sum_tile(t, 5, vectors); break;
    case 6: sum_tile(t, 6, vectors); break;
#if MR > 6
    case 7: sum_tile(t, 7, vectors); break;
    case 8: sum_tile(t, 8, vectors); break;
    case 9: sum_tile(t, 9, vectors); break;
    case 10: sum_tile(t, 10, vectors); break;
    case 11: sum_tile(t, 11, vectors); break;
    case 12: sum_tile(t, 12, vectors); break;
#endif
#if MR > 12
    case 13: sum_tile(t, 13, vectors); break;
    case 14: sum_tile(t, 14, vectors); break;
#endif
    }
}

static void compute_tile(const tile *t)
{
    if (t->columns > FK_VL)
        sum_tile_rows(t, 2);
    else
        sum_tile_rows(t, 1);
}

#endif
