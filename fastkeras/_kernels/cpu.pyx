"""Which instruction sets this machine runs; imported before any kernel library is loaded."""

cdef extern from *:
    """
    #if defined(__x86_64__) || defined(_M_X64)
    static int runs_avx2(void)
    {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    static int runs_avx512(void)
    {
        return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    }
    #else
    static int runs_avx2(void) { return 0; }
    static int runs_avx512(void) { return 0; }
    #endif
    #if defined(__aarch64__)
    static int runs_neon(void) { return 1; }
    #else
    static int runs_neon(void) { return 0; }
    #endif
    """
    int runs_avx2() noexcept nogil
    int runs_avx512() noexcept nogil
    int runs_neon() noexcept nogil


def supports(str isa not None):
    """Whether this machine can run kernels built for `isa`."""
    if isa == "avx512":
        return bool(runs_avx512())
    if isa == "avx2":
        return bool(runs_avx2())
    if isa == "neon":
        return bool(runs_neon())
    return isa == "baseline"
