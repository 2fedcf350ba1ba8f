/* activations.h: y = f(x), elementwise or over rows, and dx = f'(x) dy.
 *
 * The kinds and their formulas follow keras.activations; a, b and c are the numbers of those that take any.
 */
#ifndef FK_ACTIVATIONS_H
#define FK_ACTIVATIONS_H

#include "fk.h"

typedef enum {
    FK_LINEAR = 0,    /* x */
    FK_RELU = 1,      /* max(x, 0) */
    FK_SIGMOID = 2,   /* 1 / (1 + exp(-x)) */
    FK_TANH = 3,      /* tanh(x) */
    FK_SOFTMAX = 4    /* exp(x_i) / sum_j exp(x_j), over each row */
} fk_activation_kind;

typedef struct {
    int kind;
    float a, b, c;
} fk_activation;

/* 1 if f looks at a whole row (softmax), 0 if it is elementwise */
int fk_activation_is_rowwise(int kind);
/* 1 if the backward pass needs x, 0 if y is enough */
int fk_activation_needs_x(int kind);

/* y = f(x)    x, y (n) =;  elementwise kinds only, one thread; y may be x */
void fk_activation_span(float *y, const float *x, fk_activation f, fk_index n);
/* dx = f'(x) dy   with f' written in y, or in x for the kinds that need it (x may be NULL otherwise);
 *                 elementwise kinds only, one thread; dx may be dy */
void fk_activation_span_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                                 fk_index n);

/* y = f(x)    x, y (M, N) =;  any kind, over threads; y may be x */
void fk_activation_forward(float *y, const float *x, fk_activation f, fk_index M, fk_index N);
/* dx = f'(x) dy    dx, dy, x, y (M, N) =;  any kind, over threads; dx may be dy */
void fk_activation_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                            fk_index M, fk_index N);

#endif
