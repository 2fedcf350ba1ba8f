#include "gru.h"

#include "elementwise.h"
#include "gates.h"
#include "recurrent.h"

typedef struct {
    float *h, *gates, *inner, *x;
    const float *P, *R, *R_a, *b_a, *m;
    fk_activation act, g;
    fk_states tree;
    fk_index U;
} forward_pass;

typedef struct {
    float *dh, *gates;
    const float *x, *h, *Rt, *Rt_a, *m;
    fk_activation act, g;
    fk_states tree;
    fk_index U;
} backward_pass;

/* Floats of scratch for each state of a wave. With the gate after the product: Q, or what the backward product needs.
 * With the gate before: the gradients of h[parent] and of r h[parent]; and of one state those of r or z and of a,
 * and h[parent] under its dropout mask. */
static fk_index scratch_row(fk_index U) { return fk_max(5 * U, fk_recurrent_backward_row(3 * U, U)); }

fk_index fk_gru_scratch(fk_index B, fk_index U) { return fk_recurrent_scratch(B, scratch_row(U)); }

static const fk_gemm_rows zero = {NULL, NULL, 0};

/* --- one state, elementwise -------------------------------------------------------------------------------- */

/* h = z h_parent + (1 - z) a */
static void mix(float *h, const float *h_parent, const float *z, const float *a, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        const vf z_u = vf_load_first(z + u, n, 0.0f), a_u = vf_load_first(a + u, n, 0.0f);
        vf_store_first(h + u, z_u * vf_load_first(h_parent + u, n, 0.0f) + (1.0f - z_u) * a_u, n);
    }
}

/* dz = (h_parent - a) dh    da = (1 - z) dh    dh_parent += z dh, unless NULL */
static void mix_backward(float *dz, float *da, float *dh_parent, const float *dh, const float *h_parent,
                         const float *z, const float *a, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        const vf dh_u = vf_load_first(dh + u, n, 0.0f), z_u = vf_load_first(z + u, n, 0.0f);
        vf_store_first(dz + u, (vf_load_first(h_parent + u, n, 0.0f) - vf_load_first(a + u, n, 0.0f)) * dh_u, n);
        vf_store_first(da + u, (1.0f - z_u) * dh_u, n);
        if (dh_parent)
            vf_store_first(dh_parent + u, vf_load_first(dh_parent + u, n, 0.0f) + z_u * dh_u, n);
    }
}

/* --- the reset gate after the product ---------------------------------------------------------------------- */

/* n <= FK_VL units of one state: gates = [z r q], and a = P_a + r q, of which act is still to be taken.
 * gates, x, P, Q: of the first of their parts, the next lie U floats apart. x, b_a: or NULL. */
FK_INLINE void gates_forward(float *gates, float *a, float *x, const float *P, const float *Q, const float *b_a,
                             fk_activation g, fk_index U, fk_index n)
{
    const vf x_z = vf_load_first(P, n, 0.0f) + vf_load_first(Q, n, 0.0f);
    const vf x_r = vf_load_first(P + U, n, 0.0f) + vf_load_first(Q + U, n, 0.0f);
    /* z = g(P_z + h[parent] R_z)    r = g(P_r + h[parent] R_r)    q = h[parent] R_a + b_a */
    const vf z = fk_gate(x_z, g), r = fk_gate(x_r, g);
    const vf b = b_a ? vf_load_first(b_a, n, 0.0f) : vf_set(0.0f), q = vf_load_first(Q + 2 * U, n, 0.0f) + b;
    const vf x_a = vf_load_first(P + 2 * U, n, 0.0f) + r * q;
    vf_store_first(gates, z, n);
    vf_store_first(gates + U, r, n);
    vf_store_first(gates + 2 * U, q, n);
    vf_store_first(a, x_a, n);
    if (x) {
        vf_store_first(x, x_z, n);
        vf_store_first(x + U, x_r, n);
        vf_store_first(x + 2 * U, x_a, n);
    }
}

/* a = act(a)    h = z h_parent + (1 - z) a */
FK_INLINE void output_forward(float *h, float *a, const float *z, const float *h_parent, fk_activation act,
                              fk_index n)
{
    const vf z_n = vf_load_first(z, n, 0.0f), a_n = fk_gate(vf_load_first(a, n, 0.0f), act);
    vf_store_first(a, a_n, n);
    vf_store_first(h, z_n * vf_load_first(h_parent, n, 0.0f) + (1.0f - z_n) * a_n, n);
}

/* Two loops, so that no vector waits for its own gates. */
FK_INLINE void state_forward(float *h, float *gates, float *a, float *x, const float *P, const float *Q,
                             const float *b_a, const float *h_parent, fk_activation act, fk_activation g,
                             fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        float *x_u = x ? x + u : NULL;
        const float *b_u = b_a ? b_a + u : NULL;
        if (u + FK_VL <= U)
            gates_forward(gates + u, a + u, x_u, P + u, Q + u, b_u, g, U, FK_VL);
        else
            gates_forward(gates + u, a + u, x_u, P + u, Q + u, b_u, g, U, U - u);
    }
    for (fk_index u = 0; u < U; u += FK_VL)
        output_forward(h + u, a + u, gates + u, h_parent + u, act, U - u);
}

