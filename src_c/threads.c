#include "threads.h"

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
