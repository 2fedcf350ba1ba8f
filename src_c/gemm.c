#include "gemm.h"

#include "gemm_tile.h"
#include "threads.h"

/* A sum longer than KC is made of equal blocks of at most KC products. */
#define KC FK_GEMM_DEPTH
/* Columns of a chunk of B: KC x NC floats stay in the L2 cache, or the L3 where that is small, while all rows of
 * A pass over them. */
#define NC 512
/* Rows of a block of A: MC x KC floats stay in the L2 cache while they pass over one panel of B after the other;
 * a panel, KC x NR floats, stays near the L1 cache meanwhile. */
#define MC (8 * MR)
/* Where at most NEAR floats of B, which then stay in the L2 cache, make more than FAR floats of C, which leave the L1
 * cache, tiles follow each other along the rows of C: it is written from end to end. (dW of 128 x 784 x 2048, which
 * comes from far, is 1.06 times as fast.) Else they go down a panel. */
#define NEAR (1 << 16)
#define FAR (1 << 13)
/* The products of a row of a tile for which one cache line is asked for. */
#define PER_LINE 48
/* Multiplications that are worth a thread of their own. */
#define GRAIN (1 << 18)

/* C = f(bias + op(A) op(B)) or, if `add`, C += op(A) op(B)
 * op(A)_ik = A[i*A_row + k*A_step]    op(B)_kj = B[k*B_row + j*B_step] */
typedef struct {
    float *C;
    const float *A, *B, *bias;
    fk_activation f;
    int add;
    fk_index M, N, K;
    fk_index A_row, A_step, B_row, B_step;
} product;

/* How the work is cut. C is dealt out as row_shares x column_shares pieces, one for each thread. Only `depth`
 * touches the sums. */
typedef struct {
    fk_index row_shares, column_shares;
    fk_index depth; /* products in a block of a sum */
    fk_index width; /* columns of a chunk in one share, a multiple of NR */
    int in_place;   /* B is read where it is, but for a last panel that is no whole number of vectors */
    int copy_A;     /* a share copies MC rows of A at a time */
} plan;

/* Columns of op(B), NR at a time. */
typedef struct {
    const float *first;   /* the first panel */
    fk_index to_next;     /* from panel to panel */
    fk_index row;         /* from row to row of a panel */
    const float *partial; /* the last panel, rows of NR, if it lies elsewhere; or NULL */
} panels;

/* At most MC rows of some columns of C, and taps x depth products of each of their sums. */
typedef struct {
    float *C;
    fk_index C_row;
    const float *const *from, *const *A; /* of each row, as in a tile */
    fk_index A_step;
    const fk_index *tap; /* as in a tile: the products are `taps` pieces of `depth` */
    panels B;
    fk_gemm_ahead *ahead;
    fk_index rows, columns, taps, depth;
} block;

/* Depends on K alone. */
static fk_index block_depth(fk_index K) { return fk_ceil_div(K, fk_max(1, fk_ceil_div(K, KC))); }

/* Asks for the next few cache lines. */
static void look_ahead(fk_gemm_ahead *a, fk_index lines)
{
    for (; lines > 0 && a->rows > 0; lines--) {
        __builtin_prefetch(a->row + a->asked, 0, 2); /* no nearer than the L2 cache: the L1 is the product's */
        a->asked += FK_LINE;
        if (a->asked >= a->columns) {
            a->row += a->to_next;
            a->rows--;
            a->asked = 0;
        }
    }
}

/* Turns to the panel of B that begins at column j. */
FK_INLINE void take_panel(tile *t, const block *g, fk_index j)
{
    const int elsewhere = g->B.partial != NULL && j + NR >= g->columns;
    t->B = elsewhere ? g->B.partial : g->B.first + j / NR * g->B.to_next;
    t->B_row = elsewhere ? NR : g->B.row;
    t->columns = fk_min(NR, g->columns - j);
    t->from_column = j;
}

/* A tile of C from row i on, in the columns of its panel. */
FK_INLINE void compute_rows(tile *t, const block *g, fk_index i, fk_index rows)
{
    t->rows = rows;
    t->C = g->C + i * g->C_row + t->from_column;
    t->from = g->from ? g->from + i : NULL;
    t->A = g->A + i;
    if (g->ahead)
        look_ahead(g->ahead, rows * g->taps * g->depth / PER_LINE);
    compute_tile(t);
}

