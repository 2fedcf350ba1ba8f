#include "activations.h"

#include <string.h>

#include "rowwise.h"
#include "simd.h"
#include "threads.h"

/* Elements a thread must have to be worth waking, and elements a thread takes at a time. */
enum { GRAIN = 16384, BLOCK = 4096 };

int fk_activation_is_rowwise(int kind) { return kind == FK_SOFTMAX; }

int fk_activation_needs_x(int kind)
{
    (void)kind;
    return 0;
}

/* --- elementwise: f(x), and below it f'(x), written in y or, for the kinds that need it, in x ----- */

typedef vf function(vf v, fk_activation f);

FK_INLINE vf relu(vf x, fk_activation f) { return (void)f, vf_max(x, vf_set(0.0f)); }
FK_INLINE vf relu_slope(vf y, fk_activation f) { return (void)f, vf_step(y > 0.0f); }

FK_INLINE vf sigmoid(vf x, fk_activation f) { return (void)f, vf_sigmoid(x); }
FK_INLINE vf sigmoid_slope(vf y, fk_activation f) { return (void)f, y * (1.0f - y); }

FK_INLINE vf tangent(vf x, fk_activation f) { return (void)f, vf_tanh(x); }
FK_INLINE vf tangent_slope(vf y, fk_activation f) { return (void)f, 1.0f - y * y; }

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

static void row(float *y, const float *x, fk_activation f, fk_index N)
{
    switch (f.kind) {
    case FK_SOFTMAX: softmax(y, x, N); break;
    }
}

/* v is x or y: what the kind's backward pass needs */
static void row_backward(float *dx, const float *dy, const float *v, fk_activation f, fk_index N)
{
    switch (f.kind) {
    case FK_SOFTMAX: softmax_backward(dx, dy, v, N); break;
    }
}

/* --- any kind, over threads ----- */

void fk_activation_forward(float *y, const float *x, fk_activation f, fk_index M, fk_index N)
{
    const fk_index size = M * N, threads = fk_threads_for(size, GRAIN);
    if (fk_activation_is_rowwise(f.kind)) {
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
        for (fk_index m = 0; m < M; m++)
            row(y + m * N, x + m * N, f, N);
    } else {
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
        for (fk_index i = 0; i < size; i += BLOCK)
            fk_activation_span(y + i, x + i, f, fk_min(BLOCK, size - i));
    }
}

void fk_activation_backward(float *dx, const float *dy, const float *x, const float *y, fk_activation f,
                            fk_index M, fk_index N)
{
    const fk_index size = M * N, threads = fk_threads_for(size, GRAIN);
    const float *v = fk_activation_needs_x(f.kind) ? x : y;
    if (fk_activation_is_rowwise(f.kind)) {
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
        for (fk_index m = 0; m < M; m++)
            row_backward(dx + m * N, dy + m * N, v + m * N, f, N);
    } else {
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
        for (fk_index i = 0; i < size; i += BLOCK)
            span_backward(dx + i, dy + i, v + i, f, fk_min(BLOCK, size - i));
    }
}
