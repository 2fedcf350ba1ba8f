/* threads.h: how many threads a kernel may use.
 *
 * Work is split over outputs, never over a sum, so the same input gives the same bits for any number of threads.
 */
#ifndef FK_THREADS_H
#define FK_THREADS_H

#include "fk.h"

/* The most threads any kernel uses from now on; n < 1 asks for the machine's (OMP_NUM_THREADS counts). */
void fk_set_num_threads(fk_index n);
fk_index fk_get_num_threads(void);

/* Threads for a job of `work` elementary operations, so that each thread has at least `grain` of them.
 * Waking a thread costs a few microseconds: small work stays on one. */
fk_index fk_threads_for(fk_index work, fk_index grain);

/* The half-open part [*begin, *end) of [0, n) that belongs to thread `t` of `threads`,
 * cut at multiples of `step`. */
FK_INLINE void fk_share(fk_index *begin, fk_index *end, fk_index n, fk_index step, fk_index t, fk_index threads)
{
    const fk_index blocks = fk_ceil_div(n, step);
    *begin = fk_min(n, blocks * t / threads * step);
    *end = fk_min(n, blocks * (t + 1) / threads * step);
}

/* The last argument is a statement, run for shares [begin, end) of [0, n) that are cut at multiples of `step`: one
 * for each of at most `threads` threads; fk_part is the number of the share, for scratch of its own. Where that is one
 * thread, OpenMP is left out, whose parallel region takes half a microsecond even then (libgomp makes a team: 0.48 us
 * measured): so the statement is compiled twice. A loop over a share is vectorized by Clang; one over [0, n) that
 * OpenMP itself shares out is not. */
#define FK_FOR_SHARES(begin, end, n, step, threads, ...)                                                        \
    do {                                                                                                        \
        const fk_index fk_shares = fk_min((threads), fk_ceil_div((n), (step)));                                 \
        if (fk_shares <= 1) {                                                                                   \
            const fk_index fk_part = 0;                                                                         \
            fk_index begin = 0, end = (n);                                                                      \
            (void)fk_part;                                                                                      \
            __VA_ARGS__;                                                                                        \
        } else {                                                                                                \
            _Pragma("omp parallel for num_threads((int)fk_shares) schedule(static)")                            \
            for (fk_index fk_part = 0; fk_part < fk_shares; fk_part++) {                                        \
                fk_index begin, end;                                                                            \
                fk_share(&begin, &end, n, step, fk_part, fk_shares);                                            \
                __VA_ARGS__;                                                                                    \
            }                                                                                                   \
        }                                                                                                       \
    } while (0)

/* The same for each i = 0, step, 2 step, ... below n. */
#define FK_FOR_EACH(i, n, step, threads, ...)                                                                   \
    FK_FOR_SHARES(fk_begin, fk_end, n, step, threads,                                                           \
                  for (fk_index i = fk_begin; i < fk_end; i += (step)) { __VA_ARGS__; })

/* The core the caller runs on, -1 where that cannot be known; and: if the caller runs on `core`, go to another.
 * Linux may wake a thread on the very core of the thread that waits for it, although others are idle, and leave
 * it there, so that the two take turns. */
int fk_current_core(void);
void fk_leave_core(int core);

/* Inside a parallel region: this thread's number, how many there really are, and a point where all of a team wait
 * for each other (a team of one does not wait, whatever runs around it). */
#ifdef _OPENMP
#include <omp.h>
FK_INLINE fk_index fk_thread_index(void) { return omp_get_thread_num(); }
FK_INLINE fk_index fk_team_size(void) { return omp_get_num_threads(); }
FK_INLINE void fk_barrier(fk_index team)
{
    if (team > 1) {
#pragma omp barrier
    }
}
#else
FK_INLINE fk_index fk_thread_index(void) { return 0; }
FK_INLINE fk_index fk_team_size(void) { return 1; }
FK_INLINE void fk_barrier(fk_index team) { (void)team; }
#endif

#endif
