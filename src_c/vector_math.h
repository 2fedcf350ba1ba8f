/* vector_math.h: the functions of simd.h over arrays, which is also how the tests reach them. */
#ifndef FK_VECTOR_MATH_H
#define FK_VECTOR_MATH_H

#include "fk.h"

typedef enum {
    FK_FUNCTION_EXP,
    FK_FUNCTION_EXP_FAST,
    FK_FUNCTION_EXPM1,
    FK_FUNCTION_LOG,
    FK_FUNCTION_LOG1P,
    FK_FUNCTION_SIGMOID,
    FK_FUNCTION_TANH,
    FK_FUNCTION_ERF,
    FK_FUNCTION_SQRT
} fk_function;

/* y = g(x)    x, y (n) =;  one thread; y may be x */
void fk_vector_math(float *y, const float *x, fk_function g, fk_index n);

#endif