static void compute_block(const block *g)
{
    const fk_index tiles = fk_ceil_div(g->rows, MR), height = g->rows / tiles, higher = g->rows % tiles;
    tile t = {.C_row = g->C_row, .A_step = g->A_step, .tap = g->tap, .taps = g->taps, .depth = g->depth};
    if (g->columns * g->taps * g->depth <= NEAR && g->rows * g->columns > FAR) {
        for (fk_index i = 0, n = 0; i < g->rows; i += t.rows, n++)
            for (fk_index j = 0; j < g->columns; j += NR) {
                take_panel(&t, g, j);
                compute_rows(&t, g, i, height + (n < higher));
            }
        return;
    }
    for (fk_index j = 0; j < g->columns; j += NR) {
        take_panel(&t, g, j);
        for (fk_index i = 0, n = 0; i < g->rows; i += t.rows, n++)
            compute_rows(&t, g, i, height + (n < higher));
    }
}

/* C = f(C) for a block of finished sums, while it is in the L2 cache */
static void activate(float *C, fk_index C_row, fk_activation f, fk_index rows, fk_index columns)
{
    if (f.kind == FK_LINEAR)
        return;
    if (columns == C_row) {
        fk_activation_span(C, C, f, rows * columns);
        return;
    }
    for (fk_index i = 0; i < rows; i++)
        fk_activation_span(C + i * C_row, C + i * C_row, f, columns);
}

/* --- copies of parts of A and B ---------------------------------------------------------------------------- */

/* to[r*to_row + c] = from[r*from_row + c]    r < rows, c < columns; zero up to a whole number of vectors */
static void copy_rows(float *to, fk_index to_row, const float *from, fk_index from_row, fk_index rows,
                      fk_index columns)
{
    const fk_index whole = columns / FK_VL * FK_VL, rest = columns - whole;
    for (fk_index r = 0; r < rows; r++) {
        for (fk_index c = 0; c < whole; c += FK_VL)
            vf_store(to + r * to_row + c, vf_load(from + r * from_row + c));
        if (rest > 0)
            vf_store(to + r * to_row + whole, vf_load_n(from + r * from_row + whole, rest));
    }
}

/* to[r*to_row + c] = from[c*from_row + r]    r < rows, c < columns; zero up to a whole number of vectors */
static void copy_transposed(float *to, fk_index to_row, const float *from, fk_index from_row, fk_index rows,
                            fk_index columns)
{
    for (fk_index c = 0; c < columns; c += FK_VL)
        for (fk_index r = 0; r < rows; r += FK_VL) {
            const fk_index height = fk_min(FK_VL, rows - r), width = fk_min(FK_VL, columns - c);
            vf square[FK_VL];
            for (fk_index i = 0; i < FK_VL; i++)
                square[i] = i < width ? vf_load_first(from + (c + i) * from_row + r, height, 0.0f) : vf_set(0.0f);
            vf_transpose(square);
            for (fk_index i = 0; i < height; i++)
                vf_store(to + (r + i) * to_row + c, square[i]);
        }
}

/* to[r*to_row + c] = from[r*row + c*step]    row or step is 1 */
static void copy_block(float *to, fk_index to_row, const float *from, fk_index row, fk_index step, fk_index rows,
                       fk_index columns)
{
    if (step == 1)
        copy_rows(to, to_row, from, row, rows, columns);
    else
        copy_transposed(to, to_row, from, step, rows, columns);
}

/* Panels of op(B): to[j*depth + k*NR + c] = B[k*row + (j+c)*step]    k < depth, j = 0, NR .. < columns, c < NR
 * Rows that lie in one piece are read from end to end: panel by panel, 500 x 480 took twice as long. */
static void copy_panels(float *to, const float *B, fk_index row, fk_index step, fk_index depth, fk_index columns)
{
    const fk_index rows = step == 1 ? 1 : depth;
    for (fk_index k = 0; k < depth; k += rows)
        for (fk_index j = 0; j < columns; j += NR)
            copy_block(to + j * depth + k * NR, NR, B + k * row + j * step, row, step, rows,
                       fk_min(NR, columns - j));
}

/* --- a thread's share -------------------------------------------------------------------------------------- */

/* The scratch holds the panels of each column share, and behind them the rows of A of each share. */
static fk_index panels_size(const plan *p) { return p->depth * (p->in_place ? NR : p->width); }

