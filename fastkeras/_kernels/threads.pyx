"""The number of threads the kernels use."""

import os
from time import sleep

from fastkeras._kernels.array cimport forget_taken, scratch_is_taken

cdef extern from "threads.h" nogil:
    void fk_set_num_threads(Py_ssize_t n) noexcept
    Py_ssize_t fk_get_num_threads() noexcept


def set_num_threads(Py_ssize_t n):
    """Sets it between two kernels: one that works in another Python thread has scratch for the number it began with."""
    while scratch_is_taken():
        sleep(1e-4)
    fk_set_num_threads(n)


def get_num_threads():
    return fk_get_num_threads()


def _in_child():
    forget_taken()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
