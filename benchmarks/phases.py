"""Where the time of a fastkeras step goes: `python -m benchmarks.phases --workload NAME`.

Every kernel that fastkeras calls is put between two readings of the clock, while whole epochs are trained or all rows
are predicted. A kernel belongs to a phase of the step. The readings take time of their own, so the whole step is
measured without them, before and after; what no kernel takes of it is Python and numpy. The products among the kernels
are counted too, so that their speed stands beside the machine's best (the fastest of some large products).
"""

import functools
import inspect
import math
import sys
import time
from dataclasses import dataclass

import numpy as np

from benchmarks import data
from benchmarks.arguments import of_steps
from benchmarks.report import number, percent, table
from benchmarks.workload import seconds_per_call
from benchmarks.workloads import WORKLOADS
from benchmarks.workloads.gemm import product

# (module, kernel or "*") of fastkeras._kernels -> phase; the first that fits counts
PHASES = {
    ("rows", "*"): "gather and scatter",
    ("prefix", "*"): "equal pasts",
    ("dense", "forward"): "projection",
    ("lstm", "forward"): "time loop, forward",
    ("gru", "forward"): "time loop, forward",
    ("simple_rnn", "forward"): "time loop, forward",
    ("lstm", "backward"): "time loop, backward",
    ("gru", "backward"): "time loop, backward",
    ("simple_rnn", "backward"): "time loop, backward",
    ("dense", "backward"): "weight and input gradients",
    ("dense", "add_column_sums"): "weight and input gradients",
    ("gemm", "*"): "weight and input gradients",
    ("recurrent", "gradients"): "weight and input gradients",
    ("conv", "forward"): "convolution",
    ("conv", "forward_max"): "convolution",
    ("conv", "forward_rows"): "convolution",
    ("conv", "forward_rows_max"): "convolution",
    ("conv", "backward"): "convolution, backward",
    ("conv", "backward_max"): "convolution, backward",
    ("conv", "backward_peaks"): "convolution, backward",
    ("conv", "*"): "borders",
    ("pooling", "*"): "pooling",
    ("attention", "*"): "attention",
    ("activations", "*"): "activations",
    ("losses", "*"): "loss and metrics",
    ("metrics", "*"): "loss and metrics",
    ("optimizers", "*"): "optimizer",
}
OTHER, REST = "other kernels", "Python and numpy"
CLASSES = ("States", "Attention")  # kernels that are classes


def time_loop_flops(a):
    return 2 * a["states"].count * a["R"].size


def recurrent_gradient_flops(a):
    """Those of dR; what goes to dP is added without a product."""
    columns = a.get("columns", -1)
    width = a["dz"].shape[1] - a.get("P_gap", 0) - a.get("at", 0) if columns < 0 else columns
    return 0 if a["dR"] is None else 2 * a["states"].count * a["h"].shape[1] * width


