#include "activations.h"

#include <string.h>

#include "rowwise.h"
#include "simd.h"
#include "threads.h"

#define GRAIN 16384 /* elements a thread must have to be worth waking */

int fk_activation_is_rowwise(int kind)
{
    return kind == FK_SOFTMAX || kind == FK_LOG_SOFTMAX || kind == FK_SPARSEMAX;
}

int fk_activation_needs_x(int kind)
{
    switch (kind) {
    case FK_GENERAL_RELU:
    case FK_LEAKY_RELU:
    case FK_GELU:
    case FK_GELU_TANH:
    case FK_SILU:
    case FK_HARD_SILU:
    case FK_MISH:
    case FK_SOFTSIGN:
    case FK_TANH_SHRINK:
    case FK_HARD_TANH:
    case FK_THRESHOLD:
    case FK_SPARSE_PLUS:
    case FK_SQUAREPLUS: return 1;
    default: return 0;
    }
}

/* --- elementwise: f(x), and below it the slope f'(x), written in y or, where the kind needs it, in x ----- */

typedef vf function(vf v, fk_activation f);

/* Most kinds have no numbers to read from f. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

FK_INLINE vf relu(vf x, fk_activation f) { return vf_max(x, vf_set(0.0f)); }
FK_INLINE vf relu_slope(vf y, fk_activation f) { return vf_step(y > 0.0f); }

FK_INLINE vf sigmoid(vf x, fk_activation f) { return vf_sigmoid(x); }
FK_INLINE vf sigmoid_slope(vf y, fk_activation f) { return y * (1.0f - y); }

FK_INLINE vf tangent(vf x, fk_activation f) { return vf_tanh(x); }
FK_INLINE vf tangent_slope(vf y, fk_activation f) { return 1.0f - y * y; }

FK_INLINE float least(fk_activation f) { return f.b < INFINITY ? 0.0f : -INFINITY; }
FK_INLINE vf general_relu(vf x, fk_activation f)
{
    return vf_select(x > f.c, vf_min(vf_max(x, vf_set(least(f))), vf_set(f.b)), f.a * (x - f.c));
}
FK_INLINE vf general_relu_slope(vf x, fk_activation f)
{
    return vf_select(x > f.c, vf_step((x >= least(f)) & (x <= f.b)), vf_set(f.a));
}

FK_INLINE vf leaky_relu(vf x, fk_activation f) { return vf_select(x > 0.0f, x, f.a * x); }
FK_INLINE vf leaky_relu_slope(vf x, fk_activation f) { return vf_select(x > 0.0f, vf_set(1.0f), vf_set(f.a)); }

FK_INLINE vf relu6(vf x, fk_activation f) { return vf_min(vf_max(x, vf_set(0.0f)), vf_set(6.0f)); }
FK_INLINE vf relu6_slope(vf y, fk_activation f) { return vf_step((y > 0.0f) & (y < 6.0f)); }

FK_INLINE vf elu(vf x, fk_activation f) { return vf_select(x > 0.0f, x, f.a * vf_expm1(x)); }
FK_INLINE vf elu_slope(vf y, fk_activation f) { return vf_select(y > 0.0f, vf_set(1.0f), y + f.a); }

#define SELU_SCALE 1.05070098735548049342f
#define SELU_ALPHA 1.67326324235437728481f
FK_INLINE vf selu(vf x, fk_activation f)
{
    return SELU_SCALE * vf_select(x > 0.0f, x, SELU_ALPHA * vf_expm1(x));
}
FK_INLINE vf selu_slope(vf y, fk_activation f)
{
    return vf_select(y < 0.0f, y + SELU_SCALE * SELU_ALPHA, vf_set(SELU_SCALE));
}

FK_INLINE vf celu(vf x, fk_activation f) { return vf_select(x > 0.0f, x, f.a * vf_expm1(x / f.a)); }
FK_INLINE vf celu_slope(vf y, fk_activation f) { return vf_select(y > 0.0f, vf_set(1.0f), y / f.a + 1.0f); }

#define SQRT_HALF 0.70710678118654752440f /* sqrt(1 / 2) */
#define INV_SQRT_2PI 0.39894228040143267794f /* 1 / sqrt(2 pi) */
FK_INLINE vf gelu(vf x, fk_activation f) { return 0.5f * x * (1.0f + vf_erf(x * SQRT_HALF)); }
FK_INLINE vf gelu_slope(vf x, fk_activation f)
{
    const vf density = INV_SQRT_2PI * vf_exp_fast(-0.5f * x * x);
    return 0.5f * (1.0f + vf_erf(x * SQRT_HALF)) + x * density;
}

