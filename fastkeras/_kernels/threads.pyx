"""The number of threads the kernels use."""

cdef extern from "threads.h" nogil:
    void fk_set_num_threads(Py_ssize_t n) noexcept
    Py_ssize_t fk_get_num_threads() noexcept


def set_num_threads(Py_ssize_t n):
    fk_set_num_threads(n)


def get_num_threads():
    return fk_get_num_threads()
