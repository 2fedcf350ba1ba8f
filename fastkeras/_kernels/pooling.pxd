"""fk_pooling as other wrappers see it: convolutions whose output is pooled at once."""

cdef extern from "pooling.h" nogil:
    ctypedef struct fk_pooling:
        Py_ssize_t B, H, W, C, OH, OW, KH, KW, stride_h, stride_w, top, left

cdef int pooling_of(fk_pooling *s, Py_ssize_t B, Py_ssize_t H, Py_ssize_t W, Py_ssize_t C, Py_ssize_t OH,
                    Py_ssize_t OW, size, strides, before) except -1