static void wave_forward(const void *layer, fk_wave w, float *Q)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots, s0 = w.s0, s1 = w.s1;
    fk_gemm_ahead places = {0};
    if (p->gates) /* which are written next: their places come near meanwhile */
        places = (fk_gemm_ahead){p->gates + s0 * 4 * U, s1 - s0, 4 * U, 4 * U, 0};
    /* Q_s = h[parent_s] R    (h[parent_s] under its mask lies where h_s will) */
    fk_recurrent_product(Q, 3 * U, zero, p->h, p->R, p->m, p->tree, p->h + (first + s0) * U,
                         &places, s0, s1, 3 * U, U);
    for (fk_index s = s0; s < s1; s++, Q += 3 * U) {
        const float *P = p->P + p->tree.row[s] * 3 * U, *h_parent = p->h + p->tree.parent[s] * U;
        float *h_s = p->h + (first + s) * U;
        float *gates = p->gates ? p->gates + s * 4 * U : Q, *a = p->gates ? gates + 3 * U : h_s;
        float *x = p->x ? p->x + s * 3 * U : NULL;
        if (s + 1 < s1)
            fk_prefetch(p->P + p->tree.row[s + 1] * 3 * U, 3 * U);
        if (fk_gates_usual(p->act, p->g))
            state_forward(h_s, gates, a, x, P, Q, p->b_a, h_parent, fk_tanh, fk_sigmoid, U);
        else
            state_forward(h_s, gates, a, x, P, Q, p->b_a, h_parent, p->act, p->g, U);
    }
}

void fk_gru_forward(float *h, float *gates, float *x, const float *P, const float *R_packed, const float *b_a,
                    const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                    fk_index U)
{
    const forward_pass p = {h, gates, NULL, x, P, R_packed, NULL, b_a, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_forward, &p, 0, 3 * U * U, scratch, scratch_row(U));
}

/* n <= FK_VL units of one state: gates = [dQ da'], and unless it is NULL dh_parent += z dh */
FK_INLINE void units_backward(float *dh_parent, float *gates, const float *dh, const float *x,
                              const float *h_parent, fk_activation act, fk_activation g, fk_index U, fk_index n)
{
    const vf z = vf_load_first(gates, n, 0.0f), r = vf_load_first(gates + U, n, 0.0f);
    const vf q = vf_load_first(gates + 2 * U, n, 0.0f), a = vf_load_first(gates + 3 * U, n, 0.0f);
    /* forward: h_s = z h[parent] + (1 - z) a */
    const vf dh_s = vf_load_first(dh, n, 0.0f), dz = (vf_load_first(h_parent, n, 0.0f) - a) * dh_s;
    if (dh_parent)
        vf_store_first(dh_parent, vf_load_first(dh_parent, n, 0.0f) + z * dh_s, n);
    /* forward: a = act(P_a + r q) */
    const vf da = fk_gate_backward((1.0f - z) * dh_s, vf_load_first(x + 2 * U, n, 0.0f), a, act);
    /* forward: [z r] = g(P_zr + h[parent] R_zr) */
    vf_store_first(gates, fk_gate_backward(dz, vf_load_first(x, n, 0.0f), z, g), n);
    vf_store_first(gates + U, fk_gate_backward(q * da, vf_load_first(x + U, n, 0.0f), r, g), n);
    vf_store_first(gates + 2 * U, r * da, n);
    vf_store_first(gates + 3 * U, da, n);
}

FK_INLINE void state_backward(float *dh_parent, float *gates, const float *dh, const float *x,
                              const float *h_parent, fk_activation act, fk_activation g, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        float *dh_parent_u = dh_parent ? dh_parent + u : NULL;
        if (u + FK_VL <= U)
            units_backward(dh_parent_u, gates + u, dh + u, x + u, h_parent + u, act, g, U, FK_VL);
        else
            units_backward(dh_parent_u, gates + u, dh + u, x + u, h_parent + u, act, g, U, U - u);
    }
}

static void wave_backward(const void *layer, fk_wave w, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    for (fk_index s = w.s0; s < w.s1; s++) {
        const int32_t parent = p->tree.parent[s];
        float *gates = p->gates + s * 4 * U, *dh_parent = parent ? p->dh + parent * U : NULL;
        const float *dh = p->dh + (first + s) * U, *h_parent = p->h + parent * U;
        const float *x = p->x ? p->x + s * 3 * U : gates; /* not looked at, if it was not kept */
        if (fk_gates_usual(p->act, p->g))
            state_backward(dh_parent, gates, dh, x, h_parent, fk_tanh, fk_sigmoid, U);
        else
            state_backward(dh_parent, gates, dh, x, h_parent, p->act, p->g, U);
    }
    /* forward: [.. .. q] = h[parent] R */
    fk_recurrent_product_backward(p->dh, p->gates, 4 * U, p->Rt, p->m, p->tree, scratch, w, 3 * U, U);
}

void fk_gru_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_packed,
                     const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch,
                     fk_index U)
{
    const backward_pass p = {dh, gates, x, h, Rt_packed, NULL, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_backward, &p, 1, 3 * U * U, scratch, scratch_row(U));
}

