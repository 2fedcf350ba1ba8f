#include "gemm.h"

#include "gemm_tile.h"
#include "threads.h"

/* A sum longer than KC is made of equal blocks of at most KC products, each summed in registers and then added to C.
 * The number of blocks depends on K alone. */
#define KC 384
/* Columns whose panels of B (KC x NC floats) stay in the L2 cache while all rows of A pass over them. */
#define NC 256
/* Rows of A that pass over one panel of B (KC x NR floats) while that is in the L1 cache. */
#define MC (8 * MR)
/* Multiplications that are worth a thread of their own. */
#define GRAIN (1 << 18)

/* C = f(bias + op(A) op(B)) or, if `add`, C += op(A) op(B)
 * with op(A)_ik = A[i*a_row + k*a_step], op(B)_kj = B[k*b_row + j*b_step] */
typedef struct {
    float *C;
    const float *A, *B, *bias;
    fk_activation f;
    int add;
    fk_index M, N, K;
    fk_index a_row, a_step, b_row, b_step;
} product;

/* How the work is cut. C is dealt out as row_shares x column_shares pieces, one for each thread; only `depth` touches
 * the sums, and depends on K alone. */
typedef struct {
    fk_index row_shares, column_shares;
    fk_index depth; /* products in a block of the sum */
    fk_index width; /* columns in a chunk of one share, a multiple of NR */
    int in_place;   /* B is read where it is, but for a last panel that is no whole number of vectors */
} plan;

/* Columns of op(B) as sum_tile wants them, NR at a time. */
typedef struct {
    const float *first; /* the first panel */
    fk_index stride;    /* from panel to panel */
    fk_index row;       /* from row to row of a panel */
    const float *last;  /* the last panel, rows of NR, if it lies elsewhere; or NULL */
} panels;

/* rows x columns of C, and `depth` products of each of their sums. */
typedef struct {
    float *C;
    fk_index ldc;
    const float *from[MC]; /* NULL in the first means zero */
    const float *A[MC];
    fk_index step;
    panels B;
    fk_index rows, columns, depth;
} block;

static const float zeros[NR];

static fk_index sum_depth(fk_index K) { return fk_ceil_div(K, fk_max(1, fk_ceil_div(K, KC))); }

static void compute_block(const block *g)
{
    const fk_index tiles = fk_ceil_div(g->rows, MR), height = g->rows / tiles, higher = g->rows % tiles;
    const float *zero[MR];
    for (fk_index i = 0; i < MR; i++)
        zero[i] = zeros;
    tile t = {.ldc = g->ldc, .step = g->step, .K = g->depth};
    for (fk_index j = 0; j < g->columns; j += NR) {
        const int elsewhere = g->B.last != NULL && j + NR >= g->columns;
        t.columns = fk_min(NR, g->columns - j);
        t.B = elsewhere ? g->B.last : g->B.first + j / NR * g->B.stride;
        t.ldb = elsewhere ? NR : g->B.row;
        t.from_column = g->from[0] ? j : 0;
        for (fk_index i = 0, n = 0; i < g->rows; i += t.rows, n++) {
            t.rows = height + (n < higher);
            t.C = g->C + i * g->ldc + j;
            t.from = g->from[0] ? g->from + i : zero;
            t.A = g->A + i;
            compute_tile(&t);
        }
    }
}

/* panel = op(B)[0:K, 0:columns], rows of NR floats, zero beyond `columns` */
static void pack_panel(float *panel, const float *B, fk_index b_row, fk_index b_step, fk_index K, fk_index columns)
{
    for (fk_index k = 0; k < K; k++)
        for (fk_index j = 0; j < NR; j++)
            panel[k * NR + j] = j < columns ? B[k * b_row + j * b_step] : 0.0f;
}

/* Where a share's panels lie in the scratch. */
static float *share_panels(const plan *p, float *scratch, fk_index column_share)
{
    return scratch + column_share * p->depth * (p->in_place ? NR : p->width);
}

/* The columns of chunk number `chunk` of a column share. */
static void chunk_columns(fk_index *begin, fk_index *end, const product *g, const plan *p, fk_index column_share,
                          fk_index chunk)
{
    fk_share(begin, end, g->N, FK_VL, column_share, p->column_shares);
    *begin = fk_min(*end, *begin + chunk * p->width);
    *end = fk_min(*end, *begin + p->width);
}

