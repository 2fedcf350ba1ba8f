"""How far each phase of a step is from what the machine can do: `python -m benchmarks.roofline`.

A phase's roof is the time of its products at the speed of the fastest product, or that of its arrays passing through
memory once, whichever is longer (Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009). What the phase takes
beyond is lost. The roof is no strict bound: arrays that stay in caches pass faster than memory, so that a phase may
reach more than 100 % of memory; then it loses nothing. Beside the products that are computed stand those that would be
needed if nothing were shared: every row of an embedding for itself, every state of every step, padding and masked steps
included, and gradients through pooling of all pixels.

    found = measure(["reuters-lstm"], threads=2)       # a dictionary, fit for JSON
    print(markdown(found))                             # the table, and the largest losses by name
"""

import contextlib

import numpy as np

from benchmarks import data
from benchmarks.arguments import of_steps
from benchmarks.machine import processors
from benchmarks.phases import FLOPS, Clock, Spent, by_phase, convolution_flops, peak
from benchmarks.phases import measure as measure_phases
from benchmarks.report import number, percent, table
from benchmarks.workload import seconds_per_call
from benchmarks.workloads import WORKLOADS

WHOLE = "a step"  # the row of a workload that holds all of its phases
LOSSES = 3
BEYOND_MEMORY = "Arrays that stay in caches pass faster than memory, so the roof is no strict bound."


# --- products without sharing -----------------------------------------------------------------------------------------


def all_steps_flops(a):
    """Of a time loop that computes one state for each step of each row."""
    return 2 * a["states"].state.size * a["R"].size


def all_steps_gradient_flops(a):
    return FLOPS["recurrent", "gradients"](a) * a["states"].state.size // a["states"].count


def all_pixels_flops(a):
    """Of a convolution's gradients (those that are wanted) where every pixel of its output has one."""
    W = a["W"] if "W" in a else a["dW"]
    x = a["x"] if a.get("index") is None else np.broadcast_to(a["x"][:1, :1], (*a["index"].shape, 1))
    gradients = [a[d] is not None for d in ("dx", "dW") if d in a]
    return convolution_flops({**a, "x": x, "W": W}) * sum(gradients)


WITHOUT_SHARING = {
    **FLOPS,
    **{key: all_steps_flops for key in FLOPS if key[0] in ("lstm", "gru", "simple_rnn")},
    ("recurrent", "gradients"): all_steps_gradient_flops,
    ("conv", "backward_max"): all_pixels_flops,
    ("conv", "backward_peaks"): all_pixels_flops,
}


@contextlib.contextmanager
def plain_embeddings():
    """Within, an Embedding gives the rows of all steps, not the distinct ones."""
    from fastkeras.core.rows import dense
    from fastkeras.layers import Embedding

    forward = Embedding.forward

    def plain_forward(self, x, run):
        rows, backward = forward(self, x, run)
        y, undo = dense(rows, run, "plain")
        return y, lambda dy: backward(undo(dy))

    Embedding.forward = plain_forward
    try:
        yield
    finally:
        Embedding.forward = forward


def flops_without_sharing(workload):
    """{phase: floating-point operations} of the products of one step, found by doing so with the first batch."""
    import fastkeras

    with plain_embeddings():
        again, _ = workload.again(fastkeras, rows=workload.batch)
        with Clock(WITHOUT_SHARING) as clock:
            again(1)
    return {phase: its.flops for phase, its in by_phase(clock.spent, 0.0).items()}


# --- the machine ------------------------------------------------------------------------------------------------------


def bandwidth(megabytes=64):
    """Bytes per second that all threads read and write together while they copy rows of 4 KB from end to end."""
    from fastkeras._kernels import rows

    x = np.ones((megabytes * 256, 1024), np.float32)
    y, index = np.empty_like(x), np.arange(len(x), dtype=np.int32)
    return 2 * x.nbytes / seconds_per_call(lambda: rows.gather(y, x, index))


# --- the table --------------------------------------------------------------------------------------------------------


def roof(its, best, fastest):
    """Seconds of its products at the best speed, or of its arrays at memory's: the longer of the two."""
    return max(its.flops / best, its.moved / fastest)