/* From row to row of a copied block of A: an odd number of cache lines, so that rows fall into different sets. */
static fk_index copied_row(const plan *p) { return (fk_ceil_div(p->depth, FK_LINE) | 1) * FK_LINE; }

static fk_index scratch_size(const plan *p)
{
    const fk_index rows_size = p->copy_A ? p->row_shares * MC * copied_row(p) : 0;
    return p->column_shares * (panels_size(p) + rows_size);
}

/* The columns of C that belong to a column share in chunk number `chunk`. */
static void chunk_columns(fk_index *begin, fk_index *end, const product *g, const plan *p, fk_index column_share,
                          fk_index chunk)
{
    fk_share(begin, end, g->N, FK_VL, column_share, p->column_shares);
    *begin = fk_min(*end, *begin + chunk * p->width);
    *end = fk_min(*end, *begin + p->width);
}

/* Packs panels of B, their rows from k on. The row shares of a column share divide its panels among themselves. */
static void pack_share(const product *g, const plan *p, float *scratch, fk_index share, fk_index chunk, fk_index k)
{
    const fk_index column_share = share % p->column_shares, row_share = share / p->column_shares;
    const fk_index depth = fk_min(p->depth, g->K - k);
    float *packed = scratch + column_share * panels_size(p);
    fk_index begin, end, first, last;
    chunk_columns(&begin, &end, g, p, column_share, chunk);
    fk_share(&first, &last, end - begin, NR, row_share, p->row_shares);
    if (p->in_place) /* at most the last panel, to where the scratch begins */
        first = (last - first) % FK_VL ? last - (last - first) % NR : last;
    else
        packed += first * depth;
    copy_panels(packed, g->B + k * g->B_row + (begin + first) * g->B_step, g->B_row, g->B_step, depth,
                last - first);
}

/* Adds the products from k on to a share's rows and columns of C. */
static void compute_share(const product *g, const plan *p, float *scratch, fk_index share, fk_index chunk,
                          fk_index k)
{
    const fk_index column_share = share % p->column_shares, row_share = share / p->column_shares;
    fk_index begin, end, top, bottom;
    chunk_columns(&begin, &end, g, p, column_share, chunk);
    fk_share(&top, &bottom, g->M, 1, row_share, p->row_shares);

    const float *A[MC], *from[MC];
    block piece = {.C_row = g->N, .A = A, .columns = end - begin, .taps = 1, .depth = fk_min(p->depth, g->K - k)};
    piece.from = g->add || k > 0 || g->bias ? from : NULL;
    piece.A_step = p->copy_A ? 1 : g->A_step;
    const float *packed = scratch + column_share * panels_size(p);
    if (p->in_place)
        piece.B = (panels){g->B + k * g->B_row + begin, NR, g->B_row, piece.columns % FK_VL ? packed : NULL};
    else
        piece.B = (panels){packed, NR * piece.depth, NR, NULL};
    float *copy = scratch + p->column_shares * panels_size(p) + share * MC * copied_row(p);

    const fk_index blocks = fk_ceil_div(bottom - top, MC);
    for (fk_index b = 0; b < blocks; b++) { /* a block of A, in the L2 cache */
        fk_index i, i_end;
        fk_share(&i, &i_end, bottom - top, 1, b, blocks);
        piece.rows = i_end - i;
        piece.C = g->C + (top + i) * g->N + begin;
        const float *A_i = g->A + (top + i) * g->A_row + k * g->A_step;
        if (p->copy_A)
            copy_block(copy, copied_row(p), A_i, g->A_row, g->A_step, piece.rows, piece.depth);
        for (fk_index r = 0; r < piece.rows; r++) {
            A[r] = p->copy_A ? copy + r * copied_row(p) : A_i + r * g->A_row;
            if (piece.from)
                from[r] = g->add || k > 0 ? piece.C + r * g->N : g->bias + begin;
        }
        compute_block(&piece);
        if (k + piece.depth >= g->K)
            activate(piece.C, g->N, g->f, piece.rows, piece.columns);
    }
}

/* What thread `me` of `team` does of the product. */
static void multiply_part(const product *g, const plan *p, float *scratch, fk_index me, fk_index team)
{
    const fk_index shares = p->row_shares * p->column_shares;
    const fk_index width = fk_ceil_div(fk_ceil_div(g->N, FK_VL), p->column_shares) * FK_VL;
    const fk_index sharing = p->row_shares > 1 ? team : 1; /* threads that read panels others have packed */
    for (fk_index chunk = 0; chunk * p->width < width; chunk++) {
        fk_index k = 0;
        do { /* a chunk of B, in the L2 cache */
            for (fk_index s = me; s < shares; s += team)
                pack_share(g, p, scratch, s, chunk, k);
            fk_barrier(sharing);
            for (fk_index s = me; s < shares; s += team)
                compute_share(g, p, scratch, s, chunk, k);
            fk_barrier(sharing);
            k += p->depth;
        } while (k < g->K);
    }
}

