#include "lstm.h"

#include "gates.h"
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

/* Floats of scratch for each state of a wave: z_s, or what the backward product needs. */
static fk_index scratch_row(fk_index U) { return fk_recurrent_backward_row(4 * U, U); }

fk_index fk_lstm_scratch(fk_index B, fk_index U) { return fk_recurrent_scratch(B, scratch_row(U)); }

/* n <= FK_VL units of one state: their gates and c. z, gates: of the first gate, the next lie U floats apart. */
FK_INLINE void gates_forward(float *c, float *gates, const float *z, const float *c_parent, fk_activation act,
                             fk_activation g, fk_index U, fk_index n)
{
    const vf i = fk_gate(vf_load_first(z, n, 0.0f), g), f = fk_gate(vf_load_first(z + U, n, 0.0f), g);
    const vf a = fk_gate(vf_load_first(z + 2 * U, n, 0.0f), act);
    const vf o = fk_gate(vf_load_first(z + 3 * U, n, 0.0f), g);
    vf_store_first(c, f * vf_load_first(c_parent, n, 0.0f) + i * a, n);
    vf_store_first(gates, i, n);
    vf_store_first(gates + U, f, n);
    vf_store_first(gates + 2 * U, a, n);
    vf_store_first(gates + 3 * U, o, n);
}

FK_INLINE void output_forward(float *h, const float *o, const float *c, fk_activation act, fk_index n)
{
    vf_store_first(h, vf_load_first(o, n, 0.0f) * fk_gate(vf_load_first(c, n, 0.0f), act), n);
}

/* Two loops: what one vector's outputs wait for is long done, and several vectors' gates are under way at once. */
FK_INLINE void state_forward(float *h, float *c, float *gates, const float *z, const float *c_parent,
                             fk_activation act, fk_activation g, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL)
        if (u + FK_VL <= U)
            gates_forward(c + u, gates + u, z + u, c_parent + u, act, g, U, FK_VL);
        else
            gates_forward(c + u, gates + u, z + u, c_parent + u, act, g, U, U - u);
    for (fk_index u = 0; u < U; u += FK_VL)
        output_forward(h + u, gates + 3 * U + u, c + u, act, U - u);
}

static void wave_forward(const void *layer, fk_wave w, float *scratch)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots, s0 = w.s0, s1 = w.s1;
    const fk_gemm_rows P = {p->P, p->tree.row + s0, 4 * U};
    float *z = p->z ? p->z + s0 * 4 * U : scratch;
    fk_gemm_ahead places = {0};
    if (p->gates) /* which are written next: their places come near meanwhile */
        places = (fk_gemm_ahead){p->gates + s0 * 4 * U, s1 - s0, 4 * U, 4 * U, 0};
    /* z_s = P[row_s] + h[parent_s] R    (h[parent_s] under its mask lies where h_s will) */
    fk_recurrent_product(z, 4 * U, P, p->h, p->R, p->m, p->tree, p->h + (first + s0) * U,
                         &places, s0, s1, 4 * U, U);
    for (fk_index s = s0; s < s1; s++, z += 4 * U) {
        float *h_s = p->h + (first + s) * U, *c_s = p->c + (first + s) * U;
        float *gates = p->gates ? p->gates + s * 4 * U : z;
        const float *c_parent = p->c + p->tree.parent[s] * U;
        if (fk_gates_usual(p->act, p->g))
            state_forward(h_s, c_s, gates, z, c_parent, fk_tanh, fk_sigmoid, U);
        else
            state_forward(h_s, c_s, gates, z, c_parent, p->act, p->g, U);
    }
}

void fk_lstm_forward(float *h, float *c, float *gates, float *z, const float *P, const float *R_packed,
                     const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                     fk_index U)
{
    const forward_pass p = {h, c, gates, z, P, R_packed, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_forward, &p, 0, 4 * U * U, scratch, scratch_row(U));
}

