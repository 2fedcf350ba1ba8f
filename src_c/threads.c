#define _GNU_SOURCE /* sched_getcpu and the affinity calls */
#include "threads.h"

#ifdef __linux__
#include <sched.h>
#endif

/* The one setting the kernels share. It changes how fast a result comes, never the result. */
static fk_index limit = 0;

static fk_index machine_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

void fk_set_num_threads(fk_index n) { limit = n < 1 ? machine_threads() : n; }

fk_index fk_get_num_threads(void)
{
    if (limit == 0)
        limit = machine_threads();
    return limit;
}

fk_index fk_threads_for(fk_index work, fk_index grain)
{
    return fk_max(1, fk_min(fk_get_num_threads(), work / grain));
}

#ifdef __linux__
int fk_current_core(void) { return sched_getcpu(); }

/* Forbidding the core for a moment moves the thread at once; afterwards it may use all it might before. */
void fk_leave_core(int core)
{
    cpu_set_t allowed, others;
    if (core < 0 || sched_getcpu() != core || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    others = allowed;
    CPU_CLR(core, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
}
#else
int fk_current_core(void) { return -1; }
void fk_leave_core(int core) { (void)core; }
#endif
