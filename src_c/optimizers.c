#include "optimizers.h"

#include <math.h>

#include "simd.h"
#include "threads.h"

#define GRAIN 50000 /* elements that are worth a thread */

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

static void sgd_plain(float *p, float *g, fk_optimizer_step step, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const vf d = take_gradient(g + i, step, n - i);
        /* p -= r d */
        vf_store_first(p + i, load_decayed(p + i, step, n - i) - step.learning_rate * d, n - i);
    }
}

static void sgd_momentum(float *p, float *m, float *g, fk_optimizer_step step, float momentum, int nesterov,
                         fk_index n)
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

static void sgd_share(float *p, float *m, float *g, fk_optimizer_step step, float momentum, int nesterov,
                      fk_index n)
{
    if (m)
        sgd_momentum(p, m, g, step, momentum, nesterov, n);
    else
        sgd_plain(p, g, step, n);
}

void fk_optimizer_sgd(float *p, float *m, float *g, fk_optimizer_step step, float momentum, int nesterov,
                      fk_index n)
{
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  sgd_share(p + i, m ? m + i : NULL, g + i, step, momentum, nesterov, end - i));
}

/* --- RMSprop ------------------------------------------------------------------------------------------- */

typedef struct {
    float rho, one_minus_rho, momentum, epsilon;
} rmsprop_numbers;

static void rmsprop_share(float *p, float *v, float *m, float *a, float *g, fk_optimizer_step step,
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
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  rmsprop_share(p + i, v + i, m ? m + i : NULL, a ? a + i : NULL, g + i, step, c, end - i));
}

/* --- Adam ---------------------------------------------------------------------------------------------- */

typedef struct {
    float alpha, one_minus_beta_1, one_minus_beta_2, epsilon;
} adam_numbers;

static void adam_share(float *p, float *m, float *v, float *v_max, float *g, fk_optimizer_step step,
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
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  adam_share(p + i, m + i, v + i, v_max ? v_max + i : NULL, g + i, step, c, end - i));
}

/* --- Adagrad ------------------------------------------------------------------------------------------- */

static void adagrad_share(float *p, float *v, float *g, fk_optimizer_step step, float epsilon, fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left);
        /* v += d^2 */
        const vf square = vf_load_first(v + i, left, 0.0f) + d * d;
        vf_store_first(v + i, square, left);
        /* p -= r d / sqrt(v + epsilon) */
        const vf change = step.learning_rate * d / vf_sqrt(square + epsilon);
        vf_store_first(p + i, load_decayed(p + i, step, left) - change, left);
    }
}

void fk_optimizer_adagrad(float *p, float *v, float *g, fk_optimizer_step step, float epsilon, fk_index n)
{
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  adagrad_share(p + i, v + i, g + i, step, epsilon, end - i));
}

/* --- Nadam --------------------------------------------------------------------------------------------- */

typedef struct {
    float of_mean, of_gradient; /* u_{t+1} / (1 - U_{t+1}) and (1 - u_t) / (1 - U_t), times r */
    float one_minus_beta_1, one_minus_beta_2, one_minus_power_2, epsilon;
} nadam_numbers;

static void nadam_share(float *p, float *m, float *v, float *g, fk_optimizer_step step, nadam_numbers c,
                        fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left);
        const vf m_old = vf_load_first(m + i, left, 0.0f), v_old = vf_load_first(v + i, left, 0.0f);
        /* m += (1 - beta_1) (d - m)        v += (1 - beta_2) (d^2 - v) */
        const vf mean = m_old + (d - m_old) * c.one_minus_beta_1;
        const vf square = v_old + (d * d - v_old) * c.one_minus_beta_2;
        vf_store_first(m + i, mean, left);
        vf_store_first(v + i, square, left);
        /* p -= r (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) d / (1 - U_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon) */
        const vf root = vf_sqrt(square / c.one_minus_power_2);
        const vf change = (c.of_mean * mean + c.of_gradient * d) / (root + c.epsilon);
        vf_store_first(p + i, load_decayed(p + i, step, left) - change, left);
    }
}

/* u_t = beta_1 (1 - 0.96^t / 2) */
static double nadam_momentum(double beta_1, fk_index t) { return beta_1 * (1.0 - 0.5 * pow(0.96, (double)t)); }

