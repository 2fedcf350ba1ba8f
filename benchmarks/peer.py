"""A library in a process of its own, possibly of another Python: the parent's side of the pipe.

One line of JSON asks, one line of JSON answers, and between the two the process sleeps in a read: while one peer
works, the others do nothing. worker.py is the other side.
"""

import json
import os
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks import libraries, machine

ROOT = Path(__file__).resolve().parent.parent
# The checkout comes last: a fastkeras that is installed in that Python is the one to measure.
START = "import sys; sys.path.append(sys.argv[1]); from benchmarks import worker; worker.main(*sys.argv[2:])"


class MissingError(Exception):
    """The Python does not have the library, or is not there itself."""


class PeerError(Exception):
    """The library failed; the message is its traceback or the last words of its process."""


class Peer:
    """name: of libraries.LIBRARIES. python: the interpreter to run it in. threads: how many it may use."""

    def __init__(self, name, python, threads):
        self._folder = tempfile.TemporaryDirectory()
        self._words = (Path(self._folder.name) / "stderr").open("w+", errors="replace")
        self._other_work = self._capacity = 0.0
        command = [python, "-c", START, str(ROOT), name, str(threads)]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder.name,
                env=libraries.environment(name, threads, os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                text=True,
            )
        except OSError as error:
            self._remove_folder()
            raise MissingError(f"{python}: {error.strerror}") from None

    def load(self):
        """Imports the library and returns {module: version}."""
        return self._ask(do="load")

    def installed(self):
        """The bytes on disk of the library and all that it needs."""
        return self._ask(do="installed")

    def start(self, workload, path):
        """Prepares a workload on the data in a file; returns its Session's {"first": ..., "units": ...}."""
        return self._ask(do="start", workload=workload, path=str(path))

    def first_epoch(self, workload, path):
        """Trains the first epoch of the training inside a workload of startup.FirstEpoch."""
        return self._ask(do="first_epoch", workload=workload, path=str(path))

    def roofline(self, names, folder):
        """What roofline.measure gives for workloads of these names; folder: where their data is, or None."""
        return self._ask(do="roofline", names=names, folder=folder and str(folder.resolve()))

    def measure(self, case):
        """Seconds per unit of work of one case, measured now."""
        before, begin = self._clocks(), time.perf_counter()
        seconds = self._ask(do="measure", case=case)
        after, elapsed = self._clocks(), time.perf_counter() - begin
        if None not in before + after:
            self._other_work += (after[0] - before[0]) - (after[1] - before[1])
            self._capacity += elapsed * os.cpu_count()
        return seconds

    def _clocks(self):
        return machine.busy_seconds(), machine.process_seconds(self._process.pid)

    def losses(self):
        """The losses of all epochs trained so far."""
        return self._ask(do="losses")

    def memory(self):
        """The most memory that the work has taken so far, in bytes, or None."""
        return self._ask(do="memory")

    def disturbance(self):
        """The share of the machine's time that others took while this peer was measured, or None."""
        if not self._capacity:
            return None
        return min(1.0, max(0.0, self._other_work / self._capacity))  # the clocks of the two are not quite one

    def _ask(self, **request):
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._words.seek(0)
            raise PeerError("the process ended: " + " / ".join(self._words.read().split("\n")[-4:]).strip())
        answer = json.loads(answer)
        if "missing" in answer:
            raise MissingError(answer["missing"])
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer["result"]

    def close(self):
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._remove_folder()

    def _remove_folder(self):
        self._words.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