def convolution_flops(a):
    x, W = a["x"].shape, a["W"].shape
    axes = zip(x[1:3], W[:2], a["strides"], a["dilation"], strict=True)
    return 2 * x[0] * math.prod((n - (k - 1) * d - 1) // s + 1 for n, k, s, d in axes) * a["W"].size


def peaks_flops(a):
    """Those of the gradients that are there."""
    gradients = [a[d] is not None for d in ("dx", "dW") if d in a]
    return 2 * a["g"].size * math.prod((a["W"] if "W" in a else a["dW"]).shape[:3]) * sum(gradients)


def attention_flops(a):
    """x = q k^T and y = P v"""
    pairs, K, V = a["self"].pairs
    return 2 * pairs * (K + V)


def attention_gradient_flops(a):
    """x once more; dv, dP, dq and dk"""
    pairs, K, V = a["self"].pairs
    return 2 * pairs * (3 * K + 2 * V)


# floating-point operations of the matrix products in one call, from the arguments by name
FLOPS = {
    ("dense", "forward"): lambda a: 2 * len(a["x"]) * a["W"].size,
    ("dense", "backward"): lambda a: 2 * len(a["x"]) * a["W"].size * sum(a[d] is not None for d in ("dx", "dW")),
    ("gemm", "gemm"): lambda a: 2 * a["A"].size * a["C"].shape[1],
    ("recurrent", "gradients"): recurrent_gradient_flops,
    ("conv", "forward"): convolution_flops,
    ("conv", "forward_max"): convolution_flops,
    ("conv", "backward"): lambda a: convolution_flops(a) * sum(a[d] is not None for d in ("dx", "dW")),
    ("conv", "backward_max"): peaks_flops,
    ("conv", "backward_peaks"): peaks_flops,
    ("attention", "forward"): attention_flops,
    ("attention", "backward"): attention_gradient_flops,
    **{(layer, way): time_loop_flops for layer in ("lstm", "gru", "simple_rnn") for way in ("forward", "backward")},
}


# large products, M x N x K; which of them is fastest depends on the caches
LARGE = ((1024, 1024, 1024), (896, 512, 512), (1792, 256, 512))


@dataclass
class Spent:
    """What some calls took. moved: the bytes of the arrays they were given, each once."""

    calls: int = 0
    seconds: float = 0.0
    flops: int = 0
    moved: int = 0

    def add(self, other):
        self.calls += other.calls
        self.seconds += other.seconds
        self.flops += other.flops
        self.moved += other.moved


class Clock:
    """Puts every kernel that the loaded modules of fastkeras hold between two readings of the clock.

    spent: {(module, kernel): Spent}    flops: which kernels' products are counted, and how
    """

    def __init__(self, flops=FLOPS):
        self.spent, self.replaced, self.flops = {}, [], flops

    def __enter__(self):
        timed = {}
        for name, module in list(sys.modules.items()):
            if not name.startswith("fastkeras"):
                continue
            for attribute, value in list(vars(module).items()):
                key = _kernel(value)
                if key is not None:
                    timed.setdefault(id(value), self._timed_kernel(value, *key))
                    self.replaced.append((module, attribute, value))
                    setattr(module, attribute, timed[id(value)])
        return self

    def __exit__(self, *exception):
        for module, attribute, value in self.replaced:
            setattr(module, attribute, value)

    def _timed_kernel(self, value, module, name):
        """A function, or a class: what it computes when it is made, or in its passes if it has any."""
        if not hasattr(value, "backward"):
            return self._timed(value, module, name)
        passes = {way: self._timed(getattr(value, way), module, way) for way in ("forward", "backward")}
        return type(name, (value,), passes)

    def _timed(self, call, module, kernel):
        spent = self.spent.setdefault((module, kernel), Spent())
        flops = self.flops.get((module, kernel))
        names = list(inspect.signature(call).parameters) if flops else []

        @functools.wraps(call, updated=())
        def timed(*arguments, **options):
            begin = time.perf_counter()
            result = call(*arguments, **options)
            spent.seconds += time.perf_counter() - begin
            spent.calls += 1
            spent.moved += sum(a.nbytes for a in (*arguments, *options.values()) if isinstance(a, np.ndarray))
            if flops:
                spent.flops += flops(dict(zip(names, arguments, strict=False)) | options)
            return result

        return timed


def _kernel(value):
    """(module, name) of a kernel's wrapper, or of one that is a class; else None."""
    place, _, module = (getattr(value, "__module__", None) or "").rpartition(".")
    if place != "fastkeras._kernels" or module in ("cpu", "threads", "array", "steps"):
        return None
    is_kernel = type(value).__name__ in ("cython_function_or_method", "builtin_function_or_method")
    return (module, value.__name__) if is_kernel or getattr(value, "__name__", None) in CLASSES else None


def phase_of(module, kernel):
    return PHASES.get((module, kernel)) or PHASES.get((module, "*")) or OTHER


def seconds_of(call, *arguments):
    begin = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - begin


def empty_reading(groups=10, calls=1000):
    """Seconds that a Clock finds in a call that does nothing: the mean of the fastest group of calls."""
    means = []
    for _ in range(groups):
        clock = Clock()
        timed = clock._timed(lambda: None, "", "")
        for _ in range(calls):
            timed()
        means.append(clock.spent["", ""].seconds / calls)
    return min(means)


def measure(workload, least=1.0):
    """({(module, kernel): Spent}, seconds, steps) of whole epochs or predictions that last about `least` seconds.

    seconds: of as many steps without the Clock, half of them before and half after those with it. What an empty call
    shows between two readings is taken off each call of a kernel.
    """
    import fastkeras

    again, steps = workload.again(fastkeras)
    half = math.ceil(least / seconds_of(again, 1) / 2)
    before = seconds_of(again, half)
    with Clock() as clock:
        again(2 * half)
    seconds = before + seconds_of(again, half)
    empty = empty_reading()
    for its in clock.spent.values():
        its.seconds = max(0.0, its.seconds - its.calls * empty)
    return clock.spent, seconds, 2 * half * steps


def by_phase(spent, seconds):
    """{phase: Spent} in the order of PHASES; the phase REST has what no kernel took of the seconds."""
    phases = {phase: Spent() for phase in (*PHASES.values(), OTHER, REST)}
    for kernel, its in spent.items():
        phases[phase_of(*kernel)].add(its)
    phases[REST].seconds = max(0.0, seconds - sum(total.seconds for total in phases.values()))
    return phases


def peak():
    """Floating-point operations per second of the fastest of some large products."""
    return max(2 * M * N * K / seconds_per_call(product("fastkeras", M, N, K, "y")[0]) for M, N, K in LARGE)


def report(spent, seconds, steps, best):
    """The table of phases; those that took no time are left out."""
    phases = {phase: its for phase, its in by_phase(spent, seconds).items() if its.seconds}
    phases["a step"] = Spent(sum(i.calls for i in phases.values()), seconds, sum(i.flops for i in phases.values()))
    rows = []
    for phase, its in phases.items():
        calls, took = its.calls / steps or None, 1e3 * its.seconds / steps
        speed = its.flops / its.seconds or None
        speeds = number(speed and speed / 1e9), percent(speed and speed / best)
        rows.append([phase, number(calls), number(took), percent(its.seconds / seconds), *speeds])
    return table(["phase", "kernel calls", "ms", "share", "GFLOP/s", "of peak"], rows)


def main():
    options = of_steps("phases", __doc__.split("\n\n")[0]).parse_args()

    import fastkeras

    fastkeras.config.set_num_threads(options.threads)
    data.folder, best = options.data, peak()
    print(f"peak: {number(best / 1e9)} GFLOP/s with {options.threads} threads")
    for name in options.workload:
        print(f"\n{name}: {WORKLOADS[name].title}, batch {WORKLOADS[name].batch}\n")
        print(report(*measure(WORKLOADS[name]), best), flush=True)


if __name__ == "__main__":
    main()
