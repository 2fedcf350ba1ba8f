#include "dense.h"

#include "elementwise.h"
#include "gemm.h"
#include "threads.h"

#define GRAIN (64 * 1024)

static const fk_activation linear = {FK_LINEAR, 0, 0, 0};

fk_index fk_dense_scratch(fk_index B, fk_index D, fk_index U)
{
    const fk_index forward = fk_gemm_scratch(FK_GEMM_NN, B, U, D);
    const fk_index to_x = fk_gemm_scratch(FK_GEMM_NT, B, D, U);
    const fk_index to_W = fk_gemm_scratch(FK_GEMM_TN, D, U, B);
    return fk_max(forward, fk_max(to_x, to_W));
}

void fk_dense_forward(float *y, float *z, const float *x, const float *W, const float *b, fk_activation f,
                      float *scratch, fk_index B, fk_index D, fk_index U)
{
    if (z == NULL && !fk_activation_is_rowwise(f.kind)) {
        fk_gemm(y, x, W, b, f, FK_GEMM_NN, scratch, B, U, D);
        return;
    }
    float *sum = z == NULL ? y : z;
    fk_gemm(sum, x, W, b, linear, FK_GEMM_NN, scratch, B, U, D);
    fk_activation_forward(y, sum, f, B, U);
}

void fk_column_sums_add(float *db, const float *dz, fk_index dz_row, fk_index B, fk_index U)
{
    FK_FOR_SHARES(u, last, U, FK_VL, fk_threads_for(B * U, GRAIN),
                  fk_add_rows(db + u, dz + u, dz_row, last - u, B));
}

void fk_dense_backward(float *dx, float *dW, float *db, float *dz, const float *dy, const float *x, const float *W,
                       const float *y, const float *z, fk_activation f, float *scratch, fk_index B, fk_index D,
                       fk_index U)
{
    /* forward: y = f(z) */
    if (f.kind != FK_LINEAR) {
        fk_activation_backward(dz, dy, z, y, f, B, U);
        dy = dz;
    }
    /* forward: z = x W + b */
    if (dx != NULL)
        fk_gemm(dx, dy, W, NULL, linear, FK_GEMM_NT, scratch, B, D, U);
    if (dW != NULL)
        fk_gemm_add(dW, x, dy, FK_GEMM_TN, scratch, D, U, B);
    if (db != NULL)
        fk_column_sums_add(db, dy, U, B, U);
}