/* --- the reset gate before the product --------------------------------------------------------------------- */

/* h[parent_s], under its dropout mask if there is one (then in `hp`) */
static const float *seen_parent(const float *h, const float *m, fk_states tree, float *hp, fk_index s, fk_index U)
{
    if (m == NULL)
        return h + tree.parent[s] * U;
    fk_recurrent_dropped(hp, h, m, tree, s, s + 1, U);
    return hp;
}

static void wave_before_forward(const void *layer, fk_wave w, float *hp)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots, s0 = w.s0, s1 = w.s1;
    float *x = p->x ? p->x : p->gates;
    const fk_gemm_rows P_zr = {p->P, p->tree.row + s0, 3 * U}, P_a = {p->P + 2 * U, p->tree.row + s0, 3 * U};
    /* [z r] = g(P_zr + h[parent] R_zr) */
    fk_recurrent_product(x + s0 * 3 * U, 3 * U, P_zr, p->h, p->R, p->m, p->tree, hp, NULL, s0, s1, 2 * U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *gates = p->gates + s * 3 * U;
        fk_activation_span(gates, x + s * 3 * U, p->g, 2 * U);
        fk_multiply(p->inner + s * U, gates + U, seen_parent(p->h, p->m, p->tree, hp, s, U), U);
    }
    /* a = act(P_a + (r h[parent]) R_a) */
    const fk_gemm_rows inner = {p->inner + s0 * U, NULL, U};
    fk_gemm_packed(x + s0 * 3 * U + 2 * U, 3 * U, inner, P_a, p->R_a, NULL, s1 - s0, U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *gates = p->gates + s * 3 * U, *a = gates + 2 * U;
        fk_activation_span(a, x + s * 3 * U + 2 * U, p->act, U);
        mix(p->h + (first + s) * U, p->h + p->tree.parent[s] * U, gates, a, U);
    }
}

void fk_gru_before_forward(float *h, float *gates, float *inner, float *x, const float *P,
                           const float *R_zr_packed, const float *R_a_packed, const float *m, fk_activation act,
                           fk_activation g, fk_states tree, float *scratch, fk_index U)
{
    const forward_pass p = {h, gates, inner, x, P, R_zr_packed, R_a_packed, NULL, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_before_forward, &p, 0, 3 * U * U, scratch, scratch_row(U));
}

static void wave_before_backward(const void *layer, fk_wave w, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots, s0 = w.s0, s1 = w.s1;
    float *dhp = scratch, *d_inner = dhp + (s1 - s0) * U;
    float *dr = d_inner + (s1 - s0) * U, *da = dr + U, *hp = da + U;
    for (fk_index s = s0; s < s1; s++) {
        const int32_t parent = p->tree.parent[s];
        float *gates = p->gates + s * 3 * U;
        const float *x = p->x ? p->x + s * 3 * U : NULL;
        /* forward: h_s = z h[parent] + (1 - z) a */
        float *dz = dr;
        mix_backward(dz, da, parent ? p->dh + parent * U : NULL, p->dh + (first + s) * U, p->h + parent * U, gates,
                     gates + 2 * U, U);
        /* forward: z = g(..)    a = act(..) */
        fk_activation_span_backward(gates, dz, x, gates, p->g, U);
        fk_activation_span_backward(gates + 2 * U, da, x ? x + 2 * U : NULL, gates + 2 * U, p->act, U);
    }
    /* forward: a = act(P_a + (r h[parent]) R_a) */
    const fk_gemm_rows da_rows = {p->gates + s0 * 3 * U + 2 * U, NULL, 3 * U};
    fk_gemm_packed(d_inner, U, da_rows, zero, p->Rt_a, NULL, s1 - s0, U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *r = p->gates + s * 3 * U + U, *d_inner_s = d_inner + (s - s0) * U;
        const float *x = p->x ? p->x + s * 3 * U : NULL;
        fk_multiply(dr, d_inner_s, seen_parent(p->h, p->m, p->tree, hp, s, U), U);
        fk_multiply(dhp + (s - s0) * U, d_inner_s, r, U);
        /* forward: r = g(..) */
        fk_activation_span_backward(r, dr, x ? x + U : NULL, r, p->g, U);
    }
    /* forward: [z r] = g(P_zr + h[parent] R_zr) */
    const fk_gemm_rows d_zr = {p->gates + s0 * 3 * U, NULL, 3 * U}, so_far = {dhp, NULL, U};
    fk_gemm_packed(dhp, U, d_zr, so_far, p->Rt, NULL, s1 - s0, U, 2 * U);
    fk_recurrent_to_parents(p->dh, dhp, p->m, p->tree, s0, s1, U);
}

void fk_gru_before_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_zr_packed,
                            const float *Rt_a_packed, const float *m, fk_activation act, fk_activation g,
                            fk_states tree, float *scratch, fk_index U)
{
    const backward_pass p = {dh, gates, x, h, Rt_zr_packed, Rt_a_packed, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_before_backward, &p, 1, 3 * U * U, scratch, scratch_row(U));
}
