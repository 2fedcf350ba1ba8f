/* losses.h: how far predictions are from their targets, and the gradient of that, in one pass.
 *
 * A row of D predictions y and its target t give one value, with the formulas of keras.losses:
 *     mean squared error           1/D sum_d (y_d - t_d)^2
 *     mean absolute error          1/D sum_d |y_d - t_d|
 *     mean absolute percentage     100/D sum_d |y_d - t_d| / max(|t_d|, e)    with e = 1e-7
 *     mean squared logarithmic     1/D sum_d (log(1 + max(y_d, e)) - log(1 + max(t_d, e)))^2
 *     Huber                        1/D sum_d  x^2 / 2 if |x| <= delta, else delta |x| - delta^2 / 2
 *                                  with x = y_d - t_d
 *     log cosh                     1/D sum_d log(cosh(y_d - t_d))
 *     Poisson                      1/D sum_d y_d - t_d log(y_d + e)
 *     Kullback-Leibler             sum_d t_d log(t_d / y_d)    with t and y clipped to [e, 1]
 *     hinge                        1/D sum_d max(1 - t_d y_d, 0)      squared hinge: the squares of the same
 *     categorical hinge            max(max_d (1 - t_d) y_d - sum_d t_d y_d + 1, 0)
 *     cosine similarity            -sum_d t_d y_d / (|t| |y|)    with each length at least e
 *     binary crossentropy          1/D sum_d -(t_d log p_d + (1 - t_d) log(1 - p_d))
 *     binary focal                 1/D sum_d a_d w_d^gamma times the same    w = t (1 - p) + (1 - t) p
 *     categorical crossentropy     sum_d -t_d log p_d
 *     categorical focal            sum_d -t_d alpha (1 - p_d)^gamma log p_d
 *     sparse categorical           -log p_k    with the class k as target instead of the row t
 *
 * Hinge and squared hinge take targets of -1 and 1; if all in the batch are 0 or 1, 2 t - 1 stands for t. In
 * binary focal, a = t alpha + (1 - t)(1 - alpha) if classes are balanced, else 1 (T.-Y. Lin et al., "Focal Loss
 * for Dense Object Detection", ICCV 2017). Of equal largest terms in the categorical hinge each has an equal part
 * of the gradient.
 *
 * NaN among a row's predictions makes its value NaN, and the gradient there NaN too, but for hinge, whose slope
 * is 0 there as in Keras.
 *
 * The crossentropies take probabilities or logits. Logits z mean p = sigmoid(z) (binary) or p = softmax(z),
 * written so that nothing overflows:
 *     binary          max(z, 0) - t z + log(1 + exp(-|z|))           gradient  p - t
 *     categorical     sum_d t_d (log(sum_j exp(z_j)) - z_d)          gradient  p - t
 * p - t is the gradient of the latter if t sums to 1; as in TensorFlow, it is used for any t.
 * Probabilities are clipped to [1e-7, 1 - 1e-7], and have no gradient outside:
 *     binary          p = clip(y)
 *     categorical     p = clip(y / sum(y))
 *     sparse          p = clip(y) / sum(clip(y))
 *
 * From logits, binary focal is not clipped either, and the focal losses have the gradient of their formula.
 *
 * Label smoothing s in [0, 1] replaces t by (1 - s) t + s / 2 (binary) or (1 - s) t + s / D (categorical).
 */
#ifndef FK_LOSSES_H
#define FK_LOSSES_H

#include "fk.h"

typedef enum {
    FK_MEAN_SQUARED_ERROR,
    FK_MEAN_ABSOLUTE_ERROR,
    FK_BINARY_CROSSENTROPY,
    FK_CATEGORICAL_CROSSENTROPY,
    FK_SPARSE_CATEGORICAL_CROSSENTROPY,
    FK_MEAN_ABSOLUTE_PERCENTAGE_ERROR,
    FK_MEAN_SQUARED_LOGARITHMIC_ERROR,
    FK_HUBER,
    FK_LOG_COSH,
    FK_POISSON,
    FK_KL_DIVERGENCE,
    FK_HINGE,
    FK_SQUARED_HINGE,
    FK_CATEGORICAL_HINGE,
    FK_COSINE_SIMILARITY,
    FK_BINARY_FOCAL_CROSSENTROPY,
    FK_CATEGORICAL_FOCAL_CROSSENTROPY
} fk_loss_kind;

typedef struct {
    int kind;
    int from_logits; /* 1 if the predictions of a crossentropy are logits */
    int balanced;    /* 1 if binary focal weighs the classes by alpha */
    float smoothing; /* s; 0 for none */
    float delta, alpha, gamma;
} fk_loss;

/* values_n = loss(y_n, t_n)                  values (N) =
 * dy_n     = scale w_n d(values_n)/d(y_n)    dy (N, D) =, or NULL to evaluate only; may be y
 * p_n      = sigmoid or softmax of y_n       p (N, D) =, or NULL; only from logits, and not of
 *                                            the focal losses; may be y if dy is not
 * *total   = sum_n w_n values_n
 * y (N, D)   t (N, D), or for the sparse kind labels (N), the other being NULL   w (N), or NULL for ones
 *
 * A label outside [0, D) gives FK_BAD_INDEX and its place in *bad, and nothing else is written. */
fk_status fk_loss_forward(double *total, float *values, float *dy, float *p, fk_index *bad, const float *y,
                          const float *t, const int32_t *labels, const float *w, float scale, fk_loss loss,
                          fk_index N, fk_index D);

#endif
