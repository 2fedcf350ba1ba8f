/* memory.h: what the process keeps of the memory it has freed.
 *
 * glibc gives freed blocks of megabytes back to the system, which clears them page by page when they are asked for
 * again. Code of the user's own on arrays asks for the same blocks at every step: a step of an attention layer in
 * ops, 128 x 100 x 64 float32, takes twice as long that way.
 */
#ifndef FK_MEMORY_H
#define FK_MEMORY_H

/* From now on up to 256 MB of freed memory stay with the process. Nothing happens but with glibc. */
void fk_memory_keep(void);

#endif