/* Packs a share's part of the panels of its columns, for products k to k + depth of the sums. */
static void pack_share(const product *g, const plan *p, float *scratch, fk_index share, fk_index chunk, fk_index k)
{
    const fk_index column_share = share % p->column_shares, row_share = share / p->column_shares;
    const fk_index depth = fk_min(p->depth, g->K - k);
    float *packed = share_panels(p, scratch, column_share);
    fk_index begin, end, first, last;
    chunk_columns(&begin, &end, g, p, column_share, chunk);
    fk_share(&first, &last, end - begin, NR, row_share, p->row_shares);
    for (fk_index j = first; j < last; j += NR) {
        const fk_index columns = fk_min(NR, end - begin - j);
        float *panel = p->in_place ? packed : packed + j * depth;
        if (!p->in_place || columns % FK_VL != 0)
            pack_panel(panel, g->B + k * g->b_row + (begin + j) * g->b_step, g->b_row, g->b_step, depth, columns);
    }
}

static panels share_B(const product *g, const plan *p, float *scratch, fk_index column_share, fk_index begin,
                      fk_index end, fk_index k, fk_index depth)
{
    float *packed = share_panels(p, scratch, column_share);
    if (!p->in_place)
        return (panels){packed, NR * depth, NR, NULL};
    return (panels){g->B + k * g->b_row + begin, NR, g->b_row, (end - begin) % FK_VL != 0 ? packed : NULL};
}

static void activate(float *C, fk_index ldc, fk_activation f, fk_index rows, fk_index columns)
{
    if (f.kind == FK_LINEAR)
        return;
    for (fk_index i = 0; i < rows; i++)
        fk_activation_span(C + i * ldc, C + i * ldc, f, columns);
}

/* A share's rows and columns of C, with the products k to k + depth of their sums. */
static void compute_share(const product *g, const plan *p, float *scratch, fk_index share, fk_index chunk, fk_index k)
{
    const fk_index column_share = share % p->column_shares, row_share = share / p->column_shares;
    fk_index begin, end, top, bottom;
    chunk_columns(&begin, &end, g, p, column_share, chunk);
    fk_share(&top, &bottom, g->M, 1, row_share, p->row_shares);
    block piece = {.ldc = g->N, .step = g->a_step, .columns = end - begin, .depth = fk_min(p->depth, g->K - k)};
    piece.B = share_B(g, p, scratch, column_share, begin, end, k, piece.depth);
    for (fk_index i = top; i < bottom; i += MC) {
        piece.rows = fk_min(MC, bottom - i);
        piece.C = g->C + i * g->N + begin;
        for (fk_index r = 0; r < piece.rows; r++) {
            piece.A[r] = g->A + (i + r) * g->a_row + k * g->a_step;
            piece.from[r] = g->add || k > 0 ? piece.C + r * g->N : g->bias ? g->bias + begin : NULL;
        }
        compute_block(&piece);
        if (k + piece.depth >= g->K)
            activate(piece.C, g->N, g->f, piece.rows, piece.columns);
    }
}

/* The part of the product that thread `me` of `team` computes. */
static void multiply_part(const product *g, const plan *p, float *scratch, fk_index me, fk_index team)
{
    const fk_index shares = p->row_shares * p->column_shares;
    const fk_index width = fk_ceil_div(fk_ceil_div(g->N, FK_VL), p->column_shares) * FK_VL;
    const int shared = p->row_shares > 1; /* threads read panels that other threads packed */
    for (fk_index chunk = 0; chunk * p->width < width; chunk++) {
        fk_index k = 0;
        do {
            for (fk_index s = me; s < shares; s += team)
                pack_share(g, p, scratch, s, chunk, k);
            if (shared)
                fk_barrier(team);
            for (fk_index s = me; s < shares; s += team)
                compute_share(g, p, scratch, s, chunk, k);
            if (shared)
                fk_barrier(team);
            k += p->depth;
        } while (k < g->K);
    }
}

static plan make_plan(fk_gemm_form form, fk_index M, fk_index N, fk_index K)
{
    const fk_index threads = fk_threads_for(M * N * K, GRAIN), vectors = fk_ceil_div(N, FK_VL);
    plan p = {.depth = sum_depth(K)};
    /* the split whose largest share is smallest; more columns among equals, as sharing panels takes barriers */
    fk_index smallest = 0;
    for (fk_index columns = 1; columns <= threads; columns++) {
        const fk_index size = fk_ceil_div(M, threads / columns) * fk_ceil_div(vectors, columns);
        if (threads % columns == 0 && (columns == 1 || size <= smallest)) {
            smallest = size;
            p.column_shares = columns;
        }
    }
    p.row_shares = threads / p.column_shares;
    const fk_index width = fk_ceil_div(vectors, p.column_shares) * FK_VL;
    p.width = fk_round_up(fk_ceil_div(width, fk_max(1, fk_ceil_div(width, NC))), NR);
    p.in_place = (form == FK_GEMM_NN || form == FK_GEMM_TN) && M <= 2 * MR;
    return p;
}

