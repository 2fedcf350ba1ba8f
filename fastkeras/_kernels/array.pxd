"""Pointers to the data of numpy arrays, checked: dtype, rank, extents, contiguity, and writability of outputs.

    cdef const float *x = f32(x_array, "x", 2, -1, D)        # any number of rows of D floats, read
    cdef float *y = f32_out(y_array, "y", 2, B, U)           # exactly (B, U) floats, written

A negative extent accepts any; None gives NULL where the name ends in `_or_null`. The arrays stay alive and in
place as long as the caller holds them, which is longer than the kernel runs.
"""

from libc.stdint cimport int64_t
from numpy cimport ndarray

cdef float *f32(ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*, Py_ssize_t n2=*) except NULL
cdef float *f32_out(ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*, Py_ssize_t n2=*) except NULL
cdef int *i32(ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*, Py_ssize_t n2=*) except NULL
cdef int *i32_out(ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*, Py_ssize_t n2=*) except NULL
cdef int64_t *i64(ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*, Py_ssize_t n2=*) except NULL
cdef unsigned char *u8(ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*, Py_ssize_t n2=*) except NULL

# As above for an argument that may be None; `found` tells failure (-1) from NULL (0).
cdef int f32_or_null(const float **pointer, ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*,
                     Py_ssize_t n2=*) except -1
cdef int f32_out_or_null(float **pointer, ndarray a, str name, int rank, Py_ssize_t n0=*, Py_ssize_t n1=*,
                         Py_ssize_t n2=*) except -1
cdef int u8_or_null(const unsigned char **pointer, ndarray a, str name, int rank, Py_ssize_t n0=*,
                    Py_ssize_t n1=*, Py_ssize_t n2=*) except -1

# Scratch memory for kernels: at least `floats` floats, aligned to a cache line, until it is given back. Both need the
# GIL; a few blocks are kept and reused, so that a training step allocates nothing. What a kernel needs may depend on
# the number of threads, which therefore does not change while scratch is taken.
cdef float *take_scratch(Py_ssize_t floats) except NULL
cdef void give_scratch(float *block) noexcept
cdef bint scratch_is_taken() noexcept
cdef void forget_taken() noexcept  # in a forked child, which has none of the threads that took it
