#include "losses.h"

#include <math.h>

#include "rowwise.h"
#include "simd.h"
#include "threads.h"

#define GRAIN 8192 /* elements a thread must have to be worth waking */

#define EPSILON 1e-7f
#define LOG_2 0.69314718056f
#define ONE_LESS_EPSILON 0x1.fffffcp-1f /* 1 - 1e-7, rounded to float */

/* One call's arrays and numbers. */
typedef struct {
    float *values, *dy, *p;
    const float *y, *t;
    const int32_t *labels;
    const float *w;
    float scale;
    fk_loss loss;
    float keep, add; /* the target is taken as keep t + add */
    fk_index D;
} job;

/* scale w_n: what row n's derivatives are multiplied by */
FK_INLINE float row_factor(const job *j, fk_index n) { return j->w ? j->scale * j->w[n] : j->scale; }

/* The targets, smoothed, from element i on, `left` of them; zero in the others. */
FK_INLINE vf targets(const job *j, fk_index i, fk_index left)
{
    return vf_keep_first(j->keep * vf_load_first(j->t + i, left, 0.0f) + j->add, left);
}

FK_INLINE vf clip(vf y) { return vf_min(vf_max(y, vf_set(EPSILON)), vf_set(ONE_LESS_EPSILON)); }
/* 1 where clip passes a gradient on */
FK_INLINE vf clip_slope(vf y) { return vf_step((y >= EPSILON) & (y <= ONE_LESS_EPSILON)); }

/* --- elementwise: the value of one element, its derivative in *slope and, from logits, p --- */

typedef vf elementwise(vf *slope, vf *p, vf y, vf t, fk_loss loss);

/* x^exponent for x >= 0; 0^exponent is about 0 for a positive exponent, and 1 for none */
FK_INLINE vf power(vf x, float exponent) { return vf_exp(exponent * vf_log(vf_max(x, vf_set(1e-37f)))); }

FK_INLINE vf squared_error(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    *slope = 2.0f * (y - t);
    return (y - t) * (y - t);
}

FK_INLINE vf absolute_error(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    *slope = vf_sign(y - t);
    return vf_abs(y - t);
}

FK_INLINE vf percentage_error(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    const vf share = 100.0f / vf_max(vf_abs(t), vf_set(EPSILON));
    *slope = share * vf_sign(y - t);
    return share * vf_abs(y - t);
}

FK_INLINE vf squared_logarithmic_error(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    const vf y_kept = vf_max(y, vf_set(EPSILON)), t_kept = vf_max(t, vf_set(EPSILON));
    const vf x = vf_log1p(y_kept) - vf_log1p(t_kept);
    *slope = 2.0f * x / (1.0f + y_kept) * vf_step(y >= EPSILON);
    return x * x;
}

FK_INLINE vf huber(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p;
    const vf x = y - t, size = vf_abs(x);
    const vi small = size <= loss.delta;
    *slope = vf_select(small, x, loss.delta * vf_sign(x));
    return vf_select(small, 0.5f * x * x, loss.delta * size - 0.5f * loss.delta * loss.delta);
}

/* log(cosh(x)) = |x| + log(1 + exp(-2 |x|)) - log 2 */
FK_INLINE vf log_cosh(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    const vf x = y - t, size = vf_abs(x);
    *slope = vf_tanh(x);
    return size + vf_log1p(vf_exp_fast(-2.0f * size)) - LOG_2;
}

FK_INLINE vf poisson(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    *slope = 1.0f - t / (y + EPSILON);
    return y - t * vf_log(y + EPSILON);
}

FK_INLINE vf kl_divergence(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    const vf one = vf_set(1.0f), least = vf_set(EPSILON);
    const vf y_kept = vf_min(vf_max(y, least), one), t_kept = vf_min(vf_max(t, least), one);
    *slope = -t_kept / y_kept * vf_step((y >= EPSILON) & (y <= 1.0f));
    return t_kept * vf_log(t_kept / y_kept);
}

FK_INLINE vf hinge(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    const vf x = 1.0f - t * y;
    *slope = -t * vf_step(x >= 0.0f);
    return vf_max(x, vf_set(0.0f));
}

FK_INLINE vf squared_hinge(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    const vf x = hinge(slope, p, y, t, loss);
    *slope *= 2.0f * x;
    return x * x;
}

FK_INLINE vf binary_from_probabilities(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    (void)p, (void)loss;
    const vf c = clip(y);
    *slope = ((1.0f - t) / (1.0f - c) - t / c) * clip_slope(y);
    return -(t * vf_log(c) + (1.0f - t) * vf_log(1.0f - c));
}

