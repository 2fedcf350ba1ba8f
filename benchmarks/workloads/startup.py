"""What somebody waits for before anything happens: the import, and the first epoch of a new process."""

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
    """The imports of a small script in a new Python, with numpy's own import in the time or before it."""

    name = "import"
    title = "import"
    unit, per = "s", None
    cases = ("numpy included", "after numpy")
    most_rounds = 5

    def start(self, library, path):
        def measure(case):
            code = (
                f"import sys, time; sys.path.append({str(ROOT)!r})\n"
                f"{'import numpy' if case == 'after numpy' else ''}\n"
                "begin = time.perf_counter()\n"
                f"{IMPORTS[library.name]}\n"
                "print(time.perf_counter() - begin)"
            )
            return float(subprocess.check_output([sys.executable, "-c", code], stderr=subprocess.DEVNULL))

        return Session(measure, memory=lambda: None)


class FirstEpoch(Workload):
    """From the start of a process to the end of the first epoch: import, data, build, compile, trace and train."""

    unit, per = "s", None
    most_rounds = 3

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
