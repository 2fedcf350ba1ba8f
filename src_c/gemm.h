/* gemm.h: the matrix product that dense layers, recurrent layers and convolutions are made of.
 *
 *     C = f(op(A) op(B) + bias)        or        C += op(A) op(B)
 *     op(A) (M, K)   op(B) (K, N)   C (M, N)   bias (N) or NULL   f: elementwise activation
 *
 * The bits of an element of C depend on its row of op(A), its column of op(B) and K, and on nothing else: not on
 * M, N, the form, the tile it falls in, whether A or B were packed, or the number of threads. Its sum is cut into
 * equal blocks of at most 512 products; a block starts at zero and adds its products in order, and is then added
 * to the bias, to C, or to the blocks before it. (Another instruction set may round otherwise.)
 */
#ifndef FK_GEMM_H
#define FK_GEMM_H

#include "activations.h"
#include "fk.h"

typedef enum {
    FK_GEMM_NN = 0, /* A (M, K)   B (K, N) */
    FK_GEMM_NT = 1, /* A (M, K)   B (N, K), transposed */
    FK_GEMM_TN = 2, /* A (K, M), transposed   B (K, N) */
    FK_GEMM_TT = 3  /* A (K, M), transposed   B (N, K), transposed */
} fk_gemm_form;

/* Both start threads of their own: they are for use outside parallel regions.
 *
 * C = f(op(A) op(B) + bias)   C (M, N) = */
void fk_gemm(float *C, const float *A, const float *B, const float *bias, fk_activation f, fk_gemm_form form,
             float *scratch, fk_index M, fk_index N, fk_index K);
/* C += op(A) op(B)            C (M, N) += */
void fk_gemm_add(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch, fk_index M,
                 fk_index N, fk_index K);
/* floats of scratch that either of them needs for these sizes at the present number of threads */
fk_index fk_gemm_scratch(fk_gemm_form form, fk_index M, fk_index N, fk_index K);

/* B packed once for many products (a recurrent layer's weights): fk_gemm_packed_size floats.
 * packed = op(B)   with op(B) (K, N): B (K, N), or (N, K) if `transposed`
 * From row to row of B are B_row floats: more than it is wide if some columns of a larger matrix are packed. */
fk_index fk_gemm_packed_size(fk_index N, fk_index K);
void fk_gemm_pack(float *packed, const float *B, fk_index B_row, int transposed, fk_index N, fk_index K);

/* Some rows of an array: row m lies at data + row*index[m], or at data + row*m if index is NULL. */
typedef struct {
    const float *data;
    const int32_t *index;
    fk_index row;
} fk_gemm_rows;

/* Rows that are read or written soon after a product. While it computes it asks the L2 cache for line after line of them,
 * as far as it comes. (The gradient of a recurrent layer's R, 120 x 480, from 9249 states whose dz lies in the L3
 * cache, 256 at a time: 1.1 times as fast.) */
typedef struct {
    const float *row;                /* the first row that is not wholly asked for */
    fk_index rows, columns, to_next; /* so many from there on; to_next floats apart */
    fk_index asked;                  /* floats of that row that are asked for */
} fk_gemm_ahead;

/* C_m = from_m + A_m op(B)    one thread, for use inside a parallel region; no scratch
 *     C (M, N) =, from row to row of which are C_row floats    A: rows of K floats    from: rows of N floats
 * NULL for from.data means zero, and `from` may be C: C += A op(B). ahead: or NULL.
 * A recurrent layer's z_s = P_token(s) + h_parent(s) R is one call a time step. The bits are those of fk_gemm. */
void fk_gemm_packed(float *C, fk_index C_row, fk_gemm_rows A, fk_gemm_rows from, const float *packed,
                    fk_gemm_ahead *ahead, fk_index M, fk_index N, fk_index K);

/* The same for A whose rows lie in `taps` pieces of `depth` floats, each A_step from the next, and for at most
 * FK_GEMM_DEPTH = taps*depth products:
 *     C_m = from_m + sum_g sum_l A_m[tap[g] + l*A_step] B[g*depth + l]
 * packed: fk_gemm_pack of B (taps*depth, N). A convolution reads its windows so, without copying them. */
#define FK_GEMM_DEPTH 512
void fk_gemm_packed_taps(float *C, fk_index C_row, fk_gemm_rows A, fk_index A_step, const fk_index *tap,
                         fk_index taps, fk_index depth, fk_gemm_rows from, const float *packed,
                         fk_gemm_ahead *ahead, fk_index M, fk_index N);

/* C = op(A) op(B) + bias, element by element as the formula stands: what the tests hold fk_gemm against */
void fk_gemm_naive(float *C, const float *A, const float *B, const float *bias, fk_gemm_form form, fk_index M,
                   fk_index N, fk_index K);

#endif
