#include "optimizers.h"

#include <math.h>

#include "simd.h"
#include "threads.h"

enum {
    BLOCK = 4096, /* elements that a thread takes at a time */
    GRAIN = 50000 /* elements that are worth a thread */
};

/* d = clip(scale g), of the first n elements; g is left zero */
FK_INLINE vf take_gradient(float *g, fk_optimizer_step step, fk_index n)
{
    const vf d = vf_load_first(g, n, 0.0f) * step.scale;
    vf_store_first(g, vf_set(0.0f), n);
    return vf_max(vf_min(d, vf_set(step.clip)), vf_set(-step.clip));
}

FK_INLINE vf load_decayed(const float *p, fk_optimizer_step step, fk_index n)
{
    const vf value = vf_load_first(p, n, 0.0f);
    return value - value * step.decay * step.learning_rate;
}

/* --- SGD ----------------------------------------------------------------------------------------------- */

static void sgd_block(float *p, float *g, fk_optimizer_step step, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const vf d = take_gradient(g + i, step, n - i);
        /* p -= r d */
        vf_store_first(p + i, load_decayed(p + i, step, n - i) - step.learning_rate * d, n - i);
    }
}

static void sgd_momentum_block(float *p, float *m, float *g, fk_optimizer_step step, float momentum,
                               int nesterov, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const vf rd = step.learning_rate * take_gradient(g + i, step, n - i);
        /* m = momentum m - r d */
        const vf velocity = momentum * vf_load_first(m + i, n - i, 0.0f) - rd;
        vf_store_first(m + i, velocity, n - i);
        /* p += m, or p += momentum m - r d */
        vf change = velocity;
        if (nesterov)
            change = momentum * velocity - rd;
        vf_store_first(p + i, load_decayed(p + i, step, n - i) + change, n - i);
    }
}

void fk_optimizer_sgd(float *p, float *m, float *g, fk_optimizer_step step, float momentum, int nesterov,
                      fk_index n)
{
#pragma omp parallel for num_threads((int)fk_threads_for(n, GRAIN)) schedule(static)
    for (fk_index i = 0; i < n; i += BLOCK) {
        const fk_index size = fk_min(BLOCK, n - i);
        if (m)
            sgd_momentum_block(p + i, m + i, g + i, step, momentum, nesterov, size);
        else
            sgd_block(p + i, g + i, step, size);
    }
}

/* --- RMSprop ------------------------------------------------------------------------------------------- */

typedef struct {
    float rho, one_minus_rho, momentum, epsilon;
} rmsprop_numbers;

static void rmsprop_block(float *p, float *v, float *m, float *a, float *g, fk_optimizer_step step,
                          rmsprop_numbers c, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left);
        /* v = rho v + (1 - rho) d^2 */
        const vf square = c.rho * vf_load_first(v + i, left, 0.0f) + c.one_minus_rho * (d * d);
        vf_store_first(v + i, square, left);
        vf variance = square;
        if (a) {
            /* a = rho a + (1 - rho) d */
            const vf mean = c.rho * vf_load_first(a + i, left, 0.0f) + c.one_minus_rho * d;
            vf_store_first(a + i, mean, left);
            variance = square - mean * mean;
        }
        /* u = r d / sqrt(variance + epsilon) */
        vf change = step.learning_rate * d / vf_sqrt(variance + c.epsilon);
        if (m) {
            /* m = momentum m + u */
            change = c.momentum * vf_load_first(m + i, left, 0.0f) + change;
            vf_store_first(m + i, change, left);
        }
        vf_store_first(p + i, load_decayed(p + i, step, left) - change, left);
    }
}

void fk_optimizer_rmsprop(float *p, float *v, float *m, float *a, float *g, fk_optimizer_step step,
                          double rho, float momentum, float epsilon, fk_index n)
{
    const rmsprop_numbers c = {(float)rho, (float)(1.0 - rho), momentum, epsilon};
#pragma omp parallel for num_threads((int)fk_threads_for(n, GRAIN)) schedule(static)
    for (fk_index i = 0; i < n; i += BLOCK)
        rmsprop_block(p + i, v + i, m ? m + i : NULL, a ? a + i : NULL, g + i, step, c, fk_min(BLOCK, n - i));
}

/* --- Adam ---------------------------------------------------------------------------------------------- */

typedef struct {
    float alpha, one_minus_beta_1, one_minus_beta_2, epsilon;
} adam_numbers;

