#include "broadcast.h"

#include <string.h>

#include "dense.h"
#include "elementwise.h"
#include "threads.h"

#define GRAIN (32 * 1024) /* elements that are worth a thread */
#define BLOCK (64 * FK_VL) /* elements that are summed in float32; the blocks' sums, in float64 */

/* y (n) = a op b; op and the steps are constants where this is called: each case is a loop of its own. */
FK_INLINE void row(float *y, const float *a, const float *b, fk_arithmetic op, int a_step, int b_step, fk_index n)
{
    for (fk_index k = 0; k < n; k += FK_VL) {
        const vf u = a_step ? vf_load_first(a + k, n - k, 0.0f) : vf_set(*a);
        const vf v = b_step ? vf_load_first(b + k, n - k, 0.0f) : vf_set(*b);
        vf_store_first(y + k, op == FK_ADD ? u + v : op == FK_SUBTRACT ? u - v : u * v, n - k);
    }
}

FK_INLINE void row_of(float *y, const float *a, const float *b, fk_arithmetic op, fk_index a_step, fk_index b_step,
                      fk_index n)
{
    if (a_step && b_step)
        row(y, a, b, op, 1, 1, n);
    else if (a_step)
        row(y, a, b, op, 1, 0, n);
    else if (b_step)
        row(y, a, b, op, 0, 1, n);
    else
        row(y, a, b, op, 0, 0, n);
}

typedef struct {
    float *y;
    const float *a, *b;
    fk_arithmetic op;
    const fk_index *a_step, *b_step, *n;
} task;

/* Of the rows, those from `begin` to `end`; of a single one, these numbers. */
static void compute(task t, fk_index begin, fk_index end)
{
    const fk_index K = t.n[2];
    fk_index r = begin, last_row = end, k = 0, last = K;
    if (t.n[0] * t.n[1] == 1)
        r = 0, last_row = 1, k = begin, last = end;
    fk_index i = r / t.n[1], j = r % t.n[1];
    for (; r < last_row; r++) {
        const float *a_ij = t.a + i * t.a_step[0] + j * t.a_step[1] + k * t.a_step[2];
        const float *b_ij = t.b + i * t.b_step[0] + j * t.b_step[1] + k * t.b_step[2];
        float *y_ij = t.y + r * K + k;
        switch (t.op) {
        case FK_ADD: row_of(y_ij, a_ij, b_ij, FK_ADD, t.a_step[2], t.b_step[2], last - k); break;
        case FK_SUBTRACT: row_of(y_ij, a_ij, b_ij, FK_SUBTRACT, t.a_step[2], t.b_step[2], last - k); break;
        case FK_MULTIPLY: row_of(y_ij, a_ij, b_ij, FK_MULTIPLY, t.a_step[2], t.b_step[2], last - k); break;
        }
        if (++j == t.n[1])
            j = 0, i++;
    }
}

void fk_broadcast(float *y, const float *a, const float *b, fk_arithmetic op, const fk_index a_step[3],
                  const fk_index b_step[3], const fk_index n[3])
{
    const task t = {y, a, b, op, a_step, b_step, n};
    const fk_index rows = n[0] * n[1], threads = fk_threads_for(rows * n[2], GRAIN);
    const int single = rows == 1;
    FK_FOR_SHARES(begin, end, single ? n[2] : rows, single ? FK_VL : 1, threads, compute(t, begin, end));
}

/* The sum of n numbers side by side. */
FK_INLINE float sum_of_row(const float *x, fk_index n)
{
    double total = 0.0;
    for (fk_index start = 0; start < n; start += BLOCK) {
        const fk_index last = fk_min(start + BLOCK, n);
        vf even = vf_set(0.0f), odd = even;
        for (fk_index j = start; j < last; j += 2 * FK_VL) {
            even += vf_load_first(x + j, last - j, 0.0f);
            if (j + FK_VL < last)
                odd += vf_load_first(x + j + FK_VL, last - j - FK_VL, 0.0f);
        }
        total += vf_sum(even + odd);
    }
    return (float)total;
}

void fk_sum_middle(float *y, const float *x, const fk_index n[3])
{
    const fk_index I = n[0], J = n[1], K = n[2], threads = fk_threads_for(I * J * K, GRAIN);
    memset(y, 0, (size_t)(I * K) * sizeof *y);
    if (K == 1)
        FK_FOR_EACH(i, I, 1, threads, y[i] = sum_of_row(x + i * J, J));
    else if (I == 1)
        fk_column_sums_add(y, x, K, J, K);
    else
        FK_FOR_EACH(i, I, 1, threads, fk_add_rows(y + i * K, x + i * J * K, K, K, J));
}