/* n <= FK_VL units of one state: gates = dz, dc += .., and unless it is NULL dc_parent += .. */
FK_INLINE void units_backward(float *dc, float *dc_parent, float *gates, const float *dh, const float *z,
                              const float *c, const float *c_parent, fk_activation act, fk_activation g,
                              fk_index U, fk_index n)
{
    const vf i = vf_load_first(gates, n, 0.0f), f = vf_load_first(gates + U, n, 0.0f);
    const vf a = vf_load_first(gates + 2 * U, n, 0.0f), o = vf_load_first(gates + 3 * U, n, 0.0f);
    const vf dh_s = vf_load_first(dh, n, 0.0f), c_s = vf_load_first(c, n, 0.0f);
    /* forward: h_s = o act(c_s) */
    const vf act_c = fk_gate(c_s, act), d_o = act_c * dh_s;
    const vf dc_s = vf_load_first(dc, n, 0.0f) + fk_gate_backward(o * dh_s, c_s, act_c, act);
    /* forward: c_s = f c[parent_s] + i a */
    const vf di = a * dc_s, df = vf_load_first(c_parent, n, 0.0f) * dc_s, da = i * dc_s;
    vf_store_first(dc, dc_s, n);
    if (dc_parent)
        vf_store_first(dc_parent, vf_load_first(dc_parent, n, 0.0f) + f * dc_s, n);
    /* forward: [i f a o] = [g(z_i) g(z_f) act(z_a) g(z_o)] */
    vf_store_first(gates, fk_gate_backward(di, vf_load_first(z, n, 0.0f), i, g), n);
    vf_store_first(gates + U, fk_gate_backward(df, vf_load_first(z + U, n, 0.0f), f, g), n);
    vf_store_first(gates + 2 * U, fk_gate_backward(da, vf_load_first(z + 2 * U, n, 0.0f), a, act), n);
    vf_store_first(gates + 3 * U, fk_gate_backward(d_o, vf_load_first(z + 3 * U, n, 0.0f), o, g), n);
}

FK_INLINE void state_backward(float *dc, float *dc_parent, float *gates, const float *dh, const float *z,
                              const float *c, const float *c_parent, fk_activation act, fk_activation g,
                              fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        float *dc_parent_u = dc_parent ? dc_parent + u : NULL;
        if (u + FK_VL <= U)
            units_backward(dc + u, dc_parent_u, gates + u, dh + u, z + u, c + u, c_parent + u, act, g, U, FK_VL);
        else
            units_backward(dc + u, dc_parent_u, gates + u, dh + u, z + u, c + u, c_parent + u, act, g, U, U - u);
    }
}

static void wave_backward(const void *layer, fk_wave w, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    for (fk_index s = w.s0; s < w.s1; s++) {
        const int32_t parent = p->tree.parent[s];
        float *gates = p->gates + s * 4 * U, *dc = p->dc + (first + s) * U, *dc_parent = p->dc + parent * U;
        const float *dh = p->dh + (first + s) * U, *c = p->c + (first + s) * U, *c_parent = p->c + parent * U;
        const float *z = p->z ? p->z + s * 4 * U : gates; /* not looked at, if it was not kept */
        if (fk_gates_usual(p->act, p->g))
            state_backward(dc, parent ? dc_parent : NULL, gates, dh, z, c, c_parent, fk_tanh, fk_sigmoid, U);
        else
            state_backward(dc, parent ? dc_parent : NULL, gates, dh, z, c, c_parent, p->act, p->g, U);
    }
    /* forward: z_s = P[row_s] + h[parent_s] R */
    fk_recurrent_product_backward(p->dh, p->gates, 4 * U, p->Rt, p->m, p->tree, scratch, w, 4 * U, U);
}

void fk_lstm_backward(float *dh, float *dc, float *gates, const float *z, const float *c, const float *Rt_packed,
                      const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                      fk_index U)
{
    const backward_pass p = {dh, dc, gates, z, c, Rt_packed, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_backward, &p, 1, 4 * U * U, scratch, scratch_row(U));
}
