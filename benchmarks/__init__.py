"""The same work in fastkeras and in its peers, side by side: `python -m benchmarks`.

libraries.py    who is compared, and how each is told the number of threads
workload.py     what is measured: a workload, and a training that all can run
workloads/      one small class for each; a new one is added to the list in workloads/__init__.py
data.py         the real data, from packages on PyPI
peer.py         a library in a process of its own (worker.py is that process)
compare.py      turns: one peer works, the others sleep, round after round
report.py       medians, spread, ratios, Markdown
results.py      the folder of a report, to which later runs add
plots.py        its plots, by matplotlib
machine.py      the processor, its load, the memory a process took
installed.py    the disk that a library takes, with all that it needs
parity.py       how far results are from those of Keras on TensorFlow: `python -m benchmarks.parity`
phases.py       where the time of a training step of fastkeras goes: `python -m benchmarks.phases`
roofline.py     how far each phase is from what the machine can do: `python -m benchmarks.roofline`
instructions.py whether a step costs more instructions than it did: `python -m benchmarks.instructions`
memory.py       whether memory stays flat in long loops: `python -m benchmarks.memory`
arguments.py    arguments that several of the commands take
"""