FK_INLINE vf binary_from_logits(vf *slope, vf *p, vf z, vf t, fk_loss loss)
{
    (void)loss;
    *p = vf_sigmoid(z);
    *slope = *p - t;
    return vf_max(z, vf_set(0.0f)) - t * z + vf_log1p(vf_exp_fast(-vf_abs(z)));
}

/* L = a w^gamma c    c = the crossentropy of p,  w = t (1 - p) + (1 - t) p,  and from dc/dp, or dc/dz and dp/dz:
 * dL = a (w^gamma dc - gamma w^(gamma - 1) (2 t - 1) c dp) */
FK_INLINE vf focal(vf *slope, vf t, vf c, vf w, vf dp, fk_loss loss)
{
    const vf focus = power(w, loss.gamma);
    vf a = vf_set(1.0f);
    if (loss.balanced)
        a = t * loss.alpha + (1.0f - t) * (1.0f - loss.alpha);
    *slope = a * (focus * *slope - loss.gamma * power(w, loss.gamma - 1.0f) * (2.0f * t - 1.0f) * c * dp);
    return a * focus * c;
}

FK_INLINE vf binary_focal(vf *slope, vf *p, vf y, vf t, fk_loss loss)
{
    const vf c = binary_from_probabilities(slope, p, y, t, loss);
    return focal(slope, t, c, t * (1.0f - y) + (1.0f - t) * y, vf_set(1.0f), loss);
}

FK_INLINE vf binary_focal_from_logits(vf *slope, vf *p, vf z, vf t, fk_loss loss)
{
    const vf c = binary_from_logits(slope, p, z, t, loss), q = vf_sigmoid(-z); /* 1 - p */
    return focal(slope, t, c, t * q + (1.0f - t) * *p, *p * q, loss);
}

/* values_n = sum_d f(y_nd, t_nd) / parts */
FK_INLINE void sums(const job *j, fk_index begin, fk_index end, elementwise f, float parts)
{
    const fk_index D = j->D;
    vf slope, p = {0};
    for (fk_index n = begin; n < end; n++) {
        const float factor = row_factor(j, n) / parts;
        vf sum = vf_set(0.0f);
        for (fk_index d = 0; d < D; d += FK_VL) {
            const fk_index i = n * D + d, left = D - d;
            const vf y = vf_load_first(j->y + i, left, 0.0f);
            sum += vf_keep_first(f(&slope, &p, y, targets(j, i, left), j->loss), left);
            if (j->p)
                vf_store_first(j->p + i, p, left);
            if (j->dy)
                vf_store_first(j->dy + i, slope * factor, left);
        }
        j->values[n] = vf_sum(sum) / parts;
    }
}

/* The same for D = 1, where each element is its own mean: the rows are worked on as one vector. */
FK_INLINE void single(const job *j, fk_index begin, fk_index end, elementwise f)
{
    vf slope, p = {0};
    for (fk_index n = begin; n < end; n += FK_VL) {
        const fk_index left = end - n;
        const vf y = vf_load_first(j->y + n, left, 0.0f);
        const vf w = j->w ? vf_load_first(j->w + n, left, 0.0f) : vf_set(1.0f);
        vf_store_first(j->values + n, f(&slope, &p, y, targets(j, n, left), j->loss), left);
        if (j->p)
            vf_store_first(j->p + n, p, left);
        if (j->dy)
            vf_store_first(j->dy + n, slope * (j->scale * w), left);
    }
}

FK_INLINE void rows_elementwise(const job *j, fk_index begin, fk_index end, elementwise f)
{
    if (j->D == 1)
        single(j, begin, end, f);
    else
        sums(j, begin, end, f, (float)j->D);
}

/* --- rowwise: the value of row n; its derivatives and probabilities are written if wanted --- */

FK_INLINE float log_of(float x) { return vf_log(vf_set(x))[0]; }

/* S = sum_d exp(z_d - m) is returned;  p = exp(z - m) / S,  dy = factor p */
static float softmax_row(const job *j, fk_index n, float m)
{
    const fk_index D = j->D;
    float *dy = j->dy ? j->dy + n * D : NULL, *p = j->p ? j->p + n * D : NULL, *e = p ? p : dy;
    const float S = row_exp(e, j->y + n * D, m, D);
    if (dy)
        row_scale(dy, e, row_factor(j, n) / S, D);
    if (p)
        row_scale(p, e, 1.0f / S, D);
    return S;
}

