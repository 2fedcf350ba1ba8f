#include "gru.h"

#include <string.h>

#include "elementwise.h"
#include "recurrent.h"
#include "threads.h"

#define GRAIN (32 * 1024)

typedef struct {
    float *h, *gates, *inner, *x;
    const float *P, *R, *R_a, *b_a, *m;
    fk_activation act, g;
    fk_states tree;
    fk_index U;
} forward_pass;

typedef struct {
    float *dh, *gates, *inner;
    const float *x, *h, *Rt, *Rt_a, *m;
    fk_activation act, g;
    fk_states tree;
    fk_index U;
} backward_pass;

/* Rows of U floats: the gradients of h[parent] and of r h[parent] of each state of a wave; and of one state those of
 * [z r] and of a, and h[parent] under its dropout mask. */
enum { ROWS = 5 };

fk_index fk_gru_scratch(fk_index B, fk_index U) { return fk_recurrent_scratch(B, ROWS * U); }

static const fk_gemm_rows zero = {NULL, NULL, 0};

/* --- one state, elementwise -------------------------------------------------------------------------------- */

/* h = z h_parent + (1 - z) a */
static void mix(float *h, const float *h_parent, const float *z, const float *a, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        const vf z_u = vf_load_first(z + u, n, 0.0f);
        vf_store_first(h + u, z_u * vf_load_first(h_parent + u, n, 0.0f) + (1.0f - z_u) * vf_load_first(a + u, n, 0.0f),
                       n);
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

/* q += b_a    x_a = P_a + r q */
static void reset_product(float *q, float *x_a, const float *P_a, const float *b_a, const float *r, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        vf q_u = vf_load_first(q + u, n, 0.0f);
        if (b_a)
            q_u += vf_load_first(b_a + u, n, 0.0f);
        vf_store_first(q + u, q_u, n);
        vf_store_first(x_a + u, vf_load_first(P_a + u, n, 0.0f) + vf_load_first(r + u, n, 0.0f) * q_u, n);
    }
}

static void wave_forward(const void *layer, fk_index s0, fk_index s1, float *hp)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    fk_recurrent_product(p->gates + s0 * 3 * U, 3 * U, zero, p->h, p->R, p->m, p->tree, hp, s0, s1, 3 * U, U);
    for (fk_index s = s0; s < s1; s++) {
        const float *P = p->P + p->tree.row[s] * 3 * U, *h_parent = p->h + p->tree.parent[s] * U;
        float *gates = p->gates + s * 3 * U, *a = p->inner + s * U, *x = p->x ? p->x + s * 3 * U : gates;
        /* z = g(P_z + h[parent] R_z)    r = g(P_r + h[parent] R_r) */
        fk_add(x, P, gates, 2 * U);
        fk_activation_span(gates, x, p->g, 2 * U);
        /* a = act(P_a + r q)    q = h[parent] R_a + b_a */
        float *x_a = p->x ? x + 2 * U : a;
        reset_product(gates + 2 * U, x_a, P + 2 * U, p->b_a, gates + U, U);
        fk_activation_span(a, x_a, p->act, U);
        mix(p->h + (first + s) * U, h_parent, gates, a, U);
    }
}

void fk_gru_forward(float *h, float *gates, float *inner, float *x, const float *P, const float *R_packed,
                    const float *b_a, const float *m, fk_activation act, fk_activation g, fk_states tree,
                    float *scratch, fk_index U)
{
    const forward_pass p = {h, gates, inner, x, P, R_packed, NULL, b_a, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_forward, &p, 0, 3 * U * U, scratch, ROWS * U);
}

/* dr = q da    q = r da */
static void reset_product_backward(float *dr, float *q, const float *da, const float *r, fk_index U)
{
    for (fk_index u = 0; u < U; u += FK_VL) {
        const fk_index n = U - u;
        const vf da_u = vf_load_first(da + u, n, 0.0f);
        vf_store_first(dr + u, vf_load_first(q + u, n, 0.0f) * da_u, n);
        vf_store_first(q + u, vf_load_first(r + u, n, 0.0f) * da_u, n);
    }
}

