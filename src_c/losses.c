#include "losses.h"

#include "rowwise.h"
#include "simd.h"
#include "threads.h"

/* Elements a thread must have to be worth waking, and about as many elements as are worked on at a time. */
enum { GRAIN = 8192, BLOCK = 2048 };

#define EPSILON 1e-7f
#define ONE_LESS_EPSILON 0x1.fffffcp-1f /* 1 - 1e-7, rounded to float */

/* One call's arrays and numbers. */
typedef struct {
    float *values, *dy, *p;
    const float *y, *t;
    const int32_t *labels;
    const float *w;
    float scale;
    float keep, add; /* the smoothed target is keep t + add */
    fk_index D;
} job;

/* scale w_n: what row n's derivatives are multiplied by */
FK_INLINE float row_factor(const job *j, fk_index n) { return j->w ? j->scale * j->w[n] : j->scale; }

/* The smoothed targets from element i on, `left` of them; zero in the others. */
FK_INLINE vf targets(const job *j, fk_index i, fk_index left)
{
    return vf_keep_first(j->keep * vf_load_first(j->t + i, left, 0.0f) + j->add, left);
}

FK_INLINE vf clip(vf y) { return vf_min(vf_max(y, vf_set(EPSILON)), vf_set(ONE_LESS_EPSILON)); }
/* 1 where clip passes a gradient on */
FK_INLINE vf clip_slope(vf y) { return vf_step((y >= EPSILON) & (y <= ONE_LESS_EPSILON)); }

/* --- elementwise: the value of one element, its derivative in *slope and, from logits, p --- */

typedef vf elementwise(vf *slope, vf *p, vf y, vf t);

FK_INLINE vf squared_error(vf *slope, vf *p, vf y, vf t)
{
    (void)p;
    *slope = 2.0f * (y - t);
    return (y - t) * (y - t);
}

FK_INLINE vf absolute_error(vf *slope, vf *p, vf y, vf t)
{
    (void)p;
    *slope = vf_step(y > t) - vf_step(y < t);
    return vf_abs(y - t);
}

FK_INLINE vf binary_from_probabilities(vf *slope, vf *p, vf y, vf t)
{
    (void)p;
    const vf c = clip(y);
    *slope = ((1.0f - t) / (1.0f - c) - t / c) * clip_slope(y);
    return -(t * vf_log(c) + (1.0f - t) * vf_log(1.0f - c));
}

FK_INLINE vf binary_from_logits(vf *slope, vf *p, vf z, vf t)
{
    *p = vf_sigmoid(z);
    *slope = *p - t;
    return vf_max(z, vf_set(0.0f)) - t * z + vf_log1p(vf_exp_fast(-vf_abs(z)));
}

/* values_n = mean_d f(y_nd, t_nd) */
FK_INLINE void means(const job *j, fk_index begin, fk_index end, elementwise f)
{
    const fk_index D = j->D;
    vf slope, p = {0};
    for (fk_index n = begin; n < end; n++) {
        const float factor = row_factor(j, n) / (float)D;
        vf sum = vf_set(0.0f);
        for (fk_index d = 0; d < D; d += FK_VL) {
            const fk_index i = n * D + d, left = D - d;
            const vf y = vf_load_first(j->y + i, left, 0.0f);
            sum += vf_keep_first(f(&slope, &p, y, targets(j, i, left)), left);
            if (j->p)
                vf_store_first(j->p + i, p, left);
            if (j->dy)
                vf_store_first(j->dy + i, slope * factor, left);
        }
        j->values[n] = vf_sum(sum) / (float)D;
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
        vf_store_first(j->values + n, f(&slope, &p, y, targets(j, n, left)), left);
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
        means(j, begin, end, f);
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

static void block(const job *j, fk_loss loss, fk_index begin, fk_index end)
{
    switch (loss.kind) {
    case FK_MEAN_SQUARED_ERROR: rows_elementwise(j, begin, end, squared_error); break;
    case FK_MEAN_ABSOLUTE_ERROR: rows_elementwise(j, begin, end, absolute_error); break;
    case FK_BINARY_CROSSENTROPY:
        if (loss.from_logits)
            rows_elementwise(j, begin, end, binary_from_logits);
        else
            rows_elementwise(j, begin, end, binary_from_probabilities);
        break;
    case FK_CATEGORICAL_CROSSENTROPY:
        rows(j, begin, end, loss.from_logits ? categorical_from_logits : categorical_from_probabilities);
        break;
    case FK_SPARSE_CATEGORICAL_CROSSENTROPY:
        rows(j, begin, end, loss.from_logits ? sparse_from_logits : sparse_from_probabilities);
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

fk_status fk_loss_forward(double *total, float *values, float *dy, float *p, fk_index *bad, const float *y,
                          const float *t, const int32_t *labels, const float *w, float scale, fk_loss loss,
                          fk_index N, fk_index D)
{
    if (loss.kind == FK_SPARSE_CATEGORICAL_CROSSENTROPY && check_labels(bad, labels, N, D) != FK_OK)
        return FK_BAD_INDEX;
    const float add = loss.smoothing / (loss.kind == FK_BINARY_CROSSENTROPY ? 2.0f : (float)D);
    const job j = {.values = values, .dy = dy, .p = p, .y = y, .t = t, .labels = labels, .w = w, .scale = scale,
                   .keep = 1.0f - loss.smoothing, .add = add, .D = D};
    const fk_index step = fk_max(1, BLOCK / fk_max(1, D)), threads = fk_threads_for(N * D, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index n = 0; n < N; n += step)
        block(&j, loss, n, fk_min(N, n + step));

    *total = 0.0;
    for (fk_index n = 0; n < N; n++)
        *total += w ? (double)w[n] * values[n] : values[n];
    return FK_OK;
}