/* --- the whole product ------------------------------------------------------------------------------------- */

static int transposes_A(fk_gemm_form form) { return form == FK_GEMM_TN || form == FK_GEMM_TT; }
static int transposes_B(fk_gemm_form form) { return form == FK_GEMM_NT || form == FK_GEMM_TT; }

static plan make_plan(fk_gemm_form form, fk_index M, fk_index N, fk_index K)
{
    const fk_index threads = fk_threads_for(M * N * K, GRAIN), vectors = fk_ceil_div(N, FK_VL);
    plan p = {.depth = block_depth(K)};

    /* the split whose largest share is smallest; among equals the one with more columns, as it needs no barrier */
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

    /* Packing B pays where many tiles use a panel, or a few of them one that comes from far. By the benchmark gemm
     * 32 x 512 x 784 is 1.2 times as fast in place, 128 x 512 x 784 1.05 times, 1000 x 1000 x 1000 0.93 times. */
    p.in_place = !transposes_B(form) && (M <= 3 * MR || (M <= 10 * MR && N * K <= 1 << 19));
    /* Rows of A a multiple of 4 KB apart fall into one set of the L1 cache and drive each other out, as columns
     * 2 KB apart do in few sets of the L2 cache. Copied, 1024 x 1024 x 1024 is 1.1 times as fast, and with
     * op(A) = A^T so are 2048 x 2048 x 128 and 512 x 512 x 128. A small B does not pay for it (3072 x 64 x 256:
     * 0.8 times). */
    p.copy_A = (transposes_A(form) ? M % 512 : K % 1024) == 0 && K * N >= 1 << 15;
    return p;
}

/* A column of C is computed as the row that its transpose is, C^T = op(B)^T op(A)^T, so that vectors are full. The
 * sums are the same. (3200 x 1 x 64 is twice as fast, 64 x 1 x 3200 with op(A) = A^T six times.) */
static int is_column(fk_index M, fk_index N) { return N == 1 && M > MR; }
static fk_gemm_form form_of_row(fk_gemm_form form) { return transposes_A(form) ? FK_GEMM_NN : FK_GEMM_NT; }

static void turn_column(product *g)
{
    const float *A = g->A;
    g->A = g->B;
    g->B = A;
    g->N = g->M;
    g->M = 1;
    for (fk_index i = 0; g->bias && i < g->N; i++)
        g->C[i] = *g->bias;
    g->add = g->add || g->bias;
    g->bias = NULL;
}

static void multiply(product *g, fk_gemm_form form, float *scratch)
{
    if (g->M == 0 || g->N == 0)
        return;
    if (is_column(g->M, g->N)) {
        turn_column(g);
        form = form_of_row(form);
    }
    g->A_row = transposes_A(form) ? 1 : g->K;
    g->A_step = transposes_A(form) ? g->M : 1;
    g->B_row = transposes_B(form) ? 1 : g->N;
    g->B_step = transposes_B(form) ? g->K : 1;
    const plan p = make_plan(form, g->M, g->N, g->K);
    const fk_index threads = p.row_shares * p.column_shares;
    if (threads == 1) {
        multiply_part(g, &p, scratch, 0, 1);
        return;
    }
    const int core = fk_current_core();
#pragma omp parallel num_threads((int)threads)
    {
        /* on two cores 64 x 384 x 128 took 125 us without this, and 36 with it */
        if (fk_thread_index() > 0)
            fk_leave_core(core);
        multiply_part(g, &p, scratch, fk_thread_index(), fk_team_size());
    }
}

void fk_gemm(float *C, const float *A, const float *B, const float *bias, fk_activation f, fk_gemm_form form,
             float *scratch, fk_index M, fk_index N, fk_index K)
{
    product g = {.C = C, .A = A, .B = B, .bias = bias, .f = f, .M = M, .N = N, .K = K};
    multiply(&g, form, scratch);
}

