"""Shapes, pointers and the GIL for optimizers.c; the mathematics is in src_c/optimizers.h.

p, g and the arrays an optimizer keeps are flat and of one length; None switches off what needs the array.
Every step takes learning_rate, scale, clip and decay, and leaves g zero.
"""

from libc.stdint cimport int64_t
from numpy cimport ndarray

from fastkeras._kernels.array cimport f32, f32_out, f32_out_or_null, i64

cdef extern from "optimizers.h" nogil:
    ctypedef struct fk_optimizer_step:
        float learning_rate, scale, clip, decay
    void fk_optimizer_sgd(float *p, float *m, float *g, fk_optimizer_step step, float momentum, int nesterov,
                          Py_ssize_t n) noexcept
    void fk_optimizer_rmsprop(float *p, float *v, float *m, float *a, float *g, fk_optimizer_step step,
                              double rho, float momentum, float epsilon, Py_ssize_t n) noexcept
    void fk_optimizer_adam(float *p, float *m, float *v, float *v_max, float *g, fk_optimizer_step step,
                           double beta_1, double beta_2, float epsilon, Py_ssize_t t, Py_ssize_t n) noexcept
    ctypedef struct fk_ftrl_numbers:
        float exponent, l1, l2, shrinkage, beta
    void fk_optimizer_adagrad(float *p, float *v, float *g, fk_optimizer_step step, float epsilon,
                              Py_ssize_t n) noexcept
    void fk_optimizer_nadam(float *p, float *m, float *v, float *g, fk_optimizer_step step, float beta_1,
                            float beta_2, float epsilon, Py_ssize_t t, Py_ssize_t n) noexcept
    double fk_optimizer_nadam_momentum_product(double beta_1, Py_ssize_t t) noexcept
    void fk_optimizer_adamax(float *p, float *m, float *u, float *g, fk_optimizer_step step, double beta_1,
                             float beta_2, float epsilon, Py_ssize_t t, Py_ssize_t n) noexcept
    void fk_optimizer_adadelta(float *p, float *v, float *x, float *g, fk_optimizer_step step, double rho,
                               float epsilon, Py_ssize_t n) noexcept
    void fk_optimizer_lion(float *p, float *m, float *g, fk_optimizer_step step, float beta_1, float beta_2,
                           Py_ssize_t n) noexcept
    void fk_optimizer_ftrl(float *p, float *v, float *z, float *g, fk_optimizer_step step, fk_ftrl_numbers c,
                           Py_ssize_t n) noexcept
    void fk_optimizer_average(float *a, const float *p, float momentum, Py_ssize_t n) noexcept
    double fk_optimizer_square_sum(const float *g, Py_ssize_t n) noexcept
    void fk_optimizer_clip_norms(float *g, const int64_t *offsets, float limit, Py_ssize_t variables) noexcept