#define SQRT_2_PI 0.79788456080286535588f /* sqrt(2 / pi) */
FK_INLINE vf gelu_tanh(vf x, fk_activation f)
{
    return 0.5f * x * (1.0f + vf_tanh(SQRT_2_PI * (x + 0.044715f * x * x * x)));
}
FK_INLINE vf gelu_tanh_slope(vf x, fk_activation f)
{
    const vf t = vf_tanh(SQRT_2_PI * (x + 0.044715f * x * x * x));
    const vf inner = SQRT_2_PI * (1.0f + 3.0f * 0.044715f * x * x);
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner;
}

FK_INLINE vf silu(vf x, fk_activation f) { return x * vf_sigmoid(x); }
FK_INLINE vf silu_slope(vf x, fk_activation f)
{
    const vf s = vf_sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
}

FK_INLINE vf hard_sigmoid(vf x, fk_activation f)
{
    return vf_min(vf_max(x + 3.0f, vf_set(0.0f)), vf_set(6.0f)) / 6.0f;
}
FK_INLINE vf hard_sigmoid_slope(vf y, fk_activation f) { return vf_step((y > 0.0f) & (y < 1.0f)) / 6.0f; }

FK_INLINE vf legacy_hard_sigmoid(vf x, fk_activation f)
{
    return vf_min(vf_max(0.2f * x + 0.5f, vf_set(0.0f)), vf_set(1.0f));
}
FK_INLINE vf legacy_hard_sigmoid_slope(vf y, fk_activation f) { return vf_step((y > 0.0f) & (y < 1.0f)) * 0.2f; }

FK_INLINE vf hard_silu(vf x, fk_activation f) { return x * hard_sigmoid(x, f); }
FK_INLINE vf hard_silu_slope(vf x, fk_activation f)
{
    const vf h = hard_sigmoid(x, f);
    return h + x * hard_sigmoid_slope(h, f);
}

/* With e = exp(x) and n = e (e + 2):
 * tanh(softplus(x)) = n / (n + 2), its slope 4 (n + 1) / (n + 2)^2 e / (1 + e). From x = 20 on it is 1. */
FK_INLINE vf mish(vf x, fk_activation f)
{
    const vf e = vf_exp_fast(vf_min(x, vf_set(20.0f))), n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}
FK_INLINE vf mish_slope(vf x, fk_activation f)
{
    const vf e = vf_exp_fast(vf_min(x, vf_set(20.0f))), n = e * (e + 2.0f);
    return n / (n + 2.0f) + x * (4.0f * (n + 1.0f) / ((n + 2.0f) * (n + 2.0f)) * (e / (1.0f + e)));
}

FK_INLINE vf softplus(vf x, fk_activation f)
{
    return vf_max(x, vf_set(0.0f)) + vf_log1p(vf_exp_fast(-vf_abs(x)));
}
FK_INLINE vf softplus_slope(vf y, fk_activation f) { return -vf_expm1(-y); }

FK_INLINE vf log_sigmoid(vf x, fk_activation f) { return -softplus(-x, f); }
FK_INLINE vf log_sigmoid_slope(vf y, fk_activation f) { return -vf_expm1(y); }

FK_INLINE vf softsign(vf x, fk_activation f) { return x / (1.0f + vf_abs(x)); }
FK_INLINE vf softsign_slope(vf x, fk_activation f) { return 1.0f / ((1.0f + vf_abs(x)) * (1.0f + vf_abs(x))); }

FK_INLINE vf tanh_shrink(vf x, fk_activation f) { return x - vf_tanh(x); }
FK_INLINE vf tanh_shrink_slope(vf x, fk_activation f) { return vf_tanh(x) * vf_tanh(x); }

