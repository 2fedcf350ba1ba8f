"""Speed of the matrix product against numpy's (OpenBLAS), in turn with it.

    python benchmarks/gemm.py [--threads 1 2] [--rounds 9] [--shape 64x384x128 ...] [--parts y dx dW]

Shapes are M x N x K: rows of the batch, outputs, inputs. "y" is a layer's forward product x W, "dx" is dy W^T, and
"dW" is += x^T dy (numpy has no +=, it writes dW). What is measured is a whole call from Python, `gemm(C, A, B)` against
`np.matmul(A, B, out=C)`, on the same arrays again and again, so that they are in the caches as far as they fit.

Each library runs in a process of its own and is asked for one short measurement in turn, so that a drift of the
machine meets both. Times are medians over the rounds, "ratio" is the median of numpy's time / ours in the same round,
and "peak" is our share of the best speed that numpy reached at 1024 x 1024 x 1024.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

LAYERS = [
    (32, 8, 4),
    (64, 96, 32),
    (64, 384, 128),
    (128, 480, 120),
    (128, 512, 784),
    (32000, 384, 100),
    (1024, 1024, 1024),
]
PARTS = ("y", "dx", "dW")
SLICE = 0.02  # seconds of one measurement
PAUSE = 0.03  # seconds between turns: the other library's threads stop waiting for work and sleep


def product(library, part, M, N, K):
    """A call without arguments that computes one product with `library`."""
    import numpy as np

    rng = np.random.default_rng(0)
    x, W, dy = (rng.standard_normal(shape, np.float32) for shape in [(M, K), (K, N), (M, N)])
    A, B, rows, columns = {"y": (x, W, M, N), "dx": (dy, W, M, K), "dW": (x, dy, K, N)}[part]
    trans_a, trans_b = part == "dW", part == "dx"
    C = np.zeros((rows, columns), np.float32)
    if library == "numpy":
        a, b = A.T if trans_a else A, B.T if trans_b else B
        return lambda: np.matmul(a, b, out=C)

    from fastkeras._kernels import gemm

    return lambda: gemm.gemm(C, A, B, trans_a, trans_b, part == "dW")


def seconds_per_call(call):
    """The median of many calls' times, or of groups of calls where one is too short for the clock."""
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    group = max(1, int(50e-6 / max(once, 1e-7)))
    times = []
    end = time.perf_counter() + SLICE
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        for _ in range(group):
            call()
        times.append((time.perf_counter() - start) / group)
    return median(times)


def worker(library):
    """Answers each line "part M N K" with seconds per call."""
    for line in sys.stdin:
        part, *size = line.split()
        print(seconds_per_call(product(library, part, *map(int, size))), flush=True)


class Peer:
    """One library in a process of its own, whose threads both read from the environment."""

    def __init__(self, library, threads):
        # OpenBLAS is to choose its kernels and block sizes for itself
        environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        environment |= {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        root = str(Path(__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
        command = [sys.executable, __file__, "--worker", library]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def measure(self, part, M, N, K):
        time.sleep(PAUSE)
        print(part, M, N, K, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(threads, layers, parts, rounds):
    ours, theirs = Peer("fastkeras", threads), Peer("numpy", threads)
    print(f"\n{threads} thread{'s' if threads > 1 else ''}")
    print(f"{'M x N x K':>18} {'':3}{'ours us':>11}{'numpy us':>11}{'GFLOP/s':>9}{'ratio':>7}{'peak':>7}")
    peak = 2 * 1024**3 / min(theirs.measure("y", 1024, 1024, 1024) for _ in range(5))
    for M, N, K in layers:
        for part in parts:
            pairs = [(ours.measure(part, M, N, K), theirs.measure(part, M, N, K)) for _ in range(rounds)]
            our_time, their_time = median(a for a, _ in pairs), median(b for _, b in pairs)
            ratio = median(b / a for a, b in pairs)
            speed = 2 * M * N * K / our_time
            print(
                f"{f'{M} x {N} x {K}':>18} {part:3}{our_time * 1e6:11.2f}{their_time * 1e6:11.2f}"
                f"{speed / 1e9:9.1f}{ratio:7.2f}{speed / peak:7.0%}",
                flush=True,
            )
    ours.close()
    theirs.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--shape", nargs="+", help="MxNxK instead of the built-in list")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker)
        return
    layers = [tuple(map(int, shape.split("x"))) for shape in options.shape or []] or LAYERS
    for threads in options.threads:
        compare(threads, layers, options.parts, options.rounds)


if __name__ == "__main__":
    main()
