/* gates.h: the activations of a recurrent layer's gates, one vector at a time, so that what follows from them
 * stays in registers. Sigmoid and tanh are inlined; any other kind is right, and costs a call. */
#ifndef FK_GATES_H
#define FK_GATES_H

#include "activations.h"
#include "fk.h"
#include "simd.h"

static const fk_activation fk_tanh = {FK_TANH, 0, 0, 0}, fk_sigmoid = {FK_SIGMOID, 0, 0, 0};
FK_INLINE int fk_gates_usual(fk_activation act, fk_activation g)
{
    return act.kind == FK_TANH && g.kind == FK_SIGMOID;
}

/* f(x) */
FK_INLINE vf fk_gate(vf x, fk_activation f)
{
    float y[FK_VL];
    switch (f.kind) {
    case FK_SIGMOID: return vf_sigmoid(x);
    case FK_TANH: return vf_tanh(x);
    }
    vf_store(y, x);
    fk_activation_span(y, y, f, FK_VL);
    return vf_load(y);
}

/* f'(x) dy    with y = f(x); only some kinds look at x (fk_activation_needs_x) */
FK_INLINE vf fk_gate_backward(vf dy, vf x, vf y, fk_activation f)
{
    float d[FK_VL], xs[FK_VL], ys[FK_VL];
    switch (f.kind) {
    case FK_SIGMOID: return y * (1.0f - y) * dy;
    case FK_TANH: return (1.0f - y * y) * dy;
    }
    vf_store(d, dy);
    vf_store(xs, x);
    vf_store(ys, y);
    fk_activation_span_backward(d, d, xs, ys, f, FK_VL);
    return vf_load(d);
}

/* Asks for n floats that are soon to be read, from where the machine cannot guess. */
FK_INLINE void fk_prefetch(const float *p, fk_index n)
{
    for (fk_index i = 0; i < n; i += 16)
        __builtin_prefetch(p + i);
}

#endif
