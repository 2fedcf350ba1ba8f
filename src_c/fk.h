/* fk.h: what every kernel family shares: the alphabet, the index type, the status.
 *
 * The alphabet.  A capital letter is a size, the same letter in lower case an index into it:
 *     B batch    T time steps    D input features    U units    V vocabulary    R distinct rows    S states
 *     M N K      rows, columns and the summed size of a matrix product
 * Arrays are float32, row-major and contiguous; ids and row indices are int32; masks are bytes, 0 or 1.
 * dX is the gradient of the loss with respect to X.  A row pointer is named by the indices already fixed:
 *     x_bt = x + (b*T + t)*D
 *
 * A prototype's comment gives the equation, each array's shape and what happens to it:  "=" is written,
 * "+=" is added to.  Arguments come in this order: outputs, inputs, arrays saved by the forward pass, scratch,
 * sizes.  Kernels do not allocate, print or keep state; scratch is the caller's, sized in floats by the
 * family's *_scratch function, and garbage afterwards.
 */
#ifndef FK_H
#define FK_H

#include <stddef.h>
#include <stdint.h>

#define FK_INLINE static inline __attribute__((always_inline))

/* Floats of a cache line. */
#define FK_LINE 16

typedef ptrdiff_t fk_index;

/* What a kernel may find wrong in the data; shapes are checked by the wrapper. */
typedef enum {
    FK_OK = 0,
    FK_BAD_INDEX = 1 /* an id outside [0, V) */
} fk_status;

FK_INLINE fk_index fk_min(fk_index a, fk_index b) { return a < b ? a : b; }
FK_INLINE fk_index fk_max(fk_index a, fk_index b) { return a > b ? a : b; }
/* a / b, rounded up */
FK_INLINE fk_index fk_ceil_div(fk_index a, fk_index b) { return (a + b - 1) / b; }
FK_INLINE fk_index fk_round_up(fk_index a, fk_index b) { return fk_ceil_div(a, b) * b; }

#endif