static void adam_block(float *p, float *m, float *v, float *v_max, float *g, fk_optimizer_step step,
                       adam_numbers c, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left);
        const vf m_old = vf_load_first(m + i, left, 0.0f), v_old = vf_load_first(v + i, left, 0.0f);
        /* m += (1 - beta_1) (d - m)        v += (1 - beta_2) (d^2 - v) */
        const vf mean = m_old + (d - m_old) * c.one_minus_beta_1;
        vf square = v_old + (d * d - v_old) * c.one_minus_beta_2;
        vf_store_first(m + i, mean, left);
        vf_store_first(v + i, square, left);
        if (v_max) {
            /* v_max = max(v_max, v) */
            square = vf_max(square, vf_load_first(v_max + i, left, 0.0f));
            vf_store_first(v_max + i, square, left);
        }
        /* p -= alpha m / (sqrt(v) + epsilon) */
        const vf change = mean * c.alpha / (vf_sqrt(square) + c.epsilon);
        vf_store_first(p + i, load_decayed(p + i, step, left) - change, left);
    }
}

/* beta^t as float32 arithmetic has it: the exact power of the rounded beta, rounded. */
static float power(double beta, fk_index t) { return (float)pow((double)(float)beta, (double)t); }

void fk_optimizer_adam(float *p, float *m, float *v, float *v_max, float *g, fk_optimizer_step step,
                       double beta_1, double beta_2, float epsilon, fk_index t, fk_index n)
{
    const float alpha = step.learning_rate * sqrtf(1.0f - power(beta_2, t)) / (1.0f - power(beta_1, t));
    const adam_numbers c = {alpha, (float)(1.0 - beta_1), (float)(1.0 - beta_2), epsilon};
#pragma omp parallel for num_threads((int)fk_threads_for(n, GRAIN)) schedule(static)
    for (fk_index i = 0; i < n; i += BLOCK)
        adam_block(p + i, m + i, v + i, v_max ? v_max + i : NULL, g + i, step, c, fk_min(BLOCK, n - i));
}

/* --- the average of the parameters --------------------------------------------------------------------- */

void fk_optimizer_average(float *a, const float *p, float momentum, fk_index n)
{
    const float rest = 1.0f - momentum;
#pragma omp parallel for num_threads((int)fk_threads_for(n, GRAIN)) schedule(static)
    for (fk_index i = 0; i < n; i += FK_VL) {
        const vf old = vf_load_first(a + i, n - i, 0.0f), value = vf_load_first(p + i, n - i, 0.0f);
        vf_store_first(a + i, momentum * old + rest * value, n - i);
    }
}

/* --- norms --------------------------------------------------------------------------------------------- */

enum {
    PARTS = 64, /* parts of a long sum, whatever the number of threads */
    LANES = 8   /* running sums in a part */
};

static double part_square_sum(const float *g, fk_index n)
{
    double lane[LANES] = {0}, sum = 0.0;
    fk_index i = 0;
    for (; i + LANES <= n; i += LANES)
        for (fk_index l = 0; l < LANES; l++)
            lane[l] += (double)g[i + l] * (double)g[i + l];
    for (; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    for (fk_index l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

double fk_optimizer_square_sum(const float *g, fk_index n)
{
    const fk_index size = fk_max(BLOCK, fk_ceil_div(n, PARTS));
    const fk_index parts = fk_ceil_div(n, size);
    double part[PARTS], sum = 0.0;
#pragma omp parallel for num_threads((int)fk_threads_for(n, GRAIN)) schedule(static)
    for (fk_index k = 0; k < parts; k++)
        part[k] = part_square_sum(g + k * size, fk_min(size, n - k * size));
    for (fk_index k = 0; k < parts; k++)
        sum += part[k];
    return sum;
}

static void multiply(float *g, float factor, fk_index n)
{
#pragma omp parallel for num_threads((int)fk_threads_for(n, GRAIN)) schedule(static)
    for (fk_index i = 0; i < n; i += FK_VL)
        vf_store_first(g + i, vf_load_first(g + i, n - i, 0.0f) * factor, n - i);
}

void fk_optimizer_clip_norms(float *g, const int64_t *offsets, float limit, fk_index variables)
{
    for (fk_index k = 0; k < variables; k++) {
        float *g_k = g + offsets[k];
        const fk_index n = offsets[k + 1] - offsets[k];
        const double norm = sqrt(fk_optimizer_square_sum(g_k, n));
        if (!(norm <= limit)) /* a norm that is not a number makes the gradient so, as in Keras */
            multiply(g_k, (float)(limit / norm), n);
    }
}