def rows_of(name, spent, seconds, steps, needed, best, fastest):
    """A row (as told in `measure`) for each phase of a workload, and one for the whole step, in which losses add up."""
    phases = {phase: its for phase, its in by_phase(spent, seconds).items() if its.seconds > 0}
    rows = []
    for phase, its in phases.items():
        lost = max(0.0, its.seconds - roof(its, best, fastest))
        rows.append(_row(name, phase, its, seconds, steps, needed.get(phase, 0), best, fastest, lost / steps))
    step = Spent(seconds=seconds)
    for its in phases.values():
        step.flops, step.moved = step.flops + its.flops, step.moved + its.moved
    lost = sum(row["lost"] for row in rows)
    return [*rows, _row(name, WHOLE, step, seconds, steps, sum(needed.values()), best, fastest, lost)]


def _row(name, phase, its, seconds, steps, needed, best, fastest, lost):
    return {
        "workload": name,
        "title": WORKLOADS[name].title if name in WORKLOADS else name,
        "phase": phase,
        "seconds": its.seconds / steps,
        "share": its.seconds / seconds,
        "flops": its.flops / steps,
        "needed": needed,
        "moved": its.moved / steps,
        "of_peak": its.flops / its.seconds / best,
        "of_bandwidth": its.moved / its.seconds / fastest,
        "lost": lost,
    }


def measure(names, threads=None, least=1.0):
    """{"threads", "peak": flops/s, "bandwidth": bytes/s, "rows": [row]} of workloads by name, all in this run.

    A row tells of one phase of one workload, or of the WHOLE step: workload, title, phase; per step: seconds, flops
    (computed), needed (flops without sharing), moved (bytes of the kernels' arrays, each once a call), lost (seconds
    above the roof); and share (of the step's time), of_peak and of_bandwidth, which is above one where arrays stay in
    a cache. `benchmarks.data.folder` says where data is, as for `python -m benchmarks`.
    """
    import fastkeras

    before = fastkeras.config.get_num_threads()
    threads = threads or processors()
    fastkeras.config.set_num_threads(threads)
    try:
        best, fastest = peak(), bandwidth()
        rows = []
        for name in names:
            spent, seconds, steps = measure_phases(WORKLOADS[name], least)
            needed = flops_without_sharing(WORKLOADS[name])
            rows += rows_of(name, spent, seconds, steps, needed, best, fastest)
    finally:
        fastkeras.config.set_num_threads(before)
    return {"threads": threads, "peak": best, "bandwidth": fastest, "rows": rows}


def losses(found, shares, most=LOSSES):
    """The rows of phases that lose most time or, if `shares`, the largest shares of their step; the largest first."""
    steps = {row["workload"]: row["seconds"] if shares else 1 for row in found["rows"] if row["phase"] == WHOLE}
    phases = [row for row in found["rows"] if row["phase"] != WHOLE]
    return sorted(phases, key=lambda row: -row["lost"] / steps[row["workload"]])[:most]


def markdown(found):
    """What `measure` gave, as one table and a list of the largest losses."""
    header = ["workload", "phase", "ms", "share", "GFLOP", "unshared", "of peak", "of memory", "ms lost"]
    lines, before = [], None
    for row in found["rows"]:
        first = row["title"] if row["workload"] != before else ""
        before = row["workload"]
        gflop, needed = (number(row[key] / 1e9) if row[key] else "-" for key in ("flops", "needed"))
        shares = percent(row["of_peak"] or None), percent(row["of_bandwidth"] or None)
        lost, took = number(1e3 * row["lost"]), number(1e3 * row["seconds"])
        lines.append([first, row["phase"], took, percent(row["share"]), gflop, needed, *shares, lost])
    steps = {row["workload"]: row["seconds"] for row in found["rows"] if row["phase"] == WHOLE}

    def named(rows):
        return [
            f"{i}. {row['title']}: {row['phase']}, {number(1e3 * row['lost'])} ms, "
            f"{percent(row['lost'] / steps[row['workload']])} of the step"
            for i, row in enumerate(rows, 1)
        ]

    machine = (
        f"Fastest product: {number(found['peak'] / 1e9)} GFLOP/s; memory: {number(found['bandwidth'] / 1e9)} GB/s, "
        f"reading and writing; threads: {found['threads']}. {BEYOND_MEMORY}"
    )
    longest = ["The largest losses, in time:", "", *named(losses(found, shares=False))]
    shares = ["The largest losses, as shares of a step:", "", *named(losses(found, shares=True))]
    return "\n".join([machine, "", table(header, lines), "", *longest, "", *shares])


def main():
    options = of_steps("roofline", __doc__.split("\n\n")[0]).parse_args()
    data.folder = options.data
    print(markdown(measure(options.workload, options.threads)))


if __name__ == "__main__":
    main()