FK_INLINE vf hard_tanh(vf x, fk_activation f) { return vf_min(vf_max(x, vf_set(-1.0f)), vf_set(1.0f)); }
FK_INLINE vf hard_tanh_slope(vf x, fk_activation f) { return vf_step((x >= -1.0f) & (x <= 1.0f)); }

FK_INLINE vf hard_shrink(vf x, fk_activation f) { return vf_select(vf_abs(x) > f.a, x, vf_set(0.0f)); }
FK_INLINE vf soft_shrink(vf x, fk_activation f)
{
    return vf_select(x > f.a, x - f.a, vf_select(x < -f.a, x + f.a, vf_set(0.0f)));
}
FK_INLINE vf shrink_slope(vf y, fk_activation f) { return vf_step(y != 0.0f); }

FK_INLINE vf threshold(vf x, fk_activation f) { return vf_select(x > f.a, x, vf_set(f.b)); }
FK_INLINE vf threshold_slope(vf x, fk_activation f) { return vf_step(x > f.a); }

FK_INLINE vf sparse_plus(vf x, fk_activation f)
{
    return vf_select(x <= -1.0f, vf_set(0.0f), vf_select(x < 1.0f, 0.25f * (x + 1.0f) * (x + 1.0f), x));
}
FK_INLINE vf sparse_plus_slope(vf x, fk_activation f)
{
    return vf_min(vf_max(0.5f * (x + 1.0f), vf_set(0.0f)), vf_set(1.0f));
}

FK_INLINE vf sparse_sigmoid(vf x, fk_activation f)
{
    return vf_min(vf_max(0.5f * (x + 1.0f), vf_set(0.0f)), vf_set(1.0f));
}
FK_INLINE vf sparse_sigmoid_slope(vf y, fk_activation f) { return 0.5f * vf_step((y > 0.0f) & (y < 1.0f)); }

FK_INLINE vf squareplus(vf x, fk_activation f) { return 0.5f * (x + vf_sqrt(x * x + f.a)); }
FK_INLINE vf squareplus_slope(vf x, fk_activation f) { return 0.5f + 0.5f * x / vf_sqrt(x * x + f.a); }

FK_INLINE vf exponential(vf x, fk_activation f) { return vf_exp(x); }
FK_INLINE vf exponential_slope(vf y, fk_activation f) { return y; }

#pragma GCC diagnostic pop

/* y = g(x). One copy of g serves full and partial vectors, so that bits do not depend on the position. */
FK_INLINE void map(float *y, const float *x, fk_activation f, fk_index n, function g)
{
    for (fk_index i = 0; i < n; i += FK_VL)
        vf_store_first(y + i, g(vf_load_first(x + i, n - i, 0.0f), f), n - i);
}

/* dx = slope(v) dy, where v is x or y */
FK_INLINE void map_slope(float *dx, const float *dy, const float *v, fk_activation f, fk_index n,
                         function slope)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const vf product = slope(vf_load_first(v + i, n - i, 0.0f), f) * vf_load_first(dy + i, n - i, 0.0f);
        vf_store_first(dx + i, product, n - i);
    }
}

static void copy(float *to, const float *from, fk_index n)
{
    if (to != from)
        memcpy(to, from, (size_t)n * sizeof(float));
}

