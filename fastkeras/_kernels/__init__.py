"""The compiled kernels: one thin wrapper module per family over src_c, and the choice of instruction set.

All of src_c is compiled once per instruction set into a library `libfk_<isa>.so` with the same function names.
Importing this package loads the best one the machine can run (or the one FASTKERAS_ISA names) with its symbols
visible to the wrappers, which are then linked to it as they are imported.
"""

import ctypes
import os

# Threads that finish a kernel early wait for the others, and then for the next kernel, by spinning: 15 ms by
# libgomp's default, which turns into that much delay a kernel as soon as another process takes one of the cores (a
# 64 x 384 x 128 product: 8 ms). 5000 rounds are about 250 us, more than the pause between two kernels of a step: on two
# quiet cores a step of an MLP of 670,000 weights takes 2.8 ms, with 1000 rounds 3.5 ms, since threads fall asleep and
# have to be woken; beside a busy process 6.9 and 7.7 ms. The library reads this once, when it is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

try:
    from fastkeras._kernels import cpu
except ImportError:
    raise ImportError(
        f"The compiled parts of fastkeras are missing in {os.path.dirname(__file__)}. In its source folder, install it "
        "in place (pip install -e .); elsewhere, install it again."
    ) from None

# Best first. NEON is part of every 64-bit Arm machine, SSE2 (baseline) of every x86-64.
_PREFERENCE = ("avx512", "avx2", "neon", "baseline")


def _library(isa):
    return os.path.join(os.path.dirname(__file__), f"libfk_{isa}.so")


def available_isas():
    """The instruction sets that were built and that this machine runs, best first."""
    return [isa for isa in _PREFERENCE if os.path.exists(_library(isa)) and cpu.supports(isa)]


def _choose():
    available = available_isas()
    wanted = os.environ.get("FASTKERAS_ISA")
    if wanted and wanted not in available:
        raise ImportError(f"FASTKERAS_ISA must be one of {available} on this machine. Received: {wanted!r}")
    if not available:
        raise ImportError("fastkeras has no compiled kernels for this machine; install it again from source.")
    return wanted or available[0]


isa = _choose()
_loaded = ctypes.CDLL(_library(isa), mode=ctypes.RTLD_GLOBAL)

# A forked child has none of the parent's threads, and OpenMP would wait for them for ever: it works with its own one.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _loaded.fk_set_num_threads(ctypes.c_ssize_t(1)))
