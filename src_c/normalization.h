/* normalization.h: batch and layer normalization of rows x (N, C).
 *
 *     xhat = (x - mean) / sqrt(variance + epsilon)      y = gamma xhat + beta
 *
 * Batch normalization takes mean and variance of each column (Ioffe and Szegedy 2015), layer normalization of each
 * row (Ba, Kiros and Hinton 2016). gamma and beta (C), or NULL for ones and zeros, belong to columns in both.
 *
 * Sums over columns are those of blocks of FK_NORM_BLOCK rows, added in order: the same for any number of threads.
 */
#ifndef FK_NORMALIZATION_H
#define FK_NORMALIZATION_H

#include "fk.h"

#define FK_NORM_BLOCK 256

/* floats of scratch for all that take any */
fk_index fk_norm_scratch(fk_index N, fk_index C);

/* mean_c = sum_n w_n x_nc / M      variance_c = sum_n w_n (x_nc - mean_c)^2 / M        mean, variance (C) =
 * w: the mask (N), 0 or 1, or NULL for ones      M: the count of ones, plus Keras's 1e-7 if there is a mask */
void fk_batch_norm_moments(float *mean, float *variance, const float *x, const uint8_t *mask, float *scratch,
                           fk_index N, fk_index C);
/* y =, given mean and variance (C)    y, x (N, C) */
void fk_batch_norm_apply(float *y, const float *x, const float *mean, const float *variance, const float *gamma,
                         const float *beta, float epsilon, float *scratch, fk_index N, fk_index C);
/* dgamma += sum_n xhat_n dy_n      dbeta += sum_n dy_n          dgamma, dbeta (C) +=, or NULL
 * dx_n = gamma / sqrt(variance + epsilon) (dy_n - w_n (dbeta + xhat_n dgamma) / M)      dx (N, C) =, or NULL
 * where dgamma and dbeta are this batch's
 * fixed: mean and variance do not depend on x, so the bracket is dy_n */
void fk_batch_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x,
                            const float *mean, const float *variance, const float *gamma, const uint8_t *mask,
                            int fixed, float epsilon, float *scratch, fk_index N, fk_index C);

/* y =    xhat (N, C) =, kept for the backward pass    rstd (N) = 1 / sqrt(variance + epsilon) */
void fk_layer_norm_forward(float *y, float *xhat, float *rstd, const float *x, const float *gamma,
                           const float *beta, float epsilon, fk_index N, fk_index C);
/* dgamma, dbeta += as above
 * dx_n = rstd_n (g - mean(g) - xhat_n mean(g xhat_n))      with g = gamma dy_n          dx (N, C) =, or NULL */
void fk_layer_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy, const float *xhat,
                            const float *rstd, const float *gamma, float *scratch, fk_index N, fk_index C);

/* Rows of length one:  y_n = r_n x_n    with r_n = min(1 / |x_n|, largest)
 * y (N, C) =; y may be x    r (N) =, kept for the backward pass */
void fk_unit_norm_forward(float *y, float *r, const float *x, float largest, fk_index N, fk_index C);
/* dx_n = r_n (dy_n - y_n (y_n . dy_n)), or r_n dy_n where r_n is the largest      dx (N, C) =; dx may be dy */
void fk_unit_norm_backward(float *dx, const float *dy, const float *y, const float *r, float largest, fk_index N,
                           fk_index C);

#endif