void fk_activation_span(float *y, const float *x, fk_activation f, fk_index n)
{
    switch (f.kind) {
    case FK_LINEAR: copy(y, x, n); break;
    case FK_RELU: map(y, x, f, n, relu); break;
    case FK_SIGMOID: map(y, x, f, n, sigmoid); break;
    case FK_TANH: map(y, x, f, n, tangent); break;
    case FK_GENERAL_RELU: map(y, x, f, n, general_relu); break;
    case FK_LEAKY_RELU: map(y, x, f, n, leaky_relu); break;
    case FK_RELU6: map(y, x, f, n, relu6); break;
    case FK_ELU: map(y, x, f, n, elu); break;
    case FK_SELU: map(y, x, f, n, selu); break;
    case FK_CELU: map(y, x, f, n, celu); break;
    case FK_GELU: map(y, x, f, n, gelu); break;
    case FK_GELU_TANH: map(y, x, f, n, gelu_tanh); break;
    case FK_SILU: map(y, x, f, n, silu); break;
    case FK_HARD_SILU: map(y, x, f, n, hard_silu); break;
    case FK_MISH: map(y, x, f, n, mish); break;
    case FK_SOFTPLUS: map(y, x, f, n, softplus); break;
    case FK_SOFTSIGN: map(y, x, f, n, softsign); break;
    case FK_HARD_SIGMOID: map(y, x, f, n, hard_sigmoid); break;
    case FK_LEGACY_HARD_SIGMOID: map(y, x, f, n, legacy_hard_sigmoid); break;
    case FK_LOG_SIGMOID: map(y, x, f, n, log_sigmoid); break;
    case FK_TANH_SHRINK: map(y, x, f, n, tanh_shrink); break;
    case FK_HARD_TANH: map(y, x, f, n, hard_tanh); break;
    case FK_HARD_SHRINK: map(y, x, f, n, hard_shrink); break;
    case FK_SOFT_SHRINK: map(y, x, f, n, soft_shrink); break;
    case FK_THRESHOLD: map(y, x, f, n, threshold); break;
    case FK_SPARSE_PLUS: map(y, x, f, n, sparse_plus); break;
    case FK_SPARSE_SIGMOID: map(y, x, f, n, sparse_sigmoid); break;
    case FK_SQUAREPLUS: map(y, x, f, n, squareplus); break;
    case FK_EXPONENTIAL: map(y, x, f, n, exponential); break;
    }
}

/* v is x or y: what the kind's slope is written in */
static void span_backward(float *dx, const float *dy, const float *v, fk_activation f, fk_index n)
{
    switch (f.kind) {
    case FK_LINEAR: copy(dx, dy, n); break;
    case FK_RELU: map_slope(dx, dy, v, f, n, relu_slope); break;
    case FK_SIGMOID: map_slope(dx, dy, v, f, n, sigmoid_slope); break;
    case FK_TANH: map_slope(dx, dy, v, f, n, tangent_slope); break;
    case FK_GENERAL_RELU: map_slope(dx, dy, v, f, n, general_relu_slope); break;
    case FK_LEAKY_RELU: map_slope(dx, dy, v, f, n, leaky_relu_slope); break;
    case FK_RELU6: map_slope(dx, dy, v, f, n, relu6_slope); break;
    case FK_ELU: map_slope(dx, dy, v, f, n, elu_slope); break;
    case FK_SELU: map_slope(dx, dy, v, f, n, selu_slope); break;
    case FK_CELU: map_slope(dx, dy, v, f, n, celu_slope); break;
    case FK_GELU: map_slope(dx, dy, v, f, n, gelu_slope); break;
    case FK_GELU_TANH: map_slope(dx, dy, v, f, n, gelu_tanh_slope); break;
    case FK_SILU: map_slope(dx, dy, v, f, n, silu_slope); break;
    case FK_HARD_SILU: map_slope(dx, dy, v, f, n, hard_silu_slope); break;
    case FK_MISH: map_slope(dx, dy, v, f, n, mish_slope); break;
    case FK_SOFTPLUS: map_slope(dx, dy, v, f, n, softplus_slope); break;
    case FK_SOFTSIGN: map_slope(dx, dy, v, f, n, softsign_slope); break;
    case FK_HARD_SIGMOID: map_slope(dx, dy, v, f, n, hard_sigmoid_slope); break;
    case FK_LEGACY_HARD_SIGMOID: map_slope(dx, dy, v, f, n, legacy_hard_sigmoid_slope); break;
    case FK_LOG_SIGMOID: map_slope(dx, dy, v, f, n, log_sigmoid_slope); break;
    case FK_TANH_SHRINK: map_slope(dx, dy, v, f, n, tanh_shrink_slope); break;
    case FK_HARD_TANH: map_slope(dx, dy, v, f, n, hard_tanh_slope); break;
    case FK_HARD_SHRINK: map_slope(dx, dy, v, f, n, shrink_slope); break;
    case FK_SOFT_SHRINK: map_slope(dx, dy, v, f, n, shrink_slope); break;
    case FK_THRESHOLD: map_slope(dx, dy, v, f, n, threshold_slope); break;
    case FK_SPARSE_PLUS: map_slope(dx, dy, v, f, n, sparse_plus_slope); break;
    case FK_SPARSE_SIGMOID: map_slope(dx, dy, v, f, n, sparse_sigmoid_slope); break;
    case FK_SQUAREPLUS: map_slope(dx, dy, v, f, n, squareplus_slope); break;
    case FK_EXPONENTIAL: map_slope(dx, dy, v, f, n, exponential_slope); break;
    }
}

