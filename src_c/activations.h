/* activations.h: y = f(x), elementwise or over rows, and dx = f'(x) dy.
 *
 * The kinds and their formulas follow keras.activations; a, b and c are the numbers of those that take any.
 */
#ifndef FK_ACTIVATIONS_H
#define FK_ACTIVATIONS_H

#include "fk.h"

typedef enum {
    /* elementwise */
    FK_LINEAR = 0,  /* x */
    FK_RELU = 1,    /* max(x, 0) */
    FK_SIGMOID = 2, /* 1 / (1 + exp(-x)) */
    FK_TANH = 3,    /* tanh(x) */
    /* over each row */
    FK_SOFTMAX = 4,     /* exp(x_i) / sum_j exp(x_j) */
    FK_LOG_SOFTMAX = 5, /* x_i - log(sum_j exp(x_j)) */
    FK_SPARSEMAX = 6,   /* max(x_i - tau, 0), tau such that they sum to 1: the nearest distribution to x
                         * (Martins and Astudillo, From Softmax to Sparsemax, 2016) */
    /* elementwise again */
    FK_GENERAL_RELU, /* x > c: x, and if b is finite clipped to [0, b];  else a (x - c) */
    FK_LEAKY_RELU,   /* x > 0: x;  else a x */
    FK_RELU6,        /* min(max(x, 0), 6) */
    FK_ELU,          /* x > 0: x;  else a (exp(x) - 1);  a >= 0  (Clevert et al., 2015) */
    FK_SELU,         /* 1.0507... elu(x) with a = 1.6732...  (Klambauer et al., 2017) */
    FK_CELU,         /* max(x, 0) + a (exp(min(x, 0) / a) - 1);  a > 0  (Barron, 2017) */
    FK_GELU,         /* x P(X <= x) = x (1 + erf(x / sqrt(2))) / 2, X being normal  (Hendrycks and Gimpel, 2016) */
    FK_GELU_TANH,    /* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which approximates it */
    FK_SILU,         /* x sigmoid(x)  (Ramachandran et al., Searching for Activation Functions, 2017) */
    FK_HARD_SILU,    /* x hard_sigmoid(x)  (Howard et al., Searching for MobileNetV3, 2019) */
    FK_MISH,         /* x tanh(softplus(x))  (Misra, 2019) */
    FK_SOFTPLUS,     /* log(1 + exp(x)) */
    FK_SOFTSIGN,     /* x / (1 + |x|) */
    FK_HARD_SIGMOID, /* min(max(x + 3, 0), 6) / 6 */
    FK_LEGACY_HARD_SIGMOID, /* min(max(0.2 x + 0.5, 0), 1), which Keras 1 and 2 call hard_sigmoid */
    FK_LOG_SIGMOID,  /* -log(1 + exp(-x)) */
    FK_TANH_SHRINK,  /* x - tanh(x) */
    FK_HARD_TANH,    /* min(max(x, -1), 1) */
    FK_HARD_SHRINK,  /* |x| > a: x;  else 0;  a >= 0 */
    FK_SOFT_SHRINK,  /* x > a: x - a;  x < -a: x + a;  else 0;  a >= 0 */
    FK_THRESHOLD,    /* x > a: x;  else b */
    FK_SPARSE_PLUS,  /* x <= -1: 0;  x < 1: (x + 1)^2 / 4;  else x */
    FK_SPARSE_SIGMOID, /* min(max((x + 1) / 2, 0), 1) (Blondel et al., Learning with Fenchel-Young Losses, 2019) */
    FK_SQUAREPLUS,   /* (x + sqrt(x^2 + a)) / 2  (Barron, 2021) */
    FK_EXPONENTIAL   /* exp(x) */
} fk_activation_kind;

typedef struct {
    int kind;
    float a, b, c;
} fk_activation;

/* 1 if f looks at a whole row, 0 if it is elementwise */
int fk_activation_is_rowwise(int kind);
/* 1 if the backward pass needs x, 0 if y is enough */
int fk_activation_needs_x(int kind);

/* y = f(x)    x, y (n) =;  elementwise kinds only, one thread; y may be x */
void fk_activation_span(float *y, const float *x, fk_activation f, fk_index n);
/* dx = f'(x) dy   with f' written in y, or in x for the kinds that need it (x may be NULL otherwise);
 *                 elementwise kinds only, one thread; dx may be dy, x or y */
void fk_activation_span_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                                 fk_index n);

/* y = f(x)    x, y (M, N) =;  any kind, over threads; y may be x */
void fk_activation_forward(float *y, const float *x, fk_activation f, fk_index M, fk_index N);
/* dx = f'(x) dy    dx, dy, x, y (M, N) =;  any kind, over threads; dx may be dy */
void fk_activation_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                            fk_index M, fk_index N);

/* The gated linear unit, which halves the row (Dauphin et al., 2016).
 * y_n = x_n sigmoid(x_{N+n})    y (M, N) =   x (M, 2N) */
void fk_glu_forward(float *y, const float *x, fk_index M, fk_index N);
/* dx_n = sigmoid(x_{N+n}) dy_n    dx_{N+n} = x_n sigmoid'(x_{N+n}) dy_n
 * dx (M, 2N) =   dy (M, N)   x (M, 2N) */
void fk_glu_backward(float *dx, const float *dy, const float *x, fk_index M, fk_index N);

#endif