double fk_optimizer_nadam_momentum_product(double beta_1, fk_index t)
{
    const fk_index some = fk_min(t, 500); /* after that, a factor is beta_1 but for 1e-9 of it */
    double product = pow(beta_1, (double)(t - some)), decay = 1.0;
    for (fk_index k = 0; k < some; k++) {
        decay *= 0.96;
        product *= beta_1 * (1.0 - 0.5 * decay);
    }
    return product;
}

void fk_optimizer_nadam(float *p, float *m, float *v, float *g, fk_optimizer_step step, float beta_1,
                        float beta_2, float epsilon, fk_index t, fk_index n)
{
    const double now = nadam_momentum(beta_1, t), next = nadam_momentum(beta_1, t + 1);
    const double product = fk_optimizer_nadam_momentum_product(beta_1, t);
    const nadam_numbers c = {(float)(step.learning_rate * next / (1.0 - product * next)),
                             (float)(step.learning_rate * (1.0 - now) / (1.0 - product)),
                             1.0f - beta_1,
                             1.0f - beta_2,
                             1.0f - power(beta_2, t),
                             epsilon};
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  nadam_share(p + i, m + i, v + i, g + i, step, c, end - i));
}

/* --- Adamax -------------------------------------------------------------------------------------------- */

typedef struct {
    float alpha, one_minus_beta_1, beta_2, epsilon;
} adamax_numbers;

static void adamax_share(float *p, float *m, float *u, float *g, fk_optimizer_step step, adamax_numbers c,
                         fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left);
        /* m += (1 - beta_1) (d - m) */
        const vf m_old = vf_load_first(m + i, left, 0.0f);
        const vf mean = m_old + (d - m_old) * c.one_minus_beta_1;
        vf_store_first(m + i, mean, left);
        /* u = max(beta_2 u, |d|) */
        const vf norm = vf_max(vf_abs(d), c.beta_2 * vf_load_first(u + i, left, 0.0f));
        vf_store_first(u + i, norm, left);
        /* p -= r / (1 - beta_1^t) m / (u + epsilon) */
        vf_store_first(p + i, load_decayed(p + i, step, left) - c.alpha * mean / (norm + c.epsilon), left);
    }
}

void fk_optimizer_adamax(float *p, float *m, float *u, float *g, fk_optimizer_step step, double beta_1,
                         float beta_2, float epsilon, fk_index t, fk_index n)
{
    const float alpha = step.learning_rate / (1.0f - power(beta_1, t));
    const adamax_numbers c = {alpha, (float)(1.0 - beta_1), beta_2, epsilon};
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  adamax_share(p + i, m + i, u + i, g + i, step, c, end - i));
}

/* --- Adadelta ------------------------------------------------------------------------------------------ */

typedef struct {
    float rho, one_minus_rho, epsilon;
} adadelta_numbers;

static void adadelta_share(float *p, float *v, float *x, float *g, fk_optimizer_step step, adadelta_numbers c,
                           fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left);
        /* v = rho v + (1 - rho) d^2 */
        const vf square = c.rho * vf_load_first(v + i, left, 0.0f) + c.one_minus_rho * (d * d);
        vf_store_first(v + i, square, left);
        /* u = sqrt(x + epsilon) / sqrt(v + epsilon) d */
        const vf x_old = vf_load_first(x + i, left, 0.0f);
        const vf change = vf_sqrt(x_old + c.epsilon) * d / vf_sqrt(square + c.epsilon);
        /* x = rho x + (1 - rho) u^2 */
        vf_store_first(x + i, c.rho * x_old + c.one_minus_rho * (change * change), left);
        /* p -= r u */
        vf_store_first(p + i, load_decayed(p + i, step, left) - step.learning_rate * change, left);
    }
}

void fk_optimizer_adadelta(float *p, float *v, float *x, float *g, fk_optimizer_step step, double rho,
                           float epsilon, fk_index n)
{
    const adadelta_numbers c = {(float)rho, (float)(1.0 - rho), epsilon};
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  adadelta_share(p + i, v + i, x + i, g + i, step, c, end - i));
}

/* --- Lion ---------------------------------------------------------------------------------------------- */

