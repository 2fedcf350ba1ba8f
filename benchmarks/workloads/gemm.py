"""The matrix product that most of the work is, against numpy's (OpenBLAS)."""

import re

import numpy as np

from benchmarks.workload import Session, Workload, seconds_per_call

SLICE = 0.02  # seconds of one measurement
LAYERS = (
    (32, 8, 4),
    (64, 96, 32),
    (64, 384, 128),
    (128, 480, 120),
    (128, 512, 784),
    (32000, 384, 100),
    (1024, 1024, 1024),
)


class Gemm(Workload):
    """The three products of a dense layer; a case is "M x N x K y": rows of the batch, outputs, inputs, and which.

    y is the forward product x W, dx is dy W^T and dW is += x^T dy (numpy has no +=, it writes dW). A whole call from
    Python is measured, on the same arrays again and again, so that they are in the caches as far as they fit.
    """

    name = "gemm"
    title = "matrix product"
    unit, per = "us", "call"
    peers = ("fastkeras", "numpy")
    cases = tuple(f"{M} x {N} x {K} {part}" for M, N, K in LAYERS for part in ("y", "dx", "dW"))

    def start(self, library, path):
        ready = {}

        def measure(case):
            if case not in ready:
                ready.clear()
                ready[case], _ = product(library.name, *sizes(case))
            return seconds_per_call(ready[case], SLICE)

        return Session(measure)

    def chosen(self, texts):
        """The cases that hold one of these texts, and any other size that is written out as a case."""
        listed = super().chosen(texts)
        return listed + [
            text for text in texts if re.fullmatch(r"\d+ x \d+ x \d+ (y|dx|dW)", text) and text not in listed
        ]

    def flops(self, case):
        M, N, K, _ = sizes(case)
        return 2 * M * N * K


def sizes(case):
    """(M, N, K, part) of "M x N x K part"."""
    M, _, N, _, K, part = case.split()
    return int(M), int(N), int(K), part


def product(library, M, N, K, part):
    """(call, C): a call without arguments that computes one product, and the array it goes into."""
    random = np.random.default_rng(0)
    x, W, dy = (random.standard_normal(shape, np.float32) for shape in [(M, K), (K, N), (M, N)])
    A, B, shape = {"y": (x, W, (M, N)), "dx": (dy, W, (M, K)), "dW": (x, dy, (K, N))}[part]
    trans_a, trans_b = part == "dW", part == "dx"
    C = np.zeros(shape, np.float32)
    if library == "numpy":
        a, b = A.T if trans_a else A, B.T if trans_b else B
        return lambda: np.matmul(a, b, out=C), C

    from fastkeras._kernels import gemm

    return lambda: gemm.gemm(C, A, B, trans_a, trans_b, part == "dW"), C
