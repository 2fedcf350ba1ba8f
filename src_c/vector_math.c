#include "vector_math.h"

#include "simd.h"

FK_INLINE void map(float *y, const float *x, fk_index n, vf g(vf))
{
    for (fk_index i = 0; i < n; i += FK_VL)
        vf_store_first(y + i, g(vf_load_first(x + i, n - i, 0.0f)), n - i);
}

void fk_vector_math(float *y, const float *x, fk_function g, fk_index n)
{
    switch (g) {
    case FK_FUNCTION_EXP: map(y, x, n, vf_exp); break;
    case FK_FUNCTION_EXP_FAST: map(y, x, n, vf_exp_fast); break;
    case FK_FUNCTION_EXPM1: map(y, x, n, vf_expm1); break;
    case FK_FUNCTION_LOG: map(y, x, n, vf_log); break;
    case FK_FUNCTION_LOG1P: map(y, x, n, vf_log1p); break;
    case FK_FUNCTION_SIGMOID: map(y, x, n, vf_sigmoid); break;
    case FK_FUNCTION_TANH: map(y, x, n, vf_tanh); break;
    case FK_FUNCTION_ERF: map(y, x, n, vf_erf); break;
    case FK_FUNCTION_SQRT: map(y, x, n, vf_sqrt); break;
    }
}
