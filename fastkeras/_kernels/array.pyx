"""Checked array pointers and scratch memory for the wrappers; see array.pxd."""

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.stdlib cimport free
from numpy cimport ndarray

cnp.import_array()

cdef extern from "stdlib.h" nogil:
    int posix_memalign(void **block, size_t alignment, size_t size)


cdef str _extents(Py_ssize_t rank, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t n2):
    return "(" + ", ".join("any" if n < 0 else str(n) for n in (n0, n1, n2)[:rank]) + ")"


cdef void *_checked(ndarray a, str name, int rank, int type_number, int flags, Py_ssize_t n0, Py_ssize_t n1,
                    Py_ssize_t n2) except NULL:
    """The array's data if it is native, has the flags and the shape; an error that names it otherwise."""
    if a is None:
        raise TypeError(f"`{name}` must be an array. Received: None")
    cdef cnp.npy_intp *shape = cnp.PyArray_DIMS(a)
    if (cnp.PyArray_TYPE(a) == type_number and cnp.PyArray_NDIM(a) == rank
            and cnp.PyArray_CHKFLAGS(a, flags) and cnp.PyArray_ISNOTSWAPPED(a)
            and (rank < 1 or n0 < 0 or shape[0] == n0)
            and (rank < 2 or n1 < 0 or shape[1] == n1)
            and (rank < 3 or n2 < 0 or shape[2] == n2)):
        return cnp.PyArray_DATA(a)
    cdef str writable = "writable " if flags & cnp.NPY_ARRAY_WRITEABLE else ""
    cdef object dtype = cnp.PyArray_DescrFromType(type_number)
    raise ValueError(
        f"`{name}` must be a {writable}C-contiguous {dtype.name} array of shape "
        f"{_extents(rank, n0, n1, n2)}. Received: {a.dtype} of shape {(<object>a).shape}"
        f"{'' if (<object>a).flags.c_contiguous else ', not contiguous'}"
        f"{'' if (<object>a).flags.writeable else ', read-only'}")


cdef float *f32(ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1, Py_ssize_t n2=-1) except NULL:
    return <float *>_checked(a, name, rank, cnp.NPY_FLOAT, cnp.NPY_ARRAY_CARRAY_RO, n0, n1, n2)


cdef float *f32_out(ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1, Py_ssize_t n2=-1) except NULL:
    return <float *>_checked(a, name, rank, cnp.NPY_FLOAT, cnp.NPY_ARRAY_CARRAY, n0, n1, n2)


cdef int *i32(ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1, Py_ssize_t n2=-1) except NULL:
    return <int *>_checked(a, name, rank, cnp.NPY_INT, cnp.NPY_ARRAY_CARRAY_RO, n0, n1, n2)


cdef int *i32_out(ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1, Py_ssize_t n2=-1) except NULL:
    return <int *>_checked(a, name, rank, cnp.NPY_INT, cnp.NPY_ARRAY_CARRAY, n0, n1, n2)


cdef int64_t *i64(ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1, Py_ssize_t n2=-1) except NULL:
    return <int64_t *>_checked(a, name, rank, cnp.NPY_INT64, cnp.NPY_ARRAY_CARRAY_RO, n0, n1, n2)


cdef unsigned char *u8(ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1,
                       Py_ssize_t n2=-1) except NULL:
    """Bytes of a boolean array."""
    return <unsigned char *>_checked(a, name, rank, cnp.NPY_BOOL, cnp.NPY_ARRAY_CARRAY_RO, n0, n1, n2)


cdef int f32_or_null(const float **pointer, ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1,
                     Py_ssize_t n2=-1) except -1:
    pointer[0] = NULL if a is None else f32(a, name, rank, n0, n1, n2)
    return 0


cdef int f32_out_or_null(float **pointer, ndarray a, str name, int rank, Py_ssize_t n0=-1, Py_ssize_t n1=-1,
                         Py_ssize_t n2=-1) except -1:
    pointer[0] = NULL if a is None else f32_out(a, name, rank, n0, n1, n2)
    return 0


cdef int u8_or_null(const unsigned char **pointer, ndarray a, str name, int rank, Py_ssize_t n0=-1,
                    Py_ssize_t n1=-1, Py_ssize_t n2=-1) except -1:
    pointer[0] = NULL if a is None else u8(a, name, rank, n0, n1, n2)
    return 0


# --- scratch ---------------------------------------------------------------------------------------------------

cdef enum:
    CACHE_LINE = 64
    KEPT = 8

cdef struct Block:
    float *data
    Py_ssize_t floats
    bint taken

cdef Block blocks[KEPT]
cdef Py_ssize_t taken = 0  # how many blocks are in use, kept or not


cdef float *_allocate(Py_ssize_t floats) except NULL:
    cdef void *data = NULL
    if posix_memalign(&data, CACHE_LINE, <size_t>floats * sizeof(float)) != 0:
        raise MemoryError(f"no memory for {floats} floats of scratch")
    return <float *>data


cdef float *take_scratch(Py_ssize_t floats) except NULL:
    global taken
    cdef Py_ssize_t wanted = floats if floats > 4096 else 4096
    cdef int i, free_block = -1
    for i in range(KEPT):
        if not blocks[i].taken:
            if blocks[i].floats >= floats:
                blocks[i].taken = True
                taken += 1
                return blocks[i].data
            if free_block < 0:
                free_block = i
    cdef float *data = _allocate(wanted)
    if free_block >= 0:
        free(blocks[free_block].data)
        blocks[free_block] = Block(data, wanted, True)
    taken += 1
    return data


cdef void give_scratch(float *block) noexcept:
    global taken
    cdef int i
    taken -= 1
    for i in range(KEPT):
        if blocks[i].data == block:
            blocks[i].taken = False
            return
    free(block)


cdef bint scratch_is_taken() noexcept:
    return taken > 0


cdef void forget_taken() noexcept:
    global taken
    taken = 0
