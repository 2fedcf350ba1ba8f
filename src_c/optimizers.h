/* optimizers.h: one step of gradient descent over a span of parameters, in one pass through memory.
 *
 * A model's parameters p lie in one flat array and their gradients g in another, so a model is one call. Each
 * step reads g and leaves it zero, ready for the next batch to add to. In the formulas
 *
 *     d = min(max(scale g, -clip), clip)      the gradient as the step sees it
 *     r = learning_rate
 *     p -= decay p r                          decoupled weight decay, before anything else
 *
 * scale undoes what the gradient was multiplied by, or clips it by its global norm; clip is infinity for
 * none, decay 0 for none. Every array is (n); where NULL is allowed it switches off what needs the array. The
 * formulas, and where epsilon stands in them, are those of keras.optimizers. Numbers that are subtracted
 * from 1 are double, since 1 - 0.999 in float32 is off by 1.3e-5 of its value.
 */
#ifndef FK_OPTIMIZERS_H
#define FK_OPTIMIZERS_H

#include "fk.h"

typedef struct {
    float learning_rate;
    float scale;
    float clip;
    float decay;
} fk_optimizer_step;

/* m is NULL:        p -= r d
 * otherwise:        m = momentum m - r d     p += m
 *   if nesterov:    m = momentum m - r d     p += momentum m - r d
 * p, m +=   g = 0
 * Nesterov: Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum". */
void fk_optimizer_sgd(float *p, float *m, float *g, fk_optimizer_step step, float momentum, int nesterov,
                      fk_index n);

/* v = rho v + (1 - rho) d^2
 * a is NULL:                                  u = r d / sqrt(v + epsilon)
 * otherwise:    a = rho a + (1 - rho) d       u = r d / sqrt(v - a^2 + epsilon)
 * m is NULL:                                  p -= u
 * otherwise:    m = momentum m + u            p -= m
 * p, v, m, a +=   g = 0
 * Hinton 2012, "Neural networks for machine learning", lecture 6; with a: Graves 2013, arXiv:1308.0850. */
void fk_optimizer_rmsprop(float *p, float *v, float *m, float *a, float *g, fk_optimizer_step step,
                          double rho, float momentum, float epsilon, fk_index n);

/* m += (1 - beta_1) (d - m)     v += (1 - beta_2) (d^2 - v)
 * alpha = r sqrt(1 - beta_2^t) / (1 - beta_1^t)      t = 1 in the first step
 * v_max is NULL:                              p -= alpha m / (sqrt(v) + epsilon)
 * otherwise:    v_max = max(v_max, v)         p -= alpha m / (sqrt(v_max) + epsilon)
 * p, m, v, v_max +=   g = 0
 * alpha is computed in float32, as TensorFlow does: at t = 1 its rounding is 6e-6 of the change of p.
 * Kingma, Ba 2014, arXiv:1412.6980, section 2; with v_max: Reddi, Kale, Kumar 2018, arXiv:1904.09237. */
void fk_optimizer_adam(float *p, float *m, float *v, float *v_max, float *g, fk_optimizer_step step,
                       double beta_1, double beta_2, float epsilon, fk_index t, fk_index n);

/* v += d^2     p -= r d / sqrt(v + epsilon)
 * p, v +=   g = 0
 * Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization",
 * Journal of Machine Learning Research 12, the diagonal update. */
void fk_optimizer_adagrad(float *p, float *v, float *g, fk_optimizer_step step, float epsilon, fk_index n);

/* m += (1 - beta_1) (d - m)     v += (1 - beta_2) (d^2 - v)
 * u_t = beta_1 (1 - 0.96^t / 2)     U_t = u_1 u_2 ... u_t      t = 1 in the first step
 * p -= r (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) d / (1 - U_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)
 * p, m, v +=   g = 0
 * The betas are float, as Keras has them here: v and 1 - beta_2^t are off by the same factor, which cancels.
 * Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2. */
void fk_optimizer_nadam(float *p, float *m, float *v, float *g, fk_optimizer_step step, float beta_1,
                        float beta_2, float epsilon, fk_index t, fk_index n);

/* U_t = u_1 u_2 ... u_t with u_k = beta_1 (1 - 0.96^k / 2), to 1e-7 of it; 1 for t = 0 */
double fk_optimizer_nadam_momentum_product(double beta_1, fk_index t);

/* m += (1 - beta_1) (d - m)     u = max(beta_2 u, |d|)
 * p -= r / (1 - beta_1^t) m / (u + epsilon)          t = 1 in the first step
 * p, m, u +=   g = 0
 * Kingma, Ba 2014, arXiv:1412.6980, section 7.1. */
void fk_optimizer_adamax(float *p, float *m, float *u, float *g, fk_optimizer_step step, double beta_1,
                         float beta_2, float epsilon, fk_index t, fk_index n);

/* v = rho v + (1 - rho) d^2     u = sqrt(x + epsilon) / sqrt(v + epsilon) d
 * x = rho x + (1 - rho) u^2     p -= r u
 * p, v, x +=   g = 0
 * Zeiler 2012, arXiv:1212.5701, algorithm 1, where r = 1. */
void fk_optimizer_adadelta(float *p, float *v, float *x, float *g, fk_optimizer_step step, double rho,
                           float epsilon, fk_index n);

/* p -= r sign(beta_1 m + (1 - beta_1) d)     m = beta_2 m + (1 - beta_2) d     sign(0) = 0
 * p, m +=   g = 0
 * The betas are float, as Keras has them here.
 * Chen et al. 2023, arXiv:2302.06675, algorithm 2. */
void fk_optimizer_lion(float *p, float *m, float *g, fk_optimizer_step step, float beta_1, float beta_2,
                       fk_index n);

/* How Ftrl holds weights down: its arguments in Keras, but for the exponent, which is -learning_rate_power. */
typedef struct {
    float exponent;
    float l1;
    float l2;
    float shrinkage;
    float beta;
} fk_ftrl_numbers;

/* v' = v + d^2     z += d + 2 shrinkage p - (v'^exponent - v^exponent) / r p     v = v'
 * p = (min(max(z, -l1), l1) - z) / ((v^exponent + beta) / r + 2 l2)
 * p, v, z +=   g = 0
 * McMahan et al. 2013, "Ad click prediction: a view from the trenches", KDD, algorithm 1. */
void fk_optimizer_ftrl(float *p, float *v, float *z, float *g, fk_optimizer_step step, fk_ftrl_numbers c,
                       fk_index n);

/* a = momentum a + (1 - momentum) p    a, p (n): the moving average of the parameters */
void fk_optimizer_average(float *a, const float *p, float momentum, fk_index n);

/* sum of g_i^2    g (n); added in double, in an order that depends on n alone */
double fk_optimizer_square_sum(const float *g, fk_index n);

/* g_k *= limit / ||g_k|| where ||g_k|| > limit    g_k: elements offsets[k] to offsets[k + 1] of g, variable k
 * g (offsets[variables]) =   offsets (variables + 1) */
void fk_optimizer_clip_norms(float *g, const int64_t *offsets, float limit, fk_index variables);

#endif