void fk_activation_span_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                                 fk_index n)
{
    span_backward(dx, dy, fk_activation_needs_x(f.kind) ? x : y, f, n);
}

/* --- rowwise: one row of N at a time ----- */

/* y = e / sum(e)    with e = exp(x - max(x)), which cannot overflow */
static void softmax(float *y, const float *x, fk_index N)
{
    const float sum = row_exp(y, x, row_largest(x, N), N);
    row_scale(y, y, 1.0f / sum, N);
}

/* dx = y (dy - sum(y dy)) */
static void softmax_backward(float *dx, const float *dy, const float *y, fk_index N)
{
    const float sum = row_dot(y, dy, N);
    for (fk_index n = 0; n < N; n += FK_VL) {
        const vf y_n = vf_load_first(y + n, N - n, 0.0f);
        vf_store_first(dx + n, y_n * (vf_load_first(dy + n, N - n, 0.0f) - sum), N - n);
    }
}

/* y = x - max(x) - log(sum(exp(x - max(x)))) */
static void log_softmax(float *y, const float *x, fk_index N)
{
    const float shift = row_largest(x, N), sum = row_exp(NULL, x, shift, N);
    const float log_sum = vf_log(vf_set(sum))[0];
    for (fk_index n = 0; n < N; n += FK_VL)
        vf_store_first(y + n, vf_load_first(x + n, N - n, 0.0f) - shift - log_sum, N - n);
}

/* dx = dy - exp(y) sum(dy) */
static void log_softmax_backward(float *dx, const float *dy, const float *y, fk_index N)
{
    vf sum = vf_set(0.0f);
    for (fk_index n = 0; n < N; n += FK_VL)
        sum += vf_load_first(dy + n, N - n, 0.0f);
    const float total = vf_sum(sum);
    for (fk_index n = 0; n < N; n += FK_VL) {
        const vf p = vf_exp_fast(vf_load_first(y + n, N - n, 0.0f));
        vf_store_first(dx + n, vf_load_first(dy + n, N - n, 0.0f) - p * total, N - n);
    }
}

/* y = max(x - tau, 0). With S the elements above tau, tau = (sum of S - 1) / |S|. S starts as all elements; those
 * that are not above its tau leave it, until none does (C. Michelot, J. Optim. Theory Appl. 50, 1986). One that
 * lies on tau could leave and come back by rounding for ever: S must shrink. */
static void sparsemax(float *y, const float *x, fk_index N)
{
    const float shift = row_largest(x, N); /* keeps the numbers small; tau moves with it */
    float tau = -INFINITY;
    fk_index kept = N + 1, before;
    do {
        float sum = 0.0f;
        before = kept;
        kept = 0;
        for (fk_index n = 0; n < N; n++)
            if (x[n] - shift > tau) {
                sum += x[n] - shift;
                kept++;
            }
        tau = (sum - 1.0f) / (float)kept;
    } while (kept < before);
    for (fk_index n = 0; n < N; n++)
        y[n] = x[n] - shift > tau ? x[n] - shift - tau : 0.0f;
}

/* dx = dy - mean(dy) over the elements with y > 0, 0 for the others */
static void sparsemax_backward(float *dx, const float *dy, const float *y, fk_index N)
{
    float sum = 0.0f;
    fk_index kept = 0;
    for (fk_index n = 0; n < N; n++)
        if (y[n] > 0.0f) {
            sum += dy[n];
            kept++;
        }
    for (fk_index n = 0; n < N; n++)
        dx[n] = y[n] > 0.0f ? dy[n] - sum / (float)kept : 0.0f;
}

