"""fk_activation as other wrappers see it: they take an `Activation` and pass its `c` on to their kernels."""

cdef extern from "activations.h" nogil:
    ctypedef struct fk_activation:
        int kind
        float a
        float b
        float c

cdef class Activation:
    cdef fk_activation c
    cdef readonly str name
    cdef readonly bint rowwise
    cdef readonly bint needs_input