static void wave_backward(const void *layer, fk_index s0, fk_index s1, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    float *dhp = scratch, *d_zr = scratch + (s1 - s0) * U, *da = d_zr + 2 * U;
    for (fk_index s = s0; s < s1; s++) {
        const int32_t parent = p->tree.parent[s];
        float *gates = p->gates + s * 3 * U, *a = p->inner + s * U;
        const float *x = p->x ? p->x + s * 3 * U : NULL;
        /* forward: h_s = z h[parent] + (1 - z) a */
        mix_backward(d_zr, da, parent ? p->dh + parent * U : NULL, p->dh + (first + s) * U, p->h + parent * U, gates,
                     a, U);
        /* forward: a = act(P_a + r q) */
        fk_activation_span_backward(a, da, x ? x + 2 * U : NULL, a, p->act, U);
        reset_product_backward(d_zr + U, gates + 2 * U, a, gates + U, U);
        /* forward: [z r] = g(P_zr + h[parent] R_zr) */
        fk_activation_span_backward(gates, d_zr, x, gates, p->g, 2 * U);
    }
    /* forward: [.. .. q] = h[parent] R */
    const fk_gemm_rows dQ = {p->gates + s0 * 3 * U, NULL, 3 * U};
    fk_gemm_packed(dhp, U, dQ, zero, p->Rt, s1 - s0, U, 3 * U);
    fk_recurrent_to_parents(p->dh, dhp, p->m, p->tree, s0, s1, U);
}

void fk_gru_backward(float *dh, float *gates, float *inner, const float *x, const float *h, const float *Rt_packed,
                     const float *m, fk_activation act, fk_activation g, fk_states tree, float *scratch, fk_index U)
{
    const backward_pass p = {dh, gates, inner, x, h, Rt_packed, NULL, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_backward, &p, 1, 3 * U * U, scratch, ROWS * U);
}

void fk_gru_input_gradient(float *gates, const float *inner, fk_index S, fk_index U)
{
    const fk_index threads = fk_threads_for(S * U, GRAIN);
#pragma omp parallel for num_threads((int)threads) if (threads > 1) schedule(static)
    for (fk_index s = 0; s < S; s++)
        memcpy(gates + (s * 3 + 2) * U, inner + s * U, (size_t)U * sizeof(float));
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

static void wave_before_forward(const void *layer, fk_index s0, fk_index s1, float *hp)
{
    const forward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    float *x = p->x ? p->x : p->gates;
    const fk_gemm_rows P_zr = {p->P, p->tree.row + s0, 3 * U}, P_a = {p->P + 2 * U, p->tree.row + s0, 3 * U};
    /* [z r] = g(P_zr + h[parent] R_zr) */
    fk_recurrent_product(x + s0 * 3 * U, 3 * U, P_zr, p->h, p->R, p->m, p->tree, hp, s0, s1, 2 * U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *gates = p->gates + s * 3 * U;
        fk_activation_span(gates, x + s * 3 * U, p->g, 2 * U);
        fk_multiply(p->inner + s * U, gates + U, seen_parent(p->h, p->m, p->tree, hp, s, U), U);
    }
    /* a = act(P_a + (r h[parent]) R_a) */
    const fk_gemm_rows inner = {p->inner + s0 * U, NULL, U};
    fk_gemm_packed(x + s0 * 3 * U + 2 * U, 3 * U, inner, P_a, p->R_a, s1 - s0, U, U);
    for (fk_index s = s0; s < s1; s++) {
        float *gates = p->gates + s * 3 * U, *a = gates + 2 * U;
        fk_activation_span(a, x + s * 3 * U + 2 * U, p->act, U);
        mix(p->h + (first + s) * U, p->h + p->tree.parent[s] * U, gates, a, U);
    }
}

void fk_gru_before_forward(float *h, float *gates, float *inner, float *x, const float *P, const float *R_zr_packed,
                           const float *R_a_packed, const float *m, fk_activation act, fk_activation g,
                           fk_states tree, float *scratch, fk_index U)
{
    const forward_pass p = {h, gates, inner, x, P, R_zr_packed, R_a_packed, NULL, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_before_forward, &p, 0, 3 * U * U, scratch, ROWS * U);
}

static void wave_before_backward(const void *layer, fk_index s0, fk_index s1, float *scratch)
{
    const backward_pass *p = layer;
    const fk_index U = p->U, first = 1 + p->tree.roots;
    float *dhp = scratch, *d_inner = dhp + (s1 - s0) * U, *dr = d_inner + (s1 - s0) * U, *da = dr + U, *hp = da + U;
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
    fk_gemm_packed(d_inner, U, (fk_gemm_rows){p->gates + s0 * 3 * U + 2 * U, NULL, 3 * U}, zero, p->Rt_a, s1 - s0, U, U);
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
    fk_gemm_packed(dhp, U, d_zr, so_far, p->Rt, s1 - s0, U, 2 * U);
    fk_recurrent_to_parents(p->dh, dhp, p->m, p->tree, s0, s1, U);
}

void fk_gru_before_backward(float *dh, float *gates, const float *x, const float *h, const float *Rt_zr_packed,
                            const float *Rt_a_packed, const float *m, fk_activation act, fk_activation g,
                            fk_states tree, float *scratch, fk_index U)
{
    const backward_pass p = {dh, gates, NULL, x, h, Rt_zr_packed, Rt_a_packed, m, act, g, tree, U};
    fk_recurrent_walk(tree, wave_before_backward, &p, 1, 3 * U * U, scratch, ROWS * U);
}
