#include "simple_rnn.h"

#include "recurrent.h"

typedef struct {
    float *h, *z;
    const float *P, *R, *m;
    fk_activation f;
    fk_states tree;
    fk_index U;
} forward_pass;

typedef struct {
    float *dh, *dz;
    const float *h, *z, *Rt, *m;
    fk_activation f;
    fk_states tree;
    fk_index U;
} backward_pass;

/* Floats of scratch for each state of a wave. */
static fk_index scratch_row(fk_index U) { return fk_recurrent_backward_row(U, U); }

fk_index fk_simple_rnn_scratch(fk_index B, fk_index U) { return fk_recurrent_scratch(B, scratch_row(U)); }

static void wave_forward(const void *layer, fk_wave w, float *hp)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, s0 = w.s0, s1 = w.s1;
    float *h_s = p->h + (1 + p->tree.roots + s0) * U, *z_s = p->z ? p->z + s0 * U : h_s;
    /* z_s = P[row_s] + h[parent_s] R */
    const fk_gemm_rows P = {p->P, p->tree.row + s0, U};
    fk_recurrent_product(z_s, U, P, p->h, p->R, p->m, p->tree, hp, NULL, s0, s1, U, U);
    /* h_s = f(z_s) */
    fk_activation_span(h_s, z_s, p->f, (s1 - s0) * U);
}

void fk_simple_rnn_forward(float *h, float *z, const float *P, const float *R_packed, const float *m,
                           fk_activation f, fk_states tree, float *scratch, fk_index U)
{
    const forward_pass p = {h, z, P, R_packed, m, f, tree, U};
    fk_recurrent_walk(tree, wave_forward, &p, 0, U * U, scratch, scratch_row(U));
}

static void wave_backward(const void *layer, fk_wave w, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = (1 + p->tree.roots + w.s0) * U;
    float *dz_s = p->dz + w.s0 * U;
    /* forward: h_s = f(z_s) */
    const float *z_s = p->z ? p->z + w.s0 * U : NULL;
    fk_activation_span_backward(dz_s, p->dh + first, z_s, p->h + first, p->f, (w.s1 - w.s0) * U);
    /* forward: z_s = P[row_s] + h[parent_s] R */
    fk_recurrent_product_backward(p->dh, p->dz, U, p->Rt, p->m, p->tree, scratch, w, U, U);
}

void fk_simple_rnn_backward(float *dh, float *dz, const float *h, const float *z, const float *Rt_packed,
                            const float *m, fk_activation f, fk_states tree, float *scratch, fk_index U)
{
    const backward_pass p = {dh, dz, h, z, Rt_packed, m, f, tree, U};
    fk_recurrent_walk(tree, wave_backward, &p, 1, U * U, scratch, scratch_row(U));
}