static void multiply(product *g, fk_gemm_form form, float *scratch)
{
    if (g->M == 0 || g->N == 0)
        return;
    const int a_transposed = form == FK_GEMM_TN || form == FK_GEMM_TT;
    const int b_transposed = form == FK_GEMM_NT || form == FK_GEMM_TT;
    g->a_row = a_transposed ? 1 : g->K;
    g->a_step = a_transposed ? g->M : 1;
    g->b_row = b_transposed ? 1 : g->N;
    g->b_step = b_transposed ? g->K : 1;
    const plan p = make_plan(form, g->M, g->N, g->K);
    const fk_index threads = p.row_shares * p.column_shares;
    if (threads == 1) {
        multiply_part(g, &p, scratch, 0, 1);
        return;
    }
#pragma omp parallel num_threads((int)threads)
    multiply_part(g, &p, scratch, fk_thread_index(), fk_team_size());
}

void fk_gemm(float *C, const float *A, const float *B, const float *bias, fk_activation f, fk_gemm_form form,
             float *scratch, fk_index M, fk_index N, fk_index K)
{
    product g = {.C = C, .A = A, .B = B, .bias = bias, .f = f, .M = M, .N = N, .K = K};
    multiply(&g, form, scratch);
}

void fk_gemm_add(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch, fk_index M, fk_index N,
                 fk_index K)
{
    product g = {.C = C, .A = A, .B = B, .f = {.kind = FK_LINEAR}, .add = 1, .M = M, .N = N, .K = K};
    multiply(&g, form, scratch);
}

fk_index fk_gemm_scratch(fk_gemm_form form, fk_index M, fk_index N, fk_index K)
{
    const plan p = make_plan(form, M, N, K);
    return p.column_shares * p.depth * (p.in_place ? NR : p.width);
}

/* --- packed once, used often --------------------------------------------------------------------------------- */

fk_index fk_gemm_packed_size(fk_index N, fk_index K) { return fk_round_up(N, NR) * K; }

void fk_gemm_pack(float *packed, const float *B, int transposed, fk_index N, fk_index K)
{
    const fk_index b_row = transposed ? 1 : N, b_step = transposed ? K : 1, depth = sum_depth(K);
    for (fk_index k = 0; k < K; k += depth)
        for (fk_index j = 0; j < N; j += NR) {
            const fk_index terms = fk_min(depth, K - k);
            float *panel = packed + k * fk_round_up(N, NR) + j * terms;
            pack_panel(panel, B + k * b_row + j * b_step, b_row, b_step, terms, fk_min(NR, N - j));
        }
}

void fk_gemm_packed(float *C, const float *A, const int32_t *a_rows, const float *from, const int32_t *from_rows,
                    const float *packed, fk_activation f, fk_index M, fk_index N, fk_index K)
{
    const fk_index depth = sum_depth(K);
    for (fk_index i = 0; i < M; i += MC) {
        block piece = {.C = C + i * N, .ldc = N, .step = 1, .rows = fk_min(MC, M - i), .columns = N};
        fk_index k = 0;
        do {
            piece.depth = fk_min(depth, K - k);
            piece.B = (panels){packed + k * fk_round_up(N, NR), NR * piece.depth, NR, NULL};
            for (fk_index r = 0; r < piece.rows; r++) {
                piece.A[r] = A + (a_rows ? a_rows[i + r] : i + r) * K + k;
                piece.from[r] = k > 0  ? piece.C + r * N
                                : from ? from + (from_rows ? from_rows[i + r] : i + r) * N
                                       : NULL;
            }
            compute_block(&piece);
            k += depth;
        } while (k < K);
        activate(piece.C, N, f, piece.rows, N);
    }
}

/* --- the formula ------------------------------------------------------------------------------------------------ */

void fk_gemm_naive(float *C, const float *A, const float *B, const float *bias, fk_gemm_form form, fk_index M,
                   fk_index N, fk_index K)
{
    const int a_transposed = form == FK_GEMM_TN || form == FK_GEMM_TT;
    const int b_transposed = form == FK_GEMM_NT || form == FK_GEMM_TT;
    for (fk_index m = 0; m < M; m++)
        for (fk_index n = 0; n < N; n++) {
            float sum = bias ? bias[n] : 0.0f;
            for (fk_index k = 0; k < K; k++)
                sum += (a_transposed ? A[k * M + m] : A[m * K + k]) * (b_transposed ? B[n * K + k] : B[k * N + n]);
            C[m * N + n] = sum;
        }
}
