cpdef object add(object a, object b)
cpdef object summed(object x, object axis=*, bint keepdims=*)