/* sum_d t_d (log S - (z_d - m))    with m = max(z) */
static float categorical_from_logits(const job *j, fk_index n)
{
    const fk_index D = j->D, row = n * D;
    const float m = row_largest(j->y + row, D), factor = row_factor(j, n);
    vf sum_t = vf_set(0.0f), sum_tz = vf_set(0.0f);
    for (fk_index d = 0; d < D; d += FK_VL) {
        const vf t = targets(j, row + d, D - d);
        sum_t += t;
        sum_tz += t * (vf_load_first(j->y + row + d, D - d, m) - m);
    }
    const float S = softmax_row(j, n, m);
    for (fk_index d = 0; j->dy && d < D; d += FK_VL) {
        float *dy = j->dy + row + d;
        vf_store_first(dy, vf_load_first(dy, D - d, 0.0f) - factor * targets(j, row + d, D - d), D - d);
    }
    return vf_sum(sum_t) * log_of(S) - vf_sum(sum_tz);
}

/* log S - (z_k - m)    with m = max(z) */
static float sparse_from_logits(const job *j, fk_index n)
{
    const fk_index k = n * j->D + j->labels[n];
    const float m = row_largest(j->y + n * j->D, j->D), z_k = j->y[k];
    const float S = softmax_row(j, n, m);
    if (j->dy)
        j->dy[k] -= row_factor(j, n);
    return log_of(S) - (z_k - m);
}

/* L = sum_d -t_d log clip(q_d)    q = y / s, s = sum(y)
 * dL/dq_d = g_d = -t_d / q_d where clip passes it on        dL/dy = (g - sum_d g_d q_d) / s */
static float categorical_from_probabilities(const job *j, fk_index n)
{
    const fk_index D = j->D, row = n * D;
    vf sum = vf_set(0.0f), loss = vf_set(0.0f), dot = vf_set(0.0f);
    for (fk_index d = 0; d < D; d += FK_VL)
        sum += vf_load_first(j->y + row + d, D - d, 0.0f);
    const float s = vf_sum(sum);
    for (fk_index d = 0; d < D; d += FK_VL) {
        const vf t = targets(j, row + d, D - d), q = vf_load_first(j->y + row + d, D - d, 0.0f) / s;
        loss -= t * vf_log(clip(q));
        dot -= t * clip_slope(q);
    }
    const float factor = row_factor(j, n) / s, total = vf_sum(dot);
    for (fk_index d = 0; j->dy && d < D; d += FK_VL) {
        const vf t = targets(j, row + d, D - d), q = vf_load_first(j->y + row + d, D - d, 0.0f) / s;
        vf_store_first(j->dy + row + d, factor * (-t / clip(q) * clip_slope(q) - total), D - d);
    }
    return vf_sum(loss);
}

/* L = sum_d t_d f(q_d)    f(q) = -(1 - c)^gamma log c,  c = clip(q)
 * f'(q) = gamma (1 - c)^(gamma - 1) log c - (1 - c)^gamma / c  where clip passes it on */
FK_INLINE vf focal_term(vf *slope, vf q, float gamma)
{
    const vf c = clip(q), log_c = vf_log(c), focus = power(1.0f - c, gamma);
    *slope = (gamma * power(1.0f - c, gamma - 1.0f) * log_c - focus / c) * clip_slope(q);
    return -focus * log_c;
}

/* The elements from d on of exp(y - m) from logits, else of y: q but for the sum. */
FK_INLINE vf unscaled(const float *y, fk_index d, fk_index D, int logits, float m)
{
    const vf y_d = vf_load_first(y + d, D - d, m);
    if (logits)
        return vf_exp(y_d - m);
    return y_d;
}

/* q = y / sum(y), or softmax(y) from logits, with m = max(y). With g_d = t_d f'(q_d) the gradient is
 *     dL/dy_d = (g_d - sum_j g_j q_j) / sum(y), or from logits times q_d */
