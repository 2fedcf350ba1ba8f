/* vector_math.h: the functions of simd.h over arrays, which is also how the tests reach them. */
#ifndef FK_VECTOR_MATH_H
#define FK_VECTOR_MATH_H

#include "fk.h"

typedef enum {
    FK_EXP,
    FK_EXP_FAST,
    FK_EXPM1,
    FK_LOG,
    FK_LOG1P,
    FK_VECTOR_SIGMOID,
    FK_VECTOR_TANH,
    FK_ERF,
    FK_SQRT
} fk_function;

/* y = g(x)    x, y (n) =;  one thread; y may be x */
void fk_vector_math(float *y, const float *x, fk_function g, fk_index n);

#endif