def sgd(ndarray p not None, ndarray m, ndarray g not None, float learning_rate, float scale, float clip,
        float decay, float momentum, bint nesterov):
    """p -= learning_rate d;  with m: momentum, and Nesterov's if `nesterov`"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef float *m_data
    f32_out_or_null(&m_data, m, "m", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_sgd(p_data, m_data, g_data, step, momentum, nesterov, n)


def rmsprop(ndarray p not None, ndarray v not None, ndarray m, ndarray a, ndarray g not None,
            float learning_rate, float scale, float clip, float decay, double rho, float momentum,
            float epsilon):
    """p -= learning_rate d / sqrt(v + epsilon);  with m: momentum, with a: centered"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *v_data = f32_out(v, "v", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef float *m_data
    cdef float *a_data
    f32_out_or_null(&m_data, m, "m", 1, n)
    f32_out_or_null(&a_data, a, "a", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_rmsprop(p_data, v_data, m_data, a_data, g_data, step, rho, momentum, epsilon, n)


def adam(ndarray p not None, ndarray m not None, ndarray v not None, ndarray v_max, ndarray g not None,
         float learning_rate, float scale, float clip, float decay, double beta_1, double beta_2,
         float epsilon, Py_ssize_t t):
    """p -= alpha m / (sqrt(v) + epsilon), at step t = 1, 2, ...;  with v_max: AMSGrad"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *m_data = f32_out(m, "m", 1, n)
    cdef float *v_data = f32_out(v, "v", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef float *v_max_data
    f32_out_or_null(&v_max_data, v_max, "v_max", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_adam(p_data, m_data, v_data, v_max_data, g_data, step, beta_1, beta_2, epsilon, t, n)


def adagrad(ndarray p not None, ndarray v not None, ndarray g not None, float learning_rate, float scale,
            float clip, float decay, float epsilon):
    """p -= learning_rate d / sqrt(v + epsilon), where v is the sum of d^2"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *v_data = f32_out(v, "v", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_adagrad(p_data, v_data, g_data, step, epsilon, n)


def nadam(ndarray p not None, ndarray m not None, ndarray v not None, ndarray g not None, float learning_rate,
          float scale, float clip, float decay, float beta_1, float beta_2, float epsilon, Py_ssize_t t):
    """Adam with Nesterov's momentum, at step t = 1, 2, ..."""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *m_data = f32_out(m, "m", 1, n)
    cdef float *v_data = f32_out(v, "v", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_nadam(p_data, m_data, v_data, g_data, step, beta_1, beta_2, epsilon, t, n)


def nadam_momentum_product(double beta_1, Py_ssize_t t):
    """The product of Nadam's momentums of steps 1 to t"""
    return fk_optimizer_nadam_momentum_product(beta_1, t)


def adamax(ndarray p not None, ndarray m not None, ndarray u not None, ndarray g not None, float learning_rate,
           float scale, float clip, float decay, double beta_1, float beta_2, float epsilon, Py_ssize_t t):
    """p -= learning_rate / (1 - beta_1^t) m / (u + epsilon), at step t = 1, 2, ..."""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *m_data = f32_out(m, "m", 1, n)
    cdef float *u_data = f32_out(u, "u", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_adamax(p_data, m_data, u_data, g_data, step, beta_1, beta_2, epsilon, t, n)


def adadelta(ndarray p not None, ndarray v not None, ndarray x not None, ndarray g not None, float learning_rate,
             float scale, float clip, float decay, double rho, float epsilon):
    """p -= learning_rate sqrt(x + epsilon) / sqrt(v + epsilon) d"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *v_data = f32_out(v, "v", 1, n)
    cdef float *x_data = f32_out(x, "x", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_adadelta(p_data, v_data, x_data, g_data, step, rho, epsilon, n)


def lion(ndarray p not None, ndarray m not None, ndarray g not None, float learning_rate, float scale,
         float clip, float decay, float beta_1, float beta_2):
    """p -= learning_rate sign(beta_1 m + (1 - beta_1) d)"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *m_data = f32_out(m, "m", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    with nogil:
        fk_optimizer_lion(p_data, m_data, g_data, step, beta_1, beta_2, n)


def ftrl(ndarray p not None, ndarray v not None, ndarray z not None, ndarray g not None, float learning_rate,
         float scale, float clip, float decay, float exponent, float l1, float l2, float shrinkage, float beta):
    """p = (min(max(z, -l1), l1) - z) / ((v^exponent + beta) / learning_rate + 2 l2)"""
    cdef float *p_data = f32_out(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *v_data = f32_out(v, "v", 1, n)
    cdef float *z_data = f32_out(z, "z", 1, n)
    cdef float *g_data = f32_out(g, "g", 1, n)
    cdef fk_optimizer_step step = fk_optimizer_step(learning_rate, scale, clip, decay)
    cdef fk_ftrl_numbers numbers = fk_ftrl_numbers(exponent, l1, l2, shrinkage, beta)
    with nogil:
        fk_optimizer_ftrl(p_data, v_data, z_data, g_data, step, numbers, n)


def average(ndarray a not None, ndarray p not None, float momentum):
    """a = momentum a + (1 - momentum) p    a, p (n)"""
    cdef const float *p_data = f32(p, "p", 1)
    cdef Py_ssize_t n = p.shape[0]
    cdef float *a_data = f32_out(a, "a", 1, n)
    with nogil:
        fk_optimizer_average(a_data, p_data, momentum, n)


def square_sum(ndarray g not None):
    """sum of g_i^2    g (n)"""
    cdef const float *g_data = f32(g, "g", 1)
    cdef Py_ssize_t n = g.shape[0]
    cdef double result
    with nogil:
        result = fk_optimizer_square_sum(g_data, n)
    return result


def clip_norms(ndarray g not None, ndarray offsets not None, float limit):
    """g_k *= limit / ||g_k|| where ||g_k|| > limit    g (n) =   offsets (variables + 1) from 0 up to n"""
    cdef const int64_t *offset = i64(offsets, "offsets", 1)
    cdef Py_ssize_t variables = offsets.shape[0] - 1
    cdef float *g_data = f32_out(g, "g", 1)
    cdef Py_ssize_t k
    for k in range(variables):
        if not 0 <= offset[k] <= offset[k + 1] <= g.shape[0]:
            raise ValueError(f"`offsets` must rise from 0 to {g.shape[0]}, the length of `g`. "
                             f"Received: {offsets}")
    with nogil:
        fk_optimizer_clip_norms(g_data, offset, limit, variables)
