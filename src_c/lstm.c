#include "lstm.h"

#include "elementwise.h"
#include "recurrent.h"

typedef struct {
    float *h, *c, *gates, *z;
    const float *P, *R, *m;
    fk_activation act, g;
    fk_states tree;
    fk_index U;
} forward_pass;

typedef struct {
    float *dh, *dc, *gates;
    const float *z, *c, *Rt, *m;
    fk_activation act, g;
    fk_states tree;
    fk_index U;
} backward_pass;

/* Rows of U floats: the gradient of h[parent] of each state of a wave; and of one state those of [i f a o] and of
 * act(c), and act(c) itself. */
enum { ROWS = 7 };

fk_index fk_lstm_scratch(fk_index B, fk_index U) { return fk_recurrent_scratch(B, ROWS * U); }

/* c = f c_parent + i a */
static void new_carry(float *c, const float *c_parent, const float *gates, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        const vf i = vf_load_first(gates + u, n, 0.0f), f = vf_load_first(gates + U + u, n, 0.0f);
        const vf a = vf_load_first(gates + 2 * U + u, n, 0.0f);
        vf_store_first(c + u, f * vf_load_first(c_parent + u, n, 0.0f) + i * a, n);
    }
}

static void wave_forward(const void *layer, fk_index s0, fk_index s1, float *hp)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    const fk_gemm_rows P = {p->P, p->tree.row + s0, 4 * U};
    float *z = p->z ? p->z : p->gates;
    /* z_s = P[row_s] + h[parent_s] R */
    fk_recurrent_product(z + s0 * 4 * U, 4 * U, P, p->h, p->R, p->m, p->tree, hp, s0, s1, 4 * U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *gates = p->gates + s * 4 * U, *c_s = p->c + (first + s) * U, *h_s = p->h + (first + s) * U;
        const float *z_s = z + s * 4 * U;
        fk_activation_span(gates, z_s, p->g, 2 * U);
        fk_activation_span(gates + 2 * U, z_s + 2 * U, p->act, U);
        fk_activation_span(gates + 3 * U, z_s + 3 * U, p->g, U);
        new_carry(c_s, p->c + p->tree.parent[s] * U, gates, U);
        /* h_s = o act(c_s) */
        fk_activation_span(h_s, c_s, p->act, U);
        fk_multiply(h_s, gates + 3 * U, h_s, U);
    }
}

void fk_lstm_forward(float *h, float *c, float *gates, float *z, const float *P, const float *R_packed,
                     const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch, fk_index U)
{
    const forward_pass p = {h, c, gates, z, P, R_packed, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_forward, &p, 0, 4 * U * U, scratch, ROWS * U);
}

/* d = [a dc   c_parent dc   i dc   act_c dh]     dc += da     dc_parent += f dc, unless NULL */
static void gate_gradients(float *d, float *dc, float *dc_parent, const float *gates, const float *da,
                           const float *act_c, const float *dh, const float *c_parent, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        const vf i = vf_load_first(gates + u, n, 0.0f), f = vf_load_first(gates + U + u, n, 0.0f);
        const vf a = vf_load_first(gates + 2 * U + u, n, 0.0f);
        const vf dc_u = vf_load_first(dc + u, n, 0.0f) + vf_load_first(da + u, n, 0.0f);
        const vf d_o = vf_load_first(act_c + u, n, 0.0f) * vf_load_first(dh + u, n, 0.0f);
        vf_store_first(dc + u, dc_u, n);
        vf_store_first(d + u, a * dc_u, n);
        vf_store_first(d + U + u, vf_load_first(c_parent + u, n, 0.0f) * dc_u, n);
        vf_store_first(d + 2 * U + u, i * dc_u, n);
        vf_store_first(d + 3 * U + u, d_o, n);
        if (dc_parent)
            vf_store_first(dc_parent + u, vf_load_first(dc_parent + u, n, 0.0f) + f * dc_u, n);
    }
}

static void wave_backward(const void *layer, fk_index s0, fk_index s1, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    float *dhp = scratch, *d = scratch + (s1 - s0) * U, *act_c = d + 4 * U, *da = d + 5 * U;
    for (fk_index s = s0; s < s1; s++) {
        const int32_t parent = p->tree.parent[s];
        const float *c_s = p->c + (first + s) * U, *dh_s = p->dh + (first + s) * U;
        const float *z_s = p->z ? p->z + s * 4 * U : p->gates + s * 4 * U;
        float *gates = p->gates + s * 4 * U;
        /* forward: h_s = o act(c_s) */
        fk_activation_span(act_c, c_s, p->act, U);
        fk_multiply(da, gates + 3 * U, dh_s, U);
        fk_activation_span_backward(da, da, c_s, act_c, p->act, U);
        /* forward: c_s = f c[parent_s] + i a */
        gate_gradients(d, p->dc + (first + s) * U, parent ? p->dc + parent * U : NULL, gates, da, act_c, dh_s,
                       p->c + parent * U, U);
        /* forward: [i f a o] = [g(z_i) g(z_f) act(z_a) g(z_o)] */
        fk_activation_span_backward(gates, d, z_s, gates, p->g, 2 * U);
        fk_activation_span_backward(gates + 2 * U, d + 2 * U, z_s + 2 * U, gates + 2 * U, p->act, U);
        fk_activation_span_backward(gates + 3 * U, d + 3 * U, z_s + 3 * U, gates + 3 * U, p->g, U);
    }
    /* forward: z_s = P[row_s] + h[parent_s] R */
    const fk_gemm_rows dz = {p->gates + s0 * 4 * U, NULL, 4 * U};
    fk_gemm_packed(dhp, U, dz, (fk_gemm_rows){NULL, NULL, 0}, p->Rt, s1 - s0, U, 4 * U);
    fk_recurrent_to_parents(p->dh, dhp, p->m, p->tree, s0, s1, U);
}

void fk_lstm_backward(float *dh, float *dc, float *gates, const float *z, const float *c, const float *Rt_packed,
                      const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch, fk_index U)
{
    const backward_pass p = {dh, dc, gates, z, c, Rt_packed, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_backward, &p, 1, 4 * U * U, scratch, ROWS * U);
}
