#include "memory.h"

#include <stdlib.h> /* says whether the C library is glibc */

#ifdef __GLIBC__
#include <malloc.h>

enum { MEGABYTE = 1 << 20, LARGEST_BLOCK = 32 * MEGABYTE, KEPT = 256 * MEGABYTE };

void fk_memory_keep(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK); /* blocks above go back one by one; glibc allows no larger bound */
    mallopt(M_TRIM_THRESHOLD, KEPT);
}
#else
void fk_memory_keep(void) {}
#endif
