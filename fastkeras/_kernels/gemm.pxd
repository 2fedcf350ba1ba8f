"""Packing, shared by the recurrent wrappers."""

cdef extern from "gemm.h" nogil:
    Py_ssize_t fk_gemm_packed_size(Py_ssize_t N, Py_ssize_t K) noexcept
    void fk_gemm_pack(float *packed, const float *B, Py_ssize_t B_row, int transposed, Py_ssize_t N,
                      Py_ssize_t K) noexcept
