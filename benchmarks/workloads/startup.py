"""What somebody waits for before anything happens: the import, and the first epoch of a new process."""

import os
import subprocess
import sys
import time

from benchmarks.peer import ROOT, Peer
from benchmarks.workload import Session, Workload

KERAS = "from {0}.models import Sequential; from {0}.layers import Dense"
IMPORTS = {
    "fastkeras": KERAS.format("fastkeras"),
    "tf": KERAS.format("keras"),
    "tf_keras": KERAS.format("tf_keras"),
    "jax": KERAS.format("keras"),
    "torch": "import torch",
}


class Import(Workload):
    """The imports of a small script in a new Python, with numpy's own import in the time or before it.

    Bytecode is cached, as pip leaves an installed package.
    """

    name = "import"
    title = "import"
    limit = 0.2
    unit, per = "s", None
    cases = ("numpy included", "after numpy")
    most_rounds = 3

    def start(self, library, path):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

        def measure(case):
            code = (
                f"import sys, time; sys.path.append({str(ROOT)!r})\n"
                f"{'import numpy' if case == 'after numpy' else ''}\n"
                "begin = time.perf_counter()\n"
                f"{IMPORTS[library.name]}\n"
                "print(time.perf_counter() - begin)"
            )
            out = subprocess.check_output([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=environment)
            return float(out)

        measure(self.cases[0])  # writes the bytecode where there is none
        return Session(measure, memory=lambda: None)


class FirstEpoch(Workload):
    """From the start of a process to the end of the first epoch: import, data, build, compile, trace and train."""

    unit, per = "s", None
    most_rounds = 2

    def __init__(self, training):
        self.training = training
        self.name = f"first-epoch-{training.name}"
        self.title = f"process start to the first epoch, {training.title}"
        self.batch = training.batch

    def data(self):
        return self.training.data()

    def start(self, library, path):
        memory = []

        def measure(case):
            begin = time.perf_counter()
            with Peer(library.name, sys.executable, library.threads) as peer:
                peer.load()
                peer.first_epoch(self.name, path)
                seconds = time.perf_counter() - begin
                memory.append(peer.memory())
            return seconds

        return Session(measure, memory=lambda: max(memory))