static void lion_share(float *p, float *m, float *g, fk_optimizer_step step, float beta_1, float beta_2,
                       fk_index n)
{
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left), m_old = vf_load_first(m + i, left, 0.0f);
        /* p -= r vf_sign(beta_1 m + (1 - beta_1) d) */
        const vf direction = vf_sign(beta_1 * m_old + (1.0f - beta_1) * d);
        vf_store_first(p + i, load_decayed(p + i, step, left) - step.learning_rate * direction, left);
        /* m = beta_2 m + (1 - beta_2) d */
        vf_store_first(m + i, beta_2 * m_old + (1.0f - beta_2) * d, left);
    }
}

void fk_optimizer_lion(float *p, float *m, float *g, fk_optimizer_step step, float beta_1, float beta_2,
                       fk_index n)
{
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  lion_share(p + i, m + i, g + i, step, beta_1, beta_2, end - i));
}

/* --- Ftrl ---------------------------------------------------------------------------------------------- */

/* x^exponent for x >= 0 and exponent >= 0; 0^0 = 1 */
FK_INLINE vf raised(vf x, float exponent)
{
    if (exponent == 0.5f)
        return vf_sqrt(x);
    return exponent == 0.0f ? vf_set(1.0f) : vf_exp(exponent * vf_log(x));
}

static void ftrl_share(float *p, float *v, float *z, float *g, fk_optimizer_step step, fk_ftrl_numbers c,
                       fk_index n)
{
    const float r = step.learning_rate;
    for (fk_index i = 0; i < n; i += FK_VL) {
        const fk_index left = n - i;
        const vf d = take_gradient(g + i, step, left), value = load_decayed(p + i, step, left);
        /* v' = v + d^2 */
        const vf v_old = vf_load_first(v + i, left, 0.0f), square = v_old + d * d;
        vf_store_first(v + i, square, left);
        /* z += d + 2 shrinkage p - (v'^exponent - v^exponent) / r p */
        const vf root = raised(square, c.exponent), growth = root - raised(v_old, c.exponent);
        const vf linear = vf_load_first(z + i, left, 0.0f) + (d + 2.0f * c.shrinkage * value - growth / r * value);
        vf_store_first(z + i, linear, left);
        /* p = (min(max(z, -l1), l1) - z) / ((v^exponent + beta) / r + 2 l2) */
        const vf clipped = vf_max(vf_min(linear, vf_set(c.l1)), vf_set(-c.l1));
        vf_store_first(p + i, (clipped - linear) / ((root + c.beta) / r + 2.0f * c.l2), left);
    }
}

void fk_optimizer_ftrl(float *p, float *v, float *z, float *g, fk_optimizer_step step, fk_ftrl_numbers c,
                       fk_index n)
{
    FK_FOR_SHARES(i, end, n, FK_VL, fk_threads_for(n, GRAIN),
                  ftrl_share(p + i, v + i, z + i, g + i, step, c, end - i));
}

/* --- the average of the parameters --------------------------------------------------------------------- */

void fk_optimizer_average(float *a, const float *p, float momentum, fk_index n)
{
    const float rest = 1.0f - momentum;
    FK_FOR_EACH(i, n, FK_VL, fk_threads_for(n, GRAIN), {
        const vf old = vf_load_first(a + i, n - i, 0.0f), value = vf_load_first(p + i, n - i, 0.0f);
        vf_store_first(a + i, momentum * old + rest * value, n - i);
    });
}

/* --- norms --------------------------------------------------------------------------------------------- */

enum {
    PARTS = 64,   /* of a long sum, whatever the number of threads */
    LEAST = 4096, /* elements of a part */
    LANES = 8     /* running sums in a part */
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
    const fk_index size = fk_max(LEAST, fk_ceil_div(n, PARTS));
    const fk_index parts = fk_ceil_div(n, size);
    double part[PARTS], sum = 0.0;
    FK_FOR_EACH(k, parts, 1, fk_threads_for(n, GRAIN),
                part[k] = part_square_sum(g + k * size, fk_min(size, n - k * size)));
    for (fk_index k = 0; k < parts; k++)
        sum += part[k];
    return sum;
}

static void multiply(float *g, float factor, fk_index n)
{
    FK_FOR_EACH(i, n, FK_VL, fk_threads_for(n, GRAIN),
                vf_store_first(g + i, vf_load_first(g + i, n - i, 0.0f) * factor, n - i));
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