static float categorical_focal(const job *j, fk_index n)
{
    const fk_index D = j->D, row = n * D;
    const float *y = j->y + row, alpha = j->loss.alpha, gamma = j->loss.gamma;
    const int logits = j->loss.from_logits;
    const float m = logits ? row_largest(y, D) : 0.0f;
    vf sum = vf_set(0.0f), loss = vf_set(0.0f), dot = vf_set(0.0f), slope;
    for (fk_index d = 0; d < D; d += FK_VL)
        sum += vf_keep_first(unscaled(y, d, D, logits, m), D - d);
    const float total = vf_sum(sum), factor = alpha * row_factor(j, n);
    for (fk_index d = 0; d < D; d += FK_VL) {
        const vf q = unscaled(y, d, D, logits, m) / total, t = targets(j, row + d, D - d);
        loss += t * focal_term(&slope, q, gamma);
        dot += t * slope * q;
    }
    const float all = vf_sum(dot);
    for (fk_index d = 0; j->dy && d < D; d += FK_VL) {
        const vf q = unscaled(y, d, D, logits, m) / total, t = targets(j, row + d, D - d);
        focal_term(&slope, q, gamma);
        const vf dq = factor * (t * slope - all);
        if (logits)
            vf_store_first(j->dy + row + d, dq * q, D - d);
        else
            vf_store_first(j->dy + row + d, dq / total, D - d);
    }
    return alpha * vf_sum(loss);
}

/* L = max(max_d (1 - t_d) y_d - sum_d t_d y_d + 1, 0) */
static float categorical_hinge(const job *j, fk_index n)
{
    const fk_index D = j->D, row = n * D;
    const float *y = j->y + row, *t = j->t + row;
    float largest = -INFINITY;
    for (fk_index d = 0; d < D; d++)
        largest = fmaxf(largest, (1.0f - t[d]) * y[d]);
    const float loss = largest - row_dot(t, y, D) + 1.0f;
    const float factor = isnan(loss) ? loss : loss >= 0.0f ? row_factor(j, n) : 0.0f;
    if (j->dy) {
        fk_index equal = 0;
        for (fk_index d = 0; d < D; d++)
            equal += (1.0f - t[d]) * y[d] == largest;
        for (fk_index d = 0; d < D; d++) {
            const float part = (1.0f - t[d]) * y[d] == largest ? (1.0f - t[d]) / (float)equal : 0.0f;
            j->dy[row + d] = factor * (part - t[d]);
        }
    }
    return loss < 0.0f ? 0.0f : loss; /* fmaxf would lose NaN */
}

/* L = -u . v    u = t / |t|,  v = y / |y|
 * dL/dy = (-u - L v) / |y|, or -u / e for a row shorter than e */
static float cosine_similarity(const job *j, fk_index n)
{
    const fk_index D = j->D, row = n * D;
    const float *y = j->y + row, *t = j->t + row;
    const float length = sqrtf(row_dot(y, y, D)), y_length = length < EPSILON ? EPSILON : length; /* or NaN */
    const float t_length = fmaxf(sqrtf(row_dot(t, t, D)), EPSILON);
    const float cosine = row_dot(t, y, D) / (t_length * y_length);
    const float a = -row_factor(j, n) / (t_length * y_length);
    const float b = length > EPSILON ? row_factor(j, n) * cosine / (y_length * y_length) : 0.0f;
    for (fk_index d = 0; j->dy && d < D; d += FK_VL) {
        const vf y_d = vf_load_first(y + d, D - d, 0.0f);
        vf_store_first(j->dy + row + d, a * vf_load_first(t + d, D - d, 0.0f) + b * y_d, D - d);
    }
    return -cosine;
}

/* L = log S - log clip(y_k)    S = sum_d clip(y_d)
 * dL/dy_d = 1 / S, less 1 / y_k for d = k, where clip passes it on */
static float sparse_from_probabilities(const job *j, fk_index n)
{
    const fk_index D = j->D, row = n * D, k = row + j->labels[n];
    const vf y_k = vf_set(j->y[k]);
    vf sum = vf_set(0.0f);
    for (fk_index d = 0; d < D; d += FK_VL)
        sum += vf_keep_first(clip(vf_load_first(j->y + row + d, D - d, 0.0f)), D - d);
    const float S = vf_sum(sum), factor = row_factor(j, n);
    if (j->dy) {
        for (fk_index d = 0; d < D; d += FK_VL) {
            const vf slope = clip_slope(vf_load_first(j->y + row + d, D - d, 0.0f));
            vf_store_first(j->dy + row + d, slope * (factor / S), D - d);
        }
        j->dy[k] -= clip_slope(y_k)[0] * (factor / clip(y_k)[0]);
    }
    return log_of(S) - vf_log(clip(y_k))[0];
}

FK_INLINE void rows(const job *j, fk_index begin, fk_index end, float value(const job *, fk_index))
{
    for (fk_index n = begin; n < end; n++)
        j->values[n] = value(j, n);
}

/* --- any loss, over threads --- */