void fk_gemm_add(float *C, const float *A, const float *B, fk_gemm_form form, float *scratch, fk_index M,
                 fk_index N, fk_index K)
{
    product g = {.C = C, .A = A, .B = B, .f = {.kind = FK_LINEAR}, .add = 1, .M = M, .N = N, .K = K};
    multiply(&g, form, scratch);
}

fk_index fk_gemm_scratch(fk_gemm_form form, fk_index M, fk_index N, fk_index K)
{
    const plan p = is_column(M, N) ? make_plan(form_of_row(form), N, M, K) : make_plan(form, M, N, K);
    return scratch_size(&p);
}

/* --- B packed once for many products ----------------------------------------------------------------------- */

/* Blocks of the sums one after the other, each as panels of `depth` rows of NR floats. */
fk_index fk_gemm_packed_size(fk_index N, fk_index K) { return fk_round_up(N, NR) * K; }

void fk_gemm_pack(float *packed, const float *B, fk_index B_row, int transposed, fk_index N, fk_index K)
{
    const fk_index to_next_k = transposed ? 1 : B_row, to_next_n = transposed ? B_row : 1;
    for (fk_index k = 0; k < K; k += block_depth(K)) {
        const fk_index depth = fk_min(block_depth(K), K - k);
        float *panel = packed + k * fk_round_up(N, NR);
        copy_panels(panel, B + k * to_next_k, to_next_k, to_next_n, depth, N);
    }
}

static const float *row_of(fk_gemm_rows rows, fk_index m)
{
    return rows.data + rows.row * (rows.index ? rows.index[m] : m);
}

void fk_gemm_packed(float *C, fk_index C_row, fk_gemm_rows A, fk_gemm_rows from, const float *packed,
                    fk_gemm_ahead *ahead, fk_index M, fk_index N, fk_index K)
{
    const float *A_of[MC], *from_of[MC];
    block piece = {.C_row = C_row, .A = A_of, .A_step = 1, .ahead = ahead, .columns = N, .taps = 1};
    for (fk_index i = 0; i < M; i += MC) {
        piece.C = C + i * C_row;
        piece.rows = fk_min(MC, M - i);
        fk_index k = 0;
        do {
            piece.depth = fk_min(block_depth(K), K - k);
            piece.B = (panels){packed + k * fk_round_up(N, NR), NR * piece.depth, NR, NULL};
            piece.from = from.data || k > 0 ? from_of : NULL;
            for (fk_index r = 0; r < piece.rows; r++) {
                A_of[r] = row_of(A, i + r) + k;
                if (piece.from)
                    from_of[r] = k > 0 ? piece.C + r * C_row : row_of(from, i + r);
            }
            compute_block(&piece);
            k += piece.depth;
        } while (k < K);
    }
}

void fk_gemm_packed_taps(float *C, fk_index C_row, fk_gemm_rows A, fk_index A_step, const fk_index *tap,
                         fk_index taps, fk_index depth, fk_gemm_rows from, const float *packed,
                         fk_gemm_ahead *ahead, fk_index M, fk_index N)
{
    const float *A_of[MC], *from_of[MC];
    block piece = {.C_row = C_row, .from = from.data ? from_of : NULL, .A = A_of, .A_step = A_step, .tap = tap,
                   .B = {packed, NR * taps * depth, NR, NULL}, .ahead = ahead, .columns = N, .taps = taps,
                   .depth = depth};
    for (fk_index i = 0; i < M; i += MC) {
        piece.C = C + i * C_row;
        piece.rows = fk_min(MC, M - i);
        for (fk_index r = 0; r < piece.rows; r++) {
            A_of[r] = row_of(A, i + r);
            if (from.data)
                from_of[r] = row_of(from, i + r);
        }
        compute_block(&piece);
    }
}

/* --- the formula ------------------------------------------------------------------------------------------- */

void fk_gemm_naive(float *C, const float *A, const float *B, const float *bias, fk_gemm_form form, fk_index M,
                   fk_index N, fk_index K)
{
    for (fk_index m = 0; m < M; m++)
        for (fk_index n = 0; n < N; n++) {
            float sum = 0.0f;
            for (fk_index k = 0; k < K; k++) {
                const float A_mk = transposes_A(form) ? A[k * M + m] : A[m * K + k];
                const float B_kn = transposes_B(form) ? B[n * K + k] : B[k * N + n];
                sum += A_mk * B_kn;
            }
            C[m * N + n] = bias ? bias[n] + sum : sum;
        }
}