static void row(float *y, const float *x, fk_activation f, fk_index N)
{
    switch (f.kind) {
    case FK_SOFTMAX: softmax(y, x, N); break;
    case FK_LOG_SOFTMAX: log_softmax(y, x, N); break;
    case FK_SPARSEMAX: sparsemax(y, x, N); break;
    }
}

/* v is x or y: what the kind's backward pass needs */
static void row_backward(float *dx, const float *dy, const float *v, fk_activation f, fk_index N)
{
    switch (f.kind) {
    case FK_SOFTMAX: softmax_backward(dx, dy, v, N); break;
    case FK_LOG_SOFTMAX: log_softmax_backward(dx, dy, v, N); break;
    case FK_SPARSEMAX: sparsemax_backward(dx, dy, v, N); break;
    }
}

/* --- any kind, over threads ----- */

/* The elements from `begin` to `end`: whole rows, where the kind takes rows. */
static void forward_part(float *y, const float *x, fk_activation f, fk_index N, fk_index begin, fk_index end)
{
    if (!fk_activation_is_rowwise(f.kind)) {
        fk_activation_span(y + begin, x + begin, f, end - begin);
        return;
    }
    for (fk_index i = begin; i < end; i += N)
        row(y + i, x + i, f, N);
}

void fk_activation_forward(float *y, const float *x, fk_activation f, fk_index M, fk_index N)
{
    const fk_index step = fk_activation_is_rowwise(f.kind) ? fk_max(1, N) : FK_VL;
    FK_FOR_SHARES(begin, end, M * N, step, fk_threads_for(M * N, GRAIN), forward_part(y, x, f, N, begin, end));
}

static void backward_part(float *dx, const float *dy, const float *v, fk_activation f, fk_index N,
                          fk_index begin, fk_index end)
{
    if (!fk_activation_is_rowwise(f.kind)) {
        span_backward(dx + begin, dy + begin, v + begin, f, end - begin);
        return;
    }
    for (fk_index i = begin; i < end; i += N)
        row_backward(dx + i, dy + i, v + i, f, N);
}

void fk_activation_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                            fk_index M, fk_index N)
{
    const fk_index step = fk_activation_is_rowwise(f.kind) ? fk_max(1, N) : FK_VL;
    const float *v = fk_activation_needs_x(f.kind) ? x : y;
    FK_FOR_SHARES(begin, end, M * N, step, fk_threads_for(M * N, GRAIN),
                  backward_part(dx, dy, v, f, N, begin, end));
}

void fk_glu_forward(float *y, const float *x, fk_index M, fk_index N)
{
    FK_FOR_EACH(m, M, 1, fk_threads_for(M * N, GRAIN), {
        const float *x_m = x + m * 2 * N;
        for (fk_index n = 0; n < N; n += FK_VL) {
            const vf gate = vf_sigmoid(vf_load_first(x_m + N + n, N - n, 0.0f));
            vf_store_first(y + m * N + n, vf_load_first(x_m + n, N - n, 0.0f) * gate, N - n);
        }
    });
}

void fk_glu_backward(float *dx, const float *dy, const float *x, fk_index M, fk_index N)
{
    FK_FOR_EACH(m, M, 1, fk_threads_for(M * N, GRAIN), {
        const float *x_m = x + m * 2 * N;
        float *dx_m = dx + m * 2 * N;
        for (fk_index n = 0; n < N; n += FK_VL) {
            const vf gate = vf_sigmoid(vf_load_first(x_m + N + n, N - n, 0.0f));
            const vf dy_n = vf_load_first(dy + m * N + n, N - n, 0.0f);
            const vf x_n = vf_load_first(x_m + n, N - n, 0.0f);
            vf_store_first(dx_m + n, dy_n * gate, N - n);
            vf_store_first(dx_m + N + n, dy_n * x_n * gate * (1.0f - gate), N - n);
        }
    });
}