static void rows_of_any_loss(const job *j, fk_index begin, fk_index end)
{
    const int from_logits = j->loss.from_logits;
    switch (j->loss.kind) {
    case FK_MEAN_SQUARED_ERROR: rows_elementwise(j, begin, end, squared_error); break;
    case FK_MEAN_ABSOLUTE_ERROR: rows_elementwise(j, begin, end, absolute_error); break;
    case FK_MEAN_ABSOLUTE_PERCENTAGE_ERROR: rows_elementwise(j, begin, end, percentage_error); break;
    case FK_MEAN_SQUARED_LOGARITHMIC_ERROR: rows_elementwise(j, begin, end, squared_logarithmic_error); break;
    case FK_HUBER: rows_elementwise(j, begin, end, huber); break;
    case FK_LOG_COSH: rows_elementwise(j, begin, end, log_cosh); break;
    case FK_POISSON: rows_elementwise(j, begin, end, poisson); break;
    case FK_KL_DIVERGENCE: sums(j, begin, end, kl_divergence, 1.0f); break;
    case FK_HINGE: rows_elementwise(j, begin, end, hinge); break;
    case FK_SQUARED_HINGE: rows_elementwise(j, begin, end, squared_hinge); break;
    case FK_CATEGORICAL_HINGE: rows(j, begin, end, categorical_hinge); break;
    case FK_COSINE_SIMILARITY: rows(j, begin, end, cosine_similarity); break;
    case FK_BINARY_CROSSENTROPY:
        if (from_logits)
            rows_elementwise(j, begin, end, binary_from_logits);
        else
            rows_elementwise(j, begin, end, binary_from_probabilities);
        break;
    case FK_BINARY_FOCAL_CROSSENTROPY:
        if (from_logits)
            rows_elementwise(j, begin, end, binary_focal_from_logits);
        else
            rows_elementwise(j, begin, end, binary_focal);
        break;
    case FK_CATEGORICAL_CROSSENTROPY:
        rows(j, begin, end, from_logits ? categorical_from_logits : categorical_from_probabilities);
        break;
    case FK_CATEGORICAL_FOCAL_CROSSENTROPY: rows(j, begin, end, categorical_focal); break;
    case FK_SPARSE_CATEGORICAL_CROSSENTROPY:
        rows(j, begin, end, from_logits ? sparse_from_logits : sparse_from_probabilities);
        break;
    }
}

static fk_status check_labels(fk_index *bad, const int32_t *labels, fk_index N, fk_index D)
{
    for (fk_index n = 0; n < N; n++)
        if (labels[n] < 0 || labels[n] >= D) {
            *bad = n;
            return FK_BAD_INDEX;
        }
    return FK_OK;
}

/* Sets how the targets are taken: smoothed, or as -1 and 1 by the hinges where all are 0 or 1. */
static void take_targets(job *j, fk_index N)
{
    const fk_loss loss = j->loss;
    const int binary = loss.kind == FK_BINARY_CROSSENTROPY || loss.kind == FK_BINARY_FOCAL_CROSSENTROPY;
    j->keep = 1.0f - loss.smoothing;
    j->add = loss.smoothing / (binary ? 2.0f : (float)j->D);
    if (loss.kind == FK_HINGE || loss.kind == FK_SQUARED_HINGE) {
        fk_index i = 0;
        while (i < N * j->D && (j->t[i] == 0.0f || j->t[i] == 1.0f))
            i++;
        if (i == N * j->D) {
            j->keep = 2.0f;
            j->add = -1.0f;
        }
    }
}

fk_status fk_loss_forward(double *total, float *values, float *dy, float *p, fk_index *bad, const float *y,
                          const float *t, const int32_t *labels, const float *w, float scale, fk_loss loss,
                          fk_index N, fk_index D)
{
    if (loss.kind == FK_SPARSE_CATEGORICAL_CROSSENTROPY && check_labels(bad, labels, N, D) != FK_OK)
        return FK_BAD_INDEX;
    job j = {.values = values, .dy = dy, .p = p, .y = y, .t = t, .labels = labels, .w = w, .scale = scale,
             .loss = loss, .D = D};
    take_targets(&j, N);
    const fk_index step = D == 1 ? FK_VL : 1; /* rows of one element are worked on as vectors */
    FK_FOR_SHARES(begin, end, N, step, fk_threads_for(N * D, GRAIN), rows_of_any_loss(&j, begin, end));

    *total = 0.0;
    for (fk_index n = 0; n < N; n++)
        *total += w ? (double)w[n] * values[n] : values[n];
    return FK_OK;
}
